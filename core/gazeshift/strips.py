"""Rendering of strips of rows in numpy; the fallback where the native kernel is absent.

Pictures of 8 bits go through tables, everything else through the operators themselves, sharpening
in float64 and the rest in float32. Work is cut into tiles that stay in the processor's cache and
need little memory; a tile where the mask is 0 or 1 everywhere runs one chain only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gazeshift.blur import (
    BlurPlan,
    Planes,
    blur_directly,
    blur_small,
    expand,
    precision_of,
    reduce_rows,
)
from gazeshift.chains import UNSURE, RegionChain
from gazeshift.errors import MaskError
from gazeshift.operators.transfer import decode_srgb, encode_srgb

Pixels = NDArray[Any]
"""Shape (rows, columns, 3): uint8, uint16 or float32."""

TILE_COLUMNS = 512

_NO_CODES = np.empty((0, 0), np.intp)

_Window = tuple[slice, slice]
_Span = tuple[int, int]
"""First and last (excluded) row or column."""


class BlurSource(Protocol):
    """Where the blurred picture comes from, in linear light."""

    def window(self, rows: _Span, columns: _Span) -> Planes:
        """Return a window of it, shape (3, rows, columns)."""
        ...


@dataclass(frozen=True)
class Band:
    """Some rows of a picture: all of it, or the part that is in memory."""

    pixels: Pixels
    """Shape (rows, W, 3)."""
    top: int
    """Row of the picture that `pixels` begins with."""
    height: int
    """Rows of the whole picture."""

    def linear(self, channel: int, rows: _Span, columns: _Span) -> Planes:
        """Decode a window of one channel; beyond the picture's borders the edge pixel repeats.

        Returns
        -------
        Planes
            Shape (rows, columns): float32 for 8 bits, else float64.
        """
        down, above_below = _within(rows, self.height)
        across, beside = _within(columns, self.pixels.shape[1])
        inner = slice(down.start - self.top, down.stop - self.top)
        values = decoded(self.pixels[inner, across, channel])
        if any(above_below) or any(beside):
            values = np.pad(values, (above_below, beside), mode="edge")
        return values


@dataclass(frozen=True)
class ExpandedBlur:
    """The blur kept as its small copy."""

    plan: BlurPlan
    small: NDArray[Any]

    def window(self, rows: _Span, columns: _Span) -> Planes:
        """Return a window of it, shape (3, rows, columns)."""
        return expand(self.plan, self.small, rows, columns)


@dataclass(frozen=True)
class DirectBlur:
    """A narrow blur, computed from the pixels when it is wanted."""

    plan: BlurPlan
    band: Band

    def window(self, rows: _Span, columns: _Span) -> Planes:
        """Return a window of it, shape (3, rows, columns)."""
        reach = self.plan.radius
        wider = (rows[0] - reach, rows[1] + reach), (columns[0] - reach, columns[1] + reach)
        return blur_directly(
            self.plan, np.stack([self.band.linear(channel, *wider) for channel in range(3)])
        )


@dataclass(frozen=True)
class KeptBlur:
    """The blur of a whole picture, kept between redraws."""

    planes: Planes
    linear: Planes | None = None
    """The picture itself in linear light, if that is kept, too."""

    def window(self, rows: _Span, columns: _Span) -> Planes:
        """Return a window of it, shape (3, rows, columns)."""
        return self.planes[:, slice(*rows), slice(*columns)]


class NumpyLoops:
    """The renderer's inner loops in numpy."""

    name = "numpy"

    def reduce_rows(
        self, plan: BlurPlan, band: Band, small: NDArray[Any], first: int, last: int
    ) -> None:
        """Compute rows `first` to `last` (excluded) of the blur's small copy."""
        reduce_rows(plan, band.linear, small, first, last)

    def blur_stages(self, plan: BlurPlan, small: NDArray[Any]) -> list[list[Callable[[], None]]]:
        """Return the jobs that blur the small copy in place, in stages that follow each other."""
        return [[partial(blur_small, plan, small[c : c + 1]) for c in range(3)]]

    def blur_narrow(self, plan: BlurPlan, band: Band, top: int, bottom: int) -> Planes:
        """Return full-size blurred rows, shape (3, rows, W), where the plan's stride is 1."""
        return DirectBlur(plan, band).window((top, bottom), (0, plan.width))

    def expand_rows(self, blur: ExpandedBlur, top: int, bottom: int) -> Planes:
        """Return full-size blurred rows, shape (3, rows, W), from the small copy."""
        return blur.window((top, bottom), (0, blur.plan.width))

    def draw_rows(
        self,
        band: Band,
        mask: NDArray[np.float32],
        out: Pixels,
        chains: tuple[RegionChain, RegionChain],
        blur: BlurSource | None,
        rows: tuple[int, int],
    ) -> None:
        """Render some rows; see `render_strip`."""
        render_strip(band, mask, out, chains, blur, rows)


def decoded(values: NDArray[Any]) -> NDArray[Any]:
    """Decode channel values of any shape to linear light; values beyond 0-1 are clipped."""
    precision = precision_of(values.dtype)
    if values.dtype.kind == "u":
        return np.take(_linear_table(np.iinfo(values.dtype).max + 1), values, mode="clip")
    linear: NDArray[Any] = decode_srgb(np.clip(values, 0.0, 1.0).astype(precision))
    return linear


def render_strip(
    band: Band,
    mask: NDArray[np.float32],
    out: Pixels,
    chains: tuple[RegionChain, RegionChain],
    blur: BlurSource | None,
    rows: tuple[int, int],
) -> None:
    """Render some rows.

    Parameters
    ----------
    band
        Holds the rows, and those that the chains reach into.
    mask
        Shape (rows, W), 0-1: exactly the rows that are rendered.
    out
        Shape (rows, W, 3), written; exactly the rows that are rendered.
    chains
        The foreground's and the background's.
    blur
        The blurred picture; None when neither chain sharpens.
    rows
        First and last (excluded) row of the picture.

    Raises
    ------
    MaskError
        If the mask holds NaN or numbers outside 0-1.
    """
    reach = max(chain.reach_px for chain in chains)
    top, bottom = max(0, rows[0] - reach), min(band.height, rows[1] + reach)
    width = band.pixels.shape[1]
    use_tables = band.pixels.dtype == np.uint8 and all(chain.is_separable for chain in chains)
    for left in range(0, width, TILE_COLUMNS):
        right = min(width, left + TILE_COLUMNS)
        weight = mask[:, left:right]
        low, high = float(weight.min()), float(weight.max())
        # NaN makes both comparisons false.
        if not (low >= 0.0 and high <= 1.0):
            raise MaskError("The mask holds numbers outside 0 to 1.")
        used = chains[:1] if low == 1.0 else chains[1:] if high == 0.0 else chains
        target = out[:, left:right]
        if len(used) == 1 and used[0].is_identity:
            target[...] = band.pixels[rows[0] - band.top : rows[1] - band.top, left:right]
            continue
        first, last = max(0, left - reach), min(width, right + reach)
        pixels = band.pixels[top - band.top : bottom - band.top, first:last]
        tile_blur = None
        if blur is not None and any(chain.amount for chain in used):
            tile_blur = blur.window((top, bottom), (first, last))
        if use_tables:
            linear = blur.linear if isinstance(blur, KeptBlur) else None
            if linear is not None:
                linear = linear[:, top:bottom, first:last]
            _render_by_table(pixels, weight, target, used, tile_blur, linear)
        else:
            inner = (slice(rows[0] - top, rows[1] - top), slice(left - first, right - first))
            _render_exactly(pixels, weight, target, used, tile_blur, inner)


def _render_by_table(
    pixels: Pixels,
    weight: NDArray[np.float32],
    out: Pixels,
    chains: tuple[RegionChain, ...],
    blurred: Planes | None,
    kept: Planes | None,
) -> None:
    linear_table = _linear_table(256)
    by_light = blurred is not None and all(chain.amount for chain in chains)
    for channel in range(3):
        is_coded = kept is None or not by_light
        codes = pixels[..., channel].astype(np.intp) if is_coded else _NO_CODES
        linear = detail = None
        if blurred is not None:
            linear = np.take(linear_table, codes, mode="clip") if kept is None else kept[channel]
            detail = linear - blurred[channel]
        places = [_places(chain, linear, detail) for chain in chains]
        values = [
            _nearest(chain, channel, codes, place, is_whole=len(chains) == 1)
            for chain, place in zip(chains, places, strict=True)
        ]
        target = out[..., channel]
        if len(chains) == 1:
            target[...] = values[0]
            unsure = values[0] == UNSURE if chains[0].marks_unsure else None
        else:
            mixed = values[1] + weight * (values[0] - values[1])
            rounded = np.rint(mixed)
            target[...] = rounded
            unsure = _near_halves(mixed, rounded, chains)
        if unsure is not None:
            _look_between(unsure, codes, places, weight, target, channel, chains)


def _places(
    chain: RegionChain,
    linear: NDArray[np.float32] | None,
    detail: NDArray[np.float32] | None,
) -> NDArray[np.float32] | None:
    """Return where sharpened values lie in `light_table`; None where codes are looked up."""
    if not chain.amount or linear is None or detail is None:
        return None
    root: NDArray[np.float32] = detail * np.float32(chain.amount)
    root += linear
    np.clip(root, np.float32(0.0), np.float32(1.0), out=root)
    np.sqrt(root, out=root)
    root *= np.float32(chain.root_steps)
    return root


def _nearest(
    chain: RegionChain,
    channel: int,
    codes: NDArray[np.intp],
    places: NDArray[np.float32] | None,
    *,
    is_whole: bool,
) -> NDArray[Any]:
    """Look up the nearest entries, as whole codes or not."""
    if places is None:
        table: NDArray[Any] = chain.code_codes if is_whole else chain.code_table
    else:
        table = chain.light_codes if is_whole else chain.light_table
        # Where nobody looks closer, the places are not needed again.
        room = None if chain.marks_unsure else places
        codes = np.add(places, np.float32(0.5), out=room).astype(np.intp)
    values: NDArray[Any] = np.take(table[channel], codes, mode="clip")
    return values


def _near_halves(
    mixed: NDArray[Any], rounded: NDArray[Any], chains: tuple[RegionChain, ...]
) -> NDArray[np.bool_] | None:
    """Tell where the tables' error may have led to the wrong side of a half."""
    error = max(chain.light_error if chain.marks_unsure else 0.0 for chain in chains)
    if error == 0.0:
        return None
    distance = mixed - rounded
    np.abs(distance, out=distance)
    near: NDArray[np.bool_] = distance > 0.5 - error
    return near


def _look_between(
    unsure: NDArray[np.bool_],
    codes: NDArray[np.intp],
    places: list[NDArray[np.float32] | None],
    weight: NDArray[np.float32],
    target: NDArray[np.uint8],
    channel: int,
    chains: tuple[RegionChain, ...],
) -> None:
    """Compute a few values anew, between the table's two nearest entries."""
    rows, columns = np.nonzero(unsure)
    if rows.size == 0:
        return
    values = []
    for chain, place in zip(chains, places, strict=True):
        if place is None:
            values.append(chain.code_table[channel][codes[rows, columns]])
            continue
        exact = place[rows, columns].astype(np.float64)
        below = np.minimum(exact.astype(np.intp), chain.root_steps - 1)
        table = chain.light_table[channel]
        start = table[below].astype(np.float64)
        values.append(start + (exact - below) * (table[below + 1] - start))
    mixed = values[0]
    if len(values) == 2:
        mixed = values[1] + weight[rows, columns] * (values[0] - values[1])
    target[rows, columns] = np.rint(mixed)


def _render_exactly(
    pixels: Pixels,
    weight: NDArray[np.float32],
    out: Pixels,
    chains: tuple[RegionChain, ...],
    blurred: Planes | None,
    inner: _Window,
) -> None:
    encoded = _encoded(pixels)
    linear = None if blurred is None else decoded(pixels)
    results = []
    for chain in chains:
        rgb = encoded
        if chain.amount and linear is not None and blurred is not None:
            rgb = _sharpened(encoded, linear, np.moveaxis(blurred, 0, -1), chain.amount)
        results.append(chain.apply_rest(rgb)[inner])
    mixed = results[0]
    if len(results) == 2:
        share = weight[..., None]
        mixed = results[0] * share + results[1] * (np.float32(1.0) - share)
    out[...] = _as_codes(mixed, out.dtype)


def _sharpened(
    encoded: NDArray[np.float32],
    linear: NDArray[np.float64],
    blurred: NDArray[np.float64],
    amount: float,
) -> NDArray[np.float32]:
    # float64, as a steep curve may follow.
    sharp = linear - blurred
    sharp *= amount
    sharp += linear
    rgb: NDArray[np.float32] = encode_srgb(np.clip(sharp, 0.0, 1.0, out=sharp)).astype(np.float32)
    # What lies beyond 0-1 is added again before the limit, as the operator does.
    rgb += encoded - np.clip(encoded, np.float32(0.0), np.float32(1.0))
    return np.clip(rgb, np.float32(0.0), np.float32(1.0), out=rgb)


def _encoded(pixels: Pixels) -> NDArray[np.float32]:
    if pixels.dtype.kind == "u":
        scaled: NDArray[np.float32] = pixels.astype(np.float32) / np.float32(
            np.iinfo(pixels.dtype).max
        )
        return scaled
    return pixels


def _as_codes(rgb: NDArray[np.float32], dtype: np.dtype[Any]) -> Pixels:
    if dtype.kind != "u":
        return rgb
    codes: Pixels = np.rint(np.clip(rgb, 0.0, 1.0) * np.iinfo(dtype).max).astype(dtype)
    return codes


@lru_cache(maxsize=2)
def _linear_table(levels: int) -> NDArray[Any]:
    codes = np.arange(levels, dtype=np.float64) / (levels - 1)
    table: NDArray[Any] = decode_srgb(codes)
    return table.astype(np.float32) if levels == 256 else table


def _within(span: _Span, length: int) -> tuple[slice, _Span]:
    """Return the part of a span that lies in 0 to `length`, and how much lies on either side.

    Where nothing lies inside, the nearest row or column stands in for it.
    """
    first = min(max(span[0], 0), length - 1)
    last = max(min(span[1], length), first + 1)
    outside = (span[1] - span[0]) - (last - first)
    before = min(max(0, first - span[0]), outside)
    return slice(first, last), (before, outside - before)
