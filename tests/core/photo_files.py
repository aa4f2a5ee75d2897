"""Profiles and camera data that the tests of photo files put into their pictures."""

from __future__ import annotations

import struct

import pyvips
from PIL import Image


def rgb_profile(kind: str) -> bytes:
    """Make the RGB profile of a working space: "sRGB", "P3" or "wide" (ProPhoto's colorants)."""
    if kind != "wide":
        return bytes(pyvips.Image.profile_load({"sRGB": "srgb", "P3": "p3"}[kind]))
    xyz = {
        b"rXYZ": (0.7977, 0.2880, 0.0),
        b"gXYZ": (0.1352, 0.7119, 0.0),
        b"bXYZ": (0.0313, 0.0001, 0.8249),
    }
    tags = {name: _xyz(*values) for name, values in xyz.items()}
    curve = _gamma(1.8)
    return _profile(b"RGB ", {**tags, b"rTRC": curve, b"gTRC": curve, b"bTRC": curve})


def grey_profile(*, gamma: float) -> bytes:
    """Make a grey profile with a power curve."""
    return _profile(b"GRAY", {b"kTRC": _gamma(gamma)})


def _gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH2x", 1, round(value * 256))


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78 + 1),
        b"wtpt": _xyz(0.9642, 1.0, 0.8249),
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
        **tags,
    }
    offset = 132 + 12 * len(tags)
    table, body = b"", b""
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += struct.pack(">4sII", name, offset + len(body), len(data))
        body += data
    header = struct.pack(
        ">I4sI4s4s4s12x4s28x3i",
        offset + len(body), b"\0\0\0\0", 0x02400000, b"mntr", space, b"XYZ ", b"acsp",
        0xF6D6, 0x10000, 0xD32D,
    )  # fmt: skip
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def camera_data(*, orientation: int = 1) -> Image.Exif:
    """Make an EXIF block with a bit of everything: camera, exposure, maker's notes, place."""
    exif = Image.Exif()
    exif[270] = "A title"
    exif[271] = "A maker"
    exif[274] = orientation
    exif[306] = "2024:05:06 07:08:09"
    exif[18246] = 4
    exif[33432] = "(c) Somebody"
    exposure = exif.get_ifd(0x8769)
    exposure[33434] = 1 / 250
    exposure[33437] = 2.8
    exposure[34855] = 400
    exposure[36867] = "2024:05:06 07:08:09"
    exposure[37500] = bytes(range(200))
    exposure[37510] = b"ASCII\0\0\0hello"
    place = exif.get_ifd(0x8825)
    place[1] = "N"
    place[2] = (48.0, 12.0, 30.5)
    return exif


def read_camera_data(picture: Image.Image) -> dict[int, object]:
    """Read all tags of a picture's camera data with Pillow."""
    picture.load()
    exif = picture.getexif()
    return {**exif, **exif.get_ifd(0x8769), **exif.get_ifd(0x8825)}
