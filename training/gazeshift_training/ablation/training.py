"""Brief training of one variant: the same pairs, losses and steps for all of them.

The backbone stays as ImageNet left it and the mask does not enter it, so what it says of a pair
is worked out once and serves every variant and every run.
"""

from __future__ import annotations

import copy
import json
import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from gazeshift_training.backbone import load_imagenet_weights
from gazeshift_training.process import git_revision
from gazeshift_training.recipe import fill_recipe, recipe_as_mapping
from gazeshift_training.redirector.data import (
    ATTRACT,
    DIVERT,
    PairBatch,
    PairPlan,
    RedirectorData,
    load_batch,
)
from gazeshift_training.redirector.losses import (
    fidelity_loss,
    log_gain,
    side_terms,
    weigh_terms,
)
from gazeshift_training.redirector.network import STYLE_SIZE, RedirectorNetwork
from gazeshift_training.redirector.recipe import RedirectorRecipe
from gazeshift_training.redirector.rendering import prepare, render_edit

if TYPE_CHECKING:
    from pathlib import Path

    from gazeshift_training.ablation.variants import Variant
    from gazeshift_training.lpips import Lpips
    from gazeshift_training.redirector.critics import AttentionEnsemble

WARM_UP = 8
"""Steps over which the learning rate rises."""
LARGEST_NORM = 3.0
"""Gradients are scaled down to this length."""


class Lessons:
    """The pairs of every step, and what the untrained network's backbone says of them.

    Parameters
    ----------
    recipe
        Gives seed, steps and batch.
    data
        Where the pairs come from.
    cache
        File the descriptions are kept in between runs.
    """

    def __init__(self, recipe: RedirectorRecipe, data: RedirectorData, cache: Path) -> None:
        self.recipe, self.data = recipe, data
        self._plan = PairPlan(data, recipe)
        self._cache = cache
        self.described = self._describe()

    def batch(self, step: int) -> PairBatch:
        """Return the pairs of a step, varied by chance in the same way each time."""
        generator = np.random.default_rng([self.recipe.seed, step, 3])
        return load_batch(self.data, self._plan.pairs(step), generator)

    @torch.no_grad()
    def _describe(self) -> list[Tensor]:
        about = {
            "data": self.data.manifest(),
            "design": recipe_as_mapping(self.recipe.design),
            "numbers": [self.recipe.seed, self.recipe.batch, self.recipe.area],
        }
        described: list[Tensor] = []
        if self._cache.exists():
            kept: dict[str, Any] = torch.load(self._cache, weights_only=True)
            if kept["about"] == about:
                described = kept["described"]
        if len(described) < self.recipe.steps:
            network = build_network(self.recipe)
            steps = range(len(described), self.recipe.steps)
            for step in tqdm(steps, "describing photos", unit="step", disable=None):
                batch = self.batch(step)
                described.append(network.describe(batch.rgb, batch.mask))
            partial = self._cache.with_suffix(".partial")
            torch.save({"about": about, "described": described}, partial)
            partial.replace(self._cache)
        return described


def build_network(recipe: RedirectorRecipe) -> RedirectorNetwork:
    """Build an untrained network on the ImageNet backbone, its first weights by the seed."""
    torch.manual_seed(recipe.seed)
    network = RedirectorNetwork(recipe.design)
    if recipe.pretrained:
        load_imagenet_weights(network.backbone)
    return network.eval()


class BriefTrainer:
    """Trains the shared layers and heads of one variant.

    Parameters
    ----------
    variant
        Which.
    recipe
        Budget and losses; its design is the one that the variant changes.
    lessons
        The pairs, shared by all variants.
    attention
        The frozen attention network, asked in many ways.
    lpips
        The frozen distance between pictures.
    run
        Folder of this variant's run.
    """

    def __init__(
        self,
        variant: Variant,
        recipe: RedirectorRecipe,
        lessons: Lessons,
        attention: AttentionEnsemble,
        lpips: Lpips,
        run: Path,
    ) -> None:
        self.variant, self.recipe, self.lessons, self.run_folder = variant, recipe, lessons, run
        self.attention, self.lpips = attention, lpips
        self.design = variant.design(recipe.design)
        self.own_recipe = replace(recipe, design=self.design)
        self.network = build_network(self.own_recipe).requires_grad_(False)
        trained = [self.network.entry, self.network.middle, self.network.heads]
        for module in trained:
            module.requires_grad_(True)
        self.network.standardise_inputs(torch.cat(lessons.described))
        entry = list(self.network.entry.parameters())
        others = [p for module in trained[1:] for p in module.parameters()]
        self.parameters = [*entry, *others]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": entry, "peak": recipe.entry_rate},
                {"params": others, "peak": recipe.head_rate},
            ],
            lr=recipe.head_rate,
            weight_decay=recipe.weight_decay,
        )
        self.average = [parameter.detach().clone() for parameter in self.parameters]
        self.step = 0
        start = math.log(recipe.weights.lpips_start)
        self.log_weight = {ATTRACT: start, DIVERT: start}

    def train(self, until: int | None = None) -> None:
        """Train from where the run stands to `until` or the end; save at either."""
        self.run_folder.mkdir(parents=True, exist_ok=True)
        self._describe_run()
        goal = self.recipe.steps if until is None else min(until, self.recipe.steps)
        bar = tqdm(
            total=self.recipe.steps,
            initial=self.step,
            desc=self.variant.id,
            unit="step",
            disable=None,
        )
        while self.step < goal:
            begun = time.monotonic()
            figures = self.advance()
            bar.update()
            bar.set_postfix(gain=f"{figures['gain']:.3f}", lpips=f"{figures['lpips']:.3f}")
            seconds = round(time.monotonic() - begun, 3)
            with (self.run_folder / "log.jsonl").open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"step": self.step, "seconds": seconds, **figures}) + "\n")
            if self.step % self.recipe.save_every == 0 or self.step == goal:
                self.save()
        bar.close()

    def advance(self) -> dict[str, float]:
        """Take one step; everything random in it follows from the seed and the step's number."""
        recipe, weights = self.recipe, self.recipe.weights
        generator = np.random.default_rng([recipe.seed, self.step, 5])
        self._schedule()
        batch = self.lessons.batch(self.step)
        style = torch.zeros(len(batch.rgb), STYLE_SIZE)
        predicted = self.network.predict(self.lessons.described[self.step], style)
        vector = torch.where(batch.direction[:, None] > 0, predicted.attract, predicted.divert)
        prepared = prepare(batch.rgb)
        edited = render_edit(prepared, batch.mask, vector, self.design.operators)
        share = self.attention.ask(edited, batch.mask, generator)
        gain = log_gain(batch.share, share, batch.direction)
        with torch.no_grad():
            reference = self.lpips.features(batch.rgb)
        distance = self.lpips.distance(self.lpips.features(edited), reference)
        steered = torch.tensor([math.exp(self.log_weight[float(d)]) for d in batch.direction])
        terms = side_terms(prepared, edited, batch.mask, vector, weights)
        bounding = self.network.bounding
        raw = (vector - bounding.identity.repeat(2)) / bounding.span.repeat(2)
        loss = (
            -gain
            + fidelity_loss(distance, steered, weights)
            + weigh_terms(terms, weights)
            + weights.size * raw.square().sum(1)
        ).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.parameters, LARGEST_NORM)
        self.optimizer.step()
        self.step += 1
        self._update_average()
        self._steer(distance.detach(), batch.direction)
        figures = {"loss": loss, "gain": gain.mean(), "lpips": distance.mean()}
        return {name: round(float(value.detach()), 5) for name, value in figures.items()}

    def _schedule(self) -> None:
        rise = min(1.0, (self.step + 1) / WARM_UP)
        fall = 0.5 * (1.0 + math.cos(math.pi * self.step / self.recipe.steps))
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * rise * (0.1 + 0.9 * fall)

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.recipe.average, self.step / (self.step + 5.0))
        for kept, parameter in zip(self.average, self.parameters, strict=True):
            kept.lerp_(parameter, 1.0 - decay)

    def _steer(self, distance: Tensor, direction: Tensor) -> None:
        """Raise LPIPS's weight where edits are stronger than wanted, lower it where weaker."""
        weights = self.recipe.weights
        if self.step < WARM_UP:
            return
        targets = {ATTRACT: weights.lpips_attract, DIVERT: weights.lpips_divert}
        for sign, target in targets.items():
            chosen = distance[direction == sign]
            if len(chosen):
                error = float(chosen.mean()) / target - 1.0
                moved = self.log_weight[sign] + weights.lpips_rate * max(-1.0, min(1.0, error))
                self.log_weight[sign] = max(math.log(0.5), min(math.log(60.0), moved))

    def averaged(self) -> RedirectorNetwork:
        """Return a network with the averaged weights."""
        network = copy.deepcopy(self.network)
        names = {id(p): name for name, p in self.network.named_parameters()}
        with torch.no_grad():
            for kept, parameter in zip(self.average, self.parameters, strict=True):
                network.get_parameter(names[id(parameter)]).copy_(kept)
        return network

    def save(self) -> None:
        """Write all that a resumed run and the evaluation need, beside and renamed."""
        state = {
            "variant": self.variant.id,
            "recipe": recipe_as_mapping(self.own_recipe),
            "step": self.step,
            "parameters": [parameter.detach() for parameter in self.parameters],
            "average": self.average,
            "network": self.averaged().state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "log_weight": [self.log_weight[ATTRACT], self.log_weight[DIVERT]],
        }
        path = self.run_folder / "checkpoint.pt"
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)

    def resume(self) -> bool:
        """Continue from the run folder's checkpoint; False if there is none.

        Raises
        ------
        ValueError
            If the checkpoint belongs to another recipe or variant.
        """
        path = self.run_folder / "checkpoint.pt"
        if not path.exists():
            return False
        state: dict[str, Any] = torch.load(path, weights_only=True)
        kept = fill_recipe(RedirectorRecipe(), state["recipe"])
        if kept != self.own_recipe:
            raise ValueError(f"{path} was made with another recipe; choose another run folder.")
        with torch.no_grad():
            for parameter, value in zip(self.parameters, state["parameters"], strict=True):
                parameter.copy_(value)
        self.average = list(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.log_weight = dict(zip((ATTRACT, DIVERT), state["log_weight"], strict=True))
        self.step = state["step"]
        return True

    def _describe_run(self) -> None:
        about = {
            "variant": self.variant.id,
            "recipe": recipe_as_mapping(self.own_recipe),
            "data": self.lessons.data.manifest(),
            "git": git_revision(),
        }
        text = json.dumps(about, indent=2) + "\n"
        (self.run_folder / "run.json").write_text(text, encoding="utf-8")
