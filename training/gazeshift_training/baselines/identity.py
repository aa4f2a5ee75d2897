"""The untouched photo: what every measure says when nothing was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazeshift.edit import Direction
from gazeshift_training.baselines.method import Dial, Method

if TYPE_CHECKING:
    from gazeshift_training.evaluation.pairs import Pair
    from gazeshift_training.evaluation.tools import Tools


def prepare_identity(pair: Pair, direction: Direction, tools: Tools) -> Dial:
    """Return the photo at every strength."""
    return lambda strength: pair.rgb


METHOD = Method(
    id="identity",
    label="Identity",
    help="The photo itself.",
    prepare=prepare_identity,
    kind="reference",
    order=20,
    has_dial=False,
)
