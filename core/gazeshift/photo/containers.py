"""The outer structure of JPEG, PNG and WebP files: look into it and put camera data into it."""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

# A JPEG segment's length field counts itself.
LARGEST_JPEG_EXIF = 65_533
_WEBP_HAS_ALPHA, _WEBP_HAS_EXIF = 0x10, 0x08


def jpeg_segments(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Walk through the segments of a JPEG file before its picture data.

    Parameters
    ----------
    file
        Open for reading in binary mode.

    Yields
    ------
    tuple
        Marker (second byte) and the segment's first 16 bytes.
    """
    file.seek(2)
    while len(head := file.read(4)) == 4 and head[0] == 0xFF:
        marker, size = head[1], struct.unpack(">H", head[2:])[0]
        if marker == 0xDA or size < 2:
            return
        following = file.tell() + size - 2
        yield marker, file.read(min(size - 2, 16))
        file.seek(following)


def png_chunks(file: BinaryIO) -> Iterator[bytes]:
    """Walk through the chunks of a PNG file before its picture data.

    Parameters
    ----------
    file
        Open for reading in binary mode.

    Yields
    ------
    bytes
        The chunk's name.
    """
    file.seek(8)
    while len(head := file.read(8)) == 8 and head[4:] != b"IDAT":
        yield head[4:]
        file.seek(struct.unpack(">I", head[:4])[0] + 4, 1)


def webp_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Walk through the chunks of a WebP file.

    Parameters
    ----------
    file
        Open for reading in binary mode; may be moved between steps.

    Yields
    ------
    tuple
        Name, position of the content, and size of the content in bytes.
    """
    at = 12
    while True:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        size = struct.unpack("<I", head[4:])[0]
        yield head[:4], at + 8, size
        at += 8 + size + size % 2


def copy_with_exif(
    format_name: str,
    source: BinaryIO,
    target: BinaryIO,
    block: bytes | None,
    *,
    dots_per_inch: tuple[int, int],
    width: int,
    height: int,
    has_alpha: bool,
) -> None:
    """Copy a file that libvips wrote without EXIF and put in what is missing.

    Parameters
    ----------
    format_name
        "JPEG", "PNG" or "WebP".
    source
        The file, open for reading in binary mode.
    target
        Open for writing in binary mode.
    block
        The EXIF block with its "Exif" header; None only for JPEG.
    dots_per_inch
        Horizontal and vertical resolution, for JPEG, whose own header libvips leaves out.
    width, height
        Size of the picture in pixels.
    has_alpha
        Whether the picture has transparency.
    """
    source.seek(0)
    if format_name == "JPEG":
        _copy_jpeg(source, target, block, dots_per_inch)
    elif block is None:
        shutil.copyfileobj(source, target, 2**20)
    elif format_name == "PNG":
        content = b"eXIf" + block[6:]
        # Behind the signature and the header chunk.
        target.write(source.read(33))
        target.write(struct.pack(">I", len(content) - 4) + content)
        target.write(struct.pack(">I", zlib.crc32(content)))
        shutil.copyfileobj(source, target, 2**20)
    else:
        _copy_webp(source, target, block, width, height, has_alpha)


def _copy_jpeg(
    source: BinaryIO, target: BinaryIO, block: bytes | None, dots_per_inch: tuple[int, int]
) -> None:
    target.write(source.read(2))
    in_inches = 1
    target.write(b"\xff\xe0\0\x10JFIF\0\x01\x02")
    target.write(struct.pack(">B2H2x", in_inches, *dots_per_inch))
    if block is not None:
        target.write(b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block)
    shutil.copyfileobj(source, target, 2**20)


def _copy_webp(
    source: BinaryIO, target: BinaryIO, block: bytes, width: int, height: int, has_alpha: bool
) -> None:
    chunks = list(webp_chunks(source))
    flags = _WEBP_HAS_EXIF | (_WEBP_HAS_ALPHA if has_alpha else 0)
    sizes = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    extended = bytearray(struct.pack("<I", flags) + sizes)
    body = []
    for name, start, size in chunks:
        source.seek(start)
        content = source.read(size)
        if name == b"VP8X":
            extended = bytearray(content)
            extended[0] |= _WEBP_HAS_EXIF
        else:
            body.append((name, content))
    place = next((at for at, (name, _) in enumerate(body) if name == b"XMP "), len(body))
    body.insert(place, (b"EXIF", block[6:]))
    written = b"".join(
        name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
        for name, content in [(b"VP8X", bytes(extended)), *body]
    )
    target.write(b"RIFF" + struct.pack("<I", len(written) + 4) + b"WEBP" + written)
