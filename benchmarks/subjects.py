"""What is rendered: one photo-like picture per size and depth, one mask, one edit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.edit import Edit
from gazeshift.region import RegionParameters

SIZES = {1.5: (1000, 1500), 6: (2000, 3000), 24: (4000, 6000), 100: (8160, 12240)}
"""Megapixels → height and width."""


@dataclass(frozen=True)
class Subject:
    """One picture with its mask."""

    megapixels: float
    depth: str
    pixels: NDArray[Any]
    mask: NDArray[np.float32]

    @property
    def name(self) -> str:
        """Name for tables."""
        return f"{self.megapixels:g} megapixels, {self.depth}"


def make_subject(megapixels: float, depth: str, *, is_soft: bool = False) -> Subject:
    """Make a picture of shapes, gradients and grain, and an elliptic mask.

    Parameters
    ----------
    megapixels
        A key of `SIZES`.
    depth
        `uint8`, `uint16` or `float32`.
    is_soft
        Whether the mask is feathered over a quarter of the picture instead of binary.
    """
    height, width = SIZES[megapixels]
    rng = np.random.default_rng(7)
    coarse = rng.random((math.ceil(height / 40), math.ceil(width / 40), 3), dtype=np.float32)
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[depth]
    pixels = np.empty((height, width, 3), depth)
    mask = np.empty((height, width), np.float32)
    across = np.arange(width, dtype=np.float32) / width - 0.5
    for first in range(0, height, 40):
        rows = min(40, height - first)
        block = np.repeat(np.repeat(coarse[first // 40][None], rows, 0), 40, 1)[:, :width]
        block = 0.75 * block + 0.2 * (across[None, :, None] + 0.5)
        block += rng.random(block.shape, dtype=np.float32) * np.float32(0.05)
        scaled = np.clip(block, 0, 1) * top
        pixels[first : first + rows] = scaled if top == 1 else np.rint(scaled)
        down = (np.arange(first, first + rows, dtype=np.float32) / height - 0.5)[:, None]
        distance = np.sqrt((across / 0.3) ** 2 + (down / 0.3) ** 2)
        mask[first : first + rows] = (
            np.clip(1.5 - distance, 0, 1) if is_soft else (distance < 1).astype(np.float32)
        )
    return Subject(megapixels, depth, pixels, mask)


def make_edit(seed: int = 1) -> Edit:
    """Return an edit with every default operator in use in both regions."""
    rng = np.random.default_rng(seed)

    def region(sign: float) -> RegionParameters:
        return RegionParameters(
            {
                "sharpening": {"amount": 0.8 * sign},
                "exposure": {"ev": 0.3 * sign},
                "contrast": {"amount": 0.25 * sign},
                "tone": {"slopes": rng.uniform(0.8, 1.3, 8).tolist()},
                "color": {
                    name: rng.uniform(0.9, 1.1, 8).tolist() for name in ("red", "green", "blue")
                },
            }
        )

    return Edit(region(1.0), region(-1.0))
