"""What the renderer promises: equal to the reference, whatever the picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.render_pictures import (
    assert_within_bounds,
    masks,
    noise,
    reference,
    region,
    scene,
    steepest_edit,
    strong_edit,
)

from gazeshift.edit import Edit, RegionParameters
from gazeshift.errors import ImageError, MaskError, ParamError
from gazeshift.kernel import VARIABLE, native_levels
from gazeshift.mask import as_fraction
from gazeshift.operators import OPERATORS
from gazeshift.render import active_kernel, render

DTYPES = ("uint8", "uint16", "float32")
KERNELS = ("numpy", *native_levels()[:1])
SIZES = ((1, 1), (7, 3), (65, 1030))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["hard", "soft", "empty", "full"])
def test_result_equals_the_reference(dtype, size, kind):
    mask = masks(size)[kind]
    for make in (noise, scene):
        pixels = make(size, dtype)
        edit = strong_edit(sum(size))
        assert_within_bounds(render(pixels, mask, edit), pixels, mask, edit.regions())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("make", [noise, scene])
def test_wide_blur_equals_the_reference(dtype, make):
    # 2600 px of diagonal: sigma 5.2, just above the size from which the small copy is used.
    size = (70, 2599)
    pixels, mask = make(size, dtype), masks(size)["soft"]
    edit = Edit(region(3, amount=2.0), region(4, amount=-1.0))
    assert_within_bounds(render(pixels, mask, edit), pixels, mask, edit.regions())


def test_wide_blur_equals_the_reference_in_a_long_strip():
    # sigma 14 on five rows: the blur reaches far beyond the borders.
    size = (5, 7001)
    pixels, mask = noise(size, "uint16"), masks(size)["soft"]
    edit = strong_edit()
    assert_within_bounds(render(pixels, mask, edit), pixels, mask, edit.regions())
    turned = render(pixels.swapaxes(0, 1), mask.T, edit)
    missed = np.abs(turned.swapaxes(0, 1).astype(int) - reference(pixels, mask, edit.regions()))
    assert missed.max() <= 1


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("dtype", "bound"), [("uint8", 1), ("uint16", 2), ("float32", 3e-5)])
@pytest.mark.parametrize("size", [(60, 200), (12, 2600), (8, 7001)])
def test_steepest_curve_stays_within_its_wider_bound(kernel, dtype, bound, size, monkeypatch):
    # Linear light near black is multiplied by more than 800 here.
    monkeypatch.setenv(VARIABLE, kernel)
    pixels, mask, edit = noise(size, dtype), masks(size)["soft"], steepest_edit()
    result = render(pixels, mask, edit).astype(np.float64)
    assert np.abs(result - reference(pixels, mask, edit.regions())).max() <= bound


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("kind", ["soft", "full"])
@pytest.mark.parametrize("make", [noise, scene])
def test_8_bits_miss_one_code_in_ten_thousand_at_most(kernel, kind, make, monkeypatch):
    monkeypatch.setenv(VARIABLE, kernel)
    size = (60, 2600)
    pixels, mask, edit = make(size, "uint8"), masks(size)[kind], strong_edit(2)
    assert (render(pixels, mask, edit) != reference(pixels, mask, edit.regions())).mean() <= 1e-4


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("amounts", [(0.0, 0.0), (0.0, 1.5), (-1.0, 0.0)])
def test_regions_may_leave_sharpening_out(dtype, amounts):
    size = (90, 140)
    pixels, mask = scene(size, dtype), masks(size)["soft"]
    edit = Edit(region(5, amount=amounts[0]), region(6, amount=amounts[1]))
    assert_within_bounds(render(pixels, mask, edit), pixels, mask, edit.regions())


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_region_may_be_left_as_it_is(dtype):
    size = (80, 600)
    pixels, mask = scene(size, dtype), masks(size)["soft"]
    edit = Edit(RegionParameters(), region(7))
    result = render(pixels, mask, edit)
    assert_within_bounds(result, pixels, mask, edit.regions())
    assert np.array_equal(result[mask == 1.0], pixels[mask == 1.0])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "extra",
    [
        {"saturation": {"amount": 0.8}},
        {"luminance_contrast": {"amount": 0.7}},
        {"gradient_sharpening": {"amount": 1.5}},
        {"gradient_sharpening": {"amount": -0.5}, "saturation": {"amount": -0.6}},
    ],
    ids=lambda extra: "+".join(extra),
)
def test_opt_in_operators_equal_the_reference(dtype, extra):
    # Larger than a tile both ways, so that a wrong overlap between tiles would show.
    size = (70, 1040)
    pixels, mask = scene(size, dtype), masks(size)["soft"]
    edit = Edit(region(8, extra=extra), region(9))
    assert_within_bounds(render(pixels, mask, edit), pixels, mask, edit.regions())


def test_neighbourhood_operators_reach_one_pixel():
    # The renderer's tiles overlap by one pixel for each of them; sharpening has its own blur.
    near = [id_ for id_, op in OPERATORS.items() if op.spec.locality == "neighbourhood"]
    for id_ in set(near) - {"sharpening"}:
        parameters = OPERATORS[id_].spec.parameters
        values = {p.name: p.hard[1] if p.count == 1 else [p.hard[1]] * p.count for p in parameters}
        picture = np.full((9, 9, 3), 0.5)
        dotted = picture.copy()
        dotted[4, 4] = 0.6
        apply = OPERATORS[id_].apply
        changed = np.any(apply(dotted, **values) != apply(picture, **values), axis=-1)
        changed[3:6, 3:6] = False
        assert not changed.any(), id_


@pytest.mark.parametrize("dtype", DTYPES)
def test_strength_zero_returns_an_exact_copy(dtype):
    pixels = noise((40, 30), dtype)
    result = render(pixels, masks((40, 30))["soft"], strong_edit(), 0.0)
    assert np.array_equal(result, pixels)
    assert not np.shares_memory(result, pixels)


def test_identity_edit_returns_an_exact_copy():
    pixels = noise((40, 30), "float32") * 3 - 1
    result = render(pixels, masks((40, 30))["soft"], Edit())
    assert np.array_equal(result, pixels)
    assert not np.shares_memory(result, pixels)


def test_strength_moves_the_dial_and_none_takes_the_edits_own():
    size = (60, 70)
    pixels, mask = scene(size, "uint8"), masks(size)["soft"]
    edit = strong_edit().with_strength(0.5)
    assert np.array_equal(render(pixels, mask, edit), render(pixels, mask, edit, 0.5))
    assert_within_bounds(render(pixels, mask, edit, 1.5), pixels, mask, edit.at(1.5))


def test_float_values_beyond_the_range_follow_the_reference():
    size = (70, 90)
    pixels = noise(size, "float32") * 2 - 0.5
    mask = masks(size)["soft"]
    for edit in (
        strong_edit(),
        Edit(region(5, amount=0.0), region(6, amount=1.0)),
        Edit(region(3)),
    ):
        assert_within_bounds(render(pixels, mask, edit), pixels, mask, edit.regions())


def test_result_does_not_depend_on_threads():
    size = (140, 600)
    mask = masks(size)["soft"]
    for dtype in DTYPES:
        pixels = scene(size, dtype)
        one = render(pixels, mask, strong_edit(), threads=1)
        for threads in (2, 3, 8):
            assert np.array_equal(one, render(pixels, mask, strong_edit(), threads=threads))


@pytest.mark.parametrize("dtype", DTYPES)
def test_strides_do_not_matter_and_inputs_stay(dtype):
    wide = noise((100, 240), dtype)
    mask = masks((100, 240))["soft"]
    views = [
        (wide[::2, ::3], mask[::2, ::3]),
        (wide[::-1, ::-1, ::-1], mask[::-1, ::-1]),
        (np.asfortranarray(wide), np.asfortranarray(mask)),
        (wide.swapaxes(0, 1), mask.T),
    ]
    for pixels, weights in views:
        before, weights_before = pixels.copy(), weights.copy()
        pixels.flags.writeable = weights.flags.writeable = False
        result = render(pixels, weights, strong_edit())
        pixels.flags.writeable = weights.flags.writeable = True
        assert np.array_equal(pixels, before)
        assert np.array_equal(weights, weights_before)
        assert np.array_equal(result, render(before.copy(), weights_before.copy(), strong_edit()))


def test_byte_masks_count_255_as_one():
    size = (60, 80)
    pixels = scene(size, "uint8")
    mask = np.rint(masks(size)["soft"] * 255).astype(np.uint8)
    edit = strong_edit()
    result = render(pixels, mask, edit)
    assert_within_bounds(result, pixels, mask, edit.regions())
    assert np.array_equal(result, render(pixels, as_fraction(mask), edit))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 10_000),
    strength=st.floats(0.0, 1.5),
    kind=st.sampled_from(["hard", "soft"]),
)
def test_any_edit_on_any_small_picture_equals_the_reference(
    height, width, dtype, seed, strength, kind
):
    pixels, mask = noise((height, width), dtype, seed), masks((height, width), seed)[kind]
    edit = Edit(region(seed), region(seed + 1))
    result = render(pixels, mask, edit, strength)
    assert_within_bounds(result, pixels, mask, edit.at(strength))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("edit", [strong_edit(), Edit(region(3, amount=0.0)), Edit()])
def test_nan_and_infinity_are_refused(bad, edit):
    pixels = noise((200, 30), "float32")
    pixels[150, 20, 1] = bad
    with pytest.raises(ImageError, match="NaN"):
        render(pixels, np.ones((200, 30), np.float32), edit)


@pytest.mark.parametrize("bad", [np.nan, 1.01, -0.01])
def test_masks_outside_their_range_are_refused(bad):
    mask = np.ones((20, 30), np.float32)
    mask[10, 10] = bad
    with pytest.raises(MaskError, match="outside 0 to 1"):
        render(noise((20, 30), "uint8"), mask, strong_edit())


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.float64),
        np.zeros((4, 4, 3), np.int16),
        [[1, 2, 3]],
    ],
    ids=["grey", "alpha", "empty", "float64", "int16", "list"],
)
def test_other_arrays_are_refused(pixels):
    with pytest.raises(ImageError):
        render(pixels, np.ones((4, 4), np.float32), strong_edit())


@pytest.mark.parametrize(
    "mask",
    [np.ones((4, 5), np.float32), np.ones((4, 4, 1), np.float32), np.ones((4, 4)), None],
    ids=["size", "axes", "float64", "none"],
)
def test_masks_that_do_not_fit_are_refused(mask):
    with pytest.raises(MaskError):
        render(noise((4, 4), "uint8"), mask, strong_edit())


@pytest.mark.parametrize("threads", [0, -1, 1.5, True])
def test_threads_must_be_a_count(threads):
    with pytest.raises(ParamError, match="threads"):
        render(noise((4, 4), "uint8"), np.ones((4, 4), np.float32), strong_edit(), threads=threads)


def test_strength_out_of_range_is_refused():
    with pytest.raises(ParamError, match="strength"):
        render(noise((4, 4), "uint8"), np.ones((4, 4), np.float32), strong_edit(), 1.6)


def test_active_kernel_has_a_name():
    assert active_kernel()
