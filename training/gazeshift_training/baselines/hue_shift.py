"""HOR-like: turn the selection's hue so that its colours differ most from the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gazeshift.edit import Direction
from gazeshift_training.baselines.lab import lab_to_srgb
from gazeshift_training.baselines.method import Dial, FloatImage, Method
from gazeshift_training.metrics.cast import to_lab

if TYPE_CHECKING:
    from gazeshift_training.evaluation.pairs import Pair
    from gazeshift_training.evaluation.tools import Tools

HUE_BINS = 72
CHROMA_EDGES = (0.0, 4.0, 10.0, 20.0, 35.0, 60.0, np.inf)
_FLOOR = 1e-4
"""Added to each bin's probability, so that an empty bin does not decide alone."""


def colour_histogram(
    lab: NDArray[np.floating], weights: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Count colours by hue and chroma.

    Parameters
    ----------
    lab
        Shape (H, W, 3), CIELAB.
    weights
        Shape (H, W), 0-1.

    Returns
    -------
    NDArray
        Shape (HUE_BINS, chroma bins), sums to 1. Rolling the first axis by one bin is turning
        every hue by 360 / HUE_BINS degrees.
    """
    hue = np.mod(np.arctan2(lab[..., 2], lab[..., 1]), 2 * np.pi)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    hue_bin = np.minimum((hue / (2 * np.pi) * HUE_BINS).astype(int), HUE_BINS - 1)
    chroma_bin = np.searchsorted(CHROMA_EDGES, chroma, side="right") - 1
    bins = len(CHROMA_EDGES) - 1
    counts = np.bincount(
        (hue_bin * bins + chroma_bin).ravel(), np.ravel(weights), minlength=HUE_BINS * bins
    )
    spread = counts.reshape(HUE_BINS, bins) + _FLOOR * max(float(counts.sum()), 1.0)
    return np.asarray(spread / spread.sum(), np.float64)


def best_turn_deg(
    lab: NDArray[np.floating], mask: NDArray[np.floating], direction: Direction
) -> float:
    """Find the hue rotation of the region that sets it apart most, or hides it best.

    Parameters
    ----------
    lab
        Shape (H, W, 3), CIELAB.
    mask
        Shape (H, W), 0-1.
    direction
        `attract` maximises the Kullback-Leibler divergence of the colours inside from those
        outside; `divert` minimises it.

    Returns
    -------
    float
        Degrees, -180 to 180. Among equal turns the smallest.
    """
    inside, outside = colour_histogram(lab, mask), colour_histogram(lab, 1.0 - mask)
    turns = sorted(range(-HUE_BINS // 2 + 1, HUE_BINS // 2 + 1), key=abs)
    divergences = [
        float((turned * np.log(turned / outside)).sum())
        for turned in (np.roll(inside, turn, axis=0) for turn in turns)
    ]
    index = np.argmax(divergences) if direction == "attract" else np.argmin(divergences)
    return turns[int(index)] * 360.0 / HUE_BINS


def turn_hue(lab: NDArray[np.floating], angle_deg: float) -> NDArray[np.float64]:
    """Rotate a and b of CIELAB values (H, W, 3), keeping lightness and chroma."""
    angle = np.radians(angle_deg)
    turned = np.array(lab, np.float64)
    turned[..., 1] = np.cos(angle) * lab[..., 1] - np.sin(angle) * lab[..., 2]
    turned[..., 2] = np.sin(angle) * lab[..., 1] + np.cos(angle) * lab[..., 2]
    return turned


def prepare_hue_shift(pair: Pair, direction: Direction, tools: Tools) -> Dial:
    """Find the turn once; the dial scales the angle."""
    lab = to_lab(pair.rgb)
    turn = best_turn_deg(lab, pair.mask, direction)
    weight = pair.mask[..., None]

    def render(strength: float) -> FloatImage:
        if turn * strength == 0.0:
            return pair.rgb
        turned = lab_to_srgb(turn_hue(lab, turn * strength))
        return np.asarray(pair.rgb * (1 - weight) + turned * weight, np.float32)

    return render


METHOD = Method(
    id="hor",
    label="HOR-like",
    help="Turns the hue inside the mask to maximise (divert: minimise) the divergence of its "
    "colours from those outside (after Mateescu and Bajić 2014).",
    prepare=prepare_hue_shift,
    order=32,
)
