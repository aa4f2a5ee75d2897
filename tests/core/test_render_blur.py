"""The wide blur against scipy, and its stated error."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from gazeshift.blur import (
    MIN_SMALL_SIGMA,
    MIN_SMALL_SIGMA_8_BITS,
    blur_directly,
    blur_small,
    empty_small,
    expand,
    kernel_error,
    plan_blur,
    precision_of,
    reduce_rows,
)

PHOTO_SIZES = [
    (1000, 1500),
    (1100, 2300),
    (1800, 1810),
    (2650, 2650),
    (2000, 3000),
    (4000, 6000),
    (8660, 11547),
    (17320, 23094),
]


BYTES, WORDS = np.dtype("uint8"), np.dtype("uint16")


@pytest.mark.parametrize("size", PHOTO_SIZES)
@pytest.mark.parametrize(("dtype", "bound"), [(BYTES, 7e-6), (WORDS, 1e-6)])
def test_joint_kernel_misses_the_gaussian_by_less_than_stated(size, dtype, bound):
    assert kernel_error(plan_blur(*size, dtype)) < bound


@pytest.mark.parametrize("size", PHOTO_SIZES)
def test_small_copy_does_not_grow_with_the_picture(size):
    plan = plan_blur(*size, WORDS)
    assert empty_small(plan, WORDS).nbytes < 32 * 2**20


def test_standard_deviation_on_the_small_grid_stays_above_the_limit():
    for side in range(100, 20000, 379):
        for dtype, least in ((BYTES, MIN_SMALL_SIGMA_8_BITS), (WORDS, MIN_SMALL_SIGMA)):
            plan = plan_blur(side, side, dtype)
            assert plan.stride == 1 or plan.sigma_px / plan.stride >= least


def blurred(planes, plan, step, dtype):
    small = empty_small(plan, np.dtype(dtype))

    def window(channel, rows, columns):
        inside = (
            np.clip(np.arange(*rows), 0, plan.height - 1),
            np.clip(np.arange(*columns), 0, plan.width - 1),
        )
        return planes[channel][np.ix_(*inside)]

    for first in range(0, plan.small_height, step):
        last = min(first + step, plan.small_height)
        reduce_rows(plan, window, small, first, last)
    blur_small(plan, small)
    middle = max(1, plan.width // 2)
    parts = [
        np.concatenate(
            [
                expand(plan, small, (top, min(top + step, plan.height)), columns)
                for columns in ((0, middle), (middle, plan.width))
                if columns[0] < columns[1]
            ],
            axis=2,
        )
        for top in range(0, plan.height, step)
    ]
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("size", [(3, 2600), (2600, 3), (300, 2700), (1, 9000)])
@pytest.mark.parametrize("step", [7, 64])
@pytest.mark.parametrize(("dtype", "missed"), [("uint8", 2e-6), ("uint16", 3e-7)])
def test_wide_blur_equals_scipy(size, step, dtype, missed):
    plan = plan_blur(*size, np.dtype(dtype))
    assert plan.stride > 1
    planes = np.random.default_rng(0).random((3, *size)).astype(precision_of(np.dtype(dtype)))
    radius = int(np.ceil(5 * plan.sigma_px))
    expected = ndimage.gaussian_filter(
        planes.astype(np.float64), (0, plan.sigma_px, plan.sigma_px), mode="nearest", radius=radius
    )
    np.testing.assert_allclose(blurred(planes, plan, step, dtype), expected, atol=missed)


def test_wide_blur_keeps_flat_areas():
    planes = np.full((3, 40, 2700), 0.3, np.float32)
    plan = plan_blur(40, 2700, BYTES)
    np.testing.assert_allclose(blurred(planes, plan, 32, "uint8"), 0.3, atol=3e-7)
    plan = plan_blur(40, 2700, WORDS)
    deep = blurred(planes.astype(np.float64), plan, 32, "uint16")
    np.testing.assert_allclose(deep, np.float32(0.3), atol=3e-9)


def test_narrow_blur_equals_scipy():
    plan = plan_blur(200, 300, BYTES)
    assert plan.stride == 1
    planes = np.random.default_rng(0).random((3, 200, 300), dtype=np.float32)
    expected = ndimage.gaussian_filter(
        planes.astype(np.float64),
        (0, plan.sigma_px, plan.sigma_px),
        mode="nearest",
        radius=plan.radius,
    )
    reach = (plan.radius, plan.radius)
    padded = np.pad(planes, ((0, 0), reach, reach), mode="edge")
    np.testing.assert_allclose(blur_directly(plan, padded), expected, atol=1e-6)
