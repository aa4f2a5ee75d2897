"""The independent reader: renders a Photoshop file with psd-tools, which shares no code with ours.

psd-tools rounds down where Photoshop rounds; `rounding` mends that. The reader refuses every layer
that it cannot render, so that nothing is silently left out.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from unittest import mock

import numpy as np
from psd_tools import PSDImage
from psd_tools.composite import adjustments
from psd_tools.composite import composite as render_all_layers
from psd_tools.constants import BlendMode, ColorMode
from tests.hosts.photoshop import smart_filters

KNOWN = {"pixel", "group", "curves", "exposure", "levels", "solidcolorfill", "smartobject"}


class UnknownLayer(Exception):
    """The file holds something that the reader cannot render faithfully."""


def _rounding_lut(values: np.ndarray, lut: np.ndarray) -> np.ndarray:
    last = lut.shape[0] - 1
    # Photoshop keeps integers between layers: both the index and the result are whole codes.
    codes = np.rint(np.clip(values, 0, 1) * last).astype(np.int64)
    return (np.rint(lut * last) / last)[codes].astype(np.float32)


@contextmanager
def rounding():
    with mock.patch.object(adjustments, "_apply_lut", _rounding_lut):
        yield


def open_psd(source) -> PSDImage:
    """Parse a file, by its path or its bytes, and refuse what the reader does not know."""
    psd = PSDImage.open(io.BytesIO(source) if isinstance(source, bytes) else source)
    if psd.color_mode != ColorMode.RGB or psd.depth not in (8, 16):
        raise UnknownLayer(f"{psd.color_mode}, {psd.depth} bits")
    for layer in psd.descendants():
        if layer.kind not in KNOWN:
            raise UnknownLayer(f"{layer.name} is a layer of kind {layer.kind}")
        if layer.is_visible() and layer.has_effects():
            raise UnknownLayer(f"{layer.name} has effects")
    smart_filters.carry_out(psd)
    return psd


def check_ours(psd: PSDImage) -> None:
    """Refuse what our files never hold: other blend modes, opacities, clipping."""
    for layer in psd.descendants():
        modes = {BlendMode.NORMAL, BlendMode.PASS_THROUGH}
        if layer.blend_mode not in modes or layer.opacity != 255 or not layer.visible:
            raise UnknownLayer(f"{layer.name}: {layer.blend_mode}, {layer.opacity}")
        if layer.clipping:
            raise UnknownLayer(f"{layer.name} is clipped")


def composite(psd: PSDImage) -> np.ndarray:
    """Render all layers anew, ignoring the merged picture; shape (H, W, 3), 0-255 as floats."""
    with rounding():
        colour, _, _ = render_all_layers(psd, force=True)
    return 255.0 * np.asarray(colour)[..., :3]


def merged(psd: PSDImage) -> np.ndarray:
    """Return the merged picture that the file carries; shape (H, W, 3), 0-255 as floats."""
    return 255.0 * np.asarray(psd.numpy("color"))[..., :3]


def describe(psd_or_group) -> list:
    """Return the layer tree as nested lists: names from bottom to top."""
    return [
        (layer.name, describe(layer)) if layer.is_group() else layer.name for layer in psd_or_group
    ]


def difference(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Return the largest and the mean distance, of 255."""
    distance = np.abs(one - other)
    return float(distance.max()), float(distance.mean())


__all__ = [
    "UnknownLayer",
    "check_ours",
    "composite",
    "describe",
    "difference",
    "merged",
    "open_psd",
]
