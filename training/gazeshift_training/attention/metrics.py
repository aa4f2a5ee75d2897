"""How well an attention map agrees with people: NSS, CC, KL and AUC-Judd, as pure functions.

Definitions follow Bylinskii et al. (2019), "What do different evaluation metrics tell us about
saliency models?". Maps are (H, W); fixations are counts per pixel of the same shape.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatMap = NDArray[np.floating]

_EPSILON = 1e-12


def normalized_scanpath_saliency(prediction: FloatMap, counts: FloatMap) -> float:
    """Average the standardised map over all fixations (NSS); chance is 0.

    Parameters
    ----------
    prediction
        Shape (H, W), any scale.
    counts
        Shape (H, W), fixations per pixel.
    """
    values = np.asarray(prediction, np.float64)
    deviation = values.std()
    if deviation < _EPSILON * max(1.0, float(np.abs(values).max())):
        return 0.0
    standard = (values - values.mean()) / deviation
    return float((standard * counts).sum() / counts.sum())


def correlation(prediction: FloatMap, density: FloatMap) -> float:
    """Correlate two maps linearly (CC); 1 is perfect, a constant map scores 0."""
    first = np.asarray(prediction, np.float64) - np.mean(prediction, dtype=np.float64)
    second = np.asarray(density, np.float64) - np.mean(density, dtype=np.float64)
    norm = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / norm) if norm > 0 else 0.0


def divergence(prediction: FloatMap, density: FloatMap) -> float:
    """Kullback-Leibler divergence of the prediction from the fixation density, in nats.

    Both maps are scaled to sum to 1 first; 0 is perfect.
    """
    wanted = np.asarray(density, np.float64) / np.sum(density, dtype=np.float64)
    given = np.asarray(prediction, np.float64) / np.sum(prediction, dtype=np.float64)
    floor = np.finfo(np.float32).tiny
    return float((wanted * np.log(np.maximum(wanted, floor) / np.maximum(given, floor))).sum())


def area_under_curve(prediction: FloatMap, counts: FloatMap) -> float:
    """Area under the ROC curve after Judd: every fixated pixel is a threshold.

    Parameters
    ----------
    prediction
        Shape (H, W), any scale. Ties count half.
    counts
        Shape (H, W); pixels with at least one fixation are the positives.
    """
    positive = np.asarray(prediction)[counts > 0]
    negative = np.sort(np.asarray(prediction)[counts <= 0])
    below = np.searchsorted(negative, positive, side="left")
    not_above = np.searchsorted(negative, positive, side="right")
    return float((below + not_above).mean() / (2 * len(negative)))


def attention_share(prediction: FloatMap, mask: FloatMap) -> float:
    """Part of all attention that falls into a mask of the same shape, 0-1."""
    return float((prediction * mask).sum() / np.sum(prediction))
