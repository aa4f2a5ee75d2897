"""A tiny data set of photos and masks, and a redirector's trainer on it, made on the spot."""

from __future__ import annotations

import csv
import pickle
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from gazeshift_training.attention.network import AttentionDesign, AttentionNetwork
from gazeshift_training.lpips import Lpips
from gazeshift_training.redirector.critics import AttentionEnsemble
from gazeshift_training.redirector.data import RedirectorData, prepare_data
from gazeshift_training.redirector.network import RedirectorDesign
from gazeshift_training.redirector.realism import RealismNetwork
from gazeshift_training.redirector.recipe import RedirectorRecipe
from gazeshift_training.redirector.train import RedirectorTrainer
from gazeshift_training.world import World

RECIPE = RedirectorRecipe(
    design=RedirectorDesign(working_side=64, trunk=16, head=8),
    pretrained=False,
    steps=4,
    batch=2,
    area=96 * 64,
    attention_areas=(96 * 64,),
    held_out=2,
    largest_attract_share=1.0,
    smallest_divert_share=0.0,
    style_part=0.5,
    validate_every=2,
    save_every=2,
)


def write_photos(root: Path) -> Path:
    """Write six photos of noise with two rectangles each, and their table."""
    (root / "photos").mkdir(parents=True)
    (root / "masks").mkdir()
    generator = np.random.default_rng(5)
    with (root / "instances.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["photo", "mask", "split", "instance", "category", "score", "area"])
        for number in range(6):
            pixels = generator.integers(0, 256, (64, 96, 3)).astype(np.uint8)
            index = np.zeros((64, 96), np.uint8)
            index[4:24, 6:36], index[30:60, 50:90] = 1, 2
            Image.fromarray(pixels).save(root / "photos" / f"{number}.png")
            Image.fromarray(index).save(root / "masks" / f"{number}.png")
            for instance in (1, 2):
                area = round(float((index == instance).mean()), 4)
                row = [f"{number}.png", f"{number}.png", "train", instance, "thing", 0.9, area]
                writer.writerow(row)
    return root


def make_lpips(folder: Path) -> Lpips:
    """Make a narrow LPIPS with random weights."""
    generator = np.random.default_rng(7)
    inputs, convolutions = 3, {}
    content: dict[str, object] = {"AlexNet_0": convolutions}
    for index, side in enumerate((11, 5, 3, 3, 3)):
        kernel = generator.normal(0, 1 / side / inputs**0.5, (side, side, inputs, 8))
        convolutions[f"Conv_{index}"] = {"kernel": kernel.astype("f4"), "bias": np.zeros(8, "f4")}
        head = generator.random((1, 1, 8, 1)).astype("f4")
        content[f"NetLinLayer_{index}"] = {"Conv_0": {"kernel": head}}
        inputs = 8
    path = folder / "alexnet.ckpt"
    path.write_bytes(pickle.dumps(content))
    return Lpips(path)


def make_attention() -> AttentionNetwork:
    """Make a narrow attention network with random weights, always the same."""
    torch.manual_seed(0)
    attention = AttentionNetwork(AttentionDesign(channels=8, working_area=RECIPE.area))
    return attention.requires_grad_(False).eval()


def make_data(root: Path, cache: Path) -> RedirectorData:
    """Pack the photos that `write_photos` wrote."""
    return prepare_data(root, cache, RECIPE, make_attention(), "tiny")


def make_trainer(
    root: Path,
    lpips: Lpips,
    run: Path,
    recipe: RedirectorRecipe = RECIPE,
    world: World | None = None,
    realism: RealismNetwork | None = None,
) -> RedirectorTrainer:
    """Make a trainer at step 0; runs beside each other share the packed photos."""
    packed = make_data(root, run.parent / "cache")
    ensemble = AttentionEnsemble([make_attention()], recipe.attention_areas, recipe.feature_dropout)
    return RedirectorTrainer(recipe, packed, ensemble, lpips, run, world, realism)
