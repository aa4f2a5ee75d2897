"""The render kernel's algorithm in numba, as a peer of the native kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from benchmarks.subjects import Subject
from gazeshift.blur import MARGIN, empty_small, plan_blur

_FAST = {"parallel": True, "fastmath": True, "nogil": True, "cache": False}


@numba.njit(**_FAST)
def _reduce(pixels: Any, linear: Any, taps: Any, stride: int, small: Any) -> None:
    height, width = pixels.shape[0], pixels.shape[1]
    reach = len(taps) // 2
    for row in numba.prange(small.shape[1]):
        sums = np.zeros((3, width), np.float32)
        for k in range(len(taps)):
            y = min(max(stride * (row - MARGIN) - reach + k, 0), height - 1)
            weight = taps[k]
            for x in range(width):
                for c in range(3):
                    sums[c, x] += weight * linear[pixels[y, x, c]]
        for column in range(small.shape[2]):
            start = stride * (column - MARGIN) - reach
            for c in range(3):
                total = np.float32(0.0)
                for k in range(len(taps)):
                    total += taps[k] * sums[c, min(max(start + k, 0), width - 1)]
                small[c, row, column] = total


@numba.njit(**_FAST)
def _blur(small: Any, weights: Any, is_down: bool, out: Any) -> None:
    radius = len(weights) // 2
    rows, columns = small.shape[1], small.shape[2]
    for row in numba.prange(rows):
        for c in range(3):
            for column in range(columns):
                total = np.float32(0.0)
                for k in range(len(weights)):
                    if is_down:
                        y = min(max(row + k - radius, 0), rows - 1)
                        total += weights[k] * small[c, y, column]
                    else:
                        x = min(max(column + k - radius, 0), columns - 1)
                        total += weights[k] * small[c, row, x]
                out[c, row, column] = total


@numba.njit(**_FAST)
def _draw(
    pixels: Any,
    mask: Any,
    linear: Any,
    small: Any,
    phases: Any,
    amounts: Any,
    tables: Any,
    out: Any,
) -> None:
    height, width = mask.shape
    stride = len(phases)
    steps = np.float32(tables.shape[2] - 1)
    for y in numba.prange(height):
        tall = np.empty((3, small.shape[2]), np.float32)
        row, phase = y // stride, y % stride
        for c in range(3):
            for x in range(small.shape[2]):
                total = np.float32(0.0)
                for t in range(phases.shape[1]):
                    total += phases[phase, t] * small[c, row + 1 + t, x]
                tall[c, x] = total
        for x in range(width):
            weight = mask[y, x]
            column, across = x // stride, x % stride
            for c in range(3):
                blurred = np.float32(0.0)
                for t in range(phases.shape[1]):
                    blurred += phases[across, t] * tall[c, column + 1 + t]
                light = linear[pixels[y, x, c]]
                mixed = np.float32(0.0)
                for region in range(2):
                    share = weight if region == 0 else np.float32(1.0) - weight
                    if share > 0.0:
                        value = light + amounts[region] * (light - blurred)
                        value = min(max(value, np.float32(0.0)), np.float32(1.0))
                        index = int(np.sqrt(value) * steps + np.float32(0.5))
                        mixed += share * tables[region, c, index]
                out[y, x, c] = np.uint8(mixed + np.float32(0.5))


def renderer(
    subject: Subject,
    tables: list[NDArray[np.float32]],
    amounts: list[float],
    linear: NDArray[np.float32],
    threads: int,
) -> Callable[[], object]:
    """Return a function that renders an 8-bit subject whose blur goes through the small copy."""
    plan = plan_blur(*subject.mask.shape, subject.pixels.dtype)
    if plan.stride == 1:
        raise ImportError("the numba loops have no narrow blur")
    numba.set_num_threads(threads)
    both, strengths = np.stack(tables), np.asarray(amounts, np.float32)
    taps = (plan.spline / plan.stride).astype(np.float32)
    weights, phases = plan.weights.astype(np.float32), plan.phases().astype(np.float32)
    out = np.empty_like(subject.pixels)

    def run() -> NDArray[Any]:
        small, other = (empty_small(plan, subject.pixels.dtype) for _ in range(2))
        _reduce(subject.pixels, linear, taps, plan.stride, small)
        _blur(small, weights, True, other)
        _blur(other, weights, False, small)
        _draw(subject.pixels, subject.mask, linear, small, phases, strengths, both, out)
        return out

    return run
