"""Drives the panel in Chromium for the tests, and measures the files that come out."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from tests.core.bridge.live import TOKEN
from tests.hosts.photoshop import reader
from tests.hosts.photoshop.chromium import PLUGIN, ROOT, chromium_program

from gazeshift.edit import Edit
from gazeshift.mask import read_mask
from gazeshift.photo import read_photo
from gazeshift.render import render

FAKE = Path(__file__).parent / "fake"
EXAMPLES = ROOT / "examples"
PHOTOS = ("dandelions", "two-dogs", "wine-and-drum")
LARGEST, MEAN = 4.0, 0.8
LONG_SIDE = 240


@cache
def small(name: str, feather: bool) -> tuple[np.ndarray, np.ndarray]:
    import scipy.ndimage

    photo = read_photo(EXAMPLES / f"{name}.jpg").pixels
    mask = read_mask(
        str(EXAMPLES / f"{name}-mask.png"), height=photo.shape[0], width=photo.shape[1]
    )
    step = -(-max(photo.shape[:2]) // LONG_SIDE)
    mask = (mask[::step, ::step] > 0.5).astype(np.float32)
    if feather:
        mask = np.clip(scipy.ndimage.gaussian_filter(mask, 6.0), 0, 1)
    coverage = np.rint(255 * mask).astype(np.uint8)
    return np.ascontiguousarray(photo[::step, ::step]), coverage


@cache
def deep(name: str, feather: bool) -> tuple[np.ndarray, np.ndarray]:
    """The same with 16 bits, all of them in use."""
    pixels, mask = small(name, feather)
    noise = np.random.default_rng(16).integers(-128, 129, pixels.shape)
    return np.clip(257 * pixels.astype(np.int64) + noise, 0, 65535).astype(np.uint16), mask


class Studio:
    """Collects cases, runs them in one Chromium, and gives what was seen."""

    def __init__(self, folder: Path, port: int | None) -> None:
        self.folder = folder
        self.port = port
        self.cases: list[dict[str, Any]] = []

    def add(
        self, steps: list[dict[str, Any]], *, name="dandelions", feather=False, depth=8, **more
    ) -> None:
        pixels, mask = (deep if depth == 16 else small)(name, feather)
        number = len(self.cases)
        pixel_file, mask_file = (self.folder / f"{number}.{end}" for end in ("rgb", "mask"))
        pixel_file.write_bytes(pixels.tobytes())
        mask_file.write_bytes(mask.tobytes())
        case = {
            "name": name,
            "height": pixels.shape[0],
            "width": pixels.shape[1],
            "depth": depth,
            "pixels": str(pixel_file),
            "mask": str(mask_file),
            "steps": steps,
        }
        self.cases.append({**case, **more})

    def run(self) -> list[dict[str, Any]]:
        config = self.folder / "config.json"
        results = self.folder / "results.json"
        config.write_text(
            json.dumps(
                {
                    "plugin": str(PLUGIN),
                    "root": str(ROOT),
                    "python": sys.executable,
                    "chromium": chromium_program(),
                    "port": self.port,
                    "token": TOKEN,
                    "cases": self.cases,
                    "results": str(results),
                }
            )
        )
        done = subprocess.run(
            ["node", str(FAKE / "drive.mjs"), str(config)],
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        found = json.loads(results.read_text())
        assert [one["errors"] for one in found] == [[]] * len(self.cases)
        return found


CONNECT = [{"type": TOKEN}, {"press": "connect"}]


def apply_steps(strength: float, target: Path) -> list[dict[str, Any]]:
    return [
        *CONNECT,
        {"press": "look"},
        {"dial": strength},
        {"press": "apply"},
        {"save": str(target)},
    ]


def distances(path: Path, pixels: np.ndarray, mask: np.ndarray, edit: Edit) -> tuple[float, float]:
    opened = reader.open_psd(path)
    assert opened.depth == 8 * pixels.dtype.itemsize
    expected = render(pixels, mask, edit) * (255.0 / np.iinfo(pixels.dtype).max)
    return reader.difference(reader.composite(opened), expected)


def predicted(bridge, name: str, feather: bool, strength: float, depth: int = 8) -> Edit:
    pixels, mask = small(name, feather)
    if depth == 16:
        # The panel's small copy has 8 bits.
        pixels = np.rint(deep(name, feather)[0] / 257).astype(np.uint8)
    height, width = mask.shape
    header = {
        "image": {"width": width, "height": height, "channels": 3, "dtype": "uint8"},
        "mask": {"dtype": "uint8"},
    }
    answer = bridge.binary("/v1/predict", header, pixels, mask).json()["predictions"][0]
    edit = Edit.from_json(answer["attract" if strength >= 0 else "divert"])
    return edit.with_strength(abs(strength))
