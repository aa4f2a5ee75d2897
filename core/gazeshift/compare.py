"""Pictures for people: before and after with both attention maps, or one map alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.edit import Edit
from gazeshift.heatmap import (
    BACKGROUND,
    density_peak,
    draw_attention,
    draw_outline,
    label_strip,
    to_codes,
)
from gazeshift.predict import is_effective
from gazeshift.proxy import make_proxy
from gazeshift.resample import resize

PANEL_LONG_SIDE_PX = 900
"""Long side of one panel; smaller photos are enlarged to at least half of it."""
GAP_PX = 8


def draw_comparison(
    before: NDArray[Any],
    after: NDArray[Any],
    mask: NDArray[np.float32],
    attention: tuple[NDArray[np.float32], NDArray[np.float32]],
    *,
    edit: Edit,
    icc_profile: bytes | None = None,
) -> NDArray[np.uint8]:
    """Draw one picture: before, after, and the attention map of each.

    Parameters
    ----------
    before, after
        Shape (H, W, 3), encoded as `icc_profile` says.
    mask
        Shape (H, W), 0-1.
    attention
        The maps before and after, each of shape (h', w'); both get the same colour scale.
    edit
        For the labels: its shares and its strength.
    icc_profile
        Profile of the pixels; without one they are sRGB.

    Returns
    -------
    NDArray[np.uint8]
        Shape (H', W', 3), sRGB. Two rows for wide photos, one row for tall ones.
    """
    first, edge = _panel(before, mask, icc_profile)
    second, _ = _panel(after, mask, icc_profile)
    peak = max(density_peak(map_) for map_ in attention)
    maps = [draw_outline(draw_attention(first, map_, peak=peak), edge) for map_ in attention]
    width = first.shape[1]
    shares = [
        f"Attention on the mask: {_percent(edit.share_before)}",
        f"Attention on the mask: {_percent(edit.share_after)}{_verdict(edit)}",
    ]
    tiles = [
        np.concatenate((label_strip(text, width), panel))
        for text, panel in zip(
            ("Before", f"After, strength {edit.signed_strength:g}", *shares),
            (first, second, *maps),
            strict=True,
        )
    ]
    rows = [tiles] if first.shape[0] > width else [tiles[:2], tiles[2:]]
    grid = _join([_join(row, axis=1) for row in rows], axis=0)
    footer = label_strip("Outline: the mask", grid.shape[1], legend=True)
    return to_codes(_frame(np.concatenate((grid, footer))))


def draw_heatmap(
    pixels: NDArray[Any],
    attention: NDArray[np.float32],
    *,
    mask: NDArray[np.float32] | None = None,
    share: float | None = None,
    icc_profile: bytes | None = None,
) -> NDArray[np.uint8]:
    """Draw an attention map over a grey copy of the photo.

    Parameters
    ----------
    pixels
        Shape (H, W, 3), encoded as `icc_profile` says.
    attention
        Shape (h', w'), sums to 1.
    mask
        Shape (H, W), 0-1; its outline is drawn.
    share
        Attention inside the mask, for the label.
    icc_profile
        Profile of the pixels; without one they are sRGB.

    Returns
    -------
    NDArray[np.uint8]
        Shape (H', W', 3), sRGB.
    """
    rgb, edge = _panel(pixels, mask, icc_profile)
    drawn = draw_attention(rgb, attention, peak=density_peak(attention))
    if mask is not None:
        drawn = draw_outline(drawn, edge)
    text = "" if share is None else f"On the mask: {_percent(share)}"
    strip = label_strip(text, rgb.shape[1], legend=True)
    return to_codes(_frame(np.concatenate((drawn, strip))))


def _panel(
    pixels: NDArray[Any], mask: NDArray[np.float32] | None, icc_profile: bytes | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the picture and the mask at the panel's size; a missing mask is all zero."""
    proxy = make_proxy(pixels, mask, icc_profile=icc_profile, long_side=PANEL_LONG_SIDE_PX)
    rgb = proxy.rgb
    edge = np.zeros(rgb.shape[:2], np.float32) if proxy.mask is None else proxy.mask
    scale = PANEL_LONG_SIDE_PX / 2 / max(rgb.shape[:2])
    if scale > 1.0:
        height, width = (max(1, round(side * scale)) for side in rgb.shape[:2])
        rgb, edge = resize(rgb, height, width), resize(edge, height, width)
    return rgb, edge


def _join(pieces: list[NDArray[np.float32]], *, axis: int) -> NDArray[np.float32]:
    shape = list(pieces[0].shape)
    shape[axis] = GAP_PX
    gap = np.full(shape, BACKGROUND, np.float32)
    spaced = [piece for pair in zip(pieces, [gap] * len(pieces), strict=True) for piece in pair]
    return np.concatenate(spaced[:-1], axis=axis)


def _frame(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    padding = ((GAP_PX, GAP_PX), (GAP_PX, GAP_PX), (0, 0))
    return np.pad(rgb, padding, constant_values=BACKGROUND)


def _verdict(edit: Edit) -> str:
    """Say by how much the share moved, or that it did not move as asked."""
    effective = is_effective(edit)
    if effective is None or not edit.share_before or edit.share_after is None:
        return ""
    if effective:
        return f" (\u00d7{edit.share_after / edit.share_before:.2f})"
    return ", not raised" if edit.direction == "attract" else ", not lowered"


def _percent(share: float | None) -> str:
    return "not measured" if share is None else f"{100 * share:.1f} %"
