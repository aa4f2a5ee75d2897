"""What every operator must do, checked for each one the registry finds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeshift.edit import Edit, RegionParameters
from gazeshift.operators import OPERATORS

IDS = list(OPERATORS)
SIZES = [(1, 1), (7, 3), (1, 9), (16, 12)]
LARGE = (150, 120)  # below a diagonal of about 150 px the sharpening radius vanishes


def picture(height: int, width: int, dtype: type = np.float32) -> np.ndarray:
    rng = np.random.default_rng(height * 100 + width)
    return rng.random((height, width, 3)).astype(dtype)


def limits(operator_id: str, end: int) -> dict:
    """Return arguments at a hard limit; relative vectors get a jump from one limit to the other."""
    arguments = {}
    for parameter in OPERATORS[operator_id].spec.parameters:
        value = parameter.hard[end]
        if parameter.count == 1:
            arguments[parameter.name] = value
        else:
            half = parameter.count // 2
            other = parameter.hard[1 - end]
            arguments[parameter.name] = [value] * half + [other] * (parameter.count - half)
    return arguments


def identity(operator_id: str) -> dict:
    return {
        parameter.name: parameter.identity
        if parameter.count == 1
        else [parameter.identity] * parameter.count
        for parameter in OPERATORS[operator_id].spec.parameters
    }


@pytest.mark.parametrize("operator_id", IDS)
@pytest.mark.parametrize("size", SIZES)
def test_identity_returns_the_input_bit_for_bit(operator_id, size):
    rgb = picture(*size)
    assert np.array_equal(OPERATORS[operator_id].apply(rgb, **identity(operator_id)), rgb)


@pytest.mark.parametrize("operator_id", IDS)
def test_batched_identity_returns_the_input_bit_for_bit(operator_id):
    rgb = np.stack([picture(7, 5), picture(7, 5) ** 2])
    arguments = {
        name: np.asarray([value, value], np.float32)
        for name, value in identity(operator_id).items()
    }
    assert np.array_equal(OPERATORS[operator_id].apply(rgb, **arguments), rgb)


@pytest.mark.parametrize("operator_id", IDS)
@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_limits_keep_shape_dtype_and_range_and_leave_the_input_alone(operator_id, end, size, dtype):
    rgb = picture(*size, dtype)
    rgb.flat[0], rgb.flat[-1] = 0.0, 1.0
    before = rgb.copy()
    result = OPERATORS[operator_id].apply(rgb, **limits(operator_id, end))
    assert result.shape == rgb.shape
    assert result.dtype == dtype
    assert np.isfinite(result).all()
    assert result.min() >= 0.0
    assert result.max() <= 1.0
    assert np.array_equal(rgb, before)


@pytest.mark.parametrize("operator_id", IDS)
@pytest.mark.parametrize("end", [0, 1])
def test_limits_change_the_picture(operator_id, end):
    rgb = picture(*LARGE)
    result = OPERATORS[operator_id].apply(rgb, **limits(operator_id, end))
    assert np.abs(result - rgb).max() > 0.01


@pytest.mark.parametrize("operator_id", IDS)
@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize("size", SIZES)
def test_numpy_equals_torch(operator_id, end, size):
    rgb = picture(*size, np.float64)
    arguments = limits(operator_id, end)
    ours = OPERATORS[operator_id].apply(rgb, **arguments)
    theirs = OPERATORS[operator_id].apply(torch.from_numpy(rgb), **arguments)
    np.testing.assert_allclose(theirs.numpy(), ours, atol=1e-12)


@pytest.mark.parametrize("operator_id", IDS)
@pytest.mark.parametrize("place", ["identity", "inside"])
def test_every_parameter_and_pixel_has_a_finite_gradient(operator_id, place):
    rgb = torch.from_numpy(picture(*LARGE)).clone()
    rgb[0, 0] = 0.0
    rgb[0, 1] = 1.0
    rgb.requires_grad_(True)
    arguments = {}
    for parameter in OPERATORS[operator_id].spec.parameters:
        start = torch.full((parameter.count,), parameter.identity)
        if place == "inside":
            ramp = torch.linspace(0.2, 0.6, parameter.count)
            start = start + (parameter.hard[1] - parameter.identity) * ramp
        start = start[0] if parameter.count == 1 else start
        arguments[parameter.name] = start.clone().requires_grad_(True)
    weights = torch.linspace(0.5, 1.5, rgb.numel()).reshape(rgb.shape)
    (OPERATORS[operator_id].apply(rgb, **arguments) * weights).sum().backward()
    assert torch.isfinite(rgb.grad).all()
    for name, value in arguments.items():
        assert torch.isfinite(value.grad).all(), name
        assert value.grad.abs().max() > 0, name


@pytest.mark.parametrize("operator_id", IDS)
def test_one_batch_equals_its_images_one_by_one(operator_id):
    rgb = np.stack([picture(8, 6), picture(8, 6)[::-1]])
    both = [limits(operator_id, 0), limits(operator_id, 1)]
    stacked = {
        name: np.asarray([arguments[name] for arguments in both], np.float32) for name in both[0]
    }
    batch = OPERATORS[operator_id].apply(rgb, **stacked)
    for k in range(2):
        single = OPERATORS[operator_id].apply(rgb[k], **both[k])
        np.testing.assert_allclose(batch[k], single, atol=1e-6)


@pytest.mark.parametrize("operator_id", IDS)
def test_separable_operators_treat_each_value_alone(operator_id):
    spec = OPERATORS[operator_id].spec
    if not spec.is_separable:
        # The claim is about the others: a lone channel must not be enough for this operator.
        assert spec.locality == "neighbourhood" or not spec.is_default
        return
    rgb = picture(6, 5)
    shuffled = rgb.reshape(-1, 3)[::-1].reshape(rgb.shape)
    arguments = limits(operator_id, 1)
    direct = OPERATORS[operator_id].apply(rgb, **arguments).reshape(-1, 3)[::-1]
    other = OPERATORS[operator_id].apply(shuffled, **arguments).reshape(-1, 3)
    np.testing.assert_array_equal(other, direct)
    only_red = rgb.copy()
    only_red[..., 1:] = 0.5
    np.testing.assert_array_equal(
        OPERATORS[operator_id].apply(only_red, **arguments)[..., 0],
        OPERATORS[operator_id].apply(rgb, **arguments)[..., 0],
    )


@pytest.mark.parametrize("operator_id", IDS)
def test_specs_are_complete_and_consistent(operator_id):
    spec = OPERATORS[operator_id].spec
    assert spec.id == operator_id
    assert spec.help.endswith(".")
    assert spec.label
    for parameter in spec.parameters:
        low, high = parameter.hard
        assert low < parameter.identity < high
        assert low <= parameter.ui[0] < parameter.ui[1] <= high
        assert parameter.help.endswith(".")


def drawn_values(draw, operator_id):
    values = {}
    for parameter in OPERATORS[operator_id].spec.parameters:
        numbers = st.floats(*parameter.hard, allow_nan=False)
        if parameter.count == 1:
            values[parameter.name] = draw(numbers)
        else:
            values[parameter.name] = draw(
                st.lists(numbers, min_size=parameter.count, max_size=parameter.count)
            )
    return values


@pytest.mark.parametrize("operator_id", IDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_parameters_survive_the_edit_file(operator_id, data):
    values = {operator_id: drawn_values(data.draw, operator_id)}
    edit = Edit(RegionParameters(values), RegionParameters(), strength=0.5)
    assert Edit.loads(edit.dumps()) == edit


@pytest.mark.parametrize("operator_id", IDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_parameters_give_a_picture_in_range(operator_id, data):
    values = drawn_values(data.draw, operator_id)
    result = OPERATORS[operator_id].apply(picture(5, 4), **values)
    assert np.isfinite(result).all()
    assert 0.0 <= result.min() <= result.max() <= 1.0
