"""Straight pieces that stand in for a curve, within a stated error.

Where a curve bends sharply or is steep, equally spaced entries miss it or are far too many. So the
pieces here are narrower where the curve needs it, and meet at its knots.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From positions in 0-1, shape (n,), to values, shape (channels, n)."""

CELLS = 4096
"""Equally wide cells that the pieces are found by; a power of two, so that their borders are exact
numbers."""

_SPLITS = 16
_ROUNDS = 6
_NEAREST = 1e-9


@dataclass(frozen=True)
class Polyline:
    """Straight pieces, and where to find them."""

    uppers: NDArray[np.float64]
    """Where each piece ends, shape (n,), rising; infinite for the last."""
    lines: NDArray[np.float64]
    """Value at position 0 and slope of each piece, shape (channels, n, 2)."""
    cells: NDArray[np.int32]
    """The piece at each cell's lower border, shape (`CELLS`,)."""

    def at(self, positions: NDArray[np.float64]) -> NDArray[np.float64]:
        """Evaluate the pieces, as the native kernel does.

        Parameters
        ----------
        positions
            Shape (n,), 0-1.

        Returns
        -------
        NDArray[np.float64]
            Shape (channels, n).
        """
        piece = np.searchsorted(self.uppers, positions, side="right")
        values: NDArray[np.float64] = self.lines[:, piece, 0] + self.lines[:, piece, 1] * positions
        return values


def fit_polyline(curve: Curve, tolerance: float) -> Polyline:
    """Cover a curve with straight pieces.

    Every cell whose middle misses the curve is looked at closely: it gets one more knot where two
    straight pieces are all it needs, else it is split, again and again.

    Parameters
    ----------
    curve
        The curve; it may have any number of knots.
    tolerance
        Largest error, in the curve's unit. It is kept at the places that are tried: the middle of
        every piece, and 15 places within those that bend. Two knots nearer to each other than a
        cell is wide may hide behind one another and be missed by more.
    """
    grid = np.linspace(0.0, 1.0, 2 * CELLS + 1)
    values = curve(grid)
    knots = [grid[::2]]
    # A knot near a cell's border shows in its middle by half of what it misses.
    bent = np.flatnonzero(_bends(values, tolerance))
    lefts, width = grid[::2][bent], 1.0 / CELLS
    for _ in range(_ROUNDS):
        if not lefts.size:
            break
        places = lefts[:, None] + np.linspace(0.0, width, 2 * _SPLITS + 1)
        values = curve(places.ravel()).reshape(-1, *places.shape)
        knot = _meeting(places, values)
        heights = curve(knot)
        is_enough = _is_two_lines(places, values, knot, heights, tolerance)
        # A knot in the outermost steps bends the very lines that it was found by.
        margin = 1.5 * (places[:, 1] - places[:, 0])
        is_enough &= (knot - places[:, 0] > margin) & (places[:, -1] - knot > margin)
        is_far = np.minimum(knot - places[:, 0], places[:, -1] - knot) > _NEAREST
        knots.append(knot[is_enough & is_far])
        places, values = places[~is_enough], values[:, ~is_enough]
        knots.append(places[:, 2:-1:2].ravel())
        row, split = np.nonzero(_bends(values, tolerance))
        lefts, width = places[row, 2 * split], width / _SPLITS
    nodes = np.unique(np.concatenate(knots))
    values = curve(nodes)
    slopes = np.diff(values) / np.diff(nodes)
    lines = np.stack([values[:, :-1] - slopes * nodes[:-1], slopes], axis=-1)
    uppers = nodes[1:].copy()
    uppers[-1] = np.inf
    borders = np.arange(CELLS) / CELLS
    cells = (np.searchsorted(nodes, borders, side="right") - 1).astype(np.int32)
    return Polyline(uppers, lines, cells)


def _bends(values: NDArray[np.float64], tolerance: float) -> NDArray[np.bool_]:
    """Tell where the middle (odd entries of the last axis) misses the line of its neighbours."""
    even, odd = values[..., ::2], values[..., 1::2]
    missed: NDArray[np.float64] = np.abs(odd - 0.5 * (even[..., :-1] + even[..., 1:]))
    bends: NDArray[np.bool_] = missed.max(axis=0) > 0.5 * tolerance
    return bends


def _meeting(places: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where the lines through each stretch's ends meet; the sharpest channel decides."""
    step = places[:, 1] - places[:, 0]
    first = (values[..., 1] - values[..., 0]) / step
    last = (values[..., -1] - values[..., -2]) / step
    channel = np.argmax(np.abs(last - first), axis=0)
    rows = np.arange(places.shape[0])
    a, b = first[channel, rows], last[channel, rows]
    rise = values[channel, rows, -1] - values[channel, rows, 0]
    span = places[:, -1] - places[:, 0]
    bend = np.where(a == b, 1.0, b - a)
    share = np.where(a == b, 0.5 * span, (b * span - rise) / bend)
    knot: NDArray[np.float64] = places[:, 0] + np.clip(share, 0.0, span)
    return knot


def _is_two_lines(
    places: NDArray[np.float64],
    values: NDArray[np.float64],
    knot: NDArray[np.float64],
    heights: NDArray[np.float64],
    tolerance: float,
) -> NDArray[np.bool_]:
    """Tell which stretches are a line up to `knot` and a line behind it."""
    left, right, tiny = places[:, :1], places[:, -1:], 1e-300
    before = (places - left) / np.maximum(knot[:, None] - left, tiny)
    behind = (places - knot[:, None]) / np.maximum(right - knot[:, None], tiny)
    start, end, middle = values[..., :1], values[..., -1:], heights[..., None]
    model = np.where(
        places <= knot[:, None],
        start + np.minimum(before, 1.0) * (middle - start),
        middle + np.clip(behind, 0.0, 1.0) * (end - middle),
    )
    missed: NDArray[np.float64] = np.abs(model - values).max(axis=(0, 2))
    is_enough: NDArray[np.bool_] = missed <= tolerance
    return is_enough
