"""Saliency increase inside the mask on min-max maps, the paper's Table 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatMap = NDArray[np.floating]


def min_max(attention: FloatMap) -> NDArray[np.float64]:
    """Stretch a map to 0-1; a constant map becomes zero.

    Parameters
    ----------
    attention
        Shape (h, w), any scale.
    """
    values = np.asarray(attention, np.float64)
    span = values.max() - values.min()
    return (values - values.min()) / span if span > 0 else np.zeros_like(values)


def mean_inside(stretched: FloatMap, mask: FloatMap) -> float:
    """Average a map over a mask, weighted by it.

    Parameters
    ----------
    stretched
        Shape (h, w), 0-1.
    mask
        Shape (h, w), 0-1, not empty.
    """
    weights = np.asarray(mask, np.float64)
    return float((np.asarray(stretched, np.float64) * weights).sum() / weights.sum())


def absolute_increase(before: FloatMap, after: FloatMap, mask: FloatMap) -> float:
    """Mean saliency inside the mask after minus before, -1 to 1.

    Parameters
    ----------
    before, after
        Attention maps, shape (h, w), any scale; each is stretched to 0-1 on its own.
    mask
        Shape (h, w), 0-1, not empty.
    """
    return mean_inside(min_max(after), mask) - mean_inside(min_max(before), mask)


def relative_increase(before: FloatMap, after: FloatMap, mask: FloatMap) -> float:
    """Increase of mean saliency inside the mask over its mean before.

    Grows without bound where the region was almost unseen; report the median beside the mean.

    Parameters
    ----------
    before, after
        Attention maps, shape (h, w), any scale; each is stretched to 0-1 on its own.
    mask
        Shape (h, w), 0-1, not empty.

    Returns
    -------
    float
        0 is no change, 1 is twice as much; NaN when there was no saliency before.
    """
    start = mean_inside(min_max(before), mask)
    if start <= 0:
        return float("nan")
    return absolute_increase(before, after, mask) / start
