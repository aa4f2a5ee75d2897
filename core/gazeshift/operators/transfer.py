"""The sRGB transfer curve, used for every profile (IEC 61966-2-1)."""

from __future__ import annotations

from gazeshift.operators.arrays import namespace
from gazeshift.operators.spec import Array


def decode_srgb(encoded: Array) -> Array:
    """Return linear light for encoded values in 0-1."""
    xp = namespace(encoded)
    # The lower limit keeps the power's gradient finite where the linear branch is taken.
    power = ((xp.clip(encoded, 0.04045, None) + 0.055) / 1.055) ** 2.4
    return xp.where(encoded <= 0.04045, encoded / 12.92, power)


def encode_srgb(linear: Array) -> Array:
    """Return encoded values for linear light in 0-1."""
    xp = namespace(linear)
    power = 1.055 * xp.clip(linear, 0.0031308, None) ** (1.0 / 2.4) - 0.055
    return xp.where(linear <= 0.0031308, linear * 12.92, power)
