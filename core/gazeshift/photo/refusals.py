"""Which files are refused, and why, by what their structure says before any pixel is decoded."""

from __future__ import annotations

from typing import Any, BinaryIO

from gazeshift.errors import ImageError, UnsupportedFormat
from gazeshift.photo.containers import jpeg_segments, png_chunks
from gazeshift.photo.formats import FileFormat
from gazeshift.photo.tiff_tags import Field, TagFile

MOST_PIXELS = 1_000_000_000
SAMPLE_TYPES = {"uchar": "uint8", "ushort": "uint16", "float": "float32"}

_REFUSED_SPACES = {
    "cmyk": ("CMYK", "Convert it to RGB first; the printer's profile decides the colours."),
    "lab": ("Lab", "Convert it to RGB first."),
    "labs": ("Lab", "Convert it to RGB first."),
    "labq": ("Lab", "Convert it to RGB first."),
    "xyz": ("XYZ", "Convert it to RGB first."),
}
_BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339
_SEPARATED, _LAB_KINDS, _RAW_KINDS = 5, (8, 9, 10), (32803, 34892)
_FLOAT = 3
_PHOTOSHOP_LAYERS = 37724


def check_structure(file: BinaryIO, file_format: FileFormat, name: str) -> list[str]:
    """Refuse animated PNG files and unusual TIFF files; find what will not be kept.

    Parameters
    ----------
    file
        The photo's file, open for reading in binary mode.
    file_format
        Its format.
    name
        What to call the photo in messages.

    Returns
    -------
    list
        Warnings, one sentence each.

    Raises
    ------
    UnsupportedFormat
        If the file is an animation, a Lab, CMYK or raw picture, or has an unusual depth.
    """
    if file_format.name == "PNG" and b"acTL" in png_chunks(file):
        raise UnsupportedFormat(
            f"{name} is animated; GazeShift edits single photos.",
            hint="Export the picture that you want.",
        )
    if file_format.name == "JPEG" and any(
        marker == 0xE2 and start.startswith(b"MPF\0") for marker, start in jpeg_segments(file)
    ):
        return [
            f"{name} holds further pictures (a gain map, a depth map or a preview) beside the "
            "photo; they are not kept."
        ]
    if file_format.name == "TIFF":
        return _check_tiff(file, name)
    return []


def check_header(header: Any, file_format: FileFormat, name: str) -> None:
    """Refuse pictures whose colours, pages, depth or size cannot be edited.

    Parameters
    ----------
    header
        The picture as libvips opened it.
    file_format
        Its format.
    name
        What to call the photo in messages.

    Raises
    ------
    UnsupportedFormat
        If it is no RGB or grey picture, has several pages, or has an unusual depth.
    ImageError
        If it has too many pixels.
    """
    if header.interpretation in _REFUSED_SPACES:
        raise _wrong_space(name, header.interpretation)
    pages = header.get("n-pages") if "n-pages" in header.get_fields() else 1
    if pages > 1:
        what = "is animated" if file_format.name == "WebP" else "has several pages"
        raise UnsupportedFormat(
            f"{name} {what} ({pages} pictures); GazeShift edits single photos.",
            hint="Export the picture that you want.",
        )
    if header.format not in SAMPLE_TYPES:
        raise _wrong_depth(name, f"samples of type {header.format}")
    if header.bands > 4:
        raise UnsupportedFormat(
            f"{name} has {header.bands} channels; grey or RGB with at most one alpha works.",
            hint="Remove the extra channels.",
        )
    if header.width * header.height > MOST_PIXELS:
        raise ImageError(
            f"{name} has {header.width} x {header.height} pixels, more than a thousand million.",
            hint="Reduce it first.",
        )


def _check_tiff(file: BinaryIO, name: str) -> list[str]:
    try:
        tags = TagFile(file)
        fields = tags.read_directory(tags.first_directory)
    except ValueError:
        # Damaged: libvips says so when it opens the file.
        return []
    kind = _first_number(fields, _PHOTOMETRIC, 1)
    if kind == _SEPARATED:
        raise _wrong_space(name, "cmyk")
    if kind in _LAB_KINDS:
        raise _wrong_space(name, "lab")
    if kind in _RAW_KINDS:
        raise UnsupportedFormat(
            f"{name} is a raw photo.", hint="Develop it first, for example to a 16-bit TIFF."
        )
    bits = _first_number(fields, _BITS_PER_SAMPLE, 1)
    is_float = _first_number(fields, _SAMPLE_FORMAT, 1) == _FLOAT
    if bits not in ((16, 32) if is_float else (1, 2, 4, 8, 16)):
        raise _wrong_depth(name, f"{bits}-bit {'float values' if is_float else 'samples'}")
    if _PHOTOSHOP_LAYERS in fields:
        return [f"{name} holds Photoshop layers; only the flat picture is read and kept."]
    return []


def _first_number(fields: dict[int, Field], tag: int, default: int) -> int:
    numbers = fields[tag].numbers() if tag in fields else ()
    return numbers[0] if numbers else default


def _wrong_space(name: str, space: str) -> UnsupportedFormat:
    label, hint = _REFUSED_SPACES[space]
    return UnsupportedFormat(
        f"{name} is a {label} picture; GazeShift edits RGB and grey ones.", hint=hint
    )


def _wrong_depth(name: str, found: str) -> UnsupportedFormat:
    return UnsupportedFormat(
        f"{name} holds {found}; 8 and 16 bits per channel and 32-bit float work.",
        hint="Convert it to 16 bits per channel.",
    )
