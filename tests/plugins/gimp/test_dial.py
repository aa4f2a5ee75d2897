import json

import dial as dials
import pytest
from dial import Dial

ATTRACT = {"direction": "attract", "strength": 1.0, "share_before": 0.1, "share_after": 0.3}
DIVERT = {"direction": "divert", "strength": 1.0, "share_before": 0.1, "share_after": 0.05}


def make_dial() -> Dial:
    return Dial(ATTRACT, DIVERT, style=2)


class Fetch:
    """Stands for the bridge; counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[float]]] = []

    def __call__(self, edit: dict, strengths: list[float]) -> list[dict]:
        self.asked.append((edit["direction"], list(strengths)))
        return [{"of": edit["direction"], "strength": strength} for strength in strengths]


@pytest.mark.parametrize(
    ("percent", "direction", "strength"),
    [(100, "attract", 1.0), (150, "attract", 1.5), (0, "attract", 0.0), (-40, "divert", 0.4)],
)
def test_sign_chooses_the_direction(percent: float, direction: str, strength: float) -> None:
    edit = make_dial().edit(percent)
    assert edit["direction"] == direction
    assert edit["strength"] == strength


def test_share_after_is_kept_only_where_it_was_measured() -> None:
    assert make_dial().edit(100)["share_after"] == 0.3
    assert make_dial().edit(99)["share_after"] is None


def test_known_position_needs_no_request() -> None:
    dial, fetch = make_dial(), Fetch()
    first = dial.recipe(-40, fetch)
    assert dial.recipe(-40, fetch) is first
    assert fetch.asked == [("divert", [0.4])]


def test_looking_ahead_covers_every_whole_percent() -> None:
    dial, fetch = make_dial(), Fetch()
    for direction in ("attract", "divert"):
        percents = dial.missing(direction)
        edit = dial.edits[direction]
        dial.learn(edit, percents, fetch(edit, [abs(percent) / 100 for percent in percents]))
    fetch.asked.clear()
    for percent in range(-100, 151, 4):
        assert dial.recipe(percent, fetch)["strength"] == abs(percent) / 100
    assert fetch.asked == []
    assert dial.missing("attract") == dial.missing("divert") == []


def test_changed_edit_forgets_its_own_recipes_only() -> None:
    dial, fetch = make_dial(), Fetch()
    dial.recipe(50, fetch)
    dial.recipe(-50, fetch)
    dial.replace("attract", {**ATTRACT, "exposure": 1})
    fetch.asked.clear()
    dial.recipe(-50, fetch)
    dial.recipe(50, fetch)
    assert fetch.asked == [("attract", [0.5])]
    assert dial.edit(100)["share_after"] is None


def test_late_answer_for_an_old_edit_is_dropped() -> None:
    dial, fetch = make_dial(), Fetch()
    old = dial.edits["attract"]
    dial.replace("attract", {**ATTRACT, "exposure": 1})
    dial.learn(old, [10], [{"of": "old"}])
    assert dial.recipe(10, fetch)["of"] == "attract"


def test_dial_survives_being_kept() -> None:
    dial, percent, look = dials.loads(make_dial().dumps(-30, "filters"))
    assert (percent, look, dial.style) == (-30, "filters", 2)
    assert dial.edits == {"attract": ATTRACT, "divert": DIVERT}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps({**json.loads(make_dial().dumps(0, "filters")), "format": "gazeshift-dial/9"}),
        json.dumps({**json.loads(make_dial().dumps(0, "filters")), "percent": 151}),
    ],
)
def test_damaged_dial_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        dials.loads(text)
