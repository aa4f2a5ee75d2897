"""The edited photo as a picture file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gazeshift.cli.outputs.kinds import Result, Writer

if TYPE_CHECKING:
    from gazeshift.photo import Photo


def check(path: Path, photo: Photo, force: bool) -> None:
    """Refuse an output that cannot hold the photo or must not be written."""
    from gazeshift.photo import check_output

    check_output(path, photo, force=force)


def write(path: Path, result: Result, force: bool) -> None:
    """Write the edited pixels with everything else that the photo held."""
    from gazeshift.photo import write_bands, write_photo

    if result.bands is None:
        write_photo(path, result.photo, result.pixels, force=force)
    else:
        write_bands(path, result.photo, result.bands, force=force, progress=result.progress)


WRITER = Writer(
    suffixes=(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp"),
    check=check,
    write=write,
    takes_bands=True,
)
