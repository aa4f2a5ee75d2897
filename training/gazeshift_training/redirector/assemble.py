"""Puts a training run together from files: recipe, data, attention network, LPIPS."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch

from gazeshift.sessions import model_path
from gazeshift_training.attention.network import load_attention
from gazeshift_training.lpips import Lpips
from gazeshift_training.redirector.critics import AttentionEnsemble
from gazeshift_training.redirector.data import prepare_data
from gazeshift_training.redirector.recipe import RedirectorRecipe
from gazeshift_training.redirector.train import RedirectorTrainer


def assemble_trainer(
    recipe: RedirectorRecipe,
    data: Path,
    run: Path,
    attention_file: Path | None = None,
    cache: Path | None = None,
) -> RedirectorTrainer:
    """Read everything a run needs and build its trainer, at step 0.

    Parameters
    ----------
    recipe
        What to do.
    data
        Folder with `instances.csv`, `photos` and `masks`.
    run
        Folder for checkpoints and the log.
    attention_file
        Attention network; by default the one that ships.
    cache
        Where decoded photos are kept; by default beside the run.

    Raises
    ------
    ValueError
        If the attention file is none.
    ModelError
        If the weights of LPIPS are not installed.
    """
    path = attention_file or model_path("attention")
    attention = load_attention(path)
    attention.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    tag = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    attention.working_area = recipe.area
    packed = prepare_data(
        data, cache or run.parent / f"pairs-{recipe.area}", recipe, attention, tag
    )
    ensemble = AttentionEnsemble(attention, recipe.attention_areas, recipe.feature_dropout)
    return RedirectorTrainer(recipe, packed, ensemble, Lpips(), run)
