"""Masks from files, shapes and arrays, and everything that is no mask."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gazeshift.errors import ImageError, MaskError, ParamError
from gazeshift.mask import mask_codes_from_array, mask_from_array, read_mask

RNG = np.random.default_rng(5)
BLOB = np.zeros((40, 60), np.uint8)
BLOB[10:30, 20:45] = 255
BLOB[10:30, 45:50] = 128


def read(source: object, height: int = 40, width: int = 60) -> np.ndarray:
    return read_mask(str(source), height=height, width=width)


@pytest.mark.parametrize("name", ["m.png", "m.tif", "m.webp"])
def test_grey_mask_is_its_brightness(tmp_path: Path, name: str) -> None:
    Image.fromarray(BLOB).save(tmp_path / name, **({"lossless": True} if name == "m.webp" else {}))
    mask = read(tmp_path / name)
    assert mask.dtype == np.float32
    np.testing.assert_allclose(mask, BLOB / 255, atol=1e-6)


def test_sixteen_bit_and_float_masks_keep_their_steps(tmp_path: Path) -> None:
    fine = np.linspace(0, 65535, 2400).reshape(40, 60).astype(np.uint16)
    tifffile.imwrite(tmp_path / "m16.tif", fine)
    np.testing.assert_allclose(read(tmp_path / "m16.tif"), fine / 65535, atol=1e-6)
    tifffile.imwrite(tmp_path / "mf.tif", (fine / 65535).astype(np.float32))
    np.testing.assert_allclose(read(tmp_path / "mf.tif"), fine / 65535, atol=1e-6)


def test_one_bit_mask_is_black_and_white(tmp_path: Path) -> None:
    Image.fromarray(BLOB > 200).save(tmp_path / "m.png")
    np.testing.assert_array_equal(read(tmp_path / "m.png"), (BLOB > 200).astype(np.float32))


def test_coloured_mask_counts_by_its_luminance(tmp_path: Path) -> None:
    rgb = np.zeros((40, 60, 3), np.uint8)
    rgb[:20, :, 1] = 255
    rgb[30:, :, 0] = 255
    Image.fromarray(rgb).save(tmp_path / "m.png")
    mask = read(tmp_path / "m.png")
    np.testing.assert_allclose(mask[5], 0.7152, atol=1e-6)
    np.testing.assert_allclose(mask[35], 0.2126, atol=1e-6)


def test_alpha_that_varies_wins_over_brightness(tmp_path: Path) -> None:
    rgba = np.full((40, 60, 4), 255, np.uint8)
    rgba[..., 3] = BLOB
    Image.fromarray(rgba).save(tmp_path / "m.png")
    np.testing.assert_allclose(read(tmp_path / "m.png"), BLOB / 255, atol=1e-6)


@pytest.mark.parametrize("alpha", [0, 255])
def test_alpha_that_says_nothing_is_ignored(tmp_path: Path, alpha: int) -> None:
    rgba = np.dstack([BLOB, BLOB, BLOB, np.full_like(BLOB, alpha)])
    Image.fromarray(rgba).save(tmp_path / "m.png")
    np.testing.assert_allclose(read(tmp_path / "m.png"), BLOB / 255, atol=1e-6)


def test_orientation_of_the_mask_is_respected(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    # Tag 6: the stored picture has to be turned clockwise by 90 degrees to be seen upright.
    Image.fromarray(np.rot90(BLOB)).save(tmp_path / "m.png", exif=exif)
    np.testing.assert_allclose(read(tmp_path / "m.png"), BLOB / 255, atol=1e-6)


def test_smaller_mask_grows_linearly_and_larger_one_shrinks_by_area(tmp_path: Path) -> None:
    Image.fromarray(BLOB).save(tmp_path / "m.png")
    grown = read(tmp_path / "m.png", 400, 600)
    assert grown.shape == (400, 600)
    assert grown[200, 300] == 1
    assert abs(grown.mean() - BLOB.mean() / 255) < 0.01
    shrunk = read(tmp_path / "m.png", 20, 30)
    expected = (BLOB / 255).reshape(20, 2, 30, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(shrunk, expected, atol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(400, 604), (397, 600), (27, 40), (2, 3)])
def test_aspect_within_one_percent_or_rounding_is_accepted(
    tmp_path: Path, height: int, width: int
) -> None:
    Image.fromarray(BLOB).save(tmp_path / "m.png")
    assert read(tmp_path / "m.png", height, width).shape == (height, width)


@pytest.mark.parametrize(("height", "width"), [(40, 62), (60, 60), (400, 650)])
def test_another_aspect_names_both_sizes(tmp_path: Path, height: int, width: int) -> None:
    Image.fromarray(BLOB).save(tmp_path / "m.png")
    with pytest.raises(MaskError, match=f"60 x 40 pixels, the photo {width} x {height}"):
        read(tmp_path / "m.png", height, width)


def test_turned_mask_is_called_turned(tmp_path: Path) -> None:
    Image.fromarray(BLOB).save(tmp_path / "m.png")
    with pytest.raises(MaskError) as caught:
        read(tmp_path / "m.png", 60, 40)
    assert "turned" in caught.value.hint


@pytest.mark.parametrize(("value", "said"), [(0, "empty"), (255, "whole picture")])
def test_empty_and_full_masks_are_refused_with_a_hint(
    tmp_path: Path, value: int, said: str
) -> None:
    Image.fromarray(np.full((40, 60), value, np.uint8)).save(tmp_path / "m.png")
    with pytest.raises(MaskError, match=said) as caught:
        read(tmp_path / "m.png")
    assert caught.value.hint
    assert caught.value.exit_code == 3


def test_faintest_selection_is_a_selection() -> None:
    faint = np.zeros((4, 4), np.uint8)
    faint[1, 1] = 1
    assert mask_from_array(faint, height=4, width=4)[1, 1] > 0


@pytest.mark.parametrize(
    "array",
    [
        np.full((4, 4), np.nan),
        np.array([[0, np.inf], [0, 0]]),
        np.array([[0.0, 255.0], [0, 0]]),
        np.array([[0.0, -1.0], [0, 0.5]]),
        np.zeros((4, 4), np.int64),
        np.zeros((4,), np.uint8),
        np.zeros((4, 4, 5), np.uint8),
        np.zeros((0, 4), np.uint8),
    ],
)
def test_arrays_that_are_no_mask_are_refused(array: np.ndarray) -> None:
    with pytest.raises(MaskError):
        mask_from_array(array, height=4, width=4)


@pytest.mark.parametrize("kind", ["bool", "uint8", "uint16", "float16", "float32", "float64"])
def test_arrays_of_any_depth_mean_the_same(kind: str) -> None:
    selected = BLOB > 200
    scale = {"uint8": 255, "uint16": 65535}.get(kind, 1)
    mask = mask_from_array((selected * scale).astype(kind), height=40, width=60)
    np.testing.assert_array_equal(mask, selected.astype(np.float32))


def test_array_with_channels_and_a_new_array_each_time() -> None:
    own = (BLOB / 255).astype(np.float32)
    mask = mask_from_array(own, height=40, width=60)
    mask[:] = 0.5
    assert own.max() == 1
    layered = np.dstack([BLOB] * 3)
    np.testing.assert_allclose(mask_from_array(layered, height=40, width=60), BLOB / 255, atol=1e-6)


def test_missing_or_broken_mask_file_is_an_image_error(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no file"):
        read(tmp_path / "none.png")
    (tmp_path / "m.png").write_bytes(b"")
    with pytest.raises(ImageError, match="empty"):
        read(tmp_path / "m.png")


def test_rectangle_in_pixels_and_percent_agree() -> None:
    by_pixels = read("rect:6,4,30,20")
    expected = np.zeros((40, 60), np.float32)
    expected[4:24, 6:36] = 1
    np.testing.assert_array_equal(by_pixels, expected)
    np.testing.assert_allclose(read("rect:10%,10%,50%,50%"), expected, atol=1e-6)
    np.testing.assert_allclose(read(" RECT: 10% , 4, 30 ,50% "), expected, atol=1e-6)


BOX = st.tuples(*[st.floats(-30, 90)] * 2, *[st.floats(0.5, 80)] * 2)


def clipped_area(box: tuple[float, float, float, float], height: int, width: int) -> float:
    left, top, across, down = box
    inside_x = max(0.0, min(left + across, width) - max(left, 0.0))
    inside_y = max(0.0, min(top + down, height) - max(top, 0.0))
    return inside_x * inside_y


@settings(max_examples=150, deadline=None)
@given(BOX)
def test_rectangle_covers_exactly_its_area_inside_the_photo(
    box: tuple[float, float, float, float],
) -> None:
    # Ten digits, no exponent: what a person would type.
    left, top, across, down = (round(number, 3) for number in box)
    area = clipped_area((left, top, across, down), 40, 60)
    text = f"rect:{left:.3f},{top:.3f},{across:.3f},{down:.3f}"
    if area < 0.01 or area > 2399:
        # Nothing or everything selected: other tests show that this is refused.
        return
    mask = read(text)
    assert 0 <= mask.min() <= mask.max() <= 1
    assert mask.sum(dtype=np.float64) == pytest.approx(area, rel=1e-4, abs=1e-2)


@settings(max_examples=80, deadline=None)
@given(st.floats(1, 20), st.floats(1, 14), st.floats(0, 1), st.floats(0, 1))
def test_ellipse_has_its_area_and_stays_in_its_box(
    half_wide: float, half_high: float, shift_x: float, shift_y: float
) -> None:
    left, top = round(5 + shift_x, 3), round(5 + shift_y, 3)
    across, down = round(2 * half_wide, 3), round(2 * half_high, 3)
    mask = read(f"ellipse:{left},{top},{across},{down}")
    area = math.pi * across * down / 4
    assert mask.sum(dtype=np.float64) == pytest.approx(area, rel=0.01)
    assert not mask[: math.floor(top)].any()
    assert not mask[:, : math.floor(left)].any()
    assert not mask[math.ceil(top + down) :].any()
    assert not mask[:, math.ceil(left + across) :].any()


def test_ellipse_is_antialiased_like_a_supersampled_one() -> None:
    mask = read("ellipse:7.3,5.6,41.7,27.9")
    fine = (np.arange(40 * 16) + 0.5) / 16, (np.arange(60 * 16) + 0.5) / 16
    y, x = np.meshgrid(*fine, indexing="ij")
    inside = ((x - 28.15) / 20.85) ** 2 + ((y - 19.55) / 13.95) ** 2 <= 1
    oracle = inside.reshape(40, 16, 60, 16).mean(axis=(1, 3))
    np.testing.assert_allclose(mask, oracle, atol=0.02)
    assert ((mask > 0.05) & (mask < 0.95)).sum() > 50


def test_tiny_ellipse_inside_one_pixel_counts_its_area() -> None:
    mask = read("ellipse:10.1,10.1,0.8,0.8")
    assert mask[10, 10] == pytest.approx(math.pi * 0.16, rel=0.02)
    assert np.count_nonzero(mask) == 1


def test_shape_partly_outside_is_clipped() -> None:
    mask = read("ellipse:-20,-20,40,40")
    assert mask[0, 0] == 1
    assert mask[39, 59] == 0
    np.testing.assert_array_equal(read("rect:50,30,999,999")[30:, 50:], 1)


@pytest.mark.parametrize("text", ["rect:60,0,5,5", "ellipse:-9,-9,5,5", "rect:0,100%,10%,10%"])
def test_shape_wholly_outside_is_an_error(text: str) -> None:
    with pytest.raises(MaskError, match="outside"):
        read(text)


def test_rectangle_over_everything_is_a_full_mask() -> None:
    with pytest.raises(MaskError, match="whole picture"):
        read("rect:0,0,100%,100%")


@pytest.mark.parametrize(
    "text",
    [
        "rect:", "rect:1,2,3", "rect:1,2,3,4,5", "rect:a,b,c,d", "rect:1;2;3;4", "rect:1,2,,4",
        "rect:1,2,3,nan", "rect:1,2,3,inf", "rect:1e3,2,3,4", "rect:1,2,3px,4", "rect:1,2,0,4",
        "ellipse:1,2,3,-4", "ellipse:1,2,3,%", "rect:1,2,3,4%%", "rect:" + "9" * 400 + ",1,1,1",
    ],
)  # fmt: skip
def test_malformed_shape_is_a_parameter_error_with_an_example(text: str) -> None:
    with pytest.raises(ParamError) as caught:
        read(text)
    assert caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["rect:0,0,1,1", "ellipse:0,0,1,1"])
def test_single_pixel_photo_has_no_outside(text: str) -> None:
    if text.startswith("rect"):
        with pytest.raises(MaskError, match="whole"):
            read(text, 1, 1)
    else:
        assert read(text, 1, 1)[0, 0] == pytest.approx(math.pi / 4, rel=0.01)


def test_masks_of_8_bits_can_stay_in_8_bits() -> None:
    codes = np.zeros((40, 60), np.uint8)
    codes[:20] = 200
    assert mask_codes_from_array(codes, height=40, width=60) is codes
    small = mask_codes_from_array(codes, height=20, width=30)
    np.testing.assert_array_equal(small, mask_from_array(codes, height=20, width=30))
    words = codes.astype(np.uint16) * 257
    kept = mask_codes_from_array(words, height=40, width=60)
    np.testing.assert_array_equal(kept, mask_from_array(words, height=40, width=60))
    for level in (0, 255):
        with pytest.raises(MaskError):
            mask_codes_from_array(np.full((40, 60), level, np.uint8), height=40, width=60)
