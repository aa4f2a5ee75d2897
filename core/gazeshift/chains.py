"""One region's operators, prepared for rendering many pixels."""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from gazeshift.decoder import Values, apply_chain, values_of
from gazeshift.operators import OPERATORS
from gazeshift.operators.transfer import encode_srgb
from gazeshift.polyline import Polyline, fit_polyline
from gazeshift.region import RegionParameters
from gazeshift.tables import code_curves, is_separable, point_curves

ROOT_STEPS = 65535
"""Last index of `RegionChain.light_table`, unless another is asked for."""

PAIR_STEPS = 4096
"""Last index of `RegionChain.light_pairs`."""

UNSURE = 256
"""What stands for a code in `RegionChain.light_codes` where a closer look is needed."""

CURVE_TOLERANCE = 1e-7
"""Largest error of `RegionChain.light_curve` and `value_curve`, for values in 0-1."""


class RegionChain:
    """One region's operators, split into sharpening and the rest.

    Parameters
    ----------
    region
        Parameters as applied, after the dial.
    levels
        Number of codes of an integer picture: 256 or 65536; 0 for a float picture.
    root_steps
        Last index of `light_table`. With 8191 it is made in an eighth of the time and its nearest
        entry counts as it is: on noise, 0.6 % of 8-bit values are one code off instead of 0.002 %.
    """

    def __init__(
        self, region: RegionParameters, levels: int, *, root_steps: int = ROOT_STEPS
    ) -> None:
        self.region = region
        self.root_steps = root_steps
        self.levels = levels
        self.top = float(levels - 1) if levels else 1.0
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

    def prepare_tables(self, *, native: bool) -> None:
        """Compute the tables now, before threads share them."""
        if self.is_identity and native:
            return
        is_bytes = self.levels == 256
        if not native:
            if is_bytes and self.is_separable:
                _ = self.light_codes if self.amount else self.code_codes
                _ = self.light_error if self.marks_unsure else 0.0
        elif self.amount:
            _ = self.light_pairs if is_bytes else self.light_curve
        elif self.levels:
            _ = self.code_floats if is_bytes else self.code_table
        else:
            _ = self.value_curve

    @cached_property
    def code_table(self) -> NDArray[np.float64]:
        """The curves by code, shape (3, levels), in codes; sharpening left out.

        Kept in float64, as halves are frequent here and must round as the reference rounds them.
        """
        return code_curves(self.region, self.levels) * (self.levels - 1)

    @cached_property
    def light_table(self) -> NDArray[np.float32]:
        """From the root of linear light to 8-bit codes, shape (3, root_steps + 1).

        Entry i belongs to linear light (i / root_steps)². By its root the transfer curve is never
        steep, so the nearest entry misses by at most 0.003 codes of 8 bits before the curves.
        """
        curves = point_curves(self.region, _encoded_roots(self.root_steps))
        return (curves * self.top).astype(np.float32)

    @cached_property
    def light_pairs(self) -> NDArray[np.float32]:
        """Like `light_table`, for interpolation: shape (3, steps + 1, 2).

        Each entry holds its value in codes and the step to the next entry.
        """
        values = point_curves(self.region, _encoded_roots(PAIR_STEPS)) * self.top
        pairs = np.zeros((*values.shape, 2), np.float32)
        pairs[..., 0] = values
        pairs[:, :-1, 1] = np.diff(values, axis=1)
        return pairs

    @cached_property
    def light_curve(self) -> Polyline:
        """From the root of linear light to codes (0-1 for float pictures), exact to 1e-7 of 1.

        By the root the transfer curve is never steep.
        """
        return fit_polyline(lambda root: self._by_root(root) * self.top, CURVE_TOLERANCE * self.top)

    @cached_property
    def value_curve(self) -> Polyline:
        """From encoded values to encoded values, exact to 1e-7; sharpening left out."""
        return fit_polyline(lambda values: point_curves(self.region, values), CURVE_TOLERANCE)

    def _by_root(self, root: NDArray[np.float64]) -> NDArray[np.float64]:
        return point_curves(self.region, _encoded(root))

    @cached_property
    def code_floats(self) -> NDArray[np.float32]:
        """`code_table` as float32 that rounds to the same codes, shape (3, levels)."""
        exact = self.code_table
        floats = exact.astype(np.float32)
        codes = np.rint(exact).astype(np.float32)
        # Where a half was rounded across, one float step leads back.
        return np.where(np.rint(floats) == codes, floats, np.nextafter(floats, codes))

    @property
    def marks_unsure(self) -> bool:
        """Whether values that the nearest entry may miss are to be looked up between entries."""
        return self.amount != 0.0 and self.root_steps == ROOT_STEPS

    @cached_property
    def light_error(self) -> float:
        """By how much the nearest entry of `light_table` may miss a value, in codes."""
        return 0.5 * float(np.abs(np.diff(self.light_table, axis=1)).max())

    @cached_property
    def light_codes(self) -> NDArray[np.uint16]:
        """`light_table` rounded to 8-bit codes, for the nearest entry.

        Where `marks_unsure`, an entry whose neighbourhood, half-way to the next ones, has more than
        one code is `UNSURE`.
        """
        values = self.light_table.astype(np.float64)
        codes = np.rint(values).astype(np.uint16)
        if self.marks_unsure:
            halfway = np.rint(0.5 * (values[:, 1:] + values[:, :-1]))
            behind, before = halfway != codes[:, 1:], halfway != codes[:, :-1]
            codes[:, 1:][behind] = UNSURE
            codes[:, :-1][before] = UNSURE
        return codes

    @cached_property
    def code_codes(self) -> NDArray[np.uint8]:
        """`code_table` rounded to 8-bit codes."""
        return np.rint(self.code_table).astype(np.uint8)


def _encoded(root: NDArray[np.float64]) -> NDArray[np.float64]:
    """Encode linear light that is given by its root."""
    encoded: NDArray[np.float64] = np.clip(encode_srgb(root * root), 0.0, 1.0)
    return encoded


@lru_cache(maxsize=4)
def _encoded_roots(steps: int) -> NDArray[np.float64]:
    return _encoded(np.linspace(0.0, 1.0, steps + 1))
