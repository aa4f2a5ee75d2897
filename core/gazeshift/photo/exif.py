"""Camera data (EXIF): taken out of TIFF files, put into them, and brought up to date."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from typing import BinaryIO

from gazeshift.photo.tiff_tags import DirectoryWriter, Field, TagFile, long_field

EXIF_POINTER, GPS_POINTER, INTEROP_POINTER = 34665, 34853, 40965
MAKER_NOTE, ORIENTATION = 37500, 274
PIXEL_WIDTH, PIXEL_HEIGHT = 40962, 40963
THUMBNAIL_START, THUMBNAIL_BYTES = 513, 514
# What says something about the photo rather than about how its pixels are stored: title, make,
# model, program, date, artist, computer, rating, copyright, Windows' title to subject.
DESCRIPTIVE_TAGS = frozenset(
    {270, 271, 272, 305, 306, 315, 316, 18246, 18249, 33432, *range(40091, 40096)}
)
HEADER = b"Exif\0\0"

Directories = dict[str, dict[int, Field]]


def exif_from_tiff(file: BinaryIO) -> bytes | None:
    """Collect the camera data of a TIFF file.

    Parameters
    ----------
    file
        The TIFF file, open for reading in binary mode.

    Returns
    -------
    bytes or None
        An EXIF block with its "Exif" header; None when the file holds no camera data.
    """
    directories = _read_directories(file)
    if directories is None or not any(directories.values()):
        return None
    return _build(directories)


def is_readable_exif(block: bytes) -> bool:
    """Say whether an EXIF block can be read at all.

    Parameters
    ----------
    block
        An EXIF block with or without its "Exif" header.

    Returns
    -------
    bool
        False for a damaged block.
    """
    return _read_directories(_open_block(block)) is not None


def refreshed_exif(block: bytes, *, width: int, height: int, most_bytes: int = 2**31) -> bytes:
    """Bring an EXIF block up to date for an upright picture of a given size.

    Orientation and size are changed in place, so that the camera maker's private notes, which
    point into the block, stay readable. The embedded thumbnail goes, since it shows the photo
    before the edit. A block that is too large is built anew, if need be without those notes.

    Parameters
    ----------
    block
        An EXIF block with or without its "Exif" header.
    width, height
        Size of the picture in pixels.
    most_bytes
        The most that the file format holds, header included.

    Returns
    -------
    bytes
        A block with its "Exif" header.
    """
    patched = bytearray(_open_block(block).read())
    try:
        _patch(patched, width, height)
    except ValueError:
        patched = bytearray()
    if patched and len(HEADER) + len(patched) <= most_bytes:
        return HEADER + bytes(patched)
    directories = _read_directories(_open_block(block)) or {}
    built = _build(directories)
    if len(built) > most_bytes:
        directories.get("exif", {}).pop(MAKER_NOTE, None)
        built = _build(directories)
    return built


def add_exif_to_tiff(file: BinaryIO, block: bytes) -> None:
    """Add camera data to a finished TIFF file.

    A new first directory is written behind the pixels and the header pointed at it.

    Parameters
    ----------
    file
        A little-endian TIFF file, open for reading and writing in binary mode.
    block
        An EXIF block as `refreshed_exif` returns it.
    """
    target = TagFile(file)
    entries, following = target.raw_entries(target.first_directory)
    raw = {struct.unpack("<H", entry[:2])[0]: entry for entry in entries}
    directories = _read_directories(_open_block(block)) or {}
    file.seek(0, 2)
    end = file.tell()
    file.write(bytes(-end % 8))
    writer = DirectoryWriter(end + -end % 8, is_big=target.is_big)
    first = _lay_out(writer, directories, raw=raw, following=following)
    file.write(writer.body)
    file.seek(8 if target.is_big else 4)
    file.write(struct.pack("<Q" if target.is_big else "<I", first))


def _patch(block: bytearray, width: int, height: int) -> None:
    tags = TagFile(io.BytesIO(bytes(block)))
    first = tags.read_directory(tags.first_directory)
    _overwrite(block, tags, tags.first_directory, {ORIENTATION: 1})
    for offset in first[EXIF_POINTER].numbers()[:1] if EXIF_POINTER in first else ():
        with suppress(ValueError):
            _overwrite(block, tags, offset, {PIXEL_WIDTH: width, PIXEL_HEIGHT: height})
    following = tags.raw_entries(tags.first_directory)[1]
    thumbnail = struct.unpack(tags.order + "I", following)[0]
    if not thumbnail:
        return
    with suppress(ValueError):
        fields = tags.read_directory(thumbnail)
        if THUMBNAIL_START in fields and THUMBNAIL_BYTES in fields:
            start = fields[THUMBNAIL_START].numbers()[0]
            size = fields[THUMBNAIL_BYTES].numbers()[0]
            # Unlinking is not enough: what the picture showed before must not stay in the file.
            block[start : start + size] = bytes(len(block[start : start + size]))
            if start + size == len(block):
                del block[start:]
    # The pointer to the next directory stands behind the entries of the first.
    end = tags.first_directory + 2 + 12 * len(tags.raw_entries(tags.first_directory)[0])
    block[end : end + 4] = bytes(4)


def _overwrite(block: bytearray, tags: TagFile, offset: int, numbers: dict[int, int]) -> None:
    for index, entry in enumerate(tags.raw_entries(offset)[0]):
        tag, type_id, count = struct.unpack(tags.order + "HHI", entry[:8])
        if tag in numbers and count == 1 and type_id in (3, 4):
            value = struct.pack(tags.order + ("H" if type_id == 3 else "I"), numbers[tag])
            at = offset + 2 + 12 * index + 8
            block[at : at + len(value)] = value


def _open_block(block: bytes) -> BinaryIO:
    return io.BytesIO(block[len(HEADER) :] if block.startswith(HEADER) else block)


def _read_directories(file: BinaryIO) -> Directories | None:
    try:
        tags = TagFile(file)
        first = tags.read_directory(tags.first_directory)
    except ValueError:
        return None
    main = {tag: field for tag, field in first.items() if tag in DESCRIPTIVE_TAGS}
    exif = _linked(tags, first, EXIF_POINTER)
    gps = _linked(tags, first, GPS_POINTER)
    interop = _linked(tags, exif, INTEROP_POINTER)
    exif.pop(INTEROP_POINTER, None)
    return {"main": main, "exif": exif, "gps": gps, "interop": interop}


def _linked(tags: TagFile, parent: dict[int, Field], pointer: int) -> dict[int, Field]:
    offsets = parent[pointer].numbers() if pointer in parent else ()
    if not offsets:
        return {}
    try:
        return tags.read_directory(offsets[0])
    except ValueError:
        return {}


def _build(directories: Directories) -> bytes:
    writer = DirectoryWriter(8)
    first = _lay_out(writer, directories)
    return HEADER + b"II*\0" + struct.pack("<I", first) + writer.body


def _lay_out(
    writer: DirectoryWriter,
    directories: Directories,
    *,
    raw: dict[int, bytes] | None = None,
    following: bytes = b"",
) -> int:
    exif = dict(directories.get("exif", {}))
    main = dict(directories.get("main", {}))
    if directories.get("interop"):
        exif[INTEROP_POINTER] = long_field(writer.add(directories["interop"]))
    if exif:
        main[EXIF_POINTER] = long_field(writer.add(exif))
    if directories.get("gps"):
        main[GPS_POINTER] = long_field(writer.add(directories["gps"]))
    return writer.add(main, raw=raw, following=following)
