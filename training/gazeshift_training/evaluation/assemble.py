"""From measured rows to the finished evaluation: averages, curves, duels, bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gazeshift_training.baselines import BASELINES
from gazeshift_training.baselines.method import Method
from gazeshift_training.evaluation.bars import Bar, check_bars, check_encoder
from gazeshift_training.evaluation.encoder import EncoderFigures
from gazeshift_training.evaluation.equal_fidelity import CurvePoint, duels, mean_curve
from gazeshift_training.evaluation.model_methods import model_methods
from gazeshift_training.evaluation.report import Evaluation
from gazeshift_training.evaluation.run import Plan, Results
from gazeshift_training.evaluation.styles import StyleFigures
from gazeshift_training.evaluation.summary import Averages, summarise

QUICK = ("model", "identity", "vignette", "hor")
"""What runs when no methods are named."""


def all_methods() -> dict[str, Method]:
    """Return every known method by its id, in the order of the table."""
    methods = [*model_methods(), *BASELINES.values()]
    return {method.id: method for method in sorted(methods, key=lambda method: method.order)}


def model_at(strength: float) -> Method:
    """Return a row for the model at another position of the dial."""
    return replace(
        all_methods()["model"],
        id=f"model-at-{strength:g}",
        label=f"This model, dial {strength:g}",
        help=f"The model at dial {strength:g}.",
        strength=strength,
        has_dial=False,
        order=12,
    )


def assemble(
    plan: Plan,
    results: Results,
    judges: Sequence[str],
    facts: Mapping[str, str],
    styles: Sequence[StyleFigures] = (),
    encoder: EncoderFigures | None = None,
) -> Evaluation:
    """Average, compare and judge what was measured.

    Parameters
    ----------
    plan
        What was asked for.
    results
        What was measured.
    judges
        Names of the judges; the first decides.
    facts
        What the report says about the run.
    styles
        What was found out about the model's styles.
    encoder
        What a prediction costs.

    Returns
    -------
    Evaluation
        Ready to write and draw.
    """
    deciding = judges[0]
    table, ablations = _divided(summarise(results, judges))
    strengths = plan.curve_strengths
    compared = duels(results, strengths, deciding) if strengths else []
    curves: dict[str, dict[str, dict[str, list[CurvePoint]]]] = {judge: {} for judge in judges}
    for judge, drawn in curves.items():
        for case in results.stores if strengths else ():
            if plan.has_curve(case.method):
                points = mean_curve(results, case, strengths, judge, first=plan.subset)
                if points:
                    drawn.setdefault(case.direction, {})[case.method.id] = points
    bars: list[Bar] = []
    for row in table:
        if row.method == "model":
            bars += check_bars(row, compared, deciding)
    bars += check_encoder(encoder) if encoder else []
    return Evaluation(
        facts=dict(facts),
        judges=tuple(judges),
        table=table,
        subset_table=_divided(summarise(results, judges, first=plan.subset))[0],
        ablations=ablations,
        styles=list(styles),
        subset=min(plan.subset, len(results.sources)),
        curves=curves,
        duels=compared,
        bars=bars,
        encoder=encoder,
    )


def _divided(rows: Sequence[Averages]) -> tuple[list[Averages], list[Averages]]:
    """Divide rows into those of the table and the ablations."""
    return (
        [row for row in rows if row.kind != "ablation"],
        [row for row in rows if row.kind == "ablation"],
    )
