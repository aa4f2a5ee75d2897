"""Averages over photos that leave out photos where a quantity does not exist."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def finite(values: Iterable[float]) -> list[float]:
    """Return the values that are numbers, in their order."""
    return [float(value) for value in values if np.isfinite(value)]


def count_finite(values: Iterable[float]) -> int:
    """Count the photos on which a quantity exists."""
    return len(finite(values))


def nan_mean(values: Iterable[float]) -> float:
    """Average over the photos on which a quantity exists; NaN if there is none."""
    kept = finite(values)
    return float(np.mean(kept)) if kept else float("nan")


def nan_median(values: Iterable[float]) -> float:
    """Median over the photos on which a quantity exists; NaN if there is none."""
    kept = finite(values)
    return float(np.median(kept)) if kept else float("nan")
