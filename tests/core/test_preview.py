"""The preview draws what the renderer renders, whatever the slider's history."""

from __future__ import annotations

import numpy as np
import pytest
from tests.core.render_pictures import (
    assert_within_bounds,
    masks,
    noise,
    region,
    scene,
    strong_edit,
)

from gazeshift.edit import Edit
from gazeshift.errors import ImageError, MaskError, ParamError
from gazeshift.kernel import VARIABLE, native_levels
from gazeshift.preview import Preview
from gazeshift.render import render

KERNELS = ("numpy", *native_levels())


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("size", [(1, 1), (90, 300), (20, 2600)])
def test_preview_equals_the_reference(kernel, dtype, size, monkeypatch):
    monkeypatch.setenv(VARIABLE, kernel)
    pixels, mask = scene(size, dtype), masks(size)["soft"]
    preview = Preview(pixels, mask)
    for edit in (strong_edit(), strong_edit(9)):
        for strength in (1.0, 0.4):
            result = preview.at(edit, strength)
            assert_within_bounds(result, pixels, mask, edit.at(strength))


@pytest.mark.parametrize("kernel", native_levels())
def test_native_preview_is_the_native_rendering(kernel, monkeypatch):
    monkeypatch.setenv(VARIABLE, kernel)
    pixels, mask = scene((70, 200), "uint8"), masks((70, 200))["soft"]
    edit = strong_edit()
    assert np.array_equal(Preview(pixels, mask).at(edit), render(pixels, mask, edit))


def test_redraws_do_not_depend_on_what_was_drawn_before():
    pixels, mask = scene((70, 200), "uint8"), masks((70, 200))["soft"]
    edit, plain = strong_edit(), Edit(region(3, amount=0.0))
    used = Preview(pixels, mask)
    for other in (plain, strong_edit(4), Edit()):
        used.at(other)
    assert np.array_equal(used.at(edit), Preview(pixels, mask).at(edit))


def test_strength_zero_draws_a_copy_of_the_picture():
    pixels, mask = noise((20, 30), "uint8"), masks((20, 30))["soft"]
    drawn = Preview(pixels, mask).at(strong_edit(), 0.0)
    assert np.array_equal(drawn, pixels)
    assert not np.shares_memory(drawn, pixels)


def test_byte_masks_and_strided_pictures_are_taken():
    pixels = noise((60, 90), "uint8")[::2, ::-3]
    mask = np.rint(masks((60, 90))["soft"] * 255).astype(np.uint8)[::2, ::-3]
    edit = strong_edit()
    assert_within_bounds(Preview(pixels, mask).at(edit), pixels, mask, edit.regions())


def test_floats_beyond_the_range_are_drawn():
    pixels, mask = noise((30, 40), "float32") * 2 - 0.5, masks((30, 40))["soft"]
    edit = strong_edit()
    assert_within_bounds(Preview(pixels, mask).at(edit), pixels, mask, edit.regions())


def test_bad_inputs_are_refused():
    good, mask = noise((4, 4), "float32"), np.ones((4, 4), np.float32)
    with pytest.raises(ImageError):
        Preview(np.full((4, 4, 3), np.nan, np.float32), mask)
    with pytest.raises(ImageError):
        Preview(good[..., 0], mask)
    with pytest.raises(MaskError):
        Preview(good, mask[:3])
    with pytest.raises(MaskError):
        Preview(good, mask * 2)
    with pytest.raises(ParamError):
        Preview(good, mask).at(strong_edit(), 2.0)


def test_shape_is_the_pictures():
    assert Preview(noise((4, 7), "uint8"), np.ones((4, 7), np.float32)).shape == (4, 7)
