"""The bars a model is held to, and whether a row reaches them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gazeshift.edit import Direction
from gazeshift_training.evaluation.encoder import EncoderFigures
from gazeshift_training.evaluation.equal_fidelity import Duel
from gazeshift_training.evaluation.summary import Averages

CAST_LIMITS = {"first": 3.0, "goal": 2.5}
TURN_LIMITS_DEG = {"first": 6.0, "goal": 5.0}
LPIPS_LIMITS = {"first": 0.05, "goal": 0.0487}
MOVED_LIMITS = {"first": 0.92, "goal": 0.96}
RATIO_LIMITS = {"attract": {"first": 1.35, "goal": 1.5}, "divert": {"first": 0.75, "goal": 0.62}}
CLIPPED_LIMIT = 0.01
WIN_LIMIT = 0.8
ENCODER_LIMIT_MS = 15.0
SIZE_LIMIT_BYTES = 20e6


@dataclass(frozen=True)
class Bar:
    """One bar and what was reached."""

    level: str
    """`first` (what is shipped must reach it) or `goal` (better than the paper)."""
    direction: Direction | Literal["both"]
    """Which way."""
    measure: str
    """What is measured, in words."""
    limit: str
    """The bar, in words."""
    value: float
    """What was reached."""
    is_met: bool
    """Whether that is enough."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return dict(vars(self))


def check_bars(averages: Averages, duels: Sequence[Duel], judge: str) -> list[Bar]:
    """Hold one row against every bar of its direction.

    Parameters
    ----------
    averages
        The model's row.
    duels
        Comparisons at equal LPIPS; those of other directions are not used.
    judge
        The judge that decides; the model was not trained against it.

    Returns
    -------
    list of Bar
        First bars, then goals.
    """
    direction = averages.direction
    attention, fidelity = averages.attention[judge], averages.fidelity
    bars: list[Bar] = []

    def add(level: str, measure: str, value: float, limit: float, *, at_least: bool) -> None:
        is_met = value >= limit if at_least else value <= limit
        sign = "≥" if at_least else "≤"
        bars.append(Bar(level, direction, measure, f"{sign} {limit:.4g}", value, bool(is_met)))

    for level in ("first", "goal"):
        rises = direction == "attract"
        ratio, moved = attention["ratio_of_means"], attention["moved"]
        limit = RATIO_LIMITS[direction][level]
        add(level, "ratio of mean shares", ratio, limit, at_least=rises)
        add(level, "part of photos moved", moved, MOVED_LIMITS[level], at_least=True)
        add(level, "LPIPS", fidelity["lpips"], LPIPS_LIMITS[level], at_least=False)
        add(level, "newly clipped pixels", fidelity["clipped"], CLIPPED_LIMIT, at_least=False)
        for region in ("inside", "outside") if level == "goal" else ("inside",):
            cast, turn = fidelity[f"cast_{region}"], fidelity[f"turn_{region}"]
            add(level, f"neutral_cast {region}", cast, CAST_LIMITS[level], at_least=False)
            add(level, f"hue_turn_deg {region}", turn, TURN_LIMITS_DEG[level], at_least=False)
    for duel in duels:
        if duel.direction != direction:
            continue
        if duel.kind == "baseline":
            measure = f"photos won against {duel.label}, at its LPIPS (n = {duel.pairs})"
            add("goal", measure, duel.wins, WIN_LIMIT, at_least=True)
        elif direction == "attract":
            measure = f"log gain, beside {duel.label} at its LPIPS (n = {duel.pairs})"
            add("goal", measure, duel.our_gain, duel.their_gain, at_least=True)
    return bars


def check_encoder(encoder: EncoderFigures) -> list[Bar]:
    """Hold the model's cost against the bars for it.

    Parameters
    ----------
    encoder
        What was measured.

    Returns
    -------
    list of Bar
        Time and size.
    """
    time_ms, megabytes, limit = encoder.milliseconds, encoder.size_bytes / 1e6, SIZE_LIMIT_BYTES
    return [
        Bar(
            "goal",
            "both",
            f"ms of one processor thread for a prediction at {encoder.width_px} by "
            f"{encoder.height_px}",
            f"≤ {ENCODER_LIMIT_MS:g}",
            time_ms,
            time_ms <= ENCODER_LIMIT_MS,
        ),
        Bar(
            "goal",
            "both",
            "MB of the file",
            f"≤ {limit / 1e6:g}",
            megabytes,
            encoder.size_bytes <= limit,
        ),
    ]
