"""Calls into the native kernel, with the arrays checked and packed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.blur import BlurPlan, Planes, precision_of
from gazeshift.chains import RegionChain
from gazeshift.errors import MaskError
from gazeshift.kernel import native_module, packed
from gazeshift.strips import Band, BlurSource, DirectBlur, ExpandedBlur, KeptBlur, Pixels

_KINDS = {"uint8": 0, "uint16": 1, "float32": 2}
_IDENTITY, _CODES, _LIGHT, _VALUES = 0, 1, 2, 3
_NO_BLUR, _SMALL, _PLANES = 0, 1, 2
_NO_SMALL = (0, 0, 0, 1, 0, 0)
_NO_PLANES = (0, 0, 0)
_COLUMNS = 64
_ROWS = 64

Job = Callable[[], None]


class NativeLoops:
    """The renderer's inner loops, compiled.

    Parameters
    ----------
    level
        Instruction set, one of `gazeshift.kernel.native_levels()`.
    """

    def __init__(self, level: str) -> None:
        self.name = level
        self._native: Any = native_module()

    def reduce_rows(
        self, plan: BlurPlan, band: Band, small: NDArray[Any], first: int, last: int
    ) -> None:
        """Compute rows `first` to `last` (excluded) of the blur's small copy."""
        source, kept = _source(band, *plan.rows_of(first, last))
        taps = (plan.spline / plan.stride).astype(precision_of(kept.dtype))
        self._native.reduce(
            self.name, source, (*_small(small), plan.stride, taps.ctypes.data, 0), first, last
        )

    def blur_stages(self, plan: BlurPlan, small: NDArray[Any]) -> list[list[Job]]:
        """Return the jobs that blur the small copy in place, in stages that follow each other."""
        is_bytes = small.dtype == np.float32
        kind = _KINDS["uint8" if is_bytes else "uint16"]
        weights = plan.weights.astype(np.float32 if is_bytes else np.float64)
        _, height, width = small.shape

        def columns(plane: NDArray[Any], left: int) -> None:
            lines = min(_COLUMNS, width - left)
            self._native.blur_columns(
                self.name,
                kind,
                plane.ctypes.data + 4 * left,
                height,
                width,
                lines,
                weights.ctypes.data,
                plan.radius,
            )

        def rows(top: int) -> None:
            self._native.blur_rows(
                self.name,
                kind,
                (*_small(small), plan.stride, 0, 0),
                weights.ctypes.data,
                plan.radius,
                top,
                min(top + _ROWS, height),
            )

        return [
            [
                partial(columns, plane, left)
                for plane in small
                for left in range(0, width, _COLUMNS)
            ],
            [partial(rows, top) for top in range(0, height, _ROWS)],
        ]

    def blur_narrow(self, plan: BlurPlan, band: Band, top: int, bottom: int) -> Planes:
        """Return full-size blurred rows, shape (3, rows, W), where the plan's stride is 1."""
        source, kept = _source(band, top - plan.radius, bottom + plan.radius)
        weights = plan.weights.astype(precision_of(kept.dtype))
        planes = np.empty((3, bottom - top, plan.width), weights.dtype)
        self._native.blur_narrow(
            self.name,
            source,
            weights.ctypes.data,
            plan.radius,
            top,
            bottom,
            planes.ctypes.data,
        )
        return planes

    def expand_rows(self, blur: ExpandedBlur, top: int, bottom: int) -> Planes:
        """Return full-size blurred rows, shape (3, rows, W), from the small copy."""
        is_bytes = blur.small.dtype == np.float32
        kind = _KINDS["uint8" if is_bytes else "uint16"]
        phases = expansion(blur.plan, np.dtype(np.uint8 if is_bytes else np.uint16))
        planes = np.empty((3, bottom - top, blur.plan.width), phases.dtype)
        self._native.expand(
            self.name,
            kind,
            (*_small(blur.small), blur.plan.stride, 0, phases.ctypes.data),
            blur.plan.width,
            top,
            bottom,
            planes.ctypes.data,
        )
        return planes

    def draw_rows(
        self,
        band: Band,
        mask: NDArray[np.float32],
        out: Pixels,
        chains: tuple[RegionChain, RegionChain],
        blur: BlurSource | None,
        rows: tuple[int, int],
    ) -> None:
        """Render some rows; the parameters are those of `strips.render_strip`.

        Raises
        ------
        MaskError
            If the mask holds NaN or numbers outside 0-1.
        """
        top, bottom = rows
        source, _kept = _source(band, top, bottom)
        weights = np.ascontiguousarray(mask)
        small, kind, planes, kept_planes = _NO_SMALL, _NO_BLUR, _NO_PLANES, None
        if isinstance(blur, ExpandedBlur):
            kind = _SMALL
            phases = expansion(blur.plan, band.pixels.dtype)
            small = (*_small(blur.small), blur.plan.stride, 0, phases.ctypes.data)
        elif isinstance(blur, DirectBlur):
            kept_planes = self.blur_narrow(blur.plan, band, top, bottom)
            kind, planes = _PLANES, (kept_planes.ctypes.data, kept_planes[0].size, top)
        elif isinstance(blur, KeptBlur):
            kept_planes = blur.planes
            kind, planes = _PLANES, (kept_planes.ctypes.data, kept_planes[0].size, 0)
        prepared = [_chain(chain, band.pixels.dtype) for chain in chains]
        status = self._native.draw(
            self.name,
            source,
            prepared[0],
            prepared[1],
            small,
            kind,
            planes,
            (weights.ctypes.data, weights.strides[0]),
            (out.ctypes.data, out.strides[0]),
            top,
            bottom,
        )
        if status < 0:
            raise MaskError("The mask holds numbers outside 0 to 1.")


def expansion(plan: BlurPlan, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the expansion's taps as the kernel reads them for pixels of `dtype`.

    Returns
    -------
    NDArray[Any]
        Shape (8, stride rounded up to 8), zero beyond the stride.
    """
    phases = plan.phases()
    taps = np.zeros((phases.shape[1], (plan.stride + 7) // 8 * 8), precision_of(dtype))
    taps[:, : plan.stride] = phases.T
    return taps


def _source(band: Band, top: int, bottom: int) -> tuple[tuple[int | float, ...], Pixels]:
    """Describe rows `top` to `bottom` (excluded), or the edge row where they lie outside."""
    first = min(max(top, 0), band.height - 1)
    last = max(min(bottom, band.height), first + 1)
    pixels = packed(band.pixels[first - band.top : last - band.top])
    kind = _KINDS[pixels.dtype.name]
    scale = 1.0 / np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1.0
    address, stride = pixels.ctypes.data, pixels.strides[0]
    return (address, stride, first, band.height, pixels.shape[1], kind, scale), pixels


def _small(small: NDArray[Any]) -> tuple[int, int, int]:
    return small.ctypes.data, small.shape[1], small.shape[2]


def _chain(chain: RegionChain, dtype: np.dtype[Any]) -> tuple[int | float, ...]:
    """Describe a chain; the chain itself keeps the arrays alive."""
    if chain.is_identity:
        return _IDENTITY, 0.0, 0, 0, 0, 0, 0
    if chain.amount == 0.0 and dtype.kind == "u":
        table = chain.code_floats if dtype == np.uint8 else chain.code_table
        return _CODES, 0.0, table.ctypes.data, table.shape[1], 0, 0, 0
    if dtype == np.uint8:
        pairs = chain.light_pairs
        return _LIGHT, chain.amount, pairs.ctypes.data, pairs.shape[1], 0, 0, 0
    curve = chain.light_curve if chain.amount else chain.value_curve
    return (
        _LIGHT if chain.amount else _VALUES,
        chain.amount,
        curve.lines.ctypes.data,
        curve.lines.shape[1],
        curve.uppers.ctypes.data,
        curve.cells.ctypes.data,
        curve.cells.size,
    )
