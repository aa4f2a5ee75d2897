"""The GIMP recipe, held against the operators' own functions."""

import numpy as np
import pytest

from gazeshift.edit import Edit
from gazeshift.errors import ParamError
from gazeshift.operators import DEFAULT_CHAIN
from gazeshift.recipes.gimp import make_recipe
from gazeshift.recipes.recipe import Target
from gazeshift.region import RegionParameters
from gazeshift.tables import point_curves

TARGET = Target(6000, 4000)
RAMP = np.arange(256) / 255.0


def region(seed: int) -> RegionParameters:
    random = np.random.default_rng(seed)
    return RegionParameters(
        {
            "sharpening": {"amount": random.uniform(-1, 2)},
            "exposure": {"ev": random.uniform(-2, 2)},
            "contrast": {"amount": random.uniform(-1, 1)},
            "tone": {"slopes": random.uniform(0.5, 2, 8)},
            "color": {name: random.uniform(0.8, 1.25, 8) for name in ("red", "green", "blue")},
        }
    )


def filters(parameters: RegionParameters, strength: float = 1.0, target: Target = TARGET):
    recipe = make_recipe(Edit(foreground=parameters), strength, target)
    assert recipe.background == ()
    return recipe.foreground


def draw(recipe_filters, values: np.ndarray) -> np.ndarray:
    """Carry out levels and curves as GIMP does: shape (3, n) in and out."""
    for one in recipe_filters:
        if one.operation == "gimp:levels":
            p = one.properties
            scaled = np.clip((values - p["low-input"]) / (p["high-input"] - p["low-input"]), 0, 1)
            values = p["low-output"] + scaled * (p["high-output"] - p["low-output"])
        elif one.operation == "gimp:curves":
            for curve in one.curves:
                if curve.samples:
                    x, y = np.linspace(0, 1, len(curve.samples)), curve.samples
                else:
                    x, y = zip(*((point.x, point.y) for point in curve.points), strict=True)
                rows = {"value": [0, 1, 2], "red": [0], "green": [1], "blue": [2]}[curve.channel]
                values = values.copy()
                values[rows] = np.interp(values[rows], x, y)
    return values


@pytest.mark.parametrize("strength", [0.3, 1.0, 1.5])
@pytest.mark.parametrize("seed", range(8))
def test_filters_draw_the_same_curves_as_the_operators(seed: int, strength: float) -> None:
    parameters = region(seed)
    drawn = draw(filters(parameters, strength), np.tile(RAMP, (3, 1)))
    exact = point_curves(parameters.at(strength), RAMP)
    # GIMP keeps 256 samples of a curve, so corners move by up to half of 1/255.
    assert np.abs(drawn - exact).max() * 255 <= 1.0
    assert np.abs(drawn - exact).mean() * 255 <= 0.2


def test_filters_stand_in_the_order_of_the_chain() -> None:
    made = filters(region(1))
    assert [one.operator for one in made] == list(DEFAULT_CHAIN)
    assert [one.label for one in made] == [
        "Sharpening",
        "Exposure",
        "Contrast",
        "Tone curve",
        "Color curves",
    ]


def test_operators_that_change_nothing_are_left_out() -> None:
    assert filters(RegionParameters()) == ()
    assert filters(region(1), strength=0.0) == ()
    only_red = RegionParameters({"color": {"red": [1, 1, 1, 1, 1, 1, 1, 1.2]}})
    (one,) = filters(only_red)
    assert [curve.channel for curve in one.curves] == ["red"]


def test_positive_sharpening_is_an_unsharp_mask_of_the_pictures_own_radius() -> None:
    (one,) = filters(RegionParameters({"sharpening": {"amount": 0.8}}))
    # Diagonal of 6000 x 4000 is 7211.1 px; a 500th of it is 14.42 px. GIMP's recursive filter
    # is 0.17 px too wide.
    assert one.operation == "gegl:unsharp-mask"
    assert one.properties["std-dev"] == pytest.approx(14.4222 - 0.17, abs=1e-4)
    assert one.properties["scale"] == pytest.approx(0.8)
    assert one.opacity == 1.0


def test_negative_sharpening_is_a_blur_at_its_opacity() -> None:
    (one,) = filters(RegionParameters({"sharpening": {"amount": -0.3}}))
    assert one.operation == "gegl:gaussian-blur"
    assert one.properties["std-dev-x"] == one.properties["std-dev-y"]
    assert one.opacity == pytest.approx(0.3)


def test_exposure_uses_high_input_upwards_and_high_output_downwards() -> None:
    (up,) = filters(RegionParameters({"exposure": {"ev": 1.0}}))
    (down,) = filters(RegionParameters({"exposure": {"ev": -1.0}}))
    assert (up.properties["high-input"], up.properties["high-output"]) == (0.5, 1.0)
    assert (down.properties["high-input"], down.properties["high-output"]) == (1.0, 0.5)


def test_tone_has_nine_corner_points() -> None:
    (one,) = filters(RegionParameters({"tone": {"slopes": [2, 1, 1, 1, 1, 1, 1, 1]}}))
    (curve,) = one.curves
    # Corners lie on GIMP's 256 samples: 255 k / 8 rounded.
    assert [round(255 * point.x) for point in curve.points] == [
        0,
        32,
        64,
        96,
        128,
        159,
        191,
        223,
        255,
    ]
    # The first segment takes 2 of the 9 parts of the slope, every other one 1.
    outputs = [point.y for point in curve.points]
    assert outputs == pytest.approx([0] + [k / 9 for k in range(2, 10)], abs=0.002)


def test_grey_documents_get_no_color_curves() -> None:
    made = filters(region(1), target=Target(100, 100, is_grey=True))
    assert [one.operator for one in made] == ["sharpening", "exposure", "contrast", "tone"]


def test_an_operator_without_a_filter_is_refused_by_name() -> None:
    with pytest.raises(ParamError, match="no filter equal to 'saturation'"):
        filters(RegionParameters({"saturation": {"amount": 0.5}}))
