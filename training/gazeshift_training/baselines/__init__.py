"""Other ways to move attention, for comparison; found by looking into this package.

A module is a method when it holds `METHOD`. Adding one is adding a file here and its test.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import MappingProxyType

from gazeshift_training.baselines.method import Method

__all__ = ["BASELINES", "Method"]


def _discover() -> dict[str, Method]:
    found: list[Method] = []
    for info in pkgutil.iter_modules(__path__):
        method = getattr(importlib.import_module(f"{__name__}.{info.name}"), "METHOD", None)
        if isinstance(method, Method):
            found.append(method)
    return {method.id: method for method in sorted(found, key=lambda method: method.order)}


BASELINES = MappingProxyType(_discover())
"""Every comparison method by its id, in the order of the table."""
