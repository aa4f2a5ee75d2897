"""Rendering for training: the decoder's picture, several times faster, with gradients.

Behind sharpening every operator is a curve per channel. The reference decoder's own operators
make that curve on a fine ramp; the pixels then read it from a table.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from gazeshift.decoder import apply_chain, split_vector
from gazeshift.operators import OPERATORS
from gazeshift.operators.arrays import gaussian_blur
from gazeshift.operators.sharpening import sigma_for
from gazeshift.operators.transfer import decode_srgb, encode_srgb

KNOTS = 257
"""Samples of a curve; 257 keep the error of linear interpolation below 0.01/255, and
below 0.5/255 next to the corner where exposure clips."""


class Prepared(NamedTuple):
    """What rendering needs to know of a photo, independent of the edit."""

    rgb: Tensor
    """Encoded photo, shape (B, 3, H, W)."""
    linear: Tensor
    """The photo in linear light, shape (B, 3, H, W)."""
    detail: Tensor
    """What the sharpening's blur takes away, linear light, shape (B, 3, H, W)."""


@torch.no_grad()
def prepare(rgb: Tensor, *, sigma_px: float | None = None) -> Prepared:
    """Blur a batch once, for any number of edits.

    Parameters
    ----------
    rgb
        Shape (B, 3, H, W), encoded, 0-1.
    sigma_px
        Standard deviation of the blur in pixels; by default the sharpening's own for this size.
    """
    if sigma_px is None:
        sigma_px = sigma_for(rgb.shape[2], rgb.shape[3])
    linear = decode_srgb(rgb)
    blurred = gaussian_blur(linear.permute(0, 2, 3, 1), sigma_px).permute(0, 3, 1, 2)
    return Prepared(rgb.contiguous(), linear.contiguous(), (linear - blurred).contiguous())


class _Sharpen(torch.autograd.Function):
    """Sharpening with one number per photo; only that number gets a gradient."""

    @staticmethod
    def forward(ctx: Any, amount: Tensor, linear: Tensor, detail: Tensor) -> Tensor:
        sharpened = torch.addcmul(linear, detail, amount).clamp_(0.0, 1.0)
        encoded: Tensor = encode_srgb(sharpened)
        ctx.save_for_backward(sharpened, encoded, detail)
        return encoded

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        sharpened, encoded, detail = ctx.saved_tensors
        # The power's derivative from the values at hand: d(1.055 l^p)/dl = p (e + 0.055) / l.
        slope = (encoded + 0.055).div_(2.4 * sharpened.clamp(min=0.0031308))
        slope = torch.where(sharpened <= 0.0031308, 12.92, slope)
        slope = torch.where((sharpened <= 0.0) | (sharpened >= 1.0), 0.0, slope)
        grad = (grads[0] * slope * detail).sum((1, 2, 3), keepdim=True)
        return grad, None, None


class _Lookup(torch.autograd.Function):
    """Read curves (B, 3, KNOTS) at values (B, 3, H, W) with linear interpolation."""

    @staticmethod
    def forward(ctx: Any, curves: Tensor, values: Tensor) -> Tensor:
        batch, channels, knots = curves.shape
        place = values.reshape(batch * channels, -1) * (knots - 1)
        below = place.to(torch.int64).clamp_(0, knots - 2)
        part = place.sub_(below)
        below += torch.arange(batch * channels)[:, None] * knots
        steps = torch.diff(curves, append=curves[..., -1:]).reshape(-1)
        slope = steps.take(below)
        result = torch.addcmul(curves.reshape(-1).take(below), slope, part)
        ctx.save_for_backward(below, part, slope)
        ctx.shape = curves.shape
        return result.view_as(values)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        below, part, slope = ctx.saved_tensors
        knots = ctx.shape[-1]
        grad = grads[0].reshape(below.shape)
        flat, upper = below.reshape(-1), (grad * part).reshape(-1)
        length = ctx.shape.numel()
        total = torch.bincount(flat, grad.reshape(-1), length).to(grad.dtype)
        above = torch.bincount(flat, upper, length).to(grad.dtype)
        curves = total - above
        curves[1:] += above[:-1]
        return curves.view(ctx.shape), (grad * slope * (knots - 1)).view_as(grads[0])


def curves_of(vector: Tensor) -> Tensor:
    """Return the curves behind sharpening, shape (B, 3, KNOTS), of one region's (B, 35) numbers."""
    ramp = torch.linspace(0.0, 1.0, KNOTS, dtype=vector.dtype, device=vector.device)
    picture = ramp[None, :, None, None].expand(vector.shape[0], KNOTS, 1, 3)
    values = {
        id_: named
        for id_, named in split_vector(vector).items()
        if OPERATORS[id_].spec.is_separable
    }
    curves: Tensor = apply_chain(picture, values)[:, :, 0].permute(0, 2, 1)
    return curves


def render_region(prepared: Prepared, vector: Tensor) -> Tensor:
    """Apply one region's chain to whole photos.

    Parameters
    ----------
    prepared
        The photos.
    vector
        Shape (B, 35), operator units.

    Returns
    -------
    Tensor
        Shape (B, 3, H, W), encoded, 0-1; gradients reach `vector` only.
    """
    amount = vector[:, 0, None, None, None]
    sharpened: Tensor = _Sharpen.apply(amount, prepared.linear, prepared.detail)  # type: ignore[no-untyped-call]
    curves = curves_of(vector).contiguous()
    edited: Tensor = _Lookup.apply(curves, sharpened)  # type: ignore[no-untyped-call]
    return edited


def render_edit(prepared: Prepared, mask: Tensor, vector: Tensor) -> Tensor:
    """Render a batch as the reference decoder does.

    Parameters
    ----------
    prepared
        The photos.
    mask
        Shape (B, 1, H, W), 0-1.
    vector
        Shape (B, 70): the foreground's 35 numbers, then the background's.

    Returns
    -------
    Tensor
        Shape (B, 3, H, W), encoded, 0-1.
    """
    half = vector.shape[1] // 2
    background = render_region(prepared, vector[:, half:])
    return torch.lerp(background, render_region(prepared, vector[:, :half]), mask)
