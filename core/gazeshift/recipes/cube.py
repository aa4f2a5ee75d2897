"""`.cube` tables of an edit's point operators: one for the selection, one for the rest.

Sharpening looks at neighbours and cannot be in a table. Point operators are one curve per channel,
which a one-dimensional table holds exactly at its entries; operators that mix channels need a
three-dimensional one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gazeshift.decoder import apply_chain, values_of
from gazeshift.edit import Edit, RegionParameters
from gazeshift.operators import OPERATORS
from gazeshift.tables import is_separable, point_curves

ENTRIES = 4096
"""Entries of a one-dimensional table."""

SIDE = 65
"""Entries along each side of a three-dimensional table."""

FILES = ("foreground.cube", "background.cube")


def cube_tables(edit: Edit) -> Mapping[str, str]:
    """Return both tables of an edit at its own strength.

    Returns
    -------
    Mapping
        File name → text of the file.
    """
    regions = edit.regions()
    return {
        name: cube_text(region, title=f"GazeShift {name.removesuffix('.cube')}")
        for name, region in zip(FILES, regions, strict=True)
    }


def cube_text(region: RegionParameters, *, title: str) -> str:
    """Write one region's point operators as a `.cube` table for encoded RGB, 0-1.

    Parameters
    ----------
    region
        Parameters as applied, after the dial; sharpening is left out.
    title
        Name of the table, without quotes.
    """
    if is_separable(region):
        rows = point_curves(region, np.linspace(0.0, 1.0, ENTRIES)).T
        size = f"LUT_1D_SIZE {ENTRIES}"
    else:
        rows = _mixed(region)
        size = f"LUT_3D_SIZE {SIDE}"
    head = f'TITLE "{title}"\n'
    if "sharpening" in region.active():
        head += "# Sharpening is not in this table: it is no function of a single pixel.\n"
    lines = (f"{red:.7f} {green:.7f} {blue:.7f}\n" for red, green, blue in rows.tolist())
    return head + f"{size}\nDOMAIN_MIN 0.0 0.0 0.0\nDOMAIN_MAX 1.0 1.0 1.0\n" + "".join(lines)


def _mixed(region: RegionParameters) -> NDArray[np.float64]:
    """Return shape (SIDE³, 3); red runs fastest."""
    steps = np.linspace(0.0, 1.0, SIDE)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    grid = np.stack([red, green, blue], axis=-1).reshape(1, -1, 3)
    values = {
        id_: named
        for id_, named in values_of(region).items()
        if OPERATORS[id_].spec.locality == "point"
    }
    mixed: NDArray[np.float64] = apply_chain(grid, values)
    return mixed.reshape(-1, 3)
