"""Before and after: two small pictures with heat maps, and the share of attention."""

from __future__ import annotations

import threading
from typing import Any

import gi

gi.require_version("GdkPixbuf", "2.0")
gi.require_version("Gtk", "3.0")
from bridge_client import BridgeProblem, Picture  # noqa: E402
from gi.repository import GdkPixbuf, GLib, Gtk  # noqa: E402
from heat_layer import heat_pixbuf  # noqa: E402
from session import Session  # noqa: E402

SHOWN_LONG_SIDE_PX = 240


class AttentionView:
    """Two pictures and one line; they follow the dial when it rests, worked out by the bridge.

    Parameters
    ----------
    session
        Gives the small picture, the mask and the bridge.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._picture = session.source.small_picture()
        self._mask = session.source.small_mask()
        self._profile = session.source.icc_profile
        self._before_share: float | None = None
        self._round = 0
        self._line = Gtk.Label(xalign=0.5)
        self._images = (Gtk.Image(), Gtk.Image())
        for image in self._images:
            image.set_size_request(*_shown_size(self._picture))
        self.widget = self._make_widget()

    def start(self, percent: float) -> None:
        """Work out both pictures."""
        self._work(percent, with_before=True)

    def update(self, percent: float) -> None:
        """Work out the picture after the edit at a dial position."""
        self._work(percent, with_before=self._before_share is None)

    def stop(self) -> None:
        """Ignore what is still being worked out."""
        self._round += 1

    def _make_widget(self) -> Gtk.Widget:
        grid = Gtk.Grid(column_spacing=12, row_spacing=4, halign=Gtk.Align.CENTER)
        for column, (text, image) in enumerate(
            zip(("Where viewers look now", "After the edit"), self._images, strict=True)
        ):
            grid.attach(Gtk.Label(label=text), column, 0, 1, 1)
            grid.attach(image, column, 1, 1, 1)
        grid.attach(self._line, 0, 2, 2, 1)
        return grid

    def _work(self, percent: float, with_before: bool) -> None:
        self._round += 1
        edit = self._session.dial.edit(percent)
        thread = threading.Thread(
            target=self._ask, args=(self._round, edit, with_before), daemon=True
        )
        thread.start()

    def _ask(self, number: int, edit: dict[str, Any], with_before: bool) -> None:
        bridge = self._session.bridge
        try:
            if with_before:
                seen = bridge.attention(self._picture, self._mask, self._profile)
                GLib.idle_add(self._show, number, 0, self._picture, *seen)
            (after,) = bridge.render(self._picture, edit, edit["strength"], self._mask)
            seen = bridge.attention(after, self._mask, self._profile)
            GLib.idle_add(self._show, number, 1, after, *seen)
        except BridgeProblem as problem:
            GLib.idle_add(self._say, number, str(problem))

    def _show(
        self, number: int, place: int, picture: Picture, attention: Picture, share: float
    ) -> bool:
        if number == self._round:
            self._images[place].set_from_pixbuf(_overlay(picture, attention))
            if place == 0:
                self._before_share = share
            elif self._before_share is not None:
                self._line.set_markup(
                    "Attention in the selection: "
                    f"<b>{self._before_share:.0%} → {share:.0%}</b> (predicted)"
                )
        return bool(GLib.SOURCE_REMOVE)

    def _say(self, number: int, sentence: str) -> bool:
        if number == self._round:
            self._line.set_text(sentence)
        return bool(GLib.SOURCE_REMOVE)


def _overlay(picture: Picture, attention: Picture) -> GdkPixbuf.Pixbuf:
    width, height = _shown_size(picture)
    shown = _pixbuf(picture).scale_simple(width, height, GdkPixbuf.InterpType.BILINEAR)
    heat = heat_pixbuf(attention, width, height)
    nearest = GdkPixbuf.InterpType.NEAREST
    heat.composite(shown, 0, 0, width, height, 0, 0, 1, 1, nearest, 255)
    return shown


def _pixbuf(picture: Picture) -> GdkPixbuf.Pixbuf:
    """Return a picture for the screen: eight bits, three channels."""
    data = _first_bytes(picture)
    count = picture.channels
    first, step = (0, 0) if count <= 2 else (0, 1)
    rgb = bytearray(3 * picture.width * picture.height)
    for channel in range(3):
        rgb[channel::3] = data[first + channel * step :: count]
    return GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(bytes(rgb)),
        GdkPixbuf.Colorspace.RGB,
        False,
        8,
        picture.width,
        picture.height,
        3 * picture.width,
    )


def _first_bytes(picture: Picture) -> bytes:
    """Return one byte per sample: the most significant one."""
    if picture.dtype == "uint8":
        return picture.data
    if picture.dtype == "uint16":
        return picture.data[1::2]  # little-endian
    samples = memoryview(picture.data).cast("f")
    return bytes(min(255, max(0, round(255.0 * sample))) for sample in samples)


def _shown_size(picture: Picture) -> tuple[int, int]:
    scale = SHOWN_LONG_SIDE_PX / max(picture.width, picture.height)
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
