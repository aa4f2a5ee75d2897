"""Every parameter of the edit as a slider, made from the bridge's operator specifications."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

REGIONS = (("foreground", "Selection"), ("background", "Background"))
STEPS = 200.0
PAGE_HEIGHT_PX = 240
CURVE_HEIGHT_PX = 90


class Details:
    """Two pages of sliders, one for the selection and one for the background.

    They show and change the edit of the dial's present direction, at full strength.

    Parameters
    ----------
    operators
        Specifications, as the bridge gives them.
    changed
        Called with a changed copy of the edit.
    """

    def __init__(
        self, operators: list[dict[str, Any]], changed: Callable[[dict[str, Any]], None]
    ) -> None:
        self._changed = changed
        self._edit: dict[str, Any] = {}
        self._is_filling = False
        self._sliders: list[_Slider] = []
        self.widget = Gtk.Notebook()
        for region, title in REGIONS:
            page = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=6, border_width=6)
            for operator in operators:
                if operator["is_default"]:
                    page.pack_start(self._section(region, operator), False, False, 0)
            scrolled = Gtk.ScrolledWindow(min_content_height=PAGE_HEIGHT_PX)
            scrolled.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
            scrolled.add(page)
            self.widget.append_page(scrolled, Gtk.Label(label=title))

    def show(self, edit: dict[str, Any]) -> None:
        """Move the sliders to an edit."""
        if edit is self._edit:
            return
        self._edit = edit
        self._is_filling = True
        try:
            for slider in self._sliders:
                slider.show(edit)
        finally:
            self._is_filling = False

    def _section(self, region: str, operator: dict[str, Any]) -> Gtk.Widget:
        frame = Gtk.Frame(label=operator["label"], tooltip_text=operator["help"])
        rows = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, border_width=4)
        for parameter in operator["parameters"]:
            if len(operator["parameters"]) > 1 or parameter["count"] > 1:
                title = f"<small>{parameter['name'].capitalize()}</small>"
                rows.pack_start(
                    Gtk.Label(label=title, use_markup=True, xalign=0.0), False, False, 0
                )
            box = Gtk.Box(homogeneous=True, tooltip_text=parameter["help"])
            for element in range(parameter["count"]):
                slider = _Slider(region, operator, parameter, element, self._slid)
                self._sliders.append(slider)
                box.pack_start(slider.widget, True, True, 0)
            rows.pack_start(box, False, False, 0)
        frame.add(rows)
        return frame

    def _slid(self, slider: _Slider) -> None:
        if not self._is_filling and self._edit:
            edit = copy.deepcopy(self._edit)
            slider.write(edit)
            self._edit = edit
            self._changed(edit)


class _Slider:
    """One number of one parameter in one region."""

    def __init__(
        self,
        region: str,
        operator: dict[str, Any],
        parameter: dict[str, Any],
        element: int,
        slid: Callable[[_Slider], None],
    ) -> None:
        self._place = (region, operator["id"], parameter["name"])
        self._operator = operator
        self._parameter = parameter
        self._element = element
        low, high = parameter["slider_minimum"], parameter["slider_maximum"]
        is_curve = parameter["count"] > 1
        direction = Gtk.Orientation.VERTICAL if is_curve else Gtk.Orientation.HORIZONTAL
        self.widget = Gtk.Scale.new_with_range(direction, low, high, (high - low) / STEPS)
        self.widget.set_digits(2)
        if is_curve:
            self.widget.set_inverted(True)
            self.widget.set_draw_value(False)
            self.widget.set_size_request(-1, CURVE_HEIGHT_PX)
        else:
            self.widget.set_value_pos(Gtk.PositionType.RIGHT)
            self.widget.add_mark(parameter["identity"], Gtk.PositionType.BOTTOM, None)
        self.widget.connect("value-changed", lambda _: slid(self))

    def show(self, edit: dict[str, Any]) -> None:
        """Move to the edit's number."""
        region, operator, name = self._place
        value = edit[region].get(operator, {}).get(name, self._parameter["identity"])
        self.widget.set_value(value[self._element] if isinstance(value, list) else value)

    def write(self, edit: dict[str, Any]) -> None:
        """Put the slider's number into an edit."""
        region, operator, name = self._place
        values = edit[region].setdefault(operator, {})
        for parameter in self._operator["parameters"]:
            count, identity = parameter["count"], parameter["identity"]
            values.setdefault(parameter["name"], [identity] * count if count > 1 else identity)
        number = self.widget.get_value()
        if isinstance(values[name], list):
            values[name][self._element] = number
        else:
            values[name] = number
