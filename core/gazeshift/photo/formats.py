"""The kinds of picture file: which ones GazeShift edits, what each can hold, how to tell them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from gazeshift.errors import OutputError

SUPPORTED = "JPEG, PNG, TIFF and WebP"


@dataclass(frozen=True)
class FileFormat:
    """What one kind of file can hold."""

    name: str
    """What people call it."""
    suffixes: tuple[str, ...]
    """Endings in lower case, the usual one first."""
    sample_types: tuple[str, ...]
    """numpy names of the sample types it holds."""
    has_alpha: bool
    """Whether it holds transparency."""
    longest_side_px: int
    """Longest side that it can describe."""


FORMATS = {
    file_format.name: file_format
    for file_format in (
        FileFormat("JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), ("uint8",), False, 65_500),
        FileFormat("PNG", (".png",), ("uint8", "uint16"), True, 2**31 - 1),
        FileFormat("TIFF", (".tif", ".tiff"), ("uint8", "uint16", "float32"), True, 2**31 - 1),
        FileFormat("WebP", (".webp",), ("uint8",), True, 16_383),
    )
}

# First bytes of files that people are likely to try, so that the refusal can name them.
_OTHER_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"GIF8", "a GIF picture"),
    (0, b"BM", "a BMP picture"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"gimp xcf", "a GIMP document"),
    (0, b"%PDF", "a PDF document"),
    (0, b"v/1\x01", "an OpenEXR picture"),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (0, b"FUJIFILM", "a raw photo"),
    (0, b"IIRO", "a raw photo"),
    (0, b"IIU\0", "a raw photo"),
    (4, b"ftypcrx", "a raw photo"),
    (4, b"ftypavi", "an AVIF picture"),
    (4, b"ftyphe", "an HEIC picture"),
    (4, b"ftypmif1", "an HEIC picture"),
    (4, b"ftyp", "a video or another media file"),
    (0, b"RIFF", "a video or sound file"),
    (0, b"<svg", "an SVG drawing"),
    (0, b"<?xml", "an XML document"),
)


def identify_format(start: bytes) -> FileFormat | None:
    """Tell the kind of a picture file by its first bytes.

    Parameters
    ----------
    start
        At least the first 16 bytes of the file.

    Returns
    -------
    FileFormat or None
        The format, or None when it is not one that GazeShift edits.
    """
    if start.startswith(b"\xff\xd8\xff"):
        return FORMATS["JPEG"]
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return FORMATS["PNG"]
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return FORMATS["TIFF"]
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return FORMATS["WebP"]
    return None


def describe_other(start: bytes) -> str:
    """Name a kind of file that GazeShift does not edit.

    Parameters
    ----------
    start
        At least the first 16 bytes of the file.

    Returns
    -------
    str
        For example "a Photoshop document"; "no picture file" when nothing fits.
    """
    for offset, signature, description in _OTHER_SIGNATURES:
        if start[offset : offset + len(signature)] == signature:
            return description
    return "no picture file"


def format_for_suffix(path: PurePath) -> FileFormat:
    """Choose the output format by the ending of a file name.

    Parameters
    ----------
    path
        Where the result shall go.

    Returns
    -------
    FileFormat
        The format that the ending stands for.

    Raises
    ------
    OutputError
        If the ending is missing or stands for no format that GazeShift writes.
    """
    suffix = path.suffix.lower()
    for file_format in FORMATS.values():
        if suffix in file_format.suffixes:
            return file_format
    ending = f"the ending {path.suffix}" if suffix else "no ending"
    endings = ", ".join(file_format.suffixes[0] for file_format in FORMATS.values())
    raise OutputError(
        f"{path.name} has {ending}, which names no format that can be written.",
        hint=f"Use one of {endings}.",
    )
