"""Photos too large for memory: the files are the same, byte for byte, as those made in memory."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import pyvips
from tests.core.photo_files import camera_data, grey_profile, rgb_profile
from tests.core.render_pictures import noise, scene, strong_edit

from gazeshift.cli import group
from gazeshift.cli.shared import session
from gazeshift.errors import ImageError, MaskError, OutputError
from gazeshift.mask import read_mask
from gazeshift.mask_rows import open_mask
from gazeshift.photo import read_photo, streams, write_bands, write_photo
from gazeshift.photo.streams import open_stream
from gazeshift.proxy import make_proxy, make_proxy_from_rows

SIZE = (700, 530)


def save(path, samples, *, profile=None, orientation=None, **options):
    bands = samples.shape[2]
    kind = {"uint8": "uchar", "uint16": "ushort", "float32": "float"}[str(samples.dtype)]
    image = pyvips.Image.new_from_memory(
        np.ascontiguousarray(samples).data, samples.shape[1], samples.shape[0], bands, kind
    )
    colour = {"uchar": ("b-w", "srgb"), "ushort": ("grey16", "rgb16"), "float": ("b-w", "scrgb")}
    image = image.copy(interpretation=colour[kind][bands > 2], xres=11.0, yres=11.0)
    if profile is not None:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    if orientation is not None:
        block = b"Exif\0\0" + camera_data(orientation=orientation).tobytes().removeprefix(
            b"Exif\0\0"
        )
        image.set_type(pyvips.GValue.blob_type, "exif-data", block)
        image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    image.write_to_file(str(path), **options)
    return path


def rgba(dtype):
    top = 1 if dtype == "float32" else np.iinfo(dtype).max
    alpha = (np.linspace(0, 1, SIZE[0] * SIZE[1]).reshape(*SIZE, 1) * top).astype(dtype)
    return np.concatenate([scene(SIZE, dtype), alpha], axis=2)


PHOTOS = {
    "photo.jpg": lambda path: save(path, scene(SIZE, "uint8"), profile=rgb_profile("P3"), Q=90),
    "turned.jpg": lambda path: save(path, scene(SIZE, "uint8"), orientation=6),
    "upside-down.jpg": lambda path: save(path, scene(SIZE, "uint8"), orientation=3),
    "grey.jpg": lambda path: save(path, scene(SIZE, "uint8")[..., :1]),
    "deep.png": lambda path: save(path, scene(SIZE, "uint16"), profile=rgb_profile("wide")),
    "clear.png": lambda path: save(path, rgba("uint8")),
    "grey.png": lambda path: save(
        path, scene(SIZE, "uint16")[..., :1], profile=grey_profile(gamma=2.0)
    ),
    "deep.tif": lambda path: save(path, rgba("uint16"), compression="deflate"),
    "tiled.tif": lambda path: save(path, scene(SIZE, "uint8"), tile=True, orientation=8),
    "floats.tif": lambda path: save(path, scene(SIZE, "float32")),
}


@pytest.fixture
def mask(tmp_path):
    picture = noise(SIZE, "uint8")[..., :1]
    picture[:200] = 0
    return save(tmp_path / "mask.png", picture)


@pytest.fixture
def edit_file(tmp_path):
    path = tmp_path / "edit.json"
    path.write_text(strong_edit().dumps())
    return path


def run(*arguments):
    return group.main([str(argument) for argument in arguments], standalone_mode=False)


@pytest.mark.parametrize("name", PHOTOS)
def test_a_streamed_file_equals_the_one_made_in_memory(name, tmp_path, edit_file, monkeypatch):
    photo = PHOTOS[name](tmp_path / name)
    shape = "ellipse:10%,20%,55%,60%"
    outputs = []
    for limit in (10**12, 0):
        monkeypatch.setattr(session, "LARGEST_IN_MEMORY", limit)
        out = tmp_path / f"{limit}-{name}"
        assert run("render", photo, "--mask", shape, "--edit", edit_file, "-o", out) == 0
        outputs.append(out.read_bytes())
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) > 5000
    assert not list(tmp_path.glob(".*"))


def test_only_large_photos_are_streamed(tmp_path, edit_file, monkeypatch):
    photo = PHOTOS["photo.jpg"](tmp_path / "photo.jpg")
    opened = []
    init = streams.PhotoStream.__init__
    monkeypatch.setattr(
        streams.PhotoStream, "__init__", lambda self, file: opened.append(file) or init(self, file)
    )
    job = ("render", photo, "--mask", "rect:0,0,50%,50%", "--edit", edit_file, "--force", "-o")
    run(*job, tmp_path / "small.png")
    assert not opened
    monkeypatch.setattr(session, "LARGEST_IN_MEMORY", SIZE[0] * SIZE[1] * 10 - 1)
    run(*job, tmp_path / "large.psd")  # layers need the whole picture
    assert not opened
    run(*job, tmp_path / "large.png")
    assert len(opened) == 1


@pytest.mark.parametrize("name", ["photo.jpg", "turned.jpg", "clear.png", "floats.tif"])
def test_rows_are_those_of_the_whole_photo_wherever_one_looks(name, tmp_path):
    path = PHOTOS[name](tmp_path / name)
    whole, stream = read_photo(path), open_stream(path)
    assert whole.pixels.shape == stream.photo.pixels.shape == (stream.height, stream.width, 3)
    for top, bottom in [(0, 1), (0, 300), (250, 400), (399, 500), (10, 20), (0, stream.height)]:
        np.testing.assert_array_equal(stream.rows(top, bottom), whole.pixels[top:bottom])
        alpha = stream.alpha_rows(top, bottom)
        if whole.alpha is None:
            assert alpha is None
        else:
            np.testing.assert_array_equal(alpha, whole.alpha[top:bottom])


def test_the_proxy_is_the_same(tmp_path, mask):
    path = PHOTOS["deep.png"](tmp_path / "deep.png")
    whole, stream = read_photo(path), open_stream(path)
    height, width = SIZE
    selection = read_mask(str(mask), height=height, width=width)
    expected = make_proxy(whole.pixels, selection, icc_profile=whole.icc_profile)
    found = make_proxy_from_rows(
        stream.rows,
        open_mask(str(mask), height=height, width=width),
        height=height,
        width=width,
        icc_profile=stream.photo.icc_profile,
    )
    np.testing.assert_array_equal(found.rgb, expected.rgb)
    np.testing.assert_array_equal(found.mask, expected.mask)


MASKS = {
    "bright.png": lambda path: save(path, scene(SIZE, "uint16")),
    "grey.tif": lambda path: save(path, scene(SIZE, "float32")[..., :1]),
    "clear.png": lambda path: save(path, rgba("uint8")),
    "opaque.png": lambda path: save(
        path, np.concatenate([scene(SIZE, "uint8"), np.full((*SIZE, 1), 255, np.uint8)], axis=2)
    ),
    "small.png": lambda path: save(path, scene((70, 53), "uint8")[..., :1]),
    "large.jpg": lambda path: save(path, scene((1400, 1060), "uint8")),
    "turned.jpg": lambda path: save(path, scene(SIZE[::-1], "uint8"), orientation=6),
}


@pytest.mark.parametrize("name", MASKS)
def test_mask_rows_are_those_of_the_whole_mask(name, tmp_path):
    path = str(MASKS[name](tmp_path / name))
    expected = read_mask(path, height=SIZE[0], width=SIZE[1])
    rows = open_mask(path, height=SIZE[0], width=SIZE[1])
    for top, bottom in [(0, SIZE[0]), (300, 301), (5, 600)]:
        np.testing.assert_array_equal(rows(top, bottom), expected[top:bottom])


@pytest.mark.parametrize("shape", ["rect:10.5,20.25,30%,40%", "ellipse:-20,300,80%,90%"])
def test_shapes_are_drawn_in_bands(shape):
    expected = read_mask(shape, height=SIZE[0], width=SIZE[1])
    rows = open_mask(shape, height=SIZE[0], width=SIZE[1])
    bands = [rows(top, min(top + 100, SIZE[0])) for top in range(0, SIZE[0], 100)]
    np.testing.assert_array_equal(np.concatenate(bands), expected)


@pytest.mark.parametrize("level", [0, 255])
def test_empty_and_full_masks_are_refused(level, tmp_path):
    path = save(tmp_path / "mask.png", np.full((*SIZE, 1), level, np.uint8))
    with pytest.raises(MaskError):
        open_mask(str(path), height=SIZE[0], width=SIZE[1])
    with pytest.raises(MaskError, match="outside"):
        open_mask("rect:9000,0,5,5", height=SIZE[0], width=SIZE[1])
    with pytest.raises(MaskError, match="aspect"):
        open_mask(str(path), height=SIZE[1], width=SIZE[0])


def test_a_cut_off_photo_is_refused_and_leaves_nothing(tmp_path, edit_file, monkeypatch):
    photo = PHOTOS["photo.jpg"](tmp_path / "photo.jpg")
    photo.write_bytes(photo.read_bytes()[:-3000])
    monkeypatch.setattr(session, "LARGEST_IN_MEMORY", 0)
    out = tmp_path / "out.png"
    mask = "rect:0,0,50%,50%"
    code = run("render", photo, "--mask", mask, "--edit", edit_file, "-o", out)
    assert code == ImageError.exit_code
    assert not out.exists()
    assert not list(tmp_path.glob(".*"))


def test_bands_that_do_not_fit_are_refused(tmp_path):
    photo = read_photo(PHOTOS["photo.jpg"](tmp_path / "photo.jpg"))
    out = tmp_path / "out.tif"
    for bands in ([photo.pixels[:-1]], [photo.pixels[:, :-1]], [photo.pixels.astype(np.uint16)]):
        with pytest.raises(ImageError):
            write_bands(out, photo, bands)
    out.write_bytes(b"here already")
    with pytest.raises(OutputError):
        write_bands(out, photo, [photo.pixels])
    assert out.read_bytes() == b"here already"
    write_bands(out, photo, [photo.pixels], force=True)
    write_photo(tmp_path / "whole.tif", photo, photo.pixels)
    assert out.read_bytes() == (tmp_path / "whole.tif").read_bytes()


def test_progress_rises_to_the_end(tmp_path, edit_file, monkeypatch):
    photo = PHOTOS["deep.tif"](tmp_path / "deep.tif")
    monkeypatch.setattr(session, "LARGEST_IN_MEMORY", 0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    seen = []

    class Bar:
        n = 0

        def __init__(self, **options):
            assert options["total"] == 100

        def __enter__(self):
            return self

        def __exit__(self, *failure):
            seen.append("closed")

        def update(self, step):
            self.n += step
            seen.append(self.n)

    monkeypatch.setattr("tqdm.tqdm", Bar)
    mask = "rect:0,0,50%,50%"
    run("render", photo, "--mask", mask, "--edit", edit_file, "-o", tmp_path / "out.tif")
    *parts, last = seen
    assert last == "closed"
    assert parts == sorted(parts)
    assert parts[-1] == 100
