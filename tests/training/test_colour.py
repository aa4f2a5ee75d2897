import math

import colour
import numpy as np
import pytest
import torch

from gazeshift_training.colour import chroma, hue, hue_turn_deg, neutral_cast, srgb_to_lab


def _picture(*colours: tuple[float, float, float]) -> torch.Tensor:
    return torch.tensor(colours).T[None, :, None, :].float()


def _lab(*values: tuple[float, float, float]) -> torch.Tensor:
    return _picture(*values)


def test_lab_equals_colour_science() -> None:
    rgb = np.random.default_rng(3).random((200, 3))
    white = colour.CCS_ILLUMINANTS["CIE 1931 2 Degree Standard Observer"]["D65"]
    expected = colour.XYZ_to_Lab(colour.sRGB_to_XYZ(rgb), white)
    lab = srgb_to_lab(torch.from_numpy(rgb.T[None, :, None, :]))[0, :, 0].T.numpy()
    # The two round the sRGB matrix differently (four against seven digits).
    assert np.abs(lab - expected).max() < 0.05


@pytest.mark.parametrize("level", [0.0, 0.02, 0.5, 1.0])
def test_greys_have_no_colour(level: float) -> None:
    lab = srgb_to_lab(_picture((level, level, level)))
    assert float(lab[0, 1:].abs().max()) < 1e-4


def test_black_and_white_have_finite_gradients() -> None:
    rgb = _picture((0, 0, 0), (1, 1, 1), (1, 0, 0)).requires_grad_()
    lab = srgb_to_lab(rgb)
    (lab.sum() + chroma(lab).sum()).backward()
    assert rgb.grad is not None
    assert bool(torch.isfinite(rgb.grad).all())


def test_chroma_and_hue_of_a_known_colour() -> None:
    lab = _lab((50.0, 3.0, 4.0))  # a right triangle: 3, 4, 5
    assert float(chroma(lab)) == pytest.approx(5.0)
    assert float(hue(lab)) == pytest.approx(math.atan2(4.0, 3.0))


def test_cast_is_the_length_of_the_mean_shift_of_neutral_pixels() -> None:
    before = _lab((50, 0, 0), (50, 5, 0), (50, 40, 0))
    # Neutral pixels move by (3, 0) and (3, 8): mean (3, 4), length 5. The coloured one is ignored.
    after = _lab((50, 3, 0), (50, 8, 8), (50, 90, 9))
    assert float(neutral_cast(before, after, torch.ones(1, 1, 3))) == pytest.approx(5.0)


def test_opposite_shifts_of_neutral_pixels_are_no_cast() -> None:
    before = _lab((50, 0, 0), (50, 0, 0))
    after = _lab((50, 4, 0), (50, -4, 0))
    assert float(neutral_cast(before, after, torch.ones(1, 1, 2))) == pytest.approx(0.0, abs=1e-5)


def test_hue_turn_is_weighted_by_chroma() -> None:
    before = _lab((50, 30, 0), (50, 60, 0), (50, 10, 0))
    # +90 degrees at chroma 30, 0 degrees at chroma 60, the weak colour is ignored: 30 degrees.
    after = _lab((50, 0, 30), (50, 60, 0), (50, 0, -10))
    turn = hue_turn_deg(before, after, torch.ones(1, 1, 3))
    assert float(turn) == pytest.approx(30.0, abs=0.01)


def test_hue_turn_has_a_sign() -> None:
    before, after = _lab((50, 30, 0)), _lab((50, 0, -30))
    assert float(hue_turn_deg(before, after, torch.ones(1, 1, 1))) == pytest.approx(-90.0, abs=0.01)


def test_regions_without_such_pixels_give_zero() -> None:
    before, after = _lab((50, 15, 0)), _lab((50, 0, 15))
    weight = torch.ones(1, 1, 1)
    assert float(neutral_cast(before, after, weight)) == 0.0
    assert float(hue_turn_deg(before, after, weight)) == 0.0


def test_soft_figures_come_close_to_the_sharp_ones() -> None:
    generator = torch.Generator().manual_seed(1)
    before = srgb_to_lab(0.4 + 0.3 * torch.rand(1, 3, 32, 32, generator=generator))
    after = before + torch.tensor([0.0, 3.0, -2.0]).view(1, 3, 1, 1)
    weight = torch.ones(1, 32, 32)
    for figure in (neutral_cast, hue_turn_deg):
        sharp, soft = figure(before, after, weight), figure(before, after, weight, softness=1.0)
        assert float(soft) == pytest.approx(float(sharp), abs=0.5)
