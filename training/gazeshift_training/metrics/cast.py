"""Colour casts, which LPIPS hardly sees: greys that turn coloured and hues that turn.

Both are taken in CIELAB and weighted by a mask, so that they can be read inside the selection
and, with `1 - mask`, outside it.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from gazeshift_training.colour import COLOURED_CHROMA, NEUTRAL_CHROMA, srgb_to_lab

FloatArray = NDArray[np.floating]

COLOURLESS_CHROMA = 1.0
"""Pixels of a smaller chroma C* after the edit have no hue left, so none that could have turned."""
SMALLEST_WEIGHT_PX = 16.0
"""Below this many pixels a mean colour is noise, and the quantity does not exist."""


def to_lab(rgb: FloatArray) -> NDArray[np.float32]:
    """Convert encoded sRGB of shape (H, W, 3), 0-1, to CIELAB (D65) of the same shape."""
    with torch.inference_mode():
        planes = torch.from_numpy(np.ascontiguousarray(rgb, np.float32)).permute(2, 0, 1)[None]
        lab: NDArray[np.float32] = srgb_to_lab(planes)[0].permute(1, 2, 0).numpy()
    return lab


def neutral_displacement(
    lab_before: FloatArray, lab_after: FloatArray, weights: FloatArray
) -> tuple[float, float]:
    """Mean a and b displacement of near-neutral pixels.

    Parameters
    ----------
    lab_before, lab_after
        Shape (H, W, 3), CIELAB.
    weights
        Shape (H, W), 0-1: the mask, or one minus the mask.

    Returns
    -------
    tuple of float
        Displacement along a and b; NaN when there are too few near-neutral pixels.
    """
    first, second = np.asarray(lab_before, np.float64), np.asarray(lab_after, np.float64)
    chroma = np.hypot(first[..., 1], first[..., 2])
    used = np.where(chroma < NEUTRAL_CHROMA, weights, 0.0)
    total = used.sum()
    if total < SMALLEST_WEIGHT_PX:
        return float("nan"), float("nan")
    shift = ((second - first)[..., 1:] * used[..., None]).sum((0, 1)) / total
    return float(shift[0]), float(shift[1])


def neutral_cast(lab_before: FloatArray, lab_after: FloatArray, weights: FloatArray) -> float:
    """Length of the mean a,b displacement of near-neutral pixels (C* < 12 before).

    Parameters
    ----------
    lab_before, lab_after
        Shape (H, W, 3), CIELAB.
    weights
        Shape (H, W), 0-1: the mask, or one minus the mask.

    Returns
    -------
    float
        CIELAB units; 1 is just visible, 3 is a cast. NaN with too few near-neutral pixels.
    """
    return float(np.hypot(*neutral_displacement(lab_before, lab_after, weights)))


def hue_turn_deg(lab_before: FloatArray, lab_after: FloatArray, weights: FloatArray) -> float:
    """Chroma-weighted, signed mean hue change of coloured pixels (C* > 20 before).

    Parameters
    ----------
    lab_before, lab_after
        Shape (H, W, 3), CIELAB.
    weights
        Shape (H, W), 0-1: the mask, or one minus the mask.

    Returns
    -------
    float
        Degrees, -180 to 180, positive from red towards yellow; take its size before averaging
        over photos. NaN with too few coloured pixels.
    """
    first, second = np.asarray(lab_before, np.float64), np.asarray(lab_after, np.float64)
    chroma = np.hypot(first[..., 1], first[..., 2])
    coloured = np.where(chroma > COLOURED_CHROMA, weights, 0.0)
    if coloured.sum() < SMALLEST_WEIGHT_PX:
        return float("nan")
    before, after = (np.arctan2(lab[..., 2], lab[..., 1]) for lab in (first, second))
    # Wrapped into -pi..pi: a step from 359 to 1 degree is two degrees, not minus 358.
    change = np.angle(np.exp(1j * (after - before)))
    change = np.where(np.hypot(second[..., 1], second[..., 2]) < COLOURLESS_CHROMA, 0.0, change)
    used = coloured * chroma
    return float(np.degrees((change * used).sum() / used.sum()))
