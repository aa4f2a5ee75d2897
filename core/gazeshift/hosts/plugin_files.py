"""Where the plug-ins' files lie: in an installed package, or in a source checkout."""

from __future__ import annotations

from pathlib import Path

import gazeshift
from gazeshift.errors import HostError


def plugin_folder(name: str) -> Path:
    """Return the folder of a plug-in's files.

    Parameters
    ----------
    name
        Name of the folder below `plugins/`.

    Raises
    ------
    HostError
        If this installation lacks it.
    """
    package = Path(gazeshift.__file__).resolve().parent
    candidates = (package / "plugin_files" / name, package.parents[1] / "plugins" / name)
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise HostError(
        f"This installation lacks the plug-in files '{name}'.",
        hint="Install GazeShift again: pip install --force-reinstall gazeshift.",
    )
