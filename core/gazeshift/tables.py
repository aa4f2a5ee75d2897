"""Curves: everything after sharpening, collapsed to one curve per channel.

Renderers, host recipes and `.cube` files all read the edit's point operators from here.
"""

from __future__ import annotations

from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from gazeshift.decoder import apply_chain, values_of
from gazeshift.edit import RegionParameters
from gazeshift.operators import OPERATORS


def is_separable(region: RegionParameters) -> bool:
    """Tell whether the region is sharpening followed by one curve per channel."""
    return all(id_ == "sharpening" or OPERATORS[id_].spec.is_separable for id_ in region.active())


def point_curves(region: RegionParameters, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate the separable operators on given channel values.

    Parameters
    ----------
    region
        Parameters as applied; its sharpening is left out.
    positions
        Shape (n,), encoded channel values, 0-1.

    Returns
    -------
    NDArray[np.float64]
        Shape (3, n): red, green and blue, encoded, 0-1.
    """
    values = {id_: named for id_, named in values_of(region).items() if _is_curve(id_)}
    in_order = [id_ for id_ in OPERATORS if id_ in values]
    alike = list(takewhile(lambda id_: OPERATORS[id_].spec.treats_channels_alike, in_order))
    # As long as all channels get the same, three positions share one pixel.
    count = positions.size
    ramp = np.zeros((1, -(-count // 3), 3))
    ramp.reshape(-1)[:count] = positions
    bent: NDArray[np.float64] = apply_chain(ramp, {id_: values.pop(id_) for id_ in alike})
    wide = np.repeat(bent.reshape(1, -1, 1)[:, :count], 3, axis=2)
    bent = apply_chain(wide, values)
    return np.ascontiguousarray(bent[0].T)


def code_curves(region: RegionParameters, levels: int) -> NDArray[np.float64]:
    """Evaluate the separable operators on every code of an integer image.

    Parameters
    ----------
    region
        Parameters as applied; its sharpening is left out.
    levels
        Number of codes: 256 or 65536.

    Returns
    -------
    NDArray[np.float64]
        Shape (3, levels), encoded, 0-1.
    """
    return point_curves(region, np.arange(levels, dtype=np.float64) / (levels - 1))


def _is_curve(operator_id: str) -> bool:
    return OPERATORS[operator_id].spec.is_separable
