"""Every comparison method on small pictures made here, with small networks made here."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml

from gazeshift.edit import Edit, RegionParameters
from gazeshift.predict import Prediction
from gazeshift_training.baselines import BASELINES
from gazeshift_training.baselines.hue_shift import best_turn_deg, colour_histogram, turn_hue
from gazeshift_training.baselines.image_optimum import optimise, to_parameters
from gazeshift_training.baselines.image_optimum_within_limits import (
    RANGES,
    SHARPENING,
    WEIGHTS,
    optimise_within_limits,
)
from gazeshift_training.baselines.lab import lab_to_srgb
from gazeshift_training.baselines.method import dial_of, seed_of
from gazeshift_training.baselines.opponent_saliency import (
    from_opponents,
    opponent_saliency,
    to_opponents,
)
from gazeshift_training.baselines.random_parameters import random_edit
from gazeshift_training.baselines.vignette import vignette_edit
from gazeshift_training.evaluation.model_methods import model_methods
from gazeshift_training.evaluation.pairs import Pair
from gazeshift_training.metrics.cast import hue_turn_deg, to_lab
from gazeshift_training.metrics.fidelity import FidelityJudge
from gazeshift_training.recipe import fill_recipe
from gazeshift_training.redirector.recipe import RedirectorRecipe


class MeanSquare(torch.nn.Module):
    """Stands in for LPIPS: the features are the picture."""

    def features(self, rgb):
        return [rgb]

    def distance(self, first, second):
        return (first[0] - second[0]).square().mean((1, 2, 3))


class Brightness(torch.nn.Module):
    """Stands in for attention: brighter places draw more."""

    def forward(self, rgb):
        bright = torch.exp(4.0 * rgb.mean(1, keepdim=True))
        return bright / bright.sum((1, 2, 3), keepdim=True)


def make_pair(seed: int = 0) -> Pair:
    rng = np.random.default_rng(seed)
    rgb = rng.uniform(0.25, 0.75, (36, 48, 3)).astype(np.float32)
    mask = np.zeros((36, 48), np.float32)
    mask[10:24, 14:30] = 1.0
    rgb[mask > 0] = np.clip(rgb[mask > 0] * (1.2, 0.9, 0.7), 0, 1)
    return Pair(f"photos/{seed}.jpg#1", rgb, mask)


MODEL_EDIT = Edit(
    RegionParameters({"exposure": {"ev": 0.3}, "color": {"red": [1.1] * 4 + [0.9] * 4}}),
    RegionParameters({"exposure": {"ev": -0.2}, "contrast": {"amount": -0.2}}),
)


@pytest.fixture
def tools():
    lpips = MeanSquare()
    return SimpleNamespace(
        lpips=lpips,
        attention_network=Brightness(),
        prediction=lambda pair: Prediction(MODEL_EDIT, MODEL_EDIT, pair.proxy, None),
        fidelity=lambda pair: FidelityJudge(lpips, pair.rgb, pair.mask),
    )


def share(rgb, mask):
    bright = np.exp(4 * rgb.mean(-1))
    return float((bright * mask).sum() / bright.sum())


METHODS = [*BASELINES.values(), *model_methods()]


def test_the_package_offers_the_methods_of_the_table():
    assert set(BASELINES) == {
        "identity", "image-optimum", "image-optimum-limited", "vignette", "hor", "hag", "chroma",
        "random",
    }  # fmt: skip
    assert len({method.id for method in METHODS}) == len(METHODS)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.id)
@pytest.mark.parametrize("direction", ["attract", "divert"])
def test_every_method_renders_pictures_and_leaves_the_photo_alone(method, direction, tools):
    pair = make_pair()
    kept = pair.rgb.copy()
    dial = method.prepare(pair, direction, tools)
    for strength in (0.5, method.strength):
        edited = dial(strength)
        assert edited.shape == pair.rgb.shape
        assert edited.dtype == np.float32
        assert np.isfinite(edited).all()
        assert edited.min() >= 0
        assert edited.max() <= 1
    np.testing.assert_array_equal(dial(0.0), kept)
    np.testing.assert_array_equal(pair.rgb, kept)
    again = method.prepare(pair, direction, tools)
    np.testing.assert_array_equal(again(method.strength), dial(method.strength))


def test_vignette_is_the_photographers_numbers():
    edit = vignette_edit("attract")
    assert edit.foreground.get("exposure", "ev") == (0.35,)
    assert edit.background.get("exposure", "ev") == (-0.35,)
    assert edit.background.get("saturation", "amount") == (-0.3,)
    assert edit.foreground.get("contrast", "amount")[0] > 0
    mirrored = vignette_edit("divert")
    assert (mirrored.foreground, mirrored.background) == (edit.background, edit.foreground)


def test_lab_round_trip_is_exact_within_the_gamut():
    rgb = np.random.default_rng(1).random((6, 9, 3)).astype(np.float32)
    np.testing.assert_allclose(lab_to_srgb(to_lab(rgb)), rgb, atol=2e-5)


def test_hue_turn_brings_a_green_thing_on_green_to_the_opposite_hue():
    lab = np.zeros((20, 20, 3))
    lab[..., 0] = 60
    lab[..., 1:] = (-28, 28)  # all green, 135 degrees
    mask = np.zeros((20, 20))
    mask[5:15, 5:15] = 1
    # Any turn that leaves the bin is equally far in divergence; the smallest wins.
    turn = best_turn_deg(lab, mask, "attract")
    assert abs(turn) == 5.0
    assert best_turn_deg(lab, mask, "divert") == 0.0


def test_hue_turn_hides_a_red_thing_in_green():
    lab = np.zeros((20, 20, 3))
    lab[..., 0] = 60
    lab[..., 1:] = (-30, 30)
    mask = np.zeros((20, 20))
    mask[5:15, 5:15] = 1
    lab[5:15, 5:15, 1:] = (30, 30)  # 45 degrees; the background is at 135
    assert best_turn_deg(lab, mask, "divert") == pytest.approx(90.0)
    assert hue_turn_deg(lab, turn_hue(lab, 90.0), mask) == pytest.approx(90.0)


def test_rolling_the_histogram_is_turning_the_hue():
    lab = to_lab(make_pair().rgb)
    ones = np.ones(lab.shape[:2])
    lab[..., 1:] *= 1.0 + 1e-6  # off the edges of the bins
    turned = colour_histogram(turn_hue(lab, 25.0), ones)
    np.testing.assert_allclose(turned, np.roll(colour_histogram(lab, ones), 5, 0), atol=3e-3)


def test_hue_turn_leaves_the_background_untouched(tools):
    pair = make_pair()
    outside = pair.mask == 0
    edited = BASELINES["hor"].prepare(pair, "attract", tools)(1.0)
    np.testing.assert_array_equal(edited[outside], pair.rgb[outside])


def test_opponents_invert_and_a_flat_picture_has_no_saliency():
    rgb = torch.rand(1, 3, 16, 20, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(from_opponents(to_opponents(rgb)), rgb)
    flat = to_opponents(torch.full((1, 3, 16, 20), 0.4))
    assert float(opponent_saliency(flat).abs().max()) < 1e-6


@pytest.mark.parametrize(("direction", "sign"), [("attract", 1), ("divert", -1)])
def test_gradient_steps_move_the_saliency_they_climb(direction, sign, tools):
    pair = make_pair()

    def contrast_of(rgb):
        planes = to_opponents(torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None])
        saliency = opponent_saliency(planes)[0, 0].numpy()
        return float((saliency * pair.mask).sum() / saliency.sum())

    edited = BASELINES["hag"].prepare(pair, direction, tools)(1.0)
    assert sign * (contrast_of(edited) - contrast_of(pair.rgb)) > 0


def test_chroma_keeps_hue_and_scales_chroma(tools):
    pair = make_pair()
    muted = Pair("muted", pair.rgb * 0.2 + 0.4, pair.mask)  # far from the gamut's limits
    before = to_lab(muted.rgb)
    after = to_lab(BASELINES["chroma"].prepare(muted, "attract", tools)(1.0))
    ratio = np.hypot(after[..., 1], after[..., 2]) / np.hypot(before[..., 1], before[..., 2])
    assert np.median(ratio[muted.mask == 1]) == pytest.approx(1.4, abs=0.01)
    assert np.median(ratio[muted.mask == 0]) == pytest.approx(0.5, abs=0.01)


def test_random_edit_is_as_far_away_as_the_models(tools):
    pair = make_pair()
    judge = tools.fidelity(pair)
    wanted = judge.distance(dial_of(MODEL_EDIT, pair)(1.0))
    found = judge.distance(BASELINES["random"].prepare(pair, "attract", tools)(1.0))
    assert found == pytest.approx(wanted, rel=0.1)


def test_random_edits_differ_by_photo_and_repeat_by_seed():
    assert random_edit(1, "attract") == random_edit(1, "attract")
    assert random_edit(1, "attract") != random_edit(2, "attract")
    assert seed_of("a", "b") != seed_of("b", "a")


@pytest.mark.parametrize(("direction", "sign"), [("attract", 1), ("divert", -1)])
def test_per_image_optimum_moves_the_share_it_optimises(direction, sign, tools):
    pair = make_pair()
    edit = optimise(pair, direction, tools, steps=8)
    edited = dial_of(edit, pair)(1.0)
    gain = np.log(share(edited, pair.mask) / share(pair.rgb, pair.mask))
    assert sign * gain > 0.05


@pytest.mark.parametrize(("direction", "sign"), [("attract", 1), ("divert", -1)])
def test_the_limited_optimum_moves_the_share_within_the_models_ranges(direction, sign, tools):
    pair = make_pair()
    edit = optimise_within_limits(pair, direction, tools, steps=8)
    gain = np.log(share(dial_of(edit, pair)(1.0), pair.mask) / share(pair.rgb, pair.mask))
    assert sign * gain > 0.02
    foreground, background = (edit.regions().foreground, edit.regions().background)
    for region, name in ((foreground, "foreground"), (background, "background")):
        ranges = SHARPENING.narrow(RANGES, f"{direction}_{name}")
        amount = region.to_vector()[0]
        assert ranges.sharpening[0] <= amount <= ranges.sharpening[1]


def test_the_limited_optimum_has_the_limits_of_the_shipped_recipe():
    text = (Path(__file__).parents[2] / "training/recipes/redirector-divert.yaml").read_text()
    recipe = fill_recipe(RedirectorRecipe(), yaml.safe_load(text))
    assert recipe.design.ranges == RANGES
    assert recipe.design.head_sharpening == SHARPENING
    budget = {"lpips_attract", "lpips_divert", "style"}
    for name, value in vars(recipe.weights).items():
        if name not in budget:
            assert getattr(WEIGHTS, name) == value, name


def test_free_numbers_stay_within_the_hard_ranges():
    assert RegionParameters.from_vector(to_parameters(torch.zeros(35)).tolist()).is_identity
    for extreme in (-50.0, 50.0):
        RegionParameters.from_vector(to_parameters(torch.full((35,), extreme)).tolist())
