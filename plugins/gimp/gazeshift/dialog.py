"""The dialog: one slider that the layers on the canvas follow, details for those who want them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from attention_view import AttentionView  # noqa: E402
from bridge_client import BridgeProblem  # noqa: E402
from details import Details  # noqa: E402
from dial import MAXIMUM, MINIMUM  # noqa: E402
from gi.repository import Gimp, GimpUi, GLib, Gtk  # noqa: E402
from look_ahead import LookAhead  # noqa: E402
from session import Session  # noqa: E402

ROLE = "gazeshift"
SPACING_PX = 6
SLIDER_WIDTH_PX = 340
STEPS_S = 0.03
"""How long the canvas may be worked on before the window is looked after again."""
SETTLE_MS = 300
"""How long the dial must rest before something slow follows it."""
PIXELS_NOTE = (
    "This GIMP cannot hold the edit in its own filters, so the layers hold finished pixels. "
    "GIMP 3.2 would keep every step adjustable."
)


def run_dialog(session: Session, procedure: Gimp.Procedure, config: Gimp.ProcedureConfig) -> bool:
    """Show the dialog with its preview; True if the user wants the edit.

    The preview layers are always taken back: what stays is made by `Session.apply`, in one undo
    step.
    """
    GimpUi.init(ROLE)
    with session.preview_scope():
        layers = session.start_preview(config.get_property("strength"))
        try:
            return _Dialog(session, procedure, config).run()
        finally:
            layers.discard()
            Gimp.displays_flush()


def ask_for_transparency() -> bool:
    """Ask whether the visible part of the layer is the subject."""
    GimpUi.init(ROLE)
    question = Gtk.MessageDialog(
        message_type=Gtk.MessageType.QUESTION,
        text="Nothing is selected.",
        secondary_text=(
            "This layer has transparency or a layer mask. Take all that it shows as the subject? "
            "Otherwise cancel, and select what viewers should look at."
        ),
    )
    question.set_title("GazeShift")
    question.add_button("_Cancel", Gtk.ResponseType.CANCEL)
    question.add_button("_Use What the Layer Shows", Gtk.ResponseType.OK)
    question.set_default_response(Gtk.ResponseType.OK)
    answer = question.run()
    question.destroy()
    return bool(answer == Gtk.ResponseType.OK)


class _Dialog:
    """The window and the one way in which anything moves the preview: `_moved`."""

    def __init__(
        self, session: Session, procedure: Gimp.Procedure, config: Gimp.ProcedureConfig
    ) -> None:
        self._session = session
        self._config = config
        self._settle: int | None = None
        self._due: int | None = None
        self._move: Iterator[None] | None = None
        self._is_behind = False
        self._window = GimpUi.ProcedureDialog.new(
            procedure, config, procedure.get_menu_label().replace("_", "").rstrip("…")
        )
        self._attention = AttentionView(session)
        self._details = Details(session.offers["operators"], self._details_changed)
        self._ahead = LookAhead(session, self._say)
        self._note = Gtk.Label(wrap=True, xalign=0.0, max_width_chars=60, no_show_all=True)
        self._fill()
        config.connect("notify::strength", lambda *_: self._moved())

    def run(self) -> bool:
        """Show the window until the user decides."""
        self._ahead.start()
        self._attention.start(self._percent)
        self._details.show(self._edit())
        try:
            return bool(self._window.run())
        finally:
            self._stop_settling()
            self._stop_following()
            self._ahead.stop()
            self._attention.stop()
            self._window.destroy()

    @property
    def _percent(self) -> float:
        return float(self._config.get_property("strength"))

    def _edit(self) -> dict[str, Any]:
        return self._session.dial.edits[self._session.dial.direction(self._percent)]

    def _fill(self) -> None:
        scale = self._window.get_scale_entry("strength", 1.0)
        scale.set_increments(1.0, 10.0)
        scale.set_digits(0)
        bar = scale.get_range()
        bar.set_size_request(SLIDER_WIDTH_PX, -1)
        for percent, text in ((MINIMUM, "look away"), (0, "unchanged"), (100, "look here")):
            bar.add_mark(percent, Gtk.PositionType.BOTTOM, f"<small>{text}</small>")
        bar.add_mark(MAXIMUM, Gtk.PositionType.BOTTOM, None)
        self._window.fill(["strength"])
        area = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING_PX)
        area.set_border_width(2 * SPACING_PX)
        styles = self._session.offers["styles"]
        if styles:
            area.pack_start(self._style_row(styles), False, False, 0)
        area.pack_start(self._attention.widget, True, True, 0)
        expander = Gtk.Expander(label="_Details", use_underline=True)
        expander.add(self._details.widget)
        # GIMP's dialogs keep the height they once had; give it back when the details close.
        expander.connect("notify::expanded", lambda *_: self._window.resize(1, 1))
        area.pack_start(expander, False, False, 0)
        for text in [*self._session.source.warnings, *self._look_notes()]:
            area.pack_start(
                Gtk.Label(label=text, wrap=True, xalign=0.0, max_width_chars=60), False, False, 0
            )
        area.pack_start(self._note, False, False, 0)
        self._window.get_content_area().pack_start(area, True, True, 0)
        area.show_all()

    def _look_notes(self) -> list[str]:
        return [] if self._session.look.is_quick else [PIXELS_NOTE]

    def _style_row(self, styles: list[dict[str, Any]]) -> Gtk.Widget:
        row = Gtk.Box(spacing=SPACING_PX)
        row.pack_start(Gtk.Label(label="Style"), False, False, 0)
        choice = Gtk.ComboBoxText()
        for style in styles:
            choice.append(str(style["number"]), style["label"])
        choice.set_active_id(str(self._session.dial.style))
        choice.connect("changed", self._style_changed)
        row.pack_start(choice, True, True, 0)
        return row

    def _style_changed(self, choice: Gtk.ComboBoxText) -> None:
        number = int(choice.get_active_id())
        try:
            self._session.predict(number)
        except BridgeProblem as problem:
            return self._say(str(problem))
        self._config.set_property("style", number)
        self._ahead.start()
        self._details.show(self._edit())
        return self._moved()

    def _details_changed(self, edit: dict[str, Any]) -> None:
        self._session.dial.replace(edit["direction"], edit)
        self._ahead.start()
        self._moved(from_details=True)

    def _moved(self, from_details: bool = False) -> None:
        if not from_details:
            self._details.show(self._edit())
        self._is_behind = True
        if self._session.look.is_quick:
            self._follow()
        self._stop_settling()
        self._settle = GLib.timeout_add(SETTLE_MS, self._settled)

    def _settled(self) -> bool:
        self._settle = None
        if not self._session.look.is_quick:
            self._follow()
        self._attention.update(self._percent)
        return bool(GLib.SOURCE_REMOVE)

    def _stop_settling(self) -> None:
        if self._settle is not None:
            GLib.source_remove(self._settle)
            self._settle = None

    def _stop_following(self) -> None:
        if self._due is not None:
            GLib.source_remove(self._due)
            self._due = None

    def _follow(self) -> None:
        if self._due is None:
            self._due = GLib.idle_add(self._follow_on)

    def _follow_on(self) -> bool:
        """Bring the preview some steps further.

        While one move is made several positions may come in; only the last one counts, and a
        move is never left half-way, so that the canvas keeps up with a slider that never rests.
        """
        enough = time.monotonic() + STEPS_S
        try:
            while self._move is not None or self._is_behind:
                if self._move is None:
                    self._is_behind = False
                    self._move = self._session.move_preview(self._percent)
                for _ in self._move:
                    if time.monotonic() > enough:
                        return bool(GLib.SOURCE_CONTINUE)
                self._move = None
        except BridgeProblem as problem:
            self._move = None
            self._say(str(problem))
        self._due = None
        return bool(GLib.SOURCE_REMOVE)

    def _say(self, text: str) -> None:
        self._note.set_text(text)
        self._note.set_visible(bool(text))
