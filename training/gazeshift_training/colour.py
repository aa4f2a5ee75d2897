"""CIELAB for torch, with gradients, and the two figures that show a colour cast."""

from __future__ import annotations

import torch
from torch import Tensor

from gazeshift.operators.transfer import decode_srgb

_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
"""Linear sRGB to XYZ, D65 (IEC 61966-2-1)."""
_WHITE = tuple(sum(row) for row in _TO_XYZ)
_DELTA = 6.0 / 29.0

NEUTRAL_CHROMA = 12.0
"""Below this chroma a pixel counts as near-neutral."""
COLOURED_CHROMA = 20.0
"""Above this chroma a pixel counts as coloured."""


def srgb_to_lab(rgb: Tensor) -> Tensor:
    """Convert encoded sRGB to CIELAB (D65).

    Parameters
    ----------
    rgb
        Shape (B, 3, H, W), 0-1.

    Returns
    -------
    Tensor
        Shape (B, 3, H, W): L* 0-100, a* and b* about ±128; white and greys have a* = b* = 0.
    """
    linear = decode_srgb(rgb.clamp(0.0, 1.0))
    # Dividing by the white first makes the rows sum to one, so that greys are exactly neutral.
    matrix = torch.tensor(_TO_XYZ, dtype=rgb.dtype, device=rgb.device)
    matrix = matrix / torch.tensor(_WHITE, dtype=rgb.dtype, device=rgb.device)[:, None]
    xyz = torch.einsum("ij,bjhw->bihw", matrix, linear)
    root = xyz.clamp_min(_DELTA**3) ** (1.0 / 3.0)
    compressed = torch.where(xyz > _DELTA**3, root, xyz / (3.0 * _DELTA**2) + 4.0 / 29.0)
    x, y, z = compressed.unbind(1)
    return torch.stack((116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)), 1)


def chroma(lab: Tensor) -> Tensor:
    """Return C*, shape (B, H, W), of CIELAB values (B, 3, H, W); its gradient is finite at grey."""
    return (lab[:, 1].square() + lab[:, 2].square() + 1e-8).sqrt()


def hue(lab: Tensor) -> Tensor:
    """Return the hue angle in radians, shape (B, H, W), of CIELAB values (B, 3, H, W)."""
    return torch.atan2(lab[:, 2], lab[:, 1])


def neutral_cast(before: Tensor, after: Tensor, weight: Tensor, *, softness: float = 0.0) -> Tensor:
    """Measure how far near-neutral pixels move towards a colour, together.

    Parameters
    ----------
    before, after
        CIELAB, shape (B, 3, H, W).
    weight
        Shape (B, H, W), 0-1: the region that is looked at.
    softness
        Width, in chroma units, over which a pixel stops being neutral; 0 is the sharp definition.

    Returns
    -------
    Tensor
        Shape (B,): length of the mean (a*, b*) displacement; 0 where no pixel is neutral.
    """
    part = weight * _below(chroma(before), NEUTRAL_CHROMA, softness)
    total = part.sum((1, 2))
    moved = ((after[:, 1:] - before[:, 1:]) * part[:, None]).sum((2, 3))
    mean = moved / total.clamp_min(1e-6)[:, None]
    length = (mean.square().sum(1) + 1e-12).sqrt()
    return torch.where(total > 0.0, length, torch.zeros_like(length))


def hue_turn_deg(before: Tensor, after: Tensor, weight: Tensor, *, softness: float = 0.0) -> Tensor:
    """Measure how far the hue of coloured pixels turns, together.

    Parameters
    ----------
    before, after
        CIELAB, shape (B, 3, H, W).
    weight
        Shape (B, H, W), 0-1: the region that is looked at.
    softness
        Width, in chroma units, over which a pixel starts being coloured; 0 is the sharp definition.

    Returns
    -------
    Tensor
        Shape (B,), degrees, signed: the mean hue change weighted by the chroma before; 0 where no
        pixel is coloured.
    """
    strength = chroma(before)
    part = weight * strength * (1.0 - _below(strength, COLOURED_CHROMA, softness))
    cross = before[:, 1] * after[:, 2] - before[:, 2] * after[:, 1]
    dot = before[:, 1] * after[:, 1] + before[:, 2] * after[:, 2]
    # The angle of a vanished colour is arbitrary; a small offset keeps its gradient finite.
    turn = torch.rad2deg(torch.atan2(cross, dot + 1e-3))
    total = part.sum((1, 2))
    return (turn * part).sum((1, 2)) / total.clamp_min(1e-6)


def _below(values: Tensor, limit: float, softness: float) -> Tensor:
    if softness > 0.0:
        return torch.sigmoid((limit - values) / softness)
    return (values < limit).to(values.dtype)
