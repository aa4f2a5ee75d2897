"""A real GIMP with a window: started with a script inside, and used with mouse and keyboard."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gimp_host import INSIDE, GimpHost
from screen import Screen

SCREENS = Path(__file__).resolve().parents[2] / "build" / "gimp-screens"
GIMPRC = """(config-version "{series}")
(show-welcome-dialog no)
(check-updates no)
"""
START_S, STEP_S, SETTLE_S = 240.0, 120.0, 12.0
STRENGTH, STYLE, CONTRAST = (200, 30), (290, 87), (288, 622)
"""Where things stand in the dialog; the last one is there when the details are open."""
CANVAS_SIZE = ("1380", "960")
BESIDE_CANVAS = ("800", "60")


@contextmanager
def gimp_with_window(
    host: GimpHost, screen: Screen, script: str, **task: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Start GIMP on the screen with one script of the folder `inside` running in it.

    A picture of the screen and what GIMP printed are added to whatever goes wrong meanwhile.

    Parameters
    ----------
    host
        Its profile holds the plug-in.
    screen
        Where the window appears.
    script
        Name of the module; it finds its task as `prelude.TASK`.
    task
        Plain data for it.
    """
    version = {"3.0": "3.0.4", "3.2": "3.2.6"}[host.suite.gimp_series]
    (host.profile / "gimprc").write_text(GIMPRC.format(series=version))
    (host.work / "task.json").write_text(json.dumps(task))
    batch = f"import sys; sys.path.insert(0, '/host{INSIDE}'); import {script}"
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
        yield gimp
    except Exception as problem:
        screen.picture(SCREENS / f"trouble-{host.suite.gimp_series}.png")
        problem.add_note(log.read_text()[-2000:])
        raise
    finally:
        gimp.kill()
        gimp.wait()


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


def scroll(screen: Screen, window: str, place: tuple[int, int], clicks: int) -> None:
    """Turn the mouse wheel down over a place in a window, which moves a slider or a choice."""
    screen.hands("mousemove", "--window", window, *map(str, place))
    for _ in range(clicks):
        screen.hands("click", "5")


def press(screen: Screen, window: str, key: str) -> None:
    """Press a key in a window."""
    screen.hands("windowactivate", "--sync", window, "key", key)


def wait_until(is_done: Callable[[], bool]) -> None:
    """Wait for something that GIMP does."""
    deadline = time.monotonic() + STEP_S
    while not is_done():
        assert time.monotonic() < deadline, "GIMP did not come that far"
        time.sleep(0.1)


def place(screen: Screen, dialog: str) -> str:
    """Put the dialog beside the picture, and return the main window."""
    canvas = screen.wait_for("GIMP$", STEP_S)
    screen.hands("windowmove", canvas, "0", "0", "windowsize", canvas, *CANVAS_SIZE)
    screen.hands("windowmove", dialog, *BESIDE_CANVAS)
    return canvas
