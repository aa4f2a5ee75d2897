"""The three photos of the repository as raw samples, in the forms the host tests need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PHOTOS = ("two-dogs", "dandelions", "wine-and-drum")
LONG_SIDE_PX = 480
FEATHER_PX = 12.0


@dataclass(frozen=True)
class HostPhoto:
    """One photo at the tests' size, with a hard and a feathered mask."""

    name: str
    rgb: NDArray[np.uint8]
    """Shape (H, W, 3)."""
    hard: NDArray[np.uint8]
    soft: NDArray[np.uint8]
    """Shape (H, W)."""

    def samples(self, dtype: str, kind: str = "rgb") -> NDArray[np.generic]:
        """Return pixels or masks in a depth of GIMP."""
        rgb = self.rgb
        arrays = {
            "rgb": rgb,
            "grey": rgb[..., 1],
            "rgba": np.dstack([rgb, ramp(rgb.shape[0], rgb.shape[1])]),
            "hard": self.hard,
            "soft": self.soft,
        }
        chosen = arrays[kind]
        if dtype == "uint16":
            return chosen.astype(np.uint16) * 257
        if dtype == "float32":
            return (chosen / np.float32(255)).astype(np.float32)
        return chosen


def ramp(height: int, width: int) -> NDArray[np.uint8]:
    """Return a mask that grows from 55 on the left to 255 on the right."""
    row = np.linspace(55, 255, width).round().astype(np.uint8)
    return np.tile(row, (height, 1))


def load(name: str) -> HostPhoto:
    """Read a photo of the repository and its mask, at the tests' size."""
    rgb = Image.open(EXAMPLES / f"{name}.jpg").convert("RGB")
    scale = LONG_SIDE_PX / max(rgb.size)
    size = (round(rgb.width * scale), round(rgb.height * scale))
    rgb = rgb.resize(size, Image.Resampling.BOX)
    mask = Image.open(EXAMPLES / f"{name}-mask.png").convert("L").resize(size)
    hard = mask.point(lambda value: 255 if value > 127 else 0)
    soft = hard.filter(ImageFilter.GaussianBlur(FEATHER_PX))
    return HostPhoto(name, np.asarray(rgb), np.asarray(hard), np.asarray(soft))


def write_all(folder: Path) -> dict[str, HostPhoto]:
    """Write every form that the scripts inside GIMP read, and return the photos."""
    photos = {name: load(name) for name in PHOTOS}
    for photo in photos.values():
        for dtype in ("uint8", "uint16", "float32"):
            for kind in ("rgb", "grey", "rgba", "hard", "soft"):
                path = folder / f"{photo.name}.{kind}.{dtype}"
                path.write_bytes(np.ascontiguousarray(photo.samples(dtype, kind)).tobytes())
    height, width = photos[PHOTOS[0]].rgb.shape[:2]
    (folder / "ramp.mask.uint8").write_bytes(ramp(height, width).tobytes())
    return photos
