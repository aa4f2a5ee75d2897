"""Fidelity: LPIPS of the whole picture, of the background and of the foreground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

if TYPE_CHECKING:
    from gazeshift_training.lpips import Lpips

FloatImage = NDArray[np.floating]


def _planes(rgb: FloatImage) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(rgb, np.float32)).permute(2, 0, 1)[None]


class FidelityJudge:
    """Compares edited versions of one photo with it; the photo's own features are kept.

    Parameters
    ----------
    network
        LPIPS (AlexNet, version 0.1).
    rgb
        The photo before, shape (H, W, 3), encoded sRGB, 0-1.
    mask
        Shape (H, W), 0-1. Background and foreground are compared as in the paper: both pictures
        are multiplied by the region first, LPIPS(I m, I' m).
    """

    def __init__(self, network: Lpips, rgb: FloatImage, mask: FloatImage) -> None:
        self._network = network
        foreground = np.asarray(mask, np.float32)[..., None]
        self._regions = {"bg": 1.0 - foreground, "fg": foreground}
        self._before: dict[str, list[Tensor]] = {}
        self._rgb = rgb

    def distance(self, edited: FloatImage, region: str = "full") -> float:
        """Measure how far an edited version is from the photo.

        Parameters
        ----------
        edited
            Shape (H, W, 3), encoded, 0-1.
        region
            `full`, `bg` or `fg`.

        Returns
        -------
        float
            0 for equal pictures; about 0.05 is a moderate edit.
        """
        before, seen = self._seen(self._rgb, region), self._seen(edited, region)
        if np.array_equal(before, seen):
            return 0.0
        with torch.inference_mode():
            if region not in self._before:
                self._before[region] = self._network.features(_planes(before))
            after = self._network.features(_planes(seen))
            return float(self._network.distance(self._before[region], after))

    def _seen(self, rgb: FloatImage, region: str) -> FloatImage:
        return rgb if region == "full" else rgb * self._regions[region]
