"""What a host is, and what can be found out about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, in words for the user."""

    level: Literal["good", "note", "bad"]
    """A note is worth knowing but nothing is wrong."""
    text: str
    """What was found, in one sentence."""
    remedy: str = ""
    """What to do about it; empty if nothing has to be done."""


@dataclass(frozen=True)
class Host:
    """An editor that GazeShift can be installed into."""

    name: str
    """Permanent name, also the command's: `gazeshift install NAME`."""
    label: str
    """The name people know."""
    help: str
    """One sentence about what `install` does."""
    install: Callable[[bool], Iterable[str]]
    """Installs, or with True only tells; gives what was or would be done, line by line."""
    uninstall: Callable[[bool], Iterable[str]]
    """The reverse."""
    inspect: Callable[[], list[Finding]]
    """Looks at what is installed."""
