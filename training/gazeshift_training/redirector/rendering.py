"""Rendering for training: the decoder's picture, several times faster, with gradients.

Behind sharpening every operator is a curve per channel. The reference decoder's own operators
make that curve on a fine ramp; the pixels then read it from a table. Other orders of the operators,
and other operators, are rendered too, a little slower.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gazeshift.decoder import Values, apply_chain, split_vector
from gazeshift.operators import DEFAULT_CHAIN, OPERATORS, vector_size
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
        below += torch.arange(batch * channels, device=values.device)[:, None] * knots
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


def values_of(vector: Tensor, operators: Sequence[str]) -> Values:
    """Name the numbers (B, n) of one region, in the order of `ranges.vector_ids`."""
    first = vector_size()
    values = dict(split_vector(vector[:, :first]))
    for id_ in operators:
        if id_ not in DEFAULT_CHAIN:
            (parameter,) = OPERATORS[id_].spec.parameters
            values[id_] = {parameter.name: vector[:, first]}
            first += 1
    return values


def curves_of(vector: Tensor, operators: Sequence[str] = DEFAULT_CHAIN) -> Tensor:
    """Return the curves that separable operators make together, shape (B, 3, KNOTS).

    Parameters
    ----------
    vector
        Shape (B, n), one region's numbers.
    operators
        The order of application; those that are not separable are passed over.
    """
    ramp = torch.linspace(0.0, 1.0, KNOTS, dtype=vector.dtype, device=vector.device)
    picture = ramp[None, :, None, None].expand(vector.shape[0], KNOTS, 1, 3)
    separable = [id_ for id_ in operators if OPERATORS[id_].spec.is_separable]
    values = split_vector(vector[:, : vector_size()])
    curves: Tensor = apply_chain(picture, values, order=separable)[:, :, 0].permute(0, 2, 1)
    return curves


def render_region(
    prepared: Prepared, vector: Tensor, operators: Sequence[str] = DEFAULT_CHAIN
) -> Tensor:
    """Apply one region's chain to whole photos.

    Parameters
    ----------
    prepared
        The photos.
    vector
        Shape (B, n), operator units.
    operators
        What is applied, in this order.

    Returns
    -------
    Tensor
        Shape (B, 3, H, W), encoded, 0-1; gradients reach `vector` only.
    """
    edited = prepared.rgb
    if operators[0] == "sharpening":
        amount = vector[:, 0, None, None, None]
        edited = _Sharpen.apply(amount, prepared.linear, prepared.detail)  # type: ignore[no-untyped-call]
        operators = operators[1:]
    for is_separable, run in groupby(operators, lambda id_: OPERATORS[id_].spec.is_separable):
        ids = list(run)
        if is_separable:
            curves = curves_of(vector, ids).contiguous()
            edited = _Lookup.apply(curves, edited.contiguous())  # type: ignore[no-untyped-call]
        else:
            values = values_of(vector, operators)
            edited = apply_chain(edited.permute(0, 2, 3, 1), values, order=ids).permute(0, 3, 1, 2)
    return edited


def render_edit(
    prepared: Prepared,
    mask: Tensor,
    vector: Tensor,
    operators: Sequence[str] = DEFAULT_CHAIN,
) -> Tensor:
    """Render a batch as the reference decoder does.

    Parameters
    ----------
    prepared
        The photos.
    mask
        Shape (B, 1, H, W), 0-1.
    vector
        Shape (B, 70): the foreground's 35 numbers, then the background's; more where `operators`
        has more than the default chain.
    operators
        What is applied, in this order.

    Returns
    -------
    Tensor
        Shape (B, 3, H, W), encoded, 0-1.
    """
    half = vector.shape[1] // 2
    background = render_region(prepared, vector[:, half:], operators)
    return torch.lerp(background, render_region(prepared, vector[:, :half], operators), mask)
