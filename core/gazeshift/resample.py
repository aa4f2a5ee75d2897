"""Separable resampling of pictures and masks: area means to shrink, straight lines to grow.

Plain sums, no matrix products: the same input gives the same bits on every machine, and no
library starts threads of its own. `kernel/shrink.c` does the same, bit for bit, where it was built.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from os import cpu_count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gazeshift.kernel import NUMPY, chosen_kernel

BAND_VALUES = 2**23
SMALL_VALUES = 2**18
"""A picture of at most this many values is resampled in the calling thread."""
STREAM_ROWS = 256
"""Rows of a streamed picture that are asked for at a time."""
_KINDS = {"uint8": 0, "uint16": 1, "float32": 2, "fraction": 3}
_CELL = np.dtype(
    [("first", "i8"), ("rows", "i8"), ("weights", "f4", 3), ("unused", "f4")], align=True
)


class Cell(NamedTuple):
    """How one output position is made of input positions."""

    first: int
    """First input position."""
    rows: int
    """How many input positions, from `first` on."""
    first_weight: float
    """Weight of the first one."""
    inner_weight: float
    """Weight of each one between the first and the last."""
    last_weight: float
    """Weight of the last one, if there are two or more."""


def resize(
    values: NDArray[Any], height: int, width: int, *, as_fraction: bool = False
) -> NDArray[np.float32]:
    """Resample to another size, each axis by itself: by area down, by linear interpolation up.

    Shrinking gives each output pixel the exact mean of the rectangle of input that it covers,
    with fractional weights at the rectangle's edges. No full-size float copy of the input is
    ever made. The result does not depend on the number of threads.

    Parameters
    ----------
    values
        Shape (H, W) or (H, W, C); uint8, uint16, or float.
    height, width
        Size of the result in pixels, at least 1.
    as_fraction
        Divide uint8 values by 255 first: the same bits as if they had been divided before, without
        the full-size copy.

    Returns
    -------
    NDArray
        Shape (height, width) or (height, width, C), float32, in the units of `values`; 0-1 with
        `as_fraction`.
    """
    rows = values.shape[0]
    result = np.empty((height, width, *values.shape[2:]), np.float32)
    kind = "fraction" if as_fraction else values.dtype.name
    _fill(values, _cells(rows, height), _cells(values.shape[1], width), result, kind)
    return result


def resize_rows(
    values: NDArray[Any], height: int, width: int, top: int, bottom: int
) -> NDArray[np.float32]:
    """Return rows `top` to `bottom` (excluded) of what `resize` returns."""
    result = np.empty((bottom - top, width, *values.shape[2:]), np.float32)
    _fill(
        values, _cells(values.shape[0], height)[top:bottom], _cells(values.shape[1], width), result
    )
    return result


def resize_stream(
    rows: Callable[[int, int], NDArray[Any]], height_in: int, height: int, width: int
) -> NDArray[np.float32]:
    """Return what `resize` returns, for a picture whose rows come in bands.

    Parameters
    ----------
    rows
        Called with the first and the last (excluded) row that are wanted, from top to bottom.
    height_in
        Rows of the picture.
    height, width
        Size of the result in pixels, at least 1.
    """
    down = _cells(height_in, height)
    parts = []
    top = 0
    while top < height:
        first = down[top].first
        bottom = top + 1
        while bottom < height and down[bottom].first + down[bottom].rows - first <= STREAM_ROWS:
            bottom += 1
        band = rows(first, down[bottom - 1].first + down[bottom - 1].rows)
        cells = [cell._replace(first=cell.first - first) for cell in down[top:bottom]]
        part = np.empty((bottom - top, width, *band.shape[2:]), np.float32)
        _fill(band, cells, _cells(band.shape[1], width), part)
        parts.append(part)
        top = bottom
    return np.concatenate(parts)


def _fill(
    values: NDArray[Any],
    down: list[Cell],
    across: list[Cell],
    result: NDArray[np.float32],
    kind: str = "",
) -> None:
    rows, columns = values.shape[:2]
    channels = values.shape[2] if values.ndim == 3 else 1
    height = len(down)
    flat = result.reshape(height, len(across), channels)
    module = _native_module()
    kind = kind or values.dtype.name
    if module is not None and kind in _KINDS and channels in (1, 3):
        fill_rows = _native_rows(
            module, values.reshape(rows, columns, channels), kind, down, across, flat
        )
    else:
        if kind == "fraction":
            values = np.multiply(values, 1 / 255, dtype=np.float32)
        fill_rows = _numpy_rows(values.reshape(rows, columns * channels), down, across, flat)
    threads = 1 if values.size <= SMALL_VALUES else min(4, cpu_count() or 1)
    band = min(-(-height // threads), max(1, BAND_VALUES // (columns * channels)))

    def fill_band(top: int) -> None:
        fill_rows(top, min(top + band, height))

    if threads == 1:
        for top in range(0, height, band):
            fill_band(top)
    else:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(fill_band, range(0, height, band)):
                pass


def _numpy_rows(
    flat: NDArray[Any], down: list[Cell], across: list[Cell], result: NDArray[np.float32]
) -> Callable[[int, int], None]:
    _, width, channels = result.shape
    columns = flat.shape[1] // channels

    def fill_rows(top: int, bottom: int) -> None:
        cells = down[top:bottom]
        tall = _mix_rows(flat, cells).reshape(len(cells), columns, channels)
        turned = np.ascontiguousarray(tall.transpose(1, 0, 2)).reshape(columns, -1)
        narrow = _mix_rows(turned, across).reshape(width, len(cells), channels)
        result[top:bottom] = narrow.transpose(1, 0, 2)

    return fill_rows


def _native_rows(
    module: Any,
    values: NDArray[Any],
    kind: str,
    down: list[Cell],
    across: list[Cell],
    result: NDArray[np.float32],
) -> Callable[[int, int], None]:
    _, columns, channels = values.shape
    size = values.itemsize
    steps = {columns == 1 or values.strides[1] == channels * size}
    steps.add(channels == 1 or values.strides[2] == size)
    if not all(steps) or not values.flags.aligned or not values.dtype.isnative:
        values = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    packed_down, packed_across = _packed(down), _packed(across)

    def fill_rows(top: int, bottom: int) -> None:
        module.resample(
            values.ctypes.data,
            values.strides[0],
            columns,
            _KINDS[kind],
            channels,
            packed_down.ctypes.data,
            packed_across.ctypes.data,
            top,
            bottom,
            result.shape[1],
            result.ctypes.data,
        )

    return fill_rows


def _native_module() -> Any:
    if chosen_kernel() == NUMPY:
        return None
    try:
        from gazeshift.kernel import _shrink  # type: ignore[attr-defined,unused-ignore]
    except ImportError:
        return None
    return _shrink


def _packed(cells: list[Cell]) -> NDArray[Any]:
    packed = np.zeros(len(cells), _CELL)
    packed["first"] = [cell.first for cell in cells]
    packed["rows"] = [cell.rows for cell in cells]
    packed["weights"] = [cell[2:] for cell in cells]
    return packed


def _mix_rows(values: NDArray[Any], cells: list[Cell]) -> NDArray[np.float32]:
    """Weighted sums of rows: shape (rows, n) in, (cells, n) float32 out."""
    result = np.empty((len(cells), values.shape[1]), np.float32)
    part = np.empty(values.shape[1], np.float32)
    # Values that are not numbers pass through to the caller, who reports them.
    with np.errstate(invalid="ignore", over="ignore"):
        for row, cell in zip(result, cells, strict=True):
            last = cell.first + cell.rows - 1
            np.multiply(values[cell.first], cell.first_weight, out=row, dtype=np.float32)
            if cell.rows > 2:
                inner = np.add.reduce(
                    values[cell.first + 1 : last], axis=0, dtype=_sum_type(values, cell.rows)
                )
                np.multiply(
                    inner, cell.inner_weight, out=part, dtype=np.float32, casting="same_kind"
                )
                row += part
            if cell.rows > 1:
                np.multiply(values[last], cell.last_weight, out=part, dtype=np.float32)
                row += part
    return result


def _sum_type(values: NDArray[Any], count: int) -> type[np.generic]:
    if values.dtype == np.uint8:
        # 257 rows of at most 255 fit in 16 bits.
        return np.uint16 if count <= 257 else np.uint32
    if values.dtype == np.uint16:
        return np.uint32 if count <= 65_537 else np.uint64
    return np.float32


@lru_cache(maxsize=8)
def _cells(size_in: int, size_out: int) -> list[Cell]:
    make = _area_cell if size_out <= size_in else _linear_cell
    return [make(position, size_in, size_out) for position in range(size_out)]


def _area_cell(position: int, size_in: int, size_out: int) -> Cell:
    # Whole-number arithmetic: the edges of neighbouring cells meet exactly.
    start, end = position * size_in, (position + 1) * size_in
    first, behind = start // size_out, -(-end // size_out)
    count = behind - first
    at_start = ((first + 1) * size_out - start) / size_in
    at_end = (end - (behind - 1) * size_out) / size_in
    return Cell(first, count, 1.0 if count == 1 else at_start, size_out / size_in, at_end)


def _linear_cell(position: int, size_in: int, size_out: int) -> Cell:
    centre = min(max((position + 0.5) * size_in / size_out - 0.5, 0.0), size_in - 1.0)
    if size_in == 1:
        return Cell(0, 1, 1.0, 0.0, 0.0)
    first = min(int(centre), size_in - 2)
    return Cell(first, 2, first + 1 - centre, 0.0, centre - first)
