"""Bands rendered one by one are the whole picture rendered at once."""

from __future__ import annotations

import numpy as np
import pytest
from tests.core.render_pictures import masks, noise, region, scene, strong_edit

from gazeshift.edit import Edit
from gazeshift.errors import ImageError, MaskError
from gazeshift.kernel import VARIABLE, native_levels
from gazeshift.render import render
from gazeshift.streaming import render_bands

KERNELS = ("numpy", *native_levels()[:1])


def streamed(pixels, mask, edit, **options):
    height, width = mask.shape
    bands = render_bands(
        lambda top, bottom: pixels[top:bottom],
        lambda top, bottom: mask[top:bottom],
        edit,
        height=height,
        width=width,
        **options,
    )
    return np.concatenate(list(bands))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("size", [(1, 1), (600, 40), (2700, 7), (3, 2700)])
def test_bands_are_the_whole_picture(kernel, dtype, size, monkeypatch):
    monkeypatch.setenv(VARIABLE, kernel)
    pixels, mask = scene(size, dtype), masks(size)["soft"]
    edits = (strong_edit(), Edit(region(2, amount=0.0)), Edit())
    for edit in edits:
        whole = render(pixels, mask, edit)
        assert np.array_equal(streamed(pixels, mask, edit), whole)


def test_opt_in_operators_reach_across_bands():
    size = (600, 30)
    pixels, mask = scene(size, "uint8"), masks(size)["soft"]
    edit = Edit(region(1, extra={"gradient_sharpening": {"amount": 1.5}}), region(2))
    assert np.array_equal(streamed(pixels, mask, edit), render(pixels, mask, edit))


def test_progress_rises_to_one():
    seen = []
    pixels, mask = noise((2700, 5), "uint8"), masks((2700, 5))["soft"]
    streamed(pixels, mask, strong_edit(), progress=seen.append, threads=2)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1.0)


def test_only_some_rows_are_asked_for_at_a_time():
    pixels, mask = noise((9000, 3), "uint8"), np.ones((9000, 3), np.float32)
    asked = []

    def rows(top, bottom):
        asked.append((top, bottom))
        return pixels[top:bottom]

    for _ in render_bands(rows, lambda a, b: mask[a:b], strong_edit(), height=9000, width=3):
        pass
    assert all(0 <= top < bottom <= 9000 for top, bottom in asked)
    assert max(bottom - top for top, bottom in asked) < 400


def test_bad_rows_are_refused():
    pixels, mask = noise((300, 5), "float32"), np.ones((300, 5), np.float32)
    pixels[299, 0, 0] = np.nan
    with pytest.raises(ImageError, match="NaN"):
        streamed(pixels, mask, strong_edit())
    pixels[299, 0, 0] = 0.5
    with pytest.raises(MaskError):
        streamed(pixels, mask * 2, strong_edit())
    with pytest.raises(ImageError, match="expected"):
        list(
            render_bands(
                lambda top, bottom: pixels[:1],
                lambda top, bottom: mask[top:bottom],
                strong_edit(),
                height=300,
                width=5,
            )
        )
