"""The training curves of a redirector."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

_WINDOW = 40


def plot_curves(run: Path, target: Path) -> None:
    """Draw gain, fidelity, colour and the photos held out over the steps of a run.

    Parameters
    ----------
    run
        Folder of the run. If it began with the networks of a run beside it, that one's steps
        come first.
    target
        PNG to write.
    """
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    rows = read_log(run)
    # A resumed run repeats the steps since its checkpoint; the later entry counts.
    steps = {row["step"]: row for row in rows if "loss" in row}
    checks = {row["step"]: row for row in rows if "held_attract_ratio" in row}
    panels = (
        ("Gain in log share", (("gain", "gain"),)),
        ("LPIPS of training pairs", (("lpips", "LPIPS"),)),
        (
            "Weights of LPIPS, steered",
            (("weight_attract", "attract"), ("weight_divert", "divert")),
        ),
        ("Excess over free limits", (("cast", "cast²"), ("turn", "turn² / 10"))),
    )
    figure, axes = pyplot.subplots(1, 5, figsize=(17, 3.3), layout="constrained")
    for axis, (title, lines) in zip(axes, panels, strict=False):
        for name, label in lines:
            # Each objective logs figures of its own.
            known = [step for step in sorted(steps) if name in steps[step]]
            values = np.array([steps[step][name] for step in known], np.float64)
            axis.plot(known, _smooth(values / (10.0 if name == "turn" else 1.0)), label=label)
        axis.set_title(title)
    known = sorted(checks)
    for name, label in (("attract", "attract"), ("divert", "divert")):
        ratios = [checks[step][f"held_{name}_ratio"] for step in known]
        axes[4].plot(known, ratios, marker="o", label=label)
    axes[4].set_title("Ratio of means, held out")
    for axis in axes:
        axis.set_xlabel("step")
        axis.grid(alpha=0.3)
        if len(axis.get_legend_handles_labels()[0]) > 1:
            axis.legend()
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=100)
    pyplot.close(figure)


def read_log(run: Path) -> list[dict[str, float]]:
    """Read the lines of a run's log, behind those of the run it began with."""
    rows: list[dict[str, float]] = []
    taken = 0
    for folder, until in _parts(run):
        for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if until is None or row["step"] <= until:
                rows.append({**row, "step": row["step"] + taken})
        taken += until or 0
    return rows


def _parts(run: Path) -> list[tuple[Path, int | None]]:
    """Return the runs that led to a run, first ones first, and after which step each was left."""
    parts: list[tuple[Path, int | None]] = [(run, None)]
    while True:
        about = json.loads((parts[0][0] / "run.json").read_text(encoding="utf-8"))
        before = about.get("started_from")
        if before is None or not (run.parent / before["run"]).is_dir():
            return parts
        parts.insert(0, (run.parent / before["run"], before["step"]))


def _smooth(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[float]:
    """Average each value with the ones before it, over at most `_WINDOW` of them."""
    return [float(values[max(0, end - _WINDOW) : end].mean()) for end in range(1, len(values) + 1)]
