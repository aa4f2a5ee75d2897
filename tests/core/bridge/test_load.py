"""Many callers at once, too many callers, and light requests beside heavy ones."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.core.bridge.live import layout, running

from gazeshift.bridge.engine import Engine

EDIT = {
    "format": "gazeshift-edit/1",
    "foreground": {"exposure": {"ev": 0.5}},
    "background": {},
}


@pytest.fixture
def held_render(monkeypatch):
    """Rendering waits until `release` is set; `started` tells that it began."""
    started, release = threading.Event(), threading.Event()
    original = Engine.render

    def render(self, request, sections):
        started.set()
        assert release.wait(60)
        return original(self, request, sections)

    monkeypatch.setattr(Engine, "render", render)
    yield started, release
    release.set()


def test_fifty_parallel_requests_get_their_own_answers(bridge) -> None:
    pictures = [np.full((16, 16, 3), value, np.uint8) for value in range(50)]

    def ask(pixels: np.ndarray):
        header = {"image": layout(pixels), "edit": EDIT, "parts": ["foreground"]}
        return bridge.binary("/v1/render", header, pixels)

    with ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(ask, pictures))
    assert [reply.status for reply in replies] == [200] * 50
    # Half a stop multiplies by 2^0.5 = 1.4142.
    first = [reply.split()[1][0] for reply in replies]
    assert first == [round(value * 2**0.5) for value in range(50)]


def test_a_full_queue_is_refused_and_recovers(held_render, picture) -> None:
    started, release = held_render
    header = {"image": layout(picture), "edit": EDIT, "parts": ["foreground"]}
    with running(most_requests=1) as bridge, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(bridge.binary, "/v1/render", header, picture)
        assert started.wait(60)
        request = {"edit": EDIT, "width": 9, "height": 9}
        refused = bridge.json("/v1/recipe/gimp", request)
        assert (refused.status, refused.json()["code"]) == (503, "busy")
        release.set()
        assert slow.result().status == 200
        assert [bridge.json("/v1/recipe/gimp", request).status for _ in range(3)][-1] == 200


def test_bytes_in_flight_are_limited_but_one_body_is_always_taken(held_render, picture) -> None:
    started, release = held_render
    header = {"image": layout(picture), "edit": EDIT, "parts": ["foreground"]}
    with running(most_bytes=1000) as bridge, ThreadPoolExecutor(1) as pool:
        first = pool.submit(bridge.binary, "/v1/render", header, picture)
        assert started.wait(60)
        assert bridge.binary("/v1/render", header, picture).json()["code"] == "busy"
        release.set()
        assert first.result().status == 200


def test_recipes_do_not_wait_for_a_picture_in_work(held_render, picture) -> None:
    started, release = held_render
    header = {"image": layout(picture), "edit": EDIT, "parts": ["foreground"]}
    with running() as bridge, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(bridge.binary, "/v1/render", header, picture)
        assert started.wait(60)
        request = {"edit": EDIT, "width": 9, "height": 9}
        assert bridge.json("/v1/recipe/gimp", request).status == 200
        assert bridge.call("GET", "/v1/operators").status == 200
        assert not slow.done()
        release.set()
        assert slow.result().status == 200


def test_it_ends_after_the_idle_time_and_not_before(held_render, picture) -> None:
    started, release = held_render
    header = {"image": layout(picture), "edit": EDIT, "parts": ["foreground"]}
    with running(idle_s=0.3) as bridge, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(bridge.binary, "/v1/render", header, picture)
        assert started.wait(60)
        # A request that takes longer than the idle time keeps the bridge alive.
        bridge.thread.join(0.8)
        assert bridge.thread.is_alive()
        release.set()
        assert slow.result().status == 200
        bridge.thread.join(30)
        assert not bridge.thread.is_alive()
