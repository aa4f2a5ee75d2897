"""Who is let in: exact Host, no web pages, the right token, the right protocol."""

from __future__ import annotations

import hashlib

import pytest
from tests.core.bridge.live import TOKEN, LiveBridge


def request_bytes(*lines: str) -> bytes:
    return "\r\n".join(("GET /v1/operators HTTP/1.1", *lines, "", "")).encode()


def operators(bridge: LiveBridge, **changes: str | None):
    return bridge.call("GET", "/v1/operators", headers=bridge.headers(**changes))


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_its_own_names_are_accepted(bridge, name) -> None:
    assert operators(bridge, Host=f"{name}:{bridge.port}").status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:{other}",
        "127.0.0.1:{port}.evil.example",
        "localhost.evil.example:{port}",
        "evil-127.0.0.1:{port}",
        "127.0.0.1:{port}@evil.example",
        "[::1]:{port}",
        "LOCALHOST:{port}x",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/v1/identity", "/v1/operators", "/nothing"])
def test_a_foreign_host_is_refused_on_every_route(bridge, host, path) -> None:
    named = host.format(port=bridge.port, other=bridge.port - 1)
    reply = bridge.call("GET", path, headers=bridge.headers(Host=named))
    assert (reply.status, reply.json()["code"]) == (421, "host")


def test_a_missing_host_is_refused(bridge) -> None:
    lines = ("GET /v1/operators HTTP/1.0", f"Authorization: Bearer {TOKEN}", "", "")
    assert bridge.raw("\r\n".join(lines).encode()).status == 421


def test_two_hosts_are_refused(bridge) -> None:
    lines = (f"Host: 127.0.0.1:{bridge.port}", "Host: evil.example")
    assert bridge.raw(request_bytes(*lines, f"Authorization: Bearer {TOKEN}")).status in (400, 421)


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://evil.example",
        "HTTP://evil.example",
        "null",
        "NULL",
        "",
        "http://127.0.0.1",
        "http://127.0.0.1:{other}",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1:{port}.evil.example",
    ],
)
@pytest.mark.parametrize("path", ["/v1/identity", "/v1/operators"])
def test_web_pages_are_refused_even_with_the_token(bridge, origin, path) -> None:
    named = origin.format(port=bridge.port, other=bridge.port - 1)
    reply = bridge.call("GET", path, headers=bridge.headers(Origin=named))
    assert (reply.status, reply.json()["code"]) == (403, "origin")


def test_its_own_origin_is_accepted(bridge) -> None:
    assert operators(bridge, Origin=f"http://127.0.0.1:{bridge.port}").status == 200


def test_its_own_origin_still_needs_the_token(bridge) -> None:
    origin = f"http://127.0.0.1:{bridge.port}"
    assert operators(bridge, Origin=origin, Authorization=None).status == 401


def test_a_preflight_gets_no_permission(bridge) -> None:
    headers = {
        "Origin": "http://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    reply = bridge.call("OPTIONS", "/v1/predict", headers=headers)
    assert reply.status == 403
    assert not [name for name in reply.headers if name.lower().startswith("access-control")]


def test_a_simple_post_of_a_page_without_origin_is_refused(bridge, picture) -> None:
    headers = {"Content-Type": "text/plain"}
    assert bridge.call("POST", "/v1/predict", b"x", headers=headers).status in (401, 409)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        TOKEN,
        f"Basic {TOKEN}",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}0",
        f"Bearer {'0' * 64}",
        f"bearer {TOKEN}",
        "Bearer \xe9",
    ],
)
def test_a_wrong_token_is_refused(bridge, authorization) -> None:
    reply = operators(bridge, Authorization=authorization)
    assert (reply.status, reply.json()["code"]) == (401, "token")
    assert "--print-token" in reply.json()["hint"]


def test_a_token_in_the_address_does_not_count(bridge) -> None:
    headers = bridge.headers(Authorization=None)
    assert bridge.call("GET", f"/v1/operators?token={TOKEN}", headers=headers).status == 401


@pytest.mark.parametrize("path", ["/v1/operators", "/v1/identity"])
def test_parameters_in_the_address_are_refused(bridge, path) -> None:
    reply = bridge.call("GET", f"{path}?file=/etc/passwd")
    assert (reply.status, reply.json()["code"]) == (400, "request")


@pytest.mark.parametrize("path", ["/v1/predict", "/v1/attention", "/v1/render", "/v1/recipe/gimp"])
def test_every_other_route_needs_the_token(bridge, path) -> None:
    headers = bridge.headers(Authorization=None, Content_Type="application/json")
    assert bridge.call("POST", path, b"{}", headers).status == 401


def test_unknown_routes_need_no_token_to_be_unknown(bridge) -> None:
    reply = bridge.call("GET", "/v1/../etc/passwd")
    assert (reply.status, reply.json()["code"]) == (404, "route")
    assert bridge.call("POST", "/v1/identity", b"").json()["code"] == "method"


@pytest.mark.parametrize(
    ("protocol", "side"),
    [
        ("2", "Update GazeShift"),
        ("0", "Update the plug-in"),
        (None, "Update the plug-in"),
        ("one", "Update the plug-in"),
        ("9" * 4000, "Update the plug-in"),
    ],
)
def test_another_protocol_is_told_which_side_to_update(bridge, protocol, side) -> None:
    reply = operators(bridge, GazeShift_Protocol=protocol)
    assert (reply.status, reply.json()["code"]) == (409, "protocol")
    assert reply.json()["hint"].startswith(side)


def test_every_answer_names_the_protocol(bridge) -> None:
    for path in ("/v1/identity", "/v1/operators", "/nothing"):
        assert bridge.call("GET", path).headers["GazeShift-Protocol"] == "1"


def test_it_listens_on_loopback_only(bridge) -> None:
    assert bridge.address == ("127.0.0.1", bridge.port)


def identity(bridge: LiveBridge, challenge: str):
    return bridge.call("GET", "/v1/identity", headers={"GazeShift-Challenge": challenge})


def test_it_proves_that_it_knows_the_token(bridge) -> None:
    challenge = "0a" * 32
    # RFC 2104 with SHA-256, written out.
    key = TOKEN.encode().ljust(64, b"\0")
    text = f"gazeshift-identity {bridge.port} {challenge}".encode()
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + text).digest()
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).hexdigest()
    assert identity(bridge, challenge).headers["GazeShift-Proof"] == outer


def test_it_proves_nothing_unasked(bridge) -> None:
    assert "GazeShift-Proof" not in bridge.call("GET", "/v1/identity", headers={}).headers
    challenged = bridge.headers(GazeShift_Challenge="0a" * 32)
    assert "GazeShift-Proof" not in bridge.call("GET", "/v1/operators", headers=challenged).headers


@pytest.mark.parametrize("challenge", ["", "0a", "0A" * 32, "0a" * 33, "g" * 64])
def test_a_strange_challenge_is_refused(bridge, challenge) -> None:
    reply = identity(bridge, challenge)
    assert (reply.status, reply.json()["code"]) == (400, "request")
    assert "GazeShift-Proof" not in reply.headers
