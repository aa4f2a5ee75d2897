"""The small sRGB copy of a photo that the networks look at; made here and nowhere else.

Every host (command line, GIMP, Photoshop, Python) sends its pixels through `make_proxy`, so the
same picture gets the same edit wherever it is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gazeshift.errors import ImageError, MaskError
from gazeshift.icc import profile_colour_space, rgb_profile_from_grey
from gazeshift.resample import resize, resize_stream

PROXY_LONG_SIDE = 448

Rows = Callable[[int, int], NDArray[Any]]


class Proxy(NamedTuple):
    """A small copy of a photo and of its mask.

    Attributes
    ----------
    rgb
        Shape (h, w, 3), sRGB-encoded, 0-1, float32.
    mask
        Shape (h, w), 0-1, float32; None when there was no mask.
    warnings
        What could not be done as asked, one sentence each.
    """

    rgb: NDArray[np.float32]
    mask: NDArray[np.float32] | None
    warnings: tuple[str, ...] = ()


def make_proxy(
    pixels: NDArray[Any],
    mask: NDArray[Any] | None = None,
    *,
    icc_profile: bytes | None = None,
    long_side: int = PROXY_LONG_SIDE,
) -> Proxy:
    """Shrink a photo by area means and convert it to sRGB.

    The mean is taken over encoded values and the small picture is then converted, which is fast
    and differs from converting first by less than the networks can tell. The conversion is
    relative colorimetric with black point compensation. A picture that is already small enough
    keeps its size.

    Parameters
    ----------
    pixels
        Shape (H, W, 3), RGB as `icc_profile` encodes it; uint8, uint16, or float (0-1, clipped).
    mask
        Shape (H, W), 0-1, or uint8 with 255 for 1.
    icc_profile
        Profile of the pixels; without one they are sRGB. A grey profile serves for R = G = B.
    long_side
        Longest side of the result in pixels.

    Returns
    -------
    Proxy
        The small picture, the small mask, and warnings (a profile that cannot be used).

    Raises
    ------
    ImageError
        If the pixels have another shape or type, or hold values that are not finite.
    MaskError
        If the mask has another size than the picture, or values that are not finite.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ImageError(
            f"The picture has shape {pixels.shape}; (height, width, 3) is needed.",
            hint="Pass RGB pixels without alpha.",
        )
    height, width = proxy_size(pixels.shape[0], pixels.shape[1], long_side)
    rgb, warnings = _finish_pixels(resize(pixels, height, width), pixels.dtype, icc_profile)
    if mask is None:
        return Proxy(rgb, None, warnings)
    if mask.shape != pixels.shape[:2]:
        raise MaskError(
            f"The mask has shape {mask.shape}, the picture {pixels.shape[:2]}.",
            hint="Bring the mask to the picture's size first.",
        )
    small = resize(mask, height, width, as_fraction=mask.dtype == np.uint8)
    return Proxy(rgb, _finish_mask(small), warnings)


def make_proxy_from_rows(
    pixels: Rows,
    mask: Rows,
    *,
    height: int,
    width: int,
    icc_profile: bytes | None = None,
    long_side: int = PROXY_LONG_SIDE,
) -> Proxy:
    """Make the same proxy of a photo whose rows come in bands.

    Parameters
    ----------
    pixels, mask
        Called with the first and the last (excluded) row that are wanted, from top to bottom;
        give what `make_proxy` takes.
    height, width
        Size of the photo in pixels.
    icc_profile, long_side
        See `make_proxy`.

    Raises
    ------
    ImageError
        If the pixels hold values that are not finite.
    MaskError
        If the mask does.
    """
    size = proxy_size(height, width, long_side)
    dtype = pixels(0, 1).dtype
    rgb, warnings = _finish_pixels(resize_stream(pixels, height, *size), dtype, icc_profile)
    return Proxy(rgb, _finish_mask(resize_stream(mask, height, *size)), warnings)


def proxy_size(height: int, width: int, long_side: int = PROXY_LONG_SIDE) -> tuple[int, int]:
    """Work out the size of a proxy.

    Parameters
    ----------
    height, width
        Size of the photo in pixels.
    long_side
        Longest side allowed, in pixels.

    Returns
    -------
    tuple
        Height and width of the proxy, each at least 1; never more than the photo's.
    """
    longest = max(height, width)
    if longest <= long_side:
        return height, width
    # Halves round up, whatever the parity; round() would send them to the even neighbour.
    return (
        max(1, (2 * height * long_side + longest) // (2 * longest)),
        max(1, (2 * width * long_side + longest) // (2 * longest)),
    )


def _finish_pixels(
    rgb: NDArray[np.float32], dtype: np.dtype[Any], icc_profile: bytes | None
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    if dtype in (np.uint8, np.uint16):
        rgb *= np.float32(1 / np.iinfo(dtype).max)
    elif dtype.kind != "f":
        raise ImageError(
            f"Pixels of type {dtype} cannot be used.",
            hint="Pass uint8, uint16, or float values from 0 to 1.",
        )
    if not np.isfinite(rgb).all():
        raise ImageError(
            "The picture holds values that are not numbers (NaN or infinity).",
            hint="Repair it in the program that wrote it.",
        )
    np.clip(rgb, 0, 1, out=rgb)
    return _to_srgb(rgb, icc_profile)


def _finish_mask(small: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(small).all():
        raise MaskError("The mask holds values that are not numbers (NaN or infinity).")
    return np.clip(small, 0, 1)


def _to_srgb(
    rgb: NDArray[np.float32], profile: bytes | None
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    if profile is None:
        return rgb, ()
    usable = rgb_profile_from_grey(profile) or profile
    if profile_colour_space(usable) == "RGB":
        converted = _convert_with_profile(rgb, usable)
        if converted is not None:
            return converted, ()
    return rgb, ("The colour profile cannot be used; the picture is taken for sRGB.",)


def _convert_with_profile(rgb: NDArray[np.float32], profile: bytes) -> NDArray[np.float32] | None:
    import pyvips

    height, width = rgb.shape[:2]
    codes = np.rint(rgb * 65535).astype(np.uint16)
    picture = pyvips.Image.new_from_memory(codes.data, width, height, 3, "ushort")
    picture = picture.copy(interpretation="rgb16")
    picture.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    try:
        small = picture.icc_transform(
            "srgb", embedded=True, intent="relative", black_point_compensation=True, depth=16
        )
        data = small.write_to_memory()
    except pyvips.Error:
        return None
    result = np.frombuffer(data, np.uint16).reshape(height, width, 3).astype(np.float32)
    result /= 65535
    return result
