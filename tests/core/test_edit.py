"""The edit: the dial, the file, and what is refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeshift.edit import Edit, RegionParameters
from gazeshift.errors import EditError, ParamError
from gazeshift.tables import point_curves


@st.composite
def regions(draw):
    def numbers(low, high, count):
        return st.lists(st.floats(low, high), min_size=count, max_size=count)

    vector = [
        draw(st.floats(-1.0, 2.0)),
        draw(st.floats(-2.0, 2.0)),
        draw(st.floats(-1.0, 1.0)),
        *draw(numbers(0.5, 2.0, 8)),
        *draw(numbers(0.8, 1.25, 24)),
    ]
    return RegionParameters.from_vector(vector)


def example_edit(**changes) -> Edit:
    region = RegionParameters({"exposure": {"ev": 0.4}, "tone": {"slopes": [2, *[1] * 7]}})
    return Edit(region, RegionParameters({"contrast": {"amount": -0.3}}), **changes)


def test_a_new_edit_is_the_identity():
    assert Edit().is_identity
    assert not example_edit().is_identity


def test_dial_at_zero_is_the_identity():
    assert all(region.is_identity for region in example_edit().at(0.0))


@settings(max_examples=40, deadline=None)
@given(region=regions())
def test_dial_at_one_is_the_edit_itself(region):
    assert region.at(1.0) == region


def test_dial_interpolates_numbers_from_their_identity():
    # 0.4 EV at half strength is 0.2 EV; −0.3 at 1.5 is −0.45.
    assert example_edit().at(0.5).foreground.get("exposure", "ev") == (0.2,)
    assert example_edit().at(1.5).background.get("contrast", "amount")[0] == pytest.approx(-0.45)


@settings(max_examples=40, deadline=None)
@given(region=regions(), strength=st.floats(0.0, 1.0))
def test_dial_interpolates_the_curve_exactly(region, strength):
    x = np.linspace(0, 1, 33)
    for curve in ("tone", "color"):
        only = RegionParameters({curve: region.to_json()[curve]})
        expected = x + strength * (point_curves(only, x) - x)
        np.testing.assert_allclose(point_curves(only.at(strength), x), expected, atol=1e-9)


def test_dial_moves_slopes_beyond_the_prediction():
    # Slopes (1.2, 0.8, …) have mean 1; at 1.5 they are (1.3, 0.7, …).
    region = RegionParameters({"tone": {"slopes": [1.2, 0.8] * 4}})
    assert region.at(1.5).get("tone", "slopes") == pytest.approx([1.3, 0.7] * 4)


@settings(max_examples=40, deadline=None)
@given(region=regions(), strength=st.floats(0.0, 1.5))
def test_dial_stays_within_the_hard_ranges(region, strength):
    moved = region.at(strength)
    assert RegionParameters(moved.to_json()) == moved


def test_dial_keeps_exposure_at_its_limit():
    region = RegionParameters({"exposure": {"ev": 1.9}})
    assert region.at(1.5).get("exposure", "ev") == (2.0,)


@pytest.mark.parametrize("strength", [-0.1, 1.51, math.nan, math.inf])
def test_dial_outside_its_range_is_refused(strength):
    with pytest.raises(ParamError):
        example_edit().at(strength)
    with pytest.raises(ParamError):
        Edit(strength=strength)


def test_moving_the_dial_drops_the_measured_share():
    edit = example_edit(share_before=0.2, share_after=0.4)
    moved = edit.with_strength(0.5)
    assert (moved.share_before, moved.share_after) == (0.2, None)
    assert edit.with_strength(1.0) is edit


def test_signed_strength_carries_the_direction():
    assert example_edit(strength=0.5).signed_strength == 0.5
    assert example_edit(direction="divert", strength=0.5).signed_strength == -0.5


@settings(max_examples=40, deadline=None)
@given(region=regions())
def test_vector_round_trip(region):
    assert RegionParameters.from_vector(region.to_vector()) == region


def test_vector_that_misses_a_limit_by_rounding_is_moved_onto_it():
    vector = RegionParameters().to_vector()
    vector[1] = 2.0005
    assert RegionParameters.from_vector(vector).get("exposure", "ev") == (2.0,)


def test_vector_far_outside_its_range_is_refused():
    vector = RegionParameters().to_vector()
    vector[1] = 2.5
    with pytest.raises(ParamError, match=r"exposure\.ev must lie in -2 to 2, not 2\.5"):
        RegionParameters.from_vector(vector)


def test_vector_of_another_length_is_refused():
    with pytest.raises(ParamError, match="35 numbers; 34"):
        RegionParameters.from_vector([0.0] * 34)


def test_optional_operators_have_no_place_in_the_vector():
    region = RegionParameters({"saturation": {"amount": 0.2}})
    with pytest.raises(ParamError, match="saturation"):
        region.to_vector()


def test_active_lists_changing_operators_in_chain_order():
    region = RegionParameters(
        {
            "color": {"red": [1.1] * 8},
            "contrast": {"amount": 0.1},
            "sharpening": {"amount": 0.2},
            "exposure": {"ev": 0.0},
        }
    )
    # Equal slopes are the identity whatever their size.
    assert region.active() == ("sharpening", "contrast")


@settings(max_examples=40, deadline=None)
@given(foreground=regions(), background=regions(), strength=st.floats(0.0, 1.5))
def test_file_round_trip(foreground, background, strength):
    edit = Edit(
        foreground, background, direction="divert", strength=strength, model="m/1", share_before=0.5
    )
    assert Edit.loads(edit.dumps()) == edit


def test_file_names_its_format_and_operator_versions():
    data = json.loads(example_edit().dumps())
    assert data["format"] == "gazeshift-edit/1"
    assert data["operators"] == {"exposure": 1, "contrast": 1, "tone": 1}
    assert data["foreground"] == {"exposure": {"ev": 0.4}, "tone": {"slopes": [2.0, *[1.0] * 7]}}


def changed(**changes):
    data = example_edit().to_json()
    data.update(changes)
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not valid JSON"),
        ("[1, 2]", "must be a JSON object"),
        ('{"foreground": {}}', "not a GazeShift edit"),
        ("[" * 100_000, "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (changed(format="gazeshift-edit/2"), "has format 2; this GazeShift reads up to 1"),
        (changed(format="other/1"), "not a GazeShift edit"),
        (changed(format=1), "not a GazeShift edit"),
        (changed(extra=1), "unknown keys: extra"),
        (changed(operators={"vibrance": 1}), "'vibrance', which this GazeShift lacks"),
        (changed(operators={"tone": 9}), "needs version 9 of 'tone'"),
        (changed(operators=[]), "must hold operators by name"),
        (changed(foreground=[]), "foreground must hold operators by name"),
        (changed(foreground={"blur": {}}), "no operator named 'blur'"),
        (changed(foreground={"tone": {"knots": []}}), "no parameter named 'knots'"),
        (changed(foreground={"tone": 3}), "must hold named parameters"),
        (changed(foreground={"exposure": {"ev": 3}}), r"must lie in -2 to 2, not 3"),
        (changed(foreground={"exposure": {"ev": "1"}}), "must be a number"),
        (changed(foreground={"exposure": {"ev": True}}), "must be a number"),
        (changed(foreground={"exposure": {"ev": None}}), "must be a number"),
        (changed(foreground={"tone": {"slopes": [1] * 7}}), "takes 8 numbers; 7"),
        (changed(foreground={"tone": {"slopes": 1}}), "takes 8 numbers"),
        (changed(strength=9), "strength must lie in 0 to 1.5"),
        (changed(strength="much"), "strength must be a number"),
        (changed(direction="up"), "attract or divert"),
        (changed(model=3), "model must be text"),
        (changed(share_before=2), "share before the edit must lie in 0 to 1"),
        ('{"format": "gazeshift-edit/1"}', "lacks background and foreground"),
        (
            '{"format": "gazeshift-edit/1", "foreground": {"exposure": {"ev": NaN}}, '
            '"background": {}}',
            "NaN is not a finite number",
        ),
    ],
)
def test_damaged_files_are_refused_with_a_sentence(text, message):
    with pytest.raises(EditError, match=message):
        Edit.loads(text)


def test_edits_are_values():
    assert example_edit() == example_edit()
    assert hash(example_edit()) == hash(example_edit())
    assert RegionParameters() == RegionParameters({"exposure": {"ev": 0.0}})
    assert RegionParameters() != RegionParameters({"exposure": {"ev": 0.1}})
