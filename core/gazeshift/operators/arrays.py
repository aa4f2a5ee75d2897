"""Array helpers that several operators share, written once for numpy and torch."""

from __future__ import annotations

import math

from gazeshift.operators.spec import Array, Value

_IS_STANDARD = "__array_namespace_info__"
"""A numpy with this function (2.1 and later) is an array-API namespace itself."""


def namespace(rgb: Array) -> Array:
    """Return the array-API namespace (numpy or torch) that `rgb` belongs to."""
    import numpy

    if isinstance(rgb, (numpy.ndarray, numpy.generic)) and hasattr(numpy, _IS_STANDARD):
        return numpy
    # Its wrapper of numpy loads all of numpy, even f2py: a fifth of a second.
    import array_api_compat

    return array_api_compat.array_namespace(rgb)


def as_array(value: Value, like: Array) -> Array:
    """Return `value` as an array of the kind, dtype and device of `like`."""
    import array_api_compat

    xp = namespace(like)
    if array_api_compat.is_array_api_obj(value):
        return xp.astype(value, like.dtype)
    return xp.asarray(value, dtype=like.dtype, device=array_api_compat.device(like))


def per_image(value: Value, rgb: Array) -> Array:
    """Shape one number per image so that it spreads over rows, columns and channels.

    Parameters
    ----------
    value
        A float, or an array of shape (...) that holds one number per image of the batch.
    rgb
        Shape (..., H, W, 3).

    Returns
    -------
    Array
        Shape (..., 1, 1, 1).
    """
    array = as_array(value, rgb)
    return array[..., None, None, None]


def is_plain_identity(value: Value, identity: float) -> bool:
    """Tell whether `value` is a plain number (not an array) that changes nothing."""
    return isinstance(value, (int, float)) and value == identity


def clip_unit(values: Array) -> Array:
    """Return `values` limited to 0-1."""
    return namespace(values).clip(values, 0.0, 1.0)


def piecewise_linear(channel: Array, slopes: Array) -> Array:
    """Apply a curve of equally wide linear segments through (0, 0) and (1, 1).

    Written as a correction to the input, `x + sum_k clip(x - k/n, 0, 1/n) (n t_k / sum(t) - 1)`,
    which equals the definition `sum_k clip(x - k/n, 0, 1/n) n t_k / sum(t)` and returns the input
    bit for bit when all slopes are equal to one.

    Parameters
    ----------
    channel
        Encoded values, 0-1, shape (..., H, W) or (..., H, W, C).
    slopes
        Relative slopes of the n segments, positive; shape (..., n), with singleton axes such
        that `slopes[..., k]` spreads over `channel`.

    Returns
    -------
    Array
        Shape of `channel`, 0-1.
    """
    xp = namespace(channel)
    count = slopes.shape[-1]
    relative = slopes / xp.mean(slopes, axis=-1, keepdims=True) - 1.0
    correction = xp.clip(channel, 0.0, 1.0 / count) * relative[..., 0]
    for k in range(1, count):
        piece = xp.clip(channel - k / count, 0.0, 1.0 / count)
        correction = correction + piece * relative[..., k]
    return clip_unit(channel + correction)


def gaussian_weights(sigma_px: float) -> list[float]:
    """Return a normalised Gaussian of odd length that reaches five standard deviations.

    Parameters
    ----------
    sigma_px
        Standard deviation in pixels, positive.
    """
    radius_px = max(1, math.ceil(5.0 * sigma_px))
    raw = [math.exp(-0.5 * (k / sigma_px) ** 2) for k in range(-radius_px, radius_px + 1)]
    total = math.fsum(raw)
    return [weight / total for weight in raw]


def gaussian_blur(values: Array, sigma_px: float) -> Array:
    """Blur rows and columns with a Gaussian; outside the image the edge pixel repeats.

    Parameters
    ----------
    values
        Shape (..., H, W, C).
    sigma_px
        Standard deviation in pixels, positive.
    """
    import array_api_compat

    xp = namespace(values)
    weights = gaussian_weights(sigma_px)
    radius_px = len(weights) // 2
    for axis in (-3, -2):
        length = values.shape[axis]
        # GEGL's and Photoshop's filters repeat the edge pixel; matching it keeps layers equal.
        positions = xp.arange(
            -radius_px, length + radius_px, device=array_api_compat.device(values)
        )
        index = xp.clip(positions, 0, length - 1)
        padded = xp.take(values, index, axis=axis)
        blurred = None
        for k, weight in enumerate(weights):
            window = [slice(None)] * values.ndim
            window[axis] = slice(k, k + length)
            term = padded[tuple(window)] * weight
            blurred = term if blurred is None else blurred + term
        values = blurred
    return values
