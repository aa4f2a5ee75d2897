import pytest
import torch

from gazeshift.operators import DEFAULT_CHAIN, OPERATORS
from gazeshift_training.redirector.losses import (
    attention_share,
    curve_shape,
    exposure_position,
    fidelity_loss,
    log_gain,
    newly_clipped,
    side_terms,
)
from gazeshift_training.redirector.recipe import LossWeights
from gazeshift_training.redirector.rendering import prepare, render_edit


def identity(batch: int = 1) -> torch.Tensor:
    numbers = [
        parameter.identity
        for id_ in DEFAULT_CHAIN
        for parameter in OPERATORS[id_].spec.parameters
        for _ in range(parameter.count)
    ]
    return torch.tensor(numbers * 2).repeat(batch, 1)


def half_mask(size: int = 32) -> torch.Tensor:
    mask = torch.zeros(1, 1, size, size)
    mask[..., : size // 2] = 1.0
    return mask


def test_share_is_the_masks_part_of_the_map() -> None:
    attention = torch.tensor([[[[0.1, 0.2], [0.3, 0.4]]]])
    # The left column holds 0.1 + 0.3 of 1.0.
    assert float(attention_share(attention, half_mask())) == pytest.approx(0.4)


def test_gain_is_positive_when_the_share_moves_as_wanted() -> None:
    before, after = torch.tensor([0.1, 0.1]), torch.tensor([0.2, 0.2])
    gain = log_gain(before, after, torch.tensor([1.0, -1.0]))
    # log((0.2 + 0.01) / (0.1 + 0.01)) = 0.6466
    assert gain.tolist() == pytest.approx([0.6466, -0.6466], abs=1e-4)


def test_fidelity_is_linear_up_to_its_limit_and_steep_beyond() -> None:
    weights = LossWeights(lpips_limit=0.06, lpips_excess=100.0)
    loss = fidelity_loss(torch.tensor([0.05, 0.16]), torch.tensor([2.0, 2.0]), weights)
    # 2 · 0.05; 2 · 0.16 + 100 · 0.1²
    assert loss.tolist() == pytest.approx([0.1, 1.32], abs=1e-5)


def test_an_unchanged_photo_costs_nothing() -> None:
    rgb = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 0.8 + 0.1
    terms = side_terms(prepare(rgb), rgb, half_mask(), identity(), LossWeights())
    assert all(float(term) == pytest.approx(0.0, abs=1e-6) for term in terms)


def test_a_pink_wall_costs_cast_but_no_turn() -> None:
    wall = torch.full((1, 3, 32, 32), 0.7)
    pink = wall * torch.tensor([1.05, 0.95, 1.0]).view(1, 3, 1, 1)
    terms = side_terms(prepare(wall), pink, half_mask(), identity(), LossWeights())
    assert float(terms.cast) > 5.0
    assert float(terms.turn) == 0.0


def test_turned_skin_costs_turn() -> None:
    skin = torch.tensor([0.8, 0.55, 0.4]).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    greenish = torch.tensor([0.72, 0.62, 0.4]).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    terms = side_terms(prepare(skin), greenish, half_mask(), identity(), LossWeights())
    assert float(terms.turn) > 50.0


def test_clipping_is_counted_where_exposure_passes_white() -> None:
    light = prepare(torch.full((1, 3, 32, 32), 0.9))
    brighter = identity()
    brighter[:, exposure_position()] = 0.5  # 0.9 · 2^0.5 = 1.27
    brighter.requires_grad_()
    parts = newly_clipped(light, half_mask(), brighter)
    # All of the foreground and nothing of the background.
    assert parts.detach().tolist()[0] == pytest.approx([1.0, 0.0], abs=1e-3)
    parts.sum().backward()
    white = prepare(torch.ones(1, 3, 32, 32))
    assert float(newly_clipped(white, half_mask(), brighter.detach()).sum()) < 1e-6


def test_clipping_is_counted_where_sharpening_overshoots() -> None:
    stripes = torch.full((1, 3, 32, 32), 0.05)
    stripes[..., ::4] = 0.9
    stripes[..., 1::4] = 0.9
    sharpened = identity()
    sharpened[:, 0] = 2.0
    plain = newly_clipped(prepare(stripes, sigma_px=2.0), half_mask(), identity())
    parts = newly_clipped(prepare(stripes, sigma_px=2.0), half_mask(), sharpened)
    assert float(plain.max()) < 0.02
    assert float(parts[0, 0]) > 0.9
    assert float(parts[0, 1]) < 0.02


def test_smooth_curves_are_free_and_bent_ones_are_not() -> None:
    gentle, bent = identity(), identity()
    gentle[:, 3:11] = torch.linspace(1.2, 0.8, 8)
    bent[:, 3:11] = torch.tensor([0.6, 1.6] * 4)
    assert float(curve_shape(gentle)) == pytest.approx(0.0, abs=1e-4)
    assert float(curve_shape(bent)) > 0.2


def test_terms_have_finite_gradients_for_black_and_white_photos() -> None:
    rgb = torch.zeros(2, 3, 32, 32)
    rgb[1] = 1.0
    vector = identity(2) + 0.05
    vector.requires_grad_()
    mask = half_mask().expand(2, 1, 32, 32)
    edited = render_edit(prepare(rgb), mask, vector)
    sum(
        term.sum() for term in side_terms(prepare(rgb), edited, mask, vector, LossWeights())
    ).backward()
    assert vector.grad is not None
    assert bool(torch.isfinite(vector.grad).all())
