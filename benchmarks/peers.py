"""Other ways to render the same edit in Python: OpenCV, numba and OpenColorIO.

Each returns a function that renders an 8-bit subject, or the reason why it is absent. OpenCV and
numba do the whole edit; OpenColorIO has no blur and does the point operators only.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.subjects import Subject
from gazeshift.chains import RegionChain
from gazeshift.edit import Edit
from gazeshift.operators.sharpening import sigma_for
from gazeshift.operators.transfer import decode_srgb
from gazeshift.tables import point_curves

Run = Callable[[], object]
STEPS = 65535


def _light_tables(edit: Edit) -> list[NDArray[np.float32]]:
    return [RegionChain(region, 256).light_table for region in edit.regions()]


def _amounts(edit: Edit) -> list[float]:
    return [float(region.get("sharpening", "amount")[0]) for region in edit.regions()]


def _linear_table() -> NDArray[np.float32]:
    table: NDArray[np.float32] = decode_srgb(np.arange(256) / 255.0).astype(np.float32)
    return table


def opencv(subject: Subject, edit: Edit, threads: int) -> Run:
    """Render strips with OpenCV's Gaussian and 16-bit tables.

    Raises
    ------
    ImportError
        If OpenCV is not installed.
    """
    import cv2

    sigma = sigma_for(*subject.mask.shape)
    reach = int(np.ceil(5 * sigma))
    linear_table, amounts = _linear_table(), _amounts(edit)
    tables = _light_tables(edit)
    pixels, mask = subject.pixels, subject.mask
    height = len(pixels)
    out = np.empty_like(pixels)
    cv2.setNumThreads(1)

    def curve(linear: Any, detail: Any, region: int) -> Any:
        light = cv2.addWeighted(linear, 1.0, detail, amounts[region], 0.0)
        root = cv2.sqrt(np.clip(light, 0.0, 1.0))
        index = (root * STEPS + 0.5).astype(np.uint16)
        planes = [np.take(tables[region][c], index[..., c]) for c in range(3)]
        return cv2.merge(planes)

    def strip(top: int) -> None:
        bottom = min(top + 256, height)
        first, last = max(0, top - reach), min(height, bottom + reach)
        linear = cv2.LUT(pixels[first:last], linear_table)
        blurred = cv2.GaussianBlur(linear, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        inner = slice(top - first, bottom - first)
        linear, blurred = linear[inner], blurred[inner]
        detail = cv2.subtract(linear, blurred)
        weight = cv2.merge([mask[top:bottom]] * 3)
        front, back = (curve(linear, detail, region) for region in (0, 1))
        mixed = cv2.add(back, cv2.multiply(weight, cv2.subtract(front, back)))
        out[top:bottom] = np.rint(mixed)

    return lambda: _on_pool(strip, range(0, height, 256), threads)


def numba(subject: Subject, edit: Edit, threads: int) -> Run:
    """Render rows with the kernel's own algorithm in numba.

    Raises
    ------
    ImportError
        If numba is not installed.
    """
    from benchmarks.numba_loops import renderer

    return renderer(subject, _light_tables(edit), _amounts(edit), _linear_table(), threads)


def opencolorio(subject: Subject, edit: Edit, threads: int) -> Run:
    """Point operators as a 33-point cube and 1-D curves; no sharpening.

    Raises
    ------
    ImportError
        If OpenColorIO is not installed.
    """
    import PyOpenColorIO as ocio

    config = ocio.Config.CreateRaw()
    processors = []
    for region in edit.regions():
        curves = point_curves(region, np.linspace(0.0, 1.0, 4096)).T.astype(np.float32)
        one = ocio.Lut1DTransform(4096, False)
        one.setData(np.ascontiguousarray(curves).ravel())
        cube = ocio.Lut3DTransform(33)
        group = ocio.GroupTransform([one, cube])
        processors.append(
            config.getProcessor(group).getOptimizedCPUProcessor(
                ocio.BIT_DEPTH_UINT8, ocio.BIT_DEPTH_UINT8, ocio.OPTIMIZATION_NONE
            )
        )
    pixels, mask = subject.pixels, subject.mask
    height, width = mask.shape
    out = np.empty_like(pixels)

    def strip(top: int) -> None:
        rows = slice(top, min(top + 128, height))
        results = []
        for processor in processors:
            copy = np.ascontiguousarray(pixels[rows])
            processor.apply(
                ocio.PackedImageDesc(
                    copy, width, len(copy), 3, ocio.BIT_DEPTH_UINT8, 1, 3, 3 * width
                )
            )
            results.append(copy)
        weight = mask[rows, :, None]
        front, back = results
        out[rows] = np.rint(back + weight * (front.astype(np.float32) - back))

    return lambda: _on_pool(strip, range(0, height, 128), threads)


def _on_pool(strip: Callable[[int], None], tops: range, threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(strip, tops))


PEERS: dict[str, tuple[str, Callable[[Subject, Edit, int], Run]]] = {
    "numba, fused": ("numba", numba),
    "OpenCV strips with 16-bit tables": ("opencv-python-headless", opencv),
    "OpenColorIO, 33³ table + 1-D curves, no sharpening": ("opencolorio", opencolorio),
}
"""Name in tables → package to install, and the maker."""
