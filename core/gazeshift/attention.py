"""The attention network: where people look in a photo, and how much of it falls on a selection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.errors import MaskError
from gazeshift.sessions import Contract, Network, enlarge_small, model_path

CONTRACT = Contract(
    kind="attention network",
    inputs={"image": (1, 3, None, None)},
    outputs={"attention": (1, 1, None, None)},
)


class AttentionModel:
    """Predicts where people look. The file is opened at the first use; threads may share it.

    Parameters
    ----------
    path
        ONNX file; by default the one that comes with GazeShift.
    provider
        `auto`, `cpu`, `cuda`, `coreml` or `directml`. An accelerator that fails is replaced by
        the processor, with an entry in `warnings`.

    Raises
    ------
    ParamError
        If the provider's name is unknown.
    """

    def __init__(self, path: Path | None = None, *, provider: str = "auto") -> None:
        self.network = Network(path or model_path("attention"), CONTRACT, provider)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what went wrong without stopping the work."""
        return tuple(self.network.warnings)

    def map(self, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        """Predict the attention map.

        Parameters
        ----------
        rgb
            Shape (h, w, 3), sRGB 0-1; a proxy made by `make_proxy`.

        Returns
        -------
        NDArray[np.float32]
            Shape (h', w'), not negative, sums to 1. It covers the whole picture at the
            network's own resolution.

        Raises
        ------
        ModelError
            If the network file is missing, broken or made for another version.
        """
        batch = np.moveaxis(enlarge_small(np.asarray(rgb, np.float32)), -1, 0)[None]
        output = self.network.run({"image": np.ascontiguousarray(batch)})
        attention: NDArray[np.float32] = np.maximum(output["attention"][0, 0], 0.0)
        total = float(attention.sum(dtype=np.float64))
        if total <= 0.0:
            raise self.network.error("gave an empty attention map")
        attention /= np.float32(total)
        return attention

    def share(self, rgb: NDArray[np.float32], mask: NDArray[np.float32]) -> float:
        """Predict how much of the viewers' attention falls on a selection.

        Parameters
        ----------
        rgb
            Shape (h, w, 3), sRGB 0-1.
        mask
            Shape (h, w), 0-1; 1 is inside.

        Returns
        -------
        float
            0-1.
        """
        return attention_share(self.map(rgb), mask)


def attention_share(attention: NDArray[np.float32], mask: NDArray[np.float32]) -> float:
    """Return the part of an attention map that lies inside a mask.

    Parameters
    ----------
    attention
        Shape (h', w'), not negative, not all zero.
    mask
        Shape (h, w), any size, 0-1; it is reduced to the map's grid by area.

    Returns
    -------
    float
        0-1: the sum of the map times the mask, divided by the sum of the map.

    Raises
    ------
    MaskError
        If the mask is not a plane of at least one pixel.

    Examples
    --------
    >>> import numpy as np
    >>> attention = np.array([[0.1, 0.3], [0.2, 0.4]], np.float32)
    >>> left_half = np.array([[1.0, 0.0]], np.float32)
    >>> round(attention_share(attention, left_half), 3)
    0.3
    """
    if mask.ndim != 2 or mask.size == 0:
        raise MaskError(f"A mask must be a plane of pixels, not an array of shape {mask.shape}.")
    tall = _area_means(mask, attention.shape[0])
    inside = _area_means(tall.T, attention.shape[1]).T
    weighted = float(np.sum(attention * inside, dtype=np.float64))
    return min(max(weighted / float(np.sum(attention, dtype=np.float64)), 0.0), 1.0)


def _area_means(values: NDArray[Any], cells: int) -> NDArray[np.float64]:
    """Return the means of `values` over equal, possibly fractional, stretches of its rows.

    Differences of running sums rather than a matrix product: cheap, and no library starts threads.
    """
    pixels = values.shape[0]
    sums = np.zeros((pixels + 1, values.shape[1]))
    np.cumsum(values, axis=0, dtype=np.float64, out=sums[1:])
    edges = np.arange(cells + 1) * (pixels / cells)
    below = np.minimum(edges.astype(np.intp), pixels - 1)
    beyond = (edges - below)[:, None]
    totals = sums[below] * (1.0 - beyond) + sums[below + 1] * beyond
    means: NDArray[np.float64] = np.diff(totals, axis=0) * (cells / pixels)
    return means
