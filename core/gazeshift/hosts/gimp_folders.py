"""GIMP's settings folders on this computer: native, flatpak, snap, and named by a variable."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Packaging = Literal["native", "flatpak", "snap"]

_VERSION = re.compile(r"(\d+)\.(\d+)")
_OLDEST = (2, 10)


@dataclass(frozen=True)
class GimpFolder:
    """One settings folder of one GIMP."""

    path: Path
    """The folder that holds `plug-ins`."""
    version: str
    """The folder's version, such as 3.2; the major version alone if only a variable names it."""
    packaging: Packaging
    """How this GIMP was installed."""

    @property
    def major(self) -> int:
        """Return 2 or 3."""
        return int(self.version.partition(".")[0])

    @property
    def plugin(self) -> Path:
        """Return where the plug-in lies in it."""
        return self.path / "plug-ins" / "gazeshift"

    @property
    def is_sandboxed(self) -> bool:
        """Return whether this GIMP may be unable to start programs or read files outside."""
        return self.packaging != "native"

    @property
    def label(self) -> str:
        """Return a name for people."""
        how = "" if self.packaging == "native" else f" ({self.packaging})"
        return f"GIMP {self.version}{how}"


def find_folders(
    environment: Mapping[str, str] | None = None,
    home: Path | None = None,
    platform: str = sys.platform,
) -> list[GimpFolder]:
    """Return every settings folder of GIMP 2.10 and later that exists.

    Parameters
    ----------
    environment
        Environment variables; by default the process's own. A folder that GIMP3_DIRECTORY or
        GIMP2_DIRECTORY names counts even before GIMP has made it.
    home
        Home folder; by default the user's own.
    platform
        As `sys.platform`.
    """
    environment = os.environ if environment is None else environment
    home = Path.home() if home is None else home
    found = [
        GimpFolder(path, match[0], packaging)
        for packaging, parent in _parents(environment, home, platform)
        if parent.is_dir()
        for path in sorted(parent.iterdir())
        if path.is_dir()
        and (match := _VERSION.fullmatch(path.name))
        and (int(match[1]), int(match[2])) >= _OLDEST
    ]
    for major in (3, 2):
        named = environment.get(f"GIMP{major}_DIRECTORY")
        if named:
            # GIMP itself reads a relative name from the home folder.
            path = home / Path(named).expanduser()
            if all(folder.path != path for folder in found):
                match = _VERSION.fullmatch(path.name)
                version = match[0] if match and int(match[1]) == major else str(major)
                found.append(GimpFolder(path, version, "native"))
    return found


def _parents(
    environment: Mapping[str, str], home: Path, platform: str
) -> list[tuple[Packaging, Path]]:
    """Return the folders that hold one folder per version."""
    if platform == "win32":
        roaming = Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
        local = Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
        # The Microsoft Store redirects what its programs write to the roaming folder.
        store = sorted(local.glob("Packages/*GIMP*/LocalCache/Roaming/GIMP"))
        return [("native", roaming / "GIMP"), *(("native", path) for path in store)]
    if platform == "darwin":
        return [("native", home / "Library" / "Application Support" / "GIMP")]
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    return [
        ("native", config / "GIMP"),
        ("flatpak", home / ".var" / "app" / "org.gimp.GIMP" / "config" / "GIMP"),
        ("snap", home / "snap" / "gimp" / "current" / ".config" / "GIMP"),
    ]
