"""Pictures in memory: PIL images and numpy arrays, taken apart and put together again."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from gazeshift.edit import Edit
from gazeshift.errors import ImageError

if TYPE_CHECKING:
    import PIL.Image

MaskLike: TypeAlias = "PIL.Image.Image | NDArray[Any] | str | Path"
"""A PIL image, an array, `rect:x,y,w,h`, `ellipse:x,y,w,h`, or the path of a mask file."""

Scalar = TypeVar("Scalar", bound=np.generic)

_PIXEL_DTYPES = ("uint8", "uint16", "float32", "float64")


@dataclass(frozen=True)
class Picture:
    """A picture in memory, taken apart."""

    pixels: NDArray[Any]
    """Shape (H, W, 3): uint8, uint16 or float32 (0-1), encoded RGB."""
    alpha: NDArray[Any] | None
    """Shape (H, W), dtype of the original; or None."""
    is_grey: bool
    """Whether the three channels were one."""
    icc_profile: bytes | None
    """The PIL image's colour profile."""


@overload
def render_picture(
    image: PIL.Image.Image, mask: MaskLike, edit: Edit, strength: float | None = None
) -> PIL.Image.Image: ...


@overload
def render_picture(
    image: NDArray[Scalar], mask: MaskLike, edit: Edit, strength: float | None = None
) -> NDArray[Scalar]: ...


def render_picture(
    image: PIL.Image.Image | NDArray[Any],
    mask: MaskLike,
    edit: Edit,
    strength: float | None = None,
) -> PIL.Image.Image | NDArray[Any]:
    """Render an edit on a picture in memory; `gazeshift.render` is this function.

    Parameters
    ----------
    image
        A PIL image (L, LA, RGB, RGBA, I;16), or an array of shape (H, W), (H, W, 3) or
        (H, W, 4): uint8, uint16 or float with values 0-1. It is not changed.
    mask
        A PIL image or an array of shape (H, W), bool, integer or float (0-1), 1 is inside; or
        `rect:x,y,w,h`, `ellipse:x,y,w,h` or the path of a mask file.
    edit
        What to do, from `Redirector.predict` or `Edit.loads`.
    strength
        Dial position, 0 to 1.5; by default the edit's own.

    Returns
    -------
    PIL.Image.Image or NDArray
        A new picture of the same kind, mode or dtype, and size. A grey picture stays grey: the
        three channels' results are averaged where they differ.

    Raises
    ------
    ImageError
        If the picture or the mask cannot be used.
    ParamError
        If `strength` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from gazeshift import Edit, RegionParameters, render
    >>> photo = np.full((2, 4, 3), 0.25, np.float32)
    >>> edit = Edit(foreground=RegionParameters({"exposure": {"ev": 1.0}}))
    >>> render(photo, "rect:0,0,2,2", edit)[0, :, 0].round(3).tolist()
    [0.5, 0.5, 0.25, 0.25]
    """
    from gazeshift.render import render

    picture = unpack_picture(image)
    height, width = picture.pixels.shape[:2]
    selection = unpack_mask(mask, height=height, width=width)
    return repack_picture(image, picture, render(picture.pixels, selection, edit, strength))


def unpack_picture(image: PIL.Image.Image | NDArray[Any]) -> Picture:
    """Take a PIL image or an array apart.

    Raises
    ------
    ImageError
        If it is no picture that GazeShift edits.
    """
    values: NDArray[Any]
    if isinstance(image, np.ndarray):
        values, profile = image, None
    elif _is_pil(image):
        values, profile = _pil_values(image), image.info.get("icc_profile") or None
    else:
        raise ImageError(
            f"A {type(image).__name__} is no picture.", hint="Pass a PIL image or a numpy array."
        )
    if values.dtype.name not in _PIXEL_DTYPES:
        raise ImageError(
            f"Pixels of type {values.dtype} cannot be edited.",
            hint="Use uint8, uint16, or float32 with values from 0 to 1.",
        )
    bands = values.shape[2] if values.ndim == 3 else 1
    if values.ndim not in (2, 3) or bands > 4 or values.size == 0:
        raise ImageError(
            f"An array of shape {values.shape} is no picture.",
            hint="Use (H, W), (H, W, 3) or (H, W, 4).",
        )
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ImageError("The picture holds values that are not finite numbers.")
    planes = values[..., None] if values.ndim == 2 else values
    alpha = planes[..., -1] if bands in (2, 4) else None
    colour = planes[..., : bands - 1] if alpha is not None else planes
    is_grey = colour.shape[2] == 1
    if colour.dtype.kind == "f":
        colour = colour.astype(np.float32, copy=False)
    if is_grey:
        colour = np.repeat(colour, 3, axis=2)
    return Picture(np.ascontiguousarray(colour), alpha, is_grey, profile)


def repack_picture(
    image: PIL.Image.Image | NDArray[Any], picture: Picture, pixels: NDArray[Any]
) -> PIL.Image.Image | NDArray[Any]:
    """Put edited pixels into a new picture of the kind that `image` is.

    Parameters
    ----------
    image
        The original.
    picture
        What `unpack_picture` made of it.
    pixels
        Shape (H, W, 3), dtype of `picture.pixels`.
    """
    planes = [pixels]
    if picture.is_grey:
        mean = pixels.mean(axis=2, dtype=np.float64, keepdims=True)
        rounded = mean if pixels.dtype.kind == "f" else np.rint(mean)
        planes = [rounded.astype(pixels.dtype)]
    if picture.alpha is not None:
        # Alpha never passed through float32, so that it comes back bit for bit.
        planes = [planes[0].astype(picture.alpha.dtype, copy=False), picture.alpha[..., None]]
    values = planes[0] if len(planes) == 1 else np.concatenate(planes, axis=2)
    if isinstance(image, np.ndarray):
        return values.reshape(image.shape).astype(image.dtype, copy=False)
    from PIL import Image

    single = values[..., 0] if values.shape[2] == 1 else values
    result = Image.fromarray(np.ascontiguousarray(single))
    result.info = dict(image.info)
    return result


def unpack_mask(mask: MaskLike, *, height: int, width: int) -> NDArray[Any]:
    """Return a mask in memory or in a file as shape (H, W): float32, 0-1, or uint8, 0-255.

    Parameters
    ----------
    mask
        See `render_picture`. Where there is alpha, it counts if it varies.
    height, width
        The picture's size in pixels.

    Raises
    ------
    MaskError
        If the mask is empty, selects everything, has another aspect ratio, or is no mask.
    """
    if isinstance(mask, (str, Path)):
        from gazeshift.mask import read_mask

        return read_mask(str(mask), height=height, width=width)
    from gazeshift.mask import mask_codes_from_array

    values = _pil_mask(mask) if _is_pil(mask) else np.asarray(mask)
    return mask_codes_from_array(values, height=height, width=width)


def _is_pil(image: object) -> bool:
    # A PIL image can only exist where PIL is loaded; we must not load it ourselves.
    pil = sys.modules.get("PIL.Image")
    return pil is not None and isinstance(image, pil.Image)


def _pil_values(image: Any) -> NDArray[Any]:
    if image.mode == "1":
        raise ImageError("A picture of two tones cannot be edited.", hint="Convert it to L or RGB.")
    if image.mode not in ("L", "LA", "RGB", "RGBA", "I;16"):
        raise ImageError(
            f"A PIL image of mode {image.mode} cannot be edited.",
            hint="Convert it to RGB first: image.convert('RGB').",
        )
    return np.asarray(image)


def _pil_mask(image: Any) -> NDArray[Any]:
    known = ("1", "L", "LA", "RGB", "RGBA", "I;16")
    return np.asarray(image if image.mode in known else image.convert("RGBA"))
