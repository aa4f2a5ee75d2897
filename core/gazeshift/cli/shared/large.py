"""Photos too large for memory: masked, shown to the networks and rendered in bands of rows."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.cli.outputs.kinds import Result
from gazeshift.mask_rows import open_mask
from gazeshift.proxy import Proxy, make_proxy_from_rows
from gazeshift.streaming import BAND_ROWS, render_bands

if TYPE_CHECKING:
    from gazeshift.attention import AttentionModel
    from gazeshift.edit import Edit
    from gazeshift.photo.streams import PhotoStream

RENDERED = 0.8
"""Part of the progress that is reached when encoding begins."""

_MMAP_THRESHOLD = -3
"""Number of the setting in glibc's `malloc.h`."""
_LARGE_BLOCK_BYTES = 128 << 10


class LargePhoto:
    """A photo file and its mask, both left on the disk.

    Parameters
    ----------
    stream
        The photo.
    mask_source
        See `gazeshift.mask.read_mask`.

    Raises
    ------
    GazeShiftError
        If the mask cannot be used.
    """

    def __init__(self, stream: PhotoStream, mask_source: str) -> None:
        _return_memory_at_once()
        self.stream = stream
        self.mask = open_mask(mask_source, height=stream.height, width=stream.width)

    def proxy(self, long_side: int) -> Proxy:
        """Make the small copy that the networks look at."""
        stream = self.stream
        return make_proxy_from_rows(
            stream.rows,
            self.mask,
            height=stream.height,
            width=stream.width,
            icc_profile=stream.photo.icc_profile,
            long_side=long_side,
        )

    def result(
        self,
        edit: Edit,
        show: Callable[[float], None],
        proxy: Proxy | None = None,
        attention: AttentionModel | None = None,
    ) -> Result:
        """Return what the writers take; rows are rendered while they are written.

        Parameters
        ----------
        edit
            At the strength to render.
        show
            Called with the finished part, 0-1.
        proxy, attention
            See `Result`.
        """
        nothing = np.broadcast_to(np.zeros((), np.float32), (self.stream.height, self.stream.width))
        photo = self.stream.photo
        return Result(
            photo,
            nothing,
            edit,
            photo.pixels,
            proxy,
            attention,
            self._bands(edit, lambda part: show(RENDERED * part)),
            lambda part: show(RENDERED + (1 - RENDERED) * part),
        )

    def _bands(self, edit: Edit, show: Callable[[float], None]) -> Iterator[NDArray[Any]]:
        stream = self.stream
        bands = render_bands(
            stream.rows,
            self.mask,
            edit,
            height=stream.height,
            width=stream.width,
            progress=show,
        )
        for number, band in enumerate(bands):
            top = number * BAND_ROWS
            alpha = stream.alpha_rows(top, top + len(band))
            yield band if alpha is None else np.concatenate([band, alpha[..., None]], axis=2)


def _return_memory_at_once() -> None:
    """Have the C library give freed bands back to the system.

    It starts with giving back blocks from 128 KiB on, but soon keeps some of up to 32 MiB for
    later; that adds up to hundreds of MiB when bands of many sizes come and go.
    """
    if sys.platform == "linux":
        # musl has no such function, and no such habit.
        with contextlib.suppress(AttributeError, OSError):
            ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)
