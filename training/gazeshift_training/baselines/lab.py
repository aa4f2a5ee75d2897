"""CIELAB back to sRGB, for the methods that edit colours there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gazeshift.operators.transfer import encode_srgb

_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_FROM_RELATIVE_XYZ = np.linalg.inv(_TO_XYZ / _TO_XYZ.sum(1, keepdims=True))
_DELTA = 6.0 / 29.0


def lab_to_srgb(lab: NDArray[np.floating]) -> NDArray[np.float32]:
    """Convert CIELAB (D65) to encoded sRGB; colours out of the gamut are clipped per channel.

    Parameters
    ----------
    lab
        Shape (..., 3).

    Returns
    -------
    NDArray
        Shape of `lab`, 0-1.
    """
    values = np.asarray(lab, np.float64)
    y = (values[..., 0] + 16.0) / 116.0
    roots = np.stack((y + values[..., 1] / 500.0, y, y - values[..., 2] / 200.0), axis=-1)
    xyz = np.where(roots > _DELTA, roots**3, 3.0 * _DELTA**2 * (roots - 4.0 / 29.0))
    linear = np.clip(xyz @ _FROM_RELATIVE_XYZ.T, 0.0, 1.0)
    return np.asarray(encode_srgb(linear), np.float32)
