"""What a host's recipe is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gazeshift.edit import Edit


@dataclass(frozen=True)
class Target:
    """What the host wants to apply the edit to."""

    width: int
    """Width of the full picture in pixels."""
    height: int
    """Height of the full picture in pixels."""
    is_grey: bool = False
    """Whether the document has one colour channel; colour operators are left out then."""


@dataclass(frozen=True)
class Recipe:
    """One host's translation of an edit."""

    host: str
    """Permanent name, also the end of the bridge's route."""
    label: str
    """The host's name as people know it."""
    answer: type[Any]
    """The dataclass that `make` returns."""
    make: Callable[[Edit, float, Target], Any]
    """Translates an edit at a dial position from 0 to 1.5; raises ParamError where it cannot."""
    most_strengths: int = 256
    """Dial positions that one request may ask for."""
