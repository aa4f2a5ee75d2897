"""Shares, saliency increase and likeness to the mask, by hand-worked values and oracles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeshift_training.metrics.averages import count_finite, nan_mean, nan_median
from gazeshift_training.metrics.saliency import absolute_increase, min_max, relative_increase
from gazeshift_training.metrics.share import (
    attention_share,
    log_gain,
    median_ratio,
    part_moved,
    ratio_of_means,
)
from gazeshift_training.metrics.similarity import correlation, weighted_f_beta


def test_share_weighs_the_map_by_the_mask():
    # (1·1 + 2·0.5) / (1 + 2 + 3 + 4) = 0.2
    attention = np.array([[1.0, 2.0], [3.0, 4.0]])
    mask = np.array([[1.0, 0.5], [0.0, 0.0]])
    assert attention_share(attention, mask) == pytest.approx(0.2)


def test_ratio_of_means_is_not_the_mean_of_ratios():
    # (0.2 + 0.3) / (0.1 + 0.3) = 1.25, while the ratios are 2 and 1.
    before, after = [0.1, 0.3], [0.2, 0.3]
    assert ratio_of_means(before, after) == pytest.approx(1.25)
    assert median_ratio(before, after) == pytest.approx(1.5)


def test_median_ratio_leaves_out_photos_without_share():
    assert median_ratio([0.0, 0.1, 0.1], [0.5, 0.2, 0.4]) == pytest.approx(3.0)
    assert math.isnan(median_ratio([0.0], [0.5]))


def test_a_photo_that_stays_has_not_moved():
    before, after = [0.1, 0.2, 0.3, 0.4], [0.2, 0.2, 0.2, 0.5]
    assert part_moved(before, after, "attract") == pytest.approx(0.5)
    assert part_moved(before, after, "divert") == pytest.approx(0.25)


def test_gain_has_the_sign_of_the_wish():
    assert log_gain(0.1, 0.2, "attract") == pytest.approx(math.log(2))
    assert log_gain(0.1, 0.2, "divert") == pytest.approx(-math.log(2))
    assert math.isnan(log_gain(0.0, 0.2))


def test_saliency_increase_is_taken_on_stretched_maps():
    # Stretched: before (0, 0.5, 1, 0.25) mean inside (0 + 0.5)/2 = 0.25;
    # after (1, 0, 0.5, 0) mean inside 0.5. Increase 0.25, relative 1.
    before = np.array([[2.0, 4.0], [6.0, 3.0]])
    after = np.array([[9.0, 1.0], [5.0, 1.0]])
    mask = np.array([[1.0, 1.0], [0.0, 0.0]])
    assert absolute_increase(before, after, mask) == pytest.approx(0.25)
    assert relative_increase(before, after, mask) == pytest.approx(1.0)


def test_relative_increase_needs_saliency_before():
    before = np.array([[0.0, 1.0]])
    assert math.isnan(relative_increase(before, before, np.array([[1.0, 0.0]])))


def test_constant_map_stretches_to_zero():
    assert not min_max(np.full((2, 3), 0.7)).any()


def test_averages_leave_out_what_does_not_exist():
    values = [1.0, float("nan"), 2.0, 6.0, float("inf")]
    assert nan_mean(values) == pytest.approx(3.0)
    assert nan_median(values) == pytest.approx(2.0)
    assert count_finite(values) == 3
    assert math.isnan(nan_mean([]))
    assert math.isnan(nan_median([float("nan")]))


def test_correlation_with_the_mask_equals_numpys():
    rng = np.random.default_rng(1)
    attention, mask = rng.random((6, 9)), (rng.random((6, 9)) > 0.6).astype(float)
    expected = np.corrcoef(attention.ravel(), mask.ravel())[0, 1]
    assert correlation(attention, mask) == pytest.approx(expected)


def _weighted_f_by_hand(prediction: np.ndarray, mask: np.ndarray) -> float:
    """Margolin's definition pixel by pixel, with plain loops; ties take the mean of the nearest."""
    height, width = mask.shape
    inside = [(r, c) for r in range(height) for c in range(width) if mask[r, c]]
    error = np.abs(prediction - mask)
    spread = error.copy()
    importance = np.ones_like(error)
    for row in range(height):
        for column in range(width):
            if mask[row, column]:
                continue
            lengths = [math.hypot(row - r, column - c) for r, c in inside]
            nearest = min(lengths)
            spread[row, column] = error[inside[lengths.index(nearest)]]
            importance[row, column] = 2.0 - math.exp(math.log(0.5) / 5.0 * nearest)
    kernel = np.array(
        [[math.exp(-(y * y + x * x) / 50.0) for x in range(-3, 4)] for y in range(-3, 4)]
    )
    kernel /= kernel.sum()
    weighted = error.copy()
    for row, column in inside:
        blurred = 0.0
        for y in range(-3, 4):
            for x in range(-3, 4):
                if 0 <= row + y < height and 0 <= column + x < width:
                    blurred += kernel[y + 3, x + 3] * spread[row + y, column + x]
        weighted[row, column] = min(blurred, error[row, column])
    weighted *= importance
    true_positive = len(inside) - sum(weighted[place] for place in inside)
    false_positive = weighted[~mask.astype(bool)].sum()
    recall = true_positive / len(inside)
    precision = true_positive / (true_positive + false_positive)
    return 2.0 * recall * precision / (recall + precision)


def test_weighted_f_equals_the_definition_in_plain_loops():
    # One column of pixels as the mask: no pixel outside has two nearest neighbours in it.
    rng = np.random.default_rng(7)
    for columns in (slice(0, 3), slice(4, 5), slice(5, 12)):
        mask = np.zeros((9, 12), bool)
        mask[:, columns] = True
        prediction = rng.random(mask.shape)
        expected = _weighted_f_by_hand(prediction, mask.astype(float))
        assert weighted_f_beta(prediction, mask) == pytest.approx(expected, abs=1e-12)


def _blobs(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[0:48, 0:64].astype(float)
    mask = ((rows - 20 - seed) / 12) ** 2 + ((columns - 30 + 2 * seed) / 17) ** 2 < 1
    prediction = np.exp(-(((rows - 24) / 14) ** 2) - ((columns - 34 - seed) / 20) ** 2)
    return prediction, mask


# WeightedFmeasure(beta=1).cal_wfm of pysodmetrics 1.6.2 on `_blobs(0)`, `_blobs(3)`, `_blobs(7)`.
# The package caps numpy below 2.3.5, so it is no requirement of the tests.
PYSODMETRICS = {0: 0.48864729430397813, 3: 0.3811603571288002, 7: 0.15785013835091316}


@pytest.mark.parametrize("seed", PYSODMETRICS)
def test_weighted_f_equals_pysodmetrics(seed):
    assert weighted_f_beta(*_blobs(seed)) == pytest.approx(PYSODMETRICS[seed], abs=1e-9)


def test_weighted_f_of_the_mask_itself_is_one_and_of_nothing_zero():
    _, mask = _blobs(0)
    assert weighted_f_beta(mask.astype(float), mask) == pytest.approx(1.0)
    assert weighted_f_beta(np.zeros(mask.shape), mask) == pytest.approx(0.0, abs=0.05)
    assert weighted_f_beta(mask.astype(float), np.zeros_like(mask)) == 0.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.0, 1.0))
def test_weighted_f_stays_in_zero_to_one(seed, density):
    rng = np.random.default_rng(seed)
    mask = rng.random((8, 11)) < density
    assert 0.0 <= weighted_f_beta(rng.random(mask.shape), mask) <= 1.0
