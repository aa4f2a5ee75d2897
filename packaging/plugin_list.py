"""Which files of the plug-ins travel inside the package; `setup.py` and PyInstaller ask here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_SOURCES = (("gimp", "**/*"), ("photoshop_uxp_bridge", "*.ccx"))
_LEFT_OUT = {".pyc", ".pyi"}


def plugin_files(root: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each file with the folder below `plugin_files` that it belongs into.

    Parameters
    ----------
    root
        Top of the source tree.
    """
    for name, pattern in _SOURCES:
        source = root / "plugins" / name
        for path in sorted(source.glob(pattern)):
            if path.is_file() and path.suffix not in _LEFT_OUT and "__pycache__" not in path.parts:
                yield path, Path(name) / path.relative_to(source).parent
