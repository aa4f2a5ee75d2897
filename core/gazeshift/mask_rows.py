"""Masks of photos too large for memory: the same numbers as `read_mask`, in bands of rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.mask import (
    LUMINANCE,
    as_fraction,
    check_aspect,
    check_extent,
    check_range,
    parse_shape,
    read_selection,
    shape_rows,
)
from gazeshift.photo.reading import split_samples
from gazeshift.photo.streams import SCAN_ROWS, STREAMED_FORMATS, PhotoStream, open_stream
from gazeshift.resample import resize_rows

Rows = Callable[[int, int], NDArray[np.float32]]
"""Called with the first and the last (excluded) row; returns them, shape (n, W), 0-1."""


def open_mask(source: str, *, height: int, width: int) -> Rows:
    """Open a mask for a photo of a given size, with the checks of `read_mask`.

    Parameters
    ----------
    source
        See `read_mask`. Only a file of the photo's size stays on the disk; a mask of another
        size is held in memory.
    height, width
        Size of the photo in pixels.

    Raises
    ------
    ParamError, MaskError, ImageError
        As `read_mask` does.
    """
    shape = parse_shape(source, height, width)
    if shape is not None:
        label = source

        def drawn(top: int, bottom: int) -> NDArray[np.float32]:
            return shape_rows(shape, width, top, bottom)

        rows: Rows = drawn
    else:
        label, rows = _open_file(Path(source), height, width)
    lowest, highest = 1.0, 0.0
    for top in range(0, height, SCAN_ROWS):
        band = rows(top, min(top + SCAN_ROWS, height))
        lowest, highest = min(lowest, float(band.min())), max(highest, float(band.max()))
    check_extent(lowest, highest, label, source if shape is not None else None, (height, width))
    return rows


def _open_file(path: Path, height: int, width: int) -> tuple[str, Rows]:
    stream = open_stream(path)
    label = f"The mask {stream.photo.name}"
    is_same = (stream.height, stream.width) == (height, width)
    if not is_same or stream.format_name not in STREAMED_FORMATS:
        selection = read_selection(path)
        check_range(float(selection.min()), float(selection.max()), label)
        check_aspect(selection.shape[0], selection.shape[1], label, height, width)

        def resampled(top: int, bottom: int) -> NDArray[np.float32]:
            if is_same:
                return np.clip(selection[top:bottom], 0, 1)
            return np.clip(resize_rows(selection, height, width, top, bottom), 0, 1)

        return label, resampled
    choose = _chooser(stream)
    lowest, highest = np.inf, -np.inf
    for top in range(0, height, SCAN_ROWS):
        values = choose(stream.samples(top, min(top + SCAN_ROWS, height)))
        lowest, highest = min(lowest, values.min()), max(highest, values.max())
    check_range(float(lowest), float(highest), label)

    def read(top: int, bottom: int) -> NDArray[np.float32]:
        return np.clip(choose(stream.samples(top, bottom)), 0, 1)

    return label, read


def _chooser(stream: PhotoStream) -> Callable[[NDArray[Any]], NDArray[np.float32]]:
    """Return what turns samples into the selection: alpha if it varies, else brightness."""
    if stream.photo.alpha is not None:
        ends = []
        for top in range(0, stream.height, SCAN_ROWS):
            alpha = stream.samples(top, min(top + SCAN_ROWS, stream.height))[..., -1]
            ends.append((alpha.min(), alpha.max()))
        if min(low for low, _ in ends) < max(high for _, high in ends):
            return lambda samples: as_fraction(samples[..., -1])
    if stream.photo.is_grey:
        return lambda samples: as_fraction(samples[..., 0])
    red, green, blue = LUMINANCE

    def brightness(samples: NDArray[Any]) -> NDArray[np.float32]:
        rgb = as_fraction(split_samples(samples)[0])
        mixed: NDArray[np.float32] = rgb[..., 0] * red + rgb[..., 1] * green + rgb[..., 2] * blue
        return mixed

    return brightness
