"""Likeness of an attention map to the mask: linear correlation and weighted F-beta."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d, distance_transform_edt

from gazeshift_training.attention.metrics import correlation

FloatMap = NDArray[np.floating]

_KERNEL_SIDE_PX = 7
_KERNEL_SIGMA_PX = 5.0
_HALVING_DISTANCE_PX = 5.0

__all__ = ["correlation", "weighted_f_beta"]


def _kernel_line() -> NDArray[np.float64]:
    offsets = np.arange(_KERNEL_SIDE_PX) - _KERNEL_SIDE_PX // 2
    line = np.exp(-0.5 * (offsets / _KERNEL_SIGMA_PX) ** 2)
    return np.asarray(line / line.sum(), np.float64)


def weighted_f_beta(
    prediction: FloatMap, mask: NDArray[np.bool_], beta_squared: float = 1
) -> float:
    """Compare a map with a binary mask, weighing errors by their place.

    An error outside counts up to twice, the farther from the mask the more; an error inside is
    forgiven where its surroundings (a 7 x 7 Gaussian of sigma 5) are right.

    Parameters
    ----------
    prediction
        Shape (H, W), 0-1.
    mask
        Shape (H, W), the region.
    beta_squared
        Weight of recall against precision.

    Returns
    -------
    float
        0-1; 1 is equal to the mask. An empty mask gives 0.

    References
    ----------
    Margolin, Zelnik-Manor, Tal (2014), "How to evaluate foreground maps?".
    """
    inside = np.asarray(mask, bool)
    if not inside.any():
        return 0.0
    error = np.abs(np.asarray(prediction, np.float64) - inside)
    distance, nearest = distance_transform_edt(~inside, return_indices=True)
    # Outside, the blur shall see the error of the nearest pixel inside, not the background's.
    blurred = error[nearest[0], nearest[1]]
    for axis in (0, 1):
        blurred = correlate1d(blurred, _kernel_line(), axis=axis, mode="constant")
    weighted_inside = np.minimum(error, blurred)[inside]
    importance = 2.0 - 0.5 ** (distance[~inside] / _HALVING_DISTANCE_PX)
    false_positive = float((error[~inside] * importance).sum())
    true_positive = float(inside.sum() - weighted_inside.sum())
    recall = 1.0 - float(weighted_inside.mean())
    found = true_positive + false_positive
    precision = true_positive / found if found > 0 else 0.0
    both = recall + beta_squared * precision
    return (1.0 + beta_squared) * recall * precision / both if both > 0 else 0.0
