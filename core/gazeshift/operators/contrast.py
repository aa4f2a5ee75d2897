"""Contrast: a cosine S-curve per channel."""

from __future__ import annotations

import math

from gazeshift.operators.arrays import clip_unit, is_plain_identity, namespace, per_image
from gazeshift.operators.spec import Array, OperatorSpec, Parameter, Value

SPEC = OperatorSpec(
    id="contrast",
    version=1,
    label="Contrast",
    help="Pulls dark and light values apart, or together.",
    order=30,
    locality="point",
    is_separable=True,
    is_default=True,
    treats_channels_alike=True,
    parameters=(
        Parameter(
            "amount",
            identity=0.0,
            hard=(-1.0, 1.0),
            ui=(-1.0, 1.0),
            unit="",
            help="1 is a full cosine S-curve, -1 its flattening counterpart.",
        ),
    ),
)


def apply_contrast(rgb: Array, *, amount: Value) -> Array:
    """Move encoded values along a cosine S-curve, `x + amount (1/2 - cos(pi x)/2 - x)`.

    Parameters
    ----------
    rgb
        Shape (..., H, W, 3), encoded, 0-1.
    amount
        -1 to 1; a float, or one number per image of the batch.

    References
    ----------
    The S-curve of Hu et al. (2018), "Exposure", applied per channel instead of to luminance, so
    that an editor can hold it as one curve.
    """
    if is_plain_identity(amount, 0.0):
        return rgb
    xp = namespace(rgb)
    curve = 0.5 - 0.5 * xp.cos(math.pi * clip_unit(rgb))
    return clip_unit(rgb + per_image(amount, rgb) * (curve - rgb))
