"""Which pairs the model does worst on, by each measure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from gazeshift.edit import Direction
from gazeshift_training.evaluation.measure import Row
from gazeshift_training.metrics.share import log_gain

Badness = Callable[[Row, Direction, str], float]
"""A row, its direction and the judge's name to a number: the larger, the worse."""

MEASURES: Mapping[str, Badness] = {
    "gain": lambda row, direction, judge: (
        -log_gain(row[f"share_before.{judge}"], row[f"share_after.{judge}"], direction)
    ),
    "lpips": lambda row, direction, judge: row["lpips"],
    "clipped": lambda row, direction, judge: row["clipped"],
    "cast-inside": lambda row, direction, judge: row["cast_inside"],
    "cast-outside": lambda row, direction, judge: row["cast_outside"],
    "turn-inside": lambda row, direction, judge: abs(row["turn_inside"]),
    "turn-outside": lambda row, direction, judge: abs(row["turn_outside"]),
}
"""Every measure that has a page of its worst pairs."""
FAILURES = ("gain", "lpips", "clipped", "cast-inside", "turn-inside")
"""Measures whose single worst pair the model card shows."""


def describe(measure: str, value: float) -> str:
    """Say a measure in words for a caption; a gain is shown as such, not as badness."""
    return f"log gain {-value:+.3f}" if measure == "gain" else f"{measure} {value:.4f}"


def worst_pairs(
    rows: Mapping[str, Row], measure: str, direction: Direction, judge: str, count: int
) -> list[tuple[str, float]]:
    """Return the pairs on which a measure is worst.

    Parameters
    ----------
    rows
        Pair name to its full row.
    measure
        Out of `MEASURES`.
    direction
        Which way the rows were edited.
    judge
        Name of the judge.
    count
        How many, at most.

    Returns
    -------
    list of tuple
        Name and badness, worst first; pairs on which the measure does not exist are left out.
    """
    badness = MEASURES[measure]
    values = [(name, badness(row, direction, judge)) for name, row in rows.items()]
    known = [(name, value) for name, value in values if math.isfinite(value)]
    return sorted(known, key=lambda entry: (-entry[1], entry[0]))[:count]
