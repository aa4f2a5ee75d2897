"""The dial: one number from -100 (look away) over 0 (unchanged) to 150 (look here, overdriven).

Pure Python. The numbers of an edit are never computed here; the dial only chooses which of the
two predicted edits is asked for, and keeps the bridge's answers, so that a moving slider needs
no request.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

MINIMUM, MAXIMUM = -100, 150
FORMAT = "gazeshift-dial/1"

Edit = dict[str, Any]
Recipe = dict[str, Any]
FetchRecipes = Callable[[Edit, Sequence[float]], "list[Recipe]"]


class Dial:
    """Both directions' edits and the recipes that are known at its positions.

    Parameters
    ----------
    attract, divert
        Edits as the bridge gave them, at strength 1.
    style
        Number of the style they were predicted in.
    """

    def __init__(self, attract: Edit, divert: Edit, style: int = 0) -> None:
        self.edits = {"attract": attract, "divert": divert}
        self.style = style
        self._recipes: dict[float, Recipe] = {}

    @staticmethod
    def direction(percent: float) -> str:
        """Return which edit stands on this side of the dial."""
        return "divert" if percent < 0 else "attract"

    def edit(self, percent: float) -> Edit:
        """Return the edit at a dial position, as it is kept with the layers."""
        edit = self.edits[self.direction(percent)]
        strength = abs(percent) / 100.0
        # The share after the edit was measured at full strength; elsewhere it is not known.
        share_after = edit.get("share_after") if strength == edit["strength"] else None
        return {**edit, "strength": strength, "share_after": share_after}

    def replace(self, direction: str, edit: Edit) -> None:
        """Take a changed edit for one direction; its recipes have to be asked again."""
        self.edits[direction] = {**edit, "strength": 1.0, "share_after": None}
        self._recipes = {
            percent: recipe
            for percent, recipe in self._recipes.items()
            if self.direction(percent) != direction
        }

    def recipe(self, percent: float, fetch: FetchRecipes) -> Recipe:
        """Return the recipe at a dial position, asking for it only if it is not known."""
        known = self._recipes.get(percent)
        if known is None:
            edit = self.edits[self.direction(percent)]
            (known,) = fetch(edit, [abs(percent) / 100.0])
            self._recipes[percent] = known
        return known

    def missing(self, direction: str) -> list[int]:
        """Return the whole percents of one direction whose recipes are not known."""
        percents = range(MINIMUM, 0) if direction == "divert" else range(MAXIMUM + 1)
        return [percent for percent in percents if percent not in self._recipes]

    def learn(self, edit: Edit, percents: Sequence[int], recipes: Sequence[Recipe]) -> None:
        """Keep recipes that were asked ahead, unless the edit has changed since."""
        for percent, recipe in zip(percents, recipes, strict=True):
            if self.edits[self.direction(percent)] is edit:
                self._recipes[percent] = recipe

    def known_recipes(self) -> list[Recipe]:
        """Return every recipe that is known."""
        return list(self._recipes.values())

    def dumps(self, percent: float, look: str) -> str:
        """Return the text that keeps the whole dial with the layers.

        Parameters
        ----------
        percent
            The position it stands at.
        look
            How the layers show the edit, `filters` or `pixels`.
        """
        return json.dumps(
            {
                "format": FORMAT,
                "percent": percent,
                "style": self.style,
                "look": look,
                "attract": self.edits["attract"],
                "divert": self.edits["divert"],
            }
        )


def check_percent(percent: float) -> float:
    """Return the dial position, or raise ValueError if it lies outside the dial."""
    if not MINIMUM <= percent <= MAXIMUM:
        raise ValueError(f"The strength must lie in {MINIMUM} to {MAXIMUM}, not {percent:g}.")
    return percent


def loads(text: str | bytes) -> tuple[Dial, float, str]:
    """Read what `Dial.dumps` wrote: the dial, its position and the look.

    Raises
    ------
    ValueError
        If it is damaged or of a later format.
    """
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise ValueError(f"unknown format {data['format']}")
        dial = Dial(data["attract"], data["divert"], int(data["style"]))
        return dial, check_percent(float(data["percent"])), str(data["look"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"The edit kept in this group cannot be read ({error}).") from error
