"""Chroma: strengthen the colours of one side and mute the other's, hue and lightness kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazeshift.edit import Direction
from gazeshift_training.baselines.lab import lab_to_srgb
from gazeshift_training.baselines.method import Dial, FloatImage, Method
from gazeshift_training.metrics.cast import to_lab

if TYPE_CHECKING:
    from gazeshift_training.evaluation.pairs import Pair
    from gazeshift_training.evaluation.tools import Tools

STRONG, MUTED = 1.4, 0.5
"""Factors on chroma C*."""


def prepare_chroma(pair: Pair, direction: Direction, tools: Tools) -> Dial:
    """Scale chroma inside and outside the mask; the dial scales both changes."""
    lab = to_lab(pair.rgb)
    inside, outside = (STRONG, MUTED) if direction == "attract" else (MUTED, STRONG)

    def render(strength: float) -> FloatImage:
        if strength == 0.0:
            return pair.rgb
        factor = 1.0 + strength * ((inside - 1.0) * pair.mask + (outside - 1.0) * (1.0 - pair.mask))
        scaled = lab.copy()
        scaled[..., 1:] *= np.clip(factor, 0.0, None)[..., None]
        return lab_to_srgb(scaled)

    return render


METHOD = Method(
    id="chroma",
    label="Gamut/chroma",
    help="Chroma times 1.4 on one side of the mask's edge and times 0.5 on the other, in CIELAB.",
    prepare=prepare_chroma,
    order=34,
)
