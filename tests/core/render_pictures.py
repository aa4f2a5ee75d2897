"""Pictures, masks and edits for the renderer's tests, and the reference's answer."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from gazeshift.decoder import apply_regions
from gazeshift.edit import Edit, RegionParameters

TOPS = {"uint8": 255, "uint16": 65535, "float32": None}


def region(seed, *, amount=None, extra=None):
    """A strong region with every default operator in use."""
    rng = np.random.default_rng(seed)
    values = {
        "sharpening": {"amount": rng.uniform(-1, 2) if amount is None else amount},
        "exposure": {"ev": rng.uniform(-0.8, 0.8)},
        "contrast": {"amount": rng.uniform(-0.6, 0.6)},
        "tone": {"slopes": list(rng.uniform(0.6, 1.8, 8))},
        "color": {name: list(rng.uniform(0.85, 1.2, 8)) for name in ("red", "green", "blue")},
    }
    return RegionParameters({**values, **(extra or {})})


def strong_edit(seed=1):
    return Edit(region(seed, amount=1.2), region(seed + 100, amount=-0.7))


def steepest_edit():
    """The curve that no other in the hard ranges exceeds in steepness, behind full sharpening."""
    narrow = [1.25] + [0.8] * 7
    steep = RegionParameters(
        {
            "sharpening": {"amount": 2.0},
            "exposure": {"ev": 2.0},
            "contrast": {"amount": -1.0},
            "tone": {"slopes": [2.0] + [0.5] * 7},
            "color": {"red": narrow, "green": narrow, "blue": narrow},
        }
    )
    return Edit(steep, steep)


def noise(shape, dtype, seed=0):
    return as_dtype(np.random.default_rng(seed).random((*shape, 3)), dtype)


def scene(shape, dtype, seed=0):
    """Soft shapes, hard edges, deep shadows and a little grain, as a photo has."""
    rng = np.random.default_rng(seed)
    size = max(1.0, np.hypot(*shape) / 60)
    soft = ndimage.gaussian_filter(rng.random((*shape, 3)), (size, size, 0))
    soft = (soft - soft.min()) / (np.ptp(soft) + 1e-9)
    steps = np.where(soft[..., :1] > 0.55, 0.9, 0.15)
    picture = (0.6 * soft + 0.4 * steps) ** 1.8 + rng.normal(0, 0.008, soft.shape)
    return as_dtype(np.clip(picture, 0, 1), dtype)


def as_dtype(values, dtype):
    top = TOPS[np.dtype(dtype).name]
    return values.astype(dtype) if top is None else np.rint(values * top).astype(dtype)


def masks(shape, seed=0):
    rng = np.random.default_rng(seed)
    size = max(0.5, np.hypot(*shape) / 40)
    blob = ndimage.gaussian_filter(rng.random(shape), size) if min(shape) > 1 else rng.random(shape)
    hard = (blob > np.median(blob)).astype(np.float32)
    feathered = np.clip(ndimage.gaussian_filter(hard, size / 2), 0, 1).astype(np.float32)
    return {
        "hard": hard,
        "soft": feathered,
        "empty": np.zeros(shape, np.float32),
        "full": np.ones(shape, np.float32),
    }


def reference(pixels, mask, regions):
    """The decoder's answer in float64, rounded to the picture's depth."""
    top = TOPS[pixels.dtype.name]
    if mask.dtype == np.uint8:
        mask = mask / 255.0
    encoded = pixels.astype(np.float64) / (top or 1)
    result = apply_regions(encoded, mask.astype(np.float64), *regions)
    return result if top is None else np.rint(result * top)


def assert_within_bounds(result, pixels, mask, regions):
    """The bounds that `gazeshift.render` states."""
    expected = reference(pixels, mask, regions)
    assert result.shape == pixels.shape
    assert result.dtype == pixels.dtype
    missed = np.abs(result.astype(np.float64) - expected)
    if result.dtype == np.uint8:
        assert missed.max() <= 1
        # A picture of a few pixels holds one wrong value or none; 2 % would forbid that one.
        assert (missed > 0).sum() <= max(1, 0.02 * missed.size)
    elif result.dtype == np.uint16:
        assert missed.max() <= 1
    else:
        assert missed.max() <= 3e-5
