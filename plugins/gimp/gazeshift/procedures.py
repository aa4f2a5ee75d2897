"""What the three menu entries do, with and without a window."""

from __future__ import annotations

import gi

gi.require_version("Gimp", "3.0")
import bridge_client  # noqa: E402
from gi.repository import Gimp  # noqa: E402
from layers import kept_selection, undo_step  # noqa: E402
from session import FOLDER, Session, open_adjust, open_redirect  # noqa: E402
from source import (  # noqa: E402
    NOTHING_SELECTED,
    SELECTION,
    TRANSPARENCY,
    Source,
    SourceProblem,
    check_layer,
)

ONE_LAYER = "GazeShift works on one layer at a time; click on the layer that holds the photo."


def run(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
) -> Gimp.PDBStatusType:
    """Run the procedure that GIMP has called.

    Raises
    ------
    SourceProblem
        If the image, the layer or the selection cannot be used.
    BridgeProblem
        If the core cannot be used.
    """
    if len(drawables) != 1:
        raise SourceProblem(ONE_LAYER)
    (layer,) = drawables
    interactive = run_mode == Gimp.RunMode.INTERACTIVE
    Gimp.progress_init("GazeShift")
    try:
        name = procedure.get_name()
        if name.endswith("attention-map"):
            return add_attention_map(layer)
        if name.endswith("adjust"):
            return _adjust(procedure, layer, config, interactive)
        return _redirect(procedure, layer, config, interactive)
    finally:
        Gimp.progress_end()


def add_attention_map(layer: Gimp.Layer) -> Gimp.PDBStatusType:
    """Add a heat map of attention above the active layer."""
    from heat_layer import add_heat_layer

    _progress("Reading the layer", 0.0)
    source = Source(layer)
    image = source.image
    try:
        mask = None if Gimp.Selection.is_empty(image) else source.mask()
        bridge = bridge_client.connect(FOLDER)
        _progress("Predicting attention", 0.4)
        attention, share = bridge.attention(source.picture(), mask, source.icc_profile)
        with undo_step(image), kept_selection(image):
            add_heat_layer(source, attention, share)
        Gimp.displays_flush()
    finally:
        source.close()
    return Gimp.PDBStatusType.SUCCESS


def _redirect(
    procedure: Gimp.Procedure,
    layer: Gimp.Layer,
    config: Gimp.ProcedureConfig,
    interactive: bool,
) -> Gimp.PDBStatusType:
    subject = SELECTION
    if interactive and Gimp.Selection.is_empty(layer.get_image()):
        subject = _offer_transparency(layer)
        if subject is None:
            return Gimp.PDBStatusType.CANCEL
    session = open_redirect(layer, config.get_property("style"), _progress, subject)
    return _finish(session, procedure, config, interactive)


def _adjust(
    procedure: Gimp.Procedure,
    layer: Gimp.Layer,
    config: Gimp.ProcedureConfig,
    interactive: bool,
) -> Gimp.PDBStatusType:
    session = open_adjust(layer, _progress)
    if interactive:
        config.set_property("strength", session.percent)
        config.set_property("style", session.dial.style)
    elif config.get_property("style") not in (0, session.dial.style):
        session.predict(config.get_property("style"))
    return _finish(session, procedure, config, interactive)


def _finish(
    session: Session,
    procedure: Gimp.Procedure,
    config: Gimp.ProcedureConfig,
    interactive: bool,
) -> Gimp.PDBStatusType:
    try:
        if interactive:
            from dialog import run_dialog

            Gimp.progress_end()
            if not run_dialog(session, procedure, config):
                return Gimp.PDBStatusType.CANCEL
        session.apply(config.get_property("strength"))
        for warning in session.source.warnings:
            Gimp.message(warning)
    finally:
        session.close()
    return Gimp.PDBStatusType.SUCCESS


def _offer_transparency(layer: Gimp.Layer) -> str | None:
    """Ask whether the layer's visible part is the subject; without one, say what to do."""
    check_layer(layer)
    source = Source(layer)
    has_transparency = source.has_transparency
    source.close()
    if not has_transparency:
        raise SourceProblem(NOTHING_SELECTED)
    from dialog import ask_for_transparency

    return TRANSPARENCY if ask_for_transparency() else None


def _progress(text: str, part: float) -> None:
    Gimp.progress_set_text(text)
    Gimp.progress_update(part)
