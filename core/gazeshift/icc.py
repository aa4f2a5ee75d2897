"""Colour profiles: what an embedded ICC profile is for, and an RGB one made from a grey one."""

from __future__ import annotations

import struct

HEADER_BYTES = 128
COLOUR_SPACES = {b"RGB ": "RGB", b"GRAY": "grey", b"CMYK": "CMYK", b"Lab ": "Lab"}

# What a profile needs when it has no table from its colours to the connection space (A2B0).
_NEEDED_TAGS = {
    b"RGB ": {b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"},
    b"GRAY": {b"kTRC"},
}
# Colorants of sRGB as ICC profiles hold them: adapted from D65 to D50, in s15Fixed16.
_SRGB_COLORANTS = {
    b"rXYZ": (0.43607, 0.22249, 0.01392),
    b"gXYZ": (0.38515, 0.71687, 0.09708),
    b"bXYZ": (0.14307, 0.06061, 0.71410),
}
_D50 = (0.96420, 1.0, 0.82491)


def profile_colour_space(profile: bytes) -> str | None:
    """Say which kind of pixels a profile describes.

    Parameters
    ----------
    profile
        The bytes of an ICC profile, or what claims to be one.

    Returns
    -------
    str or None
        "RGB", "grey", "CMYK", "Lab", another four-letter signature, or None when the bytes are
        no ICC profile, only a part of one, or lack what converts its colours.
    """
    if len(profile) < HEADER_BYTES + 4 or profile[36:40] != b"acsp":
        return None
    tags = _read_tags(profile)
    if struct.unpack(">I", profile[:4])[0] > len(profile) or tags is None:
        return None
    signature = profile[16:20]
    needed = _NEEDED_TAGS.get(signature, {b"A2B0"})
    if b"A2B0" not in tags and not needed <= tags.keys():
        return None
    return COLOUR_SPACES.get(signature, signature.decode("latin-1").strip())


def rgb_profile_from_grey(profile: bytes) -> bytes | None:
    """Make the RGB profile in which R = G = B means what the grey profile says.

    Parameters
    ----------
    profile
        A grey ICC profile with a tone curve.

    Returns
    -------
    bytes or None
        A matrix profile (ICC version 2) with the primaries of sRGB and the grey tone curve for
        each channel, or None when `profile` is no grey profile with a tone curve.
    """
    if profile_colour_space(profile) != "grey":
        return None
    curve = (_read_tags(profile) or {}).get(b"kTRC")
    if curve is None:
        return None
    tags = {name: _xyz_tag(values) for name, values in _SRGB_COLORANTS.items()}
    tags |= {
        b"wtpt": _xyz_tag(_D50),
        b"desc": _description_tag(b"sRGB primaries with a grey tone curve"),
        b"cprt": b"text\0\0\0\0No copyright\0",
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    return _build_profile(tags)


def _read_tags(profile: bytes) -> dict[bytes, bytes] | None:
    count = struct.unpack(">I", profile[HEADER_BYTES : HEADER_BYTES + 4])[0]
    if not 0 < count <= 200 or HEADER_BYTES + 4 + 12 * count > len(profile):
        return None
    tags = {}
    for index in range(count):
        start = HEADER_BYTES + 4 + 12 * index
        name, offset, size = struct.unpack(">4sII", profile[start : start + 12])
        if offset + size > len(profile):
            return None
        tags[name] = profile[offset : offset + size]
    return tags


def _xyz_tag(values: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _description_tag(text: bytes) -> bytes:
    ascii_part = struct.pack(">I", len(text) + 1) + text + b"\0"
    return b"desc\0\0\0\0" + ascii_part + bytes(8 + 2 + 1 + 67)


def _build_profile(tags: dict[bytes, bytes]) -> bytes:
    table, body = b"", b""
    start = HEADER_BYTES + 4 + 12 * len(tags)
    offsets: dict[bytes, int] = {}
    for name, data in tags.items():
        if data not in offsets:
            offsets[data] = start + len(body)
            body += data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", name, offsets[data], len(data))
    size = start + len(body)
    header = struct.pack(
        ">I4sI4s4s4s12s4s", size, b"\0\0\0\0", 0x02400000, b"mntr", b"RGB ", b"XYZ ",
        struct.pack(">6H", 2026, 1, 1, 0, 0, 0), b"acsp",
    )  # fmt: skip
    header += bytes(28) + struct.pack(">3i", *(round(value * 65536) for value in _D50))
    header += bytes(HEADER_BYTES - len(header))
    return header + struct.pack(">I", len(tags)) + table + body
