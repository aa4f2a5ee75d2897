"""GIMP 3 with a window: the dialogs are shown, and the host's hands use them."""

import hashlib
import json
import time

from gi.repository import Gimp
from prelude import TASK, WORK, call, make_image, raw, read_file, run_checks, select, tree, visible

REDIRECT = "plug-in-gazeshift-redirect"
ADJUST = "plug-in-gazeshift-adjust"
WAIT_S = 120.0
SAME_LOOKS = 3
"""Looks in a row, a second apart, at which a render counts as finished."""


def observe(image):
    return {
        "tree": tree(image.get_layers()),
        "selected": [layer.get_name() for layer in image.get_selected_layers()],
        "channels": [channel.get_name() for channel in image.get_channels()],
        "selection": hashlib.sha256(raw(image.get_selection())).hexdigest(),
        "pixels": [hashlib.sha256(raw(layer)).hexdigest() for layer in image.get_layers()],
        "dirty": image.is_dirty(),
    }


def wait_for(name):
    """Wait until the host's hands have done something."""
    deadline = time.monotonic() + WAIT_S
    while not (WORK / name).exists():
        if time.monotonic() > deadline:
            raise TimeoutError(name)
        time.sleep(0.1)


def finished(image, name, earlier=None):
    """GIMP's own render, once it has stopped changing: with a window GIMP renders when idle.

    It may not have begun yet, so the render must stay the same for some looks, and where an
    `earlier` one is known to differ, it must no longer be that one.
    """
    deadline = time.monotonic() + WAIT_S
    stale = None if earlier is None else (WORK / earlier).read_bytes()
    before, looks = stale, 0
    while time.monotonic() < deadline:
        time.sleep(1.0)
        shown = visible(image, name)
        now = (WORK / name).read_bytes()
        looks = looks + 1 if now == before and now != stale else 0
        if looks == SAME_LOOKS:
            return shown
        before = now
    raise TimeoutError(name)


def offer_transparency():
    """Nothing is selected, but the layer is translucent: a question, answered twice."""
    width, height = TASK["size"]
    image, layer = make_image(width, height, "uint8", 4, read_file("two-dogs.rgba.uint8"))
    image.clean_all()
    Gimp.Display.new(image)
    interactive = Gimp.RunMode.INTERACTIVE
    found = {"no": call(REDIRECT, image, [layer], run_mode=interactive)}
    found["after no"] = observe(image)
    (WORK / "question-cancelled").touch()
    wait_for("question-gone")
    found["yes"] = call(REDIRECT, image, [layer], run_mode=interactive)
    found["after yes"] = observe(image)
    found["mask"] = sorted(set(raw(image.get_layers()[0].get_children()[0].get_mask())))
    return found


def nothing_at_all():
    """Nothing is selected, and the layer is opaque."""
    width, height = TASK["size"]
    image, layer = make_image(width, height, "uint8", 3, read_file("two-dogs.rgb.uint8"))
    found = call(REDIRECT, image, [layer], run_mode=Gimp.RunMode.INTERACTIVE)
    found["layers"] = len(image.get_layers())
    return found


def use_dialogs():
    width, height = TASK["size"]
    image, layer = make_image(width, height, "uint8", 3, read_file("two-dogs.rgb.uint8"))
    select(image, "uint8", read_file("two-dogs.soft.uint8"))
    image.clean_all()
    Gimp.Display.new(image)
    interactive = Gimp.RunMode.INTERACTIVE
    found = {"before": observe(image)}
    found["cancel"] = call(REDIRECT, image, [layer], run_mode=interactive)
    found["after cancel"] = observe(image)
    (WORK / "cancelled").touch()
    found["ok"] = call(REDIRECT, image, [layer], run_mode=interactive)
    found["after ok"] = observe(image)
    found["shown"] = finished(image, "window.raw")
    group = image.get_layers()[0]
    found["adjust"] = call(ADJUST, image, [group], run_mode=interactive)
    found["after adjust"] = observe(image)
    finished(image, "adjusted.raw", earlier="window.raw")
    (WORK / "applied").touch()
    for moment in TASK["moments"]:
        wait_for(moment)
        found[moment] = observe(image)
        (WORK / f"seen-{moment}").touch()
    group = image.get_layers()[0]
    edit = json.loads(bytes(group.get_parasite("gazeshift-edit").get_data()))
    found["repair"] = call(ADJUST, image, [group], strength=100.0 * edit["strength"])
    found["after repair"] = observe(image)
    finished(image, "repaired.raw")
    return found


run_checks(use_dialogs, offer_transparency, nothing_at_all)
