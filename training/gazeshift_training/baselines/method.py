"""What a method is: something that edits a photo for a mask and a direction, with a dial."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from gazeshift.decoder import apply_regions
from gazeshift.edit import DIRECTIONS, Direction, Edit

if TYPE_CHECKING:
    from gazeshift_training.evaluation.pairs import Pair
    from gazeshift_training.evaluation.tools import Tools

FloatImage = NDArray[np.float32]

Dial = Callable[[float], FloatImage]
"""Strength, 0 (the photo) to 1.5, to the edited photo, shape (H, W, 3), encoded, 0-1."""

Prepare = Callable[["Pair", Direction, "Tools"], Dial]
"""Does a method's work for one pair and direction; what is returned renders it."""

Kind = Literal["model", "ablation", "reference", "baseline"]


@dataclass(frozen=True)
class Method:
    """One row of the table, before it is measured."""

    id: str
    """Permanent identifier."""
    label: str
    """Name shown to people."""
    help: str
    """One line for people: what it does."""
    prepare: Prepare
    """Does the work."""
    kind: Kind = "baseline"
    """`model`, `ablation` (a network trained for comparison), `reference` (a ceiling or the photo
    itself), or `baseline`."""
    directions: tuple[Direction, ...] = DIRECTIONS
    """Directions in which it makes sense."""
    order: int = 50
    """Place in the table."""
    on_subset: bool = False
    """Whether it runs on a fixed subset of the pairs only, because it is slow or secondary."""
    uses_model: bool = False
    """Whether its result changes with the model under test."""
    stamp: str = ""
    """Names the weights it uses, where they are not those of the model under test."""
    strength: float = 1.0
    """Dial position of its row."""
    has_dial: bool = True
    """Whether strengths other than its own mean anything."""
    version: int = 1
    """Raised when its results change, so that kept ones are made anew."""


def dial_of(edit: Edit, pair: Pair, order: tuple[str, ...] | None = None) -> Dial:
    """Render an edit on a pair with the reference decoder at any dial position.

    Parameters
    ----------
    edit
        Its own strength is not used.
    pair
        What it is rendered on.
    order
        Order of the operators; by default their own.

    Returns
    -------
    Dial
        At 0 it returns the photo itself.
    """

    def render(strength: float) -> FloatImage:
        regions = edit.at(strength)
        rendered: FloatImage = apply_regions(
            pair.rgb, pair.mask, regions.foreground, regions.background, order=order
        )
        return rendered

    return render


def seed_of(*parts: str) -> int:
    """Return a number that depends on the texts alone, on every machine."""
    return zlib.crc32("\n".join(parts).encode())
