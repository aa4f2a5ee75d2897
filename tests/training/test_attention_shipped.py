from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from gazeshift.attention import AttentionModel, attention_share
from gazeshift_training.attention.export import PARITY_LIMIT, measure_parity
from gazeshift_training.attention.network import load_attention
from gazeshift_training.attention.recipe import AttentionRecipe
from gazeshift_training.recipe import read_recipe

ROOT = Path(__file__).parents[2]
FILES = {
    "attention": ROOT / "core/gazeshift/models/attention.onnx",
    "judge": ROOT / "training/models/judge.onnx",
}


@pytest.fixture(params=sorted(FILES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_file_is_what_its_recipe_builds(name: str) -> None:
    recipe = read_recipe(ROOT / "training/recipes" / f"{name}.yaml", AttentionRecipe())
    network = load_attention(FILES[name])
    assert network.design.backbone == recipe.design.backbone
    assert network.design.decoder == recipe.design.decoder
    assert network.working_area == recipe.export_area
    metadata = {entry.key: entry.value for entry in onnx.load(FILES[name]).metadata_props}
    assert metadata["gazeshift.model_id"] == recipe.name
    assert metadata["gazeshift.version"] == recipe.version


def test_file_is_small_enough(name: str) -> None:
    assert FILES[name].stat().st_size <= {"attention": 8e6, "judge": 10e6}[name]


def test_torch_and_onnxruntime_agree(name: str) -> None:
    generator = np.random.default_rng(0)
    # Patches of 16 pixels: as in photos, neighbours agree. White noise drives the networks far
    # outside what they know, where rounding grows.
    patches = [generator.integers(0, 256, (h, w, 3), np.uint8) for h, w in ((21, 28), (9, 7))]
    pictures = [patch.repeat(16, axis=0).repeat(16, axis=1) for patch in patches]
    assert measure_parity(FILES[name], load_attention(FILES[name]), pictures) < PARITY_LIMIT


def test_a_lone_object_draws_the_eye_and_darkening_it_lets_go(name: str) -> None:
    model = AttentionModel(FILES[name], provider="cpu")
    rows, columns = np.mgrid[0:240, 0:320]
    mask = ((rows - 90) ** 2 + (columns - 220) ** 2 < 30**2).astype(np.float32)
    grey = np.full((240, 320, 3), 0.45, np.float32)
    disc = np.array([0.9, 0.25, 0.1], np.float32)
    bright = grey + mask[..., None] * (disc - grey)
    dim = grey + mask[..., None] * (0.25 * disc + 0.75 * grey - grey)
    share = attention_share(model.map(bright), mask)
    # The disc covers 3.7 % of the picture.
    assert share > 5 * float(mask.mean())
    assert attention_share(model.map(dim), mask) < share
