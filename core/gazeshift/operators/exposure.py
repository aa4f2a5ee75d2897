"""Exposure: one gain on the encoded values, in stops."""

from __future__ import annotations

from gazeshift.operators.arrays import clip_unit, is_plain_identity, per_image
from gazeshift.operators.spec import Array, OperatorSpec, Parameter, Value

SPEC = OperatorSpec(
    id="exposure",
    version=1,
    label="Exposure",
    help="Brightens or darkens.",
    order=20,
    locality="point",
    is_separable=True,
    is_default=True,
    treats_channels_alike=True,
    parameters=(
        Parameter(
            "ev",
            identity=0.0,
            hard=(-2.0, 2.0),
            ui=(-1.0, 1.0),
            unit="EV",
            help="Brightness change in stops; +1 doubles the encoded value.",
        ),
    ),
)


def apply_exposure(rgb: Array, *, ev: Value) -> Array:
    """Multiply encoded values by `2^ev` and clip to 0-1.

    Parameters
    ----------
    rgb
        Shape (..., H, W, 3), encoded, 0-1.
    ev
        -2 to 2 stops; a float, or one number per image of the batch.
    """
    if is_plain_identity(ev, 0.0):
        return rgb
    return clip_unit(rgb * 2.0 ** per_image(ev, rgb))
