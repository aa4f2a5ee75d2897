"""Gradient sharpening (opt-in): a gain that follows the Sobel gradient, for reproduction."""

from __future__ import annotations

import array_api_compat

from gazeshift.operators.arrays import clip_unit, is_plain_identity, namespace, per_image
from gazeshift.operators.spec import Array, OperatorSpec, Parameter, Value

SPEC = OperatorSpec(
    id="gradient_sharpening",
    version=1,
    label="Gradient sharpening",
    help="Brightens where the picture changes; depends on resolution, no editor holds it.",
    order=11,
    locality="neighbourhood",
    is_separable=False,
    is_default=False,
    parameters=(
        Parameter(
            "amount",
            identity=0.0,
            hard=(-1.0, 2.0),
            ui=(-1.0, 2.0),
            unit="",
            help="Gain per unit of gradient magnitude.",
        ),
    ),
)


def apply_gradient_sharpening(rgb: Array, *, amount: Value) -> Array:
    """Multiply by `1 + amount |gradient|`, the Sobel gradient of each channel divided by 4.

    Parameters
    ----------
    rgb
        Shape (..., H, W, 3), encoded, 0-1.
    amount
        -1 to 2; a float, or one number per image of the batch.

    References
    ----------
    "Look here!" (ECCV 2020), the sharpening its authors' published code describes; written anew
    from the formula.
    """
    if is_plain_identity(amount, 0.0):
        return rgb
    xp = namespace(rgb)
    height, width = rgb.shape[-3], rgb.shape[-2]
    device = array_api_compat.device(rgb)
    rows = xp.clip(xp.arange(-1, height + 1, device=device), 0, height - 1)
    columns = xp.clip(xp.arange(-1, width + 1, device=device), 0, width - 1)
    padded = xp.take(xp.take(rgb, rows, axis=-3), columns, axis=-2)

    def shifted(row: int, column: int) -> Array:
        return padded[..., row : row + height, column : column + width, :]

    horizontal = (shifted(0, 2) + 2.0 * shifted(1, 2) + shifted(2, 2)) - (
        shifted(0, 0) + 2.0 * shifted(1, 0) + shifted(2, 0)
    )
    vertical = (shifted(2, 0) + 2.0 * shifted(2, 1) + shifted(2, 2)) - (
        shifted(0, 0) + 2.0 * shifted(0, 1) + shifted(0, 2)
    )
    # The offset keeps the root's gradient finite on flat areas; removing it keeps them at zero.
    offset = 1e-12
    magnitude = xp.sqrt(horizontal**2 + vertical**2 + offset) - offset**0.5
    return clip_unit(rgb * (1.0 + per_image(amount, rgb) * magnitude / 4.0))
