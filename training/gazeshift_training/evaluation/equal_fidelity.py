"""Gain over the dial, and who wins at equal LPIPS, photo by photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gazeshift.edit import Direction
from gazeshift_training.evaluation.run import Case, Results
from gazeshift_training.evaluation.store import Key
from gazeshift_training.metrics.averages import nan_mean
from gazeshift_training.metrics.share import log_gain, ratio_of_means

_UNTOUCHED_LPIPS = 1e-7
"""A photo that is no farther away was left as it is: there is nothing to compare."""


@dataclass(frozen=True)
class CurvePoint:
    """A method at one dial position, averaged over the subset."""

    strength: float
    """Dial position."""
    lpips: float
    """Mean LPIPS."""
    ratio: float
    """Ratio of mean shares."""
    gain: float
    """Mean log gain in the wanted direction."""


@dataclass(frozen=True)
class Duel:
    """The model against one method, each photo at that method's own LPIPS."""

    method: str
    """Id of the other method."""
    label: str
    """Its name shown to people."""
    kind: str
    """`baseline`, or `reference` for a ceiling."""
    direction: Direction
    """Which way."""
    pairs: int
    """Photos compared: those that the other method changed."""
    lpips: float
    """The other method's mean LPIPS."""
    their_gain: float
    """Its mean log gain."""
    our_gain: float
    """The model's mean log gain at that LPIPS, or at the end of its dial where that is nearer."""
    wins: float
    """Part of the photos on which the model gains more, 0-1."""


@dataclass(frozen=True)
class PairCurve:
    """One photo's LPIPS and log gain over the dial, from dial 0 on."""

    lpips: NDArray[np.float64]
    """Shape (n,), starts with 0."""
    gain: NDArray[np.float64]
    """Shape (n,), starts with 0."""

    def gain_at(self, lpips: float) -> float:
        """Interpolate the gain at an LPIPS; beyond the end of the dial, the gain at its end."""
        # LPIPS grows with the dial but for noise; interpolation needs it sorted.
        return float(np.interp(lpips, np.maximum.accumulate(self.lpips), self.gain))


def pair_curve(
    results: Results, case: Case, name: str, strengths: Sequence[float], judge: str
) -> PairCurve | None:
    """Return a photo's curve, or None if a dial position is missing."""
    store = results.stores[case]
    lpips, gain = [0.0], [0.0]
    for strength in sorted(strengths):
        row = store.rows.get(Key(name, strength))
        if row is None:
            return None
        lpips.append(row["lpips"])
        before, after = row[f"share_before.{judge}"], row[f"share_after.{judge}"]
        gain.append(log_gain(before, after, case.direction))
    return PairCurve(np.array(lpips), np.array(gain))


def mean_curve(
    results: Results,
    case: Case,
    strengths: Sequence[float],
    judge: str,
    *,
    first: int | None = None,
) -> list[CurvePoint]:
    """Average a method over the pairs that have all dial positions.

    Parameters
    ----------
    results
        What was measured.
    case
        Whose curve.
    strengths
        Dial positions.
    judge
        Name of the judge.
    first
        Use this many pairs at most, the first in the fixed order.

    Returns
    -------
    list of CurvePoint
        Without dial 0; empty if no pair has all positions.
    """
    store = results.stores[case]
    names = [
        source.name
        for source in results.sources[:first]
        if all(Key(source.name, strength) in store.rows for strength in strengths)
    ]
    points: list[CurvePoint] = []
    for strength in sorted(strengths) if names else []:
        rows = [store.rows[Key(name, strength)] for name in names]
        before = [row[f"share_before.{judge}"] for row in rows]
        after = [row[f"share_after.{judge}"] for row in rows]
        gains = [log_gain(*shares, case.direction) for shares in zip(before, after, strict=True)]
        points.append(
            CurvePoint(
                strength,
                nan_mean(row["lpips"] for row in rows),
                ratio_of_means(before, after),
                nan_mean(gains),
            )
        )
    return points


def duels(results: Results, strengths: Sequence[float], judge: str) -> list[Duel]:
    """Compare the model with every other method at equal LPIPS, photo by photo.

    Parameters
    ----------
    results
        What was measured; the model needs its curve.
    strengths
        Dial positions of the model's curve.
    judge
        Name of the judge.

    Returns
    -------
    list of Duel
        In the order of the table; ablations and the photo itself are left out.
    """
    found: list[Duel] = []
    for case, store in results.stores.items():
        ours = _model_case(results, case.direction)
        if ours is None or case.method.kind in ("model", "ablation"):
            continue
        if case.method.id == "identity":
            continue
        compared: list[tuple[float, float, float]] = []
        for source in results.sources:
            row = store.rows.get(Key(source.name, case.method.strength))
            curve = pair_curve(results, ours, source.name, strengths, judge)
            if row is None or curve is None or row["lpips"] <= _UNTOUCHED_LPIPS:
                continue
            theirs = log_gain(
                row[f"share_before.{judge}"], row[f"share_after.{judge}"], case.direction
            )
            compared.append((row["lpips"], theirs, curve.gain_at(row["lpips"])))
        if compared:
            lpips, theirs_all, ours_all = (
                np.array(column) for column in zip(*compared, strict=True)
            )
            found.append(
                Duel(
                    case.method.id,
                    case.method.label,
                    case.method.kind,
                    case.direction,
                    len(compared),
                    float(lpips.mean()),
                    nan_mean(theirs_all),
                    nan_mean(ours_all),
                    float(np.mean(ours_all > theirs_all)),
                )
            )
    return found


def _model_case(results: Results, direction: Direction) -> Case | None:
    for case in results.stores:
        if case.method.id == "model" and case.direction == direction:
            return case
    return None
