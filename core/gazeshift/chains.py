"""One region's operators, prepared for rendering many pixels."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gazeshift.decoder import Values, apply_chain, values_of
from gazeshift.operators import OPERATORS
from gazeshift.operators.transfer import encode_srgb
from gazeshift.region import RegionParameters
from gazeshift.tables import code_curves, is_separable, point_curves

ROOT_STEPS = 65535
"""Last index of `RegionChain.light_table`."""


class RegionChain:
    """One region's operators, split into sharpening and the rest.

    Parameters
    ----------
    region
        Parameters as applied, after the dial.
    levels
        Number of codes of an integer picture: 256 or 65536; 0 for a float picture.
    """

    def __init__(self, region: RegionParameters, levels: int) -> None:
        self.region = region
        self.levels = levels
        self.is_identity = region.is_identity
        self.is_separable = is_separable(region)
        values = values_of(region)
        self.amount = float(region.get("sharpening", "amount")[0])
        self._rest: Values = {id_: named for id_, named in values.items() if id_ != "sharpening"}

    @property
    def reach_px(self) -> int:
        """How far the operators after sharpening look, in pixels."""
        return sum(OPERATORS[id_].spec.locality == "neighbourhood" for id_ in self._rest)

    def apply_rest(self, rgb: NDArray[np.float32]) -> NDArray[np.float32]:
        """Apply all operators but sharpening to encoded pixels, shape (H, W, 3)."""
        result: NDArray[np.float32] = apply_chain(rgb, self._rest)
        return result

    def prepare_tables(self, *, blurred: bool) -> None:
        """Compute the 8-bit tables now, before threads share them."""
        _ = self.light_codes if self.amount and blurred else self.code_codes

    @cached_property
    def code_table(self) -> NDArray[np.float64]:
        """The curves by code, shape (3, levels), in codes; sharpening left out.

        Kept in float64, as halves are frequent here and must round as the reference rounds them.
        """
        return code_curves(self.region, self.levels) * (self.levels - 1)

    @cached_property
    def light_table(self) -> NDArray[np.float32]:
        """From the root of linear light to codes, shape (3, ROOT_STEPS + 1).

        Entry i belongs to linear light (i / ROOT_STEPS)². By its root the transfer curve is never
        steep, so the nearest entry misses by at most 0.003 codes of 8 bits before the curves.
        """
        root = np.linspace(0.0, 1.0, ROOT_STEPS + 1)
        encoded = np.clip(encode_srgb(root * root), 0.0, 1.0)
        return (point_curves(self.region, encoded) * (self.levels - 1)).astype(np.float32)

    @cached_property
    def light_codes(self) -> NDArray[np.uint8]:
        """`light_table` rounded to 8-bit codes."""
        return np.rint(self.light_table).astype(np.uint8)

    @cached_property
    def code_codes(self) -> NDArray[np.uint8]:
        """`code_table` rounded to 8-bit codes."""
        return np.rint(self.code_table).astype(np.uint8)
