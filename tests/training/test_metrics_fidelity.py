"""Clipping, colour casts and LPIPS by region, by hand-worked values and independent oracles."""

from __future__ import annotations

import math

import colour
import numpy as np
import pytest
import torch

from gazeshift_training import colour as torch_colour
from gazeshift_training.metrics.cast import (
    hue_turn_deg,
    neutral_cast,
    neutral_displacement,
    to_lab,
)
from gazeshift_training.metrics.clipping import newly_clipped, newly_clipped_part
from gazeshift_training.metrics.fidelity import FidelityJudge

EVERYWHERE = np.ones((6, 8))


def _flat(*lab: float) -> np.ndarray:
    return np.broadcast_to(np.array(lab), (6, 8, 3)).copy()


def _polar(lightness: float, chroma: float, hue_deg: float) -> np.ndarray:
    angle = math.radians(hue_deg)
    return _flat(lightness, chroma * math.cos(angle), chroma * math.sin(angle))


def test_pixels_are_clipped_newly_when_any_channel_arrives():
    before = np.array([[[10, 100, 200], [10, 100, 200], [0, 255, 9], [10, 20, 30]]]) / 255
    after = np.array([[[0, 90, 190], [20, 130, 255], [0, 255, 9], [12, 22, 32]]]) / 255
    assert newly_clipped(before, after).tolist() == [[True, True, False, False]]
    assert newly_clipped_part(before, after) == pytest.approx(0.5)


def test_a_step_of_one_code_is_rounding_not_clipping():
    before = np.array([[[1, 1, 1], [254, 254, 254], [2, 2, 2], [253, 253, 253]]]) / 255
    after = np.array([[[0, 0, 0], [255, 255, 255], [0, 0, 0], [255, 255, 255]]]) / 255
    assert newly_clipped(before, after).tolist() == [[False, False, True, True]]


def test_lab_equals_colour_science():
    rgb = np.random.default_rng(3).random((5, 7, 3))
    expected = colour.XYZ_to_Lab(colour.sRGB_to_XYZ(rgb))
    # The two disagree on the last digits of the white point.
    np.testing.assert_allclose(to_lab(rgb), expected, atol=0.02)


def test_cast_and_turn_equal_what_colour_science_gives():
    rng = np.random.default_rng(11)
    before = 0.25 + 0.5 * rng.random((20, 24, 3))
    before[:10] = 0.95 * before[:10].mean(-1, keepdims=True) + 0.05 * before[:10]
    after = np.clip(before * (1.08, 1.0, 0.9), 0, 1)
    region = rng.random((20, 24))
    old, new = (colour.XYZ_to_Lab(colour.sRGB_to_XYZ(rgb)) for rgb in (before, after))
    # LCHab of the package: chroma and the hue's angle in degrees.
    polar_old, polar_new = (colour.models.Lab_to_LCHab(lab) for lab in (old, new))
    grey = region * (polar_old[..., 1] < 12)
    shift = [(grey * (new - old)[..., axis]).sum() / grey.sum() for axis in (1, 2)]
    coloured = region * polar_old[..., 1] * (polar_old[..., 1] > 20)
    angle = (polar_new[..., 2] - polar_old[..., 2] + 180.0) % 360.0 - 180.0
    turn = (coloured * angle).sum() / coloured.sum()
    labs = to_lab(before), to_lab(after)
    assert neutral_cast(*labs, region) == pytest.approx(math.hypot(*shift), abs=0.02)
    assert hue_turn_deg(*labs, region) == pytest.approx(turn, abs=0.1)
    assert abs(turn) > 0.5
    assert math.hypot(*shift) > 1.0


def test_cast_is_the_length_of_the_mean_shift_of_greys():
    # All greys move by (3, 4): length 5.
    before, after = _flat(50, 2, -1), _flat(60, 5, 3)
    assert neutral_displacement(before, after, EVERYWHERE) == pytest.approx((3.0, 4.0))
    assert neutral_cast(before, after, EVERYWHERE) == pytest.approx(5.0)


def test_opposite_shifts_of_greys_are_no_cast():
    before, after = _flat(50, 0, 0), _flat(50, 6, 0)
    after[:, 4:, 1] = -6
    assert neutral_cast(before, after, EVERYWHERE) == pytest.approx(0.0, abs=1e-9)


def test_cast_looks_at_greys_and_at_the_region_only():
    before, after = _flat(50, 0, 0), _flat(50, 2, 0)
    before[:, :2] = after[:, :2] = (50, 40, 0)  # coloured: no part of the cast
    after[:, 6:, 1] = 30  # outside the region
    region = EVERYWHERE.copy()
    region[:, 6:] = 0
    assert neutral_cast(before, after, region) == pytest.approx(2.0)


def test_no_greys_means_no_cast_figure():
    red = _polar(50, 60, 40)
    assert math.isnan(neutral_cast(red, red, EVERYWHERE))
    grey = _flat(50, 0, 0)
    assert math.isnan(hue_turn_deg(grey, grey, EVERYWHERE))


def test_hue_turn_is_signed_and_wraps():
    assert hue_turn_deg(_polar(50, 40, 350), _polar(50, 40, 10), EVERYWHERE) == pytest.approx(20.0)
    assert hue_turn_deg(_polar(50, 40, 10), _polar(60, 30, 350), EVERYWHERE) == pytest.approx(-20)


def test_hue_turn_is_weighted_by_chroma():
    # Half the pixels, C* 60, turn by 10 degrees; half, C* 30, by -5: (60·10 - 30·5) / 90 = 5.
    before, after = _polar(50, 60, 100), _polar(50, 60, 110)
    before[:, 4:], after[:, 4:] = _polar(50, 30, 200)[:, 4:], _polar(50, 30, 195)[:, 4:]
    assert hue_turn_deg(before, after, EVERYWHERE) == pytest.approx(5.0)


def test_pixels_that_lost_their_colour_did_not_turn():
    before, after = _polar(50, 40, 100), _polar(50, 0.01, 280)
    assert hue_turn_deg(before, after, EVERYWHERE) == 0.0


def test_figures_agree_with_the_training_losses():
    rng = np.random.default_rng(5)
    before, after = (rng.random((12, 14, 3)).astype(np.float32) * 0.6 + 0.2 for _ in range(2))
    after = 0.8 * before + 0.2 * after
    before[:6] = 0.9 * before[:6].mean(-1, keepdims=True) + 0.1 * before[:6]
    mask = rng.random((12, 14)).astype(np.float32)
    labs = [to_lab(rgb) for rgb in (before, after)]
    planes = [torch.from_numpy(lab).permute(2, 0, 1)[None] for lab in labs]
    region = torch.from_numpy(mask)[None]
    cast = float(torch_colour.neutral_cast(*planes, region))
    turn = float(torch_colour.hue_turn_deg(*planes, region))
    assert neutral_cast(*labs, mask) == pytest.approx(cast, rel=1e-3)
    # The loss leaves the pixels that lost all colour in.
    assert hue_turn_deg(*labs, mask) == pytest.approx(turn, abs=0.1)


class CountingDistance(torch.nn.Module):
    """Stands in for LPIPS: the features are the picture, the distance is the mean square."""

    def features(self, rgb):
        return [rgb]

    def distance(self, first, second):
        return (first[0] - second[0]).square().mean().reshape(1)


def test_regions_are_zeroed_outside_before_the_comparison():
    rgb = np.full((4, 4, 3), 0.5)
    edited = rgb.copy()
    edited[:2] += 0.2
    edited[2:] -= 0.4
    mask = np.zeros((4, 4))
    mask[:2] = 1
    judge = FidelityJudge(CountingDistance(), rgb, mask)
    # Half the pixels differ by 0.2 (foreground), half by 0.4 (background).
    assert judge.distance(edited, "fg") == pytest.approx(0.02)
    assert judge.distance(edited, "bg") == pytest.approx(0.08)
    assert judge.distance(edited) == pytest.approx(0.10)
    assert judge.distance(rgb) == 0.0
