"""`from gazeshift import Redirector, render`: what goes in comes out, and nothing is touched."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.core.tiny_models import region_numbers, write_attention, write_redirector

import gazeshift
from gazeshift import AttentionModel, Edit, Redirector, RegionParameters, render
from gazeshift.errors import ImageError, MaskError

BRIGHTER = Edit(foreground=RegionParameters({"exposure": {"ev": 0.5}}))
SIZE = (24, 40)
LEFT = "rect:0,0,20,24"


@pytest.fixture
def redirector(tmp_path: Path) -> Redirector:
    return Redirector(
        write_redirector(tmp_path / "redirector.onnx"),
        attention=AttentionModel(write_attention(tmp_path / "attention.onnx")),
    )


def picture(mode: str) -> Image.Image:
    rng = np.random.default_rng(1)
    if mode == "I;16":
        return Image.fromarray(rng.integers(5000, 30000, SIZE, np.uint16))
    bands = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[mode]
    values = rng.integers(20, 120, (*SIZE, bands), np.uint8)
    return Image.fromarray(values[..., 0] if bands == 1 else values, mode=None)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_pil_image_gives_a_pil_image_of_the_same_mode(mode: str) -> None:
    image = picture(mode)
    before = np.array(image)
    result = render(image, LEFT, BRIGHTER)
    assert isinstance(result, Image.Image)
    assert (result.mode, result.size) == (mode, image.size)
    np.testing.assert_array_equal(np.array(image), before)
    after = np.array(result).astype(float)
    np.testing.assert_array_equal(after[:, 20:], before[:, 20:])
    colours = slice(None) if before.ndim == 2 else slice(0, before.shape[2] - (mode[-1] == "A"))
    inside = (slice(None), slice(0, 20)) if before.ndim == 2 else (..., slice(0, 20), colours)
    np.testing.assert_allclose(after[inside], before[inside] * 2**0.5, atol=1)
    if mode in ("LA", "RGBA"):
        np.testing.assert_array_equal(after[..., -1], before[..., -1])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [SIZE, (*SIZE, 3), (*SIZE, 4)])
def test_array_gives_an_array_of_the_same_shape_and_dtype(
    dtype: Any, shape: tuple[int, ...]
) -> None:
    values = np.random.default_rng(2).uniform(0.1, 0.5, shape)
    peak = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    array = (values * peak).astype(dtype)
    before = array.copy()
    result = render(array, LEFT, BRIGHTER)
    assert (result.shape, result.dtype) == (array.shape, array.dtype)
    np.testing.assert_array_equal(array, before)
    colours = result if len(shape) == 2 else result[..., :3]
    expected = before if len(shape) == 2 else before[..., :3]
    np.testing.assert_allclose(
        colours[:, :20] / peak, expected[:, :20] * 2**0.5 / peak, atol=1 / 255
    )
    if shape[-1] == 4:
        np.testing.assert_array_equal(result[..., 3], before[..., 3])


@pytest.mark.parametrize(
    "mask",
    [
        "rect:0,0,20,24",
        np.arange(40)[None].repeat(24, 0) < 20,
        (np.arange(40)[None].repeat(24, 0) < 20).astype(np.float64),
        ((np.arange(40)[None].repeat(24, 0) < 20) * 255).astype(np.uint8),
        ((np.arange(40)[None].repeat(24, 0) < 20) * 65535).astype(np.uint16),
        Image.fromarray(((np.arange(40)[None].repeat(24, 0) < 20) * 255).astype(np.uint8)),
        Image.fromarray(((np.arange(40)[None].repeat(24, 0) < 20) * 255).astype(np.uint8)).convert(
            "1"
        ),
        Image.fromarray(((np.arange(40)[None].repeat(24, 0) < 20) * 255).astype(np.uint8)).convert(
            "P"
        ),
    ],
)
def test_every_kind_of_mask_means_the_same(mask: Any) -> None:
    photo = np.asarray(picture("RGB"))
    np.testing.assert_array_equal(
        render(photo, mask, BRIGHTER), render(photo, "rect:0,0,20,24", BRIGHTER)
    )


def test_redirect_equals_predict_and_render(redirector: Redirector) -> None:
    photo = picture("RGB")
    result = redirector.redirect(photo, LEFT, strength=-0.5)
    edit = redirector.predict(photo, LEFT).at(-0.5)
    assert edit.direction == "divert"
    np.testing.assert_array_equal(np.asarray(result), np.asarray(render(photo, LEFT, edit)))
    np.testing.assert_array_equal(redirector.redirect(np.asarray(photo), LEFT, -0.5), result)


def test_strength_zero_is_the_picture_bit_for_bit(redirector: Redirector) -> None:
    photo = np.asarray(picture("RGB"))
    np.testing.assert_array_equal(redirector.redirect(photo, LEFT, strength=0.0), photo)


def test_network_and_share_agree_for_pil_and_numpy(redirector: Redirector) -> None:
    photo = picture("RGB")
    assert (
        redirector.predict(photo, LEFT).attract
        == redirector.predict(np.asarray(photo), LEFT).attract
    )


def test_embedded_profile_reaches_the_proxy(redirector: Redirector) -> None:
    import pyvips

    photo = picture("RGB")
    plain = redirector.predict(photo, LEFT)
    photo.info["icc_profile"] = bytes(pyvips.Image.profile_load("p3"))
    wide = redirector.predict(photo, LEFT)
    assert not np.allclose(plain.proxy.rgb, wide.proxy.rgb, atol=1e-3)
    assert render(photo, LEFT, BRIGHTER).info["icc_profile"] == photo.info["icc_profile"]


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((4, 4, 5), np.uint8), "shape"),
        (np.zeros((0, 4, 3), np.uint8), "shape"),
        (np.zeros(4, np.uint8), "shape"),
        (np.zeros((4, 4, 3), np.int32), "int32"),
        (np.full((4, 4, 3), np.nan, np.float32), "finite"),
        (Image.new("CMYK", (4, 4)), "CMYK"),
        (Image.new("1", (4, 4)), "two tones"),
        ([[1, 2], [3, 4]], "list"),
    ],
)
def test_what_is_no_picture_is_refused(image: Any, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        render(image, "rect:0,0,2,2", BRIGHTER)


def test_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(MaskError):
        render(np.zeros((4, 8, 3), np.uint8), np.ones((4, 4), np.uint8), BRIGHTER)


def test_every_exported_name_is_there() -> None:
    for name in gazeshift.__all__:
        assert getattr(gazeshift, name) is not None
    assert set(gazeshift.__all__) <= set(dir(gazeshift))
    with pytest.raises(AttributeError, match="nothing"):
        gazeshift.nothing  # noqa: B018 - the access is the test


@pytest.mark.parametrize(
    "order",
    [
        "from gazeshift import render; import gazeshift.render",
        "import gazeshift.render; from gazeshift import render",
        "from gazeshift.render import render as inner; from gazeshift import render",
    ],
)
def test_render_is_the_function_whatever_was_imported_first(order: str) -> None:
    code = f"{order}; import gazeshift; assert callable(render); assert gazeshift.render is render"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("name", ["gazeshift", "gazeshift.attention", "gazeshift.pictures"])
def test_docstring_examples_run(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_examples_of_the_python_page_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redirector: Redirector
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GAZESHIFT_MODELS", str(tmp_path))
    assert redirector.network.path.parent == tmp_path
    picture("RGB").save("photo.jpg")
    picture("RGB").save("photo.tif")
    mask = np.zeros(SIZE, np.uint8)
    mask[:, :20] = 255
    Image.fromarray(mask).save("mask.png")
    page = Path(gazeshift.__file__).parents[2] / "docs" / "python.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 5
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)  # noqa: S102 - our own documentation
    with Image.open("out.jpg") as written:
        assert written.size == (40, 24)
    assert (tmp_path / "out.tif").is_file()


def test_grey_stays_grey_under_a_colour_edit() -> None:
    colour = [*region_numbers()[:11], *[1.25] * 4, *[0.8] * 4, *[1.0] * 16]
    edit = Edit.from_vector([*colour, *region_numbers()], direction="attract")
    grey = np.linspace(0, 255, 24 * 40).reshape(SIZE).astype(np.uint8)
    result = render(grey, LEFT, edit)
    as_rgb = render(np.repeat(grey[..., None], 3, axis=2), LEFT, edit)
    np.testing.assert_allclose(result, as_rgb.mean(axis=2), atol=0.5)
