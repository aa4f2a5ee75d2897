"""The wide Gaussian of sharpening, fast: reduce, blur the small copy, expand.

A Gaussian of many pixels holds no fine detail, so it is computed on a grid of every `stride`-th
pixel. Reducing and expanding both use a quintic B-spline, and the small copy's weights are the
least-squares solution that makes all three together equal the Gaussian of the reference. With at
least 2.5 small pixels per standard deviation the joint kernel misses the reference's by less than
1e-5 of the picture's range in the worst case (the sum of the absolute differences of its taps) and
by about 1e-6 on white noise; see `kernel_error`. Narrow Gaussians are computed directly.

The small copy never has more than about 1300 pixels along the diagonal (2500 when the stride is
2), so memory does not grow with the picture.

Planes are float32 in linear light, shape (3, rows, columns).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gazeshift.operators.arrays import gaussian_weights
from gazeshift.operators.sharpening import sigma_for

Planes = NDArray[np.float32]

MIN_SMALL_SIGMA = 2.5
"""Standard deviation on the small grid, in its pixels, below which accuracy would suffer."""

MARGIN = 3
"""Small pixels beyond each border until only the repeated edge pixel is seen."""

_DEGREE = 5


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
    """Quintic B-spline at the full grid's distances, odd length, sum = stride."""

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

    def phases(self) -> NDArray[np.float32]:
        """Return the expansion's taps.

        Returns
        -------
        NDArray[np.float32]
            Shape (stride, 6): a full-size pixel at `stride * j + phase` is the sum of tap t times
            the small pixel at grid index `j + 1 + t` (margin included).
        """
        taps = np.zeros((self.stride, _DEGREE + 1))
        half = len(self.spline) // 2
        for phase in range(self.stride):
            for tap in range(_DEGREE + 1):
                distance = phase - self.stride * (tap - 2)
                if abs(distance) <= half:
                    taps[phase, tap] = self.spline[distance + half]
        return taps.astype(np.float32)

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
def plan_blur(height: int, width: int) -> BlurPlan:
    """Choose the grid and the weights for a picture's sharpening blur."""
    sigma_px = sigma_for(height, width)
    stride = max(1, math.floor(sigma_px / MIN_SMALL_SIGMA))
    if stride == 1:
        weights = np.asarray(gaussian_weights(sigma_px))
        return BlurPlan(height, width, sigma_px, 1, weights, np.ones(1))
    spline = _quintic(np.arange(-3 * stride + 1, 3 * stride) / stride)
    return BlurPlan(height, width, sigma_px, stride, _fit(sigma_px, stride, spline), spline)


def kernel_error(plan: BlurPlan) -> float:
    """Return the worst-case error of the plan against the reference's Gaussian, along one axis.

    It is the largest sum, over the positions on the grid, of the absolute differences of all taps:
    no picture with values in 0-1 can be off by more, rounding aside.
    """
    if plan.stride == 1:
        return 0.0
    reach = len(plan.spline) // 2
    span = plan.stride * (plan.radius + 4) + reach
    target = np.asarray(gaussian_weights(plan.sigma_px))
    worst = 0.0
    for phase in range(plan.stride):
        joint = np.zeros(2 * span + 1)
        for j in range(-2, 4):
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


def empty_small(plan: BlurPlan) -> Planes:
    """Return the uninitialised small copy, shape (3, small rows, small columns)."""
    return np.empty((3, plan.small_height, plan.small_width), np.float32)


def reduce_rows(plan: BlurPlan, linear: Planes, small: Planes, first: int, last: int) -> None:
    """Compute small rows `first` to `last` (excluded).

    Parameters
    ----------
    plan
        The blur; its stride is above 1.
    linear
        Shape (3, n, W), the rows `plan.rows_of(first, last)`, with edge rows repeated.
    small
        Written.
    first, last
        Small rows.
    """
    taps = (plan.spline / plan.stride).astype(np.float32)
    reach, stride, width = len(taps) // 2, plan.stride, plan.width
    left = stride * MARGIN + reach
    right = stride * (plan.small_width - 1 - MARGIN) + reach + 1 - width
    thin = np.empty((last - first, left + width + right), np.float32)
    inner = thin[:, left : left + width]
    for channel in range(3):
        _gather(linear[channel], taps, stride, inner)
        thin[:, :left] = inner[:, :1]
        thin[:, left + width :] = inner[:, -1:]
        _gather(thin.T, taps, stride, small[channel, first:last].T)


def blur_small(plan: BlurPlan, small: Planes) -> None:
    """Blur planes of the small copy in place; outside them the edge pixel repeats."""
    weights = plan.weights.astype(np.float32)
    for plane in small:
        _convolve(plane, weights, plane)
        _convolve(plane.T, weights, plane.T)


def expand_rows(plan: BlurPlan, small: Planes, top: int, bottom: int) -> Planes:
    """Return full-size blurred rows `top` to `bottom` (excluded), shape (3, rows, W)."""
    stride, phases = plan.stride, plan.phases()
    first, last = top // stride, (bottom - 1) // stride + 1
    blocks = (plan.width - 1) // stride + 1
    wide = np.empty((last - first + _DEGREE, blocks * stride), np.float32)
    out = np.empty((3, (last - first) * stride, plan.width), np.float32)
    for channel in range(3):
        source = small[channel, first + 1 : last + 1 + _DEGREE]
        for phase, taps in enumerate(phases):
            _weigh(
                [source[:, t + 1 : t + 1 + blocks] for t in range(6)], taps, wide[:, phase::stride]
            )
        columns = wide[:, : plan.width]
        for phase, taps in enumerate(phases):
            rows = [columns[t : t + last - first] for t in range(6)]
            _weigh(rows, taps, out[channel, phase::stride])
    return out[:, top - first * stride : bottom - first * stride]


def blur_directly(plan: BlurPlan, linear: Planes) -> Planes:
    """Blur full-size rows.

    Parameters
    ----------
    plan
        The blur; its stride is 1.
    linear
        Shape (3, n, W): the wanted rows and `plan.radius` more on each side, edge rows repeated.

    Returns
    -------
    Planes
        Shape (3, n - 2 radius, W).
    """
    weights, radius = plan.weights.astype(np.float32), plan.radius
    rows = linear.shape[1] - 2 * radius
    out = np.empty((3, rows, plan.width), np.float32)
    for channel in range(3):
        _fold(linear[channel], weights, out[channel])
        padded = np.pad(out[channel], ((0, 0), (radius, radius)), mode="edge")
        _fold(padded.T, weights, out[channel].T)
    return out


def _quintic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
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


def _gather(rows: Planes, taps: NDArray[np.float32], stride: int, out: Planes) -> None:
    """Write `out[i] = sum_k taps[k] rows[stride i + k]`, in column blocks that stay in cache."""
    count, width = out.shape
    for left in range(0, width, 1024):
        block = rows[:, left : left + 1024]
        pieces = [block[k : k + stride * (count - 1) + 1 : stride] for k in range(len(taps))]
        _weigh(pieces, taps, out[:, left : left + 1024])


def _weigh(pieces: list[Planes], weights: NDArray[np.float32], out: Planes) -> None:
    np.multiply(pieces[0], weights[0], out=out)
    term = np.empty_like(out)
    for piece, weight in zip(pieces[1:], weights[1:], strict=True):
        np.multiply(piece, weight, out=term)
        out += term


def _convolve(values: Planes, weights: NDArray[np.float32], out: Planes) -> None:
    """Filter along the rows' axis with repeated edges; `out` may be `values`."""
    radius = len(weights) // 2
    for left in range(0, values.shape[1], 512):
        block = values[:, left : left + 512]
        padded = np.pad(block, ((radius, radius), (0, 0)), mode="edge")
        _fold(padded, weights, out[:, left : left + 512])


def _fold(padded: Planes, weights: NDArray[np.float32], out: Planes) -> None:
    """Filter `padded` along its first axis with symmetric weights."""
    count, radius = out.shape[0], len(weights) // 2
    np.multiply(padded[radius : radius + count], weights[radius], out=out)
    term = np.empty_like(out)
    for k in range(radius):
        np.add(padded[k : k + count], padded[2 * radius - k : 2 * radius - k + count], out=term)
        term *= weights[k]
        out += term
