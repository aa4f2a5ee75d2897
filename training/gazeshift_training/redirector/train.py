"""The redirector's training loop; it resumes where a killed run stopped."""

from __future__ import annotations

import copy
import json
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from gazeshift_training.precision import Precision
from gazeshift_training.process import git_revision
from gazeshift_training.recipe import fill_recipe, recipe_as_mapping
from gazeshift_training.redirector.board import MISSING, Board, open_board
from gazeshift_training.redirector.data import RedirectorData, channels_last, load_batch
from gazeshift_training.redirector.held_out import HeldOutLook
from gazeshift_training.redirector.inputs import StepDrawer, StepInputs, StepLoader
from gazeshift_training.redirector.network import RedirectorNetwork
from gazeshift_training.redirector.networks import (
    AnyRedirector,
    build_network,
    parameter_groups,
    prepare_for_training,
)
from gazeshift_training.redirector.objectives import (
    Judged,
    Players,
    SteeredObjective,
    build_objective,
    rate_factor,
)
from gazeshift_training.redirector.recipe import RedirectorRecipe
from gazeshift_training.redirector.rendering import Prepared, prepare, render_edit
from gazeshift_training.redirector.styles import StyleReader
from gazeshift_training.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from gazeshift_training.lpips import Lpips
    from gazeshift_training.redirector.critics import AttentionEnsemble
    from gazeshift_training.redirector.realism import RealismNetwork

FITTING_PAIRS = 240
"""Pairs on which the network's input scaling is fitted before the first step."""
SHOWN_PAIRS = 3
"""Pairs of each direction that a look shows before and after."""


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
    world
        Which process this is among those that train together, and its device.
    realism
        The frozen realism network, where the recipe's objective needs one.

    Raises
    ------
    ValueError
        If the recipe names something unknown, or its batch is too small for so many processes.
    """

    def __init__(
        self,
        recipe: RedirectorRecipe,
        data: RedirectorData,
        attention: AttentionEnsemble,
        lpips: Lpips,
        run: Path,
        world: World | None = None,
        realism: RealismNetwork | None = None,
    ) -> None:
        self.recipe, self.data, self.run_folder = recipe, data, run
        self.world = world or World()
        self.device = self.world.device
        if self.world.size > 1 and recipe.batch < 2 * self.world.size:
            raise ValueError(
                f"A batch of {recipe.batch} is too small for {self.world.size} processes; "
                "each needs two pairs."
            )
        self.precision = Precision(recipe.precision, self.device)
        self.attention, self.lpips = attention.to(self.device), lpips.to(self.device)
        torch.manual_seed(recipe.seed)
        self.network = build_network(recipe.design)
        prepare_for_training(self.network, recipe)
        self.network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.reader = StyleReader(self.network.bounding, recipe.style_seen).to(self.device)
        self.optimizer = build_optimizer(
            recipe, parameter_groups(self.network, self.reader, recipe)
        )
        self.objective = build_objective(recipe, self.distance, self.world, self.precision, realism)
        self.players = self.world.wrap(Players(self.network, self.reader))
        self.step = 0
        self.started_from: dict[str, Any] | None = None
        drawer = StepDrawer(data, recipe, self.world)
        self.plan, self.loader = drawer.plan, StepLoader(drawer.draw)
        self.look = HeldOutLook(data, recipe, attention, self.distance, self.device)
        self.board: Board | None = None

    @property
    def log_weight(self) -> dict[float, float]:
        """Logarithms of LPIPS's weight by direction, where it is steered."""
        return self.objective.log_weight if isinstance(self.objective, SteeredObjective) else {}

    def train(self, until: int | None = None) -> None:
        """Train from where the run stands to `until` or the end; look and save on the way."""
        recipe = self.recipe
        if self.step == 0 and self.started_from is None:
            self._standardise_inputs()
        if self.world.leads:
            self.run_folder.mkdir(parents=True, exist_ok=True)
            self._describe_run()
            self.board = open_board(self.run_folder / "board", self.step)
            if self.board is None:
                tqdm.write(MISSING, file=sys.stderr)
        goal = recipe.steps if until is None else min(until, recipe.steps)
        bar = tqdm(
            total=recipe.steps,
            initial=self.step,
            desc=recipe.name,
            unit="step",
            disable=None if self.world.leads else True,
        )
        edits, waited, busy = 0.0, 0.0, 0.0
        while self.step < goal:
            begun = time.monotonic()
            figures = self.advance()
            seconds = time.monotonic() - begun
            edits, waited = edits + figures.pop("edits"), waited + self.loader.waited_s
            busy += seconds
            bar.update()
            bar.set_postfix(
                gain=f"{figures['gain']:.3f}",
                edits_per_s=f"{edits / busy:.1f}",
                waiting=f"{waited / busy:.1%}",
            )
            timing = {"seconds": round(seconds, 3), "waited": round(self.loader.waited_s, 4)}
            self._log({"step": self.step, **timing, **figures})
            if self.step % recipe.validate_every == 0 or self.step == recipe.steps:
                self._report_held_out()
            if self.step % recipe.save_every == 0 or self.step == goal:
                self.save()
        bar.close()
        self.loader.close()
        if self.board is not None:
            self.board.close()
        if self.world.leads and busy:
            tqdm.write(
                f"{edits / busy:.2f} edits per second; {waited / busy:.2%} of the time was spent "
                "waiting for data",
                file=sys.stderr,
            )
        self.world.wait()

    @torch.no_grad()
    def _standardise_inputs(self) -> None:
        """Fit the network's input scaling to some training pairs, where it has one."""
        if not isinstance(self.network, RedirectorNetwork):
            return
        scaling = None
        if self.world.leads:
            generator = np.random.default_rng([self.recipe.seed, 11])
            described = []
            for step in range(max(1, FITTING_PAIRS // self.recipe.batch)):
                batch = load_batch(self.data, self.plan.pairs(step), generator)
                rgb, mask = batch.rgb.to(self.device), batch.mask.to(self.device)
                described.append(self.network.describe(channels_last(rgb), mask).cpu())
            scaling = torch.cat(described)
        # One process measures for all: rounding differs between machines.
        shared = self.world.share(scaling)
        if shared is not None:
            for network in (self.network, self.average):
                cast(RedirectorNetwork, network).standardise_inputs(shared.to(self.device))

    def advance(self) -> dict[str, float]:
        """Take one step; everything random in it follows from the seed and the step's number."""
        recipe = self.recipe
        rate = rate_factor(recipe, self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * rate + 1e-7
        inputs = self.loader.take(self.step)
        with self.precision.context():
            vector, missed = self.players(
                channels_last(inputs.rgb),
                inputs.mask,
                inputs.style,
                None if inputs.in_order else inputs.row,
                inputs.direction,
                inputs.noise,
                inputs.readings,
            )
        judged = self._render(inputs, vector)
        verdict = self.objective.judge(judged)
        styled = inputs.styled[inputs.row]
        if inputs.readings is not None:
            styled = torch.ones_like(styled)
        rows = verdict.loss + self.objective.style_weight * missed * styled
        # Gradients are averaged over the processes; the sum is divided by the step's whole size.
        loss = self.world.size * rows.sum() / inputs.edits

        self.optimizer.zero_grad(set_to_none=True)
        self.precision.backward(loss)
        self.precision.step(self.optimizer, self.network, recipe.gradient_limit)
        self.step += 1
        self._update_average()
        learnt = self.objective.learn(judged, verdict, self.step)
        columns = {"loss": rows, **verdict.figures}
        sums = [column.detach().float().sum() for column in columns.values()]
        sums += [(missed * styled).detach().sum(), styled.float().sum()]
        *means, style, count = (self.world.total(torch.stack(sums)) / inputs.edits).tolist()
        figures = dict(zip(columns, means, strict=True))
        if count:
            figures["style"] = style / count
        rounded = {name: round(value, 5) for name, value in figures.items()}
        return {**rounded, **learnt, "edits": float(inputs.edits)}

    def _render(self, inputs: StepInputs, vector: Tensor) -> Judged:
        """Render the edits and ask the attention network about them."""
        prepared, mask = prepare(inputs.rgb), inputs.mask
        if not inputs.in_order:
            prepared = Prepared(*(picture[inputs.row] for picture in prepared))
            mask = mask[inputs.row]
        edited = render_edit(prepared, mask, vector, self.recipe.design.operators)
        with self.precision.context():
            after = self.attention.ask(
                edited, mask, inputs.generator if self.recipe.varied_attention else None
            )
        raw = (vector - self.reader.identity) / self.reader.span
        return Judged(
            rgb=inputs.rgb,
            photos=inputs.photos,
            prepared=prepared,
            edited=edited,
            mask=mask,
            vector=vector,
            direction=inputs.direction,
            before=inputs.share,
            after=after,
            size=raw.square().sum(1),
            edits=inputs.edits,
        )

    def distance(self, before: Tensor, after: Tensor) -> Tensor:
        """Return LPIPS (B,); in bfloat16, which changes it by less than a per cent."""
        with self.precision.distance_context():
            with torch.no_grad():
                reference = self.lpips.features(channels_last(before))
            return self.lpips.distance(self.lpips.features(channels_last(after)), reference)

    @torch.no_grad()
    def _update_average(self) -> None:
        taken = self.step + (self.started_from["step"] if self.started_from else 0)
        decay = min(self.recipe.average, taken / (taken + 10.0))
        for kept, new in zip(self.average.parameters(), self.network.parameters(), strict=True):
            if new.requires_grad:
                kept.lerp_(new, 1.0 - decay)

    def look_at_held_out(self) -> dict[str, float]:
        """Measure the running average on the photos held out, default style, nothing varied."""
        return self.look.measure(self.average.eval())

    def _report_held_out(self) -> None:
        if self.world.leads:
            figures = self.look_at_held_out()
            self._log({"step": self.step, **{f"held_{name}": v for name, v in figures.items()}})
            shown = ", ".join(f"{k} {v:.3f}" for k, v in figures.items())
            tqdm.write(f"step {self.step}: {shown}")
            if self.board is not None:
                self.board.pictures(self.step, self.look.pictures(self.average, SHOWN_PAIRS))
        self.world.wait()

    def save(self) -> None:
        """Write all that a resumed run needs, beside and renamed; one process writes for all."""
        if not self.world.leads:
            return
        state = {
            "recipe": recipe_as_mapping(self.recipe),
            "step": self.step,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "reader": self.reader.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.precision.scaler.state_dict(),
            "started_from": self.started_from,
            **self.objective.state(),
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
        state = self._read_checkpoint(self.run_folder)
        if state is None:
            return False
        if _completed(state["recipe"]) != self.recipe:
            raise ValueError(
                f"{self.run_folder / 'checkpoint.pt'} was made with another recipe; "
                "choose another run folder."
            )
        self._take_networks(state)
        self.optimizer.load_state_dict(state["optimizer"])
        self.precision.scaler.load_state_dict(state.get("scaler", {}))
        self.step, self.started_from = state["step"], state["started_from"]
        return True

    def start_from(self, run: Path) -> None:
        """Take over the networks of another run, with this run's own recipe and schedule.

        What this run's design adds (style heads, another way to read styles) begins anew.

        Raises
        ------
        ValueError
            If that run has no checkpoint, or one of another design or objective.
        """
        state = self._read_checkpoint(run)
        path = run / "checkpoint.pt"
        if state is None:
            raise ValueError(f"{path} does not exist.")
        earlier, design = _completed(state["recipe"]), self.recipe.design
        if design != replace(
            earlier.design,
            ranges=design.ranges,
            head_sharpening=design.head_sharpening,
            style_heads=design.style_heads,
        ):
            raise ValueError(f"{path} was made with another design.")
        if earlier.objective != self.recipe.objective:
            raise ValueError(f"{path} was made with another objective.")
        own = self.network.state_dict()
        added = () if earlier.design.style_heads else ("style_heads.",)
        for kind in ("network", "average"):
            state[kind] = _with_own(own, state[kind], ("bounding.", "narrower.", *added))
        if earlier.style_seen == self.recipe.style_seen:
            kept = self.reader.state_dict()
            state["reader"] = _with_own(kept, state["reader"], ("identity", "span"))
        else:
            state["reader"] = self.reader.state_dict()
        self._take_networks(state)
        self.started_from = {"run": run.name, "step": state["step"], "recipe": state["recipe"]}

    def _read_checkpoint(self, run: Path) -> dict[str, Any] | None:
        """Read a run's checkpoint in the leading process, for all."""
        path = run / "checkpoint.pt"
        state: dict[str, Any] | None = None
        if self.world.leads and path.exists():
            state = torch.load(path, map_location="cpu", weights_only=True)
        return self.world.share(state)

    def _take_networks(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.reader.load_state_dict(state["reader"])
        self.objective.restore(state)

    def _describe_run(self) -> None:
        about = {
            "recipe": recipe_as_mapping(self.recipe),
            "started_from": self.started_from,
            "data": self.data.manifest(),
            "processes": self.world.size,
            "device": str(self.device),
            "git": git_revision(),
            "torch": str(torch.__version__),
        }
        text = json.dumps(about, indent=2) + "\n"
        (self.run_folder / "run.json").write_text(text, encoding="utf-8")

    def _log(self, figures: dict[str, Any]) -> None:
        if not self.world.leads:
            return
        with (self.run_folder / "log.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(figures) + "\n")
        if self.board is not None:
            self.board.figures(self.step, {k: v for k, v in figures.items() if k != "step"})


def build_optimizer(
    recipe: RedirectorRecipe, groups: list[dict[str, Any]]
) -> torch.optim.Optimizer:
    """Build the recipe's optimizer for groups of parameters.

    Raises
    ------
    ValueError
        If it is not known.
    """
    betas = (recipe.beta1, 0.999)
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(
            groups, lr=recipe.head_rate, betas=betas, weight_decay=recipe.weight_decay
        )
    if recipe.optimizer == "adam":
        return torch.optim.Adam(groups, lr=recipe.head_rate, betas=betas)
    raise ValueError(f"The optimizer must be adam or adamw, not {recipe.optimizer!r}.")


def load_trained(run: Path) -> tuple[RedirectorRecipe, AnyRedirector, int]:
    """Read a run's recipe, its averaged network and how many steps it took.

    Raises
    ------
    ValueError
        If the run has no checkpoint, or one of another version of this package.
    """
    path = run / "checkpoint.pt"
    if not path.exists():
        raise ValueError(f"{path} does not exist.")
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    recipe = _completed(state["recipe"])
    network = build_network(recipe.design)
    try:
        network.load_state_dict(state["average"])
    except RuntimeError as error:
        raise ValueError(f"{path} holds another network: {error}") from error
    return recipe, network.eval(), state["step"]


def _with_own(
    own: dict[str, Any], weights: dict[str, Any], prefixes: tuple[str, ...]
) -> dict[str, Any]:
    """Put what is this run's own beside another run's weights."""
    kept = {name: value for name, value in weights.items() if not name.startswith(prefixes)}
    return kept | {name: value for name, value in own.items() if name.startswith(prefixes)}


def _completed(recipe: dict[str, Any]) -> RedirectorRecipe:
    """Give an older checkpoint's recipe the defaults of the keys that came later."""
    return fill_recipe(RedirectorRecipe(), recipe)
