"""Calls into the native kernel, with the arrays checked and packed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.blur import BlurPlan, Planes
from gazeshift.chains import RegionChain
from gazeshift.errors import MaskError
from gazeshift.kernel import native_module, packed
from gazeshift.strips import Band, BlurSource, DirectBlur, ExpandedBlur, KeptBlur, Pixels

_KINDS = {"uint8": 0, "uint16": 1, "float32": 2}
_IDENTITY, _CODES, _LIGHT = 0, 1, 2
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

    def reduce_rows(self, plan: BlurPlan, band: Band, small: Planes, first: int, last: int) -> None:
        """Compute rows `first` to `last` (excluded) of the blur's small copy."""
        source, _kept = _source(band)
        taps = (plan.spline / plan.stride).astype(np.float32)
        self._native.reduce(
            self.name, source, (*_small(small), plan.stride, taps.ctypes.data, 0), first, last
        )

    def blur_stages(self, plan: BlurPlan, small: Planes) -> list[list[Job]]:
        """Return the jobs that blur the small copy in place, in stages that follow each other."""
        weights = plan.weights.astype(np.float32)
        _, height, width = small.shape

        def columns(plane: Planes, left: int) -> None:
            lines = min(_COLUMNS, width - left)
            self._native.blur_columns(
                self.name,
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
        source, _kept = _source(band)
        weights = plan.weights.astype(np.float32)
        planes = np.empty((3, bottom - top, plan.width), np.float32)
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
        part = Band(packed(band.pixels[top - band.top : bottom - band.top]), top, band.height)
        source, _kept = _source(part)
        weights = np.ascontiguousarray(mask)
        small, kind, planes, kept_planes = _NO_SMALL, _NO_BLUR, _NO_PLANES, None
        if isinstance(blur, ExpandedBlur):
            kind = _SMALL
            phases = expansion(blur.plan)
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
            prepared[0][0],
            prepared[1][0],
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


def expansion(plan: BlurPlan) -> NDArray[np.float32]:
    """Return the expansion's taps as the kernel reads them.

    Returns
    -------
    NDArray[np.float32]
        Shape (6, stride rounded up to 8), zero beyond the stride.
    """
    taps = np.zeros((6, (plan.stride + 7) // 8 * 8), np.float32)
    taps[:, : plan.stride] = plan.phases().T
    return taps


def _source(band: Band) -> tuple[tuple[int | float, ...], Pixels]:
    pixels = packed(band.pixels)
    kind = _KINDS[pixels.dtype.name]
    scale = 1.0 / np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1.0
    address, stride = pixels.ctypes.data, pixels.strides[0]
    return (address, stride, band.top, band.height, pixels.shape[1], kind, scale), pixels


def _small(small: Planes) -> tuple[int, int, int]:
    return small.ctypes.data, small.shape[1], small.shape[2]


def _chain(
    chain: RegionChain, dtype: np.dtype[Any]
) -> tuple[tuple[int, float, int, int], NDArray[np.float32] | None]:
    if chain.is_identity:
        return (_IDENTITY, 0.0, 0, 0), None
    if chain.amount == 0.0 and dtype.kind == "u":
        table = chain.code_floats
        return (_CODES, 0.0, table.ctypes.data, table.shape[1]), table
    pairs = chain.light_pairs
    return (_LIGHT, chain.amount, pairs.ctypes.data, pairs.shape[1]), pairs
