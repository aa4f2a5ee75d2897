"""A photographer's vignette: lift the subject, darken and mute the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazeshift.edit import Direction, Edit, RegionParameters
from gazeshift_training.baselines.method import Dial, Method, dial_of

if TYPE_CHECKING:
    from gazeshift_training.evaluation.pairs import Pair
    from gazeshift_training.evaluation.tools import Tools

LIFT_EV = 0.35
LIFT_CONTRAST = 0.25
MUTE_EV = -0.35
MUTE_COLOUR = -0.3


def vignette_edit(direction: Direction) -> Edit:
    """Return the edit: `attract` lifts the selection, `divert` lifts what is around it."""
    lifted = RegionParameters({"exposure": {"ev": LIFT_EV}, "contrast": {"amount": LIFT_CONTRAST}})
    muted = RegionParameters({"exposure": {"ev": MUTE_EV}, "saturation": {"amount": MUTE_COLOUR}})
    regions = (lifted, muted) if direction == "attract" else (muted, lifted)
    return Edit(*regions, direction=direction)


def prepare_vignette(pair: Pair, direction: Direction, tools: Tools) -> Dial:
    """Render the same edit on every photo."""
    return dial_of(vignette_edit(direction), pair)


METHOD = Method(
    id="vignette",
    label="Vignette",
    help="+0.35 EV and contrast on one side of the mask's edge, -0.35 EV and 30 % less colour on "
    "the other.",
    prepare=prepare_vignette,
    order=30,
)
