"""The training loop of the attention networks; it resumes where a killed run stopped."""

from __future__ import annotations

import copy
import json
import math
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from gazeshift_training.attention.batches import (
    EditPairBatch,
    FixationBatch,
    draw_edit_pairs,
    draw_fixation_batch,
    plan_batches,
)
from gazeshift_training.attention.evaluate import score_photos
from gazeshift_training.attention.losses import (
    direction_loss,
    divergence_loss,
    log_share,
    map_correlation,
    scanpath_saliency,
)
from gazeshift_training.attention.network import AttentionNetwork
from gazeshift_training.attention.packing import PhotoPack, build_pack
from gazeshift_training.attention.recipe import AttentionRecipe
from gazeshift_training.backbone import load_imagenet_weights
from gazeshift_training.fixations import PhotoFixations, read_fixations
from gazeshift_training.recipe import recipe_as_mapping

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class AttentionData:
    """Packed photos and how they are divided."""

    pack: PhotoPack
    """Photos and index masks."""
    fixations: dict[str, PhotoFixations]
    """Fixations of every photo that has some."""
    train: list[int]
    """Positions of the photos trained on."""
    holdout: list[int]
    """Positions of the photos that choose the checkpoint."""
    edited: list[int]
    """Positions of the photos that are edited locally."""


def prepare_data(data: Path, cache: Path, recipe: AttentionRecipe) -> AttentionData:
    """Pack the training photos and divide them; photos of split `test` are never read.

    Parameters
    ----------
    data
        Folder with `fixations.csv.gz`, `instances.csv`, `photos` and `masks`.
    cache
        Where the pack is kept.
    recipe
        Gives the working size, the part held out and the seed-free division.
    """
    recorded = read_fixations(data / "fixations.csv.gz")
    fixations = {photo: entry for photo, entry in recorded.items() if entry.split == "train"}
    names = sorted(fixations) + _edited_only(data / "instances.csv", set(recorded))
    pack = build_pack(data, names, cache, recipe.design.working_area)
    # The division does not follow the recipe's seed: two networks then share their hold-out.
    order = np.random.default_rng(0).permutation(len(fixations))
    held = {int(index) for index in order[: round(recipe.holdout * len(fixations))]}
    train = [index for index in range(len(fixations)) if index not in held]
    edited = [
        index
        for index, entry in enumerate(pack.photos)
        if entry.split == "train" and entry.instances and index not in held
    ]
    return AttentionData(pack, fixations, train, sorted(held), edited)


def _edited_only(table: Path, known: set[str]) -> list[str]:
    """Photos with training instances but no fixations."""
    with table.open(encoding="utf-8") as stream:
        header = stream.readline().strip().split(",")
        photo, split = header.index("photo"), header.index("split")
        rows = (line.split(",") for line in stream)
        return sorted({row[photo] for row in rows if row[split] == "train"} - known)


class AttentionTrainer:
    """One training run: network, optimizer, running average and where they stand.

    Parameters
    ----------
    recipe
        What to do.
    data
        What to do it with.
    run
        Folder for checkpoints and the log.
    """

    def __init__(self, recipe: AttentionRecipe, data: AttentionData, run: Path) -> None:
        self.recipe, self.data, self.run_folder = recipe, data, run
        torch.manual_seed(recipe.seed)
        self.network = AttentionNetwork(recipe.design)
        if recipe.pretrained:
            load_imagenet_weights(self.network.backbone)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.backbone_parameters = list(self.network.backbone.parameters())
        others = [
            parameter
            for name, parameter in self.network.named_parameters()
            if not name.startswith("backbone.")
        ]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": others, "peak": recipe.head_rate},
                {"params": self.backbone_parameters, "peak": recipe.backbone_rate},
            ],
            lr=recipe.head_rate,
            weight_decay=recipe.weight_decay,
        )
        self.step = 0
        self.best = -math.inf
        repeats = [
            index
            for index in data.train
            for _ in range(recipe.repeats.get(data.pack.photos[index].photo.split("/")[0], 1))
        ]
        self.plan = [
            batch
            for epoch in range(recipe.epochs)
            for batch in plan_batches(
                data.pack, repeats, recipe.batch, np.random.default_rng([recipe.seed, epoch])
            )
        ]
        self.pair_plan = (
            plan_batches(
                data.pack, data.edited, recipe.pairs, np.random.default_rng([recipe.seed, 10**6])
            )
            if recipe.pairs and data.edited
            else []
        )

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return len(self.plan)

    def train(self, until: int | None = None) -> None:
        """Train from where the run stands to `until` or the end; validate and save on the way."""
        self.run_folder.mkdir(parents=True, exist_ok=True)
        resolved = json.dumps(recipe_as_mapping(self.recipe), indent=2)
        (self.run_folder / "recipe.json").write_text(resolved + "\n", encoding="utf-8")
        goal = self.steps if until is None else min(until, self.steps)
        bar = tqdm(
            total=self.steps, initial=self.step, desc=self.recipe.name, unit="step", disable=None
        )
        while self.step < goal:
            begun = time.monotonic()
            figures = self.advance()
            bar.update()
            bar.set_postfix(loss=f"{figures['loss']:.3f}")
            self._log({**figures, "step": self.step, "seconds": time.monotonic() - begun})
            if self.step % self.recipe.validate_every == 0 or self.step == self.steps:
                self.validate()
                self.save()
        bar.close()

    def advance(self) -> dict[str, float]:
        """Take one step; everything random in it follows from the seed and the step's number."""
        recipe = self.recipe
        generator = np.random.default_rng([recipe.seed, self.step, 1])
        self._schedule()
        indices = self.plan[self.step]
        photos = draw_fixation_batch(
            self.data.pack,
            self.data.fixations,
            indices,
            recipe.smallest_crop,
            recipe.photometric,
            generator,
        )
        self.network.train()
        loss, figures = self._fixation_loss(photos)
        loss = loss * (len(indices) / recipe.batch)
        if self.pair_plan and self.step >= recipe.head_steps:
            chosen = self.pair_plan[self.step % len(self.pair_plan)]
            pairs = draw_edit_pairs(self.data.pack, chosen, recipe.photometric, generator)
            hinge, right = self._pair_loss(pairs)
            loss = loss + recipe.pair_weight * hinge * (len(chosen) / recipe.pairs)
            figures |= {"hinge": float(hinge.detach()), "right": right}
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.step += 1
        self._update_average()
        return {"loss": float(loss.detach()), **figures}

    def _fixation_loss(self, photos: FixationBatch) -> tuple[Tensor, dict[str, float]]:
        log_map = self.network.logits(_fast(photos.rgb)).flatten(1).log_softmax(1)
        counts, density = photos.counts.flatten(1), photos.density.flatten(1)
        divergence = divergence_loss(log_map, density)
        nss = scanpath_saliency(log_map.exp(), counts)
        cc = map_correlation(log_map.exp(), density)
        loss = divergence - self.recipe.nss_weight * nss + self.recipe.cc_weight * (1.0 - cc)
        figures = {"kl": float(divergence.detach()), "nss": float(nss.detach())}
        return loss, figures | {"cc": float(cc.detach())}

    def _pair_loss(self, pairs: EditPairBatch) -> tuple[Tensor, float]:
        predict = self.network.attention_at_working_size
        with torch.no_grad():
            before = log_share(predict(_fast(pairs.before)), pairs.mask)
        change = log_share(predict(_fast(pairs.after)), pairs.mask) - before
        right = float((change.detach() * pairs.direction > 0).float().mean())
        return direction_loss(change, pairs.direction, self.recipe.pair_margin), right

    def _schedule(self) -> None:
        """Set learning rates (short rise, cosine fall) and which blocks are trained."""
        recipe = self.recipe
        warm = self.step < recipe.head_steps
        blocks = len(self.network.backbone.blocks) if warm else recipe.frozen_blocks
        if self.network.backbone.frozen_blocks != blocks:
            self.network.backbone.freeze_until(blocks)
        fall = 0.5 * (1.0 + math.cos(math.pi * self.step / self.steps))
        rise = min(1.0, (self.step + 1) / 50)
        unfrozen = min(1.0, max(0, self.step + 1 - recipe.head_steps) / 100)
        for group, factor in zip(self.optimizer.param_groups, (rise, unfrozen), strict=True):
            group["lr"] = group["peak"] * fall * factor + 1e-7

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.recipe.average, self.step / (self.step + 10.0))
        for kept, new in zip(self.average.parameters(), self.network.parameters(), strict=True):
            if new.requires_grad:
                kept.lerp_(new, 1.0 - decay)

    def validate(self) -> dict[str, float]:
        """Score the running average on the photos held out; keep it if it is the best so far."""
        pack, fixations = self.data.pack, self.data.fixations
        photos = [
            (pack.rgb(index), fixations[pack.photos[index].photo]) for index in self.data.holdout
        ]
        scores = score_photos(self.average.eval(), photos)
        if scores["nss"] > self.best:
            self.best = scores["nss"]
            _write(self.run_folder / "best.pt", self.average.state_dict())
        self._log(
            {f"holdout_{name}": value for name, value in scores.items()} | {"step": self.step}
        )
        shown = ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
        tqdm.write(f"step {self.step}: {shown}", file=sys.stderr)
        return scores

    def save(self) -> None:
        """Write all that a resumed run needs."""
        state = {
            "recipe": recipe_as_mapping(self.recipe),
            "step": self.step,
            "best": self.best,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        _write(self.run_folder / "checkpoint.pt", state)

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
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.best = state["step"], state["best"]
        return True

    def _log(self, figures: dict[str, float]) -> None:
        with (self.run_folder / "log.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(figures) + "\n")


def _fast(rgb: Tensor) -> Tensor:
    return rgb.contiguous(memory_format=torch.channels_last)


def _write(path: Path, content: object) -> None:
    partial = path.with_suffix(".partial")
    torch.save(content, partial)
    partial.replace(path)
