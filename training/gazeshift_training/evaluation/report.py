"""The evaluation as Markdown, for people, and JSON, for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gazeshift.edit import DIRECTIONS
from gazeshift_training.evaluation.bars import Bar
from gazeshift_training.evaluation.encoder import EncoderFigures
from gazeshift_training.evaluation.equal_fidelity import CurvePoint, Duel
from gazeshift_training.evaluation.styles import StyleFigures, style_lines
from gazeshift_training.evaluation.summary import Averages

FORMAT = "gazeshift-evaluation/2"
_MOVES = {"attract": "up", "divert": "down"}


@dataclass(frozen=True)
class Evaluation:
    """All that one run found out."""

    facts: dict[str, str]
    """What was evaluated: model, judges, data, selection, command."""
    judges: tuple[str, ...]
    """Names of the judges; the first decides."""
    table: list[Averages]
    """Every method on all its pairs."""
    subset_table: list[Averages]
    """Every method on the subset that the methods on a subset got."""
    subset: int
    """Pairs of the subset."""
    curves: dict[str, dict[str, dict[str, list[CurvePoint]]]] = field(default_factory=dict)
    """Judge, then direction, then method id, to its curve over the subset."""
    duels: list[Duel] = field(default_factory=list)
    """The model against each method at equal LPIPS."""
    bars: list[Bar] = field(default_factory=list)
    """Bars and what was reached."""
    ablations: list[Averages] = field(default_factory=list)
    """Networks that were trained briefly for comparison, in the order of their table."""
    styles: list[StyleFigures] = field(default_factory=list)
    """Ten random styles of the model, by direction."""
    encoder: EncoderFigures | None = None
    """What a prediction costs."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "format": FORMAT,
            "facts": self.facts,
            "judges": list(self.judges),
            "bars": [_plain(vars(bar)) for bar in self.bars],
            "table": [row.to_json() for row in self.table],
            "subset": self.subset,
            "subset_table": [row.to_json() for row in self.subset_table],
            "ablations": [row.to_json() for row in self.ablations],
            "styles": [row.to_json() for row in self.styles],
            "duels": [_plain(vars(duel)) for duel in self.duels],
            "encoder": self.encoder.to_json() if self.encoder else None,
            "curves": {
                judge: {
                    direction: {
                        method: [_plain(vars(point)) for point in points]
                        for method, points in methods.items()
                    }
                    for direction, methods in directions.items()
                }
                for judge, directions in self.curves.items()
            },
        }


def write_evaluation(
    evaluation: Evaluation, markdown: Path, data: Path, figures: Sequence[Path] = ()
) -> None:
    """Write both files beside their names and rename them.

    Parameters
    ----------
    evaluation
        What to write.
    markdown, data
        Names of the Markdown and the JSON file.
    figures
        Pictures to show at the top, below the folder of `markdown`.
    """
    text = json.dumps(evaluation.to_json(), indent=1, allow_nan=False) + "\n"
    shown = [path.relative_to(markdown.parent).as_posix() for path in figures]
    for path, content in ((markdown, to_markdown(evaluation, shown)), (data, text)):
        partial = path.with_name(path.name + ".partial")
        partial.write_text(content, encoding="utf-8")
        partial.replace(path)


def to_markdown(evaluation: Evaluation, figures: Sequence[str] = ()) -> str:
    """Return the report as Markdown, with the pictures of these names."""
    lines = ["# Evaluation", ""]
    lines += [f"- {name}: {value}" for name, value in evaluation.facts.items()]
    if figures:
        lines += ["", *(f"![Gain against LPIPS over the dial]({name})" for name in figures)]
    lines += ["", "## Bars", "", *_bar_lines(evaluation.bars), ""]
    deciding = evaluation.judges[0]
    for direction in DIRECTIONS:
        rows = [row for row in evaluation.table if row.direction == direction]
        if not rows:
            continue
        lines += [f"## {direction.capitalize()}", "", *_fidelity_lines(rows, deciding), ""]
        for judge in evaluation.judges:
            lines += [f"### Attention, judged by {judge}", "", *_attention_lines(rows, judge), ""]
        subset = [row for row in evaluation.subset_table if row.direction == direction]
        if any(row.pairs < full.pairs for row, full in zip(subset, rows, strict=False)):
            lines += [
                f"### The same {evaluation.subset} photos for every method, judged by {deciding}",
                "",
                *_fidelity_lines(subset, deciding),
                "",
            ]
        duels = [duel for duel in evaluation.duels if duel.direction == direction]
        if duels:
            lines += ["### At equal LPIPS, photo by photo", "", *_duel_lines(duels), ""]
    if evaluation.styles:
        lines += [f"## Ten random styles, judged by {deciding}", ""]
        lines += [*style_lines(evaluation.styles), "", _STYLES, ""]
    if evaluation.ablations:
        lines += ["## Ablations", "", _ABLATIONS, ""]
    for direction in DIRECTIONS:
        rows = [row for row in evaluation.ablations if row.direction == direction]
        if rows:
            title = f"### {direction.capitalize()}, judged by {deciding}"
            lines += [title, "", *_ablation_lines(rows, deciding), ""]
    lines += ["## How to read this", "", *_LEGEND, ""]
    return "\n".join(lines)


_LEGEND = (
    "- LPIPS, saliency increase (absolute), WFB and CC are multiplied by 100, as in the paper; "
    "relative increase is in percent, and its median stands beside the mean because the mean "
    "grows without bound where the region was almost unseen.",
    "- ratio = mean share of attention inside the mask after the edit over the mean before; "
    "moved = part of the photos whose share moved the wanted way.",
    "- cast = `neutral_cast`, turn = `hue_turn_deg` (size per photo), inside / outside the mask, "
    "averaged over the photos on which they exist.",
    "- The per-image optimum is optimised against the shipped attention network: by that judge "
    "it is measured on what it was optimised for.",
    "- s/photo: processor seconds for the edit and one rendering at 448 px, all threads together.",
    "- At equal LPIPS: each photo's model curve over the dial is read at the other method's LPIPS "
    "on that photo; where that lies beyond dial 1.5, the model's value at 1.5 counts.",
)


_STYLES = (
    "Distance and difference are means over all pairs of two styles of one photo; the spread is "
    "the standard deviation of the share after over the styles, by its mean."
)
_ABLATIONS = (
    "Networks that were all trained alike, for the same few steps on the same pairs, with what is "
    "named alone taken away or added (`gazeshift-train ablate`). Each is scaled along its dial "
    "towards the same LPIPS on held-out training photos, as far as the dial reaches. They are "
    "weaker than the shipped model, which was trained longer; compare them with each other."
)


def _ablation_lines(rows: Sequence[Averages], judge: str) -> list[str]:
    lines = [
        "| variant | n | LPIPS full | BG | FG | ratio | moved | sal. abs. | "
        "sal. rel. % (median) | WFB | CC | cast in | turn in |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        fidelity, scores = row.fidelity, row.attention[judge]
        lines.append(
            f"| {row.label} | {row.pairs} "
            + "".join(
                f"| {100 * fidelity[name]:.2f} " for name in ("lpips", "lpips_bg", "lpips_fg")
            )
            + f"| {scores['ratio_of_means']:.3f} | {scores['moved']:.1%} "
            f"| {100 * scores['absolute']:.2f} "
            f"| {100 * scores['relative']:.1f} ({100 * scores['relative_median']:.1f}) "
            f"| {100 * scores['wfb']:.2f} | {100 * scores['cc']:.2f} "
            f"| {_number(fidelity['cast_inside'])} | {_number(fidelity['turn_inside'])}° |"
        )
    return lines


def _bar_lines(bars: Sequence[Bar]) -> list[str]:
    if not bars:
        return ["The model was not part of this run."]
    lines = ["| level | direction | measure | bar | reached | |", "|---|---|---|---|---|---|"]
    for bar in bars:
        verdict = "met" if bar.is_met else "**not met**"
        lines.append(
            f"| {bar.level} | {bar.direction} | {bar.measure} | {bar.limit} | {bar.value:.4g} | "
            f"{verdict} |"
        )
    return lines


def _fidelity_lines(rows: Sequence[Averages], judge: str) -> list[str]:
    direction = rows[0].direction if rows else "attract"
    lines = [
        f"| method | n | ratio | {_MOVES[direction]} | LPIPS full | BG | FG | clipped | "
        "cast in / out | turn in / out | s/photo |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        fidelity, attention = row.fidelity, row.attention[judge]
        lines.append(
            f"| {row.label} | {row.pairs} | {attention['ratio_of_means']:.3f} "
            f"| {attention['moved']:.1%} "
            + "".join(
                f"| {100 * fidelity[name]:.2f} " for name in ("lpips", "lpips_bg", "lpips_fg")
            )
            + f"| {fidelity['clipped']:.2%} "
            f"| {_number(fidelity['cast_inside'])} / {_number(fidelity['cast_outside'])} "
            f"| {_number(fidelity['turn_inside'])}° / {_number(fidelity['turn_outside'])}° "
            f"| {_number(row.seconds, 3)} |"
        )
    return lines


def _attention_lines(rows: Sequence[Averages], judge: str) -> list[str]:
    lines = [
        "| method | n | share before | after | ratio | median ratio | moved | sal. abs. | "
        "sal. rel. % (median) | WFB | CC |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        scores = row.attention[judge]
        lines.append(
            f"| {row.label} | {row.pairs} | {scores['share_before']:.4f} "
            f"| {scores['share_after']:.4f} | {scores['ratio_of_means']:.3f} "
            f"| {scores['median_ratio']:.3f} | {scores['moved']:.1%} "
            f"| {100 * scores['absolute']:.2f} "
            f"| {100 * scores['relative']:.1f} ({100 * scores['relative_median']:.1f}) "
            f"| {100 * scores['wfb']:.2f} | {100 * scores['cc']:.2f} |"
        )
    return lines


def _duel_lines(duels: Sequence[Duel]) -> list[str]:
    lines = [
        "| method | n | its LPIPS | its log gain | the model's log gain there | photos won |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {duel.label} | {duel.pairs} | {100 * duel.lpips:.2f} | {duel.their_gain:.3f} "
        f"| {duel.our_gain:.3f} | {duel.wins:.1%} |"
        for duel in duels
    ]
    return lines


def _number(value: float, digits: int = 1) -> str:
    return "n/a" if math.isnan(value) else f"{value:.{digits}f}"


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in values.items()
    }
