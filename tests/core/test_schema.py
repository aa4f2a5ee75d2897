"""Typed objects survive JSON, and JSON that does not fit is refused by name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest

from gazeshift.errors import ParamError
from gazeshift.schema import About, decode, encode, json_schema


@dataclass(frozen=True)
class Point:
    """A place."""

    x: Annotated[float, About("Across.", 0, 1)]
    label: str = ""


@dataclass(frozen=True)
class Drawing:
    """Points and more.

    A second paragraph.
    """

    points: Annotated[tuple[Point, ...], About("Where.", 1, 2)]
    size: Annotated[int, About("Pixels.", 1)]
    kind: Literal["line", "dots"]
    is_closed: bool
    weight: Annotated[float | None, About("How thick.", 0)] = None
    extra: dict[str, Any] | None = None


DRAWING = Drawing((Point(0.5, "a"), Point(1.0)), 3, "line", False, 2.5, {"free": [1]})
PLAIN = {
    "points": [{"x": 0.5, "label": "a"}, {"x": 1.0, "label": ""}],
    "size": 3,
    "kind": "line",
    "is_closed": False,
    "weight": 2.5,
    "extra": {"free": [1]},
}


def test_encode_gives_plain_data() -> None:
    assert encode(DRAWING) == PLAIN


def test_decode_is_the_reverse() -> None:
    assert decode(Drawing, json.loads(json.dumps(PLAIN))) == DRAWING


def test_defaults_may_be_left_out_and_null_is_none() -> None:
    short = {name: PLAIN[name] for name in ("points", "size", "kind", "is_closed")}
    assert decode(Drawing, short) == decode(Drawing, {**short, "weight": None, "extra": None})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"size": 0}, "request.size must be at least 1, not 0."),
        ({"size": 1.5}, "request.size must be a whole number, not 1.5."),
        ({"size": True}, "request.size must be a number, not True."),
        ({"size": None}, "request.size must be a number, not None."),
        ({"size": "3"}, "request.size must be a number, not '3'."),
        ({"weight": float("nan")}, "request.weight must be a finite number."),
        ({"weight": 10**400}, "request.weight must be a finite number."),
        ({"size": -(10**400)}, "request.size must be a finite number."),
        ({"weight": -1}, "request.weight must be at least 0, not -1."),
        ({"is_closed": 1}, "request.is_closed must be true or false, not 1."),
        ({"kind": "circle"}, "request.kind must be one of line, dots, not 'circle'."),
        ({"kind": ["line"]}, "request.kind must be one of line, dots, not ['line']."),
        ({"points": {}}, "request.points must be a list."),
        ({"points": []}, "The number of items in request.points must be at least 1, not 0."),
        ({"points": [{"x": 2}]}, "request.points[0].x must be at most 1, not 2."),
        ({"points": [{"label": "a"}]}, "The request.points[0] lacks 'x'."),
        ({"points": [{"x": 0, "label": 5}]}, "request.points[0].label must be text, not 5."),
        ({"points": [{"x": 0, "y": 0}]}, "The request.points[0] holds an unknown key: y."),
        ({"points": [7]}, "The request.points[0] must be a JSON object."),
        ({"extra": []}, "request.extra must be a JSON object."),
        ({"colour": 1}, "The request holds an unknown key: colour."),
    ],
)
def test_what_does_not_fit_is_refused_by_name(change, sentence) -> None:
    with pytest.raises(ParamError) as caught:
        decode(Drawing, {**PLAIN, **change})
    assert caught.value.message == sentence


def test_a_missing_field_is_named() -> None:
    with pytest.raises(ParamError, match="lacks 'size'"):
        decode(Drawing, {name: PLAIN[name] for name in ("points", "kind", "is_closed")})


def test_huge_values_are_shortened_in_messages() -> None:
    with pytest.raises(ParamError) as caught:
        decode(Drawing, {**PLAIN, "kind": "x" * 10_000})
    assert len(caught.value.message) < 150


def test_the_schema_says_types_limits_and_what_is_required() -> None:
    components: dict[str, Any] = {}
    assert json_schema(Drawing, components) == {"$ref": "#/components/schemas/Drawing"}
    drawing = components["Drawing"]
    assert drawing["description"] == "Points and more."
    assert drawing["required"] == ["points", "size", "kind", "is_closed"]
    assert drawing["additionalProperties"] is False
    assert drawing["properties"]["points"] == {
        "description": "Where.",
        "type": "array",
        "items": {"$ref": "#/components/schemas/Point"},
        "minItems": 1,
        "maxItems": 2,
    }
    assert drawing["properties"]["kind"] == {"enum": ["line", "dots"]}
    weight = drawing["properties"]["weight"]
    assert weight["anyOf"] == [{"type": "number"}, {"type": "null"}]
    assert components["Point"]["properties"]["x"]["maximum"] == 1
