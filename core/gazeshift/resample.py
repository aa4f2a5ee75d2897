"""Separable resampling of pictures and masks: area means to shrink, straight lines to grow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

import numpy as np
from numpy.typing import NDArray

ROWS_PER_BAND = 4
COLUMNS_PER_BAND = 32

Weights = list[tuple[int, NDArray[np.float32]]]
"""For each output position: the first input position and the weights from there on."""


def resize(values: NDArray[np.generic], height: int, width: int) -> NDArray[np.float32]:
    """Resample to another size, each axis by itself: by area down, by linear interpolation up.

    Shrinking gives each output pixel the exact mean of the rectangle of input that it covers,
    with fractional weights at the rectangle's edges. The input is converted to float a few rows
    at a time, so no full-size float copy is ever made. The result does not depend on the number
    of threads.

    Parameters
    ----------
    values
        Shape (H, W) or (H, W, C), any real type.
    height, width
        Size of the result in pixels, at least 1.

    Returns
    -------
    NDArray
        Shape (height, width) or (height, width, C), float32, in the units of `values`.
    """
    rows, columns = values.shape[:2]
    channels = values.shape[2] if values.ndim == 3 else 1
    flat = values.reshape(rows, columns * channels)
    row_weights = _axis_weights(rows, height)
    column_weights = _axis_weights(columns, width)
    result = np.empty((height, width, channels), np.float32)

    def fill_band(top: int) -> None:
        bottom = min(top + ROWS_PER_BAND, height)
        first, matrix = _band_matrix(row_weights, top, bottom)
        block = flat[first : first + matrix.shape[1]].astype(np.float32)
        # Values that are not numbers pass through to the caller, who reports them.
        with np.errstate(invalid="ignore", over="ignore"):
            rows_done = (matrix @ block).reshape(bottom - top, columns, channels)
        tall = np.ascontiguousarray(rows_done.transpose(0, 2, 1)).reshape(-1, columns)
        for left in range(0, width, COLUMNS_PER_BAND):
            right = min(left + COLUMNS_PER_BAND, width)
            start, across = _band_matrix(column_weights, left, right)
            with np.errstate(invalid="ignore", over="ignore"):
                part = tall[:, start : start + across.shape[1]] @ across.T
            result[top:bottom, left:right] = part.reshape(
                bottom - top, channels, right - left
            ).transpose(0, 2, 1)

    with ThreadPoolExecutor(min(4, cpu_count() or 1)) as pool:
        for _ in pool.map(fill_band, range(0, height, ROWS_PER_BAND)):
            pass
    return result.reshape(height, width, *values.shape[2:])


def _axis_weights(size_in: int, size_out: int) -> Weights:
    return (
        _area_weights(size_in, size_out)
        if size_out <= size_in
        else _linear_weights(size_in, size_out)
    )


def _area_weights(size_in: int, size_out: int) -> Weights:
    weights: Weights = []
    for position in range(size_out):
        # Whole-number arithmetic: the edges of neighbouring cells meet exactly.
        start, end = position * size_in, (position + 1) * size_in
        first, last = start // size_out, -(-end // size_out)
        inner = np.full(last - first, size_out, np.float64)
        inner[0] -= start - first * size_out
        inner[-1] -= last * size_out - end
        weights.append((first, (inner / size_in).astype(np.float32)))
    return weights


def _linear_weights(size_in: int, size_out: int) -> Weights:
    weights: Weights = []
    for position in range(size_out):
        centre = min(max((position + 0.5) * size_in / size_out - 0.5, 0.0), size_in - 1.0)
        first = min(int(centre), max(size_in - 2, 0))
        share = centre - first
        pair = [1 - share, share] if size_in > 1 else [1.0]
        weights.append((first, np.asarray(pair, np.float32)))
    return weights


def _band_matrix(weights: Weights, start: int, stop: int) -> tuple[int, NDArray[np.float32]]:
    first = weights[start][0]
    last = max(begin + len(row) for begin, row in weights[start:stop])
    matrix = np.zeros((stop - start, last - first), np.float32)
    for index, (begin, row) in enumerate(weights[start:stop]):
        matrix[index, begin - first : begin - first + len(row)] = row
    return first, matrix
