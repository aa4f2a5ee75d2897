"""Previews that the bridge keeps: drawn as rendered, bounded, and gone when they should be."""

from __future__ import annotations

import numpy as np
import pytest
from tests.core.bridge.live import layout

from gazeshift.bridge import messages, previews
from gazeshift.bridge.failures import RequestError
from gazeshift.bridge.framing import as_coverage
from gazeshift.bridge.messages import ImageLayout
from gazeshift.bridge.previews import Previews
from gazeshift.edit import Edit
from gazeshift.region import RegionParameters
from gazeshift.render import render
from gazeshift.schema import decode

EDIT = Edit(
    RegionParameters({"exposure": {"ev": 0.5}, "sharpening": {"amount": 0.7}}),
    RegionParameters({"contrast": {"amount": -0.4}}),
)
BRIGHTEN = Edit(RegionParameters({"exposure": {"ev": 0.3}}))


def opened(bridge, picture, mask) -> str:
    header = {"image": layout(picture), "mask": {"dtype": str(mask.dtype)}}
    reply = bridge.binary("/v1/preview/open", header, picture, mask)
    assert reply.status == 200
    answer = decode(messages.PreviewAnswer, reply.json())
    assert answer.bytes > picture.nbytes
    return answer.preview


def drawn(bridge, name, edit, **more):
    return bridge.json("/v1/preview/draw", {"preview": name, "edit": edit.to_json(), **more})


@pytest.mark.parametrize("edit", [EDIT, BRIGHTEN, Edit()])
@pytest.mark.parametrize("mask_dtype", ["uint8", "float32"])
def test_a_preview_is_drawn_as_rendered(bridge, picture, mask, edit, mask_dtype) -> None:
    sent = mask if mask_dtype == "uint8" else mask.astype(np.float32) / np.float32(255)
    name = opened(bridge, picture, sent)
    for strength in (1.0, 0.3, 0.0):
        header, raw = drawn(bridge, name, edit, strength=strength).split()
        assert header == {"image": layout(picture)}
        shown = np.frombuffer(raw, np.uint8).reshape(picture.shape).astype(int)
        expected = render(picture, as_coverage(sent), edit, strength)
        # The numpy fallback's smaller tables may differ by a code.
        assert np.abs(shown - expected).max() <= 1


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_grey_and_transparency_come_back(bridge, picture, mask, channels) -> None:
    samples = np.ascontiguousarray(np.concatenate([picture, picture[..., :1]], axis=2))
    samples = np.ascontiguousarray(samples[..., :channels] if channels != 4 else samples)
    _, raw = drawn(bridge, opened(bridge, samples, mask), BRIGHTEN).split()
    shown = np.frombuffer(raw, np.uint8).reshape(samples.shape)
    if channels != 1:
        np.testing.assert_array_equal(shown[..., -1], samples[..., -1])
    assert (shown[..., 0] != samples[..., 0]).any()


def test_a_closed_preview_is_gone(bridge, picture, mask) -> None:
    name = opened(bridge, picture, mask)
    assert bridge.json("/v1/preview/close", {"preview": name}).json() == {"closed": True}
    assert bridge.json("/v1/preview/close", {"preview": name}).json() == {"closed": False}
    reply = drawn(bridge, name, EDIT)
    assert (reply.status, reply.json()["code"]) == (404, "preview")


@pytest.mark.parametrize(
    "name", ["", "0" * 32, "../../token", "'; drop", "\u0000", "x" * 10_000, None, 5, ["a"]]
)
def test_names_that_nobody_gave_are_refused(bridge, picture, mask, name) -> None:
    opened(bridge, picture, mask)
    reply = bridge.json("/v1/preview/draw", {"preview": name, "edit": EDIT.to_json()})
    is_text = isinstance(name, str)
    wanted = (404, "preview") if is_text else (400, "parameter")
    assert (reply.status, reply.json()["code"]) == wanted
    assert str(name) not in reply.json()["message"] or not name or not is_text


def test_broken_requests_open_nothing(bridge, picture, mask) -> None:
    header = {"image": layout(picture), "mask": {"dtype": "uint8"}}
    assert bridge.binary("/v1/preview/open", header, picture).status == 400
    assert bridge.binary("/v1/preview/open", header, picture, mask, mask).status == 400
    nan = np.full(mask.shape, np.nan, np.float32)
    header["mask"] = {"dtype": "float32"}
    assert bridge.binary("/v1/preview/open", header, picture, nan).status == 400
    name = opened(bridge, picture, mask)
    for edit in ({}, {"format": "gazeshift-edit/9"}, []):
        reply = bridge.json("/v1/preview/draw", {"preview": name, "edit": edit})
        assert reply.status == 400
    assert drawn(bridge, name, EDIT, strength=9).status == 400
    assert drawn(bridge, name, EDIT).status == 200


def test_a_foreign_token_draws_nothing(bridge, picture, mask) -> None:
    name = opened(bridge, picture, mask)
    data = {"preview": name, "edit": EDIT.to_json()}
    reply = bridge.json("/v1/preview/draw", data, Authorization="Bearer " + "00" * 32)
    assert reply.status == 401


def test_one_too_many_closes_the_one_used_longest_ago(bridge, picture, mask) -> None:
    names = [opened(bridge, picture, mask) for _ in range(previews.MOST_PREVIEWS)]
    assert drawn(bridge, names[0], EDIT).status == 200
    newest = opened(bridge, picture, mask)
    assert drawn(bridge, names[1], EDIT).status == 404
    assert [drawn(bridge, name, EDIT).status for name in (names[0], newest)] == [200, 200]


def test_pictures_too_large_for_a_preview_are_refused(bridge, picture, mask, monkeypatch) -> None:
    monkeypatch.setattr(previews, "MOST_BYTES", 10_000)
    header = {"image": layout(picture), "mask": {"dtype": "uint8"}}
    reply = bridge.binary("/v1/preview/open", header, picture, mask)
    assert (reply.status, reply.json()["code"]) == (413, "too-large")


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def add(kept: Previews, side: int = 10) -> str:
    pixels = np.zeros((side, side, 3), np.uint8)
    return kept.add(ImageLayout(side, side, 3, "uint8"), pixels, lambda: None)[0]


def test_previews_end_after_their_idle_time() -> None:
    clock = Clock()
    kept = Previews(clock)
    used, forgotten = add(kept), add(kept)
    clock.now_s = previews.IDLE_S - 1
    kept.find(used)
    clock.now_s = previews.IDLE_S + 1
    kept.find(used)
    with pytest.raises(RequestError, match="not open"):
        kept.find(forgotten)
    clock.now_s = 3 * previews.IDLE_S
    kept.drop_idle()
    assert kept.bytes_held == 0


def test_bytes_are_bounded(monkeypatch) -> None:
    kept = Previews(Clock())
    first = add(kept)
    monkeypatch.setattr(previews, "MOST_BYTES", int(2.5 * kept.bytes_held))
    add(kept)
    add(kept)
    assert kept.bytes_held <= previews.MOST_BYTES
    with pytest.raises(RequestError):
        kept.find(first)
