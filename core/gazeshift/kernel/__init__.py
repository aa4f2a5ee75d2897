"""The native render kernel, where it was built: a thin, checked layer over `kernel.c`.

`GAZESHIFT_KERNEL` in the environment chooses the code that renders: `numpy`, `native` (the best
that this processor runs) or one instruction set by name, such as `avx2`. Without it the native
kernel is used wherever it is installed.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.errors import ParamError

VARIABLE = "GAZESHIFT_KERNEL"
NUMPY = "numpy"


def native_levels() -> tuple[str, ...]:
    """Return the instruction sets that the native kernel can use here, the best first.

    Empty where the kernel was not built.
    """
    module = native_module()
    return () if module is None else tuple(module.levels())


def chosen_kernel() -> str:
    """Return `numpy` or the instruction set that renders.

    Raises
    ------
    ParamError
        If `GAZESHIFT_KERNEL` names one that is not there.
    """
    wish = os.environ.get(VARIABLE, "")
    levels = native_levels()
    if wish == NUMPY or (not wish and not levels):
        return NUMPY
    if levels and wish in ("", "native"):
        return levels[0]
    if wish in levels:
        return wish
    raise ParamError(
        f"{VARIABLE} asks for the kernel '{wish}', which is not there.",
        hint=f"Known here: {', '.join((NUMPY, *levels))}.",
    )


@lru_cache(maxsize=1)
def native_module() -> Any:
    """Return the compiled module, or None where it was not built."""
    try:
        from gazeshift.kernel import _native  # type: ignore[attr-defined,unused-ignore]
    except ImportError:
        return None
    return _native


def is_packed(pixels: NDArray[Any]) -> bool:
    """Tell whether each row's pixels lie one behind the other, as the kernel needs them."""
    columns, size = pixels.shape[1], pixels.itemsize
    steps_pixels = columns == 1 or pixels.strides[1] == 3 * size
    return steps_pixels and pixels.strides[2] == size and pixels.flags.aligned


def packed(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return `pixels` themselves where the kernel can read them, else a copy."""
    return pixels if is_packed(pixels) else np.ascontiguousarray(pixels)
