"""Reading photos: pixels at their own depth, upright, with what the file says about them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.errors import ImageError, UnsupportedFormat
from gazeshift.icc import profile_colour_space
from gazeshift.photo.containers import webp_chunks
from gazeshift.photo.exif import exif_from_tiff, is_readable_exif
from gazeshift.photo.formats import (
    SUPPORTED,
    FileFormat,
    describe_other,
    identify_format,
)
from gazeshift.photo.refusals import SAMPLE_TYPES, check_header, check_structure

START_BYTES = 4096

_SIGNS_OF_DAMAGE = ("premature end", "read error", "bad seek", "unable to parse", "io error")
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
    is_compressed
        Whether a TIFF file was compressed; true for all other formats.
    exif
        The EXIF block as the file holds it, before the turn; None without one.
    metadata
        Further data by libvips's names: XMP, IPTC, Photoshop resources, PNG texts.
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
    is_compressed: bool = True
    exif: bytes | None = None
    metadata: Mapping[str, bytes | str] = field(default_factory=dict)
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
    return read_opened(open_photo_file(path))


def open_photo_file(path: Path) -> Opened:
    """Look at a photo file without decoding its pixels; see `open_photo`.

    Raises
    ------
    UnsupportedFormat
        If it is no photo that GazeShift edits.
    ImageError
        If it is missing, empty or damaged.
    """
    path = Path(path)
    return open_photo(_read_start(path), path.name, path, str(path))


def _read_start(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ImageError(f"{path.name} is a folder, not a photo.", hint="Name a file in it.")
        with path.open("rb") as file:
            return file.read(START_BYTES)
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
    return read_opened(open_photo(data[:START_BYTES], name, None, data))


@dataclass
class Opened:
    """A photo file whose header was read and accepted; its pixels were not."""

    name: str
    path: Path | None
    source: str | bytes
    """Where libvips finds it."""
    file_format: FileFormat
    header: Any
    """The picture as libvips opened it, turned upright when its pixels are asked for."""
    warnings: list[str]
    is_lossless: bool
    exif: bytes | None
    """The block of a TIFF file, which libvips does not find."""

    @property
    def bytes_in_memory(self) -> int:
        """Return what an edit in memory takes: the pixels twice, and the mask as floats."""
        sample_bytes = np.dtype(SAMPLE_TYPES[self.header.format]).itemsize
        per_pixel = 2 * 3 * sample_bytes + 4
        return int(self.header.width * self.header.height * per_pixel)

    def upright(self) -> Any:
        """Open the file anew and return the upright picture, still undecoded."""
        import pyvips

        access = "random" if _orientation(self.header) > 1 else "sequential"
        image = _open(pyvips, self.file_format, self.source, access=access)
        return image.autorot() if access == "random" else image

    def damage(self, error: Exception) -> ImageError:
        """Return the error for pixels that cannot be decoded, ready to raise."""
        return _damaged(self.name, self.file_format, str(error))

    def photo(self, pixels: NDArray[Any], alpha: NDArray[Any] | None) -> Photo:
        """Return the photo with everything that the header says.

        Parameters
        ----------
        pixels, alpha
            See `Photo`.
        """
        warnings = list(self.warnings)
        compression = _text(self.header, "compression")
        is_jpeg = self.file_format.name == "JPEG" or compression == "jpeg"
        return Photo(
            pixels=pixels,
            alpha=alpha,
            icc_profile=_usable_profile(self.header, warnings),
            is_grey=self.header.bands < 3,
            name=self.name,
            source=self.path,
            format_name=self.file_format.name,
            is_lossless=self.is_lossless and not is_jpeg,
            is_compressed=compression != "none",
            exif=_usable_exif(self.exif or _blob(self.header, "exif-data"), warnings),
            metadata=_metadata(self.header),
            resolution_px_per_mm=_resolution(self.header),
            warnings=tuple(warnings),
        )


def open_photo(start: bytes, name: str, path: Path | None, source: str | bytes) -> Opened:
    """Look at a photo file without decoding its pixels.

    Parameters
    ----------
    start
        The file's first bytes.
    name
        What to call the photo in messages.
    path
        The file; None for a photo in memory.
    source
        The file's name or its content.

    Raises
    ------
    UnsupportedFormat
        If it is no photo that GazeShift edits.
    ImageError
        If it is empty or damaged.
    """
    if not start:
        raise ImageError(f"{name} is empty (0 bytes).", hint="Copy it again from where it was.")
    file_format = identify_format(start)
    if file_format is None:
        raise UnsupportedFormat(
            f"{name} is {describe_other(start)}; GazeShift edits {SUPPORTED}.",
            hint="Export it to one of these first.",
        )
    import pyvips

    with io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb") as file:
        warnings = check_structure(file, file_format, name)
        exif = exif_from_tiff(file) if file_format.name == "TIFF" else None
        is_lossless = file_format.name != "WebP" or any(
            chunk == b"VP8L" for chunk, _, _ in webp_chunks(file)
        )
    # Libvips collects what it says about one file after the other until someone asks.
    pyvips.vips_lib.vips_error_clear()
    try:
        header = _open(pyvips, file_format, source, access="sequential")
        check_header(header, file_format, name)
    except pyvips.Error as error:
        raise _damaged(name, file_format, str(error)) from None
    return Opened(name, path, source, file_format, header, warnings, is_lossless, exif)


def read_opened(opened: Opened) -> Photo:
    """Decode the pixels of a photo whose header was read.

    Raises
    ------
    ImageError
        If they are damaged or no numbers.
    """
    import pyvips

    try:
        # The header's own picture is decoded where that works: the file is opened once.
        is_upright = _orientation(opened.header) == 1
        samples = _decode(opened.header if is_upright else opened.upright())
    except pyvips.Error as error:
        raise opened.damage(error) from None
    if samples.dtype == np.float32:
        opened.warnings += float_warnings(float(samples.min()), float(samples.max()), opened.name)
    pixels, alpha = split_samples(samples)
    return opened.photo(pixels, alpha)


def _open(pyvips: Any, file_format: FileFormat, source: str | bytes, *, access: str) -> Any:
    loader = f"{file_format.name.lower()}load"
    if isinstance(source, bytes):
        loader += "_buffer"
    return getattr(pyvips.Image, loader)(source, access=access, fail_on="error")


def _orientation(header: Any) -> int:
    value = header.get("orientation") if "orientation" in header.get_fields() else 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _decode(image: Any) -> NDArray[Any]:
    samples = np.frombuffer(image.write_to_memory(), SAMPLE_TYPES[image.format])
    return samples.reshape(image.height, image.width, image.bands)


def split_samples(samples: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return RGB, shape (H, W, 3), and alpha of samples with one to four bands."""
    bands = samples.shape[2]
    alpha = np.ascontiguousarray(samples[..., -1]) if bands in (2, 4) else None
    if bands == 3:
        return samples, None
    if bands == 4:
        return np.ascontiguousarray(samples[..., :3]), alpha
    return np.repeat(samples[..., :1], 3, axis=2), alpha


def float_warnings(lowest: float, highest: float, name: str) -> list[str]:
    """Warn about float values outside 0-1.

    Raises
    ------
    ImageError
        If they are not numbers.
    """
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


def _usable_profile(header: Any, warnings: list[str]) -> bytes | None:
    profile = _blob(header, "icc-profile-data")
    if profile is None:
        return None
    space = profile_colour_space(profile)
    if space is None:
        warnings.append("The embedded colour profile is damaged and was left out; sRGB is assumed.")
        return None
    if space == "RGB" or (space == "grey" and header.bands < 3):
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


def _usable_exif(block: bytes | None, warnings: list[str]) -> bytes | None:
    if block is None or is_readable_exif(block):
        return block
    warnings.append("The camera data (EXIF) is damaged and was left out.")
    return None


def _metadata(header: Any) -> dict[str, bytes | str]:
    found: dict[str, bytes | str] = {}
    for key in header.get_fields():
        if key in _BLOBS and (blob := _blob(header, key)) is not None:
            found[key] = blob
        elif key.startswith("png-comment-"):
            found[key] = str(header.get(key))
    return found


def _text(header: Any, key: str) -> str:
    return str(header.get(key)) if key in header.get_fields() else ""


def _damaged(name: str, file_format: FileFormat, detail: str) -> ImageError:
    lines = [line.strip() for line in detail.splitlines() if line.strip()]
    # The first line names the operation; the next one gives the reason behind a colon.
    reason = lines[1].rpartition(": ")[2] if len(lines) > 1 else ""
    if not reason or any(sign in reason.lower() for sign in _SIGNS_OF_DAMAGE):
        message = f"{name} is a damaged or cut-off {file_format.name} file."
    else:
        message = f"{name} is damaged, or an unusual {file_format.name} file ({reason})."
    return ImageError(
        message,
        hint="Copy it again from where it was, or export it again from an image editor.",
    )
