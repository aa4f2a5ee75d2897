"""GazeShift: photo edits that move a viewer's attention to a selection, or away from it.

>>> from gazeshift import Edit, RegionParameters
>>> edit = Edit(foreground=RegionParameters({"exposure": {"ev": 0.4}}))
>>> edit.at(0.5).foreground.get("exposure", "ev")
(0.2,)

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gazeshift.attention import AttentionModel, attention_share
    from gazeshift.edit import Edit
    from gazeshift.errors import GazeShiftError
    from gazeshift.photo import Photo, read_photo, write_photo
    from gazeshift.pictures import render_picture as render
    from gazeshift.predict import Prediction, Redirector
    from gazeshift.region import RegionParameters

__version__ = "0.1.0"

__all__ = [
    "AttentionModel",
    "Edit",
    "GazeShiftError",
    "Photo",
    "Prediction",
    "Redirector",
    "RegionParameters",
    "__version__",
    "attention_share",
    "read_photo",
    "render",
    "write_photo",
]

_HOMES = {
    "AttentionModel": ("attention", "AttentionModel"),
    "Edit": ("edit", "Edit"),
    "GazeShiftError": ("errors", "GazeShiftError"),
    "Photo": ("photo", "Photo"),
    "Prediction": ("predict", "Prediction"),
    "Redirector": ("predict", "Redirector"),
    "RegionParameters": ("region", "RegionParameters"),
    "attention_share": ("attention", "attention_share"),
    "read_photo": ("photo", "read_photo"),
    "render": ("pictures", "render_picture"),
    "write_photo": ("photo", "write_photo"),
}


class _Package(ModuleType):
    """Keeps the function `gazeshift.render` when the module of the same name is loaded."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _HOMES and isinstance(value, ModuleType):
            return
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gazeshift' has no attribute '{name}'")
    module, attribute = _HOMES[name]
    value = getattr(importlib.import_module(f"gazeshift.{module}"), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
