"""Pictures about an attention network: its training curves, and its maps beside people's."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gazeshift_training.attention.evaluate import enlarge_map
from gazeshift_training.fixations import PhotoFixations, blur_counts, count_fixations

FloatMap = NDArray[np.float32]

_WINDOW = 25


def plot_curves(log: Path, target: Path) -> None:
    """Draw loss, direction and hold-out scores over the steps of a run.

    Parameters
    ----------
    log
        The run's `log.jsonl`.
    target
        PNG to write.
    """
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    # A resumed run repeats the steps since its checkpoint; the later entry counts.
    steps = {row["step"]: row for row in rows if "loss" in row}
    checks = {row["step"]: row for row in rows if "holdout_nss" in row}
    figure, axes = pyplot.subplots(1, 3, figsize=(12, 3.4), layout="constrained")
    for name, label in (("kl", "KL, training photos"), ("hinge", "hinge, edited photos")):
        known = sorted(step for step, row in steps.items() if name in row)
        axes[0].plot(known, _smooth([steps[step][name] for step in known]), label=label)
    axes[0].set_title("Losses")
    known = sorted(step for step, row in steps.items() if "right" in row)
    axes[1].plot(known, _smooth([steps[step]["right"] for step in known]))
    axes[1].set(title="Edited photos that moved rightly", ylim=(0.5, 1.01))
    known = sorted(checks)
    for name, label in (("holdout_nss", "NSS"), ("holdout_cc", "CC"), ("holdout_auc", "AUC-Judd")):
        axes[2].plot(known, [checks[step][name] for step in known], marker="o", label=label)
    axes[2].set_title("Photos held out (all three sources)")
    for axis in axes:
        axis.set_xlabel("step")
        axis.grid(alpha=0.3)
        if axis.get_legend_handles_labels()[0]:
            axis.legend()
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=110)
    pyplot.close(figure)


def _smooth(values: Sequence[float]) -> NDArray[np.float64]:
    """Average each value with the ones before it, over at most `_WINDOW` of them."""
    sums = np.cumsum([0.0, *values])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - _WINDOW)
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts), np.float64)


def overlay(codes: NDArray[np.uint8], attention: FloatMap) -> NDArray[np.uint8]:
    """Lay a map over a grey copy of its photo, in colours from dark to yellow.

    Parameters
    ----------
    codes
        Shape (H, W, 3), sRGB codes.
    attention
        Shape (H, W); scaled so that its 99.5th percentile is full colour.

    Returns
    -------
    NDArray[np.uint8]
        Shape (H, W, 3).
    """
    from matplotlib import colormaps

    level = np.clip(attention / np.percentile(attention, 99.5), 0.0, 1.0)
    colour = colormaps["inferno"](level)[..., :3]
    grey = codes.mean(axis=2, keepdims=True) / 255.0
    weight = 0.25 + 0.65 * np.sqrt(level)[..., None]
    return np.asarray(255.0 * ((1.0 - weight) * grey + weight * colour), np.uint8)


def contact_sheet(
    photos: Sequence[tuple[NDArray[np.uint8], PhotoFixations]],
    predictors: Sequence[Callable[[FloatMap], FloatMap]],
    width: int = 300,
) -> NDArray[np.uint8]:
    """Set photos, people's fixations and networks' maps side by side, one photo per row.

    Parameters
    ----------
    photos
        Codes (H, W, 3) and fixations.
    predictors
        Each maps (H, W, 3), 0-1, to an attention map of any size.
    width
        Columns per picture in pixels.

    Returns
    -------
    NDArray[np.uint8]
        Shape (H', W', 3).
    """
    from PIL import Image

    rows: list[NDArray[np.uint8]] = []
    for codes, entry in photos:
        height = round(codes.shape[0] * width / codes.shape[1])
        small = np.asarray(Image.fromarray(codes).resize((width, height)), np.uint8)
        people = blur_counts(count_fixations(entry.points, height, width))
        cells = [small, overlay(small, people)]
        for predict in predictors:
            attention = predict(np.asarray(codes, np.float32) / np.float32(255))
            cells.append(overlay(small, enlarge_map(attention, height, width)))
        rows.append(np.concatenate(cells, axis=1))
    return np.concatenate(rows, axis=0)
