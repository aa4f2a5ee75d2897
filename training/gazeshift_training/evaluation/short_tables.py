"""The short tables of the README and the model card, made from the data of an evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gazeshift.edit import DIRECTIONS
from gazeshift.errors import ParamError

BEGIN = "<!-- evaluation: written by gazeshift-train evaluate --docs -->"
END = "<!-- evaluation: end -->"
SHOWN_BASELINES = 2
"""Baselines shown in each direction: those that move attention most."""
_TIMES = "\N{MULTIPLICATION SIGN}"
_AIMS = {"attract": "look here", "divert": "look away"}
_NAMES = {
    "model": "**GazeShift**",
    "vignette": "a photographer's vignette",
    "hor": "hue shift (HOR-like)",
    "hag": "intensity and colour steps (HAG-like)",
    "chroma": "more colour, less colour",
}


def readme_lines(data: Mapping[str, Any]) -> list[str]:
    """Say in a few lines how well the model does, beside the strongest other methods.

    Parameters
    ----------
    data
        An evaluation as plain data, with the model; its first judge decides.

    Returns
    -------
    list of str
        Markdown lines.

    Raises
    ------
    ParamError
        If the model was not evaluated.
    """
    judge, models = data["judges"][0], _model_rows(data)
    lines = [
        f"Measured on {models[0]['pairs']} photos that took no part in training, by a second "
        "attention network, built",
        "differently, that was never trained against:",
        "",
        "| strength 1 | share of attention | photos moved | LPIPS | newly clipped |",
        "|---|---|---|---|---|",
    ]
    for direction in DIRECTIONS:
        rows = [row for row in data["table"] if row["direction"] == direction]
        lines += [_line(row, judge) for row in _shown(rows, judge)]
    return [*lines, "", *_optimum_lines(data["subset_table"], judge, models[0])]


def card_lines(data: Mapping[str, Any]) -> list[str]:
    """Tabulate the model's own figures, and name the bars it misses.

    Parameters
    ----------
    data
        An evaluation as plain data, with the model; its first judge decides.

    Returns
    -------
    list of str
        Markdown lines.

    Raises
    ------
    ParamError
        If the model was not evaluated.
    """
    models = _model_rows(data)
    lines = [
        f"Model {data['facts']['model']}; {data['facts']['pairs']}; strength 1, default style:",
        "",
        "| | " + " | ".join(row["direction"] for row in models) + " |",
        "|---" * (1 + len(models)) + "|",
    ]

    def add(name: str, cells: Iterable[str]) -> None:
        lines.append(f"| {name} | {' | '.join(cells)} |")

    for judge in data["judges"]:
        role = "never trained against" if judge == data["judges"][0] else "trained against"
        found = [row["attention"][judge] for row in models]
        add(
            f"ratio of mean shares, {judge} attention network ({role})",
            (f"{figures['ratio_of_means']:.3f}" for figures in found),
        )
        add(
            f"photos that moved the right way, {judge}",
            (_percent(figures["moved"]) for figures in found),
        )
    fidelity = [row["fidelity"] for row in models]
    add("mean LPIPS (AlexNet 0.1)", (f"{figures['lpips']:.4f}" for figures in fidelity))
    add("newly clipped pixels", (f"{100 * figures['clipped']:.2f} %" for figures in fidelity))
    for name, key in (("neutral cast", "cast"), ("hue turn in degrees", "turn")):
        add(
            f"{name}, inside / outside the mask",
            (
                f"{_figure(figures[f'{key}_inside'])} / {_figure(figures[f'{key}_outside'])}"
                for figures in fidelity
            ),
        )
    styles = {row["direction"]: row for row in data["styles"]}
    if all(row["direction"] in styles for row in models):
        add(
            "ten random styles: parameters apart, as a part of the hard range; spread of the share",
            (
                f"{100 * figures['distance']:.2f} %; {100 * figures['spread']:.1f} %"
                for figures in (styles[row["direction"]] for row in models)
            ),
        )
    missed = [bar for bar in data["bars"] if not bar["is_met"]]
    lines += ["", "Bars that are missed:" if missed else "Every bar is met."]
    lines += [
        f"- {bar['level']}, {bar['direction']}: {bar['measure']} {bar['limit']}; reached "
        + (f"{bar['value']:.4g}" if bar["value"] is not None else "nothing")
        for bar in missed
    ]
    return lines


def rewrite_block(path: Path, lines: Sequence[str]) -> None:
    """Put lines between the two markers of a file, written beside and renamed.

    Parameters
    ----------
    path
        Holds `BEGIN` and `END`, each once, on lines of their own.
    lines
        What stands between them afterwards.

    Raises
    ------
    ParamError
        If the markers are missing.
    """
    kept = path.read_text(encoding="utf-8").split("\n")
    if kept.count(BEGIN) != 1 or kept.count(END) != 1 or kept.index(END) < kept.index(BEGIN):
        raise ParamError(
            f"{path.name} has no place for the table.", hint=f"Add the lines {BEGIN} and {END}."
        )
    text = "\n".join([*kept[: kept.index(BEGIN) + 1], *lines, *kept[kept.index(END) :]])
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def block_of(text: str) -> list[str]:
    """Return the lines between the markers."""
    lines = text.split("\n")
    return lines[lines.index(BEGIN) + 1 : lines.index(END)]


def _model_rows(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    models = [row for row in data["table"] if row["method"] == "model"]
    if not models:
        raise ParamError(
            "The evaluation holds no row of the model.", hint="Add model to --methods."
        )
    return models


def _figure(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.1f}"


def _shown(rows: Sequence[Mapping[str, Any]], judge: str) -> list[Mapping[str, Any]]:
    def effect(row: Mapping[str, Any]) -> float:
        ratio = float(row["attention"][judge]["ratio_of_means"])
        return -ratio if row["direction"] == "attract" else ratio

    baselines = sorted((row for row in rows if row["kind"] == "baseline"), key=effect)
    # What was measured on a part of the photos cannot stand beside the others.
    most = max((row["pairs"] for row in rows), default=0)
    baselines = [row for row in baselines if row["pairs"] == most]
    return [*(row for row in rows if row["method"] == "model"), *baselines[:SHOWN_BASELINES]]


def _line(row: Mapping[str, Any], judge: str) -> str:
    attention, fidelity = row["attention"][judge], row["fidelity"]
    name = _NAMES.get(row["method"], row["label"])
    return (
        f"| {name}, {_AIMS[row['direction']]} | {_TIMES} {attention['ratio_of_means']:.2f} "
        f"| {_percent(attention['moved'])} | {fidelity['lpips']:.3f} "
        f"| {100 * fidelity['clipped']:.1f} % |"
    )


def _percent(part: float) -> str:
    """Return whole percents; 100 only where it is all of them."""
    return f"{100 * part:.0f} %" if part in (0.0, 1.0) else f"{min(99.9, 100 * part):.3g} %"


def _optimum_lines(
    rows: Sequence[Mapping[str, Any]], judge: str, model: Mapping[str, Any]
) -> list[str]:
    lines = ["LPIPS is the perceptual distance from the original: less is closer."]
    for row in rows:
        if row["method"] == "image-optimum" and row["direction"] == model["direction"]:
            attention, fidelity = row["attention"][judge], row["fidelity"]
            lines += [
                f"Optimising every photo on its own, {row['seconds']:.0f} seconds each, reaches "
                f"{_TIMES} {attention['ratio_of_means']:.2f} at {fidelity['lpips']:.3f} on "
                f"{row['pairs']} of them,",
                f"but tints greys in the selection by {fidelity['cast_inside']:.1f} CIELAB units "
                f"(GazeShift: {model['fidelity']['cast_inside']:.1f}).",
            ]
    return lines
