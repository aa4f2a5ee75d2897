"""GIMP's own non-destructive filters on one layer, set from a recipe of the bridge.

Needs GIMP 3.2: the same calls crash 3.0. All numbers come from the recipe; this module only
knows how to hand them to GIMP.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp  # noqa: E402

CHANNELS = {
    "value": Gimp.HistogramChannel.VALUE,
    "red": Gimp.HistogramChannel.RED,
    "green": Gimp.HistogramChannel.GREEN,
    "blue": Gimp.HistogramChannel.BLUE,
}


class FilterStack:
    """The GazeShift filters of one layer, in the order of the chain.

    `show` moves them to a recipe's numbers in place. Filters that a recipe does not name are
    hidden while the dial moves, so that it can come back without rebuilding the stack;
    `finish` removes them.

    Parameters
    ----------
    layer
        A layer of an image with **no selection active** whenever a filter has to be added:
        GIMP clips a filter to the selection it is born under.
    order
        Operator ids in the order of application.
    """

    def __init__(self, layer: Gimp.Layer, order: list[str]) -> None:
        self.layer = layer
        self._order = order
        self._slots: dict[tuple[str, str], _Slot] = {}

    @property
    def keys(self) -> set[tuple[str, str]]:
        """Operator and operation of every filter in the stack, shown or hidden."""
        return set(self._slots)

    def lacks(self, recipe: list[dict[str, Any]]) -> bool:
        """Tell whether `show` would have to add filters, which needs an empty selection."""
        return not {_key(settings) for settings in recipe} <= self.keys

    def extend(self, *recipes: list[dict[str, Any]]) -> None:
        """Make sure that every filter of the recipes stands in the stack, hidden if new.

        GIMP can only put a filter on top, so a newcomer rebuilds what must stand above it.
        """
        wanted = {_key(settings): settings for recipe in recipes for settings in recipe}
        if not set(wanted) - self.keys:
            return
        known = {key: slot.settings for key, slot in self._slots.items()}
        shown = {key for key, slot in self._slots.items() if slot.filter.get_visible()}
        self.clear()
        for key in sorted({**wanted, **known}, key=self._place):
            slot = _Slot(self.layer, known.get(key) or wanted[key])
            self._slots[key] = slot
            slot.set_visible(key in shown)

    def show(self, recipe: list[dict[str, Any]]) -> None:
        """Move the filters to a recipe's numbers; those it does not name are hidden."""
        for _ in self.moves(recipe):
            pass

    def moves(self, recipe: list[dict[str, Any]]) -> Iterator[None]:
        """Do what `show` does, and yield after each call that GIMP may be slow to answer."""
        self.extend(recipe)
        named = {_key(settings): settings for settings in recipe}
        for key, slot in self._slots.items():
            if key in named:
                yield from slot.moves(named[key])
            if slot.set_visible(key in named):
                yield

    def remove_like(self, *recipes: list[dict[str, Any]]) -> None:
        """Remove filters that an earlier session has left for one of these recipes.

        GIMP reads a stored curve back as a straight line, so they are made anew instead.
        """
        names = {
            (settings["operation"], settings["label"]) for recipe in recipes for settings in recipe
        }
        for stored in self.layer.get_filters():
            if (stored.get_operation_name(), stored.get_name()) in names:
                stored.delete()

    def finish(self) -> None:
        """Remove the hidden filters: an operator that changes nothing leaves no filter."""
        for key, slot in list(self._slots.items()):
            if not slot.is_shown:
                slot.filter.delete()
                del self._slots[key]

    def clear(self) -> None:
        """Remove every filter of this stack."""
        for slot in self._slots.values():
            slot.filter.delete()
        self._slots = {}

    def _place(self, key: tuple[str, str]) -> tuple[int, str]:
        operator, operation = key
        place = self._order.index(operator) if operator in self._order else len(self._order)
        return place, operation


def _key(settings: dict[str, Any]) -> tuple[str, str]:
    return settings["operator"], settings["operation"]


class _Slot:
    """One filter and the settings that GIMP was last given for it."""

    def __init__(self, layer: Gimp.Layer, settings: dict[str, Any]) -> None:
        self.filter = Gimp.DrawableFilter.new(layer, settings["operation"], settings["label"])
        self.settings: dict[str, Any] = {}
        self.is_shown = True
        self._curves: dict[str, Any] = {}
        self._set_plain(settings)
        layer.append_filter(self.filter)
        for _ in self.moves(settings):
            pass

    def set_visible(self, visible: bool) -> bool:
        """Show or hide the filter; tells whether that was a change."""
        if visible == self.is_shown:
            return False
        self.filter.set_visible(visible)
        self.is_shown = visible
        return True

    def moves(self, settings: dict[str, Any]) -> Iterator[None]:
        """Give GIMP the numbers that differ from what it has, and yield after each update."""
        plain = ("properties", "opacity")
        if any(self.settings.get(name) != settings[name] for name in plain):
            self._set_plain(settings)
            self.filter.update()
            yield
        curves = {curve["channel"]: curve for curve in settings["curves"]}
        for channel in [*curves, *(name for name in self._curves if name not in curves)]:
            curve = curves.get(channel)
            if self._curves.get(channel) != curve:
                self._set_curve(channel, curve)
                self._curves[channel] = curve
                yield
        self.settings = settings

    def _set_plain(self, settings: dict[str, Any]) -> None:
        config = self.filter.get_config()
        for name, value in settings["properties"].items():
            if isinstance(value, str) and not isinstance(config.get_property(name), str):
                # An enum arrives as its nick; the property's present value knows its class.
                kind = type(config.get_property(name))
                value = getattr(kind, value.upper().replace("-", "_"))
            config.set_property(name, value)
        self.filter.set_opacity(settings["opacity"])
        self.settings = {**self.settings, **{k: settings[k] for k in ("properties", "opacity")}}

    def _set_curve(self, channel: str, curve: dict[str, Any] | None) -> None:
        # One filter holds a curve per channel, but only the named channel travels in an update.
        config = self.filter.get_config()
        config.set_property("channel", CHANNELS[channel])
        config.set_property("curve", make_curve(curve))
        self.filter.update()


def make_curve(settings: dict[str, Any] | None) -> Gimp.Curve:
    """Return a GIMP curve: corner points, free samples, or the straight line for None."""
    curve = Gimp.Curve.new()
    if settings is None:
        return curve
    if settings["samples"]:
        samples = settings["samples"]
        curve.set_curve_type(Gimp.CurveType.FREE)
        curve.set_n_samples(len(samples))
        for place, sample in enumerate(samples):
            curve.set_sample(place / (len(samples) - 1), sample)
        return curve
    curve.set_curve_type(Gimp.CurveType.SMOOTH)
    curve.clear_points()
    for point in settings["points"]:
        place = curve.add_point(point["x"], point["y"])
        curve.set_point_type(place, Gimp.CurvePointType.CORNER)
    return curve
