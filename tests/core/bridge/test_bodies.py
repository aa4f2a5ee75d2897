"""Bodies that lie, stall, never end, or are not what they say: each gets one answer, in time."""

from __future__ import annotations

import json
import socket
import struct
import time

import numpy as np
import pytest
from tests.core.bridge.live import TOKEN, LiveBridge, binary_body, layout, running

EDIT = {
    "format": "gazeshift-edit/1",
    "foreground": {"exposure": {"ev": 0.5}},
    "background": {},
}


def head(bridge: LiveBridge, path: str, *lines: str) -> bytes:
    return "\r\n".join(
        (
            f"POST {path} HTTP/1.1",
            f"Host: 127.0.0.1:{bridge.port}",
            f"Authorization: Bearer {TOKEN}",
            "GazeShift-Protocol: 1",
            "Content-Type: application/x-gazeshift",
            *lines,
            "",
            "",
        )
    ).encode()


def still_answers(bridge: LiveBridge) -> bool:
    return bridge.call("GET", "/v1/identity").status == 200


def predict_header(picture: np.ndarray) -> dict:
    return {"image": layout(picture), "mask": {"dtype": "uint8"}}


def refusal(reply) -> tuple[int, str]:
    return reply.status, reply.json()["code"]


@pytest.mark.parametrize("change", [-1, -500, 1, 500])
def test_a_body_of_the_wrong_length_is_refused(bridge, picture, mask, change) -> None:
    body = binary_body(predict_header(picture), picture, mask)
    body = body[:change] if change < 0 else body + b"\0" * change
    headers = bridge.headers(Content_Type="application/x-gazeshift")
    reply = bridge.call("POST", "/v1/predict", body, headers)
    assert refusal(reply) == (400, "request")
    assert f"{abs(change)} bytes {'shorter' if change < 0 else 'longer'}" in reply.json()["message"]
    assert still_answers(bridge)


def test_sizes_that_do_not_fit_the_pixels_are_refused(bridge, picture, mask) -> None:
    header = predict_header(picture)
    header["image"]["width"] += 1
    assert refusal(bridge.binary("/v1/predict", header, picture, mask)) == (400, "request")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"abc",
        struct.pack("<I", 0),
        struct.pack("<I", 10) + b"{}",
        struct.pack("<I", 0xFFFFFFFF) + b"{}",
        struct.pack("<I", 2) + b"[]",
        struct.pack("<I", 4) + b"null",
        struct.pack("<I", 7) + b"\xff\xfe{nope",
        struct.pack("<I", 200_000) + b"[" * 200_000,
    ],
)
@pytest.mark.parametrize("path", ["/v1/predict", "/v1/attention", "/v1/render"])
def test_a_broken_frame_is_refused(bridge, path, body) -> None:
    headers = bridge.headers(Content_Type="application/x-gazeshift")
    reply = bridge.call("POST", path, body, headers)
    assert reply.status == 400
    assert reply.json()["code"] in ("request", "parameter")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"width": 0}, "at least 1"),
        ({"width": 65536}, "at most 65535"),
        ({"width": -5}, "at least 1"),
        ({"width": 5.5}, "whole number"),
        ({"width": "5"}, "must be a number"),
        ({"width": True}, "must be a number"),
        ({"width": None}, "must be a number"),
        ({"channels": 5}, "must be one of"),
        ({"dtype": "object"}, "must be one of"),
        ({"path": "/etc/passwd"}, "unknown key"),
    ],
)
def test_a_layout_out_of_its_limits_is_refused_by_name(bridge, picture, mask, change, word) -> None:
    header = predict_header(picture)
    header["image"].update(change)
    reply = bridge.binary("/v1/predict", header, picture, mask)
    assert refusal(reply) == (400, "parameter")
    assert word in reply.json()["message"]


@pytest.mark.parametrize("text", ['{"image": NaN}', '{"image": Infinity}', "{'image': 1}"])
def test_json_that_is_no_json_is_refused(bridge, text) -> None:
    body = struct.pack("<I", len(text)) + text.encode()
    headers = bridge.headers(Content_Type="application/x-gazeshift")
    assert refusal(bridge.call("POST", "/v1/predict", body, headers)) == (400, "request")


def test_an_oversize_body_is_refused_before_it_is_read(bridge) -> None:
    # Only the header is sent: an answer can come only if the body is not waited for.
    reply = bridge.raw(head(bridge, "/v1/render", f"Content-Length: {(1 << 30) + 1}"))
    assert refusal(reply) == (413, "too-large")


def test_an_oversize_json_body_is_refused(bridge) -> None:
    headers = bridge.headers(Content_Type="application/json")
    reply = bridge.call("POST", "/v1/recipe/gimp", b" " * ((1 << 20) + 1), headers)
    assert refusal(reply) == (413, "too-large")


def test_a_body_without_a_length_is_refused(bridge) -> None:
    chunked = head(bridge, "/v1/render", "Transfer-Encoding: chunked") + b"5\r\nhello\r\n0\r\n\r\n"
    assert refusal(bridge.raw(chunked)) == (411, "length")


def test_a_caller_without_token_is_not_asked_for_its_body(bridge) -> None:
    lines = ("Expect: 100-continue", "Content-Length: 100")
    refused = head(bridge, "/v1/render", *lines).replace(TOKEN.encode(), b"0" * 64)
    assert bridge.raw(refused).status == 401


def test_a_caller_that_asks_first_is_told_to_continue(bridge, picture) -> None:
    body = binary_body({"image": layout(picture), "edit": EDIT, "parts": ["foreground"]}, picture)
    lines = ("Expect: 100-continue", f"Content-Length: {len(body)}")
    with socket.create_connection(("127.0.0.1", bridge.port), timeout=30) as connection:
        connection.sendall(head(bridge, "/v1/render", *lines))
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "changes",
    [
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/json"},
        {"Content_Type": None},
        {"Content_Encoding": "gzip"},
    ],
)
def test_another_content_type_is_refused(bridge, picture, mask, changes) -> None:
    changes = {"Content_Type": "application/x-gazeshift", **changes}
    body = binary_body(predict_header(picture), picture, mask)
    reply = bridge.call("POST", "/v1/predict", body, bridge.headers(**changes))
    assert refusal(reply) == (415, "content-type")


def test_a_get_with_a_body_is_refused(bridge) -> None:
    assert refusal(bridge.call("GET", "/v1/identity", b"hello")) == (400, "request")


def test_a_body_that_stalls_is_given_up() -> None:
    with running(stall_s=0.2) as bridge:
        reply = bridge.raw(head(bridge, "/v1/render", "Content-Length: 1000") + b"only this")
        assert refusal(reply) == (408, "slow")
        assert still_answers(bridge)


def test_a_body_that_trickles_is_given_up_in_all() -> None:
    with (
        running(stall_s=0.3, slowest_bytes_per_s=1e9) as bridge,
        socket.create_connection(("127.0.0.1", bridge.port), timeout=30) as connection,
    ):
        started_s = time.monotonic()
        connection.sendall(head(bridge, "/v1/render", "Content-Length: 100000"))
        connection.settimeout(0.05)
        answer = b""
        # One byte each twentieth of a second never stalls; the total time ends it.
        while not answer and time.monotonic() - started_s < 20:
            connection.sendall(b"x")
            try:
                answer = connection.recv(1000)
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 408 ")


def test_callers_that_leave_in_the_middle_do_no_harm(bridge, picture) -> None:
    body = binary_body({"image": layout(picture), "edit": EDIT, "parts": ["foreground"]}, picture)
    for sent in (0, 3, 40, len(body) - 1):
        with socket.create_connection(("127.0.0.1", bridge.port), timeout=30) as connection:
            connection.sendall(head(bridge, "/v1/render", f"Content-Length: {len(body)}"))
            connection.sendall(body[:sent])
    # One that sends everything and does not wait for the answer.
    with socket.create_connection(("127.0.0.1", bridge.port), timeout=30) as connection:
        connection.sendall(head(bridge, "/v1/render", f"Content-Length: {len(body)}") + body)
    assert still_answers(bridge)
    header = {"image": layout(picture), "edit": EDIT, "parts": ["foreground"]}
    assert bridge.binary("/v1/render", header, picture).status == 200


def test_the_places_of_callers_that_left_are_free_again(picture) -> None:
    with running(most_requests=1, stall_s=30) as bridge:
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", bridge.port), timeout=30) as connection:
                connection.sendall(head(bridge, "/v1/render", "Content-Length: 1000") + b"part")
        header = {"image": layout(picture), "edit": EDIT, "parts": ["foreground"]}
        deadline_s = time.monotonic() + 20
        status = 503
        # Until the last one has been noticed the answer is "busy"; a lost place would stay lost.
        while status == 503 and time.monotonic() < deadline_s:
            status = bridge.binary("/v1/render", header, picture).status
        assert status == 200


def test_garbage_instead_of_http_is_refused(bridge) -> None:
    assert bridge.raw(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n").status == 400
    assert still_answers(bridge)


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        ({}, "edit"),
        ({"format": "gazeshift-edit/99", "foreground": {}, "background": {}}, "edit"),
        ({**EDIT, "extra": 1}, "edit"),
        ({**EDIT, "foreground": {"exposure": {"ev": 99}}}, "edit"),
        ({**EDIT, "foreground": {"nothing": {}}}, "edit"),
        ({**EDIT, "foreground": {"exposure": {"ev": 10**400}}}, "edit"),
        ({**EDIT, "foreground": {"exposure": {"ev": [0.1] * 1000}}}, "edit"),
        ({**EDIT, "operators": {"exposure": [10**400]}}, "edit"),
        ({**EDIT, "direction": []}, "edit"),
        ({**EDIT, "strength": 10**400}, "edit"),
        ({**EDIT, "share_before": -1}, "edit"),
        ({**EDIT, "model": 5}, "edit"),
        ({**EDIT, "foreground": {"exposure": None}}, "edit"),
        ([], "parameter"),
    ],
)
def test_an_edit_that_is_none_is_refused(bridge, edit, code) -> None:
    reply = bridge.json("/v1/recipe/gimp", {"edit": edit, "width": 10, "height": 10})
    assert refusal(reply) == (400, code)


@pytest.mark.parametrize("strength", [-0.1, 1.6, 1e300, 10**400])
def test_a_strength_out_of_range_is_refused(bridge, strength) -> None:
    request = {"edit": EDIT, "width": 10, "height": 10, "strengths": [strength]}
    assert refusal(bridge.json("/v1/recipe/gimp", request)) == (400, "parameter")


def test_errors_hold_a_sentence_and_a_hint(bridge) -> None:
    reply = bridge.json("/v1/recipe/gimp", {"edit": EDIT, "width": 10})
    assert reply.json() == {
        "code": "parameter",
        "message": "The request lacks 'height'.",
        "hint": "",
    }
    assert json.loads(reply.body)["message"].endswith(".")
