"""Eye-tracking fixations: reading the table, and turning points into maps."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    from pathlib import Path

    FloatArray = NDArray[np.float32]

DEGREE_FRACTION = 0.03
"""One degree of visual angle as a part of the picture's long side.

OSIE's pictures filled 33.7 degrees in width, so that one degree is 1/33.7 of it.
"""


@dataclass(frozen=True)
class PhotoFixations:
    """Everything that was recorded on one photo."""

    photo: str
    """Path below the photo folder, for example `osie/1001.jpg`."""
    split: str
    """`train` or `test`."""
    points: FloatArray
    """Shape (N, 2), x and y, 0-1 of width and height."""
    observers: NDArray[np.int32]
    """Shape (N,), who looked."""


def read_fixations(table: Path) -> dict[str, PhotoFixations]:
    """Read a fixation table.

    Parameters
    ----------
    table
        CSV, gzipped or not, with columns photo, split, observer, x and y.

    Returns
    -------
    dict
        Photo path to its fixations, in the table's order.
    """
    opener = gzip.open if table.suffix == ".gz" else open
    rows: dict[str, tuple[str, list[tuple[float, float]], list[int]]] = {}
    with opener(table, "rt", encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            entry = rows.setdefault(row["photo"], (row["split"], [], []))
            entry[1].append((float(row["x"]), float(row["y"])))
            entry[2].append(int(row["observer"]))
    return {
        photo: PhotoFixations(
            photo,
            split,
            np.asarray(points, np.float32).reshape(-1, 2),
            np.asarray(observers, np.int32),
        )
        for photo, (split, points, observers) in rows.items()
    }


def count_fixations(points: FloatArray, height: int, width: int) -> FloatArray:
    """Count the fixations that fall into each cell.

    Parameters
    ----------
    points
        Shape (N, 2), x and y, 0-1; points outside are left out.
    height, width
        Size of the map in cells.

    Returns
    -------
    FloatArray
        Shape (height, width), counts.
    """
    counts = np.zeros((height, width), np.float32)
    inside = np.all((points >= 0.0) & (points <= 1.0), axis=1)
    columns = np.minimum((points[inside, 0] * width).astype(np.int64), width - 1)
    rows = np.minimum((points[inside, 1] * height).astype(np.int64), height - 1)
    np.add.at(counts, (rows, columns), 1.0)
    return counts


def blur_counts(counts: FloatArray, sigma_cells: float | None = None) -> FloatArray:
    """Blur counted fixations into a density that sums to 1.

    Parameters
    ----------
    counts
        Shape (height, width), at least one fixation.
    sigma_cells
        Standard deviation in cells; one degree, `DEGREE_FRACTION` of the long side, by default.

    Returns
    -------
    FloatArray
        Shape (height, width), sums to 1.

    Raises
    ------
    ValueError
        If there is no fixation.
    """
    if counts.sum() <= 0:
        raise ValueError("A fixation map needs at least one fixation inside the picture.")
    sigma = DEGREE_FRACTION * max(counts.shape) if sigma_cells is None else sigma_cells
    density = gaussian_filter(counts.astype(np.float64), sigma, mode="constant", truncate=4.0)
    return np.asarray(density / density.sum(), np.float32)
