"""Masks: where the viewer shall look, from a file, a rectangle, an ellipse or an array."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.errors import MaskError, ParamError
from gazeshift.photo.reading import Photo, read_photo
from gazeshift.resample import resize

ASPECT_TOLERANCE = 0.01
EMPTY_BELOW = 1 / 255
FULL_ABOVE = 254 / 255

_SHAPE = re.compile(r"^\s*(rect|ellipse)\s*:(.*)$", re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"^\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*(%?)\s*$", re.ASCII)
# How bright each encoded channel looks (ITU-R BT.709).
LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
_SUBROWS = 16
_ROWS_AT_ONCE = 256


def read_mask(source: str, *, height: int, width: int) -> NDArray[np.float32]:
    """Read a mask for a photo of a given size.

    A picture file counts by its alpha channel when that varies, otherwise by its brightness:
    white is selected. It may have another size than the photo when the aspect ratio agrees to
    one percent; it is then resampled.

    Parameters
    ----------
    source
        A picture file, or `rect:x,y,w,h` or `ellipse:x,y,w,h`: left, top, width and height in
        pixels of the upright photo, or in percent of its size with a `%` behind the number.
    height, width
        Size of the photo in pixels.

    Returns
    -------
    NDArray
        Shape (height, width), 0-1, float32; 1 is selected. Edges of shapes are antialiased.

    Raises
    ------
    ParamError
        If the text of a rectangle or ellipse cannot be understood.
    MaskError
        If the mask is empty or full, lies outside, has another aspect ratio, or holds values
        that are no mask.
    ImageError
        If the file cannot be read.
    """
    shape = parse_shape(source, height, width)
    if shape is None:
        label = f"The mask {Path(source).name}"
        return _finish(read_selection(Path(source)), label, height, width)
    mask = shape_rows(shape, width, 0, height)
    check_extent(float(mask.min()), float(mask.max()), source, source, (height, width))
    return mask


def read_selection(path: Path) -> NDArray[np.float32]:
    """Read a mask file at its own size, unchecked, shape (H, W)."""
    return _selection(read_photo(path))


def mask_from_array(array: NDArray[Any], *, height: int, width: int) -> NDArray[np.float32]:
    """Turn an array into a mask for a photo of a given size, with the checks of `read_mask`.

    Parameters
    ----------
    array
        Shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); bool, uint8, uint16, or float 0-1.
    height, width
        Size of the photo in pixels.

    Returns
    -------
    NDArray
        Shape (height, width), 0-1, float32; a new array.

    Raises
    ------
    MaskError
        If the array has another shape or type, is empty or full, or holds values that are no
        mask.
    """
    array = np.asarray(array)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 2, 3, 4) or 0 in array.shape:
        raise MaskError(
            f"A mask of shape {array.shape} cannot be used.", hint="Pass (height, width)."
        )
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * np.uint8(255)
    elif array.dtype.kind == "f":
        array = array.astype(np.float32, copy=False)
    elif array.dtype not in (np.uint8, np.uint16):
        raise MaskError(
            f"A mask of type {array.dtype} cannot be used.",
            hint="Pass bool, uint8, uint16, or float values from 0 to 1.",
        )
    bands = array.shape[2]
    photo = Photo(
        pixels=array[..., :3] if bands >= 3 else array[..., :1],
        alpha=array[..., -1] if bands in (2, 4) else None,
        is_grey=bands < 3,
    )
    return _finish(_selection(photo), "The mask", height, width)


def mask_codes_from_array(array: NDArray[Any], *, height: int, width: int) -> NDArray[Any]:
    """Do what `mask_from_array` does, but leave a mask of 8 bits in 8 bits.

    Spares the conversion of every pixel and three quarters of the memory.

    Parameters
    ----------
    array, height, width
        See `mask_from_array`.

    Returns
    -------
    NDArray
        `array` itself where it is uint8 of shape (height, width), 255 for 1, as `make_proxy`,
        `render` and `Preview` take it; else what `mask_from_array` returns.

    Raises
    ------
    MaskError
        See `mask_from_array`.
    """
    codes = np.asarray(array)
    if codes.dtype != np.uint8 or codes.shape != (height, width) or codes.size == 0:
        return mask_from_array(codes, height=height, width=width)
    check_extent(float(codes.min()) / 255, float(codes.max()) / 255, "The mask")
    return codes


def _selection(photo: Photo) -> NDArray[np.float32]:
    alpha = photo.alpha
    if alpha is not None and alpha.size and alpha.min() < alpha.max():
        return as_fraction(alpha)
    if photo.is_grey:
        return as_fraction(photo.pixels[..., 0])
    height, width = photo.pixels.shape[:2]
    result = np.empty((height, width), np.float32)
    red, green, blue = LUMINANCE
    for top in range(0, height, _ROWS_AT_ONCE):
        rows = slice(top, top + _ROWS_AT_ONCE)
        rgb = as_fraction(photo.pixels[rows])
        result[rows] = rgb[..., 0] * red + rgb[..., 1] * green + rgb[..., 2] * blue
    return result


def as_fraction(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return samples as new floats; whole numbers are divided by the largest of their type."""
    if values.dtype.kind == "f":
        return values.astype(np.float32)
    scaled: NDArray[np.float32] = np.multiply(
        values, 1 / np.iinfo(values.dtype).max, dtype=np.float32
    )
    return scaled


def _finish(mask: NDArray[np.float32], label: str, height: int, width: int) -> NDArray[np.float32]:
    lowest, highest = float(mask.min()), float(mask.max())
    check_range(lowest, highest, label)
    if mask.shape != (height, width):
        check_aspect(mask.shape[0], mask.shape[1], label, height, width)
        mask = resize(mask, height, width)
        lowest, highest = float(mask.min()), float(mask.max())
    if lowest < 0 or highest > 1:
        np.clip(mask, 0, 1, out=mask)
    check_extent(lowest, highest, label)
    return mask


def check_range(lowest: float, highest: float, label: str) -> None:
    """Refuse a mask whose smallest and largest values are none of a mask.

    Raises
    ------
    MaskError
        If they are no numbers, or lie outside 0-1.
    """
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        raise MaskError(
            f"{label} holds values that are not numbers (NaN or infinity).",
            hint="Save it as an 8-bit picture.",
        )
    if lowest < -1e-3 or highest > 1.001:
        raise MaskError(
            f"{label} holds values from {lowest:.3g} to {highest:.3g} instead of 0 to 1.",
            hint="Scale it to 0-1 or save it as an 8-bit picture.",
        )


def check_extent(
    lowest: float,
    highest: float,
    label: str,
    shape: str | None = None,
    size: tuple[int, int] = (0, 0),
) -> None:
    """Refuse a mask that selects nothing or everything.

    Parameters
    ----------
    lowest, highest
        Its smallest and largest values.
    label
        What to call it.
    shape
        The text of a rectangle or ellipse; None for a picture.
    size
        Height and width of the photo, for the message about a shape.

    Raises
    ------
    MaskError
        If it does.
    """
    if shape is not None and highest == 0.0:
        raise MaskError(
            f"{shape} lies outside the photo of {size[1]} x {size[0]} pixels.",
            hint="Give left, top, width and height in pixels, or in percent with %.",
        )
    if highest < EMPTY_BELOW:
        raise MaskError(
            f"{label} is empty: it selects nothing.",
            hint="Paint the region that viewers shall look at in white.",
        )
    if lowest > FULL_ABOVE:
        raise MaskError(
            f"{label} selects the whole picture: nothing is left to draw attention from.",
            hint="Select only the region that viewers shall look at.",
        )


def check_aspect(mask_height: int, mask_width: int, label: str, height: int, width: int) -> None:
    """Refuse a mask whose aspect ratio differs from the photo's by more than one percent.

    Raises
    ------
    MaskError
        If it does.
    """
    fitting_height = mask_width * height / width
    fitting_width = mask_height * width / height
    # A small mask cannot meet the ratio better than its rounding to whole pixels.
    if abs(mask_height - fitting_height) <= max(ASPECT_TOLERANCE * fitting_height, 0.5):
        return
    if abs(mask_width - fitting_width) <= max(ASPECT_TOLERANCE * fitting_width, 0.5):
        return
    is_turned = abs(mask_width * width / (mask_height * height) - 1) <= ASPECT_TOLERANCE
    raise MaskError(
        f"{label} has {mask_width} x {mask_height} pixels, the photo {width} x {height}: "
        "their aspect ratios differ.",
        hint="The mask seems to be turned by 90 degrees."
        if is_turned
        else "Make the mask from the uncropped photo.",
    )


@dataclass(frozen=True)
class Shape:
    """A rectangle or ellipse in a photo's pixels."""

    kind: str
    left: float
    top: float
    width: float
    height: float


def parse_shape(source: str, height: int, width: int) -> Shape | None:
    """Return the rectangle or ellipse that a text describes; None if it is a file's name.

    Raises
    ------
    ParamError
        If the text begins like a shape but cannot be understood.
    """
    found = _SHAPE.match(str(source))
    if found is None:
        return None
    kind = found[1].lower()
    return Shape(kind, *_parse_box(str(source), kind, found[2], height, width))


def shape_rows(shape: Shape, width: int, top: int, bottom: int) -> NDArray[np.float32]:
    """Draw rows `top` to `bottom` (excluded) of a shape's mask, `width` pixels wide."""
    mask = np.zeros((bottom - top, width), np.float32)
    if shape.kind == "rect":
        down = _covered(shape.top, shape.top + shape.height, top, bottom)
        across = _covered(shape.left, shape.left + shape.width, 0, width)
        np.multiply(down[:, None], across[None, :], out=mask)
    else:
        _fill_ellipse(mask, shape, top)
    return mask


def _parse_box(
    source: str, kind: str, text: str, height: int, width: int
) -> tuple[float, float, float, float]:
    fields = [_NUMBER.match(part) for part in text.split(",")]
    numbers: list[float] = []
    for found, whole in zip(fields, (width, height, width, height), strict=False):
        if found is not None:
            value = float(found[1])
            numbers.append(value * whole / 100 if found[2] else value)
    if len(fields) != 4 or len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise ParamError(
            f"{source} is not understood.",
            hint=f"Write {kind}:x,y,w,h in pixels or percent, for example {kind}:10%,20%,30%,40%.",
        )
    if numbers[2] <= 0 or numbers[3] <= 0:
        raise ParamError(f"{source} has no area.", hint="Width and height must be greater than 0.")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _covered(start: float, end: float, first: int, last: int) -> NDArray[np.float32]:
    """Fraction of the unit cells `first` to `last` that lies between `start` and `end`."""
    cells = np.arange(first, last, dtype=np.float64)
    covered = np.clip(end - cells, 0, 1) - np.clip(start - cells, 0, 1)
    return covered.astype(np.float32)


def _fill_ellipse(mask: NDArray[np.float32], shape: Shape, first_row: int) -> None:
    height, width = mask.shape
    across, down = shape.width, shape.height
    centre_x, centre_y = shape.left + across / 2, shape.top + down / 2
    offsets = (np.arange(_SUBROWS) + 0.5) / _SUBROWS
    begin_row = max(first_row, math.floor(shape.top))
    end_row = min(first_row + height, math.ceil(shape.top + down))
    for row in range(begin_row, end_row):
        inside = 1 - ((row + offsets - centre_y) / (down / 2)) ** 2
        half = across / 2 * np.sqrt(np.maximum(inside, 0))
        starts, ends = centre_x - half, centre_x + half
        first, last = math.floor(starts.min()), math.ceil(ends.max())
        solid, solid_end = math.ceil(starts.max()), math.floor(ends.min())
        if solid >= solid_end:
            solid = solid_end = last
        line = mask[row - first_row]
        line[max(solid, 0) : max(min(solid_end, width), 0)] = 1
        for begin, end in ((first, solid), (solid_end, last)):
            begin, end = max(begin, 0), min(end, width)
            if begin < end:
                cells = np.arange(begin, end)[None, :]
                coverage = np.clip(ends[:, None] - cells, 0, 1) - np.clip(
                    starts[:, None] - cells, 0, 1
                )
                line[begin:end] = coverage.mean(axis=0)
