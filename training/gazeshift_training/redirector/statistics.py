"""Plain numbers about a photo's two regions, the ones a person would look at before editing."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

BINS = 12
"""Bins of each soft histogram."""
_LUMA = (0.2126, 0.7152, 0.0722)
_PER_REGION = 4 * BINS + 4 + 4 + 2 + 1
COUNT = 2 * _PER_REGION + 6
"""How many numbers `describe_regions` gives."""


def describe_regions(rgb: Tensor, mask: Tensor) -> Tensor:
    """Describe the selection and the rest.

    Soft histograms of red, green, blue and luma, their means and spreads, saturation, fine
    detail, and where the mask lies.

    Parameters
    ----------
    rgb
        Shape (B, 3, H, W), sRGB 0-1, H and W even.
    mask
        Shape (B, 1, H, W), 0-1.

    Returns
    -------
    Tensor
        Shape (B, `COUNT`), numbers of order one.
    """
    weights = torch.tensor(_LUMA, dtype=rgb.dtype, device=rgb.device).view(1, 3, 1, 1)
    luma = (rgb * weights).sum(1, keepdim=True)
    detail = (luma - functional.avg_pool2d(luma, 3, 1, 1, count_include_pad=False)).abs()
    # Every second pixel keeps the distribution of values, which averaging would narrow.
    sampled = torch.cat((rgb, luma, detail), 1)[:, :, ::2, ::2].flatten(2)
    inside = mask[:, :, ::2, ::2].flatten(2)
    regions = torch.cat((inside, 1.0 - inside), 1)
    regions = regions / (regions.sum(2, keepdim=True) + 1e-3)

    values = sampled[:, :4]
    centres = (torch.arange(BINS, dtype=rgb.dtype, device=rgb.device) + 0.5) / BINS
    near = (1.0 - (values[:, :, None] - centres[None, None, :, None]).abs() * BINS).clamp(min=0.0)
    histograms = torch.einsum("bcks,brs->brck", near, regions).flatten(2)
    means = torch.einsum("bcs,brs->brc", values, regions)
    squares = torch.einsum("bcs,brs->brc", values.square(), regions)
    spreads = (squares - means.square()).clamp(min=1e-6).sqrt()
    saturation = sampled[:, :3].amax(1) - sampled[:, :3].amin(1)
    vivid = torch.stack((saturation, saturation.square()), 1)
    colours = torch.einsum("bcs,brs->brc", vivid, regions)
    fine = torch.einsum("bcs,brs->brc", sampled[:, 4:5], regions)
    numbers = torch.cat((3.0 * histograms, 2.0 * means, 4.0 * spreads, 3.0 * colours), 2)
    described = torch.cat((numbers, 20.0 * fine), 2).flatten(1)
    return torch.cat((described, _placement(mask)), 1)


def _placement(mask: Tensor) -> Tensor:
    """Area, centre and extent of the mask, shape (B, 6)."""
    rows, columns = mask.mean(3)[:, 0], mask.mean(2)[:, 0]
    area = mask.mean((1, 2, 3))[:, None]
    total = area + 1e-4
    y = torch.arange(rows.shape[1], dtype=mask.dtype, device=mask.device) / rows.shape[1] - 0.5
    x = torch.arange(columns.shape[1], dtype=mask.dtype, device=mask.device)
    x = x / columns.shape[1] - 0.5
    centre_y = (rows * y).mean(1, keepdim=True) / total
    centre_x = (columns * x).mean(1, keepdim=True) / total
    spread_y = (rows * y.square()).mean(1, keepdim=True) / total - centre_y.square()
    spread_x = (columns * x.square()).mean(1, keepdim=True) / total - centre_x.square()
    return torch.cat(
        (
            (area + 1e-3).log() * 0.5 + 1.0,
            area.sqrt(),
            4.0 * centre_y,
            4.0 * centre_x.abs(),
            20.0 * spread_y,
            20.0 * spread_x,
        ),
        1,
    )
