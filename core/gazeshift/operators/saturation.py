"""Saturation (opt-in): the enhancement in HSV that the paper's ablation adds."""

from __future__ import annotations

from gazeshift.operators.arrays import clip_unit, is_plain_identity, namespace, per_image
from gazeshift.operators.spec import Array, OperatorSpec, Parameter, Value

SPEC = OperatorSpec(
    id="saturation",
    version=1,
    label="Saturation",
    help="Makes colours stronger above zero, greyer below.",
    order=60,
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
            help="-1 removes colour, 1 is the full enhancement.",
        ),
    ),
)


def apply_saturation(rgb: Array, *, amount: Value) -> Array:
    """Scale HSV saturation, most where it is low and the value is neither dark nor light.

    With saturation s and value v the enhanced saturation is
    `s + (1 - s) (1/2 - |1/2 - v|) 0.8`; negative amounts go towards grey of the same value.

    Parameters
    ----------
    rgb
        Shape (..., H, W, 3), encoded, 0-1.
    amount
        -1 to 1; a float, or one number per image of the batch.

    References
    ----------
    Hu et al. (2018), "Exposure", saturation filter. Our change: negative amounts remove colour.
    """
    if is_plain_identity(amount, 0.0):
        return rgb
    xp = namespace(rgb)
    rgb = clip_unit(rgb)
    value = xp.max(rgb, axis=-1, keepdims=True)
    low = xp.min(rgb, axis=-1, keepdims=True)
    chroma = value - low
    safe_value = xp.clip(value, 1e-6, None)
    saturation = chroma / safe_value
    enhanced = saturation + (1.0 - saturation) * (0.5 - xp.abs(0.5 - value)) * 0.8
    # Hue and value stay: each channel keeps its share of the distance below the value.
    gain = enhanced / xp.clip(saturation, 1e-6, None)
    strength = per_image(amount, rgb)
    upward = xp.clip(strength, 0.0, None)
    downward = xp.clip(strength, None, 0.0)
    scale = 1.0 + upward * (gain - 1.0) + downward
    # Grey has no hue to strengthen.
    scale = xp.where(chroma <= 1e-6, xp.ones_like(scale), scale)
    return clip_unit(rgb + (value - rgb) * (1.0 - scale))
