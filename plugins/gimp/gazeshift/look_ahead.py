"""Asks for every position of the dial in the background, so that moving it needs no request."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from bridge_client import BridgeProblem
from gi.repository import GLib
from looks import FilterLook
from session import Session

AT_ONCE = 64
"""Recipes per request: small enough that a changed edit does not wait long."""


class LookAhead:
    """Fills the dial's recipes, the side where it stands first, in a thread.

    Parameters
    ----------
    session
        Its dial is filled, on GIMP's main loop.
    complain
        Called on the main loop with a sentence if the bridge fails.
    """

    def __init__(self, session: Session, complain: Callable[[str], None]) -> None:
        self._session = session
        self._complain = complain
        self._round = 0

    def start(self) -> None:
        """Begin anew with the dial's present edits; an earlier round ends by itself."""
        self._round += 1
        if isinstance(self._session.look, FilterLook):
            threading.Thread(target=self._work, args=(self._round,), daemon=True).start()

    def stop(self) -> None:
        """Let the thread end after its present request."""
        self._round += 1

    def _work(self, number: int) -> None:
        dial = self._session.dial
        look = self._session.look
        try:
            for direction in ("attract", "divert"):
                percents = dial.missing(direction)
                for start in range(0, len(percents), AT_ONCE):
                    if number != self._round:
                        return
                    some = percents[start : start + AT_ONCE]
                    edit = dial.edits[direction]
                    recipes = look.fetch(edit, [abs(percent) / 100.0 for percent in some])
                    GLib.idle_add(self._learn, number, dial, edit, some, recipes)
        except BridgeProblem as problem:
            GLib.idle_add(self._failed, number, str(problem))

    def _learn(self, number: int, dial: Any, edit: Any, percents: Any, recipes: Any) -> bool:
        if number == self._round:
            dial.learn(edit, percents, recipes)
        return bool(GLib.SOURCE_REMOVE)

    def _failed(self, number: int, sentence: str) -> bool:
        if number == self._round:
            self._complain(sentence)
        return bool(GLib.SOURCE_REMOVE)
