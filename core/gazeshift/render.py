"""The renderer: an edit applied to a picture of any size, fast and in little memory.

Same result as `decoder.apply_regions` in float64, rounded to the picture's depth, within:

- 8 bits: at most 1 code, on at most 2 % of the values (random noise; photos have far fewer);
- 16 bits: at most 1 code; 2 where the parameters lie beyond the sliders' ranges;
- float32: 3e-5.

The error stems from the wide blur (see `blur`) and, at 8 bits, from float32 arithmetic and the
tables (see `chains`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gazeshift.blur import BlurPlan, Planes, empty_small, plan_blur
from gazeshift.chains import ROOT_STEPS, RegionChain
from gazeshift.edit import Edit, Regions
from gazeshift.errors import ImageError, MaskError
from gazeshift.kernel import NUMPY, chosen_kernel
from gazeshift.strips import Band, BlurSource, DirectBlur, ExpandedBlur, NumpyLoops, Pixels
from gazeshift.workers import Ladder, Progress, check_threads, run_jobs

STRIP_ROWS = 64
"""Rows that one job renders."""

SMALL_ROWS = 64
"""Rows of the blur's small copy that one job computes."""

_REDUCE_WORK = 0.3
_RENDER_WORK = 0.7


class Loops(Protocol):
    """The inner loops: `strips.NumpyLoops`, or `kernel.loops.NativeLoops`."""

    name: str

    def reduce_rows(
        self, plan: BlurPlan, band: Band, small: NDArray[Any], first: int, last: int
    ) -> None:
        """Compute rows `first` to `last` (excluded) of the blur's small copy."""
        ...

    def blur_stages(self, plan: BlurPlan, small: NDArray[Any]) -> list[list[Callable[[], None]]]:
        """Return the jobs that blur the small copy in place, in stages that follow each other."""
        ...

    def blur_narrow(self, plan: BlurPlan, band: Band, top: int, bottom: int) -> Planes:
        """Return full-size blurred rows, shape (3, rows, W), where the plan's stride is 1."""
        ...

    def expand_rows(self, blur: ExpandedBlur, top: int, bottom: int) -> Planes:
        """Return full-size blurred rows, shape (3, rows, W), from the small copy."""
        ...

    def draw_rows(
        self,
        band: Band,
        mask: NDArray[np.float32],
        out: Pixels,
        chains: tuple[RegionChain, RegionChain],
        blur: BlurSource | None,
        rows: tuple[int, int],
    ) -> None:
        """Render some rows; see `strips.render_strip`."""
        ...


def render(
    pixels: Pixels,
    mask: NDArray[Any],
    edit: Edit,
    strength: float | None = None,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Pixels:
    """Apply an edit to a whole picture.

    Parameters
    ----------
    pixels
        Shape (H, W, 3), encoded; uint8, uint16 or float32 (nominally 0-1). Any strides.
    mask
        Shape (H, W), 0-1, 1 is foreground; float32, or uint8 with 255 for 1.
    edit
        The edit.
    strength
        Dial position, 0 to 1.5; None takes the edit's own. 0 returns an exact copy.
    threads
        Worker threads; None takes every core that the process may use. The result does not
        depend on it.
    progress
        Called with the finished part, 0-1, in the calling thread. An exception that it raises
        stops the work and passes on.

    Returns
    -------
    Pixels
        A new array with the shape and dtype of `pixels`.

    Raises
    ------
    ImageError
        If `pixels` has another shape or dtype, or holds NaN or infinity.
    MaskError
        If `mask` has another shape or dtype, or holds NaN or numbers outside 0-1.
    ParamError
        If `strength` or `threads` is out of range.
    """
    check_pixels(pixels)
    check_mask(mask, pixels.shape[0], pixels.shape[1])
    regions = edit.regions() if strength is None else edit.at(strength)
    workers = check_threads(threads)
    ladder = Ladder(progress, _REDUCE_WORK + _RENDER_WORK)
    is_nominal = check_numbers(pixels, workers)
    chains = chains_of(regions, pixels.dtype)
    if chains[0].is_identity and chains[1].is_identity:
        check_mask_numbers(mask)
        ladder.climb(_REDUCE_WORK + _RENDER_WORK)
        out = np.empty(pixels.shape, pixels.dtype)
        out[...] = pixels
        return out
    loops = choose_loops(chains, is_nominal=is_nominal)
    band = Band(pixels, 0, pixels.shape[0])
    blur = blur_of(band, loops, workers, ladder) if needs_blur(chains) else None
    if blur is None:
        ladder.climb(_REDUCE_WORK)
    out = np.empty(pixels.shape, pixels.dtype)
    draw(band, mask, out, chains, blur, loops, workers, ladder)
    return out


def active_kernel() -> str:
    """Return the name of the code that renders, for people: `numpy`, or `native` and its level.

    Raises
    ------
    ParamError
        If the environment asks for a kernel that is not there; see `gazeshift.kernel`.
    """
    name = chosen_kernel()
    return name if name == NUMPY else f"native ({name})"


def choose_loops(chains: tuple[RegionChain, RegionChain], *, is_nominal: bool) -> Loops:
    """Return the loops that can render these chains.

    Parameters
    ----------
    chains
        The foreground's and the background's.
    is_nominal
        Whether all pixels lie in 0-1; the native kernel renders no others.
    """
    name = chosen_kernel()
    if name == NUMPY or not is_nominal or not all(chain.is_separable for chain in chains):
        return NumpyLoops()
    from gazeshift.kernel.loops import NativeLoops

    return NativeLoops(name)


def check_pixels(pixels: object) -> None:
    """Refuse what is not an RGB picture of 8 or 16 bits or float32, with at least one pixel.

    Raises
    ------
    ImageError
        If it is not.
    """
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ImageError("The picture must be an array of shape (height, width, 3).")
    if pixels.dtype not in (np.uint8, np.uint16, np.float32):
        raise ImageError(
            f"The picture's numbers are {pixels.dtype}; uint8, uint16 and float32 can be rendered.",
            hint="Convert it first.",
        )
    if pixels.size == 0:
        raise ImageError("The picture has no pixels.")


def check_mask(mask: object, height: int, width: int) -> None:
    """Refuse a mask that does not fit the picture.

    Raises
    ------
    MaskError
        If its shape or dtype is wrong, or a number is NaN or outside 0-1.
    """
    if not isinstance(mask, np.ndarray) or mask.shape != (height, width):
        shape = getattr(mask, "shape", None)
        raise MaskError(f"The mask must have the picture's size {(height, width)}, not {shape}.")
    if mask.dtype not in (np.uint8, np.float32):
        raise MaskError(f"The mask's numbers are {mask.dtype}; float32 and uint8 can be used.")


def check_mask_numbers(mask: NDArray[Any]) -> None:
    """Refuse a mask with NaN or numbers outside 0-1.

    Raises
    ------
    MaskError
        If there are any.
    """
    # NaN makes both comparisons false.
    if mask.dtype != np.uint8 and not (float(mask.min()) >= 0.0 and float(mask.max()) <= 1.0):
        raise MaskError("The mask holds numbers outside 0 to 1.")


def check_numbers(pixels: Pixels, threads: int) -> bool:
    """Refuse NaN and infinity, and tell whether all pixels lie in 0-1.

    Raises
    ------
    ImageError
        If there are any.
    """
    if pixels.dtype.kind == "u":
        return True
    ranges: list[tuple[float, float]] = []

    def scan(top: int) -> None:
        rows = pixels[top : top + STRIP_ROWS]
        ranges.append((float(rows.min()), float(rows.max())))

    jobs = [partial(scan, top) for top in range(0, pixels.shape[0], STRIP_ROWS)]
    run_jobs(jobs, threads, Ladder(None, 1.0), 1.0)
    # NaN anywhere makes its strip's limits NaN.
    if not np.isfinite(np.asarray(ranges)).all():
        raise ImageError(
            "The picture holds NaN or infinite values.",
            hint="Repair it in the program that wrote it.",
        )
    return min(low for low, _ in ranges) >= 0.0 and max(high for _, high in ranges) <= 1.0


def mask_weights(mask: NDArray[Any]) -> NDArray[np.float32]:
    """Return a checked mask as float32, 0-1."""
    if mask.dtype == np.uint8:
        # The same bits as `mask.as_fraction`.
        weights: NDArray[np.float32] = np.multiply(mask, 1 / 255, dtype=np.float32)
        return weights
    return mask


def chains_of(
    regions: Regions, dtype: np.dtype[Any], *, root_steps: int = ROOT_STEPS
) -> tuple[RegionChain, RegionChain]:
    """Prepare both regions' operators for pictures of one depth."""
    levels = np.iinfo(dtype).max + 1 if dtype.kind == "u" else 0
    front, back = (RegionChain(region, levels, root_steps=root_steps) for region in regions)
    return front, back


def needs_blur(chains: tuple[RegionChain, RegionChain]) -> bool:
    """Tell whether a region sharpens or softens."""
    return any(chain.amount for chain in chains)


def blur_of(band: Band, loops: Loops, threads: int, ladder: Ladder) -> BlurSource:
    """Blur a whole picture once, for both regions."""
    plan = plan_blur(band.height, band.pixels.shape[1], band.pixels.dtype)
    if plan.stride == 1:
        ladder.climb(_REDUCE_WORK)
        return DirectBlur(plan, band)
    small = empty_small(plan, band.pixels.dtype)

    def reduce(first: int) -> None:
        last = min(first + SMALL_ROWS, plan.small_height)
        loops.reduce_rows(plan, band, small, first, last)

    jobs = [partial(reduce, first) for first in range(0, plan.small_height, SMALL_ROWS)]
    run_jobs(jobs, threads, ladder, _REDUCE_WORK)
    for stage in loops.blur_stages(plan, small):
        run_jobs(stage, threads, ladder, 0.0)
    return ExpandedBlur(plan, small)


def draw(
    band: Band,
    mask: NDArray[Any],
    out: Pixels,
    chains: tuple[RegionChain, RegionChain],
    blur: BlurSource | None,
    loops: Loops,
    threads: int,
    ladder: Ladder,
) -> None:
    """Render every row of a picture into `out`."""
    for chain in chains:
        chain.prepare_tables(native=loops.name != NUMPY)

    def strip(top: int) -> None:
        rows = (top, min(top + STRIP_ROWS, band.height))
        part = slice(*rows)
        loops.draw_rows(band, mask_weights(mask[part]), out[part], chains, blur, rows)

    jobs = [partial(strip, top) for top in range(0, band.height, STRIP_ROWS)]
    run_jobs(jobs, threads, ladder, _RENDER_WORK)
