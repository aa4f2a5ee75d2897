"""GIMP 3.2 and 3.0 with a real window: the dialog, its slider, Cancel, OK, and Ctrl+Z.

The pictures of the screen are kept in `build/gimp-screens`, where CI collects them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from build_gimp import SUITES
from core_of_machine import install_plugin, stop_core
from gimp_host import GimpHost
from photos import write_all
from screen import Screen
from window import (
    CONTRAST,
    SCREENS,
    START_S,
    STEP_S,
    STRENGTH,
    STYLE,
    gimp_with_window,
    place,
    press,
    scroll,
    settle,
    wait_until,
)

from gazeshift.edit import Edit
from gazeshift.render import render

REDIRECT_TITLE, ADJUST_TITLE = "Redirect Attention", "Adjust Existing Edit"
SCROLLS = 3


@pytest.fixture(scope="module", params=["forky", "trixie"], ids=["3.2", "3.0"])
def window(request: pytest.FixtureRequest) -> Iterator[SimpleNamespace]:
    with GimpHost(SUITES[request.param]) as host, Screen() as screen:
        state = install_plugin(host)
        photo = write_all(host.work)["two-dogs"]
        size = photo.rgb.shape[1::-1]
        try:
            with gimp_with_window(host, screen, "dialogs_in_window", size=size) as gimp:
                use_window(host, screen)
                gimp.wait(STEP_S)
                answer = json.loads((host.work / "answer.json").read_text())["use_dialogs"]
                assert "trouble" not in answer, answer["trouble"]
            yield SimpleNamespace(seen=answer, photo=photo, work=host.work)
        finally:
            stop_core(state)


def use_window(host: GimpHost, screen: Screen) -> None:
    """Do with mouse and keyboard what a user does."""
    screens = SCREENS / host.suite.gimp_series
    first = screen.wait_for(REDIRECT_TITLE, START_S)
    canvas = place(screen, first)
    settle(screen, first)
    screen.picture(screens / "1-redirect.png")
    scroll(screen, first, STRENGTH, SCROLLS)
    settle(screen, first)
    screen.picture(screens / "2-slider-moved.png")
    press(screen, first, "Escape")
    wait_until((host.work / "cancelled").exists)
    second = screen.wait_for(REDIRECT_TITLE, STEP_S)
    settle(screen, second)
    scroll(screen, second, STRENGTH, SCROLLS)
    settle(screen, second)
    press(screen, second, "alt+d")
    settle(screen, second)
    scroll(screen, second, STYLE, 1)
    settle(screen, second)
    scroll(screen, second, CONTRAST, 1)
    settle(screen, second)
    screen.picture(screens / "3-details.png")
    press(screen, second, "alt+o")
    third = screen.wait_for(ADJUST_TITLE, STEP_S)
    settle(screen, third)
    scroll(screen, third, STRENGTH, SCROLLS)
    settle(screen, third)
    screen.picture(screens / "4-adjust.png")
    press(screen, third, "alt+o")
    wait_until((host.work / "applied").exists)
    settle(screen)
    screen.picture(screens / "5-layers.png")
    for done, seen in (("undone-adjust", "seen-first-undo"), ("undone-redirect", None)):
        press(screen, canvas, "ctrl+z")
        settle(screen)
        (host.work / done).touch()
        if seen:
            wait_until((host.work / seen).exists)


def test_cancel_leaves_no_trace(window: SimpleNamespace) -> None:
    assert window.seen["cancel"]["status"] == "cancel"
    assert window.seen["after cancel"] == window.seen["before"]


def test_ok_applies_the_position_of_the_slider(window: SimpleNamespace) -> None:
    assert window.seen["ok"]["status"] == "success", window.seen["ok"]["message"]
    group, photo = window.seen["after ok"]["tree"]
    assert (group["name"], photo["name"]) == ("GazeShift", "Photo")
    edit = Edit.loads(group["parasites"]["gazeshift-edit"])
    assert edit.direction == "attract"
    assert 0.0 < edit.strength < 1.0
    pixels = window.photo.rgb
    shown = np.frombuffer((window.work / "window.raw").read_bytes(), np.uint8)
    shown = shown.reshape(*pixels.shape[:2], window.seen["shown"]["channels"])[..., :3]
    mask = (window.photo.soft / np.float32(255)).astype(np.float32)
    apart = np.abs(shown.astype(float) - render(pixels, mask, edit))
    assert apart.mean() <= 0.8
    assert np.percentile(apart, 99) <= 3.0


def test_style_and_details_reach_the_edit(window: SimpleNamespace) -> None:
    dial = json.loads(window.seen["after ok"]["tree"][0]["parasites"]["gazeshift-dial"])
    assert dial["style"] != 0
    # The share was measured for the prediction, which a moved slider has left; only on its side.
    assert dial["attract"]["share_after"] is None
    assert dial["divert"]["share_after"] is not None


def test_selection_and_active_layer_are_kept(window: SimpleNamespace) -> None:
    for name in ("selection", "selected", "channels"):
        assert window.seen["after ok"][name] == window.seen["before"][name], name


def test_adjust_starts_where_the_edit_stands(window: SimpleNamespace) -> None:
    assert window.seen["adjust"]["status"] == "success", window.seen["adjust"]["message"]
    strengths = [
        Edit.loads(window.seen[when]["tree"][0]["parasites"]["gazeshift-edit"]).strength
        for when in ("after ok", "after adjust")
    ]
    assert strengths[1] < strengths[0]
    assert len(window.seen["after adjust"]["tree"]) == 2


def test_each_run_is_one_undo_step(window: SimpleNamespace) -> None:
    first, second = window.seen["after first undo"], window.seen["after second undo"]
    assert first["tree"][0]["parasites"] == window.seen["after ok"]["tree"][0]["parasites"]
    assert first["tree"] == window.seen["after ok"]["tree"]
    for name in ("tree", "pixels", "selection", "selected", "channels"):
        assert second[name] == window.seen["before"][name], name
