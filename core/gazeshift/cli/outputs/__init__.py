"""Everything that can be written for a photo, one module each, found by looking in here.

A module holds `WRITER` (a kind of file for -o) or `SIDE` (an option for something beside it);
see `kinds`. Adding one is adding a file. Modules import heavy packages inside their functions.
"""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import PurePath

from gazeshift.cli.outputs.kinds import SideOutput, Writer

__all__ = ["SIDE_OUTPUTS", "WRITERS", "writer_for"]


def _discover() -> tuple[tuple[Writer, ...], tuple[SideOutput, ...]]:
    modules = [
        importlib.import_module(f"{__name__}.{info.name}")
        for info in pkgutil.iter_modules(__path__)
    ]
    writers = tuple(module.WRITER for module in modules if hasattr(module, "WRITER"))
    sides = tuple(module.SIDE for module in modules if hasattr(module, "SIDE"))
    return writers, sides


WRITERS, SIDE_OUTPUTS = _discover()


def writer_for(path: PurePath) -> Writer:
    """Choose the writer by the ending of a file name.

    Raises
    ------
    OutputError
        If no writer makes such files.
    """
    from gazeshift.errors import OutputError

    suffix = path.suffix.lower()
    for writer in WRITERS:
        if suffix in writer.suffixes:
            return writer
    endings = ", ".join(writer.suffixes[0] for writer in WRITERS)
    every = ", ".join(dict.fromkeys(end for writer in WRITERS for end in writer.suffixes))
    raise OutputError(
        f"{path.name} has "
        + (f"the ending {path.suffix}" if suffix else "no ending")
        + ", which names no format that can be written.",
        hint=f"Use one of {every or endings}.",
    )
