"""Rows of the table: averages over pairs, per method and direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gazeshift.edit import Direction
from gazeshift_training.evaluation.measure import Row
from gazeshift_training.evaluation.run import Case, Results
from gazeshift_training.evaluation.store import Key
from gazeshift_training.metrics.averages import count_finite, nan_mean, nan_median
from gazeshift_training.metrics.share import median_ratio, part_moved, ratio_of_means


@dataclass(frozen=True)
class Averages:
    """One method in one direction, over a set of pairs."""

    method: str
    """Id of the method."""
    label: str
    """Name shown to people."""
    kind: str
    """`model`, `ablation`, `reference` or `baseline`."""
    direction: Direction
    """Which way."""
    strength: float
    """Dial position."""
    pairs: int
    """Pairs that were measured."""
    seconds: float
    """Time per photo; NaN if it was not taken."""
    fidelity: dict[str, float]
    """Means: `lpips`, `lpips_bg`, `lpips_fg`, `clipped`, `cast_*` and `turn_*` (`turn` by size);
    and `*_pairs`, on how many pairs casts and turns exist."""
    attention: dict[str, dict[str, float]]
    """By judge: `share_before`, `share_after`, `ratio_of_means`, `median_ratio`, `moved`,
    `absolute`, `relative`, `relative_median`, `cc`, `wfb`."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data; what does not exist is None."""
        plain: dict[str, Any] = _without_nan(dict(vars(self)))
        return plain


def average(rows: Sequence[Row], case: Case, judges: Sequence[str], seconds: float) -> Averages:
    """Average the rows of one method and direction.

    Parameters
    ----------
    rows
        Full rows of `PairMeter`, at least one.
    case
        Whose rows they are.
    judges
        Names of the judges.
    seconds
        Time per photo.

    Returns
    -------
    Averages
        Their averages.
    """
    fidelity = {
        name: nan_mean(row[name] for row in rows)
        for name in ("lpips", "lpips_bg", "lpips_fg", "clipped")
    }
    for region in ("inside", "outside"):
        casts = [row[f"cast_{region}"] for row in rows]
        turns = [abs(row[f"turn_{region}"]) for row in rows]
        fidelity[f"cast_{region}"], fidelity[f"turn_{region}"] = nan_mean(casts), nan_mean(turns)
        fidelity[f"cast_{region}_pairs"] = count_finite(casts)
        fidelity[f"turn_{region}_pairs"] = count_finite(turns)
    return Averages(
        method=case.method.id,
        label=case.method.label,
        kind=case.method.kind,
        direction=case.direction,
        strength=case.method.strength,
        pairs=len(rows),
        seconds=seconds,
        fidelity=fidelity,
        attention={name: _attention(rows, name, case.direction) for name in judges},
    )


def _attention(rows: Sequence[Row], judge: str, direction: Direction) -> dict[str, float]:
    before = [row[f"share_before.{judge}"] for row in rows]
    after = [row[f"share_after.{judge}"] for row in rows]
    relative = [row[f"relative.{judge}"] for row in rows]
    return {
        "share_before": nan_mean(before),
        "share_after": nan_mean(after),
        "ratio_of_means": ratio_of_means(before, after),
        "median_ratio": median_ratio(before, after),
        "moved": part_moved(before, after, direction),
        "absolute": nan_mean(row[f"absolute.{judge}"] for row in rows),
        "relative": nan_mean(relative),
        "relative_median": nan_median(relative),
        "cc": nan_mean(row[f"cc.{judge}"] for row in rows),
        "wfb": nan_mean(row[f"wfb.{judge}"] for row in rows),
    }


def summarise(
    results: Results, judges: Sequence[str], *, first: int | None = None
) -> list[Averages]:
    """Average every method and direction.

    Parameters
    ----------
    results
        What was measured.
    judges
        Names of the judges.
    first
        Use this many pairs at most, the first in the fixed order.

    Returns
    -------
    list of Averages
        In the order of the table; methods with no full row are left out.
    """
    names = [source.name for source in results.sources[:first]]
    table: list[Averages] = []
    for case, store in results.stores.items():
        keys = [Key(name, case.method.strength) for name in names]
        rows = [store.rows[key] for key in keys if store.has(key, "clipped")]
        if rows:
            seconds = results.seconds.get(case.method.id, float("nan"))
            table.append(average(rows, case, judges, seconds))
    return table


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    return None if isinstance(value, float) and value != value else value
