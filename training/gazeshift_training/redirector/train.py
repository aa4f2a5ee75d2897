"""The redirector's training loop; it resumes where a killed run stopped."""

from __future__ import annotations

import copy
import json
import math
import time
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
    Pair,
    PairBatch,
    PairPlan,
    RedirectorData,
    candidates,
    group_by_shape,
    load_batch,
)
from gazeshift_training.redirector.losses import (
    fidelity_loss,
    log_gain,
    side_terms,
    weigh_terms,
)
from gazeshift_training.redirector.network import STYLE_SIZE, Prediction, RedirectorNetwork
from gazeshift_training.redirector.recipe import RedirectorRecipe
from gazeshift_training.redirector.rendering import prepare, render_edit
from gazeshift_training.redirector.styles import StyleReader

if TYPE_CHECKING:
    from pathlib import Path

    from gazeshift_training.lpips import Lpips
    from gazeshift_training.redirector.critics import AttentionEnsemble

WARM_UP = 60
"""Steps over which the learning rates rise."""
FITTING_PAIRS = 240
"""Pairs on which the network's input scaling is fitted before the first step."""


class RedirectorTrainer:
    """One training run: networks, optimizer, running average and where they stand.

    Parameters
    ----------
    recipe
        What to do.
    data
        What to do it with.
    attention
        The frozen attention network, asked in many ways.
    lpips
        The frozen distance between pictures.
    run
        Folder for checkpoints and the log.
    """

    def __init__(
        self,
        recipe: RedirectorRecipe,
        data: RedirectorData,
        attention: AttentionEnsemble,
        lpips: Lpips,
        run: Path,
    ) -> None:
        self.recipe, self.data, self.run_folder = recipe, data, run
        self.attention, self.lpips = attention, lpips
        torch.manual_seed(recipe.seed)
        self.network = RedirectorNetwork(recipe.design)
        if recipe.pretrained:
            load_imagenet_weights(self.network.backbone)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network.backbone.freeze_until(recipe.frozen_blocks)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.reader = StyleReader(self.network.bounding)
        backbone = [p for p in self.network.backbone.parameters() if p.requires_grad]
        others = [
            parameter
            for name, parameter in self.network.named_parameters()
            if not name.startswith(("backbone.", "entry."))
        ]
        entry = list(self.network.entry.parameters())
        self.optimizer = torch.optim.AdamW(
            [
                {"params": [*others, *self.reader.parameters()], "peak": recipe.head_rate},
                {"params": entry, "peak": recipe.entry_rate},
                {"params": backbone, "peak": recipe.backbone_rate},
            ],
            lr=recipe.head_rate,
            weight_decay=recipe.weight_decay,
        )
        self.step = 0
        self.started_from: dict[str, Any] | None = None
        start = math.log(recipe.weights.lpips_start)
        self.log_weight = {ATTRACT: start, DIVERT: start}
        self.plan = PairPlan(data, recipe)

    def train(self, until: int | None = None) -> None:
        """Train from where the run stands to `until` or the end; look and save on the way."""
        recipe = self.recipe
        self.run_folder.mkdir(parents=True, exist_ok=True)
        self._describe_run()
        if self.step == 0 and self.started_from is None:
            self._standardise_inputs()
        goal = recipe.steps if until is None else min(until, recipe.steps)
        bar = tqdm(
            total=recipe.steps, initial=self.step, desc=recipe.name, unit="step", disable=None
        )
        while self.step < goal:
            begun = time.monotonic()
            figures = self.advance()
            seconds = time.monotonic() - begun
            bar.update()
            bar.set_postfix(
                gain=f"{figures['gain']:.3f}", pairs_per_s=f"{recipe.batch / seconds:.1f}"
            )
            self._log({"step": self.step, "seconds": round(seconds, 3), **figures})
            if self.step % recipe.validate_every == 0 or self.step == recipe.steps:
                self._report_held_out()
            if self.step % recipe.save_every == 0 or self.step == goal:
                self.save()
        bar.close()

    @torch.no_grad()
    def _standardise_inputs(self) -> None:
        """Fit the network's input scaling to some training pairs."""
        generator = np.random.default_rng([self.recipe.seed, 11])
        described = []
        for step in range(max(1, FITTING_PAIRS // self.recipe.batch)):
            batch = load_batch(self.data, self.plan.pairs(step), generator)
            described.append(self.network.describe(_fast(batch.rgb), batch.mask))
        for network in (self.network, self.average):
            network.standardise_inputs(torch.cat(described))

    def advance(self) -> dict[str, float]:
        """Take one step; everything random in it follows from the seed and the step's number."""
        recipe, weights = self.recipe, self.recipe.weights
        generator = np.random.default_rng([recipe.seed, self.step, 3])
        self._schedule()
        pairs = self.plan.pairs(self.step)
        batch = load_batch(self.data, pairs, generator)
        styled = torch.from_numpy(generator.random(len(pairs)) < recipe.style_part)
        style = torch.from_numpy(generator.normal(size=(len(pairs), STYLE_SIZE))).float()
        style = style * styled[:, None]

        prepared = prepare(batch.rgb)
        predicted = self.network(_fast(batch.rgb), batch.mask, style)
        vector = torch.where(batch.direction[:, None] > 0, predicted.attract, predicted.divert)
        edited = render_edit(prepared, batch.mask, vector)

        share = self.attention.ask(edited, batch.mask, generator)
        gain = log_gain(batch.share, share, batch.direction)
        distance = self.distance(batch.rgb, edited)
        steered = torch.tensor(
            [math.exp(self.log_weight[pair.direction]) for pair in pairs], dtype=torch.float32
        )
        terms = side_terms(prepared, edited, batch.mask, vector, weights)
        raw = (vector - self.reader.identity) / self.reader.span
        loss = (
            -gain
            + fidelity_loss(distance, steered, weights)
            + weigh_terms(terms, weights)
            + weights.size * raw.square().sum(1)
        ).mean()
        missed = (self.reader(vector, batch.direction) - style).abs().mean(1)
        loss = loss + weights.style * (missed * styled).sum() / len(pairs)

        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 3.0)
        self.optimizer.step()
        self.step += 1
        self._update_average()
        self._steer(distance.detach(), batch.direction)
        figures = {"loss": loss, "gain": gain.mean(), "lpips": distance.mean()}
        figures |= {name: value.mean() for name, value in terms._asdict().items()}
        if bool(styled.any()):
            figures["style"] = missed[styled].mean()
        return {
            **{name: round(float(value.detach()), 5) for name, value in figures.items()},
            "weight_attract": round(math.exp(self.log_weight[ATTRACT]), 3),
            "weight_divert": round(math.exp(self.log_weight[DIVERT]), 3),
        }

    def distance(self, before: Tensor, after: Tensor) -> Tensor:
        """Return LPIPS (B,); in bfloat16, which changes it by less than a per cent."""
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                reference = self.lpips.features(_fast(before))
            return self.lpips.distance(self.lpips.features(_fast(after)), reference)

    def _steer(self, distance: Tensor, direction: Tensor) -> None:
        """Raise LPIPS's weight where edits are stronger than wanted, lower it where weaker."""
        weights = self.recipe.weights
        if self.step < WARM_UP:
            return
        for sign in (ATTRACT, DIVERT):
            chosen = distance[direction == sign]
            if len(chosen):
                target = weights.lpips_attract if sign == ATTRACT else weights.lpips_divert
                error = float(chosen.mean()) / target - 1.0
                moved = self.log_weight[sign] + weights.lpips_rate * max(-1.0, min(1.0, error))
                self.log_weight[sign] = max(math.log(0.5), min(math.log(60.0), moved))

    def _schedule(self) -> None:
        """Set the learning rates: a short rise, then a cosine fall."""
        fall = 0.5 * (1.0 + math.cos(math.pi * self.step / self.recipe.steps))
        rise = min(1.0, (self.step + 1) / WARM_UP)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * rise * fall + 1e-7

    @torch.no_grad()
    def _update_average(self) -> None:
        taken = self.step + (self.started_from["step"] if self.started_from else 0)
        decay = min(self.recipe.average, taken / (taken + 10.0))
        for kept, new in zip(self.average.parameters(), self.network.parameters(), strict=True):
            if new.requires_grad:
                kept.lerp_(new, 1.0 - decay)

    @torch.no_grad()
    def look_at_held_out(self) -> dict[str, float]:
        """Measure the running average on the photos held out, default style, nothing varied."""
        network = self.average.eval()
        figures: dict[str, float] = {}
        for name, sign in (("attract", ATTRACT), ("divert", DIVERT)):
            pairs = self._held_pairs(sign)
            before: list[Tensor] = []
            after: list[Tensor] = []
            distance: list[Tensor] = []
            columns: list[Tensor] = []
            for group in group_by_shape(self.data.pack, list(pairs), self.recipe.batch):
                batch = load_batch(self.data, [pairs[position] for position in group], None)
                prepared = prepare(batch.rgb)
                vector = self._predict(network, batch, sign)
                edited = render_edit(prepared, batch.mask, vector)
                before.append(batch.share)
                after.append(self.attention.measure(edited, batch.mask))
                distance.append(self.distance(batch.rgb, edited))
                terms = side_terms(prepared, edited, batch.mask, vector, self.recipe.weights)
                columns.append(torch.stack(terms, 1))
            if not before:
                continue
            old, new, far = torch.cat(before), torch.cat(after), torch.cat(distance)
            means = torch.cat(columns).mean(0)
            figures |= {
                f"{name}_ratio": float(new.mean() / old.mean()),
                f"{name}_right": float(((new - old) * sign > 0).float().mean()),
                f"{name}_lpips": float(far.mean()),
                f"{name}_cast": float(means[0]),
                f"{name}_turn": float(means[1]),
                f"{name}_clipped": float(means[3]),
            }
        return {key: round(value, 4) for key, value in figures.items()}

    def _held_pairs(self, sign: float) -> dict[int, Pair]:
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

    def _predict(self, network: RedirectorNetwork, batch: PairBatch, sign: float) -> Tensor:
        style = torch.zeros(len(batch.rgb), STYLE_SIZE)
        predicted: Prediction = network(_fast(batch.rgb), batch.mask, style)
        return predicted.attract if sign > 0 else predicted.divert

    def _report_held_out(self) -> None:
        figures = self.look_at_held_out()
        self._log({"step": self.step, **{f"held_{name}": v for name, v in figures.items()}})
        tqdm.write(f"step {self.step}: " + ", ".join(f"{k} {v:.3f}" for k, v in figures.items()))

    def save(self) -> None:
        """Write all that a resumed run needs, beside and renamed."""
        state = {
            "recipe": recipe_as_mapping(self.recipe),
            "step": self.step,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "reader": self.reader.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "started_from": self.started_from,
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
            If the checkpoint belongs to another recipe.
        """
        path = self.run_folder / "checkpoint.pt"
        if not path.exists():
            return False
        state: dict[str, Any] = torch.load(path, weights_only=True)
        if state["recipe"] != recipe_as_mapping(self.recipe):
            raise ValueError(f"{path} was made with another recipe; choose another run folder.")
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.reader.load_state_dict(state["reader"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.log_weight = dict(zip((ATTRACT, DIVERT), state["log_weight"], strict=True))
        self.step, self.started_from = state["step"], state["started_from"]
        return True

    def start_from(self, run: Path) -> None:
        """Take over the networks of another run, with this run's own recipe and schedule.

        Raises
        ------
        ValueError
            If that run has no checkpoint, or one of another design.
        """
        path = run / "checkpoint.pt"
        if not path.exists():
            raise ValueError(f"{path} does not exist.")
        state: dict[str, Any] = torch.load(path, weights_only=True)
        if state["recipe"]["design"] != recipe_as_mapping(self.recipe)["design"]:
            raise ValueError(f"{path} was made with another design.")
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.reader.load_state_dict(state["reader"])
        self.log_weight = dict(zip((ATTRACT, DIVERT), state["log_weight"], strict=True))
        self.started_from = {"run": run.name, "step": state["step"], "recipe": state["recipe"]}

    def _describe_run(self) -> None:
        about = {
            "recipe": recipe_as_mapping(self.recipe),
            "started_from": self.started_from,
            "data": self.data.manifest(),
            "git": git_revision(),
            "torch": torch.__version__,
        }
        text = json.dumps(about, indent=2) + "\n"
        (self.run_folder / "run.json").write_text(text, encoding="utf-8")

    def _log(self, figures: dict[str, Any]) -> None:
        with (self.run_folder / "log.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(figures) + "\n")


def load_trained(run: Path) -> tuple[RedirectorRecipe, RedirectorNetwork, int]:
    """Read a run's recipe, its averaged network and how many steps it took.

    Raises
    ------
    ValueError
        If the run has no checkpoint, or one of another version of this package.
    """
    path = run / "checkpoint.pt"
    if not path.exists():
        raise ValueError(f"{path} does not exist.")
    state: dict[str, Any] = torch.load(path, weights_only=True)
    recipe = fill_recipe(RedirectorRecipe(), state["recipe"])
    network = RedirectorNetwork(recipe.design)
    try:
        network.load_state_dict(state["average"])
    except RuntimeError as error:
        raise ValueError(f"{path} holds another network: {error}") from error
    return recipe, network.eval(), state["step"]


def _fast(rgb: Tensor) -> Tensor:
    return rgb.contiguous(memory_format=torch.channels_last)
