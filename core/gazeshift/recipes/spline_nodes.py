"""Few integer nodes whose natural cubic spline follows a given curve, as Photoshop draws it.

Photoshop's Curves are natural cubic splines through at most 14 nodes with integer coordinates
0-255, constant outside the first and the last node. Both the nodes' places and their heights are
fitted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

LEVELS = 256
MOST_NODES = 14

_ALL_LEVELS = np.arange(LEVELS)
# Photoshop's editor does not let nodes come closer than this.
_SMALLEST_GAP = 4
# Rounding to integer nodes alone costs this much; more nodes would not help.
_GOOD_ENOUGH = 0.6
_NODE_COUNTS = (5, 8, MOST_NODES)
_STEPS = (8, 4, 2, 1)
_SWEEPS_PER_STEP = 4
# The search looks at every third level (and both ends); the heights are fitted to all.
_SEARCH_LEVELS = np.arange(0, LEVELS, 3)


def natural_spline(inputs: NDArray[np.integer], outputs: NDArray[np.integer]) -> Floats:
    """Evaluate the curve through nodes on every level.

    Parameters
    ----------
    inputs, outputs
        Shape (n,), n at least 2; inputs ascend.

    Returns
    -------
    Floats
        Shape (256,), limited to 0-255, not rounded.
    """
    basis = _basis(np.asarray(inputs, np.int64)[None])[0]
    return np.asarray(np.clip(basis @ np.asarray(outputs, np.float64), 0, LEVELS - 1))


def fit_nodes(curve: Floats) -> tuple[Places, Places]:
    """Fit the fewest nodes that follow a curve well, at most 14.

    Parameters
    ----------
    curve
        Shape (256,): the output, 0-255, for every input level.

    Returns
    -------
    tuple
        Inputs and outputs of the nodes, integers 0-255, inputs ascending from 0 to 255.
    """
    best: tuple[float, Places, Places] | None = None
    for count in _NODE_COUNTS:
        for places in _first_places(curve, count):
            inputs = _move_places(curve, places)
            outputs = _round_heights(curve, inputs)
            error = np.abs(natural_spline(inputs, outputs) - curve)
            score = _score(error)
            if best is None or score < best[0]:
                best = (score, inputs, outputs)
            if float(error.max()) <= _GOOD_ENOUGH:
                return inputs, outputs
    if best is None:
        raise AssertionError("there is at least one number of nodes")
    return best[1], best[2]


def _score(error: Floats) -> float:
    # The mean decides what is seen, the largest error what a test of the whole chain meets.
    return float(np.mean(error**2) + 0.05 * error.max() ** 2)


def _first_places(curve: Floats, count: int) -> list[Places]:
    """Return two starting points: evenly spread, and dense where the curve bends."""
    even = np.linspace(0, LEVELS - 1, count)
    bend = np.abs(np.diff(curve, 2))
    near = np.convolve(bend, np.ones(9), "same")
    density = np.concatenate([[0.0], np.cumsum(near**0.5 + 0.05 * near.max() ** 0.5 + 1e-9)])
    dense = np.interp(np.linspace(0, density[-1], count), density, np.linspace(0, 255, 255))
    return [_spread(np.rint(places).astype(np.int64)) for places in (even, dense)]


def _spread(places: Places) -> Places:
    """Keep the ends at 0 and 255 and the smallest gap between neighbours."""
    count = len(places)
    spread: Places = places.copy()
    spread[0], spread[-1] = 0, LEVELS - 1
    for k in range(1, count - 1):
        spread[k] = max(spread[k], spread[k - 1] + _SMALLEST_GAP)
    for k in range(count - 2, 0, -1):
        spread[k] = min(spread[k], spread[k + 1] - _SMALLEST_GAP)
    return spread


def _move_places(curve: Floats, places: Places) -> Places:
    """Move nodes, in ever smaller steps, to where the least-squares fit is best."""
    best = float(_residuals(curve, places[None])[0])
    for step in _STEPS:
        for _ in range(_SWEEPS_PER_STEP):
            moved = [
                candidate
                for k in range(1, len(places) - 1)
                for by in (-step, step)
                if (candidate := _moved(places, k, by)) is not None
            ]
            if not moved:
                break
            candidates = np.stack(moved)
            scores = _residuals(curve, candidates)
            # All good moves at once may be too much; the best one alone never is.
            single = candidates[int(np.argmin(scores))]
            trial = np.stack([single, _combined(places, candidates, scores, best)])
            tried = _residuals(curve, trial)
            winner = int(np.argmin(tried))
            if tried[winner] >= best:
                break
            places, best = trial[winner], float(tried[winner])
    return places


def _moved(places: Places, k: int, step: int) -> Places | None:
    moved = places.copy()
    moved[k] += step
    is_apart = moved[k] - moved[k - 1] >= _SMALLEST_GAP and moved[k + 1] - moved[k] >= _SMALLEST_GAP
    return moved if is_apart else None


def _combined(places: Places, candidates: Places, scores: Floats, best: float) -> Places:
    """Return the places with every node's best improving move made."""
    together = places.copy()
    for k in np.argsort(scores)[::-1]:
        if scores[k] < best:
            changed = candidates[k] != places
            together[changed] = candidates[k][changed]
    return _spread(together)


def _residuals(curve: Floats, places: Places) -> Floats:
    """Return the mean squared error of the least-squares heights, for a batch of places."""
    basis = _basis(places, _SEARCH_LEVELS)
    curve = curve[_SEARCH_LEVELS]
    transposed = np.swapaxes(basis, 1, 2)
    heights = np.linalg.solve(transposed @ basis, (transposed @ curve)[..., None])
    error = (basis @ heights)[..., 0] - curve
    return np.asarray(np.mean(error**2, axis=1) + 0.05 * np.max(np.abs(error), axis=1) ** 2)


def _round_heights(curve: Floats, places: Places) -> Places:
    """Round the least-squares heights, then move single ones by 1 while that helps."""
    basis = _basis(places[None])[0]
    heights = np.rint(np.linalg.lstsq(basis, curve, rcond=None)[0])
    heights = np.clip(heights, 0, LEVELS - 1)
    steps = np.concatenate([np.eye(len(places)), -np.eye(len(places))])
    score = np.inf
    while True:
        candidates = np.clip(np.concatenate([heights[None], heights + steps]), 0, LEVELS - 1)
        drawn = np.clip(candidates @ basis.T, 0, LEVELS - 1)
        error = np.abs(drawn - curve)
        scores = np.mean(error**2, axis=1) + 0.05 * error.max(axis=1) ** 2
        first = int(np.argmin(scores))
        if scores[first] >= score:
            return np.asarray(heights, np.int64)
        score, heights = float(scores[first]), candidates[first]


def _basis(places: Places, levels: Places = _ALL_LEVELS) -> Floats:
    """Return the matrix from heights to the curve on given levels, for a batch of places.

    Parameters
    ----------
    places
        Shape (batch, n), ascending.
    levels
        Shape (m,).

    Returns
    -------
    Floats
        Shape (batch, m, n).
    """
    batch, count = places.shape
    x = places.astype(np.float64)
    gaps = np.diff(x, axis=1)
    bends = np.zeros((batch, count, count))
    if count > 2:
        bends[:, 1:-1] = _second_derivatives(gaps, count)
    level = np.clip(levels[None].astype(np.float64), x[:, :1], x[:, -1:])
    k = np.clip((x[:, None, :] <= level[:, :, None]).sum(axis=2) - 1, 0, count - 2)
    row = np.arange(batch)[:, None]
    gap = gaps[row, k]
    b = (level - x[row, k]) / gap
    a = 1.0 - b
    unit = np.eye(count)
    low, high = ((t**3 - t) * gap**2 / 6.0 for t in (a, b))
    return np.asarray(
        a[..., None] * unit[k]
        + b[..., None] * unit[k + 1]
        + low[..., None] * bends[row, k]
        + high[..., None] * bends[row, k + 1]
    )


def _second_derivatives(gaps: Floats, count: int) -> Floats:
    """Return the matrix from heights to inner second derivatives; the outer ones are zero."""
    inner = np.arange(count - 2)
    system = np.zeros((len(gaps), count - 2, count - 2))
    system[:, inner, inner] = (gaps[:, :-1] + gaps[:, 1:]) / 3.0
    system[:, inner[:-1], inner[1:]] = gaps[:, 1:-1] / 6.0
    system[:, inner[1:], inner[:-1]] = gaps[:, 1:-1] / 6.0
    right = np.zeros((len(gaps), count - 2, count))
    right[:, inner, inner] = 1.0 / gaps[:, :-1]
    right[:, inner, inner + 1] = -1.0 / gaps[:, :-1] - 1.0 / gaps[:, 1:]
    right[:, inner, inner + 2] = 1.0 / gaps[:, 1:]
    return np.asarray(np.linalg.solve(system, right))
