"""Tone: one piecewise-linear curve for all three channels."""

from __future__ import annotations

from gazeshift.operators.arrays import as_array, piecewise_linear
from gazeshift.operators.spec import Array, OperatorSpec, Parameter, Value

SPEC = OperatorSpec(
    id="tone",
    version=1,
    label="Tone curve",
    help="Lightens or darkens shadows, midtones and highlights.",
    order=40,
    locality="point",
    is_separable=True,
    is_default=True,
    treats_channels_alike=True,
    parameters=(
        Parameter(
            "slopes",
            identity=1.0,
            hard=(0.5, 2.0),
            ui=(0.5, 2.0),
            unit="",
            help="Relative slopes of eight equal segments, from black to white.",
            count=8,
            is_relative=True,
        ),
    ),
)


def apply_tone(rgb: Array, *, slopes: Value) -> Array:
    """Apply a curve of eight linear segments through black and white to every channel.

    Parameters
    ----------
    rgb
        Shape (..., H, W, 3), encoded, 0-1.
    slopes
        Eight numbers in 0.5-2, or an array of shape (..., 8); only their ratios matter.

    References
    ----------
    Hu et al. (2018), "Exposure", section 4.1, with its slope range.
    """
    return piecewise_linear(rgb, as_array(slopes, rgb)[..., None, None, None, :])
