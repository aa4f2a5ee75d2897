"""The stack of filters on one layer, against a strict fake of GIMP and the core's own recipes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from filters import FilterStack, make_curve
from tests.plugins.gimp import fake_gimp
from tests.plugins.gimp.fake_gimp import CurvePointType, CurveType, HistogramChannel, Layer, Trc

from gazeshift.edit import Edit
from gazeshift.operators import OPERATORS
from gazeshift.recipes import recipes
from gazeshift.recipes.recipe import Target
from gazeshift.region import RegionParameters
from gazeshift.schema import encode

ORDER = list(OPERATORS)
SLOPES = [0.85, 0.9, 0.95, 1.0, 1.0, 1.05, 1.1, 1.2]
EVERYTHING = {
    "sharpening": {"amount": 0.7},
    "exposure": {"ev": 0.5},
    "contrast": {"amount": 0.3},
    "tone": {"slopes": SLOPES},
    "color": {"red": SLOPES, "blue": SLOPES[::-1]},
}
LABELS = ["Sharpening", "Exposure", "Contrast", "Tone curve", "Color curves"]

Recipe = list[dict[str, Any]]


def recipe(values: dict[str, Any], strength: float = 1.0) -> Recipe:
    edit = Edit(RegionParameters(values), RegionParameters({}))
    made = encode(recipes()["gimp"].make(edit, strength, Target(400, 300)))
    return made["foreground"]


def from_bottom(layer: Layer, only_visible: bool = True) -> list[str]:
    shown = [one for one in layer.filters if one.get_visible() or not only_visible]
    return [one.get_name() for one in reversed(shown)]


def named(layer: Layer, label: str) -> fake_gimp.DrawableFilter:
    (found,) = [one for one in layer.filters if one.get_name() == label]
    return found


@pytest.fixture
def layer() -> Layer:
    return Layer()


@pytest.fixture
def stack(layer: Layer) -> FilterStack:
    return FilterStack(layer, ORDER)


def test_filters_stand_in_the_order_of_the_chain(layer: Layer, stack: FilterStack) -> None:
    stack.show(recipe(EVERYTHING))
    assert from_bottom(layer) == LABELS
    assert not any(one.is_clipped for one in layer.filters)


def test_operators_that_change_nothing_get_no_filter(layer: Layer, stack: FilterStack) -> None:
    stack.show(recipe({"exposure": {"ev": 0.5}, "contrast": {"amount": 0.0}}))
    assert from_bottom(layer) == ["Exposure"]


def test_numbers_reach_gimp(layer: Layer, stack: FilterStack) -> None:
    stack.show(recipe(EVERYTHING))
    exposure = named(layer, "Exposure").shown
    # Half a stop up: white is reached at 2 to the power of -0.5.
    assert exposure["high-input"] == pytest.approx(2**-0.5)
    assert exposure["trc"] is Trc.NON_LINEAR
    assert named(layer, "Sharpening").shown["scale"] == pytest.approx(0.7)
    assert set(named(layer, "Color curves").curves) == {HistogramChannel.RED, HistogramChannel.BLUE}
    tone = named(layer, "Tone curve").curves[HistogramChannel.VALUE]
    assert len(tone.points) == len(SLOPES) + 1
    assert {point[2] for point in tone.points} == {CurvePointType.CORNER}


def test_moving_the_dial_updates_filters_in_place(layer: Layer, stack: FilterStack) -> None:
    stack.show(recipe(EVERYTHING))
    before = list(layer.filters)
    stack.show(recipe(EVERYTHING, 0.5))
    assert layer.filters == before
    assert named(layer, "Exposure").shown["high-input"] == pytest.approx(2**-0.25)


def test_a_move_updates_only_what_differs(layer: Layer, stack: FilterStack) -> None:
    stack.show(recipe(EVERYTHING))
    before = {one.get_name(): one.updates for one in layer.filters}
    stack.show(recipe({**EVERYTHING, "exposure": {"ev": 0.6}}))
    changed = [one.get_name() for one in layer.filters if one.updates != before[one.get_name()]]
    assert changed == ["Exposure"]


def test_a_move_goes_in_steps_of_one_update(layer: Layer, stack: FilterStack) -> None:
    stack.show(recipe(EVERYTHING))
    counted = []
    for _ in stack.moves(recipe(EVERYTHING, 0.5)):
        counted.append(sum(one.updates for one in layer.filters))
    assert len(counted) == len(LABELS) + 1  # two channels of the color curves
    assert [later - one for one, later in pairwise(counted)] == [1] * 5


def test_filters_that_are_not_named_are_hidden_and_come_back(
    layer: Layer, stack: FilterStack
) -> None:
    stack.show(recipe(EVERYTHING))
    stack.show(recipe(EVERYTHING, 0.0))
    assert from_bottom(layer) == []
    assert len(layer.filters) == len(LABELS)
    stack.show(recipe(EVERYTHING))
    assert from_bottom(layer) == LABELS


def test_the_other_direction_finds_its_place_below(layer: Layer, stack: FilterStack) -> None:
    stack.show(recipe({"contrast": {"amount": 0.3}, "color": {"red": SLOPES}}))
    blur = recipe({"sharpening": {"amount": -0.5}, "exposure": {"ev": -0.2}})
    assert stack.lacks(blur)
    stack.show(blur)
    assert from_bottom(layer) == ["Sharpening", "Exposure"]
    assert from_bottom(layer, only_visible=False) == [
        "Sharpening",
        "Exposure",
        "Contrast",
        "Color curves",
    ]


def test_finishing_removes_hidden_filters_only(layer: Layer, stack: FilterStack) -> None:
    stack.show(recipe(EVERYTHING))
    stack.show(recipe({"exposure": {"ev": 0.5}, "tone": {"slopes": SLOPES}}))
    stack.finish()
    assert from_bottom(layer, only_visible=False) == ["Exposure", "Tone curve"]


def test_a_curve_that_is_no_longer_named_becomes_straight(layer: Layer, stack: FilterStack) -> None:
    stack.show(recipe({"color": {"red": SLOPES, "blue": SLOPES}}))
    stack.show(recipe({"color": {"blue": SLOPES}}))
    curves = named(layer, "Color curves").curves
    assert curves[HistogramChannel.RED].is_straight()
    assert not curves[HistogramChannel.BLUE].is_straight()


def test_what_an_earlier_session_left_is_removed_and_foreign_filters_stay(
    layer: Layer, stack: FilterStack
) -> None:
    stack.show(recipe(EVERYTHING))
    foreign = fake_gimp.DrawableFilter.new(layer, "gegl:gaussian-blur", "My blur")
    layer.append_filter(foreign)
    FilterStack(layer, ORDER).remove_like(recipe(EVERYTHING))
    assert layer.filters == [foreign]


def test_free_curves_hold_every_sample() -> None:
    (contrast,) = recipe({"contrast": {"amount": -0.4}})
    (settings,) = contrast["curves"]
    curve = make_curve(settings)
    assert curve.type is CurveType.FREE
    assert curve.samples == settings["samples"]


def test_no_curve_is_a_straight_line() -> None:
    assert make_curve(None).is_straight()
