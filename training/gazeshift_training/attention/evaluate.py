"""Scores of an attention network against people, with chance and human marks beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from gazeshift_training.attention.metrics import (
    area_under_curve,
    correlation,
    divergence,
    normalized_scanpath_saliency,
)
from gazeshift_training.fixations import PhotoFixations, blur_counts, count_fixations

if TYPE_CHECKING:
    from gazeshift_training.attention.network import AttentionNetwork

Codes = NDArray[np.uint8]
FloatMap = NDArray[np.float32]


def score_map(prediction: FloatMap, points: NDArray[np.float32]) -> dict[str, float]:
    """Score one map of the photo's size against one photo's fixations.

    Parameters
    ----------
    prediction
        Shape (H, W), positive.
    points
        Shape (N, 2), x and y, 0-1.

    Returns
    -------
    dict
        `nss`, `cc`, `auc` and `kl`; density blurred by one degree.
    """
    counts = count_fixations(points, *prediction.shape)
    density = blur_counts(counts)
    return {
        "nss": normalized_scanpath_saliency(prediction, counts),
        "cc": correlation(prediction, density),
        "auc": area_under_curve(prediction, counts),
        "kl": divergence(prediction, density),
    }


def mean_scores(scores: Iterable[dict[str, float]]) -> dict[str, float]:
    """Average scores over photos."""
    rows = list(scores)
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def score_predictor(
    predict: Callable[[Codes], FloatMap], photos: Iterable[tuple[Codes, PhotoFixations]]
) -> dict[str, float]:
    """Score any predictor of (H, W) maps on photos, averaged over them."""
    return mean_scores(score_map(predict(codes), entry.points) for codes, entry in photos)


@torch.no_grad()
def predict_map(network: AttentionNetwork, codes: Codes) -> FloatMap:
    """Predict one photo's map, enlarged to the photo's size.

    Parameters
    ----------
    network
        In evaluation mode.
    codes
        Shape (H, W, 3), sRGB codes.
    """
    rgb = torch.from_numpy(codes.copy()).permute(2, 0, 1)[None].float() / 255.0
    rgb = rgb.contiguous(memory_format=torch.channels_last)
    small = np.asarray(network(rgb)[0, 0].numpy(), np.float32)
    return enlarge_map(small, codes.shape[0], codes.shape[1])


def enlarge_map(attention: FloatMap, height: int, width: int) -> FloatMap:
    """Enlarge an attention map (h, w) to a photo's size by linear interpolation."""
    small = torch.from_numpy(np.ascontiguousarray(attention))[None, None]
    large = functional.interpolate(small, (height, width), mode="bilinear", align_corners=False)
    return np.asarray(large[0, 0].numpy(), np.float32)


def score_photos(
    network: AttentionNetwork, photos: Iterable[tuple[Codes, PhotoFixations]]
) -> dict[str, float]:
    """Score a network on photos, averaged over them."""
    return score_predictor(lambda codes: predict_map(network, codes), photos)
