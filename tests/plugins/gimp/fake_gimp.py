"""A strict fake of the few calls to GIMP 3.2 that `filters` makes: whatever else is called fails.

It knows the rules that the real GIMP has: which operations can be filters and which properties
they have, that a new filter lands on top, that it is clipped to the selection it is born under,
and that of a filter's curves only the named channel's travels in an update. The tests in
`tests/hosts` say the same about the real GIMP.
"""

from __future__ import annotations

import sys
from enum import Enum
from types import ModuleType
from typing import Any


class HistogramChannel(Enum):
    VALUE, RED, GREEN, BLUE = range(4)


class CurveType(Enum):
    SMOOTH, FREE = range(2)


class CurvePointType(Enum):
    SMOOTH, CORNER = range(2)


class Trc(Enum):
    LINEAR, NON_LINEAR, PERCEPTUAL = range(3)


class Filter(Enum):
    AUTO, FIR, IIR = range(3)


class Abyss(Enum):
    NONE, CLAMP = range(2)


class Curve:
    def __init__(self) -> None:
        self.type = CurveType.SMOOTH
        self.points = [[0.0, 0.0, CurvePointType.SMOOTH], [1.0, 1.0, CurvePointType.SMOOTH]]
        self.samples: list[float] = []

    @classmethod
    def new(cls) -> Curve:
        return cls()

    def set_curve_type(self, kind: CurveType) -> None:
        self.type = kind

    def set_n_samples(self, count: int) -> None:
        self.samples = [0.0] * count

    def set_sample(self, x: float, y: float) -> None:
        place = x * (len(self.samples) - 1)
        assert abs(place - round(place)) < 1e-6
        self.samples[round(place)] = y

    def clear_points(self) -> None:
        self.points = []

    def add_point(self, x: float, y: float) -> int:
        self.points.append([x, y, CurvePointType.SMOOTH])
        return len(self.points) - 1

    def set_point_type(self, place: int, kind: CurvePointType) -> None:
        self.points[place][2] = kind

    def is_straight(self) -> bool:
        return not self.samples and [point[:2] for point in self.points] == [[0, 0], [1, 1]]


_PROPERTIES: dict[str, dict[str, Any]] = {
    "gimp:levels": {
        "trc": Trc.LINEAR,
        "channel": HistogramChannel.VALUE,
        "low-input": 0.0,
        "high-input": 1.0,
        "clamp-input": False,
        "gamma": 1.0,
        "low-output": 0.0,
        "high-output": 1.0,
        "clamp-output": False,
    },
    "gimp:curves": {"trc": Trc.LINEAR, "channel": HistogramChannel.VALUE, "curve": None},
    "gegl:unsharp-mask": {"std-dev": 3.0, "scale": 0.5, "threshold": 0.0},
    "gegl:gaussian-blur": {
        "std-dev-x": 1.5,
        "std-dev-y": 1.5,
        "filter": Filter.AUTO,
        "abyss-policy": Abyss.CLAMP,
        "clip-extent": True,
    },
}


class Config:
    def __init__(self, operation: str) -> None:
        self._values = dict(_PROPERTIES[operation])

    def get_property(self, name: str) -> Any:
        return self._values[name]

    def set_property(self, name: str, value: Any) -> None:
        before = self._values[name]
        kinds = (Curve, type(None)) if name == "curve" else (type(before),)
        if type(before) is float:
            kinds = (float, int)
        if not isinstance(value, kinds):
            raise TypeError(f"{name} cannot be {value!r}")
        self._values[name] = value


class DrawableFilter:
    """A filter; `shown` is what GIMP renders, which only `update` changes."""

    def __init__(self, layer: Layer, operation: str, name: str) -> None:
        self._layer, self._operation, self._name = layer, operation, name
        self._config = Config(operation)
        self._opacity = 1.0
        self._visible = True
        self.is_clipped = False
        self.updates = 0
        self.shown: dict[str, Any] = {}
        self.curves: dict[HistogramChannel, Curve] = {}

    @classmethod
    def new(cls, layer: Layer, operation: str, name: str) -> DrawableFilter:
        return cls(layer, operation, name)

    def get_config(self) -> Config:
        return self._config

    def get_operation_name(self) -> str:
        return self._operation

    def get_name(self) -> str:
        return self._name

    def set_opacity(self, opacity: float) -> None:
        self._opacity = opacity

    def set_visible(self, visible: bool) -> None:
        self._visible = visible

    def get_visible(self) -> bool:
        return self._visible

    def update(self) -> None:
        self.updates += 1
        self._take_over()

    def delete(self) -> None:
        self._layer.filters.remove(self)

    def born(self) -> None:
        self.is_clipped = self._layer.has_selection
        self._take_over()

    def _take_over(self) -> None:
        self.shown = {**self._config._values, "opacity": self._opacity}
        curve = self.shown.pop("curve", None)
        if curve is not None:
            self.curves[self.shown["channel"]] = curve


class Layer:
    """A layer; `filters` stand with the top first."""

    def __init__(self) -> None:
        self.filters: list[DrawableFilter] = []
        self.has_selection = False

    def append_filter(self, one: DrawableFilter) -> None:
        self.filters.insert(0, one)
        one.born()

    def get_filters(self) -> list[DrawableFilter]:
        return list(self.filters)


def pretend() -> None:
    """Let `import gi` find the fake; a Python with the real one has no business here."""
    gi = ModuleType("gi")
    repository = ModuleType("gi.repository")
    gimp = ModuleType("gi.repository.Gimp")

    def require_version(name: str, version: str) -> None:
        if (name, version) != ("Gimp", "3.0"):
            raise ValueError(f"{name} {version} is not faked")

    for one in (HistogramChannel, CurveType, CurvePointType, Curve, DrawableFilter):
        setattr(gimp, one.__name__, one)
    gi.require_version = require_version  # type: ignore[attr-defined]
    repository.Gimp = gimp  # type: ignore[attr-defined]
    sys.modules.update({"gi": gi, "gi.repository": repository})
