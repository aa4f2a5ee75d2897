"""Puts a training run together from files: recipe, data, attention network, LPIPS."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch

from gazeshift.sessions import model_path
from gazeshift_training.attention.network import AttentionNetwork, load_attention
from gazeshift_training.lpips import Lpips
from gazeshift_training.redirector.critics import AttentionEnsemble
from gazeshift_training.redirector.data import RedirectorData, prepare_data
from gazeshift_training.redirector.realism import load_realism
from gazeshift_training.redirector.recipe import RedirectorRecipe
from gazeshift_training.redirector.train import RedirectorTrainer
from gazeshift_training.world import World


def assemble_trainer(
    recipe: RedirectorRecipe,
    data: Path,
    run: Path,
    attention_file: Path | None = None,
    cache: Path | None = None,
    world: World | None = None,
    realism_file: Path | None = None,
    companions: Sequence[Path] = (),
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
    world
        Which process this is among those that train together, and its device.
    realism_file
        Realism network, written by `gazeshift-train realism`; only some recipes need one.
    companions
        More attention networks that edits must please; shares before an edit stay the first one's.

    Raises
    ------
    ValueError
        If the attention or the realism file is none, or the recipe needs one that is missing.
    ModelError
        If the weights of LPIPS are not installed.
    """
    here = world or World()
    packed, attention = assemble_data(recipe, data, run, attention_file, cache, here)
    networks = [attention, *map(load_attention, companions)]
    for network in networks[1:]:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    ensemble = AttentionEnsemble(networks, recipe.attention_areas, recipe.feature_dropout)
    realism = load_realism(realism_file) if realism_file else None
    return RedirectorTrainer(recipe, packed, ensemble, Lpips(), run, here, realism)


def assemble_data(
    recipe: RedirectorRecipe,
    data: Path,
    run: Path,
    attention_file: Path | None = None,
    cache: Path | None = None,
    world: World | None = None,
) -> tuple[RedirectorData, AttentionNetwork]:
    """Pack the pairs a recipe asks for, and open the attention network that measures them.

    Parameters
    ----------
    recipe
        Gives the size of the pictures and the number held out.
    data
        Folder with `instances.csv`, `photos` and `masks`.
    run
        Folder of the run.
    attention_file
        Attention network; by default the one that ships.
    cache
        Where decoded photos are kept; by default beside the run.
    world
        Which process this is among those that train together.

    Raises
    ------
    ValueError
        If the attention file is none.
    """
    here = world or World()
    path = attention_file or model_path("attention")
    attention = load_attention(path)
    attention.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    tag = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    attention.working_area = recipe.area
    folder = cache or run.parent / f"pairs-{recipe.area}"
    # One process per machine packs the photos; the others then find them.
    if here.local_rank > 0:
        here.wait()
    packed = prepare_data(data, folder, recipe, attention, tag)
    if here.local_rank == 0:
        here.wait()
    return packed, attention
