"""Why a goal is missed where it is: measured reasons, printed beside the goals that are."""

from __future__ import annotations

NOTES = {
    "8 bits, 24 megapixels": (
        "the copy writes to memory that is there, the renderer to new pages, which alone take 13 % "
        "of its processor time; decoding and storing take 20 %, sharpening and curves 19 %, "
        "decoding for the blur 10 %, reducing the picture 7 %, expanding the blur 11 % (perf)"
    ),
    "slider redraw, 1500 x 1000, feathered mask, numpy": (
        "38 ms of processor time on two cores, of which the tables for the new edit, 2 ms, and "
        "what numpy does between its loops holding Python's lock run on one"
    ),
    "slider redraw": (
        "13 ms of processor time on two cores, of which the tables for the new edit, 1.3 ms, run "
        "on one"
    ),
    "click to edit, 24 megapixels": (
        "of 37 ms of processor time the network takes 14, whatever the size, shrinking the photo "
        "13, shrinking the mask 6 and checking it 1.5"
    ),
}
"""Beginning of the goal → reason. The longest beginning that fits counts."""


def note_for(goal: str) -> str:
    """Return the reason for a missed goal; empty if none was measured."""
    fitting = [beginning for beginning in NOTES if goal.startswith(beginning)]
    return NOTES[max(fitting, key=len)] if fitting else ""
