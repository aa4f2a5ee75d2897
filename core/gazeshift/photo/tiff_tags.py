"""The tag directories of TIFF files and EXIF blocks: read them, build them, add to them.

libvips reads and writes the pixels of TIFF files but not their camera data, so GazeShift carries
that across by itself. An EXIF block is a small TIFF file without pixels: the same code serves.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

# Bytes per value of each TIFF field type.
TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
TYPE_BYTES |= {16: 8, 17: 8, 18: 8}
_SWAP_UNIT = TYPE_BYTES | {5: 4, 10: 4}
MAX_ENTRIES = 2000
MAX_VALUE_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Field:
    """One tag's value."""

    type_id: int
    """TIFF field type: 2 text, 3 short, 4 long, 5 rational, 7 bytes, ..."""
    count: int
    """How many values."""
    data: bytes
    """The values, little-endian."""

    def numbers(self) -> tuple[int, ...]:
        """Return the values of a byte, short or long field.

        Returns
        -------
        tuple
            The values; empty for other field types.
        """
        code = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}.get(self.type_id)
        return struct.unpack(f"<{self.count}{code}", self.data) if code else ()


def long_field(value: int) -> Field:
    """Make a field of one 32-bit number.

    Parameters
    ----------
    value
        0 to 2**32 - 1.

    Returns
    -------
    Field
        The field.
    """
    return Field(4, 1, struct.pack("<I", value))


class TagFile:
    """A TIFF file or EXIF block opened for its tags.

    Parameters
    ----------
    file
        Open for reading in binary mode; positions count from its start.

    Raises
    ------
    ValueError
        If it does not start like a TIFF file.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.seek(0, 2)
        self._size = file.tell()
        start = self._at(0, 16)
        self.order = {b"II": "<", b"MM": ">"}.get(start[:2], "")
        if not self.order or len(start) < 8:
            raise ValueError("no TIFF header")
        version = struct.unpack(self.order + "H", start[2:4])[0]
        if version not in (42, 43) or (version == 43 and len(start) < 16):
            raise ValueError("no TIFF header")
        self.is_big = version == 43
        self.first_directory = (
            struct.unpack(self.order + "Q", start[8:16])[0]
            if self.is_big
            else struct.unpack(self.order + "I", start[4:8])[0]
        )

    def read_directory(self, offset: int) -> dict[int, Field]:
        """Read the tags of one directory; entries that point outside the file are left out.

        Parameters
        ----------
        offset
            Where it starts, in bytes.

        Returns
        -------
        dict
            Fields by tag number.

        Raises
        ------
        ValueError
            If there is no directory at the offset.
        """
        fields: dict[int, Field] = {}
        inline = 8 if self.is_big else 4
        for entry in self.raw_entries(offset)[0]:
            tag, type_id = struct.unpack(self.order + "HH", entry[:4])
            count = struct.unpack(self.order + ("Q" if self.is_big else "I"), entry[4:-inline])[0]
            size = TYPE_BYTES.get(type_id, 0) * count
            if not 0 < size <= MAX_VALUE_BYTES:
                continue
            data = entry[-inline:][:size]
            if size > inline:
                code = "Q" if self.is_big else "I"
                data = self._at(struct.unpack(self.order + code, entry[-inline:])[0], size)
            if len(data) == size:
                fields.setdefault(tag, Field(type_id, count, self._little(type_id, data)))
        return fields

    def raw_entries(self, offset: int) -> tuple[list[bytes], bytes]:
        """Read the entries of one directory as they stand.

        Parameters
        ----------
        offset
            Where it starts, in bytes.

        Returns
        -------
        tuple
            The entries, and the pointer to the next directory.

        Raises
        ------
        ValueError
            If there is no directory at the offset.
        """
        head, entry_bytes, pointer = (8, 20, 8) if self.is_big else (2, 12, 4)
        start = self._at(offset, head)
        if offset < 8 or len(start) < head:
            raise ValueError("no tag directory")
        count = struct.unpack(self.order + ("Q" if self.is_big else "H"), start)[0]
        if not 0 < count <= MAX_ENTRIES:
            raise ValueError("no tag directory")
        body = self._at(offset + head, count * entry_bytes)
        entries = [
            body[at : at + entry_bytes] for at in range(0, len(body) - entry_bytes + 1, entry_bytes)
        ]
        following = self._at(offset + head + count * entry_bytes, pointer)
        return entries, following.ljust(pointer, b"\0")

    def _at(self, offset: int, size: int) -> bytes:
        if offset >= self._size:
            return b""
        self._file.seek(offset)
        return self._file.read(size)

    def _little(self, type_id: int, data: bytes) -> bytes:
        unit = _SWAP_UNIT[type_id]
        if self.order == "<" or unit == 1:
            return data
        return b"".join(data[at : at + unit][::-1] for at in range(0, len(data), unit))


class DirectoryWriter:
    """Lays out tag directories one behind the other, little-endian.

    Parameters
    ----------
    start
        Position in the file at which the first byte will stand; even.
    is_big
        Whether the file is a BigTIFF, whose pointers have 8 bytes.
    """

    def __init__(self, start: int, *, is_big: bool = False) -> None:
        self._start = start
        self._is_big = is_big
        self.body = b""

    def add(
        self,
        fields: Mapping[int, Field],
        *,
        raw: Mapping[int, bytes] | None = None,
        following: bytes = b"",
    ) -> int:
        """Add one directory.

        Parameters
        ----------
        fields
            Its fields by tag number.
        raw
            Entries taken over as they stand, by tag number.
        following
            Pointer to the next directory; empty means none.

        Returns
        -------
        int
            Where the directory starts in the file.
        """
        inline, code = (8, "Q") if self._is_big else (4, "I")
        entries = dict(raw or {})
        for tag, field in fields.items():
            value = field.data.ljust(inline, b"\0")
            if len(field.data) > inline:
                value = struct.pack("<" + code, self._append(field.data))
            entries[tag] = struct.pack("<HH" + code, tag, field.type_id, field.count) + value
        table = struct.pack("<Q" if self._is_big else "<H", len(entries))
        table += b"".join(entries[tag] for tag in sorted(entries))
        return self._append(table + following.ljust(inline, b"\0"))

    def _append(self, data: bytes) -> int:
        # Whole words, as the TIFF specification asks.
        self.body += bytes(-len(self.body) % 8)
        offset = self._start + len(self.body)
        self.body += data
        return offset
