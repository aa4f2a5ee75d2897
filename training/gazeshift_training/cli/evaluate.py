"""`gazeshift-train evaluate`: every method on the validation pairs, in one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gazeshift.errors import ParamError
from gazeshift_training import options

if TYPE_CHECKING:
    from gazeshift.attention import AttentionModel
    from gazeshift_training.baselines.method import Method

JUDGE = Path(__file__).parents[2] / "models" / "judge.onnx"
README = "README.md"
MODEL_CARD = "core/gazeshift/models/redirector.md"
"""Texts beside the documentation that hold short tables between two markers."""


@click.command("evaluate")
@options.data
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the table, the figures and the rows measured so far.",
)
@click.option(
    "--model",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Redirector (ONNX); by default the shipped one.",
)
@click.option(
    "--attention",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Attention network (ONNX) the model was trained against; by default the shipped one.",
)
@click.option(
    "--judge",
    type=click.Path(path_type=Path, dir_okay=False),
    default=JUDGE,
    help="Second attention network (ONNX), which decides; by default training/models/judge.onnx.",
)
@click.option(
    "--methods",
    default="quick",
    show_default=True,
    help="Ids with commas between; `quick` is model, identity, vignette and hor; `all` is all.",
)
@click.option(
    "--directions",
    type=click.Choice(["attract", "divert", "both"]),
    default="both",
    show_default=True,
    help="Which way.",
)
@click.option(
    "--strength",
    "strengths",
    type=click.FloatRange(0.0, 1.5),
    multiple=True,
    help="Adds a row for the model at this position of the dial; may be given more than once.",
)
@click.option(
    "--ablations",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of `gazeshift-train ablate`; adds a table of its networks, on the subset.",
)
@click.option("--limit", type=click.IntRange(1), help="Evaluate the first so many pairs only.")
@click.option(
    "--subset",
    type=click.IntRange(0),
    default=24,
    show_default=True,
    help="Pairs that get curves over the dial, and methods that are not run on all.",
)
@click.option(
    "--styles",
    type=click.IntRange(0),
    default=12,
    show_default=True,
    help="Photos on which ten random styles of the model are compared; 0 leaves them out.",
)
@click.option("--no-curves", is_flag=True, help="Leave out the curves over the dial.")
@click.option(
    "--docs",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Also write evaluation-table.md and .json and figures/evaluation-*.png into this folder, "
    "and the short tables of the README.md and the model card beside it.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Photos measured at the same time.",
)
def command(
    data: Path,
    out: Path,
    model: Path | None,
    attention: Path | None,
    judge: Path,
    methods: str,
    directions: str,
    strengths: tuple[float, ...],
    ablations: Path | None,
    limit: int | None,
    subset: int,
    styles: int,
    no_curves: bool,
    docs: Path | None,
    workers: int,
) -> None:
    """Measure the model and other methods on the validation pairs, and write one table.

    Writes evaluation.md, evaluation.json and evaluation-*.png into --out. What was measured is
    kept there, so an interrupted run goes on where it stopped.

    Example: gazeshift-train evaluate --data DATA --out runs/evaluation --methods all
    """
    import torch

    from gazeshift.attention import AttentionModel
    from gazeshift.edit import DIRECTIONS
    from gazeshift.predict import Redirector
    from gazeshift.sessions import model_path
    from gazeshift_training.evaluation.ablations import ablation_methods
    from gazeshift_training.evaluation.assemble import assemble, model_at
    from gazeshift_training.evaluation.encoder import measure_encoder
    from gazeshift_training.evaluation.pairs import validation_sources
    from gazeshift_training.evaluation.plots import draw_all
    from gazeshift_training.evaluation.report import write_evaluation
    from gazeshift_training.evaluation.run import (
        CURVE_STRENGTHS,
        Plan,
        content_digest,
        fingerprint,
        run_plan,
        time_methods,
    )
    from gazeshift_training.evaluation.short_tables import card_lines, readme_lines, rewrite_block
    from gazeshift_training.evaluation.styles import measure_styles
    from gazeshift_training.evaluation.tools import Tools
    from gazeshift_training.lpips import Lpips

    if docs and not any(method.id == "model" for method in choose_methods(methods)):
        raise ParamError(
            "The documentation's tables are about the model.", hint="Add model to --methods."
        )
    chosen = [*choose_methods(methods), *(model_at(strength) for strength in strengths)]
    if ablations is not None:
        chosen += ablation_methods(ablations)
    plan = Plan(
        methods=chosen,
        directions=tuple(name for name in DIRECTIONS if directions in (name, "both")),
        subset=subset,
        curve_strengths=() if no_curves else CURVE_STRENGTHS,
    )
    paths = {
        "judge": judge,
        "shipped": attention or model_path("attention"),
        "model": model or model_path("redirector"),
    }
    judges = {name: AttentionModel(paths[name]) for name in ("judge", "shipped")}
    redirector = Redirector(paths["model"], attention=judges["shipped"])
    facts = {"model": f"{redirector.model_id} ({content_digest(paths['model'])})"}
    for name, network in judges.items():
        digest = content_digest(paths[name])
        facts[f"attention network '{name}'"] = f"{_id_of(network)} ({digest})"
    # Each thread works at its own photo.
    torch.set_num_threads(1)
    sources = validation_sources(data, judges["shipped"], limit)
    if not sources:
        raise ParamError(
            f"{data.name} holds no validation pair.",
            hint="A pair needs a photo with two instances, one of 2-30 % of the picture.",
        )
    facts["pairs"] = (
        f"{len(sources)} photos, one mask each (2-30 % of the picture, two instances or more, "
        "share before at most 0.3)" + (f", the first {limit} only" if limit else "")
    )
    tools = Tools(redirector, paths["shipped"], judges, Lpips())
    judge_paths = {name: paths[name] for name in judges}
    fingerprints = {
        method.id: fingerprint(method, paths["model"], judge_paths) for method in chosen
    }
    results = run_plan(plan, sources, tools, out / "rows", fingerprints, workers=workers)
    results.seconds = time_methods(plan, sources, tools)
    shows_styles = styles and any(method.id == "model" for method in chosen)
    figures = measure_styles(redirector, judges["judge"], sources[:styles]) if shows_styles else []
    evaluation = assemble(
        plan, results, list(judges), facts, figures, measure_encoder(paths["model"])
    )
    for folder, name, pictures in (
        (out, "evaluation", out),
        *(((docs, "evaluation-table", docs / "figures"),) if docs else ()),
    ):
        drawn = draw_all(evaluation, pictures)
        tables = (folder / f"{name}.md", folder / f"{name}.json")
        write_evaluation(evaluation, *tables, drawn)
        for path in (*tables, *drawn):
            click.echo(str(path))
    plain = evaluation.to_json()
    for text, make_lines in ((README, readme_lines), (MODEL_CARD, card_lines)):
        if docs and (docs.parent / text).exists():
            rewrite_block(docs.parent / text, make_lines(plain))
            click.echo(str(docs.parent / text))


def choose_methods(text: str) -> list[Method]:
    """Return the methods that `--methods` names.

    Parameters
    ----------
    text
        Ids with commas between, `quick` or `all`.

    Raises
    ------
    ParamError
        If an id is not known.
    """
    from gazeshift_training.evaluation.assemble import QUICK, all_methods

    known = all_methods()
    names: list[str] = []
    for name in (part.strip() for part in text.split(",")):
        names += {"all": list(known), "quick": list(QUICK)}.get(name, [name])
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ParamError(
            f"There is no method named '{unknown[0]}'.",
            hint=f"Known methods: {', '.join(known)}; or quick, all.",
        )
    return [method for id_, method in known.items() if id_ in names]


def _id_of(network: AttentionModel) -> str:
    metadata = network.network.metadata
    found = [
        metadata[key] for end in ("model_id", "version") for key in metadata if key.endswith(end)
    ]
    return " ".join(found) or network.network.path.name
