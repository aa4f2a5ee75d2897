"""What the redirector is asked for: pure functions of pictures, masks and parameters."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from gazeshift.operators import DEFAULT_CHAIN, OPERATORS
from gazeshift_training.colour import chroma, hue_turn_deg, neutral_cast, srgb_to_lab
from gazeshift_training.redirector.recipe import LossWeights
from gazeshift_training.redirector.rendering import KNOTS, Prepared, curves_of

SHARE_FLOOR = 0.01
"""Added to shares before the logarithm, so that nearly unseen masks do not rule the batch."""
STEEPEST, FLATTEST = 2.2, 0.4
"""Slopes of the whole curve between which nothing is penalised: beyond, 8-bit photos band."""
_NEAR_WHITE = 0.985
_NEAR_BLACK = 3e-4  # linear light; code 1
_SMALLEST_PART = 0.01
"""Part of the picture below which a colour figure counts less."""


class Terms(NamedTuple):
    """The parts of the loss, each (B,)."""

    cast: Tensor
    turn: Tensor
    chroma: Tensor
    clipped: Tensor
    lightness: Tensor
    curve: Tensor


def attention_share(attention: Tensor, mask: Tensor) -> Tensor:
    """Return the share (B,) of the attention map (B, 1, h, w) inside the mask (B, 1, H, W)."""
    size = (attention.shape[2], attention.shape[3])
    reduced = functional.interpolate(mask, size=size, mode="area")
    return (attention * reduced).sum((1, 2, 3)) / attention.sum((1, 2, 3))


def log_gain(before: Tensor, after: Tensor, direction: Tensor) -> Tensor:
    """Return how far the log share moved the wanted way; `direction` is 1 or -1."""
    return direction * ((after + SHARE_FLOOR).log() - (before + SHARE_FLOOR).log())


def fidelity_loss(lpips: Tensor, weight: Tensor, weights: LossWeights) -> Tensor:
    """Weigh LPIPS (B,) with its steered weight (B,), steeply beyond the limit per photo."""
    excess = (lpips - weights.lpips_limit).clamp(min=0.0)
    return weight * lpips + weights.lpips_excess * excess.square()


def prominence(share: Tensor, mask: Tensor) -> Tensor:
    """Return the map's mean inside the mask over its mean everywhere, shape (B,).

    1 is what a uniform map gives. The paper's attention loss, free of the map's size.
    """
    return share / mask.mean((1, 2, 3)).clamp(min=1e-3)


def plausibility_factor(before: Tensor, after: Tensor, weight: float) -> Tensor:
    """Return the factor (B,) by which a loss of plausibility raises the loss; 1 where none."""
    return 1.0 + weight * (before - after).clamp(min=0.0)


def side_terms(
    prepared: Prepared, after: Tensor, mask: Tensor, vector: Tensor, weights: LossWeights
) -> Terms:
    """Measure what people would object to.

    Parameters
    ----------
    prepared
        The photos, encoded in sRGB.
    after
        Shape (B, 3, H, W), the edited photos, 0-1.
    mask
        Shape (B, 1, H, W), 0-1.
    vector
        Shape (B, 70), the parameters that were rendered.
    weights
        The limits below which nothing counts.
    """
    # A quarter of the pixels tells the same about a region's colours.
    thin = Prepared(*(picture[:, :, ::2, ::2].contiguous() for picture in prepared))
    inside = mask[:, :, ::2, ::2].contiguous()
    with torch.no_grad():
        old = srgb_to_lab(thin.rgb)
    new = srgb_to_lab(after[:, :, ::2, ::2].contiguous())
    regions = ((inside[:, 0], 1.0), (1.0 - inside[:, 0], weights.outside))
    zero = after.new_zeros(after.shape[0])
    cast, turn, vivid, lightness = zero, zero, zero, zero
    for region, factor in regions:
        part = neutral_cast(old, new, region, softness=1.5)
        cast = cast + factor * (part - weights.cast_limit).clamp(min=0.0).square()
        angle = hue_turn_deg(old, new, region, softness=2.0).abs()
        turn = turn + factor * (angle - weights.turn_limit_deg).clamp(min=0.0).square()
        size = region.mean((1, 2)).clamp(min=_SMALLEST_PART)
        growth = (chroma(new) - 1.35 * chroma(old) - 5.0).clamp(min=0.0)
        vivid = vivid + (growth * region).mean((1, 2)) / size
        change = ((new[:, 0] - old[:, 0]) * region).mean((1, 2)) / size
        lightness = lightness + (change.abs() - weights.lightness_limit).clamp(min=0.0).square()
    limits = after.new_tensor([weights.clipped_limit_inside, weights.clipped_limit])
    clipped = (newly_clipped(thin, inside, vector) - limits).clamp(min=0.0)
    return Terms(cast, turn, vivid, clipped.sum(1), lightness, curve_shape(vector))


def newly_clipped(prepared: Prepared, mask: Tensor, vector: Tensor) -> Tensor:
    """Estimate which part of each region sharpening and exposure drive to white or black.

    In the edited picture a clipped pixel has no gradient left; ahead of the clip it has one. A
    pixel that comes close to white counts already: skin loses its colour there.

    Parameters
    ----------
    prepared
        The photos.
    mask
        Shape (B, 1, H, W), 0-1.
    vector
        Shape (B, 70), the parameters.

    Returns
    -------
    Tensor
        Shape (B, 2): the foreground's and the background's part, 0-1.
    """
    brightest = prepared.rgb.amax(1, keepdim=True)
    darkest = prepared.rgb.amin(1, keepdim=True)
    bright = (brightest < _NEAR_WHITE - 0.015).to(mask.dtype)
    dark = (darkest > 3.0 / 255.0).to(mask.dtype)
    half = vector.shape[1] // 2
    place = exposure_position()
    parts: list[Tensor] = []
    for start, region in ((0, mask), (half, 1.0 - mask)):
        amount = vector[:, start, None, None, None]
        gain = 2.0 ** vector[:, start + place, None, None, None]
        linear = prepared.linear + amount * prepared.detail
        # A plain power stands in for the transfer curve: only the neighbourhood of 1 matters.
        top = linear.amax(1, keepdim=True).clamp(min=1e-3) ** (1.0 / 2.2) * gain
        white = torch.sigmoid((top - _NEAR_WHITE) / 0.006) * bright
        black = torch.sigmoid((_NEAR_BLACK - linear.amin(1, keepdim=True)) / 1e-4) * dark
        size = region.mean((1, 2, 3)).clamp(min=_SMALLEST_PART)
        parts.append(((white + black) * region).mean((1, 2, 3)) / size)
    return torch.stack(parts, 1)


def exposure_position() -> int:
    """Return the place of the exposure's one number in a region's vector."""
    position = 0
    for id_ in DEFAULT_CHAIN:
        if id_ == "exposure":
            return position
        position += OPERATORS[id_].spec.size
    raise LookupError("exposure is not in the default chain")


def curve_shape(vector: Tensor) -> Tensor:
    """Penalise curves (B,) that are so steep, so flat or so bent that a photo would band."""
    half = vector.shape[1] // 2
    total = vector.new_zeros(vector.shape[0])
    for region in (vector[:, :half], vector[:, half:]):
        curves = curves_of(region)
        slopes = torch.diff(curves) * (KNOTS - 1)
        steep = (slopes - STEEPEST).clamp(min=0.0).square().mean((1, 2))
        # The very ends may be flat: that is clipping, which has its own term.
        flat = (FLATTEST - slopes[..., 8:-32]).clamp(min=0.0).square().mean((1, 2))
        # Slope differences across a sixteenth of the range see a corner, not a smooth bend.
        bend = (slopes[..., 16::16] - slopes[..., :-16:16]).abs()
        corner = (bend - 0.35).clamp(min=0.0).square().mean((1, 2))
        total = total + 4.0 * steep + 4.0 * flat + 2.0 * corner
    return total


def weigh_terms(terms: Terms, weights: LossWeights) -> Tensor:
    """Add the side terms up, shape (B,)."""
    return (
        weights.cast * terms.cast
        + weights.turn * terms.turn
        + weights.chroma * terms.chroma
        + weights.clipped * terms.clipped
        + weights.lightness * terms.lightness
        + weights.curve * terms.curve
    )
