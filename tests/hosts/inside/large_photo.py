"""How long a large photo takes, from the click to the layers on the canvas."""

from gi.repository import Gimp
from prelude import TASK, call, make_image, read_file, run_checks
from step_clock import Clock

REDIRECT = "plug-in-gazeshift-redirect"
NOTHING, MEASURED = "plug-in-gazeshift-nothing", "plug-in-gazeshift-measured"


def large_photo():
    width, height = TASK["size"]
    image, layer = make_image(width, height, "uint8", 3, read_file("large.rgb"))
    image.select_ellipse(Gimp.ChannelOps.REPLACE, width // 4, height // 4, width // 2, height // 2)
    return image, layer


def clicks(name, rounds, is_selected=True, **arguments):
    found = []
    for _ in range(rounds):
        image, layer = large_photo()
        if not is_selected:
            Gimp.Selection.none(image)
        answer = call(name, image, [layer], **arguments)
        if name == MEASURED:
            clock = Clock.read()
            # The plug-in has ended by now, and its processor time with it.
            clock.processes.pop("plug-in")
            clock.mark("GIMP's rendering, before it answers")
            answer["steps"] = clock.steps
        found.append(answer)
        image.delete()
    return found


def starts_core():
    return clicks(REDIRECT, 1, strength=100.0)


def click_to_layers():
    return clicks(REDIRECT, TASK["rounds"], strength=100.0)


def nothing():
    """What GIMP takes to start a plug-in in Python that does nothing."""
    return clicks(NOTHING, TASK["rounds"])


def refused():
    """The same for ours, up to the sentence that nothing is selected."""
    return clicks(REDIRECT, TASK["rounds"], is_selected=False)


def steps():
    """The click again, with a clock in the plug-in."""
    return clicks(MEASURED, TASK["rounds"])


run_checks(starts_core, click_to_layers, nothing, refused, steps)
