"""Values worked out by hand from the formulas, and comparisons with independent libraries."""

from __future__ import annotations

import math

import colour
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from gazeshift.operators.arrays import gaussian_blur
from gazeshift.operators.color import apply_color
from gazeshift.operators.contrast import apply_contrast
from gazeshift.operators.exposure import apply_exposure
from gazeshift.operators.gradient_sharpening import apply_gradient_sharpening
from gazeshift.operators.luminance_contrast import apply_luminance_contrast
from gazeshift.operators.saturation import apply_saturation
from gazeshift.operators.sharpening import apply_sharpening, sigma_for
from gazeshift.operators.tone import apply_tone
from gazeshift.operators.transfer import decode_srgb, encode_srgb

SLOPES = st.lists(st.floats(0.5, 2.0), min_size=8, max_size=8)
NARROW_SLOPES = st.lists(st.floats(0.8, 1.25), min_size=8, max_size=8)


def pixel(*rgb: float) -> np.ndarray:
    return np.asarray(rgb, np.float64).reshape(1, 1, 3)


def test_exposure_doubles_and_clips():
    # 0.2·2 = 0.4; 0.3·2 = 0.6; 0.7·2 = 1.4, clipped to 1.
    np.testing.assert_allclose(apply_exposure(pixel(0.2, 0.3, 0.7), ev=1.0), pixel(0.4, 0.6, 1.0))


def test_exposure_halves():
    np.testing.assert_allclose(apply_exposure(pixel(0.2, 0.3, 1.0), ev=-1.0), pixel(0.1, 0.15, 0.5))


@settings(max_examples=30, deadline=None)
@given(ev=st.floats(-2.0, 0.0))
def test_darkening_is_undone_by_brightening(ev):
    rgb = np.linspace(0, 1, 60).reshape(4, 5, 3)
    np.testing.assert_allclose(apply_exposure(apply_exposure(rgb, ev=ev), ev=-ev), rgb, atol=1e-12)


def test_full_contrast_follows_the_cosine():
    # x = 1/4: 1/2 − cos(π/4)/2 = 0.14645; x = 1/2 stays; x = 3/4: 0.85355.
    low, high = 0.5 - math.sqrt(0.5) / 2, 0.5 + math.sqrt(0.5) / 2
    result = apply_contrast(pixel(0.25, 0.5, 0.75), amount=1.0)
    np.testing.assert_allclose(result, pixel(low, 0.5, high), atol=1e-12)


def test_negative_contrast_mirrors_the_change():
    # x = 1/4, amount −1/2: 0.25 − 0.5·(0.14645 − 0.25) = 0.301777.
    result = apply_contrast(pixel(0.25, 0.0, 1.0), amount=-0.5)
    np.testing.assert_allclose(result, pixel(0.3017767, 0.0, 1.0), atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(amount=st.floats(-1.0, 1.0))
def test_contrast_never_reverses_the_order_of_values(amount):
    ramp = np.repeat(np.linspace(0, 1, 101)[None, :, None], 3, axis=2)
    assert (np.diff(apply_contrast(ramp, amount=amount)[0, :, 0]) >= -1e-12).all()


def test_tone_with_a_steeper_first_segment():
    # Slopes (2, 1, 1, 1, 1, 1, 1, 1), sum 9. x = 1/8: 2/9; x = 1/4: 3/9; x = 1: 9/9.
    result = apply_tone(pixel(0.125, 0.25, 1.0), slopes=[2.0, *[1.0] * 7])
    np.testing.assert_allclose(result, pixel(2 / 9, 3 / 9, 1.0), atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(slopes=SLOPES)
def test_tone_is_the_interpolation_of_its_knots(slopes):
    x = np.linspace(0, 1, 77)
    knots = np.concatenate([[0.0], np.cumsum(slopes)]) / np.sum(slopes)
    expected = np.interp(x, np.arange(9) / 8, knots)
    result = apply_tone(np.repeat(x[None, :, None], 3, axis=2), slopes=slopes)
    np.testing.assert_allclose(result[0, :, 1], expected, atol=1e-12)
    assert (np.diff(result[0, :, 1]) > 0).all()


@settings(max_examples=30, deadline=None)
@given(slopes=SLOPES, scale=st.floats(0.3, 3.0))
def test_only_the_ratios_of_slopes_matter(slopes, scale):
    rgb = np.linspace(0, 1, 60).reshape(4, 5, 3)
    other = apply_tone(rgb, slopes=[scale * slope for slope in slopes])
    np.testing.assert_allclose(apply_tone(rgb, slopes=slopes), other, atol=1e-12)


def test_color_bends_each_channel_by_its_own_slopes():
    # Red: first slope 1.25 among ones, sum 8.25; at 1/8: 1.25/8.25. Blue: last slope 0.8,
    # sum 7.8; at 7/8: 7/7.8. Green keeps 1/2.
    ones = [1.0] * 8
    result = apply_color(
        pixel(0.125, 0.5, 0.875), red=[1.25, *ones[1:]], green=ones, blue=[*ones[:7], 0.8]
    )
    np.testing.assert_allclose(result, pixel(1.25 / 8.25, 0.5, 7 / 7.8), atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(slopes=NARROW_SLOPES)
def test_color_with_three_equal_curves_is_tone(slopes):
    rgb = np.linspace(0, 1, 60).reshape(4, 5, 3)
    result = apply_color(rgb, red=slopes, green=slopes, blue=slopes)
    np.testing.assert_allclose(result, apply_tone(rgb, slopes=slopes), atol=1e-12)


def test_transfer_curve_equals_colour_science():
    x = np.linspace(0, 1, 1001)
    linear = colour.models.eotf_sRGB(x)
    np.testing.assert_allclose(decode_srgb(x), linear, atol=1e-6)
    np.testing.assert_allclose(encode_srgb(linear), x, atol=1e-6)


@pytest.mark.parametrize("sigma_px", [0.4, 1.1, 3.0])
@pytest.mark.parametrize("size", [(1, 1), (3, 20), (40, 31)])
def test_blur_equals_scipy(sigma_px, size):
    values = np.random.default_rng(1).random((*size, 3))
    radius = max(1, math.ceil(5 * sigma_px))
    expected = ndimage.gaussian_filter(
        values, (sigma_px, sigma_px, 0), mode="nearest", radius=(radius, radius, 0)
    )
    np.testing.assert_allclose(gaussian_blur(values, sigma_px), expected, atol=1e-12)


@pytest.mark.parametrize("amount", [-1.0, -0.4, 0.7, 2.0])
def test_sharpening_equals_unsharp_masking_with_independent_parts(amount):
    rgb = np.random.default_rng(2).random((30, 26, 3))
    sigma_px = math.hypot(30, 26) / 500
    linear = colour.models.eotf_sRGB(rgb)
    radius = max(1, math.ceil(5 * sigma_px))
    low = ndimage.gaussian_filter(
        linear, (sigma_px, sigma_px, 0), mode="nearest", radius=(radius, radius, 0)
    )
    expected = colour.models.eotf_inverse_sRGB(np.clip(linear + amount * (linear - low), 0, 1))
    np.testing.assert_allclose(apply_sharpening(rgb, amount=amount), expected, atol=2e-6)


def test_sharpening_leaves_a_flat_picture_flat():
    flat = np.full((9, 9, 3), 0.4)
    np.testing.assert_allclose(apply_sharpening(flat, amount=2.0), flat, atol=1e-12)


def test_the_radius_follows_the_diagonal():
    # A 3:4:5 triangle: 300×400 has a diagonal of 500 px, so one pixel.
    assert sigma_for(300, 400) == pytest.approx(1.0)
    assert sigma_for(3000, 4000) == pytest.approx(10.0)


def test_saturation_of_one_value_by_hand():
    # (0.5, 0.4, 0.4): v = 0.5, s = 0.2; enhanced 0.2 + 0.8·0.5·0.8 = 0.52, so v(1 − s') = 0.24.
    result = apply_saturation(pixel(0.5, 0.4, 0.4), amount=1.0)
    np.testing.assert_allclose(result, pixel(0.5, 0.24, 0.24), atol=1e-12)


def test_full_desaturation_keeps_the_hsv_value():
    np.testing.assert_allclose(
        apply_saturation(pixel(0.6, 0.2, 0.4), amount=-1.0), pixel(0.6, 0.6, 0.6), atol=1e-12
    )


@settings(max_examples=30, deadline=None)
@given(amount=st.floats(-1.0, 1.0), grey=st.floats(0.0, 1.0))
def test_saturation_never_colours_grey(amount, grey):
    np.testing.assert_allclose(apply_saturation(pixel(grey, grey, grey), amount=amount), grey)


def test_luminance_contrast_by_hand():
    # Grey 1/4 has luminance 1/4, which the cosine takes to 0.14645.
    result = apply_luminance_contrast(pixel(0.25, 0.25, 0.25), amount=1.0)
    np.testing.assert_allclose(result, 0.5 - math.sqrt(0.5) / 2, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(amount=st.floats(-1.0, 0.5))
def test_luminance_contrast_keeps_the_ratio_of_channels(amount):
    result = apply_luminance_contrast(pixel(0.3, 0.2, 0.1), amount=amount).ravel()
    assert result[0] / result[2] == pytest.approx(3.0)
    assert result[1] / result[2] == pytest.approx(2.0)


def test_gradient_sharpening_of_a_step_by_hand():
    # Columns 0.2 | 0.4: horizontal Sobel 4·0.2 = 0.8 on both, /4 = 0.2, so gains of 1.2.
    step = np.repeat(np.array([[0.2, 0.4]] * 3)[..., None], 3, axis=2)
    result = apply_gradient_sharpening(step, amount=1.0)
    np.testing.assert_allclose(result[1, :, 0], [0.24, 0.48], atol=1e-6)


def test_gradient_sharpening_equals_scipys_sobel():
    rgb = np.random.default_rng(4).random((12, 9, 3)) * 0.5
    channels = [rgb[..., k] for k in range(3)]
    slopes = [[ndimage.sobel(c, axis, mode="nearest") for c in channels] for axis in (0, 1)]
    magnitude = np.hypot(*(np.stack(slope, axis=-1) for slope in slopes))
    expected = np.clip(rgb * (1 + 0.5 * magnitude / 4), 0, 1)
    np.testing.assert_allclose(apply_gradient_sharpening(rgb, amount=0.5), expected, atol=1e-6)
