"""Proxies: exact area means, sizes, profiles, and what is refused."""

from __future__ import annotations

import colour
import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.photo_files import grey_profile

from gazeshift.errors import ImageError, MaskError
from gazeshift.icc import profile_colour_space, rgb_profile_from_grey
from gazeshift.mask import as_fraction
from gazeshift.proxy import PROXY_LONG_SIDE, make_proxy, proxy_size
from gazeshift.resample import resize

RNG = np.random.default_rng(11)


def area_mean(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Overlap of every input cell with every output cell, in float64, as dense matrices."""

    def overlap(size_in: int, size_out: int) -> np.ndarray:
        edges_in = np.arange(size_in + 1, dtype=np.float64)
        edges_out = np.arange(size_out + 1) * size_in / size_out
        low = np.maximum(edges_in[None, :-1], edges_out[:-1, None])
        high = np.minimum(edges_in[None, 1:], edges_out[1:, None])
        return np.maximum(high - low, 0) * size_out / size_in

    down, across = overlap(values.shape[0], height), overlap(values.shape[1], width)
    return np.einsum("ab,bcd,ec->aed", down, values.astype(np.float64), across, optimize=True)


@pytest.mark.parametrize("sample_type", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("size", [(97, 61), (449, 300), (450, 1), (1000, 13), (448, 448)])
def test_proxy_is_the_area_mean(size: tuple[int, int], sample_type: str) -> None:
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[sample_type]
    pixels = (RNG.random((*size, 3)) * top).astype(sample_type)
    proxy = make_proxy(pixels)
    expected = area_mean(pixels / top, *proxy.rgb.shape[:2])
    assert proxy.rgb.dtype == np.float32
    np.testing.assert_allclose(proxy.rgb, expected, atol=2e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60), st.integers(1, 60))
def test_shrinking_equals_the_oracle_at_any_ratio(
    height: int, width: int, less_high: int, less_wide: int
) -> None:
    values = np.random.default_rng(height * 61 + width).random((height, width, 2))
    size = min(height, less_high), min(width, less_wide)
    np.testing.assert_allclose(resize(values, *size), area_mean(values, *size), atol=1e-5)


def test_long_rows_of_white_do_not_overflow() -> None:
    # 2000 rows of 255 make 510 000, more than 16 bits hold.
    for sample_type in (np.uint8, np.uint16):
        white = np.full((2000, 2, 3), np.iinfo(sample_type).max, sample_type)
        np.testing.assert_allclose(make_proxy(white, long_side=1).rgb, 1.0, atol=1e-6)


def test_growing_is_linear() -> None:
    # Centres of 2 cells in 4: at -0.25, 0.25, 0.75 and 1.25, held at the ends.
    grown = resize(np.array([[0.0, 1.0]], np.float32), 1, 4)
    np.testing.assert_allclose(grown, [[0, 0.25, 0.75, 1]])


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_proxy_never_grows_and_keeps_its_aspect(height: int, width: int) -> None:
    small_height, small_width = proxy_size(height, width)
    assert 1 <= small_height <= height
    assert 1 <= small_width <= width
    assert max(small_height, small_width) == min(PROXY_LONG_SIDE, max(height, width))
    scale = max(small_height, small_width) / max(height, width)
    assert abs(small_height - max(1, height * scale)) <= 0.5
    assert abs(small_width - max(1, width * scale)) <= 0.5


def test_small_picture_is_kept_as_it_is() -> None:
    pixels = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    before = pixels.copy()
    np.testing.assert_array_equal(
        make_proxy(pixels).rgb, pixels.astype(np.float32) * np.float32(1 / 255)
    )
    np.testing.assert_array_equal(pixels, before)


def test_depth_does_not_change_the_proxy() -> None:
    eight = RNG.integers(0, 256, (500, 320, 3), dtype=np.uint8)
    proxies = [
        make_proxy(eight),
        make_proxy(eight.astype(np.uint16) * 257),
        make_proxy(eight.astype(np.float32) / 255),
        make_proxy(eight.astype(np.float64) / 255),
        make_proxy(np.asfortranarray(eight)),
    ]
    for other in proxies[1:]:
        np.testing.assert_allclose(other.rgb, proxies[0].rgb, atol=1e-6)


def test_mask_of_8_bits_gives_the_same_bits_as_its_fractions() -> None:
    rng = np.random.default_rng(3)
    photo = rng.integers(0, 256, (700, 901, 3), dtype=np.uint8)
    codes = rng.integers(0, 256, (700, 901), dtype=np.uint8)
    proxies = [make_proxy(photo, mask).mask for mask in (codes, as_fraction(codes))]
    assert proxies[0] is not None
    np.testing.assert_array_equal(*proxies)


def test_proxy_is_the_same_bits_every_time() -> None:
    pixels = RNG.integers(0, 65536, (700, 500, 3), dtype=np.uint16)
    profile = bytes(pyvips.Image.profile_load("p3"))
    first, second = (make_proxy(pixels, icc_profile=profile) for _ in range(2))
    np.testing.assert_array_equal(first.rgb, second.rgb)


def test_mask_is_reduced_by_area_to_the_size_of_the_picture() -> None:
    mask = (RNG.random((600, 450)) > 0.5).astype(np.float32)
    proxy = make_proxy(np.zeros((600, 450, 3), np.uint8), mask)
    assert proxy.mask is not None
    assert proxy.mask.shape == proxy.rgb.shape[:2] == (448, 336)
    np.testing.assert_allclose(proxy.mask, area_mean(mask[..., None], 448, 336)[..., 0], atol=1e-6)


def test_display_p3_becomes_srgb() -> None:
    # Colours inside sRGB, so that no gamut mapping takes part.
    encoded = np.array([[200, 120, 80], [90, 130, 110], [128, 128, 128]], np.uint8)
    pixels = np.repeat(encoded[:, None], 4, axis=1)
    proxy = make_proxy(pixels, icc_profile=bytes(pyvips.Image.profile_load("p3")))
    expected = colour.RGB_to_RGB(
        encoded / 255, "Display P3", "sRGB", apply_cctf_decoding=True, apply_cctf_encoding=True
    )
    assert proxy.warnings == ()
    np.testing.assert_allclose(proxy.rgb[:, 0], expected, atol=2.5 / 255)
    assert np.abs(proxy.rgb[0, 0] - encoded[0] / 255).max() > 9 / 255


def test_grey_profile_with_gamma_becomes_srgb() -> None:
    pixels = np.full((2, 2, 3), 128, np.uint8)
    proxy = make_proxy(pixels, icc_profile=grey_profile(gamma=1.0))
    # Linear 128/255 is 0.5020; encoded by sRGB that is 1.055 * 0.5020^(1/2.4) - 0.055 = 0.7367.
    assert proxy.warnings == ()
    np.testing.assert_allclose(proxy.rgb, 0.7367, atol=2e-3)


@pytest.mark.parametrize("damage", ["noise", "cut", "no tags", "bad tags", "cmyk"])
def test_unusable_profile_is_taken_for_srgb_with_a_warning(damage: str) -> None:
    profile = bytes(pyvips.Image.profile_load("p3"))
    broken = {
        "noise": bytes(range(200)),
        "cut": profile[:300],
        "no tags": profile[:200] + bytes(len(profile) - 200),
        "bad tags": profile[:252] + bytes(byte ^ 0x5A for byte in profile[252:]),
        "cmyk": bytes(pyvips.Image.profile_load("cmyk")),
    }[damage]
    pixels = RNG.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    proxy = make_proxy(pixels, icc_profile=broken)
    assert len(proxy.warnings) == 1
    assert "profile" in proxy.warnings[0]
    np.testing.assert_array_equal(proxy.rgb, make_proxy(pixels).rgb)


def test_rgb_profile_made_from_a_grey_one_is_a_valid_profile() -> None:
    made = rgb_profile_from_grey(grey_profile(gamma=1.8))
    assert made is not None
    assert profile_colour_space(made) == "RGB"
    assert rgb_profile_from_grey(made) is None


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.int32),
        np.full((4, 4, 3), np.nan, np.float32),
        np.full((900, 4, 3), np.inf, np.float32),
    ],
)
def test_pixels_that_are_no_picture_are_refused(pixels: np.ndarray) -> None:
    with pytest.raises(ImageError):
        make_proxy(pixels)


def test_mask_of_another_size_is_refused() -> None:
    with pytest.raises(MaskError, match=r"\(3, 4\)"):
        make_proxy(np.zeros((4, 4, 3), np.uint8), np.zeros((3, 4), np.float32))
    with pytest.raises(MaskError, match="NaN"):
        make_proxy(np.zeros((4, 4, 3), np.uint8), np.full((4, 4), np.nan, np.float32))
