"""Bottom-up saliency from intensity and opponent colours, differentiable (Itti-type)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

CENTRES = (1, 2)
SURROUNDS = (2, 3)
"""Each centre scale is compared with the scales this much coarser."""
_BINOMIAL = (1.0, 4.0, 6.0, 4.0, 1.0)


def to_opponents(rgb: Tensor) -> Tensor:
    """Split RGB into intensity, red-green and blue-yellow.

    Parameters
    ----------
    rgb
        Shape (B, 3, H, W), encoded, 0-1.

    Returns
    -------
    Tensor
        Shape (B, 3, H, W): (R+G+B)/3, R-G, B-(R+G)/2.
    """
    red, green, blue = rgb.unbind(1)
    return torch.stack(((red + green + blue) / 3, red - green, blue - (red + green) / 2), 1)


def from_opponents(planes: Tensor) -> Tensor:
    """Return the RGB of `to_opponents`, not clipped."""
    intensity, red_green, blue_yellow = planes.unbind(1)
    both = (3 * intensity - blue_yellow) * (2 / 3)
    return torch.stack(((both + red_green) / 2, (both - red_green) / 2, blue_yellow + both / 2), 1)


def _halve(planes: Tensor) -> Tensor:
    line = torch.tensor(_BINOMIAL, dtype=planes.dtype) / sum(_BINOMIAL)
    kernel = torch.outer(line, line).expand(planes.shape[1], 1, 5, 5)
    padded = functional.pad(planes, (2, 2, 2, 2), mode="replicate")
    return functional.conv2d(padded, kernel, stride=2, groups=planes.shape[1])


def opponent_saliency(planes: Tensor) -> Tensor:
    """Sum the centre-surround differences of intensity and both opponent colours.

    Parameters
    ----------
    planes
        Shape (B, 3, H, W) from `to_opponents`.

    Returns
    -------
    Tensor
        Shape (B, 1, H, W), not negative.

    References
    ----------
    Itti, Koch, Niebur (1998). Our change: no orientations, no normalisation between maps, as in
    the use of Hagiwara et al. (2011) gradients must stay simple.
    """
    size = (planes.shape[2], planes.shape[3])
    levels = [planes]
    for _ in range(max(CENTRES) + max(SURROUNDS)):
        # Small pictures run out of scales.
        levels.append(_halve(levels[-1]) if min(levels[-1].shape[2:]) > 2 else levels[-1])

    def full(level: int) -> Tensor:
        return functional.interpolate(
            levels[level], size=size, mode="bilinear", align_corners=False
        )

    differences = [
        (full(centre) - full(centre + surround)).abs()
        for centre in CENTRES
        for surround in SURROUNDS
    ]
    return torch.stack(differences).sum(0).sum(1, keepdim=True)
