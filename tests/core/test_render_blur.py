"""The wide blur against scipy, and its stated error."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from gazeshift.blur import (
    MIN_SMALL_SIGMA,
    blur_directly,
    blur_small,
    empty_small,
    expand_rows,
    kernel_error,
    plan_blur,
    reduce_rows,
)

PHOTO_SIZES = [(1100, 2300), (2000, 3000), (4000, 6000), (8660, 11547), (17320, 23094)]


@pytest.mark.parametrize("size", PHOTO_SIZES)
def test_joint_kernel_misses_the_gaussian_by_less_than_stated(size):
    assert kernel_error(plan_blur(*size)) < 1e-5


@pytest.mark.parametrize("size", PHOTO_SIZES)
def test_small_copy_does_not_grow_with_the_picture(size):
    plan = plan_blur(*size)
    assert np.prod(empty_small(plan).shape) * 4 < 32 * 2**20


def test_standard_deviation_on_the_small_grid_stays_above_the_limit():
    for side in range(100, 20000, 379):
        plan = plan_blur(side, side)
        assert plan.stride == 1 or plan.sigma_px / plan.stride >= MIN_SMALL_SIGMA


def blurred(planes, plan, step):
    small = empty_small(plan)
    for first in range(0, plan.small_height, step):
        last = min(first + step, plan.small_height)
        rows = np.clip(np.arange(*plan.rows_of(first, last)), 0, plan.height - 1)
        reduce_rows(plan, planes[:, rows], small, first, last)
    blur_small(plan, small)
    parts = [
        expand_rows(plan, small, top, min(top + step, plan.height))
        for top in range(0, plan.height, step)
    ]
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("size", [(3, 2600), (2600, 3), (300, 2700), (1, 9000)])
@pytest.mark.parametrize("step", [7, 64])
def test_wide_blur_equals_scipy(size, step):
    plan = plan_blur(*size)
    assert plan.stride > 1
    planes = np.random.default_rng(0).random((3, *size), dtype=np.float32)
    radius = int(np.ceil(5 * plan.sigma_px))
    expected = ndimage.gaussian_filter(
        planes.astype(np.float64), (0, plan.sigma_px, plan.sigma_px), mode="nearest", radius=radius
    )
    np.testing.assert_allclose(blurred(planes, plan, step), expected, atol=5e-6)


def test_wide_blur_keeps_flat_areas():
    plan = plan_blur(40, 2700)
    planes = np.full((3, 40, 2700), 0.3, np.float32)
    np.testing.assert_allclose(blurred(planes, plan, 32), 0.3, atol=3e-7)


def test_narrow_blur_equals_scipy():
    plan = plan_blur(200, 300)
    assert plan.stride == 1
    planes = np.random.default_rng(0).random((3, 200, 300), dtype=np.float32)
    expected = ndimage.gaussian_filter(
        planes.astype(np.float64),
        (0, plan.sigma_px, plan.sigma_px),
        mode="nearest",
        radius=plan.radius,
    )
    padded = np.pad(planes, ((0, 0), (plan.radius, plan.radius), (0, 0)), mode="edge")
    np.testing.assert_allclose(blur_directly(plan, padded), expected, atol=1e-6)
