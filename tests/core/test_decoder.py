"""The reference decoder: chains, composition, and the paper's recursion."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gazeshift.decoder import apply_chain, apply_regions, blend, split_vector, values_of
from gazeshift.edit import RegionParameters
from gazeshift.errors import ParamError
from gazeshift.operators import DEFAULT_CHAIN, OPERATORS
from gazeshift.operators.sharpening import sigma_for


def random_region(seed: int) -> RegionParameters:
    rng = np.random.default_rng(seed)
    return RegionParameters.from_vector(
        [
            rng.uniform(-1, 2),
            rng.uniform(-1, 1),
            rng.uniform(-1, 1),
            *rng.uniform(0.5, 2, 8),
            *rng.uniform(0.8, 1.25, 24),
        ]
    )


@pytest.fixture
def rgb() -> np.ndarray:
    return np.random.default_rng(7).random((150, 120, 3))


def soft_mask(height: int = 150, width: int = 120) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    return np.clip(1.2 - np.hypot(rows - height / 2, columns - width / 2) / 50, 0, 1)


def test_default_chain_is_the_contract():
    assert DEFAULT_CHAIN == ("sharpening", "exposure", "contrast", "tone", "color")
    assert sum(OPERATORS[id_].spec.size for id_ in DEFAULT_CHAIN) == 35


def test_identity_returns_the_very_same_array(rgb):
    assert apply_regions(rgb, soft_mask(), RegionParameters(), RegionParameters()) is rgb


def test_mask_ends_give_each_chain_alone(rgb):
    first, second = random_region(1), random_region(2)
    ones, zeros = np.ones(rgb.shape[:2]), np.zeros(rgb.shape[:2])
    np.testing.assert_array_equal(
        apply_regions(rgb, ones, first, second), apply_chain(rgb, values_of(first))
    )
    np.testing.assert_array_equal(
        apply_regions(rgb, zeros, first, second), apply_chain(rgb, values_of(second))
    )


def test_soft_mask_stays_between_the_two_results(rgb):
    first, second = random_region(1), random_region(2)
    chains = [apply_chain(rgb, values_of(region)) for region in (first, second)]
    result = apply_regions(rgb, soft_mask(), first, second)
    assert (result <= np.maximum(*chains) + 1e-12).all()
    assert (result >= np.minimum(*chains) - 1e-12).all()


def test_blend_by_hand():
    # 0.25·0.8 + 0.75·0.4 = 0.5.
    mixed = blend(np.full((1, 1, 3), 0.8), np.full((1, 1, 3), 0.4), np.full((1, 1), 0.25))
    np.testing.assert_allclose(mixed, 0.5)


@pytest.mark.parametrize("seed", range(5))
def test_one_blend_equals_the_papers_shared_image_recursion_for_binary_masks(rgb, seed):
    first, second = values_of(random_region(seed)), values_of(random_region(seed + 50))
    mask = (soft_mask() > 0.5).astype(float)
    shared = rgb
    for operator_id in DEFAULT_CHAIN:
        # I_i = T_i(I_{i-1}; p_f) m + T_i(I_{i-1}; p_b) (1 - m)
        steps = [
            apply_chain(shared, {operator_id: values[operator_id]}) for values in (first, second)
        ]
        shared = blend(*steps, mask)
    np.testing.assert_allclose(apply_regions(rgb, mask, first, second), shared, atol=1e-12)


def test_operators_apply_in_chain_order_whatever_order_they_are_given(rgb):
    values = dict(reversed(values_of(random_region(3)).items()))
    np.testing.assert_array_equal(
        apply_chain(rgb, values), apply_chain(rgb, values_of(random_region(3)))
    )


def test_another_order_can_be_asked_for(rgb):
    values = values_of(random_region(3))
    assert not np.allclose(
        apply_chain(rgb, values, order=DEFAULT_CHAIN[::-1]), apply_chain(rgb, values)
    )


def test_a_part_of_a_picture_uses_the_whole_pictures_radius(rgb):
    values = {"sharpening": {"amount": 1.0}}
    whole = apply_chain(rgb, values, diagonal_px=1000.0)
    # sigma is 2 px, its support 10 px: rows 20-100 of a part that reaches 10 px further are equal.
    part = apply_chain(rgb[10:110], values, diagonal_px=1000.0)
    np.testing.assert_allclose(part[10:-10], whole[20:100], atol=1e-12)
    assert sigma_for(600, 800) == pytest.approx(2.0)


def test_batched_vectors_in_torch_equal_numpy_one_by_one(rgb):
    regions = [random_region(4), random_region(5)]
    vectors = torch.tensor([region.to_vector() for region in regions], dtype=torch.float64)
    batch = torch.from_numpy(np.stack([rgb, rgb[::-1].copy()]))
    result = apply_chain(batch, split_vector(vectors))
    for k, image in enumerate([rgb, rgb[::-1]]):
        np.testing.assert_allclose(
            result[k].numpy(), apply_chain(image, values_of(regions[k])), atol=1e-12
        )


def test_vector_of_another_length_is_refused():
    with pytest.raises(ParamError, match="35 numbers; 36"):
        split_vector(torch.zeros(2, 36))


def test_gradient_reaches_every_number_of_both_regions(rgb):
    vectors = torch.tensor([random_region(k).to_vector() for k in (8, 9)], dtype=torch.float64)
    vectors[:, 0] = 0.2  # away from clipping
    vectors[:, 1] = 0.0
    vectors.requires_grad_(True)
    image = torch.from_numpy(rgb * 0.6 + 0.2)
    result = apply_regions(
        image, torch.from_numpy(soft_mask()), split_vector(vectors[0]), split_vector(vectors[1])
    )
    (result * torch.linspace(0.3, 1, result.numel()).reshape(result.shape)).sum().backward()
    assert torch.isfinite(vectors.grad).all()
    assert (vectors.grad != 0).float().mean() > 0.9
