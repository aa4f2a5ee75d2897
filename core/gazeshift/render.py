"""The renderer: an edit applied to a picture of any size, fast and in little memory.

Same result as `decoder.apply_regions` in float64, rounded to the picture's depth, within:

- 8 bits: at most 1 code, on at most 2 % of the values (random noise; photos have far fewer);
- 16 bits: at most 2 codes;
- float32: 3e-5.

The error stems from the wide blur (see `blur`), from float32 arithmetic and, at 8 bits, from the
tables (see `chains`).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.blur import blur_small, empty_small, plan_blur, reduce_rows
from gazeshift.chains import RegionChain
from gazeshift.edit import Edit, Regions
from gazeshift.errors import ImageError, MaskError
from gazeshift.strips import Band, BlurSource, DirectBlur, ExpandedBlur, Pixels, render_strip
from gazeshift.workers import Ladder, Progress, check_threads, run_jobs

STRIP_ROWS = 64
"""Rows that one job renders."""

SMALL_ROWS = 32
"""Rows of the blur's small copy that one job computes."""

_REDUCE_WORK = 0.3
_RENDER_WORK = 0.7


def render(
    pixels: Pixels,
    mask: NDArray[Any],
    edit: Edit,
    strength: float | None = None,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Pixels:
    """Apply an edit to a whole picture.

    Parameters
    ----------
    pixels
        Shape (H, W, 3), encoded; uint8, uint16 or float32 (nominally 0-1). Any strides.
    mask
        Shape (H, W), 0-1, 1 is foreground; float32, or uint8 with 255 for 1.
    edit
        The edit.
    strength
        Dial position, 0 to 1.5; None takes the edit's own. 0 returns an exact copy.
    threads
        Worker threads; None takes every core that the process may use. The result does not
        depend on it.
    progress
        Called with the finished part, 0-1, in the calling thread. An exception that it raises
        stops the work and passes on.

    Returns
    -------
    Pixels
        A new array with the shape and dtype of `pixels`.

    Raises
    ------
    ImageError
        If `pixels` has another shape or dtype, or holds NaN or infinity.
    MaskError
        If `mask` has another shape or dtype, or holds NaN or numbers outside 0-1.
    ParamError
        If `strength` or `threads` is out of range.
    """
    check_pixels(pixels)
    check_mask(mask, pixels.shape[0], pixels.shape[1])
    regions = edit.regions() if strength is None else edit.at(strength)
    workers = check_threads(threads)
    out = np.empty(pixels.shape, pixels.dtype)
    ladder = Ladder(progress, _REDUCE_WORK + _RENDER_WORK)
    chains = chains_of(regions, pixels.dtype)
    if pixels.dtype.kind == "f":
        _check_finite(pixels)
    if chains[0].is_identity and chains[1].is_identity:
        out[...] = pixels
        ladder.climb(_REDUCE_WORK + _RENDER_WORK)
        return out
    weights = mask_weights(mask)
    band = Band(pixels, 0, pixels.shape[0])
    blur = blur_of(band, workers, ladder) if needs_blur(chains) else None
    if blur is None:
        ladder.climb(_REDUCE_WORK)
    draw(band, weights, out, chains, blur, workers, ladder)
    return out


def active_kernel() -> str:
    """Return the name of the code that renders, for people."""
    return "numpy"


def check_pixels(pixels: object) -> None:
    """Refuse what is not an RGB picture of 8 or 16 bits or float32, with at least one pixel.

    Raises
    ------
    ImageError
        If it is not.
    """
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ImageError("The picture must be an array of shape (height, width, 3).")
    if pixels.dtype not in (np.uint8, np.uint16, np.float32):
        raise ImageError(
            f"The picture's numbers are {pixels.dtype}; uint8, uint16 and float32 can be rendered.",
            hint="Convert it first.",
        )
    if pixels.size == 0:
        raise ImageError("The picture has no pixels.")


def check_mask(mask: object, height: int, width: int) -> None:
    """Refuse a mask that does not fit the picture.

    Raises
    ------
    MaskError
        If its shape or dtype is wrong, or a number is NaN or outside 0-1.
    """
    if not isinstance(mask, np.ndarray) or mask.shape != (height, width):
        shape = getattr(mask, "shape", None)
        raise MaskError(f"The mask must have the picture's size {(height, width)}, not {shape}.")
    if mask.dtype == np.uint8:
        return
    if mask.dtype != np.float32:
        raise MaskError(f"The mask's numbers are {mask.dtype}; float32 and uint8 can be used.")
    # NaN makes both comparisons false.
    if not (float(mask.min()) >= 0.0 and float(mask.max()) <= 1.0):
        raise MaskError("The mask holds numbers outside 0 to 1.")


def mask_weights(mask: NDArray[Any]) -> NDArray[np.float32]:
    """Return a checked mask as float32, 0-1."""
    if mask.dtype == np.uint8:
        weights: NDArray[np.float32] = mask.astype(np.float32) / np.float32(255.0)
        return weights
    return mask


def chains_of(regions: Regions, dtype: np.dtype[Any]) -> tuple[RegionChain, RegionChain]:
    """Prepare both regions' operators for pictures of one depth."""
    levels = np.iinfo(dtype).max + 1 if dtype.kind == "u" else 0
    return RegionChain(regions.foreground, levels), RegionChain(regions.background, levels)


def needs_blur(chains: tuple[RegionChain, RegionChain]) -> bool:
    """Tell whether a region sharpens or softens."""
    return any(chain.amount for chain in chains)


def blur_of(band: Band, threads: int, ladder: Ladder) -> BlurSource:
    """Blur a whole picture once, for both regions."""
    plan = plan_blur(band.height, band.pixels.shape[1])
    if plan.stride == 1:
        ladder.climb(_REDUCE_WORK)
        return DirectBlur(plan, band)
    small = empty_small(plan)

    def reduce(first: int) -> None:
        last = min(first + SMALL_ROWS, plan.small_height)
        reduce_rows(plan, band.linear_rows(*plan.rows_of(first, last)), small, first, last)

    jobs = [partial(reduce, first) for first in range(0, plan.small_height, SMALL_ROWS)]
    run_jobs(jobs, threads, ladder, _REDUCE_WORK)
    blur_small(plan, small)
    return ExpandedBlur(plan, small)


def draw(
    band: Band,
    mask: NDArray[np.float32],
    out: Pixels,
    chains: tuple[RegionChain, RegionChain],
    blur: BlurSource | None,
    threads: int,
    ladder: Ladder,
) -> None:
    """Render every row of a picture into `out`."""
    _prepare_tables(chains, band.pixels.dtype, blur is not None)

    def strip(top: int) -> None:
        bottom = min(top + STRIP_ROWS, band.height)
        rows = (top, bottom)
        render_strip(band, mask[top:bottom], out[top:bottom], chains, blur, rows)

    jobs = [partial(strip, top) for top in range(0, band.height, STRIP_ROWS)]
    run_jobs(jobs, threads, ladder, _RENDER_WORK)


def _prepare_tables(
    chains: tuple[RegionChain, RegionChain], dtype: np.dtype[Any], blurred: bool
) -> None:
    """Compute the tables that the jobs share before they start."""
    if dtype != np.uint8 or not all(chain.is_separable for chain in chains):
        return
    for chain in chains:
        chain.prepare_tables(blurred=blurred)


def _check_finite(pixels: Pixels) -> None:
    for top in range(0, pixels.shape[0], STRIP_ROWS):
        if not np.isfinite(pixels[top : top + STRIP_ROWS]).all():
            raise ImageError(
                "The picture holds NaN or infinite values.",
                hint="Repair it in the program that wrote it.",
            )
