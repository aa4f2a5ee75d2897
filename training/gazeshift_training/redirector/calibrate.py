"""Finds the factor along the dial at which the mean LPIPS meets its budget.

Chosen on training photos that were held out, at the size the network is used at; neither the
validation photos nor the judging network have a say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gazeshift_training.colour import hue_turn_deg, neutral_cast, srgb_to_lab
from gazeshift_training.instances import (
    TRAINING_AREA,
    VALIDATION_AREA,
    VALIDATION_SEED,
    Instance,
    eligible,
    hold_out,
    read_instances,
)
from gazeshift_training.metrics.clipping import newly_clipped_part
from gazeshift_training.redirector.losses import attention_share
from gazeshift_training.redirector.network import STYLE_SIZE
from gazeshift_training.redirector.ranges import scale_edit
from gazeshift_training.redirector.rendering import Prepared, prepare, render_edit

if TYPE_CHECKING:
    from pathlib import Path

    from gazeshift_training.attention.network import AttentionNetwork
    from gazeshift_training.lpips import Lpips
    from gazeshift_training.redirector.networks import AnyRedirector

DIRECTIONS = ("attract", "divert")
SMALLEST_GAIN, LARGEST_GAIN = 0.6, 1.4
_REFINEMENTS = 2
_GROWTH = 1.8


class Effect(NamedTuple):
    """Means over the pairs at one gain."""

    gain: float
    """Factor along the dial."""
    lpips: float
    """Mean distance."""
    ratio: float
    """Mean share after over mean share before."""
    right: float
    """Part of the pairs whose share moved the wanted way."""
    cast: float
    """Mean colour cast of neutral pixels inside the mask."""
    turn_deg: float
    """Mean size of the hue turn of coloured pixels inside the mask."""
    clipped: float
    """Mean part of the pixels that are newly black or white in a channel."""


class _Sample(NamedTuple):
    prepared: Prepared
    mask: Tensor
    vectors: tuple[Tensor, Tensor]
    share: float
    features: list[Tensor]
    lab: Tensor


class Calibrator:
    """Holds some pairs ready to be edited at any gain.

    Parameters
    ----------
    network
        The trained network.
    attention
        Measures shares.
    lpips
        Measures distances.
    pairs
        Pixels (H, W, 3), sRGB codes, and mask (H, W), 0-1.
    largest_share
        Pairs whose mask draws more before any edit are left out.
    """

    def __init__(
        self,
        network: AnyRedirector,
        attention: AttentionNetwork,
        lpips: Lpips,
        pairs: Sequence[tuple[NDArray[np.uint8], NDArray[np.float32]]],
        largest_share: float = 1.0,
    ) -> None:
        self.attention, self.lpips, self.design = attention, lpips, network.design
        with torch.no_grad():
            samples = [self._sample(network, *pair) for pair in pairs]
        self.samples = [sample for sample in samples if sample.share <= largest_share]

    def _sample(
        self, network: AnyRedirector, codes: NDArray[np.uint8], region: NDArray[np.float32]
    ) -> _Sample:
        rgb = torch.from_numpy(codes.copy()).permute(2, 0, 1)[None].float() / 255.0
        mask = torch.from_numpy(region)[None, None]
        predicted = network(rgb, mask, torch.zeros(1, STYLE_SIZE))
        share = float(attention_share(self.attention(rgb), mask))
        features = self.lpips.features(rgb)
        return _Sample(prepare(rgb), mask, tuple(predicted), share, features, srgb_to_lab(rgb))

    @torch.no_grad()
    def measure(self, direction: int, gain: float, *, only_lpips: bool = False) -> Effect:
        """Edit all pairs at one gain; direction 0 attracts, 1 diverts."""
        rows: list[list[float]] = []
        for sample in self.samples:
            vector = scale_edit(sample.vectors[direction], gain, self.design.ids)
            operators = self.design.operators
            edited = render_edit(sample.prepared, sample.mask, vector, operators)
            edited = (edited * 255.0).round() / 255.0
            row = [float(self.lpips.distance(self.lpips.features(edited), sample.features))]
            if not only_lpips:
                lab, inside = srgb_to_lab(edited), sample.mask[:, 0]
                row += [
                    sample.share,
                    float(attention_share(self.attention(edited), sample.mask)),
                    float(neutral_cast(sample.lab, lab, inside)),
                    abs(float(hue_turn_deg(sample.lab, lab, inside))),
                    _clipped_part(sample.prepared.rgb, edited),
                ]
            rows.append(row)
        table = np.array(rows)
        mean = table.mean(0)
        if only_lpips:
            return Effect(gain, float(mean[0]), *[float("nan")] * 5)
        moved = table[:, 2] > table[:, 1] if direction == 0 else table[:, 2] < table[:, 1]
        return Effect(
            gain,
            float(mean[0]),
            float(mean[2] / mean[1]),
            float(moved.mean()),
            float(mean[3]),
            float(mean[4]),
            float(mean[5]),
        )

    def find_gain(self, direction: int, budget: float) -> float:
        """Return the gain at which the mean LPIPS is `budget`, rounded to 0.01."""
        return find_crossing(
            lambda gain: self.measure(direction, gain, only_lpips=True).lpips, budget
        )


def calibration_pairs(data: Path, held_out: int) -> list[Instance]:
    """Choose one instance of every held-out training photo by the rules of the validation pairs.

    Parameters
    ----------
    data
        Folder with `instances.csv`.
    held_out
        How many photos training kept back; the division must be the one that it made.

    Returns
    -------
    list of Instance
        In a fixed order; the share before any edit is not looked at.
    """
    table = read_instances(data / "instances.csv")
    _, held = hold_out(sorted(eligible(table, "train", TRAINING_AREA)), held_out)
    groups = eligible(table, "train", VALIDATION_AREA)
    generator = np.random.default_rng(VALIDATION_SEED)
    return [
        groups[photo][int(generator.integers(len(groups[photo])))]
        for photo in held
        if photo in groups
    ]


def _clipped_part(before: Tensor, after: Tensor) -> float:
    rows = [np.asarray(rgb[0].permute(1, 2, 0), np.float32) for rgb in (before, after)]
    return newly_clipped_part(*rows)


def find_crossing(measure: Callable[[float], float], budget: float) -> float:
    """Find the gain at which LPIPS meets its budget; rounded to 0.01.

    LPIPS grows with the gain to the power of about 1.8, so two steps along that law are enough.
    """
    gain = 1.0
    for _ in range(_REFINEMENTS):
        distance = measure(gain)
        # An edit that changes nothing is as far from its budget as can be.
        step = (budget / distance) ** (1.0 / _GROWTH) if distance > 0.0 else LARGEST_GAIN
        gain = min(max(gain * step, SMALLEST_GAIN), LARGEST_GAIN)
    return round(gain, 2)
