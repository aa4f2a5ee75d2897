"""Timing side by side: every contestant in turn, again and again, so that noise hits all alike."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Timing:
    """What the rounds of one contestant took."""

    rounds: int
    wall_ms: float
    """Median."""
    best_wall_ms: float
    """Least disturbed round."""
    cpu_ms: float
    """Least processor time of all threads; what other programs do hardly touches it."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def race(
    contestants: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    limit_s: float = 60.0,
    until_s: float = float("inf"),
) -> dict[str, Timing]:
    """Time contestants side by side.

    Parameters
    ----------
    contestants
        Functions by name; each is run once untimed.
    rounds
        Rounds at most.
    limit_s
        A contestant that has used this much time sits out further rounds, after two at least.
    until_s
        `time.monotonic()` at which no further round is begun, after one at least.

    Returns
    -------
    dict
        The contestants' timings, in their order.
    """
    walls: dict[str, list[float]] = {name: [] for name in contestants}
    processor: dict[str, list[float]] = {name: [] for name in contestants}
    for run in contestants.values():
        run()
    for number in range(rounds):
        if number >= 1 and time.monotonic() > until_s:
            break
        for name, run in contestants.items():
            if number >= 2 and sum(walls[name]) > limit_s * 1e3:
                continue
            before, used = time.perf_counter(), _used_s()
            run()
            processor[name].append((_used_s() - used) * 1e3)
            walls[name].append((time.perf_counter() - before) * 1e3)
    return {
        name: Timing(len(times), statistics.median(times), min(times), min(processor[name]))
        for name, times in walls.items()
    }


def pin(cores: int) -> list[int]:
    """Keep this process on some cores; returns which (empty where it cannot be done)."""
    try:
        chosen = sorted(os.sched_getaffinity(0))[:cores]
        os.sched_setaffinity(0, chosen)
    except AttributeError:
        return []
    return chosen


def _used_s() -> float:
    # Finer than os.times(), whose steps are ten milliseconds.
    own = time.process_time()
    try:
        import resource
    except ImportError:
        return own
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own + children.ru_utime + children.ru_stime
