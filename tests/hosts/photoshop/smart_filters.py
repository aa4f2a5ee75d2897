"""Photoshop's Smart Filters, carried out on the layers that the stand-in writes without them.

Photoshop stores a smart object's picture with its filters in it; the stand-in cannot filter and
stores it without. Gaussian Blur and Unsharp Mask are what Photoshop's help says of them: on encoded
values, the radius being the Gaussian's standard deviation.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.ndimage
from psd_tools import PSDImage
from psd_tools.constants import Compression, Tag

COLOURS = (0, 1, 2)


class UnknownFilter(Exception):
    """The file holds a Smart Filter that cannot be carried out faithfully."""


def carry_out(psd: PSDImage) -> None:
    """Filter every smart object's picture, in memory."""
    for layer in psd.descendants():
        if layer.kind != "smartobject":
            continue
        filters = list(filters_of(layer))
        for about, channel in zip(layer._record.channel_info, layer._channels, strict=True):
            if about.id not in COLOURS:
                continue
            kind = np.dtype(">u2" if psd.depth == 16 else np.uint8)
            raw = channel.get_data(layer.width, layer.height, psd.depth)
            plane = np.frombuffer(raw, kind).reshape(layer.height, layer.width).astype(np.float64)
            for name, settings, opacity in filters:
                filtered = np.clip(_filter(plane, name, settings), 0, np.iinfo(kind).max)
                plane = np.rint(plane + opacity * (np.rint(filtered) - plane))
            channel.compression = Compression.RAW
            channel.set_data(plane.astype(kind).tobytes(), layer.width, layer.height, psd.depth)


def filters_of(layer) -> Iterator[tuple[str, dict[str, float], float]]:
    """Give the layer's filters from the first to the last: name, settings, opacity 0-1."""
    placed = layer.tagged_blocks.get_data(Tag.SMART_OBJECT_LAYER_DATA1).data
    effects = placed.get(b"filterFX")
    if effects is None:
        return
    if not effects[b"enab"].value or effects[b"filterMaskEnable"].value:
        raise UnknownFilter("switched off, or with a mask")
    for one in effects[b"filterFXList"]:
        blending = one[b"blendOptions"]
        if not one[b"enab"].value or blending[b"Md  "].enum != b"Nrml":
            raise UnknownFilter("switched off, or with another blend mode")
        settings = one[b"Fltr"]
        values = {str(key): float(getattr(value, "value", 0)) for key, value in _numbers(settings)}
        yield settings.classID.decode(), values, float(blending[b"Opct"].value) / 100


def _numbers(settings) -> Iterator[tuple[str, object]]:
    for key, value in settings.items():
        if hasattr(value, "value") and not isinstance(value.value, str):
            yield key.decode() if isinstance(key, bytes) else str(key), value


def _filter(plane: np.ndarray, name: str, settings: dict[str, float]) -> np.ndarray:
    blurred = scipy.ndimage.gaussian_filter(plane, settings["Rds "], mode="nearest")
    if name == "GsnB":
        return blurred
    if name != "UnsM" or settings["Thsh"] != 0:
        raise UnknownFilter(f"{name} {settings}")
    return plane + settings["Amnt"] / 100 * (plane - blurred)
