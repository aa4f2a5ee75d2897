"""Color: one piecewise-linear curve per channel."""

from __future__ import annotations

from gazeshift.operators.arrays import as_array, namespace, piecewise_linear
from gazeshift.operators.spec import Array, OperatorSpec, Parameter, Value

_HARD = (0.8, 1.25)


def _channel(name: str) -> Parameter:
    return Parameter(
        name,
        identity=1.0,
        hard=_HARD,
        ui=_HARD,
        unit="",
        help=f"Relative slopes of eight equal segments of the {name} curve.",
        count=8,
        is_relative=True,
    )


SPEC = OperatorSpec(
    id="color",
    version=1,
    label="Color curves",
    help="Bends the red, green and blue curves a little.",
    order=50,
    locality="point",
    is_separable=True,
    is_default=True,
    parameters=(_channel("red"), _channel("green"), _channel("blue")),
)


def apply_color(rgb: Array, *, red: Value, green: Value, blue: Value) -> Array:
    """Apply a curve of eight linear segments to each channel.

    Parameters
    ----------
    rgb
        Shape (..., H, W, 3), encoded, 0-1.
    red, green, blue
        Eight numbers in 0.8-1.25 each, or arrays of shape (..., 8); only ratios matter.

    References
    ----------
    Hu et al. (2018), "Exposure", section 4.1; the range is a little wider than its 0.90-1.10.
    """
    xp = namespace(rgb)
    slopes = xp.stack([as_array(value, rgb) for value in (red, green, blue)], axis=-2)
    return piecewise_linear(rgb, slopes[..., None, None, :, :])
