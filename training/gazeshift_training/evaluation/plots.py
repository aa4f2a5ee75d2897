"""Figures of an evaluation: gain against LPIPS over the dial."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gazeshift.edit import DIRECTIONS, Direction
from gazeshift_training.evaluation.bars import LPIPS_LIMITS, RATIO_LIMITS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from gazeshift_training.evaluation.report import Evaluation

_COLOURS = {
    "model": "#c02a2a",
    "image-optimum": "#333333",
    "image-optimum-limited": "#17a2b8",
    "vignette": "#2a6fc0",
    "hor": "#7a3fb0",
    "hag": "#2f9e5a",
    "chroma": "#d08a1d",
    "random": "#8a8a8a",
}


def draw_curves(evaluation: Evaluation, direction: Direction, path: Path) -> None:
    """Draw the ratio of mean shares against mean LPIPS for every method's dial, by each judge.

    Parameters
    ----------
    evaluation
        With curves.
    direction
        Which way.
    path
        PNG file, written beside and renamed.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 5.0), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(evaluation.judges), sharey=True, squeeze=False)[0]
    for axes, judge in zip(panels, evaluation.judges, strict=True):
        _draw_panel(axes, evaluation, judge, direction)
    panels[0].set_ylabel("mean share after / before")
    # Beside the panels: in them it would lie on the lines, which fill every corner.
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    aim = "up is better" if direction == "attract" else "down is better"
    figure.suptitle(
        f"{direction}, n = {evaluation.subset} ({aim}); line: dial 0 to 1.5; disc: dial 1; "
        "dotted and dashed: first bars and goals",
        fontsize=9,
    )
    partial = path.with_name(path.stem + ".partial.png")
    figure.savefig(partial)
    partial.replace(path)


def _draw_panel(axes: Axes, evaluation: Evaluation, judge: str, direction: Direction) -> None:
    labels = {row.method: row.label for row in evaluation.table}
    for method, points in evaluation.curves[judge][direction].items():
        lpips = [0.0, *(point.lpips for point in points)]
        ratio = [1.0, *(point.ratio for point in points)]
        colour = _COLOURS.get(method, "#555555")
        axes.plot(lpips, ratio, "-", color=colour, marker=".", label=labels.get(method, method))
        shown = [point for point in points if point.strength == 1.0]
        axes.plot(
            [point.lpips for point in shown],
            [point.ratio for point in shown],
            "o",
            color=colour,
            markersize=8,
        )
    for level, style in (("first", ":"), ("goal", "--")):
        limit, height = LPIPS_LIMITS[level], RATIO_LIMITS[direction][level]
        axes.axhline(height, color="#bbbbbb", linestyle=style, linewidth=1)
        axes.axvline(limit, color="#bbbbbb", linestyle=style, linewidth=1)
    axes.set_xlim(0, 0.16)
    axes.set_xlabel("mean LPIPS (less is more faithful)")
    decides = "which decides" if judge == evaluation.judges[0] else "trained against"
    axes.set_title(f"judged by '{judge}', {decides}", fontsize=9)
    axes.grid(alpha=0.2)


def draw_all(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Draw every figure into a folder as `evaluation-*.png`; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn: list[Path] = []
    for direction in DIRECTIONS:
        if evaluation.curves.get(evaluation.judges[0], {}).get(direction):
            drawn.append(folder / f"evaluation-{direction}.png")
            draw_curves(evaluation, direction, drawn[-1])
    return drawn
