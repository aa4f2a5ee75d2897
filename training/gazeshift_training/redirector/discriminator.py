"""The paper's adversary: tells edited photos from untouched ones, at three scales."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTHS = (64, 128, 256, 512)
"""Channels behind each strided convolution."""
SCALES = 3
"""The photo, and twice halved."""
_INNER = 128
_SLOPE = 0.2


class ScaleCritic(nn.Module):
    """One scale: four 4 × 4 convolutions at stride 2, their average, two linear layers."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for width in WIDTHS:
            layers += [nn.Conv2d(inputs, width, 4, 2, 1), nn.LeakyReLU(_SLOPE)]
            inputs = width
        self.features = nn.Sequential(*layers)
        # The average lets photos of any shape in; the paper's are all of one size.
        self.verdict = nn.Sequential(
            nn.Linear(inputs, _INNER), nn.LeakyReLU(_SLOPE), nn.Linear(_INNER, 1)
        )

    def forward(self, rgb: Tensor) -> Tensor:
        """Score pictures (B, 3, H, W), -1 to 1; returns (B,), high for untouched ones."""
        scores: Tensor = self.verdict(self.features(rgb).mean((2, 3)))
        return scores[:, 0]


class Discriminator(nn.Module):
    """Three critics with weights of their own, each on a picture half the size of the one before.

    References
    ----------
    Mejjati et al. (2020), equation 4; hinge loss on RGB alone, without the mask.
    """

    def __init__(self) -> None:
        super().__init__()
        self.scales = nn.ModuleList(ScaleCritic() for _ in range(SCALES))

    def forward(self, rgb: Tensor) -> Tensor:
        """Score photos.

        Parameters
        ----------
        rgb
            Shape (B, 3, H, W), sRGB 0-1, at least 64 pixels a side.

        Returns
        -------
        Tensor
            Shape (3, B), one row per scale, high for photos taken as untouched.
        """
        scores: list[Tensor] = []
        picture = 2.0 * rgb - 1.0
        for critic in self.scales:
            scores.append(critic(picture))
            picture = functional.avg_pool2d(picture, 2)
        return torch.stack(scores)


def hinge_of_untouched(scores: Tensor) -> Tensor:
    """Return what the critic pays (B,) for photos that are untouched, summed over scales."""
    return (1.0 - scores).clamp(min=0.0).sum(0)


def hinge_of_edited(scores: Tensor) -> Tensor:
    """Return what the critic pays (B,) for photos that are edited, summed over scales."""
    return (1.0 + scores).clamp(min=0.0).sum(0)


def pay_of_editor(scores: Tensor) -> Tensor:
    """Return what the editing network pays (B,) where the critic sees through it."""
    return -scores.sum(0)
