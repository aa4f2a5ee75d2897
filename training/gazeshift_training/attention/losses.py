"""What the attention network is trained for, as pure functions of maps."""

from __future__ import annotations

import torch
from torch import Tensor

_TINY = 1e-12


def divergence_loss(log_map: Tensor, density: Tensor) -> Tensor:
    """Kullback-Leibler divergence from density to prediction, averaged over the batch.

    Parameters
    ----------
    log_map
        Shape (B, N), logarithm of a map that sums to 1.
    density
        Shape (B, N), sums to 1.
    """
    return (density * (density.clamp_min(_TINY).log() - log_map)).sum(1).mean()


def scanpath_saliency(prediction: Tensor, counts: Tensor) -> Tensor:
    """Mean NSS over the batch; shapes (B, N)."""
    centred = prediction - prediction.mean(1, keepdim=True)
    standard = centred / (centred.square().mean(1, keepdim=True).sqrt() + _TINY)
    return ((standard * counts).sum(1) / counts.sum(1)).mean()


def map_correlation(prediction: Tensor, density: Tensor) -> Tensor:
    """Mean linear correlation over the batch; shapes (B, N)."""
    first = prediction - prediction.mean(1, keepdim=True)
    second = density - density.mean(1, keepdim=True)
    norm = (first.square().sum(1) * second.square().sum(1)).sqrt()
    return ((first * second).sum(1) / (norm + _TINY)).mean()


def log_share(prediction: Tensor, mask: Tensor) -> Tensor:
    """Logarithm of the attention share inside a mask, shape (B,); inputs (B, 1, h, w)."""
    share = (prediction * mask).flatten(1).sum(1) / prediction.flatten(1).sum(1)
    return share.clamp_min(1e-6).log()


def direction_loss(change: Tensor, direction: Tensor, margin: float) -> Tensor:
    """Hinge that asks each log share to move by `margin` the known way; shapes (B,)."""
    return torch.relu(margin - direction * change).mean()
