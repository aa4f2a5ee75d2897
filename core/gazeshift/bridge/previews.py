"""Previews kept between requests, so that a slider sends no pixels when it moves."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from gazeshift.bridge.failures import RequestError
from gazeshift.bridge.messages import ImageLayout

if TYPE_CHECKING:
    from gazeshift.preview import Preview

MOST_PREVIEWS = 4
"""Previews that are kept at once; one more drops the one that was used longest ago."""
MOST_BYTES = 512 << 20
"""What all previews together may take."""
IDLE_S = 300.0
"""Seconds without use after which a preview is dropped."""

_MASK_AND_BLUR_BYTES = 4 * 1 + 8 * 3
"""Beside a pixel's samples, at most: its mask in single precision, and its blurred colours in
double precision, or in single precision with the linear ones beside them; see `Preview`."""


@dataclass
class KeptPreview:
    """One open preview."""

    preview: Preview
    layout: ImageLayout
    pixels: NDArray[Any]
    """As they were sent, shape (H, W, channels)."""
    bytes_held: int
    used_s: float


class Previews:
    """The open previews, by their random names. Used by one thread.

    Parameters
    ----------
    clock
        Gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, KeptPreview] = {}

    def add(
        self, layout: ImageLayout, pixels: NDArray[Any], make: Callable[[], Preview]
    ) -> tuple[str, KeptPreview]:
        """Open a preview; older ones go where there is no room.

        Parameters
        ----------
        layout, pixels
            As they were sent.
        make
            Called when there is room.

        Raises
        ------
        RequestError
            With status 413 if the picture is too large for any preview.
        """
        needed = self.bytes_for(layout, pixels)
        if needed > MOST_BYTES:
            raise RequestError(
                f"A preview of {layout.width} x {layout.height} pixels is too large.",
                hint="Send a copy of the size that is on screen.",
                code="too-large",
                status=413,
            )
        self.drop_idle()
        while self._kept and (
            len(self._kept) >= MOST_PREVIEWS or self.bytes_held + needed > MOST_BYTES
        ):
            del self._kept[min(self._kept, key=lambda name: self._kept[name].used_s)]
        name = secrets.token_hex(16)
        self._kept[name] = KeptPreview(make(), layout, pixels, needed, self._clock())
        return name, self._kept[name]

    def find(self, name: str) -> KeptPreview:
        """Return an open preview.

        Raises
        ------
        RequestError
            With status 404 if there is none of this name, or no longer.
        """
        self.drop_idle()
        kept = self._kept.get(name)
        if kept is None:
            raise RequestError(
                "This preview is not open, or no longer.",
                hint="Open it again.",
                code="preview",
                status=404,
            )
        kept.used_s = self._clock()
        return kept

    def remove(self, name: str) -> bool:
        """Close a preview; returns whether it was open."""
        self.drop_idle()
        return self._kept.pop(name, None) is not None

    def drop_idle(self) -> None:
        """Close what was not used for a while."""
        oldest_s = self._clock() - IDLE_S
        self._kept = {name: kept for name, kept in self._kept.items() if kept.used_s > oldest_s}

    @property
    def bytes_held(self) -> int:
        """Return what all open previews take."""
        return sum(kept.bytes_held for kept in self._kept.values())

    @staticmethod
    def bytes_for(layout: ImageLayout, pixels: NDArray[Any]) -> int:
        """Return what a preview takes: samples as sent, as RGB, mask and blur."""
        count = layout.width * layout.height
        return count * (pixels.itemsize * (layout.channels + 3) + _MASK_AND_BLUR_BYTES)
