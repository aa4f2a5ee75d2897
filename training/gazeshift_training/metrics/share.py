"""Attention share: which part of all attention falls on the selection, before and after."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gazeshift.edit import Direction

FloatMap = NDArray[np.floating]


def attention_share(attention: FloatMap, mask: FloatMap) -> float:
    """Part of all attention that falls into a mask.

    Parameters
    ----------
    attention
        Shape (h, w), not negative, any sum.
    mask
        Shape (h, w), 0-1; reduce it to the map's grid by area first.

    Returns
    -------
    float
        0-1.
    """
    values = np.asarray(attention, np.float64)
    return float((values * mask).sum() / values.sum())


def ratio_of_means(before: Sequence[float], after: Sequence[float]) -> float:
    """Mean share after over mean share before; 1 is no change.

    Parameters
    ----------
    before, after
        One share per photo, in the same order.
    """
    return float(np.mean(after) / np.mean(before))


def median_ratio(before: Sequence[float], after: Sequence[float]) -> float:
    """Median over photos of share after over share before; 1 is no change."""
    first, second = np.asarray(before, np.float64), np.asarray(after, np.float64)
    known = first > 0
    return float(np.median(second[known] / first[known])) if known.any() else float("nan")


def part_moved(
    before: Sequence[float], after: Sequence[float], direction: Direction = "attract"
) -> float:
    """Part of the photos whose share moved the wanted way; no change counts as not moved.

    Parameters
    ----------
    before, after
        One share per photo, in the same order.
    direction
        `attract` wants more, `divert` wants less.
    """
    change = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    return float(np.mean(change > 0 if direction == "attract" else change < 0))


def log_gain(before: float, after: float, direction: Direction = "attract") -> float:
    """Logarithm of the change of share, positive when it moved the wanted way.

    Parameters
    ----------
    before, after
        Shares of one photo, positive.
    direction
        `attract` counts a rise as gain, `divert` a fall.

    Returns
    -------
    float
        Natural logarithm; NaN when a share is zero.
    """
    if before <= 0 or after <= 0:
        return float("nan")
    change = float(np.log(after / before))
    return change if direction == "attract" else -change
