"""Binary bodies: a JSON part, then raw samples of pictures, masks and profiles."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.bridge.failures import RequestError
from gazeshift.bridge.messages import Dtype, ImageLayout, MaskLayout

_LENGTH = struct.Struct("<I")
_ALIGNMENT = 8
MAX_JSON_BYTES = 1 << 20
"""Longest JSON part that is accepted."""


def parse_json(text: bytes | bytearray | memoryview) -> Any:
    """Read untrusted JSON; NaN and infinities are refused.

    Raises
    ------
    RequestError
        If it is not JSON in UTF-8.
    """
    try:
        return json.loads(bytes(text).decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The request's JSON part cannot be read: {error}.") from error


def split_body(body: bytes | bytearray) -> tuple[Any, memoryview]:
    """Split a binary body into its parsed JSON part and the raw rest.

    Raises
    ------
    RequestError
        If the body is shorter than it says, or the JSON part is broken or too long.
    """
    view = memoryview(body)
    if len(view) < _LENGTH.size:
        raise RequestError("The request is shorter than its four leading bytes.")
    (length,) = _LENGTH.unpack(view[: _LENGTH.size])
    if length > MAX_JSON_BYTES or _LENGTH.size + length > len(view):
        raise RequestError(f"The request's JSON part cannot be {length} bytes long.")
    return parse_json(view[_LENGTH.size : _LENGTH.size + length]), view[_LENGTH.size + length :]


def join_body(header: Any, sections: list[NDArray[Any]]) -> list[memoryview]:
    """Return the pieces of a binary body; raw samples start at a multiple of eight bytes."""
    text = json.dumps(header, allow_nan=False, separators=(",", ":")).encode()
    text += b" " * (-(_LENGTH.size + len(text)) % _ALIGNMENT)
    pieces = [memoryview(_LENGTH.pack(len(text)) + text)]
    for section in sections:
        little = section.astype(section.dtype.newbyteorder("<"), copy=False)
        pieces.append(np.ascontiguousarray(little).reshape(-1).view(np.uint8).data)
    return pieces


class Sections:
    """The raw part of a body, taken piece by piece; every byte must be used.

    Parameters
    ----------
    raw
        Everything after the JSON part.
    """

    def __init__(self, raw: memoryview) -> None:
        self._raw = raw
        self._position = 0

    def pixels(self, layout: ImageLayout) -> NDArray[Any]:
        """Take a picture.

        Returns
        -------
        NDArray
            Shape (H, W, channels), the layout's dtype, possibly without write access.
        """
        return self._samples(layout.dtype, (layout.height, layout.width, layout.channels))

    def mask(self, layout: MaskLayout, image: ImageLayout) -> NDArray[Any]:
        """Take a mask.

        Returns
        -------
        NDArray
            Shape (H, W), the layout's dtype, possibly without write access.
        """
        return self._samples(layout.dtype, (image.height, image.width))

    def blob(self, length: int) -> bytes:
        """Take plain bytes."""
        return bytes(self._take(length))

    def finish(self) -> None:
        """Check that nothing is left.

        Raises
        ------
        RequestError
            If the body is longer than its header says.
        """
        extra = len(self._raw) - self._position
        if extra:
            raise RequestError(
                f"The request is {extra} bytes longer than its sizes say.",
                hint="The length must equal width x height x channels x bytes per sample.",
            )

    def _samples(self, dtype: Dtype, shape: tuple[int, ...]) -> NDArray[Any]:
        kind = np.dtype(dtype).newbyteorder("<")
        count = 1
        for side in shape:
            count *= side
        raw = np.frombuffer(self._take(count * kind.itemsize), kind).reshape(shape)
        # The JSON part's length is free, so samples may lie at odd addresses.
        aligned = raw if raw.flags.aligned else raw.copy()
        native: NDArray[Any] = aligned.astype(np.dtype(dtype), copy=False)
        return native

    def _take(self, length: int) -> memoryview:
        end = self._position + length
        if end > len(self._raw):
            raise RequestError(
                f"The request is {end - len(self._raw)} bytes shorter than its sizes say.",
                hint="The length must equal width x height x channels x bytes per sample.",
            )
        piece = self._raw[self._position : end]
        self._position = end
        return piece


def as_coverage(mask: NDArray[Any]) -> NDArray[np.float32]:
    """Return a mask as 0-1.

    Parameters
    ----------
    mask
        Shape (H, W); uint8, uint16, or float32, which is limited to 0-1.

    Raises
    ------
    RequestError
        If it holds numbers that are not finite.
    """
    if mask.dtype.kind == "f":
        if not np.isfinite(mask).all():
            raise RequestError("The mask holds numbers that are not finite.")
        values = np.clip(mask, 0.0, 1.0)
    else:
        values = mask.astype(np.float32) * np.float32(1.0 / np.iinfo(mask.dtype).max)
    return np.asarray(values, np.float32)


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not a finite number")
