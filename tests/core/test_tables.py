"""The point operators as curves."""

from __future__ import annotations

import numpy as np

from gazeshift.decoder import apply_chain, values_of
from gazeshift.edit import RegionParameters
from gazeshift.tables import code_curves, is_separable, point_curves


def test_curves_equal_the_chain_without_sharpening():
    rng = np.random.default_rng(3)
    region = RegionParameters.from_vector(
        [1.5, 0.4, -0.3, *rng.uniform(0.5, 2, 8), *rng.uniform(0.8, 1.25, 24)]
    )
    values = {k: v for k, v in values_of(region).items() if k != "sharpening"}
    rgb = rng.random((1, 50, 3))
    expected = apply_chain(rgb, values)
    for channel in range(3):
        curve = point_curves(region, rgb[0, :, channel])[channel]
        np.testing.assert_allclose(curve, expected[0, :, channel], atol=1e-12)


def test_code_curves_cover_every_code():
    region = RegionParameters({"exposure": {"ev": -1.0}})
    np.testing.assert_allclose(code_curves(region, 256)[1], np.arange(256) / 255 / 2, atol=1e-12)
    assert code_curves(region, 65536).shape == (3, 65536)


def test_only_chains_of_sharpening_and_curves_are_separable():
    assert is_separable(RegionParameters())
    assert is_separable(
        RegionParameters({"sharpening": {"amount": 1}, "tone": {"slopes": [1] * 8}})
    )
    assert not is_separable(RegionParameters({"saturation": {"amount": 0.1}}))
    assert is_separable(RegionParameters({"saturation": {"amount": 0.0}}))
