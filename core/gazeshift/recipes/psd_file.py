"""Photoshop files: the bytes of a layered RGB document of 8 or 16 bits.

The smallest writer that Photoshop's file format specification (Adobe, 2019) allows: pixel layers,
groups, Exposure and Curves layers, one mask per layer or group, profile, resolution, XMP. Samples
are stored uncompressed. It knows nothing of edits; `psd` says which layers there are.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

LONGEST_SIDE_PX = 30000
"""Photoshop's limit for this kind of file."""

LARGEST_BYTES = 2 * 1000**3
"""Photoshop's limit for this kind of file."""

_COLOURS = (0, 1, 2)
_TRANSPARENCY, _MASK = -1, -2
_USUAL_PX_PER_MM = 72.0 / 25.4
_UNCOMPRESSED = struct.pack(">H", 0)
# Set by every Photoshop since 5.0; says that the next flag means something.
_MODERN = 0x08
_HAS_NO_PIXELS = 0x10
_OPEN_GROUP, _GROUP_END = 1, 3
_CURVE_CHANNELS = ("composite", "red", "green", "blue")


@dataclass(frozen=True)
class PixelLayer:
    """A layer of pixels, as large as the document."""

    name: str
    pixels: NDArray[Any]
    """Shape (H, W, 3), uint8 or uint16."""
    alpha: NDArray[Any] | None = None
    """Shape (H, W), the type of `pixels`."""


@dataclass(frozen=True)
class ExposureLayer:
    """An Exposure adjustment with offset 0 and gamma 1."""

    name: str
    exposure: float
    """Photoshop's stops."""


@dataclass(frozen=True)
class CurvesLayer:
    """A Curves adjustment."""

    name: str
    curves: dict[str, list[tuple[int, int]]]
    """Channel ("composite", "red", "green", "blue") → (input, output) nodes, 0-255."""


@dataclass(frozen=True)
class Group:
    """A group of layers."""

    name: str
    layers: Sequence[Layer]
    """From bottom to top."""
    blending: Literal["pass", "norm"] = "pass"
    """Pass through, or normal: isolated from what lies below."""
    mask: NDArray[Any] | None = None
    """Shape (H, W), the document's sample type; None for no mask."""


Layer = PixelLayer | ExposureLayer | CurvesLayer | Group


@dataclass(frozen=True)
class Document:
    """A whole file."""

    layers: Sequence[Layer]
    """From bottom to top."""
    merged: PixelLayer
    """What programs show that cannot render the layers."""
    icc_profile: bytes | None = None
    resolution_px_per_mm: tuple[float, float] | None = None
    xmp: bytes | None = None
    program: str = field(default="GazeShift")
    """Name of the writing program."""


def write_document(document: Document) -> Iterator[bytes]:
    """Give the file's bytes, piece by piece.

    Parameters
    ----------
    document
        All its arrays have one size and one sample type, uint8 or uint16.

    Yields
    ------
    bytes
        The file's next part.
    """
    height, width = document.merged.pixels.shape[:2]
    depth_bits = 8 * document.merged.pixels.dtype.itemsize
    has_alpha = document.merged.alpha is not None
    yield struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3 + has_alpha, height, width, depth_bits, 3)
    yield struct.pack(">I", 0)
    resources = b"".join(_resources(document))
    yield struct.pack(">I", len(resources)) + resources
    yield from _layer_section(document, depth_bits, has_alpha)
    yield _UNCOMPRESSED
    yield from _planes(document.merged)


def count_bytes(document: Document) -> int:
    """Return the size of a document's samples, which is the file's but for a few kilobytes."""
    merged = document.merged.pixels.nbytes
    return merged + sum(map(_count_layer, document.layers))


def _count_layer(layer: Layer) -> int:
    if isinstance(layer, PixelLayer):
        return int(layer.pixels.nbytes)
    if isinstance(layer, Group):
        own = 0 if layer.mask is None else layer.mask.nbytes
        return own + sum(map(_count_layer, layer.layers))
    return 0


def _resources(document: Document) -> Iterator[bytes]:
    across, down = document.resolution_px_per_mm or (_USUAL_PX_PER_MM, _USUAL_PX_PER_MM)
    per_inch, cm = 1, 2
    values = (round(across * 25.4 * 65536), per_inch, cm, round(down * 25.4 * 65536), per_inch, cm)
    yield _resource(1005, struct.pack(">IHHIHH", *values))
    if document.icc_profile:
        yield _resource(1039, document.icc_profile)
    has_merged = struct.pack(">IB", 1, 1)
    names = _unicode_text(document.program) * 2
    yield _resource(1057, has_merged + names + struct.pack(">I", 1))
    if document.xmp:
        yield _resource(1060, document.xmp)


def _resource(number: int, data: bytes) -> bytes:
    return struct.pack(">4sHxxI", b"8BIM", number, len(data)) + data + b"\0" * (len(data) % 2)


def _layer_section(document: Document, depth_bits: int, has_alpha: bool) -> Iterator[bytes]:
    entries = [entry for layer in document.layers for entry in _entries(layer)]
    for number, entry in enumerate(entries, 1):
        entry.number = number
    # A negative count says that the merged picture's fourth channel is its transparency.
    count = -len(entries) if has_alpha else len(entries)
    head = struct.pack(">h", count) + b"".join(entry.record() for entry in entries)
    length = len(head) + sum(len(part) for entry in entries for part in entry.samples)
    padding = -length % 4
    if depth_bits == 8:
        yield struct.pack(">II", 4 + length + padding + 4, length + padding)
    else:
        # Deeper documents keep their layers in a block of their own behind the empty place.
        block = struct.pack(">4s4sI", b"8BIM", b"Lr16", length + padding)
        yield struct.pack(">III", 4 + 4 + len(block) + length + padding, 0, 0) + block
    yield head
    for entry in entries:
        yield from entry.samples
    yield b"\0" * padding
    if depth_bits == 8:
        yield struct.pack(">I", 0)


@dataclass
class _Entry:
    """A layer record and its samples, ready to be written."""

    name: str
    blocks: list[bytes]
    channels: list[tuple[int, int]]
    """Channel id and length of its samples."""
    samples: list[bytes]
    bounds: tuple[int, int, int, int] = (0, 0, 0, 0)
    mask_bounds: tuple[int, int, int, int] | None = None
    flags: int = _MODERN | _HAS_NO_PIXELS
    number: int = 0

    def record(self) -> bytes:
        channels = b"".join(struct.pack(">hI", *channel) for channel in self.channels)
        head = struct.pack(">4iH", *self.bounds, len(self.channels)) + channels
        opaque, base = 255, 0
        # A group's own blending stands in its divider; its record says normal all the same.
        head += struct.pack(">4s4sBBBx", b"8BIM", b"norm", opaque, base, self.flags)
        mask = b""
        if self.mask_bounds is not None:
            outside, flags = 0, 0
            mask = struct.pack(">4iBBxx", *self.mask_bounds, outside, flags)
        short_name = self.name.encode("ascii", "replace")[:255]
        pascal = bytes([len(short_name)]) + short_name
        pascal += b"\0" * (-len(pascal) % 4)
        no_blending_ranges = struct.pack(">I", 0)
        extra = struct.pack(">I", len(mask)) + mask + no_blending_ranges + pascal
        extra += _block("luni", _unicode_text(self.name)) + _block(
            "lyid", struct.pack(">I", self.number)
        )
        extra += b"".join(self.blocks)
        return head + struct.pack(">I", len(extra)) + extra


def _entries(layer: Layer) -> list[_Entry]:
    if isinstance(layer, PixelLayer):
        return [_pixel_entry(layer)]
    if isinstance(layer, ExposureLayer):
        offset, gamma = 0.0, 1.0
        data = struct.pack(">Hfff", 1, layer.exposure, offset, gamma)
        return [_empty_entry(layer.name, [_block("expA", data)])]
    if isinstance(layer, CurvesLayer):
        return [_empty_entry(layer.name, [_block("curv", _curves(layer))])]
    return _group_entries(layer)


def _pixel_entry(layer: PixelLayer) -> _Entry:
    height, width = layer.pixels.shape[:2]
    planes = _planes(layer)
    if layer.alpha is None:
        opaque = np.full((height, width), np.iinfo(layer.pixels.dtype).max, layer.pixels.dtype)
        planes.append(_big_endian(opaque))
    ids = [*_COLOURS, _TRANSPARENCY]
    return _Entry(
        layer.name,
        [],
        [(id_, 2 + len(plane)) for id_, plane in zip(ids, planes, strict=True)],
        [part for plane in planes for part in (_UNCOMPRESSED, plane)],
        bounds=(0, 0, height, width),
        flags=_MODERN,
    )


def _empty_entry(name: str, blocks: list[bytes]) -> _Entry:
    ids = [_TRANSPARENCY, *_COLOURS]
    return _Entry(name, blocks, [(id_, 2) for id_ in ids], [_UNCOMPRESSED] * len(ids))


def _group_entries(group: Group) -> list[_Entry]:
    end = _empty_entry("</Layer group>", [_block("lsct", struct.pack(">I", _GROUP_END))])
    divider = struct.pack(">I4s4s", _OPEN_GROUP, b"8BIM", group.blending.encode())
    top = _empty_entry(group.name, [_block("lsct", divider)])
    if group.mask is not None:
        height, width = group.mask.shape
        plane = _big_endian(group.mask)
        top.mask_bounds = (0, 0, height, width)
        top.channels.append((_MASK, 2 + len(plane)))
        top.samples += [_UNCOMPRESSED, plane]
    return [end, *(entry for layer in group.layers for entry in _entries(layer)), top]


def _curves(layer: CurvesLayer) -> bytes:
    """Both lists that Photoshop writes: the old one by a bit set, the new one by channel."""
    present = [
        (k, layer.curves[name]) for k, name in enumerate(_CURVE_CHANNELS) if name in layer.curves
    ]
    bits = sum(1 << k for k, _ in present)
    points = {
        k: b"".join(struct.pack(">HH", output, input_) for input_, output in nodes)
        for k, nodes in present
    }
    data = struct.pack(">BHI", 0, 1, bits)
    data += b"".join(struct.pack(">H", len(nodes)) + points[k] for k, nodes in present)
    data += struct.pack(">4sHI", b"Crv ", 4, len(present))
    return data + b"".join(struct.pack(">HH", k, len(nodes)) + points[k] for k, nodes in present)


def _block(key: str, data: bytes) -> bytes:
    padded = data + b"\0" * (-len(data) % 4)
    return struct.pack(">4s4sI", b"8BIM", key.encode(), len(padded)) + padded


def _unicode_text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return struct.pack(">I", len(encoded) // 2) + encoded


def _planes(layer: PixelLayer) -> list[bytes]:
    planes = [_big_endian(layer.pixels[..., k]) for k in range(3)]
    if layer.alpha is not None:
        planes.append(_big_endian(layer.alpha))
    return planes


def _big_endian(plane: NDArray[Any]) -> bytes:
    return plane.astype(plane.dtype.newbyteorder(">"), copy=False).tobytes()
