"""GIMP 3.2 with a real window: the dialog, its slider, Cancel, OK, and Ctrl+Z.

The pictures of the screen are kept in `build/gimp-screens`, where CI collects them.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from build_gimp import SUITES
from core_of_machine import install_plugin, stop_core
from gimp_host import INSIDE, GimpHost
from photos import write_all
from screen import Screen

from gazeshift.edit import Edit
from gazeshift.render import render

SCREENS = Path(__file__).resolve().parents[2] / "build" / "gimp-screens"
GIMPRC = """(config-version "3.2.6")
(show-welcome-dialog no)
(check-updates no)
"""
REDIRECT_TITLE, ADJUST_TITLE = "Redirect Attention", "Adjust Existing Edit"
START_S, STEP_S, SETTLE_S = 240.0, 120.0, 12.0
SCROLLS = 3
CANVAS_SIZE = ("1380", "960")
BESIDE_CANVAS = ("800", "60")


@pytest.fixture(scope="module")
def window() -> Iterator[SimpleNamespace]:
    with GimpHost(SUITES["forky"]) as host, Screen() as screen:
        state = install_plugin(host)
        photo = write_all(host.work)["two-dogs"]
        (host.profile / "gimprc").write_text(GIMPRC)
        task = {"size": photo.rgb.shape[1::-1]}
        (host.work / "task.json").write_text(json.dumps(task))
        batch = f"import sys; sys.path.insert(0, '/host{INSIDE}'); import filters_in_window"
        log = host.work / "gimp.log"
        with log.open("w") as printed:
            gimp = subprocess.Popen(
                host.command(
                    "dbus-run-session", "--", "gimp", "-n", "-d", "-f", "--no-splash",
                    "--batch-interpreter=python-fu-eval", "-b", batch, "--quit",
                    DISPLAY=screen.display, NO_AT_BRIDGE="1",
                ),
                stdout=printed,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            use_window(host, screen)
            gimp.wait(STEP_S)
            answer = json.loads((host.work / "answer.json").read_text())["use_dialogs"]
            assert "trouble" not in answer, answer["trouble"]
            yield SimpleNamespace(seen=answer, photo=photo, work=host.work)
        except Exception as problem:
            screen.picture(SCREENS / "trouble.png")
            problem.add_note(log.read_text()[-2000:])
            raise
        finally:
            gimp.kill()
            gimp.wait()
            stop_core(state)


def use_window(host: GimpHost, screen: Screen) -> None:
    """Do with mouse and keyboard what a user does."""
    first = screen.wait_for(REDIRECT_TITLE, START_S)
    canvas = screen.wait_for("GIMP$", STEP_S)
    screen.hands("windowmove", canvas, "0", "0", "windowsize", canvas, *CANVAS_SIZE)
    screen.hands("windowmove", first, *BESIDE_CANVAS)
    settle(screen, first)
    screen.picture(SCREENS / "1-redirect.png")
    scroll_slider(screen, first, SCROLLS)
    settle(screen, first)
    screen.picture(SCREENS / "2-slider-moved.png")
    screen.hands("windowactivate", "--sync", first, "key", "Escape")
    wait_until((host.work / "cancelled").exists)
    second = screen.wait_for(REDIRECT_TITLE, STEP_S)
    settle(screen, second)
    scroll_slider(screen, second, SCROLLS)
    settle(screen, second)
    screen.hands("windowactivate", "--sync", second, "key", "alt+d")
    settle(screen, second)
    screen.picture(SCREENS / "3-details.png")
    screen.hands("windowactivate", "--sync", second, "key", "alt+o")
    third = screen.wait_for(ADJUST_TITLE, STEP_S)
    settle(screen, third)
    scroll_slider(screen, third, SCROLLS)
    settle(screen, third)
    screen.picture(SCREENS / "4-adjust.png")
    screen.hands("windowactivate", "--sync", third, "key", "alt+o")
    wait_until((host.work / "applied").exists)
    settle(screen)
    screen.picture(SCREENS / "5-layers.png")
    for done, seen in (("undone-adjust", "seen-first-undo"), ("undone-redirect", None)):
        screen.hands("windowactivate", "--sync", canvas, "key", "ctrl+z")
        settle(screen)
        (host.work / done).touch()
        if seen:
            wait_until((host.work / seen).exists)


def settle(screen: Screen, window: str = "root") -> None:
    """Wait until a window has stopped changing; the canvas with its marching ants never does."""
    before = None
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        time.sleep(1.0)
        now = screen.fingerprint(window)
        if now == before:
            return
        before = now


def scroll_slider(screen: Screen, window: str, clicks: int) -> None:
    """Scroll on the strength slider, which stands in the dialog's first row."""
    screen.hands("mousemove", "--window", window, "200", "30")
    for _ in range(clicks):
        screen.hands("click", "5")


def wait_until(is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STEP_S
    while not is_done():
        assert time.monotonic() < deadline, "GIMP did not come that far"
        time.sleep(0.1)


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
