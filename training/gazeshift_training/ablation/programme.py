"""Runs variants one after the other: what they share is read once."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from gazeshift.sessions import model_path
from gazeshift_training.ablation.results import RESULT, write_finished
from gazeshift_training.ablation.training import BriefTrainer, Lessons
from gazeshift_training.attention.network import load_attention
from gazeshift_training.instances import LARGEST_SHARE_BEFORE, load_pair
from gazeshift_training.lpips import Lpips
from gazeshift_training.redirector.calibrate import Calibrator, calibration_pairs
from gazeshift_training.redirector.critics import AttentionEnsemble
from gazeshift_training.redirector.data import prepare_data

if TYPE_CHECKING:
    from gazeshift_training.ablation.variants import Variant
    from gazeshift_training.redirector.calibrate import Effect
    from gazeshift_training.redirector.recipe import RedirectorRecipe


class Programme:
    """Trains and calibrates variants, each in its own folder.

    Parameters
    ----------
    recipe
        Budget and losses of all of them.
    data
        Folder with `instances.csv`, `photos` and `masks`.
    run
        Holds a folder per variant.
    attention_file
        Attention network to train against; by default the one that ships.
    cache
        Where decoded photos are kept; by default beside the run.
    budget
        Mean LPIPS that every variant is scaled to.
    pairs
        Photos that this is measured on.
    """

    def __init__(
        self,
        recipe: RedirectorRecipe,
        data: Path,
        run: Path,
        attention_file: Path | None,
        cache: Path | None,
        budget: float,
        pairs: int,
    ) -> None:
        self.recipe, self.data, self.run_folder = recipe, data, run
        self.attention_file = attention_file or model_path("attention")
        self.cache = cache or run.parent / f"pairs-{recipe.area}"
        self.budget, self.pairs = budget, pairs
        self.lpips = Lpips()
        self.attention = load_attention(self.attention_file)

    @cached_property
    def lessons(self) -> Lessons:
        """The pairs of every step."""
        tag = hashlib.sha256(self.attention_file.read_bytes()).hexdigest()[:12]
        self.attention.working_area = self.recipe.area
        packed = prepare_data(self.data, self.cache, self.recipe, self.attention, tag)
        self.run_folder.mkdir(parents=True, exist_ok=True)
        return Lessons(self.recipe, packed, self.run_folder / "described.pt")

    @cached_property
    def ensemble(self) -> AttentionEnsemble:
        """The attention network as training asks it."""
        recipe = self.recipe
        return AttentionEnsemble([self.attention], recipe.attention_areas, recipe.feature_dropout)

    def run(self, variant: Variant) -> str:
        """Train and calibrate a variant, or skip it where that has been done.

        Returns
        -------
        str
            What was done, in one line.
        """
        folder = self.run_folder / variant.id
        if (folder / RESULT).exists():
            return f"{variant.id}: finished before"
        trainer = BriefTrainer(
            variant, self.recipe, self.lessons, self.ensemble, self.lpips, folder
        )
        trainer.resume()
        trainer.train()
        attract, divert = self._calibrate(trainer)
        write_finished(folder, trainer.step, (attract, divert))
        return (
            f"{variant.id}: {trainer.step} steps; attract x {attract.gain:.2f} at LPIPS "
            f"{attract.lpips:.4f}, divert x {divert.gain:.2f} at {divert.lpips:.4f}"
        )

    @torch.no_grad()
    def _calibrate(self, trainer: BriefTrainer) -> tuple[Effect, Effect]:
        chosen = calibration_pairs(self.data, self.recipe.held_out)[: self.pairs]
        pairs = [load_pair(self.data, one) for one in chosen]
        self.attention.working_area = self.recipe.area
        calibrator = Calibrator(
            trainer.averaged(), self.attention, self.lpips, pairs, LARGEST_SHARE_BEFORE
        )
        effects = [
            calibrator.measure(
                direction, calibrator.find_gain(direction, self.budget), only_lpips=True
            )
            for direction in (0, 1)
        ]
        return effects[0], effects[1]
