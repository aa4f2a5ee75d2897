"""Small files written beside their target and renamed, so that nothing is ever half written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gazeshift.errors import OutputError

PICTURE_SAVERS = {
    ".png": ("pngsave_buffer", {"compression": 6}),
    ".jpg": ("jpegsave_buffer", {"Q": 90}),
    ".jpeg": ("jpegsave_buffer", {"Q": 90}),
    ".webp": ("webpsave_buffer", {"Q": 90}),
}
"""Endings that `write_picture` knows."""


def check_target(path: Path, *, force: bool) -> None:
    """Refuse a target that exists, is a folder, or has no folder.

    Parameters
    ----------
    path
        Where a file shall go.
    force
        Whether an existing file may be replaced.

    Raises
    ------
    OutputError
        If the file cannot or must not be written there.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder.", hint="Add a file name.")
    if not path.parent.is_dir():
        raise OutputError(
            f"The folder {path.parent} does not exist.", hint="Create it or choose another one."
        )
    if not force and (path.exists() or path.is_symlink()):
        raise OutputError(
            f"{path.name} exists already.", hint="Choose another name or pass --force."
        )


def write_file(path: Path, content: bytes, *, force: bool = False) -> None:
    """Write a whole file or nothing.

    Parameters
    ----------
    path
        Where the file goes.
    content
        All of it.
    force
        Whether an existing file is replaced.

    Raises
    ------
    OutputError
        If the file cannot or must not be written there.
    """
    check_target(path, force=force)
    partial = path.with_name(f".{path.name[:100]}-{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as error:
        raise OutputError(
            f"{path.name} cannot be written: {error.strerror or error}.",
            hint="Check the folder and the space on its disk.",
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def write_picture(path: Path, rgb: NDArray[np.uint8], *, force: bool = False) -> None:
    """Write an sRGB picture that GazeShift drew itself.

    Parameters
    ----------
    path
        Ends in one of `PICTURE_SAVERS`.
    rgb
        Shape (H, W, 3), sRGB codes.
    force
        Whether an existing file is replaced.

    Raises
    ------
    OutputError
        If the ending is unknown, or the file cannot or must not be written there.
    """
    check_picture_target(path, force=force)
    import pyvips

    height, width = rgb.shape[:2]
    image = pyvips.Image.new_from_memory(np.ascontiguousarray(rgb).data, width, height, 3, "uchar")
    saver, options = PICTURE_SAVERS[path.suffix.lower()]
    content = getattr(image.copy(interpretation="srgb"), saver)(**options)
    write_file(path, bytes(content), force=force)


def check_picture_target(path: Path, *, force: bool) -> None:
    """Refuse a target for `write_picture`, as `check_target` does, or for its ending.

    Raises
    ------
    OutputError
        If the picture cannot or must not be written there.
    """
    if path.suffix.lower() not in PICTURE_SAVERS:
        raise OutputError(
            f"{path.name} must end in {', '.join(PICTURE_SAVERS)}.", hint="Change the ending."
        )
    check_target(path, force=force)
