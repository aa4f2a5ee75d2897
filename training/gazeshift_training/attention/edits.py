"""Local edits whose effect on attention is known by construction.

Darkening, bleaching, flattening or blurring a region cannot make it draw more of the eye, and
their opposites cannot make it draw less. A network that is to judge edits must agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

_LUMA = (0.2126, 0.7152, 0.0722)


@dataclass(frozen=True)
class LocalEdit:
    """One kind of edit inside a region."""

    name: str
    """Id, for example `darken`."""
    direction: int
    """1 where attention on the region goes up, -1 where it goes down."""
    weak: float
    """Amount at strength 0."""
    strong: float
    """Amount at strength 1."""
    apply: Callable[[Tensor, Tensor, float], Tensor]
    """Maps (rgb (3, H, W), mask (1, H, W), amount) to the photo edited everywhere."""


def _expose(rgb: Tensor, mask: Tensor, amount: float) -> Tensor:
    return rgb * float(2.0**amount)


def _luma(rgb: Tensor) -> Tensor:
    weights = torch.tensor(_LUMA, dtype=rgb.dtype)
    return (rgb * weights[:, None, None]).sum(0, keepdim=True)


def _saturate(rgb: Tensor, mask: Tensor, amount: float) -> Tensor:
    grey = _luma(rgb)
    return grey + amount * (rgb - grey)


def _stretch(rgb: Tensor, mask: Tensor, amount: float) -> Tensor:
    mean = (rgb * mask).sum((1, 2), keepdim=True) / mask.sum().clamp_min(1e-6)
    return mean + amount * (rgb - mean)


def blur(rgb: Tensor, sigma_px: float) -> Tensor:
    """Blur (C, H, W) with a Gaussian of `sigma_px` pixels; edges are repeated."""
    radius = max(1, int(3.0 * sigma_px + 0.5))
    offsets = torch.arange(-radius, radius + 1, dtype=rgb.dtype)
    line = torch.exp(-0.5 * (offsets / sigma_px) ** 2)
    line = line / line.sum()
    padded = functional.pad(rgb[:, None], (radius, radius, radius, radius), mode="replicate")
    rows = functional.conv2d(padded, line[None, None, :, None])
    return functional.conv2d(rows, line[None, None, None, :])[:, 0]


def _soften(rgb: Tensor, mask: Tensor, amount: float) -> Tensor:
    return blur(rgb, amount)


def _sharpen(rgb: Tensor, mask: Tensor, amount: float) -> Tensor:
    return rgb + amount * (rgb - blur(rgb, 1.5))


LOCAL_EDITS = (
    LocalEdit("darken", -1, -0.4, -1.2, _expose),
    LocalEdit("desaturate", -1, 0.6, 0.0, _saturate),
    LocalEdit("flatten", -1, 0.8, 0.4, _stretch),
    LocalEdit("blur", -1, 1.2, 4.0, _soften),
    LocalEdit("brighten", 1, 0.2, 0.7, _expose),
    LocalEdit("saturate", 1, 1.3, 2.0, _saturate),
    LocalEdit("contrast", 1, 1.2, 1.6, _stretch),
    LocalEdit("sharpen", 1, 0.6, 2.0, _sharpen),
)
"""All kinds of edits, those that lower attention first."""

BRIGHTEST_MEAN = 0.85
"""Brightening is skipped where it lifts the region's mean luma above this: it only washes out."""


def edit_region(rgb: Tensor, mask: Tensor, edit: LocalEdit, strength: float) -> Tensor:
    """Apply an edit inside a region.

    Parameters
    ----------
    rgb
        Shape (3, H, W), sRGB 0-1.
    mask
        Shape (1, H, W), 0-1, the region; pass `1 - mask` to edit the surroundings.
    edit
        Out of `LOCAL_EDITS`.
    strength
        0 is weak, 1 is strong.

    Returns
    -------
    Tensor
        Shape (3, H, W), 0-1.
    """
    amount = edit.weak + strength * (edit.strong - edit.weak)
    edited = edit.apply(rgb, mask, amount).clamp(0.0, 1.0)
    return rgb + mask * (edited - rgb)


def is_applicable(rgb: Tensor, mask: Tensor, edit: LocalEdit, strength: float) -> bool:
    """Say whether the edit's direction is certain here; a bright region cannot be brightened."""
    if edit.name != "brighten":
        return True
    amount = edit.weak + strength * (edit.strong - edit.weak)
    mean = float((_luma(rgb) * mask).sum() / mask.sum().clamp_min(1e-6))
    return bool(mean * 2.0**amount <= BRIGHTEST_MEAN)
