"""Looks at a network with the training photos held out: the same pairs for every run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from gazeshift_training.redirector.data import (
    ATTRACT,
    DIVERT,
    Pair,
    PairBatch,
    RedirectorData,
    candidates,
    channels_last,
    group_by_shape,
    load_batch,
)
from gazeshift_training.redirector.losses import side_terms
from gazeshift_training.redirector.network import STYLE_SIZE
from gazeshift_training.redirector.rendering import Prepared, prepare, render_edit

if TYPE_CHECKING:
    from gazeshift_training.redirector.critics import AttentionEnsemble
    from gazeshift_training.redirector.networks import AnyRedirector
    from gazeshift_training.redirector.recipe import RedirectorRecipe

DIRECTIONS = (("attract", ATTRACT), ("divert", DIVERT))


class Shown(NamedTuple):
    """One edit to look at."""

    name: str
    """Direction and number."""
    before: Tensor
    """Shape (3, H, W), 0-1."""
    after: Tensor
    """Shape (3, H, W), 0-1."""


class HeldOutLook:
    """Measures networks on photos that training never sees, default style, nothing varied.

    Parameters
    ----------
    data
        Where the pairs come from.
    recipe
        Which pairs make sense, and how many are measured at once.
    attention
        Measures shares.
    distance
        Gives LPIPS (B,) between two batches.
    device
        Where to work.
    """

    def __init__(
        self,
        data: RedirectorData,
        recipe: RedirectorRecipe,
        attention: AttentionEnsemble,
        distance: Callable[[Tensor, Tensor], Tensor],
        device: torch.device,
    ) -> None:
        self.data, self.recipe, self.attention = data, recipe, attention
        self.distance, self.device = distance, device

    @torch.no_grad()
    def measure(self, network: AnyRedirector) -> dict[str, float]:
        """Return the means for both directions."""
        figures: dict[str, float] = {}
        for name, sign in DIRECTIONS:
            pairs = self.pairs(sign)
            rows: list[Tensor] = []
            for group in group_by_shape(self.data.pack, list(pairs), self.recipe.batch):
                batch = self._load([pairs[position] for position in group])
                prepared = prepare(batch.rgb)
                vector = self._predict(network, batch, sign)
                edited = self._render(prepared, batch, vector)
                terms = side_terms(prepared, edited, batch.mask, vector, self.recipe.weights)
                share = self.attention.measure(edited, batch.mask)
                distance = self.distance(batch.rgb, edited)
                rows.append(torch.stack((batch.share, share, distance, *terms), 1).cpu())
            if not rows:
                continue
            table = torch.cat(rows)
            old, new, means = table[:, 0], table[:, 1], table.mean(0)
            figures |= {
                f"{name}_ratio": float(means[1] / means[0]),
                f"{name}_right": float(((new - old) * sign > 0).float().mean()),
                f"{name}_lpips": float(means[2]),
                f"{name}_cast": float(means[3]),
                f"{name}_turn": float(means[4]),
                f"{name}_clipped": float(means[6]),
            }
        return {key: round(value, 4) for key, value in figures.items()}

    @torch.no_grad()
    def pictures(self, network: AnyRedirector, count: int) -> list[Shown]:
        """Return the first `count` pairs of each direction, before and after."""
        shown: list[Shown] = []
        for name, sign in DIRECTIONS:
            for number, pair in enumerate(list(self.pairs(sign).values())[:count]):
                batch = self._load([pair])
                vector = self._predict(network, batch, sign)
                edited = self._render(prepare(batch.rgb), batch, vector)
                shown.append(Shown(f"{name}/{number}", batch.rgb[0].cpu(), edited[0].cpu()))
        return shown

    def pairs(self, sign: float) -> dict[int, Pair]:
        """One pair per photo held out, the same for every run."""
        chosen: dict[int, Pair] = {}
        for position, numbers in self.data.held.items():
            fitting = [
                pair
                for pair in candidates(self.data, self.recipe, position, numbers)
                if pair.direction == sign
            ]
            if fitting:
                chosen[position] = fitting[position % len(fitting)]
        return chosen

    def _load(self, pairs: list[Pair]) -> PairBatch:
        batch = load_batch(self.data, pairs, None)
        return PairBatch(*(part.to(self.device) for part in vars(batch).values()))

    def _render(self, prepared: Prepared, batch: PairBatch, vector: Tensor) -> Tensor:
        return render_edit(prepared, batch.mask, vector, self.recipe.design.operators)

    def _predict(self, network: AnyRedirector, batch: PairBatch, sign: float) -> Tensor:
        style = batch.rgb.new_zeros(len(batch.rgb), STYLE_SIZE)
        predicted = network(channels_last(batch.rgb), batch.mask, style)
        vector: Tensor = predicted.attract if sign > 0 else predicted.divert
        return vector
