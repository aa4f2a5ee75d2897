"""The Photoshop recipe, held against scipy's natural spline and the operators' own functions."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from tests.core.recipes.edits import very_strong_values

from gazeshift.edit import Edit
from gazeshift.errors import ParamError
from gazeshift.recipes.photoshop import PhotoshopCurve, make_recipe
from gazeshift.recipes.recipe import Target
from gazeshift.recipes.spline_nodes import natural_spline
from gazeshift.region import RegionParameters
from gazeshift.tables import point_curves

TARGET = Target(6000, 4000)
CODES = np.arange(256)
SEEDS = range(12)


def layers(values: dict, strength: float = 1.0, target: Target = TARGET):
    made = make_recipe(Edit(foreground=RegionParameters(values)), strength, target)
    assert made.background.layers == ()
    assert made.background.sharpening is None
    return made.foreground.layers


def photoshop_curve(curve: PhotoshopCurve, values: np.ndarray = CODES) -> np.ndarray:
    """Draw the curve as Photoshop does, by an independent spline."""
    inputs = [node.input for node in curve.nodes]
    outputs = [node.output for node in curve.nodes]
    spline = CubicSpline(inputs, outputs, bc_type="natural")
    return np.clip(spline(np.clip(values, inputs[0], inputs[-1])), 0, 255)


def check_nodes(curve: PhotoshopCurve) -> None:
    inputs = [node.input for node in curve.nodes]
    assert 2 <= len(inputs) <= 14
    assert inputs[0] == 0
    assert inputs[-1] == 255
    # Photoshop's editor keeps nodes four levels apart.
    assert np.diff(inputs).min() >= 4
    assert all(0 <= node.output <= 255 for node in curve.nodes)


def random_curve(seed: int) -> dict:
    random = np.random.default_rng(seed)
    return {
        "contrast": {"amount": random.uniform(-1, 1)},
        "tone": {"slopes": random.uniform(0.5, 2, 8)},
        "color": {"red": random.uniform(0.8, 1.25, 8)},
    }


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("operator", ["contrast", "tone", "color"])
def test_the_spline_stays_near_the_operators_curve(operator: str, seed: int) -> None:
    values = {operator: random_curve(seed)[operator]}
    (layer,) = layers(values)
    (curve,) = layer.curves
    check_nodes(curve)
    exact = 255 * point_curves(RegionParameters(values), CODES / 255)[0]
    error = np.abs(photoshop_curve(curve) - exact)
    assert error.max() <= 2.0
    assert error.mean() <= 0.5
    assert curve.largest_error == pytest.approx(error.max(), abs=1e-3)
    assert curve.mean_error == pytest.approx(error.mean(), abs=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_all_layers_together_stay_near_the_whole_chain(seed: int) -> None:
    values = {"exposure": {"ev": 0.4 * (seed % 5 - 2)}, **random_curve(seed)}
    drawn = CODES.astype(float)
    for layer in layers(values):
        if layer.kind == "exposure":
            gain = 2.0 ** (layer.exposure / 2.2)
            drawn = np.clip(drawn * gain, 0, 255)
        else:
            drawn = photoshop_curve(layer.curves[0], drawn)
    exact = 255 * point_curves(RegionParameters(values), CODES / 255)[0]
    error = np.abs(drawn - exact)
    assert error.max() <= 4.0
    assert error.mean() <= 0.8


# Of 60 edits, the ones where layers that ignore each other's errors miss by most: 4.06 levels.
@pytest.mark.parametrize("seed", [6, 9])
def test_later_layers_take_back_what_earlier_ones_miss(seed: int) -> None:
    values = very_strong_values(seed)
    exact = 255 * point_curves(RegionParameters(values), CODES / 255)
    drawn = np.tile(CODES, (3, 1))
    for layer in layers(values):
        if layer.kind == "exposure":
            drawn = np.rint(np.clip(drawn * 2.0 ** (layer.exposure / 2.2), 0, 255)).astype(int)
        for curve in layer.curves:
            check_nodes(curve)
            rows = {"red": [0], "green": [1], "blue": [2]}.get(curve.channel, [0, 1, 2])
            # Photoshop keeps whole levels between layers.
            drawn[rows] = np.rint(photoshop_curve(curve))[drawn[rows]]
    error = np.abs(drawn - exact)
    assert error.max() <= 3.0
    assert error.mean() <= 0.8


def test_our_spline_equals_scipys() -> None:
    inputs, outputs = np.array([0, 17, 90, 200, 255]), np.array([0, 40, 80, 230, 255])
    spline = CubicSpline(inputs, outputs, bc_type="natural")(CODES)
    assert np.allclose(natural_spline(inputs, outputs), np.clip(spline, 0, 255))


def test_exposure_counts_in_photoshops_stops() -> None:
    (layer,) = layers({"exposure": {"ev": 0.5}})
    assert layer.kind == "exposure"
    assert layer.exposure == pytest.approx(1.1)


def test_tone_and_contrast_are_on_the_composite_color_on_its_channels() -> None:
    bent = [1, 1, 1, 1, 1, 1, 1, 1.2]
    made = layers(
        {
            "contrast": {"amount": 0.2},
            "tone": {"slopes": bent},
            "color": {"red": bent, "green": [1] * 8, "blue": bent},
        }
    )
    channels = [[curve.channel for curve in layer.curves] for layer in made]
    assert channels == [["composite"], ["composite"], ["red", "blue"]]
    assert [layer.name for layer in made] == ["Contrast", "Tone curve", "Color curves"]


def test_each_channel_gets_its_own_curve() -> None:
    random = np.random.default_rng(3)
    values = {"color": {name: random.uniform(0.8, 1.25, 8) for name in ("red", "green", "blue")}}
    (layer,) = layers(values)
    exact = 255 * point_curves(RegionParameters(values), CODES / 255)
    for row, curve in enumerate(layer.curves):
        assert np.abs(photoshop_curve(curve) - exact[row]).max() <= 2.0


def test_sharpening_gives_the_smart_filters_numbers() -> None:
    edit = Edit(
        RegionParameters({"sharpening": {"amount": 0.8}}),
        RegionParameters({"sharpening": {"amount": -0.25}}),
    )
    made = make_recipe(edit, 1.0, TARGET)
    sharper, softer = made.foreground.sharpening, made.background.sharpening
    assert (sharper.filter, sharper.amount_percent, sharper.opacity_percent) == (
        "unsharpMask",
        80.0,
        100.0,
    )
    assert (softer.filter, softer.amount_percent, softer.opacity_percent) == (
        "gaussianBlur",
        None,
        25.0,
    )
    # A 500th of the diagonal, sqrt(6000^2 + 4000^2) / 500 = 14.42; Photoshop takes tenths.
    assert sharper.radius_px == softer.radius_px == 14.4


def test_operators_that_change_nothing_are_left_out() -> None:
    assert layers({}) == ()
    assert layers(random_curve(1), strength=0.0) == ()


def test_an_operator_without_a_layer_is_refused_by_name() -> None:
    with pytest.raises(ParamError, match="no adjustment layer equal to 'saturation'"):
        layers({"saturation": {"amount": 0.5}})
