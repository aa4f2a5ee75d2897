"""Luminance contrast (opt-in): the S-curve on luminance, for reproducing the paper."""

from __future__ import annotations

import math

from gazeshift.operators.arrays import clip_unit, is_plain_identity, namespace, per_image
from gazeshift.operators.spec import Array, OperatorSpec, Parameter, Value

SPEC = OperatorSpec(
    id="luminance_contrast",
    version=1,
    label="Luminance contrast",
    help="Contrast that scales all channels by the luminance's curve; no editor holds it.",
    order=31,
    locality="point",
    is_separable=False,
    is_default=False,
    parameters=(
        Parameter(
            "amount",
            identity=0.0,
            hard=(-1.0, 1.0),
            ui=(-1.0, 1.0),
            unit="",
            help="1 is a full cosine S-curve on luminance.",
        ),
    ),
)


def apply_luminance_contrast(rgb: Array, *, amount: Value) -> Array:
    """Scale all channels so that luminance follows a cosine S-curve.

    Parameters
    ----------
    rgb
        Shape (..., H, W, 3), encoded, 0-1.
    amount
        -1 to 1; a float, or one number per image of the batch.

    References
    ----------
    Hu et al. (2018), "Exposure", contrast filter, with luminance .27 R + .67 G + .06 B.
    """
    if is_plain_identity(amount, 0.0):
        return rgb
    xp = namespace(rgb)
    clipped = clip_unit(rgb)
    luminance = 0.27 * clipped[..., 0:1] + 0.67 * clipped[..., 1:2] + 0.06 * clipped[..., 2:3]
    curve = 0.5 - 0.5 * xp.cos(math.pi * luminance)
    gain = curve / xp.clip(luminance, 1e-6, None)
    return clip_unit(rgb + per_image(amount, rgb) * clipped * (gain - 1.0))
