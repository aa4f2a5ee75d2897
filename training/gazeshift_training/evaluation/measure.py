"""Everything that is measured about one edited photo, by every judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from gazeshift.attention import attention_share
from gazeshift_training.metrics.cast import hue_turn_deg, neutral_cast, to_lab
from gazeshift_training.metrics.clipping import newly_clipped_part
from gazeshift_training.metrics.saliency import absolute_increase, min_max, relative_increase
from gazeshift_training.metrics.similarity import correlation, weighted_f_beta

if TYPE_CHECKING:
    from gazeshift.attention import AttentionModel
    from gazeshift_training.evaluation.pairs import FloatImage, Pair
    from gazeshift_training.metrics.fidelity import FidelityJudge

Row = dict[str, float]
"""Measure to value; NaN where the quantity does not exist on this photo."""

MASK_THRESHOLD = 0.5
"""The weighted F-beta knows no soft masks: above this a pixel is inside."""


def enlarge(attention: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Stretch a map to a photo's size by linear interpolation."""
    small = torch.from_numpy(attention)[None, None]
    large = functional.interpolate(
        small, size=(height, width), mode="bilinear", align_corners=False
    )
    stretched: NDArray[np.float32] = large[0, 0].numpy()
    return stretched


class PairMeter:
    """Measures edited versions of one photo; what belongs to the photo itself is kept.

    Parameters
    ----------
    pair
        The photo before, with its mask.
    judges
        Attention networks by name.
    fidelity
        LPIPS of this pair.
    """

    def __init__(
        self, pair: Pair, judges: Mapping[str, AttentionModel], fidelity: FidelityJudge
    ) -> None:
        self.pair = pair
        self._judges = judges
        self._fidelity = fidelity
        self._before = {name: judge.map(pair.rgb) for name, judge in judges.items()}
        self._lab = to_lab(pair.rgb)
        self._inside = pair.mask > MASK_THRESHOLD

    def brief(self, edited: FloatImage) -> Row:
        """Measure what a curve over strength needs.

        Parameters
        ----------
        edited
            Shape (H, W, 3), encoded, 0-1.

        Returns
        -------
        dict
            `lpips`, and `share_before.<judge>`, `share_after.<judge>` for each judge.
        """
        row: Row = {"lpips": self._fidelity.distance(edited)}
        for name, judge in self._judges.items():
            row[f"share_before.{name}"] = attention_share(self._before[name], self.pair.mask)
            after = self._before[name] if edited is self.pair.rgb else judge.map(edited)
            row[f"share_after.{name}"] = attention_share(after, self.pair.mask)
        return row

    def full(self, edited: FloatImage) -> Row:
        """Measure all that the table shows.

        Parameters
        ----------
        edited
            Shape (H, W, 3), encoded, 0-1.

        Returns
        -------
        dict
            `lpips`, `lpips_bg`, `lpips_fg`, `clipped` (0-1), `cast_inside`, `cast_outside`
            (CIELAB units), `turn_inside`, `turn_outside` (degrees, signed), and for each judge
            `share_before`, `share_after`, `absolute`, `relative`, `cc`, `wfb` with its name
            behind a dot.
        """
        mask = self.pair.mask
        row: Row = {
            "lpips": self._fidelity.distance(edited),
            "lpips_bg": self._fidelity.distance(edited, "bg"),
            "lpips_fg": self._fidelity.distance(edited, "fg"),
            "clipped": newly_clipped_part(self.pair.rgb, edited),
        }
        lab = to_lab(edited)
        for region, weights in (("inside", mask), ("outside", 1.0 - mask)):
            row[f"cast_{region}"] = neutral_cast(self._lab, lab, weights)
            row[f"turn_{region}"] = hue_turn_deg(self._lab, lab, weights)
        for name, judge in self._judges.items():
            before = enlarge(self._before[name], *mask.shape)
            small = self._before[name] if edited is self.pair.rgb else judge.map(edited)
            after = enlarge(small, *mask.shape)
            measures = {
                "share_before": attention_share(self._before[name], mask),
                "share_after": attention_share(small, mask),
                "absolute": absolute_increase(before, after, mask),
                "relative": relative_increase(before, after, mask),
                "cc": correlation(after, mask),
                "wfb": weighted_f_beta(min_max(after), self._inside),
            }
            row.update({f"{measure}.{name}": value for measure, value in measures.items()})
        return row
