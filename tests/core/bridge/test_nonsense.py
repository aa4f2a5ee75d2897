"""Whatever a caller with the right token sends, it is the caller's mistake and not ours."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeshift.bridge.engine import Engine
from gazeshift.bridge.failures import status_of
from gazeshift.bridge.routes import routes
from gazeshift.errors import GazeShiftError

POSTS = {route.path: route for route in routes() if route.method == "POST"}
ENGINE = Engine("0", "test")

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9)
anything = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)
layouts = st.fixed_dictionaries(
    {
        "width": st.integers(0, 4) | plain,
        "height": st.integers(0, 4) | plain,
        "channels": st.integers(0, 5) | plain,
        "dtype": st.sampled_from(["uint8", "uint16", "float32", "object"]) | plain,
    }
)
edits = st.fixed_dictionaries(
    {
        "format": st.just("gazeshift-edit/1") | plain,
        "foreground": st.fixed_dictionaries({"exposure": anything}) | anything,
        "background": st.just({}) | anything,
    },
    optional={"strength": anything, "direction": anything, "operators": anything},
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "image": layouts | anything,
        "mask": st.just({"dtype": "uint8"}) | anything,
        "edit": edits | anything,
        "width": st.integers(1, 99) | plain,
        "height": st.integers(1, 99) | plain,
        "strengths": st.lists(st.floats(-2, 2), max_size=3) | anything,
        "strength": anything,
        "parts": st.lists(st.sampled_from(["result", "foreground"]), max_size=3) | anything,
        "operators": anything,
        "icc_bytes": anything,
    },
)


def answer_or_refuse(path: str, body: bytes) -> None:
    """Only the caller's mistakes may be raised; anything else fails the test."""
    mistake = None
    try:
        POSTS[path].run(ENGINE, body)
    except GazeShiftError as error:
        mistake = error
    assert mistake is None or (status_of(mistake) == 400 and mistake.message)


@pytest.mark.parametrize("path", sorted(POSTS))
@settings(max_examples=25, deadline=None)
@given(body=st.binary(max_size=200))
def test_random_bytes(path: str, body: bytes) -> None:
    answer_or_refuse(path, body)


@pytest.mark.parametrize("path", sorted(POSTS))
@settings(max_examples=60, deadline=None)
@given(header=headers | anything, raw=st.binary(max_size=64))
def test_random_requests(path: str, header: object, raw: bytes) -> None:
    text = json.dumps(header).encode()
    is_binary = POSTS[path].takes == "binary"
    answer_or_refuse(path, struct.pack("<I", len(text)) + text + raw if is_binary else text)


@settings(max_examples=50, deadline=None)
@given(
    data=st.data(),
    width=st.integers(1, 4),
    height=st.integers(1, 4),
    channels=st.integers(1, 4),
    dtype=st.sampled_from(["uint8", "uint16", "float32"]),
    path=st.sampled_from(["/v1/predict", "/v1/attention", "/v1/render"]),
)
def test_random_pixels_of_the_right_length(data, width, height, channels, dtype, path) -> None:
    samples = width * height * (channels + 1)
    size = samples * {"uint8": 1, "uint16": 2, "float32": 4}[dtype]
    header = {
        "image": {"width": width, "height": height, "channels": channels, "dtype": dtype},
        "mask": {"dtype": dtype},
    }
    if path == "/v1/render":
        header["edit"] = {
            "format": "gazeshift-edit/1",
            "foreground": {"exposure": {"ev": 1}, "sharpening": {"amount": 1}},
            "background": {},
        }
    text = json.dumps(header).encode()
    raw = data.draw(st.binary(min_size=size, max_size=size))
    answer_or_refuse(path, struct.pack("<I", len(text)) + text + raw)
