"""Recipes: an edit in the numbers of a host's own tools, one module per host.

A module is a host's recipe when it holds `RECIPE`. Adding a host is adding a file here and its
test; the bridge offers every recipe under its name.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from gazeshift.recipes.recipe import Recipe

__all__ = ["Recipe", "recipes"]


@lru_cache(maxsize=1)
def recipes() -> dict[str, Recipe]:
    """Return every host's recipe by the host's name."""
    found: dict[str, Recipe] = {}
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        recipe = getattr(importlib.import_module(f"{__name__}.{info.name}"), "RECIPE", None)
        if isinstance(recipe, Recipe):
            found[recipe.host] = recipe
    return found
