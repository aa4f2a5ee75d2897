"""The edit as a Photoshop file with layers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gazeshift.cli.outputs.kinds import Result, Writer

if TYPE_CHECKING:
    from gazeshift.photo import Photo


def check(path: Path, photo: Photo, force: bool) -> None:
    """Refuse an output that cannot hold the photo or must not be written."""
    from gazeshift.recipes.psd import check_psd

    check_psd(path, photo, force=force)


def write(path: Path, result: Result, force: bool) -> None:
    """Write the layered file."""
    from gazeshift.recipes.psd import write_psd

    write_psd(path, result.photo, result.mask, result.edit, result.pixels, force=force)


WRITER = Writer(suffixes=(".psd",), check=check, write=write)
