"""The wide Gaussian of sharpening, fast: reduce, blur the small copy, expand.

A Gaussian of many pixels holds no fine detail, so it is computed on a grid of every `stride`-th
pixel. Reducing and expanding both use a B-spline of degree 7, and the small copy's weights are the
least-squares solution that makes all three together equal the Gaussian of the reference. Pictures
of 8 bits get at least 1.8 small pixels per standard deviation: the joint kernel then misses the
reference's by less than 7e-6 of the picture's range in the worst case (the sum of the absolute
differences of its taps); see `kernel_error`. Deeper pictures get at least 2.5: less than 1e-6, and
about 1e-8 on white noise. What is left stems from the reference's own cut at five standard
deviations. Narrow Gaussians are computed directly.

The small copy never has more than about 1900 pixels along the diagonal, so memory does not grow
with the picture.

Planes have the shape (3, rows, columns) and hold linear light: float32 for pictures of 8 bits, else
float64, as steep curves behind the sharpening would show float32's rounding. The small copy takes
four bytes a value in both cases: float32, or int32 in units of 2^-30.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.operators.arrays import gaussian_weights
from gazeshift.operators.sharpening import sigma_for

Planes = NDArray[Any]
"""Linear light: float32 or float64, shape (3, rows, columns)."""

FIXED_ONE = 2.0**30
"""What the small copy of a deep picture holds for 1."""

MIN_SMALL_SIGMA = 2.5
"""Standard deviation on the small grid, in its pixels, below which accuracy would suffer."""

MIN_SMALL_SIGMA_8_BITS = 1.8
"""The same for pictures of 8 bits, whose codes are too coarse to show as much."""

MARGIN = 4
"""Small pixels beyond each border until only the repeated edge pixel is seen."""

_DEGREE = 7
_TAPS = _DEGREE + 1
_LINES = 64
_BLOCK_PIXELS = 1024


@dataclass(frozen=True)
class BlurPlan:
    """How one picture is blurred."""

    height: int
    width: int
    sigma_px: float
    stride: int
    """Full-size pixels per small pixel; 1 means the direct computation."""
    weights: NDArray[np.float64] = field(repr=False)
    """Taps of the blur on the small grid, odd length, symmetric, sum 1."""
    spline: NDArray[np.float64] = field(repr=False)
    """B-spline at the full grid's distances, odd length, sum = stride."""

    @property
    def small_height(self) -> int:
        """Rows of the small copy, margins included."""
        return small_length(self.height, self.stride)

    @property
    def small_width(self) -> int:
        """Columns of the small copy, margins included."""
        return small_length(self.width, self.stride)

    @property
    def radius(self) -> int:
        """Reach of `weights` to each side, in small pixels."""
        return len(self.weights) // 2

    def phases(self) -> NDArray[np.float64]:
        """Return the expansion's taps.

        Returns
        -------
        NDArray[np.float64]
            Shape (stride, 8): a full-size pixel at `stride * j + phase` is the sum of tap t times
            the small pixel at grid index `j + 1 + t` (margin included).
        """
        return self._phases

    @cached_property
    def _phases(self) -> NDArray[np.float64]:
        taps = np.zeros((self.stride, _TAPS))
        half = len(self.spline) // 2
        for phase in range(self.stride):
            for tap in range(_TAPS):
                distance = phase - self.stride * (tap - MARGIN + 1)
                if abs(distance) <= half:
                    taps[phase, tap] = self.spline[distance + half]
        return taps

    def rows_of(self, first: int, last: int) -> tuple[int, int]:
        """Return the full-size rows that the small rows `first` to `last` (excluded) need."""
        reach = len(self.spline) // 2
        top = self.stride * (first - MARGIN) - reach
        bottom = self.stride * (last - 1 - MARGIN) + reach + 1
        return top, bottom


def small_length(length: int, stride: int) -> int:
    """Return how many small pixels cover `length` pixels, margins included."""
    return (length - 1) // stride + 2 * MARGIN + 2


@lru_cache(maxsize=8)
def plan_blur(height: int, width: int, dtype: np.dtype[Any]) -> BlurPlan:
    """Choose the grid and the weights for the sharpening blur of pixels of `dtype`."""
    sigma_px = sigma_for(height, width)
    least = MIN_SMALL_SIGMA_8_BITS if dtype == np.uint8 else MIN_SMALL_SIGMA
    stride = max(1, math.floor(sigma_px / least))
    if stride == 1:
        weights = np.asarray(gaussian_weights(sigma_px))
        return BlurPlan(height, width, sigma_px, 1, weights, np.ones(1))
    spline = _b_spline(np.arange(-MARGIN * stride + 1, MARGIN * stride) / stride)
    return BlurPlan(height, width, sigma_px, stride, _fit(sigma_px, stride, spline), spline)


def kernel_error(plan: BlurPlan) -> float:
    """Return the worst-case error of the plan against the reference's Gaussian, along one axis.

    It is the largest sum, over the positions on the grid, of the absolute differences of all taps:
    no picture with values in 0-1 can be off by more, rounding aside.
    """
    if plan.stride == 1:
        return 0.0
    reach = len(plan.spline) // 2
    span = plan.stride * (plan.radius + MARGIN + 1) + reach
    target = np.asarray(gaussian_weights(plan.sigma_px))
    worst = 0.0
    for phase in range(plan.stride):
        joint = np.zeros(2 * span + 1)
        for j in range(1 - MARGIN, MARGIN + 1):
            distance = phase - plan.stride * j
            if abs(distance) > reach:
                continue
            for i, weight in enumerate(plan.weights):
                centre = span + plan.stride * (j + i - plan.radius)
                piece = plan.spline * (plan.spline[distance + reach] * weight / plan.stride)
                joint[centre - reach : centre + reach + 1] += piece
        centre, half = span + phase, len(target) // 2
        joint[centre - half : centre + half + 1] -= target
        worst = max(worst, float(np.abs(joint).sum()))
    return worst


def precision_of(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the numbers that linear light is computed in for pixels of `dtype`."""
    return np.dtype(np.float32 if dtype == np.uint8 else np.float64)


def empty_small(plan: BlurPlan, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the uninitialised small copy for pixels of `dtype`.

    Returns
    -------
    NDArray[Any]
        Shape (3, small rows, small columns); float32 for uint8, else int32.
    """
    kind = np.float32 if dtype == np.uint8 else np.int32
    return np.empty((3, plan.small_height, plan.small_width), kind)


def reduce_rows(
    plan: BlurPlan,
    linear: Callable[[int, tuple[int, int], tuple[int, int]], Planes],
    small: NDArray[Any],
    first: int,
    last: int,
) -> None:
    """Compute small rows `first` to `last` (excluded), a block at a time.

    Parameters
    ----------
    plan
        The blur; its stride is above 1.
    linear
        Given a channel and the first and last (excluded) row and column, returns linear light,
        shape (rows, columns); beyond the picture the edge pixel repeats.
    small
        Written.
    first, last
        Small rows.
    """
    stride, reach = plan.stride, len(plan.spline) // 2
    step = max(8, _BLOCK_PIXELS // stride)
    few = max(4, _BLOCK_PIXELS // 8 // stride)
    for top in range(first, last, few):
        bottom = min(top + few, last)
        rows = plan.rows_of(top, bottom)
        for left in range(0, plan.small_width, step):
            right = min(left + step, plan.small_width)
            columns = stride * (left - MARGIN) - reach, stride * (right - 1 - MARGIN) + reach + 1
            for channel in range(3):
                wide = linear(channel, rows, columns)
                taps = (plan.spline / stride).astype(wide.dtype)
                thin = np.empty((bottom - top, wide.shape[1]), wide.dtype)
                _gather(wide, taps, stride, thin)
                block = np.empty((bottom - top, right - left), wide.dtype)
                _gather(thin.T, taps, stride, block.T)
                _keep(block, small[channel, top:bottom, left:right])


def blur_small(plan: BlurPlan, small: NDArray[Any]) -> None:
    """Blur planes of the small copy in place; outside them the edge pixel repeats."""
    for plane in small:
        _convolve(plan, plane)
        _convolve(plan, plane.T)


def expand(
    plan: BlurPlan, small: NDArray[Any], rows: tuple[int, int], columns: tuple[int, int]
) -> Planes:
    """Return a window of the blurred picture.

    Parameters
    ----------
    plan
        The blur; its stride is above 1.
    small
        The blurred small copy.
    rows, columns
        First and last (excluded) of the window.

    Returns
    -------
    Planes
        Shape (3, rows, columns).
    """
    stride = plan.stride
    top, bottom = rows[0] // stride, (rows[1] - 1) // stride + 1
    left, right = columns[0] // stride, (columns[1] - 1) // stride + 1
    dtype = _wide_dtype(small)
    phases = plan.phases().astype(dtype)
    wide = np.empty((bottom - top + _DEGREE, (right - left) * stride), dtype)
    out = np.empty((3, (bottom - top) * stride, columns[1] - columns[0]), dtype)
    for channel in range(3):
        source = _widened(
            small[channel, top + 1 : bottom + 1 + _DEGREE, left + 1 : right + 1 + _DEGREE]
        )
        for phase, taps in enumerate(phases):
            pieces = [source[:, t : t + right - left] for t in range(_TAPS)]
            _weigh(pieces, taps, wide[:, phase::stride])
        inner = wide[:, columns[0] - left * stride : columns[1] - left * stride]
        for phase, taps in enumerate(phases):
            pieces = [inner[t : t + bottom - top] for t in range(_TAPS)]
            _weigh(pieces, taps, out[channel, phase::stride])
    return out[:, rows[0] - top * stride : rows[1] - top * stride]


def blur_directly(plan: BlurPlan, linear: Planes) -> Planes:
    """Blur a full-size window.

    Parameters
    ----------
    plan
        The blur; its stride is 1.
    linear
        Shape (3, n, m): the wanted window and `plan.radius` more on each side, edges repeated.

    Returns
    -------
    Planes
        Shape (3, n - 2 radius, m - 2 radius).
    """
    weights, radius = plan.weights.astype(linear.dtype), plan.radius
    rows, columns = linear.shape[1] - 2 * radius, linear.shape[2] - 2 * radius
    out = np.empty((3, rows, columns), linear.dtype)
    tall = np.empty((rows, linear.shape[2]), linear.dtype)
    for channel in range(3):
        _fold(linear[channel], weights, tall)
        _fold(tall.T, weights, out[channel].T)
    return out


def _b_spline(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    total = np.zeros_like(distance)
    for k in range(_DEGREE + 2):
        sign = (-1.0) ** k * math.comb(_DEGREE + 1, k)
        total += sign * np.clip(distance + (_DEGREE + 1) / 2 - k, 0.0, None) ** _DEGREE
    spline: NDArray[np.float64] = total / math.factorial(_DEGREE)
    return spline


def _fit(sigma_px: float, stride: int, spline: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the small grid's weights that bring the joint kernel closest to the Gaussian."""
    target = np.asarray(gaussian_weights(sigma_px))
    pair = np.convolve(spline, spline) / stride**2
    radius = (len(target) // 2) // stride + 2
    half = radius * stride + len(pair) // 2
    columns = np.zeros((2 * half + 1, radius + 1))
    for j in range(radius + 1):
        for side in {j, -j}:
            start = half + side * stride - len(pair) // 2
            columns[start : start + len(pair), j] += pair
    goal = np.zeros(2 * half + 1)
    goal[half - len(target) // 2 : half + len(target) // 2 + 1] = target
    one_side = np.linalg.lstsq(columns, goal, rcond=None)[0]
    both: NDArray[np.float64] = np.concatenate([one_side[:0:-1], one_side])
    # Exactly one, so that flat areas stay what they are.
    weights: NDArray[np.float64] = both / both.sum()
    return weights


def _wide_dtype(small: NDArray[Any]) -> np.dtype[Any]:
    return np.dtype(np.float32 if small.dtype == np.float32 else np.float64)


def _widened(small: NDArray[Any]) -> NDArray[Any]:
    return small if small.dtype == np.float32 else small * (1.0 / FIXED_ONE)


def _keep(values: NDArray[Any], small: NDArray[Any]) -> None:
    small[...] = values if small.dtype == np.float32 else np.rint(values * FIXED_ONE)


def _gather(rows: Planes, taps: NDArray[Any], stride: int, out: Planes) -> None:
    """Write `out[i] = sum_k taps[k] rows[stride i + k]`."""
    last = stride * (out.shape[0] - 1) + 1
    _weigh([rows[k : k + last : stride] for k in range(len(taps))], taps, out)


def _weigh(pieces: list[Planes], weights: NDArray[Any], out: Planes) -> None:
    np.multiply(pieces[0], weights[0], out=out)
    term = np.empty_like(out)
    for piece, weight in zip(pieces[1:], weights[1:], strict=True):
        np.multiply(piece, weight, out=term)
        out += term


def _convolve(plan: BlurPlan, plane: NDArray[Any]) -> None:
    """Filter a plane of the small copy along its first axis in place, with repeated edges."""
    radius, weights = plan.radius, plan.weights.astype(_wide_dtype(plane))
    for left in range(0, plane.shape[1], _LINES):
        block = plane[:, left : left + _LINES]
        padded = np.pad(_widened(block), ((radius, radius), (0, 0)), mode="edge")
        sums = np.empty(block.shape, padded.dtype)
        _fold(padded, weights, sums)
        _keep(sums, block)


def _fold(padded: Planes, weights: NDArray[Any], out: Planes) -> None:
    """Filter `padded` along its first axis with symmetric weights."""
    count, radius = out.shape[0], len(weights) // 2
    np.multiply(padded[radius : radius + count], weights[radius], out=out)
    term = np.empty_like(out)
    for k in range(radius):
        np.add(padded[k : k + count], padded[2 * radius - k : 2 * radius - k + count], out=term)
        term *= weights[k]
        out += term
