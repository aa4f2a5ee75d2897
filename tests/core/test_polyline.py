"""Straight pieces stay within their tolerance, however the curve bends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.render_pictures import steepest_edit

from gazeshift.chains import CURVE_TOLERANCE, RegionChain
from gazeshift.edit import RegionParameters
from gazeshift.operators.transfer import encode_srgb
from gazeshift.polyline import CELLS, fit_polyline
from gazeshift.tables import point_curves

POSITIONS = np.random.default_rng(0).random(200_000)


def region(kind, rng):
    """Random parameters, or all at one end of their hard ranges, or the steepest of all."""
    if kind == "steepest":
        return steepest_edit().foreground
    draw = rng.uniform if kind == "random" else lambda low, high, n: rng.choice([low, high], n)
    return RegionParameters.from_vector(
        [1.0, *draw(-2, 2, 1), *draw(-1, 1, 1), *draw(0.5, 2, 8), *draw(0.8, 1.25, 24)]
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["random", "extreme", "steepest"])
def test_curves_of_a_region_are_within_their_tolerance(kind, seed):
    chosen = (
        steepest_edit().foreground
        if kind == "steepest"
        else region(kind, np.random.default_rng(seed))
    )
    chain = RegionChain(chosen, 0)
    by_root = chain.light_curve.at(POSITIONS)
    encoded = np.clip(encode_srgb(POSITIONS**2), 0.0, 1.0)
    # What lies between the places that were tried may miss by a little more than they did.
    assert np.abs(by_root - point_curves(chosen, encoded)).max() <= 3 * CURVE_TOLERANCE
    by_value = chain.value_curve.at(POSITIONS)
    assert np.abs(by_value - point_curves(chosen, POSITIONS)).max() <= 3 * CURVE_TOLERANCE


@settings(max_examples=40, deadline=None)
@given(
    knots=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6),
    slopes=st.lists(st.floats(0.0, 40.0), min_size=7, max_size=7),
)
def test_knots_that_are_a_cell_apart_are_met_wherever_they_lie(knots, slopes):
    apart: list[float] = []
    for knot in sorted(knots):
        if not apart or knot - apart[-1] > 1.0 / CELLS:
            apart.append(knot)
    borders = np.unique([0.0, 1.0, *apart])
    heights = np.concatenate([[0.0], np.cumsum(np.diff(borders) * slopes[: len(borders) - 1])])

    def curve(positions):
        return np.interp(positions, borders, heights)[None]

    line = fit_polyline(curve, 1e-7)
    near = np.clip(borders[:, None] + np.linspace(-1e-4, 1e-4, 401), 0.0, 1.0).ravel()
    for positions in (near, POSITIONS[:20_000]):
        assert np.abs(line.at(positions) - curve(positions)).max() <= 3e-7


def test_a_straight_line_needs_no_further_pieces():
    line = fit_polyline(lambda positions: np.stack([positions, 1.0 - positions]), 1e-7)
    assert line.uppers.size == CELLS
    assert np.array_equal(line.cells, np.arange(CELLS))
    assert line.uppers[-1] == np.inf


def test_cells_name_the_piece_at_their_lower_border():
    chain = RegionChain(steepest_edit().foreground, 65536)
    line = chain.light_curve
    borders = np.arange(CELLS) / CELLS
    assert np.array_equal(line.cells, np.searchsorted(line.uppers, borders, side="right"))
