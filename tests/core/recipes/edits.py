"""Edits and pictures for the tests of recipes."""

from __future__ import annotations

import numpy as np

from gazeshift.edit import Edit, RegionParameters
from gazeshift.photo import Photo

RISING = [0.7, 0.85, 1.15, 1.35, 1.2, 1.0, 0.9, 0.8]
FALLING = [1.3, 1.2, 1.1, 0.9, 0.85, 0.8, 0.9, 1.0]
RED = [1.2, 1.15, 1.1, 1.0, 0.95, 0.9, 0.9, 0.85]
BLUE = [0.85, 0.9, 0.95, 1.0, 1.0, 1.05, 1.1, 1.2]
FLAT = [1.0] * 8


def strong_edit(*, sharpening: bool = True) -> Edit:
    foreground = {
        "exposure": {"ev": 0.3},
        "contrast": {"amount": 0.3},
        "tone": {"slopes": RISING},
        "color": {"red": RED, "green": FLAT, "blue": BLUE},
    }
    background = {
        "exposure": {"ev": -0.4},
        "contrast": {"amount": -0.3},
        "tone": {"slopes": FALLING},
        "color": {"red": BLUE, "green": FLAT, "blue": RED},
    }
    if sharpening:
        foreground["sharpening"] = {"amount": 0.8}
        background["sharpening"] = {"amount": -0.6}
    return Edit(RegionParameters(foreground), RegionParameters(background))


def very_strong_values(seed: int) -> dict:
    """Return one region's values, drawn at random up to the operators' limits."""
    random = np.random.default_rng(seed)
    scale = random.uniform(0.5, 1.5)

    def draw(reach: float, limit: float, count: int | None = None):
        return np.clip(scale * random.uniform(-reach, reach, count), -limit, limit)

    return {
        "exposure": {"ev": float(draw(0.8, 1.0))},
        "contrast": {"amount": float(draw(0.7, 1.0))},
        "tone": {"slopes": np.exp(draw(0.6, 0.69, 8))},
        "color": {name: np.exp(draw(0.2, 0.22, 8)) for name in ("red", "green", "blue")},
    }


def ramp_photo(dtype=np.uint8, height: int = 60, width: int = 80, **attributes) -> Photo:
    """Every channel runs through all its codes, each in its own direction, plus fine texture."""
    rng = np.random.default_rng(7)
    down, across = np.mgrid[0:height, 0:width]
    x, y = across / (width - 1), down / (height - 1)
    rgb = np.stack([x, y, 1 - (x + y) / 2], axis=-1) + 0.03 * rng.standard_normal(
        (height, width, 3)
    )
    pixels = np.rint(np.clip(rgb, 0, 1) * np.iinfo(dtype).max).astype(dtype)
    return Photo(pixels, **attributes)


def soft_mask(height: int = 60, width: int = 80, feather_px: float = 12.0) -> np.ndarray:
    """An ellipse left of the middle, with a soft edge; 0 makes it hard."""
    down, across = np.mgrid[0:height, 0:width]
    radius = np.hypot((across - 0.4 * width) / 1.3, down - 0.5 * height)
    edge = 0.3 * height - radius
    if feather_px == 0.0:
        return (edge > 0).astype(np.float32)
    return np.clip(0.5 + edge / feather_px, 0, 1).astype(np.float32)
