"""Sharpening: unsharp masking in linear light with a radius that grows with the picture."""

from __future__ import annotations

import math

from gazeshift.operators.arrays import clip_unit, gaussian_blur, is_plain_identity, per_image
from gazeshift.operators.spec import Array, OperatorSpec, Parameter, Value
from gazeshift.operators.transfer import decode_srgb, encode_srgb

SIGMA_PER_DIAGONAL = 1.0 / 500.0
"""Standard deviation of the blur as a part of the picture's diagonal."""

SPEC = OperatorSpec(
    id="sharpening",
    version=1,
    label="Sharpening",
    help="Sharpens fine detail above zero, softens it below.",
    order=10,
    locality="neighbourhood",
    is_separable=False,
    is_default=True,
    parameters=(
        Parameter(
            "amount",
            identity=0.0,
            hard=(-1.0, 2.0),
            ui=(-1.0, 2.0),
            unit="",
            help="Part of the detail that is added; -1 leaves the blurred picture.",
        ),
    ),
)


def sigma_for(height: int, width: int) -> float:
    """Return the blur's standard deviation in pixels for a picture of this size.

    The radius follows the diagonal, so that an edit predicted on a small copy means the same
    on the original.
    """
    return math.hypot(height, width) * SIGMA_PER_DIAGONAL


def apply_sharpening(rgb: Array, *, amount: Value, sigma_px: float | None = None) -> Array:
    """Add a multiple of the fine detail, `l + amount (l - G * l)`, in linear light.

    Parameters
    ----------
    rgb
        Shape (..., H, W, 3), encoded, 0-1.
    amount
        -1 to 2; a float, or one number per image of the batch.
    sigma_px
        Standard deviation of the Gaussian G in pixels; by default the picture's diagonal / 500.

    Returns
    -------
    Array
        Shape of `rgb`, encoded, 0-1. An amount of 0 returns the input bit for bit.

    References
    ----------
    GEGL's `unsharp-mask`, which works in linear light as well.
    """
    if is_plain_identity(amount, 0.0):
        return rgb
    if sigma_px is None:
        sigma_px = sigma_for(rgb.shape[-3], rgb.shape[-2])
    encoded = clip_unit(rgb)
    linear = decode_srgb(encoded)
    detail = linear - gaussian_blur(linear, sigma_px)
    sharpened = encode_srgb(clip_unit(linear + per_image(amount, rgb) * detail))
    # The difference of two round trips is exactly zero at amount 0, where the gradient survives.
    return clip_unit(rgb + (sharpened - encode_srgb(linear)))
