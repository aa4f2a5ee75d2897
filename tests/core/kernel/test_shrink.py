"""The native resampling: the same bits as the numpy code, for every kind of picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazeshift.kernel import NUMPY, VARIABLE
from gazeshift.resample import _native_module, resize

needs_native = pytest.mark.skipif(
    _native_module() is None, reason="the native resampling is not built here"
)


def both(values, height, width):
    results = []
    for kernel in (NUMPY, "native"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, kernel)
            results.append(resize(values, height, width))
    return results


def picture(shape, dtype, seed=0):
    numbers = np.random.default_rng(seed).random(shape)
    return (numbers * (1 if dtype == "float32" else np.iinfo(dtype).max)).astype(dtype)


@needs_native
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("shape", [(600, 901, 3), (601, 900), (300, 7, 3), (2, 3000, 3)])
@pytest.mark.parametrize("size", [(67, 100), (40, 33), (700, 31)])
def test_native_resampling_gives_the_same_bits(dtype, shape, size):
    fallback, native = both(picture(shape, dtype), *size)
    np.testing.assert_array_equal(native, fallback)


@pytest.mark.parametrize("kernel", [NUMPY, pytest.param("native", marks=needs_native)])
def test_bytes_as_fractions_give_the_same_bits_as_floats(kernel, monkeypatch):
    monkeypatch.setenv(VARIABLE, kernel)
    codes = picture((601, 900), "uint8")
    fractions = np.multiply(codes, 1 / 255, dtype=np.float32)
    np.testing.assert_array_equal(
        resize(codes, 67, 100, as_fraction=True), resize(fractions, 67, 100)
    )


@needs_native
@settings(deadline=None, max_examples=60)
@given(
    rows=st.integers(1, 400),
    columns=st.integers(1, 90),
    height=st.integers(1, 60),
    width=st.integers(2, 60),
    dtype=st.sampled_from(["uint8", "uint16", "float32"]),
    step=st.sampled_from([1, -1, 2]),
)
def test_native_resampling_agrees_for_any_size_and_stride(
    rows, columns, height, width, dtype, step
):
    values = picture((rows, columns, 4), dtype)[::step, ::step, :3]
    fallback, native = both(values, height, width)
    # numpy sums a single column of floats in pairs, not one after the other.
    np.testing.assert_allclose(native, fallback, rtol=2e-6)


@needs_native
def test_long_columns_of_bytes_do_not_overflow():
    fallback, native = both(np.full((1000, 3, 3), 255, np.uint8), 1, 1)
    np.testing.assert_array_equal(native, fallback)
    np.testing.assert_allclose(native, 255.0, rtol=1e-6)


@needs_native
def test_numbers_that_are_none_pass_through():
    values = np.ones((20, 20, 3), np.float32)
    values[3, 4, 1] = np.nan
    fallback, native = both(values, 5, 5)
    np.testing.assert_array_equal(native, fallback)
    assert np.isnan(native).sum() == 1
