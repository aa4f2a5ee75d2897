"""Newly clipped pixels: detail that an edit drove into black or white."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatImage = NDArray[np.floating]

_HIGHEST_CODE = 255
_NEAR_CODES = 1
"""A channel this close to its end before counts as clipped already: rounding is no loss."""


def newly_clipped(before: FloatImage, after: FloatImage) -> NDArray[np.bool_]:
    """Mark the pixels with a channel that an edit drove to code 0 or 255.

    A channel that was at most one 8-bit code from that end before does not count.

    Parameters
    ----------
    before, after
        Shape (H, W, 3), encoded, 0-1.

    Returns
    -------
    NDArray
        Shape (H, W).
    """
    old, new = (
        np.rint(np.clip(rgb, 0.0, 1.0) * _HIGHEST_CODE).astype(np.int16) for rgb in (before, after)
    )
    black = (new == 0) & (old > _NEAR_CODES)
    white = (new == _HIGHEST_CODE) & (old < _HIGHEST_CODE - _NEAR_CODES)
    return np.asarray((black | white).any(axis=-1), np.bool_)


def newly_clipped_part(before: FloatImage, after: FloatImage) -> float:
    """Part of all pixels that an edit clipped newly, 0-1; see `newly_clipped`."""
    return float(newly_clipped(before, after).mean())
