from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gazeshift_training.attention.losses import (
    direction_loss,
    divergence_loss,
    log_share,
    map_correlation,
    scanpath_saliency,
)
from gazeshift_training.attention.metrics import (
    area_under_curve,
    attention_share,
    correlation,
    divergence,
    normalized_scanpath_saliency,
)

RAMP = np.array([[1.0, 2.0], [3.0, 4.0]])


def test_nss_of_a_ramp_by_hand() -> None:
    # mean 2.5, variance (2.25 + 0.25 + 0.25 + 2.25) / 4 = 1.25; (4 - 2.5) / sqrt(1.25) = 1.3416
    counts = np.array([[0, 0], [0, 1]])
    assert normalized_scanpath_saliency(RAMP, counts) == pytest.approx(1.5 / 1.25**0.5)
    # Two looks at 4 and one at 1 weigh (2 * 1.5 - 1.5) / 3 = 0.5 of a unit.
    counts = np.array([[1, 0], [0, 2]])
    assert normalized_scanpath_saliency(RAMP, counts) == pytest.approx(0.5 / 1.25**0.5)


def test_nss_of_a_flat_map_is_chance() -> None:
    assert normalized_scanpath_saliency(np.full((3, 3), 0.1), np.eye(3)) == 0.0


def test_cc_equals_scipy() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.random((2, 12, 9))
    expected = stats.pearsonr(first.ravel(), second.ravel()).statistic
    assert correlation(first, second) == pytest.approx(expected)
    assert correlation(np.ones((3, 3)), np.eye(3)) == 0.0


def test_kl_by_hand_and_by_scipy() -> None:
    # 0.5 ln(0.5 / 0.25) + 0.5 ln(0.5 / 0.75) = 0.5 (0.6931 - 0.4055) = 0.1438
    wanted, given_map = np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])
    assert divergence(given_map, wanted) == pytest.approx(0.14384, abs=1e-5)
    generator = np.random.default_rng(1)
    first, second = generator.random((2, 20)) + 0.1
    expected = stats.entropy(second, first)
    assert divergence(first[None], second[None]) == pytest.approx(expected)


def test_auc_by_hand() -> None:
    # Looked at: 4 and 2; not: 1 and 3. Pairs won: 4>1, 4>3, 2>1; lost: 2<3. 3 of 4.
    assert area_under_curve(RAMP, np.array([[0, 1], [0, 1]])) == pytest.approx(0.75)
    assert area_under_curve(np.ones((2, 2)), np.array([[0, 1], [0, 1]])) == pytest.approx(0.5)


def test_auc_equals_the_rank_statistic() -> None:
    generator = np.random.default_rng(2)
    prediction = generator.integers(0, 30, (16, 16)).astype(np.float64)
    counts = (generator.random((16, 16)) < 0.2).astype(np.float64)
    positive, negative = prediction[counts > 0], prediction[counts == 0]
    rank = stats.mannwhitneyu(positive, negative).statistic
    assert area_under_curve(prediction, counts) == pytest.approx(
        rank / (len(positive) * len(negative))
    )


def test_share_by_hand() -> None:
    # (3 + 4) of 10.
    assert attention_share(RAMP, np.array([[0.0, 0.0], [1.0, 1.0]])) == pytest.approx(0.7)


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(0.01, 100.0), offset=st.floats(-10.0, 10.0), seed=st.integers(0, 1000))
def test_nss_cc_and_auc_do_not_depend_on_scale_and_offset(
    scale: float, offset: float, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    prediction, density = generator.random((2, 8, 8))
    counts = generator.integers(0, 3, (8, 8)).astype(np.float64)
    counts[0, 0], counts[1, 1] = 1, 0
    moved = prediction * scale + offset
    for metric, truth in (
        (normalized_scanpath_saliency, counts),
        (correlation, density),
        (area_under_curve, counts),
    ):
        assert metric(moved, truth) == pytest.approx(metric(prediction, truth), abs=1e-6)


def test_losses_equal_the_metrics() -> None:
    generator = np.random.default_rng(4)
    prediction, density = generator.random((2, 3, 48))
    prediction /= prediction.sum(1, keepdims=True)
    density /= density.sum(1, keepdims=True)
    counts = generator.integers(0, 4, (3, 48)).astype(np.float64)
    maps, wanted, looks = (torch.from_numpy(values) for values in (prediction, density, counts))
    pairs = list(zip(prediction, density, strict=True))
    assert float(divergence_loss(maps.log(), wanted)) == pytest.approx(
        np.mean([divergence(first[None], second[None]) for first, second in pairs])
    )
    assert float(map_correlation(maps, wanted)) == pytest.approx(
        np.mean([correlation(first, second) for first, second in pairs])
    )
    assert float(scanpath_saliency(maps, looks)) == pytest.approx(
        np.mean(
            [
                normalized_scanpath_saliency(first, second)
                for first, second in zip(prediction, counts, strict=True)
            ]
        )
    )


def test_log_share_and_hinge_by_hand() -> None:
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    mask = torch.tensor([[[[0.0, 0.0], [1.0, 1.0]]]])
    assert float(log_share(maps, mask)) == pytest.approx(np.log(0.7), abs=1e-6)
    # Margin 0.15: +0.2 the right way costs 0, +0.1 costs 0.05, 0.1 the wrong way costs 0.25.
    change = torch.tensor([0.2, -0.1, 0.1])
    direction = torch.tensor([1.0, -1.0, -1.0])
    assert float(direction_loss(change, direction, 0.15)) == pytest.approx((0 + 0.05 + 0.25) / 3)
