"""A picture on screen that is redrawn while a slider moves.

What does not depend on the edit is kept between redraws: the pixels, the mask and the blur.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.blur import plan_blur, precision_of
from gazeshift.edit import Edit
from gazeshift.kernel import NUMPY, packed
from gazeshift.render import (
    STRIP_ROWS,
    Loops,
    blur_of,
    chains_of,
    check_mask,
    check_mask_numbers,
    check_numbers,
    check_pixels,
    choose_loops,
    draw,
    mask_weights,
    needs_blur,
)
from gazeshift.strips import Band, BlurSource, ExpandedBlur, KeptBlur, Pixels, decoded
from gazeshift.workers import Ladder, check_threads, run_jobs

ROOT_STEPS = 8191
"""Table size of the numpy fallback: smaller than the renderer's, as it is made at every redraw."""

PLANES_UP_TO_PX = 2**22
"""Up to this size the kernel, too, keeps the blur at full size (48 or 96 MiB): reading it takes a
sixth less than expanding the small copy again."""


class Preview:
    """One picture and mask, ready to show any edit.

    The result equals `render` within the bounds that it states; with the native kernel it is the
    same array.

    Parameters
    ----------
    pixels
        Shape (H, W, 3), encoded; uint8, uint16 or float32. The array is kept, not copied, and must
        not change.
    mask
        Shape (H, W), 0-1, 1 is foreground; float32, or uint8 with 255 for 1.
    threads
        Worker threads; None takes every core that the process may use.

    Raises
    ------
    ImageError
        If `pixels` cannot be rendered.
    MaskError
        If `mask` cannot be used with it.
    """

    def __init__(self, pixels: Pixels, mask: NDArray[Any], *, threads: int | None = None) -> None:
        check_pixels(pixels)
        check_mask(mask, pixels.shape[0], pixels.shape[1])
        check_mask_numbers(mask)
        self._threads = check_threads(threads)
        self._is_nominal = check_numbers(pixels, self._threads)
        self._band = Band(packed(pixels), 0, pixels.shape[0])
        self._mask = mask_weights(mask)
        self._blur: BlurSource | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self._band.height, int(self._band.pixels.shape[1])

    def at(self, edit: Edit, strength: float | None = None) -> Pixels:
        """Draw the picture with an edit.

        Parameters
        ----------
        edit
            The edit.
        strength
            Dial position, 0 to 1.5; None takes the edit's own. 0 draws the picture as it is.

        Returns
        -------
        Pixels
            A new array with the shape and dtype of the picture.

        Raises
        ------
        ParamError
            If `strength` is out of range.
        """
        pixels = self._band.pixels
        regions = edit.regions() if strength is None else edit.at(strength)
        chains = chains_of(regions, pixels.dtype, root_steps=ROOT_STEPS)
        if chains[0].is_identity and chains[1].is_identity:
            same: Pixels = pixels.copy()
            return same
        loops = choose_loops(chains, is_nominal=self._is_nominal)
        blur = self._blurred(loops) if needs_blur(chains) else None
        out = np.empty(pixels.shape, pixels.dtype)
        quiet = Ladder(None, 1.0)
        draw(self._band, self._mask, out, chains, blur, loops, self._threads, quiet)
        return out

    def _blurred(self, loops: Loops) -> BlurSource:
        if self._blur is None:
            self._blur = self._make_blur(loops)
        return self._blur

    def _make_blur(self, loops: Loops) -> BlurSource:
        plan = plan_blur(*self.shape, self._band.pixels.dtype)
        source = blur_of(self._band, loops, self._threads, Ladder(None, 1.0))
        if plan.stride > 1 and loops.name != NUMPY and plan.height * plan.width > PLANES_UP_TO_PX:
            return source
        pixels = self._band.pixels
        planes = np.empty((3, *self.shape), precision_of(pixels.dtype))

        def fill(top: int) -> None:
            bottom = min(top + STRIP_ROWS, plan.height)
            if isinstance(source, ExpandedBlur):
                planes[:, top:bottom] = loops.expand_rows(source, top, bottom)
            else:
                planes[:, top:bottom] = loops.blur_narrow(plan, self._band, top, bottom)

        jobs = [partial(fill, top) for top in range(0, plan.height, STRIP_ROWS)]
        run_jobs(jobs, self._threads, Ladder(None, 1.0), 1.0)
        # Without the kernel, decoding and blur take about as long as the curves.
        is_kept = loops.name == NUMPY and pixels.dtype == np.uint8
        linear = np.stack([decoded(pixels[..., c]) for c in range(3)]) if is_kept else None
        return KeptBlur(planes, linear)
