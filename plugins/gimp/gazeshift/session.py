"""One run of the plug-in: a source, a bridge, a dial, and the layers it ends in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import bridge_client
import dial as dials
import gi
from bridge_client import Bridge
from dial import Dial

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp  # noqa: E402
from layers import EditLayers, no_undo, undo_step  # noqa: E402
from looks import FILTERS, FilterLook, Look, PixelLook, has_filters  # noqa: E402
from source import NOTHING_SELECTED, SELECTION, GroupSource, Source, SourceProblem  # noqa: E402

FOLDER = Path(__file__).resolve().parent
NO_EDIT = (
    "There is no GazeShift edit in the selected layer. Click on a group named GazeShift, or use "
    "Filters > GazeShift > Redirect Attention first."
)

Progress = Callable[[str, float], None]


class Session:
    """Everything that a dialog or a script needs to move the dial and to apply the edit.

    Parameters
    ----------
    source
        The pixels and the subject.
    bridge
        A running core.
    offers
        The bridge's operators, styles and limits.
    dial
        Both directions' edits.
    look
        How the layers show the edit.
    existing
        The layers to adjust; None makes new ones.
    percent
        Where the dial stood when the edit was kept; None for a new edit.
    """

    def __init__(
        self,
        source: Source,
        bridge: Bridge,
        offers: dict[str, Any],
        dial: Dial,
        look: Look,
        existing: EditLayers | None = None,
        percent: float | None = None,
    ) -> None:
        self.source = source
        self.bridge = bridge
        self.offers = offers
        self.dial = dial
        self.look = look
        self.existing = existing
        self.percent = percent
        self._stored: list[dict[str, Any]] = []
        if existing is not None and percent is not None and isinstance(look, FilterLook):
            self._stored.append(look.prepare(dial, percent))

    def predict(self, style: int) -> None:
        """Replace the dial by a prediction in another style."""
        self.dial = predict(self.bridge, self.source, style)

    def apply(self, percent: float) -> EditLayers:
        """Make the layers, or change the existing ones, in one undo step.

        Parameters
        ----------
        percent
            Dial position, -100 to 150.

        Raises
        ------
        BridgeProblem
            If the core fails; the image is then untouched.
        """
        prepared = self.look.prepare(self.dial, percent)
        with undo_step(self.source.image):
            if self.existing is not None:
                return self._fill(self.existing, percent, prepared, None)
            layers = EditLayers.build(self.source)
            try:
                return self._fill(layers, percent, prepared, self.source.layer)
            except BaseException:
                layers.discard()
                raise

    def start_preview(self, percent: float) -> EditLayers:
        """Put preview layers on the canvas; to be called inside `preview_scope`."""
        prepared = self.look.prepare(self.dial, percent)
        layers = EditLayers.build(self.source)
        try:
            self.look.attach(layers)
            self.look.show(prepared)
        except BaseException:
            layers.discard()
            raise
        Gimp.displays_flush()
        return layers

    def move_preview(self, percent: float) -> Iterator[None]:
        """Let the preview layers follow the dial, in steps.

        GIMP answers in between two pieces of its rendering, so all steps at once could keep a
        window waiting. A move that was begun should be brought to its end.

        Raises
        ------
        BridgeProblem
            At the first step, if the core fails; the preview then stays where it is.
        """
        yield from self.look.moves(self.look.prepare(self.dial, percent))
        Gimp.displays_flush()

    def preview_scope(self) -> AbstractContextManager[None]:
        """Return the context in which previews may be made and have to be taken back."""
        return no_undo(self.source.image)

    def close(self) -> None:
        """Forget scratch images."""
        self.source.close()

    def _fill(
        self, layers: EditLayers, percent: float, prepared: Any, source_layer: Gimp.Layer | None
    ) -> EditLayers:
        self.look.attach(layers)
        if isinstance(self.look, FilterLook):
            self.look.adopt(*self._stored)
        self.look.show(prepared)
        self.look.finish()
        dial = self.dial.dumps(percent, self.look.name)
        layers.keep(self.dial.edit(percent), dial, source_layer)
        if layers is self.existing:
            layers.redraw()
        Gimp.displays_flush()
        return layers


def predict(bridge: Bridge, source: Source, style: int) -> Dial:
    """Ask for both directions' edits of a source."""
    answer = bridge.predict(source.picture(), source.mask(), source.icc_profile, [style])
    (prediction,) = answer["predictions"]
    return Dial(prediction["attract"], prediction["divert"], style)


def open_redirect(
    layer: Gimp.Layer, style: int, progress: Progress, subject: str = SELECTION
) -> Session:
    """Read the active layer and the selection, and predict.

    Parameters
    ----------
    layer
        The active layer.
    style
        Number of a style, 0 for the default.
    progress
        Called with a sentence and a part from 0 to 1.
    subject
        What the mask is made from; see `Source`.

    Raises
    ------
    SourceProblem
        If the image or the selection cannot be used.
    BridgeProblem
        If the core cannot be used.
    """
    if subject == SELECTION and Gimp.Selection.is_empty(layer.get_image()):
        raise SourceProblem(NOTHING_SELECTED)
    progress("Reading the layer", 0.0)
    source = Source(layer, subject)
    try:
        progress("Starting GazeShift", 0.2)
        bridge = bridge_client.connect(FOLDER)
        offers = bridge.operators()
        progress("Predicting the edit", 0.4)
        dial = predict(bridge, source, style)
        progress("Placing the layers", 0.9)
        return Session(source, bridge, offers, dial, _look(bridge, source, offers))
    except BaseException:
        source.close()
        raise


def open_adjust(layer: Gimp.Layer, progress: Progress) -> Session:
    """Reopen the edit of the group that `layer` is or belongs to.

    Raises
    ------
    SourceProblem
        If there is no edit, or what it was made from is gone.
    BridgeProblem
        If the core cannot be used.
    """
    layers = EditLayers.find(layer)
    if layers is None:
        raise SourceProblem(NO_EDIT)
    edit_text, dial_text = layers.kept()
    progress("Starting GazeShift", 0.2)
    bridge = bridge_client.connect(FOLDER)
    offers = bridge.operators()
    if dial_text is None:
        look_name, dial, percent = FILTERS, None, 100.0
    else:
        try:
            dial, percent, look_name = dials.loads(dial_text)
        except ValueError as error:
            raise SourceProblem(str(error)) from error
    if look_name == FILTERS and not has_filters():
        raise SourceProblem(
            "This edit consists of GIMP's own filters, which need GIMP 3.2 to be adjusted."
        )
    base = layers.background if look_name == FILTERS else layers.source_layer()
    if base is None:
        raise SourceProblem(
            "The layer that this edit was made from is gone, so it cannot be adjusted. "
            "Delete the group and use Redirect Attention again."
        )
    progress("Reading the edit", 0.5)
    source = GroupSource(layers.group, layers.foreground, base)
    try:
        source.subject_drawable()
        if dial is None:
            dial, percent = _dial_from_edit(bridge, source, edit_text)
        look = _look(bridge, source, offers) if look_name == FILTERS else PixelLook(bridge, source)
        return Session(source, bridge, offers, dial, look, layers, percent)
    except BaseException:
        source.close()
        raise


def _dial_from_edit(bridge: Bridge, source: Source, edit_text: str) -> tuple[Dial, float]:
    """Rebuild a dial around a single stored edit; the other direction is predicted."""
    try:
        edit = json.loads(edit_text)
        direction, strength = edit["direction"], float(edit["strength"])
    except (ValueError, KeyError, TypeError) as error:
        raise SourceProblem(f"The edit kept in this group cannot be read ({error}).") from error
    dial = predict(bridge, source, 0)
    dial.replace(direction, edit)
    return dial, strength * (100.0 if direction == "attract" else -100.0)


def _look(bridge: Bridge, source: Source, offers: dict[str, Any]) -> Look:
    if has_filters():
        return FilterLook(bridge, source, [one["id"] for one in offers["operators"]])
    return PixelLook(bridge, source)
