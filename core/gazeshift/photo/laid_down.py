"""Rows of pixels laid down in a plain file, for encoders that ask for rows when they want them.

The file is an uncompressed BigTIFF: libvips reads it piece by piece, while it would map a file
without a header into memory as a whole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.errors import ImageError
from gazeshift.photo.tiff_tags import DirectoryWriter, Field

_HEADER_BYTES = 16
_SHORT, _LONG8 = 16, 64
_TYPE_IDS = {_SHORT: 3, _LONG8: 16}
_RGB, _UNASSOCIATED_ALPHA = 2, 2


def lay_down(
    path: Path, bands: Iterable[NDArray[Any]], *, height: int, width: int, channels: int, dtype: str
) -> bool:
    """Write bands of rows one after the other.

    Parameters
    ----------
    path
        The file; it is replaced.
    bands
        From top to bottom, shape (n, W, channels); all but the last have the same n.
    height, width, channels, dtype
        Of the whole picture; 3 channels, or 4 with transparency.

    Returns
    -------
    bool
        Whether red, green and blue are equal everywhere.

    Raises
    ------
    ImageError
        If the bands do not make up the picture.
    """
    starts, sizes, rows_at_once, rows, is_grey = [], [], 0, 0, True
    with path.open("wb") as file:
        file.seek(_HEADER_BYTES)
        for band in bands:
            if band.shape[1:] != (width, channels) or str(band.dtype) != dtype:
                raise ImageError(f"A band is {band.shape} {band.dtype}, unlike the photo.")
            if rows % (rows_at_once or 1):
                raise ImageError("Bands of one picture must be equally high.")
            rows_at_once = rows_at_once or len(band)
            is_grey = is_grey and is_neutral(band)
            starts.append(file.tell())
            sizes.append(band.nbytes)
            rows += len(band)
            little = band.astype(band.dtype.newbyteorder("<"), copy=False)
            file.write(np.ascontiguousarray(little).data)
        if rows != height:
            raise ImageError(f"The bands have {rows} rows, the photo {height}.")
        end = file.tell()
        file.write(bytes(-end % 8))
        bits = 8 * np.dtype(dtype).itemsize
        fields = {
            256: _numbers(_LONG8, width),
            257: _numbers(_LONG8, height),
            258: _numbers(_SHORT, *[bits] * channels),
            259: _numbers(_SHORT, 1),
            262: _numbers(_SHORT, _RGB),
            273: _numbers(_LONG8, *starts),
            277: _numbers(_SHORT, channels),
            278: _numbers(_LONG8, rows_at_once),
            279: _numbers(_LONG8, *sizes),
            284: _numbers(_SHORT, 1),
            339: _numbers(_SHORT, *[3 if dtype == "float32" else 1] * channels),
        }
        if channels == 4:
            fields[338] = _numbers(_SHORT, _UNASSOCIATED_ALPHA)
        writer = DirectoryWriter(end + -end % 8, is_big=True)
        first = writer.add(fields)
        file.write(writer.body)
        file.seek(0)
        file.write(struct.pack("<2s3HQ", b"II", 43, 8, 0, first))
    return is_grey


def is_neutral(pixels: NDArray[Any]) -> bool:
    """Tell whether the first three channels are equal everywhere."""
    rows_at_once = 256
    return all(
        bool((strip[..., 0] == strip[..., 1]).all() and (strip[..., 0] == strip[..., 2]).all())
        for strip in (
            pixels[top : top + rows_at_once] for top in range(0, len(pixels), rows_at_once)
        )
    )


def _numbers(bits: int, *values: int) -> Field:
    code = {_SHORT: "H", _LONG8: "Q"}[bits]
    return Field(_TYPE_IDS[bits], len(values), struct.pack(f"<{len(values)}{code}", *values))
