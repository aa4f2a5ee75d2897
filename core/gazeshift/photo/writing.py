"""Writing photos: beside the target first, then renamed, with everything the source held."""

from __future__ import annotations

import io
import os
import re
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gazeshift.errors import ImageError, OutputError
from gazeshift.icc import profile_colour_space, rgb_profile_from_grey
from gazeshift.photo.containers import LARGEST_JPEG_EXIF, copy_with_exif
from gazeshift.photo.exif import add_exif_to_tiff, refreshed_exif
from gazeshift.photo.formats import FORMATS, FileFormat, format_for_suffix
from gazeshift.photo.laid_down import is_neutral, lay_down
from gazeshift.photo.reading import Photo

JPEG_QUALITY = 95
WEBP_QUALITY = 95
# What programs assume for a photo that names no resolution: 72 pixels per inch.
USUAL_PX_PER_MM = 72 / 25.4
BIG_TIFF_BYTES = 3 * 2**30
# libvips's bits for XMP, IPTC, profile and the rest. EXIF goes in by itself: libvips rewrites it
# and loses ratings and the camera maker's notes on the way.
KEEP_ALL_BUT_EXIF = 2 | 4 | 8 | 16

_VIPS_TYPES = {"uint8": "uchar", "uint16": "ushort", "float32": "float"}
_DEPTHS = {"uint8": "8 bits", "uint16": "16 bits", "float32": "32-bit float values"}


class DepthLoss(OutputError):
    """The output format cannot hold what the photo holds."""

    code = "depth-loss"


def write_photo(path: Path, photo: Photo, pixels: NDArray[Any], *, force: bool = False) -> None:
    """Write new pixels with everything else that the photo held.

    The format follows the ending of `path`. The file is written beside its target under a
    temporary name and renamed when it is complete.

    Parameters
    ----------
    path
        Where the result goes.
    photo
        The photo that was read: alpha, profile, metadata and resolution come from it.
    pixels
        Shape (H, W, 3), size and type of `photo.pixels`.
    force
        Whether an existing file is replaced.

    Raises
    ------
    OutputError
        If the target exists, is the photo itself, or its folder is missing or closed to us.
    DepthLoss
        If the format cannot hold the depth or the transparency of the photo.
    ImageError
        If the pixels do not have the size and type of the photo.
    """
    path = Path(path)
    check_output(path, photo, force=force)
    file_format = format_for_suffix(path)
    image = _assemble(photo, pixels, file_format)
    _write_image(path, photo, image, file_format)


def write_bands(
    path: Path,
    photo: Photo,
    bands: Iterable[NDArray[Any]],
    *,
    force: bool = False,
    progress: Callable[[float], None] | None = None,
) -> None:
    """Write pixels that come in bands of rows, as `write_photo` would write them all.

    The bands are laid down uncompressed beside the target first, since an encoder asks for rows
    when it wants them; that takes as much room on the disk as the pixels have.

    Parameters
    ----------
    path, force
        See `write_photo`.
    photo
        The photo that was read; the values of its pixels are not used.
    bands
        From top to bottom, shape (n, W, 3), or (n, W, 4) where the photo has transparency.
    progress
        Called with the encoded part, 0-1, when all bands are there.

    Raises
    ------
    OutputError, DepthLoss
        As `write_photo` does.
    ImageError
        If the bands are not as large as the photo.
    """
    import pyvips

    path = Path(path)
    check_output(path, photo, force=force)
    file_format = format_for_suffix(path)
    height, width = photo.pixels.shape[:2]
    channels = 3 if photo.alpha is None else 4
    dtype = str(photo.pixels.dtype)
    laid_down = _create_beside(path.with_suffix(".rows"))
    try:
        is_grey = photo.is_grey & lay_down(
            laid_down, bands, height=height, width=width, channels=channels, dtype=dtype
        )
        image = pyvips.Image.tiffload(str(laid_down), access="sequential")
        is_grey = is_grey and not _needs_colour(photo, file_format)
        colours = image[0] if is_grey else image[:3]
        alpha = None if photo.alpha is None else image[channels - 1]
        image = _describe(photo, colours, alpha, is_grey)
        if progress is not None:
            _report(image, progress)
        _write_image(path, photo, image, file_format)
    except OSError as error:
        raise _unwritten(path, error) from None
    finally:
        laid_down.unlink(missing_ok=True)


def _write_image(path: Path, photo: Photo, image: Any, file_format: FileFormat) -> None:
    temporary = [_create_beside(path)]
    try:
        _save(image, file_format, photo, path.name, temporary[0])
        if _needs_completion(photo, file_format):
            if photo.exif is not None and file_format.name == "TIFF":
                with temporary[0].open("r+b") as file:
                    add_exif_to_tiff(file, _exif_for(image, photo.exif, file_format))
            else:
                temporary.append(_create_beside(path))
                with temporary[0].open("rb") as file, temporary[1].open("wb") as target:
                    _copy_with_exif(image, photo.exif, file_format, file, target)
        os.replace(temporary[-1], path)
    except OSError as error:
        raise _unwritten(path, error) from None
    finally:
        for leftover in temporary:
            leftover.unlink(missing_ok=True)


def _unwritten(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path.name} cannot be written: {error.strerror or error}.",
        hint="Check the folder and the space on its disk.",
    )


def _report(image: Any, progress: Callable[[float], None]) -> None:
    image.set_progress(True)
    # libvips calls from its own threads.
    image.signal_connect("eval", lambda _image, state: progress(state.percent / 100))


def encode_photo(photo: Photo, pixels: NDArray[Any], *, format_name: str | None = None) -> bytes:
    """Make a photo file in memory.

    Parameters
    ----------
    photo
        The photo that was read: alpha, profile, metadata and resolution come from it.
    pixels
        Shape (H, W, 3), size and type of `photo.pixels`.
    format_name
        "JPEG", "PNG", "TIFF" or "WebP"; None keeps the photo's own.

    Returns
    -------
    bytes
        The content of the file.

    Raises
    ------
    OutputError
        If there is no such format.
    DepthLoss
        If the format cannot hold the depth or the transparency of the photo.
    ImageError
        If the pixels do not have the size and type of the photo.
    """
    file_format = FORMATS.get(format_name or photo.format_name)
    if file_format is None:
        raise OutputError(
            f"There is no output format {format_name}.", hint=f"Use one of {', '.join(FORMATS)}."
        )
    image = _assemble(photo, pixels, file_format)
    encoded = _save(image, file_format, photo, photo.name, None)
    if not _needs_completion(photo, file_format):
        return encoded
    file = io.BytesIO(encoded)
    if photo.exif is not None and file_format.name == "TIFF":
        add_exif_to_tiff(file, _exif_for(image, photo.exif, file_format))
        return file.getvalue()
    target = io.BytesIO()
    _copy_with_exif(image, photo.exif, file_format, file, target)
    return target.getvalue()


def check_output(path: Path, photo: Photo, *, force: bool = False) -> None:
    """Refuse an output that cannot or must not be written, before any work is done.

    Parameters
    ----------
    path
        Where the result shall go.
    photo
        The photo that shall be written there.
    force
        Whether an existing file may be replaced.

    Raises
    ------
    OutputError
        If the target exists, is the photo itself, is a folder, or has no folder.
    DepthLoss
        If the format cannot hold the depth or the transparency of the photo.
    """
    path = Path(path)
    _refuse_loss(photo, format_for_suffix(path), path.name)
    if path.is_dir():
        raise OutputError(f"{path} is a folder.", hint="Add a file name.")
    if not path.parent.is_dir():
        raise OutputError(
            f"The folder {path.parent} does not exist.", hint="Create it or choose another one."
        )
    if not (path.exists() or path.is_symlink()):
        return
    if _is_same_file(path, photo.source):
        raise OutputError(
            f"{path.name} is the photo itself; the original is never overwritten.",
            hint="Choose another name.",
        )
    if not force:
        raise OutputError(
            f"{path.name} exists already.", hint="Choose another name or pass --force."
        )


def _is_same_file(path: Path, source: Path | None) -> bool:
    try:
        return source is not None and os.path.samefile(path, source)
    except OSError:
        return False


def _refuse_loss(photo: Photo, file_format: FileFormat, name: str) -> None:
    sample_type = str(photo.pixels.dtype)
    if sample_type not in file_format.sample_types:
        fitting = [
            other.suffixes[0] for other in FORMATS.values() if sample_type in other.sample_types
        ]
        raise DepthLoss(
            f"{photo.name} has {_DEPTHS.get(sample_type, sample_type)} per channel, which "
            f"{file_format.name} ({name}) cannot hold.",
            hint=f"Write it as {' or '.join(fitting)}." if fitting else "",
        )
    if photo.alpha is not None and not file_format.has_alpha:
        fitting = [
            other.suffixes[0]
            for other in FORMATS.values()
            if other.has_alpha and sample_type in other.sample_types
        ]
        raise DepthLoss(
            f"{photo.name} has transparency, which {file_format.name} ({name}) cannot hold.",
            hint=f"Write it as {' or '.join(fitting)}.",
        )
    height, width = photo.pixels.shape[:2]
    if max(height, width) > file_format.longest_side_px:
        raise DepthLoss(
            f"{photo.name} has {width} x {height} pixels; {file_format.name} holds at most "
            f"{file_format.longest_side_px} per side.",
            hint="Write it as .tif or .png.",
        )


def _assemble(photo: Photo, pixels: NDArray[Any], file_format: FileFormat) -> Any:
    if pixels.shape != photo.pixels.shape or pixels.dtype != photo.pixels.dtype:
        raise ImageError(
            f"The new pixels are {pixels.shape} {pixels.dtype}, the photo is "
            f"{photo.pixels.shape} {photo.pixels.dtype}."
        )
    _refuse_loss(photo, file_format, photo.name)
    is_grey = photo.is_grey and is_neutral(pixels)
    if is_grey and _needs_colour(photo, file_format):
        is_grey = False
    colours = _vips_image(pixels[..., 0] if is_grey else pixels)
    alpha = None if photo.alpha is None else _vips_image(photo.alpha)
    return _describe(photo, colours, alpha, is_grey)


def _needs_colour(photo: Photo, file_format: FileFormat) -> bool:
    # PNG allows only grey profiles on grey pictures.
    profile = photo.icc_profile
    is_rgb = profile is not None and profile_colour_space(profile) == "RGB"
    return is_rgb and file_format.name == "PNG"


def _describe(photo: Photo, colours: Any, alpha: Any, is_grey: bool) -> Any:
    """Join colours and transparency, and put everything else that the photo held beside them."""
    import pyvips

    profile = photo.icc_profile
    if not is_grey and profile is not None and profile_colour_space(profile) == "grey":
        profile = rgb_profile_from_grey(profile) or _srgb_profile()
    image = colours if alpha is None else colours.bandjoin(alpha)
    image = image.copy(interpretation=_interpretation(is_grey, str(photo.pixels.dtype)))
    resolution = photo.resolution_px_per_mm or (USUAL_PX_PER_MM, USUAL_PX_PER_MM)
    image = image.copy(xres=resolution[0], yres=resolution[1])
    image.set_type(pyvips.GValue.gstr_type, "resolution-unit", "in")
    if profile is not None:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    for key, value in photo.metadata.items():
        kind = pyvips.GValue.gstr_type if isinstance(value, str) else pyvips.GValue.blob_type
        image.set_type(kind, key, _upright_xmp(value) if key == "xmp-data" else value)
    return image


def _vips_image(samples: NDArray[Any]) -> Any:
    import pyvips

    samples = np.ascontiguousarray(samples)
    height, width = samples.shape[:2]
    bands = samples.shape[2] if samples.ndim == 3 else 1
    return pyvips.Image.new_from_memory(
        samples.data, width, height, bands, _VIPS_TYPES[str(samples.dtype)]
    )


def _interpretation(is_grey: bool, sample_type: str) -> str:
    if sample_type == "uint16":
        return "grey16" if is_grey else "rgb16"
    if sample_type == "float32" and not is_grey:
        return "scrgb"
    return "b-w" if is_grey else "srgb"


def _upright_xmp(block: bytes | str) -> bytes | str:
    if isinstance(block, str):
        return block
    # Some programs trust the orientation here more than the one in the EXIF block.
    return re.sub(rb"(tiff:Orientation(?:>|\s*=\s*[\"']))[2-8]", rb"\g<1>1", block)


def _exif_for(image: Any, exif: bytes, file_format: FileFormat) -> bytes:
    most = LARGEST_JPEG_EXIF if file_format.name == "JPEG" else 2**31
    return refreshed_exif(exif, width=image.width, height=image.height, most_bytes=most)


def _needs_completion(photo: Photo, file_format: FileFormat) -> bool:
    return photo.exif is not None or file_format.name == "JPEG"


def _copy_with_exif(
    image: Any, exif: bytes | None, file_format: FileFormat, source: BinaryIO, target: BinaryIO
) -> None:
    copy_with_exif(
        file_format.name,
        source,
        target,
        _exif_for(image, exif, file_format) if exif is not None else None,
        dots_per_inch=(_dots_per_inch(image.xres), _dots_per_inch(image.yres)),
        width=image.width,
        height=image.height,
        has_alpha=image.bands in (2, 4),
    )


def _dots_per_inch(px_per_mm: float) -> int:
    return min(max(round(px_per_mm * 25.4), 1), 65_535)


def _srgb_profile() -> bytes:
    import pyvips

    return bytes(pyvips.Image.profile_load("srgb"))


def _create_beside(path: Path) -> Path:
    for _ in range(100):
        temporary = path.with_name(f".{path.stem[:100]}-{secrets.token_hex(4)}{path.suffix}")
        try:
            # Mode 0666 lets the user's umask decide, as for any new file.
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except FileExistsError:
            continue
        except OSError as error:
            raise OutputError(
                f"{path.name} cannot be written in {path.parent}: {error.strerror or error}.",
                hint="Choose a folder that you may write to.",
            ) from None
        return temporary
    raise OutputError(f"No temporary file can be made beside {path.name}.")


def _save(
    image: Any, file_format: FileFormat, photo: Photo, name: str, target: Path | None
) -> bytes:
    import pyvips

    saver = f"{file_format.name.lower()}save"
    options = {**_options(image, file_format, photo), "keep": KEEP_ALL_BUT_EXIF}
    pyvips.vips_lib.vips_error_clear()
    try:
        if target is None:
            return bytes(getattr(image, f"{saver}_buffer")(**options))
        getattr(image, saver)(str(target), **options)
    except pyvips.Error as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise OutputError(
            f"{name} cannot be written ({'; '.join(lines[1:] or lines)}).",
            hint="Check the folder and the space on its disk.",
        ) from None
    return b""


def _options(image: Any, file_format: FileFormat, photo: Photo) -> dict[str, Any]:
    if file_format.name == "JPEG":
        # Optimised tables would make the file 7 % smaller, but need the whole picture's
        # coefficients in memory (280 MB at 24 megapixels) and three times the time.
        return {
            "Q": JPEG_QUALITY,
            "subsample_mode": "off",
            "optimize_coding": False,
            "interlace": False,
        }
    if file_format.name == "WebP":
        if photo.is_lossless:
            return {"lossless": True, "exact": True, "effort": 0}
        return {"Q": WEBP_QUALITY, "smart_subsample": True, "exact": True, "effort": 2}
    if file_format.name == "PNG":
        return {
            "bitdepth": 16 if image.format == "ushort" else 8,
            "compression": 3,
            "filter": "paeth",
        }
    if not photo.is_compressed:
        return {"compression": "none", "bigtiff": _size_bytes(image) > BIG_TIFF_BYTES}
    return {
        "compression": "deflate",
        "predictor": "float" if image.format == "float" else "horizontal",
        "bigtiff": _size_bytes(image) > BIG_TIFF_BYTES,
    }


def _size_bytes(image: Any) -> int:
    bytes_per_sample = {"uchar": 1, "ushort": 2, "float": 4}[image.format]
    return int(image.width * image.height * image.bands * bytes_per_sample)
