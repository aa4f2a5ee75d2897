"""Reading photos: pixels at their own depth, upright, with what the file says about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.errors import ImageError, UnsupportedFormat
from gazeshift.icc import profile_colour_space
from gazeshift.photo_formats import (
    SUPPORTED,
    FileFormat,
    describe_other,
    identify_format,
)

LONGEST_PIXEL_COUNT = 1_000_000_000
START_BYTES = 4096

_SAMPLE_TYPES = {"uchar": np.uint8, "ushort": np.uint16, "float": np.float32}
_REFUSED_SPACES = {
    "cmyk": ("CMYK", "Convert it to RGB first; the printer's profile then decides the colours."),
    "lab": ("Lab", "Convert it to RGB first."),
    "labs": ("Lab", "Convert it to RGB first."),
    "labq": ("Lab", "Convert it to RGB first."),
    "xyz": ("XYZ", "Convert it to RGB first."),
}
_BLOBS = ("xmp-data", "iptc-data", "photoshop-data")


@dataclass(frozen=True)
class Photo:
    """A photo as its file holds it, upright.

    Attributes
    ----------
    pixels
        Shape (H, W, 3), uint8, uint16 or float32; RGB as the document encodes it. Grey photos
        have three equal channels.
    alpha
        Shape (H, W), the type of `pixels`, not multiplied into them; None without transparency.
    icc_profile
        The embedded colour profile; a grey profile if the file was grey and had one.
    is_grey
        Whether the file held one colour channel.
    name
        What to call the photo in messages.
    source
        The file that it was read from; it is never written to. None for photos from memory.
    format_name
        "JPEG", "PNG", "TIFF" or "WebP".
    is_lossless
        Whether the file held its pixels without loss.
    exif
        The EXIF block, starting with its byte order mark; None without one.
    metadata
        Further blocks by libvips's names: XMP, IPTC, Photoshop resources.
    resolution_px_per_mm
        Horizontal and vertical resolution; None when the file names none.
    warnings
        What the reader must know about this photo, one sentence each.
    """

    pixels: NDArray[Any]
    alpha: NDArray[Any] | None = None
    icc_profile: bytes | None = None
    is_grey: bool = False
    name: str = "photo"
    source: Path | None = None
    format_name: str = "PNG"
    is_lossless: bool = True
    exif: bytes | None = None
    metadata: Mapping[str, bytes] = field(default_factory=dict)
    resolution_px_per_mm: tuple[float, float] | None = None
    warnings: tuple[str, ...] = ()


def read_photo(path: Path) -> Photo:
    """Read a photo file.

    Parameters
    ----------
    path
        A JPEG, PNG, TIFF or WebP file.

    Returns
    -------
    Photo
        The pixels, turned upright, and everything that `write_photo` puts back.

    Raises
    ------
    UnsupportedFormat
        If the file is another kind of file, animated, CMYK, Lab, or has a depth that would be
        lost.
    ImageError
        If the file is missing, empty, damaged or cut off, or holds values that are not numbers.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise ImageError(f"{path.name} is a folder, not a photo.", hint="Name a file in it.")
        with path.open("rb") as file:
            start = file.read(START_BYTES)
    except FileNotFoundError:
        raise ImageError(
            f"There is no file {path}.", hint="Check the name and the folder."
        ) from None
    except PermissionError:
        raise ImageError(
            f"{path.name} cannot be opened: permission denied.",
            hint="Check the file's permissions.",
        ) from None
    except (OSError, ValueError) as error:
        raise ImageError(f"{path.name} cannot be opened: {error}.") from None
    return _read(start, path.name, path, str(path))


def read_photo_bytes(data: bytes, *, name: str = "photo") -> Photo:
    """Read a photo from memory.

    Parameters
    ----------
    data
        The content of a JPEG, PNG, TIFF or WebP file.
    name
        What to call the photo in messages.

    Returns
    -------
    Photo
        As from `read_photo`, with no source.

    Raises
    ------
    UnsupportedFormat
        If it is another kind of file, animated, CMYK, Lab, or has a depth that would be lost.
    ImageError
        If the data is empty, damaged or cut off, or holds values that are not numbers.
    """
    return _read(data[:START_BYTES], name, None, data)


def _read(start: bytes, name: str, path: Path | None, source: str | bytes) -> Photo:
    if not start:
        raise ImageError(f"{name} is empty (0 bytes).", hint="Copy it again from where it was.")
    file_format = identify_format(start)
    if file_format is None:
        raise UnsupportedFormat(
            f"{name} is {describe_other(start)}; GazeShift edits {SUPPORTED}.",
            hint="Export it to one of these first.",
        )
    import pyvips

    try:
        header = _open(pyvips, file_format, source, access="sequential")
        _refuse_what_cannot_be_edited(header, name, file_format)
        orientation = _orientation(header)
        if orientation > 1:
            header = _open(pyvips, file_format, source, access="random")
        samples, is_grey = _decode(header, orientation)
    except pyvips.Error as error:
        raise _damaged(name, file_format, str(error)) from None
    warnings: list[str] = []
    if samples.dtype == np.float32:
        warnings += _check_floats(samples, name)
    profile = _usable_profile(header, is_grey, warnings)
    pixels, alpha = _split(samples)
    return Photo(
        pixels=pixels,
        alpha=alpha,
        icc_profile=profile,
        is_grey=is_grey,
        name=name,
        source=path,
        format_name=file_format.name,
        is_lossless=_is_lossless(header, file_format, start),
        exif=_blob(header, "exif-data"),
        metadata={key: blob for key in _BLOBS if (blob := _blob(header, key)) is not None},
        resolution_px_per_mm=_resolution(header),
        warnings=tuple(warnings),
    )


def _open(pyvips: Any, file_format: FileFormat, source: str | bytes, *, access: str) -> Any:
    loader = f"{file_format.name.lower()}load"
    if isinstance(source, bytes):
        loader += "_buffer"
    return getattr(pyvips.Image, loader)(source, access=access, fail_on="error")


def _refuse_what_cannot_be_edited(header: Any, name: str, file_format: FileFormat) -> None:
    space = header.interpretation
    if space in _REFUSED_SPACES:
        label, hint = _REFUSED_SPACES[space]
        raise UnsupportedFormat(f"{name} is a {label} picture; GazeShift edits RGB.", hint=hint)
    fields = header.get_fields()
    pages = header.get("n-pages") if "n-pages" in fields else 1
    if pages > 1:
        what = "is animated" if file_format.name in ("WebP", "PNG") else "has several pages"
        raise UnsupportedFormat(
            f"{name} {what} ({pages} pictures); GazeShift edits single photos.",
            hint="Export the one that you want.",
        )
    if header.format not in _SAMPLE_TYPES:
        raise UnsupportedFormat(
            f"{name} holds samples of type {header.format}; 8 and 16 bits and 32-bit float work.",
            hint="Convert it to 16 bits per channel.",
        )
    if header.bands > 4:
        raise UnsupportedFormat(
            f"{name} has {header.bands} channels; grey or RGB with at most one alpha works.",
            hint="Remove the extra channels.",
        )
    if header.width * header.height > LONGEST_PIXEL_COUNT:
        raise ImageError(
            f"{name} has {header.width} x {header.height} pixels, more than a thousand million.",
            hint="Reduce it first.",
        )


def _orientation(header: Any) -> int:
    value = header.get("orientation") if "orientation" in header.get_fields() else 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _decode(image: Any, orientation: int) -> tuple[NDArray[Any], bool]:
    if orientation > 1:
        image = image.autorot()
    samples = np.frombuffer(image.write_to_memory(), _SAMPLE_TYPES[image.format])
    samples = samples.reshape(image.height, image.width, image.bands)
    return samples, image.bands < 3


def _split(samples: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    bands = samples.shape[2]
    alpha = np.ascontiguousarray(samples[..., -1]) if bands in (2, 4) else None
    if bands == 3:
        return samples, None
    if bands == 4:
        return np.ascontiguousarray(samples[..., :3]), alpha
    return np.repeat(samples[..., :1], 3, axis=2), alpha


def _check_floats(samples: NDArray[Any], name: str) -> list[str]:
    lowest, highest = float(samples.min()), float(samples.max())
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        raise ImageError(
            f"{name} holds values that are not numbers (NaN or infinity).",
            hint="Repair it in the program that wrote it.",
        )
    if lowest < 0 or highest > 1:
        return [
            f"{name} holds values from {lowest:.3g} to {highest:.3g}; an edit cuts them to 0-1."
        ]
    return []


def _usable_profile(header: Any, is_grey: bool, warnings: list[str]) -> bytes | None:
    profile = _blob(header, "icc-profile-data")
    if profile is None:
        return None
    space = profile_colour_space(profile)
    if space is None:
        warnings.append("The embedded colour profile is damaged and was left out; sRGB is assumed.")
        return None
    if space == "RGB" or (space == "grey" and is_grey):
        return profile
    warnings.append(
        f"The embedded {space} profile does not fit the picture and was left out; sRGB is assumed."
    )
    return None


def _blob(header: Any, key: str) -> bytes | None:
    if key not in header.get_fields():
        return None
    value = bytes(header.get(key))
    return value or None


def _resolution(header: Any) -> tuple[float, float] | None:
    # libvips says 1 pixel per millimetre when the file names no resolution.
    resolution = float(header.xres), float(header.yres)
    return None if resolution == (1.0, 1.0) or min(resolution) <= 0 else resolution


def _is_lossless(header: Any, file_format: FileFormat, start: bytes) -> bool:
    if file_format.name == "JPEG":
        return False
    if file_format.name == "WebP":
        return b"VP8L" in start[:START_BYTES]
    fields = header.get_fields()
    return not ("compression" in fields and header.get("compression") == "jpeg")


def _damaged(name: str, file_format: FileFormat, detail: str) -> ImageError:
    lines = [line.strip() for line in detail.splitlines() if line.strip()]
    reason = lines[1] if len(lines) > 1 else (lines[0] if lines else "unknown reason")
    return ImageError(
        f"{name} is a damaged, cut-off or unusual {file_format.name} file ({reason}).",
        hint="Open it in an image editor and export it again.",
    )
