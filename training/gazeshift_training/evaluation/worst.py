"""Which pairs the model does worst on, by each measure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

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
PUBLISHED: Mapping[str, str] = {
    "osie": "OSIE (Xu et al., Predicting human gaze beyond pixels, 2014; MIT)",
    "eyecrowd": "EyeCrowd (Jiang, Xu, Zhao, Saliency in crowd, 2014; MIT)",
    "scene": "Scene (SUN photos with fixations; MIT)",
}
"""Folders of photos that the model card may show, and their sources; others keep their own
licences, photo by photo."""


def describe(measure: str, value: float) -> str:
    """Say a measure in words for a caption; a gain is shown as such, not as badness."""
    return f"log gain {-value:+.3f}" if measure == "gain" else f"{measure} {value:.4f}"


class Failure(NamedTuple):
    """One row of the model card's page."""

    direction: Direction
    """Which way."""
    measure: str
    """Out of `FAILURES`."""
    pair: str
    """Name of the pair."""
    value: float
    """Its badness."""
    worst_pair: str
    """The pair that is worst of all, shown or not."""
    worst_value: float
    """Its badness."""


def failures(rows: Mapping[Direction, Mapping[str, Row]], judge: str) -> list[Failure]:
    """Return the worst pair by each measure and direction, among the photos that may be shown.

    Parameters
    ----------
    rows
        Direction, then pair name, to its full row.
    judge
        Name of the judge.

    Returns
    -------
    list of Failure
        In the order of directions and `FAILURES`.
    """
    found: list[Failure] = []
    for direction, measured in rows.items():
        shown = {name: row for name, row in measured.items() if _folder_of(name) in PUBLISHED}
        for measure in FAILURES:
            for ours in worst_pairs(shown, measure, direction, judge, 1):
                (worst,) = worst_pairs(measured, measure, direction, judge, 1)
                found.append(Failure(direction, measure, *ours, *worst))
    return found


def failure_lines(found: Sequence[Failure], model: str) -> list[str]:
    """Say in Markdown what the page of failures shows, and where its photos come from."""
    sources = (source for folder, source in PUBLISHED.items() if _shows(found, folder))
    return [
        f"The worst validation photo by each measure, {model}, out of those that may be published, "
        "and the worst of all.",
        "",
        "| direction | shown | photo and mask | worst of all | photo and mask |",
        "|---|---|---|---|---|",
        *(
            f"| {row.direction} | {describe(row.measure, row.value)} | {row.pair} "
            f"| {describe(row.measure, row.worst_value)} | {row.worst_pair} |"
            for row in found
        ),
        "",
        f"Photos, reduced and edited: {'; '.join(sources)}.",
    ]


def _shows(found: Sequence[Failure], folder: str) -> bool:
    return any(_folder_of(row.pair) == folder for row in found)


def _folder_of(name: str) -> str:
    return name.split("/")[0]


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
