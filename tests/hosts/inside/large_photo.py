"""How long a large photo takes, from the click to the layers on the canvas."""

import sys
import time

from gi.repository import Gimp
from prelude import TASK, call, make_image, read_file, run_checks

REDIRECT = "plug-in-gazeshift-redirect"


def click_to_layers():
    width, height = TASK["size"]
    found = []
    for _ in range(TASK["rounds"]):
        image, layer = make_image(width, height, "uint8", 3, read_file("large.rgb"))
        image.select_ellipse(
            Gimp.ChannelOps.REPLACE, width // 4, height // 4, width // 2, height // 2
        )
        found.append(call(REDIRECT, image, [layer], strength=100.0))
        image.delete()
    return found


def steps():
    """The same inside one process, so that the start of GIMP's Python is left out."""
    sys.path.insert(0, TASK["plugin_folder"])
    from session import open_redirect

    width, height = TASK["size"]
    image, layer = make_image(width, height, "uint8", 3, read_file("large.rgb"))
    image.select_ellipse(Gimp.ChannelOps.REPLACE, width // 4, height // 4, width // 2, height // 2)
    marks = []
    started = time.monotonic()
    session = open_redirect(
        layer, 0, lambda text, part: marks.append([text, time.monotonic() - started])
    )
    marks.append(["predicted", time.monotonic() - started])
    session.apply(100.0)
    marks.append(["layers", time.monotonic() - started])
    session.close()
    image.delete()
    return marks


run_checks(click_to_layers, steps)
