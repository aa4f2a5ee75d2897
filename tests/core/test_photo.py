"""Photo files: what survives reading and writing, seen by independent readers."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2
from tests.core.photo_files import camera_data, grey_profile, read_camera_data, rgb_profile

from gazeshift.errors import ImageError, OutputError, UnsupportedFormat
from gazeshift.photo import (
    DepthLoss,
    Photo,
    encode_photo,
    read_photo,
    read_photo_bytes,
    write_photo,
)

RNG = np.random.default_rng(2)
RGB = RNG.integers(0, 256, (23, 31, 3), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (23, 31), dtype=np.uint8)
LOSSLESS = {".png": {}, ".tif": {}, ".webp": {"lossless": True, "exact": True}}


def samples(sample_type: str, bands: int) -> np.ndarray:
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[sample_type]
    return (RNG.random((23, 31, bands)) * top).astype(sample_type)


def photo_of(values: np.ndarray, **more: object) -> Photo:
    bands = values.shape[2]
    rgb = values[..., :3] if bands >= 3 else np.repeat(values[..., :1], 3, axis=2)
    alpha = values[..., -1] if bands in (2, 4) else None
    return Photo(pixels=rgb, alpha=alpha, is_grey=bands < 3, **more)


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("suffix", "sample_type"),
    [
        (".png", "uint8"), (".png", "uint16"), (".webp", "uint8"),
        (".tif", "uint8"), (".tif", "uint16"), (".tif", "float32"),
    ],
)  # fmt: skip
def test_lossless_formats_keep_every_sample(
    tmp_path: Path, suffix: str, sample_type: str, bands: int
) -> None:
    photo = photo_of(samples(sample_type, bands))
    write_photo(tmp_path / f"a{suffix}", photo, photo.pixels)
    again = read_photo(tmp_path / f"a{suffix}")
    assert again.pixels.dtype == photo.pixels.dtype
    np.testing.assert_array_equal(again.pixels, photo.pixels)
    assert (again.alpha is None) == (photo.alpha is None)
    if photo.alpha is not None:
        np.testing.assert_array_equal(again.alpha, photo.alpha)
    # WebP has no grey pictures.
    assert again.is_grey == (bands < 3 and suffix != ".webp")
    assert again.is_lossless


@pytest.mark.parametrize("sample_type", ["uint8", "uint16", "float32"])
def test_tifffile_sees_the_same_tiff(tmp_path: Path, sample_type: str) -> None:
    values = samples(sample_type, 3)
    tifffile.imwrite(tmp_path / "in.tif", values, photometric="rgb", resolution=(300, 300))
    photo = read_photo(tmp_path / "in.tif")
    np.testing.assert_array_equal(photo.pixels, values)
    write_photo(tmp_path / "out.tif", photo, photo.pixels)
    with tifffile.TiffFile(tmp_path / "out.tif") as written:
        np.testing.assert_array_equal(written.asarray(), values)
        assert written.pages[0].photometric == tifffile.PHOTOMETRIC.RGB
        assert written.pages[0].tags["XResolution"].value == pytest.approx((300, 1), rel=1e-3)


@pytest.mark.parametrize("suffix", LOSSLESS)
def test_pillow_sees_the_same_picture(tmp_path: Path, suffix: str) -> None:
    rgba = np.dstack([RGB, ALPHA])
    Image.fromarray(rgba).save(tmp_path / f"in{suffix}", **LOSSLESS[suffix])
    photo = read_photo(tmp_path / f"in{suffix}")
    write_photo(tmp_path / f"out{suffix}", photo, photo.pixels)
    with Image.open(tmp_path / f"out{suffix}") as written:
        np.testing.assert_array_equal(np.asarray(written), rgba)


def test_jpeg_is_of_high_quality_baseline_and_full_colour(tmp_path: Path) -> None:
    smooth = np.linspace(0, 255, 64, dtype=np.uint8)
    pixels = np.stack(np.broadcast_arrays(smooth[:, None], smooth[None, :], 99), -1)
    photo = photo_of(np.ascontiguousarray(pixels).astype(np.uint8))
    write_photo(tmp_path / "a.jpg", photo, photo.pixels)
    with Image.open(tmp_path / "a.jpg") as written:
        assert "progressive" not in written.info
        assert {layer[1:3] for layer in written.layer} == {(1, 1)}
        assert np.abs(np.asarray(written).astype(int) - photo.pixels).max() <= 5


@pytest.mark.parametrize("kind", ["sRGB", "P3", "wide"])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_profile_survives_byte_for_byte(tmp_path: Path, suffix: str, kind: str) -> None:
    profile = rgb_profile(kind)
    Image.fromarray(RGB).save(tmp_path / f"in{suffix}", icc_profile=profile)
    photo = read_photo(tmp_path / f"in{suffix}")
    assert photo.icc_profile == profile
    write_photo(tmp_path / f"out{suffix}", photo, photo.pixels)
    with Image.open(tmp_path / f"out{suffix}") as written:
        assert written.info["icc_profile"] == profile


@pytest.mark.parametrize("target", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("source", [".jpg", ".png", ".tif", ".webp"])
def test_camera_data_survives_between_all_formats(tmp_path: Path, source: str, target: str) -> None:
    picture = Image.fromarray(RGB)
    if source == ".tif":
        # Pillow writes the linked directories of a TIFF file only when they come like this.
        exif = camera_data()
        tags = ImageFileDirectory_v2()
        for tag, value in exif.items():
            tags[tag] = value
        tags[0x8769] = dict(exif.get_ifd(0x8769))
        tags[0x8825] = dict(exif.get_ifd(0x8825))
        picture.save(tmp_path / "in.tif", tiffinfo=tags)
    else:
        picture.save(tmp_path / f"in{source}", exif=camera_data())
    with Image.open(tmp_path / f"in{source}") as before:
        expected = read_camera_data(before)
    photo = read_photo(tmp_path / f"in{source}")
    write_photo(tmp_path / f"out{target}", photo, photo.pixels)
    with Image.open(tmp_path / f"out{target}") as after:
        found = read_camera_data(after)
    for tag in (270, 271, 306, 18246, 33432, 33434, 33437, 34855, 36867, 37500, 37510, 1, 2):
        assert found[tag] == expected[tag], tag


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_and_reset(tmp_path: Path, orientation: int) -> None:
    Image.fromarray(RGB).save(tmp_path / "in.png", exif=camera_data(orientation=orientation))
    turns = {
        1: RGB, 2: RGB[:, ::-1], 3: RGB[::-1, ::-1], 4: RGB[::-1],
        5: RGB.swapaxes(0, 1), 6: np.rot90(RGB, -1),
        7: RGB[::-1, ::-1].swapaxes(0, 1), 8: np.rot90(RGB),
    }  # fmt: skip
    photo = read_photo(tmp_path / "in.png")
    np.testing.assert_array_equal(photo.pixels, turns[orientation])
    for suffix in (".png", ".tif", ".jpg", ".webp"):
        write_photo(tmp_path / f"out{suffix}", photo, photo.pixels)
        with Image.open(tmp_path / f"out{suffix}") as written:
            assert read_camera_data(written).get(274, 1) == 1
            assert written.size == (photo.pixels.shape[1], photo.pixels.shape[0])


def test_xmp_and_resolution_survive(tmp_path: Path) -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="6">title</x:xmpmeta>'
    Image.fromarray(RGB).save(tmp_path / "in.jpg", xmp=xmp, dpi=(300, 300))
    photo = read_photo(tmp_path / "in.jpg")
    for suffix in (".jpg", ".png", ".tif", ".webp"):
        write_photo(tmp_path / f"out{suffix}", photo, photo.pixels)
        again = read_photo(tmp_path / f"out{suffix}")
        assert b"title" in bytes(again.metadata["xmp-data"])
        assert b'Orientation="1"' in bytes(again.metadata["xmp-data"])
        if suffix != ".webp":
            assert again.resolution_px_per_mm == pytest.approx((300 / 25.4,) * 2, rel=2e-3)


@pytest.mark.parametrize(
    ("sample_type", "bands", "suffix"),
    [
        ("uint16", 3, ".jpg"), ("uint16", 3, ".webp"), ("float32", 3, ".jpg"),
        ("float32", 3, ".png"), ("float32", 1, ".webp"), ("uint8", 4, ".jpg"),
        ("uint8", 2, ".jpeg"),
    ],
)  # fmt: skip
def test_loss_is_refused_with_a_way_out(
    tmp_path: Path, sample_type: str, bands: int, suffix: str
) -> None:
    photo = photo_of(samples(sample_type, bands))
    with pytest.raises(DepthLoss) as caught:
        write_photo(tmp_path / f"out{suffix}", photo, photo.pixels)
    assert ".tif" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_grey_photo_that_gets_colour_becomes_rgb_with_a_fitting_profile(tmp_path: Path) -> None:
    profile = grey_profile(gamma=1.8)
    Image.fromarray(ALPHA).save(tmp_path / "in.png", icc_profile=profile)
    photo = read_photo(tmp_path / "in.png")
    assert photo.is_grey
    write_photo(tmp_path / "grey.png", photo, photo.pixels)
    coloured = photo.pixels.copy()
    coloured[..., 0] //= 2
    write_photo(tmp_path / "rgb.png", photo, coloured)
    with Image.open(tmp_path / "grey.png") as grey, Image.open(tmp_path / "rgb.png") as rgb:
        assert (grey.mode, grey.info["icc_profile"]) == ("L", profile)
        assert rgb.mode == "RGB"
        assert rgb.info["icc_profile"][16:20] == b"RGB "
        np.testing.assert_array_equal(np.asarray(rgb), coloured)


def test_existing_output_needs_force_and_the_source_is_never_written(tmp_path: Path) -> None:
    source = tmp_path / "in.png"
    Image.fromarray(RGB).save(source)
    before = source.read_bytes()
    photo = read_photo(source)
    (tmp_path / "there.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists already"):
        write_photo(tmp_path / "there.png", photo, photo.pixels)
    assert (tmp_path / "there.png").read_bytes() == b"mine"
    write_photo(tmp_path / "there.png", photo, photo.pixels, force=True)
    (tmp_path / "symbolic.png").symlink_to(source)
    os.link(source, tmp_path / "hard.png")
    for name in ("in.png", "symbolic.png", "hard.png", "./in.png"):
        with pytest.raises(OutputError, match="photo itself"):
            write_photo(tmp_path / name, photo, photo.pixels, force=True)
    assert source.read_bytes() == before


def test_impossible_targets_leave_nothing_behind(tmp_path: Path) -> None:
    photo = photo_of(RGB)
    (tmp_path / "folder.png").mkdir()
    for name, said in (
        ("folder.png", "is a folder"), ("none/a.png", "does not exist"),
        ("a.gif", "ending .gif"), ("a", "no ending"),
    ):  # fmt: skip
        with pytest.raises(OutputError, match=said) as caught:
            write_photo(tmp_path / name, photo, photo.pixels)
        assert caught.value.hint
    with pytest.raises(ImageError):
        write_photo(tmp_path / "a.png", photo, photo.pixels[:-1])
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]


@pytest.mark.parametrize("name", ["JPEG", "PNG", "TIFF", "WebP"])
def test_bytes_in_and_out(name: str) -> None:
    photo = photo_of(RGB)
    again = read_photo_bytes(encode_photo(photo, photo.pixels, format_name=name))
    assert again.format_name == name
    assert again.pixels.shape == RGB.shape


def hostile_files(folder: Path) -> None:
    picture, other = Image.fromarray(RGB), Image.fromarray(255 - RGB)
    picture.convert("CMYK").save(folder / "cmyk.jpg")
    picture.convert("CMYK").save(folder / "cmyk.tif")
    picture.convert("LAB").save(folder / "lab.tif")
    picture.save(folder / "still.gif")
    for name in ("moving.webp", "moving.png", "pages.tif"):
        picture.save(folder / name, save_all=True, append_images=[other])
    (folder / "text.jpg").write_text("hello")
    tifffile.imwrite(folder / "double.tif", RGB / 255, photometric="rgb")
    tifffile.imwrite(folder / "long.tif", RGB.astype(np.uint32), photometric="rgb")
    tifffile.imwrite(folder / "signed.tif", RGB.astype(np.int16), photometric="rgb")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cmyk.jpg", "CMYK"), ("cmyk.tif", "CMYK"), ("lab.tif", "Lab"), ("still.gif", "GIF"),
        ("moving.webp", "animated"), ("moving.png", "animated"), ("pages.tif", "several pages"),
        ("text.jpg", "no picture"), ("double.tif", "64-bit"), ("long.tif", "32-bit"),
        ("signed.tif", "short"),
    ],
)  # fmt: skip
def test_unsupported_files_are_named_and_refused(tmp_path: Path, name: str, said: str) -> None:
    hostile_files(tmp_path)
    with pytest.raises(UnsupportedFormat, match=said) as caught:
        read_photo(tmp_path / name)
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("kept", [0.0, 0.05, 0.5, 0.95])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_cut_off_files_are_errors(tmp_path: Path, suffix: str, kept: float) -> None:
    Image.fromarray(RGB).save(tmp_path / f"a{suffix}")
    whole = (tmp_path / f"a{suffix}").read_bytes()
    (tmp_path / f"cut{suffix}").write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(ImageError) as caught:
        read_photo(tmp_path / f"cut{suffix}")
    assert caught.value.hint


def test_missing_file_and_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no file"):
        read_photo(tmp_path / "none.jpg")
    with pytest.raises(ImageError, match="folder"):
        read_photo(tmp_path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_float_values_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    values = samples("float32", 3)
    values[3, 4, 1] = value
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb")
    with pytest.raises(ImageError, match="not numbers"):
        read_photo(tmp_path / "a.tif")


def test_float_values_outside_the_range_are_kept_with_a_warning(tmp_path: Path) -> None:
    values = samples("float32", 3) * 3
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb")
    photo = read_photo(tmp_path / "a.tif")
    np.testing.assert_array_equal(photo.pixels, values)
    assert "cuts them to 0-1" in photo.warnings[0]


def test_damaged_profile_is_left_out_with_a_warning(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.tif", icc_profile=b"no profile at all" * 20)
    photo = read_photo(tmp_path / "a.tif")
    assert photo.icc_profile is None
    assert "profile" in photo.warnings[0]


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_single_pixel_photo_works(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(RGB[:1, :1]).save(tmp_path / f"a{suffix}")
    photo = read_photo(tmp_path / f"a{suffix}")
    write_photo(tmp_path / f"b{suffix}", photo, photo.pixels)
    assert read_photo(tmp_path / f"b{suffix}").pixels.shape == (1, 1, 3)
