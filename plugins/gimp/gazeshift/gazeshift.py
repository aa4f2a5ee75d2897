#!/usr/bin/env python3
"""GazeShift for GIMP 3: registers the procedures; everything heavy is imported when they run.

The plug-in needs nothing but GIMP's own Python. It always registers; what is missing is said in
words when a menu entry is chosen.
"""

from __future__ import annotations

import sys
from pathlib import Path

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, GLib, GObject  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parent))

REDIRECT = "plug-in-gazeshift-redirect"
ADJUST = "plug-in-gazeshift-adjust"
ATTENTION_MAP = "plug-in-gazeshift-attention-map"

MENU = "<Image>/Filters/GazeShift"
LABELS = {
    REDIRECT: "_Redirect Attention…",
    ADJUST: "_Adjust Existing Edit…",
    ATTENTION_MAP: "Attention _Map",
}
HELP = {
    REDIRECT: (
        "Draw attention to the selection, or away from it",
        "Edits the active layer so that viewers look at the selection more or less. The edit is "
        "a group of layers with adjustable filters; the layer itself stays as it is.",
    ),
    ADJUST: (
        "Change the strength or the details of a GazeShift edit",
        "Reopens the edit that is kept with the GazeShift group that is, or holds, the selected "
        "layer.",
    ),
    ATTENTION_MAP: (
        "Show where viewers look first",
        "Adds a layer with a heat map of predicted attention above the active layer.",
    ),
}
STRENGTH_HELP = (
    "100 draws attention to the selection, 0 changes nothing, -100 draws it away; up to 150 is "
    "allowed"
)
STYLE_HELP = "Number of the style; 0 is the model's default, and a model may have no others"
HIGHEST_STYLE = 2**31 - 1


class GazeShift(Gimp.PlugIn):
    """The plug-in as GIMP knows it."""

    def do_set_i18n(self, name: str) -> bool:
        """Tell GIMP that there are no translations to load."""
        return False

    def do_query_procedures(self) -> list[str]:
        """Name the procedures."""
        return list(LABELS)

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        """Describe one procedure: menu, words, arguments."""
        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run, None)
        procedure.set_image_types("*")
        procedure.set_sensitivity_mask(
            Gimp.ProcedureSensitivityMask.DRAWABLE
            | Gimp.ProcedureSensitivityMask.DRAWABLES
            | Gimp.ProcedureSensitivityMask.NO_DRAWABLES
        )
        procedure.set_menu_label(LABELS[name])
        procedure.add_menu_path(MENU)
        procedure.set_documentation(*HELP[name], name)
        procedure.set_attribution("GazeShift", "GazeShift, MIT licence", "2026")
        if name != ATTENTION_MAP:
            readwrite = GObject.ParamFlags.READWRITE
            procedure.add_double_argument(
                "strength", "Stren_gth", STRENGTH_HELP, -100.0, 150.0, 100.0, readwrite
            )
            procedure.add_int_argument(
                "style", "St_yle", STYLE_HELP, 0, HIGHEST_STYLE, 0, readwrite
            )
        return procedure


def run(
    procedure: Gimp.Procedure,
    run_mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    data: object,
) -> Gimp.ValueArray:
    """Run one procedure; every failure becomes an error status and a sentence."""
    try:
        import procedures

        status = procedures.run(procedure, run_mode, image, drawables, config)
        return procedure.new_return_values(status, None)
    except Exception as error:  # the outer handler: GIMP would show nothing but a crash
        return procedure.new_return_values(
            Gimp.PDBStatusType.EXECUTION_ERROR, GLib.Error(_sentence(error))
        )


def _sentence(error: Exception) -> str:
    from bridge_client import BridgeProblem
    from source import SourceProblem

    if isinstance(error, (BridgeProblem, SourceProblem)):
        return str(error)
    import traceback

    traceback.print_exc()
    place = traceback.extract_tb(error.__traceback__)[-1]
    name = Path(place.filename).name
    return (
        f"GazeShift met an unexpected problem ({type(error).__name__} in {name}, line "
        f"{place.lineno}: {error}). Please report it with the text that GIMP has printed."
    )


if __name__ == "__main__":
    Gimp.main(GazeShift.__gtype__, sys.argv)
