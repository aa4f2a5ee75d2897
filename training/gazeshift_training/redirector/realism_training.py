"""Teaches the realism network: every photo is edited once plausibly, once implausibly."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from gazeshift_training.backbone import load_imagenet_weights
from gazeshift_training.process import git_revision
from gazeshift_training.recipe import recipe_as_mapping
from gazeshift_training.redirector.data import (
    ATTRACT,
    Pair,
    PairBatch,
    PairPlan,
    RedirectorData,
    channels_last,
    group_by_shape,
    load_batch,
)
from gazeshift_training.redirector.realism import (
    RealismDesign,
    RealismNetwork,
    draw_edit,
    save_realism,
)
from gazeshift_training.redirector.recipe import RedirectorRecipe
from gazeshift_training.redirector.rendering import prepare, render_edit

if TYPE_CHECKING:
    from pathlib import Path

WARM_UP = 20
"""Steps over which the learning rates rise."""
FITTING_STEPS = 20
"""Batches on which the network's input scaling is fitted before the first step."""


@dataclass(frozen=True)
class RealismRecipe:
    """How a realism network is trained."""

    design: RealismDesign = field(default_factory=RealismDesign)
    """What is built."""
    pretrained: bool = True
    """Start from ImageNet weights."""
    seed: int = 1
    """Decides the order of photos and the made-up edits."""
    steps: int = 300
    """Optimiser steps."""
    batch: int = 8
    """Photos per step; each is edited twice."""
    area: int = 288 * 224
    """Pixels of a training picture."""
    held_out: int = 80
    """Training photos kept back, on which the accuracy is measured."""
    held_repeats: int = 3
    """How often each of them is edited in either way."""
    head_rate: float = 1e-3
    """Peak learning rate of the layers behind the features."""
    backbone_rate: float = 1e-4
    """Peak learning rate of the backbone's trained blocks."""
    frozen_blocks: int = 11
    """Blocks of the backbone that stay frozen."""
    weight_decay: float = 1e-3
    """AdamW's weight decay."""
    smoothing: float = 0.1
    """Doubt in every answer taught, so that the network keeps degrees between yes and no."""


class Accuracy(NamedTuple):
    """How a realism network does on photos held out."""

    right: float
    """Part of the edits on whose right side of 0.5 the answer lies."""
    plausible_right: float
    """The same among plausible edits."""
    extreme_right: float
    """The same among implausible edits."""
    ordered: float
    """Part of the photos whose plausible edit scores above their implausible one."""
    edits: int
    """Edits measured."""


def train_realism(
    recipe: RealismRecipe, data: RedirectorData, run: Path, device: torch.device
) -> tuple[RealismNetwork, Accuracy]:
    """Train a realism network, measure it, and write `realism.pt`, `run.json` and `log.jsonl`.

    Parameters
    ----------
    recipe
        What to do.
    data
        Photos and masks; the photos held out measure the accuracy.
    run
        Folder to write to.
    device
        Where to work.

    Returns
    -------
    tuple
        The network in evaluation mode, and its accuracy on the photos held out.
    """
    torch.manual_seed(recipe.seed)
    network = RealismNetwork(recipe.design)
    backbone = network.eyes.backbone
    if recipe.pretrained:
        load_imagenet_weights(backbone)
    backbone.freeze_until(recipe.frozen_blocks)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    plan = PairPlan(data, RedirectorRecipe(seed=recipe.seed, batch=recipe.batch))
    _standardise(network, data, plan, recipe, device)
    trained = [p for p in backbone.parameters() if p.requires_grad]
    others = [p for name, p in network.named_parameters() if not name.startswith("eyes.backbone.")]
    optimizer = torch.optim.AdamW(
        [
            {"params": others, "peak": recipe.head_rate},
            {"params": trained, "peak": recipe.backbone_rate},
        ],
        weight_decay=recipe.weight_decay,
    )
    run.mkdir(parents=True, exist_ok=True)
    about = {
        "recipe": recipe_as_mapping(recipe),
        "data": data.manifest(),
        "git": git_revision(),
        "torch": str(torch.__version__),
    }
    (run / "run.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    with (run / "log.jsonl").open("w", encoding="utf-8") as log:
        for step in tqdm(range(recipe.steps), "realism", unit="step", disable=None):
            begun = time.monotonic()
            generator = np.random.default_rng([recipe.seed, step, 5])
            pairs = load_batch(data, plan.pairs(step), generator)
            rate = min(1.0, (step + 1) / WARM_UP)
            rate *= 0.5 * (1.0 + math.cos(math.pi * step / recipe.steps))
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * rate + 1e-7
            loss, right = _lesson(network, pairs, recipe, generator, device)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 3.0)
            optimizer.step()
            row = {
                "step": step + 1,
                "seconds": round(time.monotonic() - begun, 3),
                "loss": round(float(loss.detach()), 5),
                "right": round(right, 4),
            }
            log.write(json.dumps(row) + "\n")
            log.flush()
    network.eval()
    accuracy = measure_accuracy(network, data, recipe, device)
    save_realism(network, run / "realism.pt", {**about, "held": accuracy._asdict()})
    return network, accuracy


def _standardise(
    network: RealismNetwork,
    data: RedirectorData,
    plan: PairPlan,
    recipe: RealismRecipe,
    device: torch.device,
) -> None:
    generator = np.random.default_rng([recipe.seed, 13])
    described = []
    with torch.no_grad():
        for step in range(FITTING_STEPS):
            pairs = load_batch(data, plan.pairs(step), generator)
            edited, mask = _both_edits(pairs, generator, device)
            described.append(network.eyes.describe(channels_last(edited), mask))
    network.eyes.standardise_inputs(torch.cat(described))


def _both_edits(
    pairs: PairBatch, generator: np.random.Generator, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Edit every photo plausibly, and once more implausibly: (2B, 3, H, W) and masks."""
    count = len(pairs.rgb)
    edits = [
        draw_edit(generator, plausible=plausible) for plausible in [True] * count + [False] * count
    ]
    prepared = prepare(pairs.rgb.to(device))
    twice = type(prepared)(*(torch.cat((picture, picture)) for picture in prepared))
    mask = torch.cat((pairs.mask, pairs.mask)).to(device)
    return render_edit(twice, mask, torch.from_numpy(np.stack(edits)).to(device)), mask


def _lesson(
    network: RealismNetwork,
    pairs: PairBatch,
    recipe: RealismRecipe,
    generator: np.random.Generator,
    device: torch.device,
) -> tuple[Tensor, float]:
    with torch.no_grad():
        edited, mask = _both_edits(pairs, generator, device)
    logits = network.logits(channels_last(edited), mask)
    truth = torch.zeros_like(logits)
    truth[: len(pairs.rgb)] = 1.0
    softened = truth * (1.0 - recipe.smoothing) + 0.5 * recipe.smoothing
    loss = functional.binary_cross_entropy_with_logits(logits, softened)
    return loss, float(((logits.detach() > 0) == (truth > 0)).float().mean())


@torch.no_grad()
def measure_accuracy(
    network: RealismNetwork, data: RedirectorData, recipe: RealismRecipe, device: torch.device
) -> Accuracy:
    """Measure a network on the photos held out, with edits drawn by a seed of their own.

    Raises
    ------
    ValueError
        If no photo is held out.
    """
    generator = np.random.default_rng([recipe.seed, 17])
    plausible: list[Tensor] = []
    extreme: list[Tensor] = []
    for _ in range(recipe.held_repeats):
        for group in group_by_shape(data.pack, sorted(data.held), recipe.batch):
            chosen = [
                Pair(
                    place, data.held[place][int(generator.integers(len(data.held[place])))], ATTRACT
                )
                for place in group
            ]
            edited, mask = _both_edits(load_batch(data, chosen, None), generator, device)
            logits = network.logits(channels_last(edited), mask).cpu()
            plausible.append(logits[: len(chosen)])
            extreme.append(logits[len(chosen) :])
    if not plausible:
        raise ValueError("No photo is held out to measure the realism network on.")
    good, bad = torch.cat(plausible), torch.cat(extreme)
    yes, no = float((good > 0).float().mean()), float((bad <= 0).float().mean())
    ordered = float((good > bad).float().mean())
    return Accuracy(0.5 * (yes + no), yes, no, ordered, 2 * len(good))
