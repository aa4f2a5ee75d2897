"""Photos too large for memory: their rows are read in bands, as often as they are wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.photo.reading import Opened, Photo, float_warnings, open_photo_file, split_samples
from gazeshift.photo.refusals import SAMPLE_TYPES

STREAMED_FORMATS = ("JPEG", "PNG", "TIFF")
"""libvips decodes WebP, which ends at 268 megapixels, in one piece anyway."""

SCAN_ROWS = 256
"""Rows that are read at a time when a whole picture is looked through."""

_FETCHED_ROWS = 16
"""Rows that libvips decodes at a time; more would only grow its buffers."""


def open_stream(path: Path) -> PhotoStream:
    """Open a photo file as a stream.

    Raises
    ------
    UnsupportedFormat
        If the file is none that GazeShift edits.
    ImageError
        If it is missing, empty or damaged, or holds values that are not numbers.
    """
    return PhotoStream(open_photo_file(path))


class PhotoStream:
    """A photo whose pixels stay in its file.

    Rows can be asked for in any order; going back reads the file again from its start. A photo
    that its camera held sideways is unpacked into libvips's own temporary file first.

    Parameters
    ----------
    opened
        A file from `open_photo_file`.

    Raises
    ------
    ImageError
        If it is damaged, or holds values that are not numbers.
    """

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._region: Any = None
        self._samples: NDArray[Any] = np.empty((0, 0, 0))
        self._first = 0
        image = self._restart()
        self.height, self.width = int(image.height), int(image.width)
        self._bands = int(image.bands)
        self._dtype = np.dtype(SAMPLE_TYPES[image.format])
        if self._dtype == np.float32:
            ends = [(float(rows.min()), float(rows.max())) for rows in self._scan()]
            lowest, highest = (float(end(np.asarray(ends))) for end in (np.min, np.max))
            self._opened.warnings += float_warnings(lowest, highest, opened.name)
        # Arrays of the right shape that take no memory: writers look at shape and type only.
        nothing = np.zeros((), self._dtype)
        self.photo: Photo = self._opened.photo(
            np.broadcast_to(nothing, (self.height, self.width, 3)),
            np.broadcast_to(nothing, (self.height, self.width)) if self._bands in (2, 4) else None,
        )
        """What the file says; its pixels are all zero and must not be used."""

    @property
    def format_name(self) -> str:
        """Return `JPEG`, `PNG`, `TIFF` or `WebP`."""
        return self._opened.file_format.name

    def rows(self, top: int, bottom: int) -> NDArray[Any]:
        """Read rows as RGB, shape (bottom - top, W, 3), at the photo's own depth.

        Raises
        ------
        ImageError
            If they cannot be decoded.
        """
        return split_samples(self.samples(top, bottom))[0]

    def alpha_rows(self, top: int, bottom: int) -> NDArray[Any] | None:
        """Read rows of the transparency, shape (bottom - top, W); None without any."""
        if self._bands not in (2, 4):
            return None
        start = top - self._first
        if start >= 0 and bottom <= self._first + len(self._samples):
            # The rows around them stay, as the next band overlaps them.
            return np.ascontiguousarray(self._samples[start : bottom - self._first, :, -1])
        return split_samples(self.samples(top, bottom))[1]

    def samples(self, top: int, bottom: int) -> NDArray[Any]:
        """Read rows with every band of the file, shape (bottom - top, W, bands)."""
        import pyvips

        try:
            if top < self._first:
                self._restart()
            have = self._first + len(self._samples)
            parts = [self._samples[max(top - self._first, 0) :]] if top < have else []
            while have < bottom:
                # Sequential files are read without gaps.
                count = min(_FETCHED_ROWS, bottom - have)
                raw = self._region.fetch(0, have, self.width, count)
                part = np.frombuffer(raw, self._dtype).reshape(count, self.width, self._bands)
                have += count
                if have > top:
                    parts.append(part[max(0, top - (have - count)) :])
        except pyvips.Error as error:
            raise self._opened.damage(error) from None
        self._samples = parts[0] if len(parts) == 1 else np.concatenate(parts)
        self._first = top
        return self._samples[: bottom - top]

    def _scan(self) -> Any:
        for top in range(0, self.height, SCAN_ROWS):
            yield self.samples(top, min(top + SCAN_ROWS, self.height))

    def _restart(self) -> Any:
        import pyvips

        try:
            image = self._opened.upright()
            self._region = pyvips.Region.new(image)
        except pyvips.Error as error:
            raise self._opened.damage(error) from None
        self._samples = self._samples[:0]
        self._first = 0
        return image
