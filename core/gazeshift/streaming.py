"""Rendering of pictures that do not fit into memory: rows come in and go out in bands.

The picture is read twice where an edit sharpens (once for the blur's small copy, which never grows
beyond some 30 MiB, once to render), and once more before that when it holds floats, to check them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gazeshift.blur import BlurPlan, empty_small, plan_blur
from gazeshift.edit import Edit
from gazeshift.errors import ImageError
from gazeshift.kernel import NUMPY
from gazeshift.render import (
    STRIP_ROWS,
    Loops,
    chains_of,
    check_mask,
    check_mask_numbers,
    check_numbers,
    check_pixels,
    choose_loops,
    mask_weights,
    needs_blur,
)
from gazeshift.strips import Band, BlurSource, DirectBlur, ExpandedBlur, Pixels
from gazeshift.workers import Ladder, Progress, check_threads, run_jobs

BAND_ROWS = 256
"""Rows that are rendered at a time."""

Rows = Callable[[int, int], NDArray[Any]]
"""Called with the first and the last (excluded) row that are wanted; never beyond the picture."""


def render_bands(
    pixels: Rows,
    mask: Rows,
    edit: Edit,
    strength: float | None = None,
    *,
    height: int,
    width: int,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Iterator[Pixels]:
    """Render a picture from top to bottom.

    Parameters
    ----------
    pixels
        Gives rows, shape (n, W, 3); uint8, uint16 or float32. Rows are asked for from top to
        bottom, with some overlap, twice or three times over.
    mask
        Gives the mask's rows, shape (n, W), 0-1; float32, or uint8 with 255 for 1.
    edit
        The edit.
    strength
        Dial position, 0 to 1.5; None takes the edit's own.
    height, width
        Size of the whole picture.
    threads
        Worker threads; None takes every core that the process may use.
    progress
        Called with the finished part, 0-1, in the calling thread.

    Yields
    ------
    Pixels
        Bands of up to `BAND_ROWS` rows, shape (n, W, 3); together they are what `render` returns.

    Raises
    ------
    ImageError
        If the rows cannot be rendered.
    MaskError
        If the mask's rows cannot be used.
    """
    workers = check_threads(threads)
    regions = edit.regions() if strength is None else edit.at(strength)
    dtype = _checked(pixels(0, 1), 1, width).dtype
    chains = chains_of(regions, dtype)
    bands = [(top, min(top + BAND_ROWS, height)) for top in range(0, height, BAND_ROWS)]
    is_nominal = dtype.kind == "u" or all(
        # A list, so that every band is checked for NaN.
        [
            check_numbers(_checked(pixels(*rows), rows[1] - rows[0], width), workers)
            for rows in bands
        ]
    )
    loops = choose_loops(chains, is_nominal=is_nominal)
    for chain in chains:
        chain.prepare_tables(native=loops.name != NUMPY)
    ladder = Ladder(progress, 1.0)
    plan, small = plan_blur(height, width, dtype), None
    is_blurred = needs_blur(chains)
    if is_blurred and plan.stride > 1:
        small = _reduce(plan, dtype, pixels, loops, workers, ladder, 0.3)
    else:
        ladder.climb(0.3)
    reach = max(chain.reach_px for chain in chains)
    if is_blurred and small is None:
        reach += plan.radius
    for top, bottom in bands:
        first, last = max(0, top - reach), min(height, bottom + reach)
        band = Band(_checked(pixels(first, last), last - first, width), first, height)
        weights = mask(top, bottom)
        check_mask(weights, bottom - top, width)
        blur: BlurSource | None = None
        if is_blurred:
            blur = DirectBlur(plan, band) if small is None else ExpandedBlur(plan, small)
        out = np.empty((bottom - top, width, 3), dtype)
        if chains[0].is_identity and chains[1].is_identity:
            check_mask_numbers(weights)
            out[...] = band.pixels
            ladder.climb(0.7 * (bottom - top) / height)
            yield out
            continue

        def strip(
            start: int,
            band: Band = band,
            out: Pixels = out,
            blur: BlurSource | None = blur,
            weights: NDArray[Any] = weights,
            top: int = top,
            bottom: int = bottom,
        ) -> None:
            rows = (start, min(start + STRIP_ROWS, bottom))
            part = slice(rows[0] - top, rows[1] - top)
            loops.draw_rows(band, mask_weights(weights[part]), out[part], chains, blur, rows)

        jobs = [partial(strip, start) for start in range(top, bottom, STRIP_ROWS)]
        run_jobs(jobs, workers, ladder, 0.7 * (bottom - top) / height)
        yield out


def _reduce(
    plan: BlurPlan,
    dtype: np.dtype[Any],
    pixels: Rows,
    loops: Loops,
    workers: int,
    ladder: Ladder,
    work: float,
) -> NDArray[Any]:
    small = empty_small(plan, dtype)
    step = max(1, BAND_ROWS // plan.stride)
    part = max(1, step // (2 * workers))
    for first in range(0, plan.small_height, step):
        last = min(first + step, plan.small_height)
        top, bottom = plan.rows_of(first, last)
        # The margins see the first and the last row only.
        top, bottom = min(max(top, 0), plan.height - 1), max(min(bottom, plan.height), 1)
        band = Band(_checked(pixels(top, bottom), bottom - top, plan.width), top, plan.height)

        def piece(start: int, band: Band = band, last: int = last) -> None:
            loops.reduce_rows(plan, band, small, start, min(start + part, last))

        jobs = [partial(piece, start) for start in range(first, last, part)]
        run_jobs(jobs, workers, ladder, work * (last - first) / plan.small_height)
    for stage in loops.blur_stages(plan, small):
        run_jobs(stage, workers, ladder, 0.0)
    return small


def _checked(rows: NDArray[Any], count: int, width: int) -> Pixels:
    check_pixels(rows)
    if rows.shape[:2] != (count, width):
        raise ImageError(f"{count} rows of {width} pixels were expected, not {rows.shape[:2]}.")
    return rows
