"""A photo and the mask of the region that attention is moved to or from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gazeshift.proxy import Proxy

FloatImage = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Pair:
    """One photo with one mask, at the size the networks look at."""

    name: str
    """Unique and stable, for example `coco/000000000139.jpg#3`."""
    rgb: FloatImage
    """Shape (H, W, 3), sRGB, 0-1."""
    mask: FloatImage
    """Shape (H, W), 0-1; 1 is the region."""

    @property
    def proxy(self) -> Proxy:
        """The pair as the core's networks take it."""
        return Proxy(self.rgb, self.mask)
