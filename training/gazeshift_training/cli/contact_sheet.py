"""`gazeshift-train contact-sheet`: look at what the model does, and at its worst pairs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gazeshift.errors import ParamError
from gazeshift_training import options

if TYPE_CHECKING:
    from gazeshift.edit import Direction
    from gazeshift_training.evaluation.measure import Row


@click.command("contact-sheet")
@options.data
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the pages.",
)
@click.option(
    "--model",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Redirector (ONNX); by default the shipped one.",
)
@click.option(
    "--attention",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Attention network (ONNX) whose maps are shown; by default the shipped one.",
)
@click.option(
    "--count",
    type=click.IntRange(1),
    default=12,
    show_default=True,
    help="Pairs on the pages for both directions.",
)
@click.option(
    "--evaluation",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder that `evaluate` filled: also draw pages of the worst pairs by each measure.",
)
@click.option(
    "--worst",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Pairs on such a page; 0 leaves these pages out.",
)
@click.option(
    "--failures",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also draw the model card's page (PNG or JPEG): the worst photo by each measure, out of "
    "those that may be published; a list of them is written beside it.",
)
def command(
    data: Path,
    out: Path,
    model: Path | None,
    attention: Path | None,
    count: int,
    evaluation: Path | None,
    worst: int,
    failures: Path | None,
) -> None:
    """Draw pages with before, after, attention maps and parameters.

    Example: gazeshift-train contact-sheet --data DATA --out runs/sheets
    --evaluation runs/evaluation
    """
    from gazeshift.attention import AttentionModel
    from gazeshift.edit import DIRECTIONS
    from gazeshift.predict import Redirector
    from gazeshift.sessions import model_path
    from gazeshift_training.evaluation.pairs import read_named_pair, validation_sources
    from gazeshift_training.evaluation.run import content_digest
    from gazeshift_training.evaluation.sheet import draw_sheet, model_entry
    from gazeshift_training.evaluation.tools import Tools
    from gazeshift_training.evaluation.worst import (
        MEASURES,
        describe,
        failure_lines,
        worst_pairs,
    )
    from gazeshift_training.evaluation.worst import failures as find_failures
    from gazeshift_training.lpips import Lpips

    model = model or model_path("redirector")
    judge = AttentionModel(attention or model_path("attention"))
    redirector = Redirector(model, attention=judge)
    tools = Tools(redirector, judge.network.path, {"shown": judge}, Lpips())
    rows: dict[Direction, dict[str, Row]] = {}
    if evaluation:
        rows = {direction: _read_rows(evaluation, direction, model) for direction in DIRECTIONS}
    out.mkdir(parents=True, exist_ok=True)
    pairs = [source.load() for source in validation_sources(data, judge, count)]
    if not pairs:
        raise ParamError(f"{data.name} holds no validation pair.")
    for direction in DIRECTIONS:
        path = out / f"sheet-{direction}.png"
        entries = [model_entry(pair, direction, tools) for pair in pairs]
        draw_sheet(entries, judge, f"{redirector.model_id}, {direction}, dial 1", path)
        click.echo(str(path))
    if failures:
        if not rows:
            raise ParamError("The failures need measured rows.", hint="Pass --evaluation as well.")
        shown = find_failures(rows, "judge")
        if not shown:
            raise ParamError("None of the measured photos may be published.")
        entries = [
            model_entry(
                read_named_pair(data, row.pair),
                row.direction,
                tools,
                describe(row.measure, row.value),
            )
            for row in shown
        ]
        model_name = f"{redirector.model_id} ({content_digest(model)})"
        title = f"{redirector.model_id}: the worst photo by each measure, dial 1"
        draw_sheet(entries, judge, title, failures)
        listed = failures.with_suffix(".md")
        partial = listed.with_name(listed.name + ".partial")
        partial.write_text("\n".join([*failure_lines(shown, model_name), ""]), encoding="utf-8")
        partial.replace(listed)
        click.echo(f"{failures}\n{listed}")
    for direction, measured in rows.items() if worst else ():
        for measure in MEASURES:
            found = worst_pairs(measured, measure, direction, "judge", worst)
            if not found:
                continue
            entries = [
                model_entry(read_named_pair(data, name), direction, tools, describe(measure, value))
                for name, value in found
            ]
            path = out / f"worst-{measure}-{direction}.png"
            draw_sheet(entries, judge, f"{direction}: the worst {len(found)} by {measure}", path)
            click.echo(str(path))


def _read_rows(evaluation: Path, direction: Direction, model: Path) -> dict[str, Row]:
    from gazeshift_training.evaluation.assemble import all_methods
    from gazeshift_training.evaluation.run import model_stamp
    from gazeshift_training.evaluation.store import read_rows, store_path

    path = store_path(evaluation / "rows", all_methods()["model"], direction)
    if not path.exists():
        raise ParamError(
            f"{evaluation.name} holds no rows of the model for the direction {direction}.",
            hint="Run gazeshift-train evaluate into it first.",
        )
    stamp, rows = read_rows(path)
    if model_stamp(model) not in stamp:
        raise ParamError(
            f"The rows in {evaluation.name} are those of another model than {model.name}.",
            hint="Run gazeshift-train evaluate again, or name the model with --model.",
        )
    return {key.pair: row for key, row in rows.items() if "clipped" in row and key.strength == 1.0}
