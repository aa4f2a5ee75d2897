"""The model under test as methods: as it is, over-driven, and restricted to parts of its edit.

The restrictions take the shipped model's prediction and leave a part out or apply it in another
order. They say what that part contributes to *this* model; a network trained for the part
alone, as in the paper's Table 1d, may do better.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from gazeshift.edit import Direction, Edit, RegionParameters
from gazeshift.operators import DEFAULT_CHAIN, OPERATORS
from gazeshift_training.baselines.method import Dial, Method, dial_of

if TYPE_CHECKING:
    from gazeshift_training.evaluation.pairs import Pair
    from gazeshift_training.evaluation.tools import Tools

Restriction = Callable[[Edit], Edit]

ORDERS = (
    ("color", "tone", "contrast", "exposure", "sharpening"),
    ("tone", "color", "sharpening", "exposure", "contrast"),
    ("contrast", "exposure", "sharpening", "tone", "color"),
    ("tone", "color", "sharpening", "contrast", "exposure"),
)
"""The four other orders of the paper's Table 1d."""


def predicted(pair: Pair, direction: Direction, tools: Tools) -> Edit:
    """Return the model's edit at strength 1."""
    both = tools.prediction(pair)
    return both.attract if direction == "attract" else both.divert


def keep_operators(edit: Edit, kept: tuple[str, ...]) -> Edit:
    """Set every other operator of both regions to its identity."""
    foreground, background = (
        RegionParameters({id_: region.arguments(id_) for id_ in region.active() if id_ in kept})
        for region in (edit.foreground, edit.background)
    )
    return Edit(foreground, background, direction=edit.direction)


def _restricted(restrict: Restriction, pair: Pair, direction: Direction, tools: Tools) -> Dial:
    return dial_of(restrict(predicted(pair, direction, tools)), pair)


def _reordered(order: tuple[str, ...], pair: Pair, direction: Direction, tools: Tools) -> Dial:
    return dial_of(predicted(pair, direction, tools), pair, order)


def _fixed(pair: Pair, direction: Direction, tools: Tools) -> Dial:
    return dial_of(tools.mean_edit(direction), pair)


def _restriction(id_: str, label: str, help_: str, order: int, restrict: Restriction) -> Method:
    return Method(
        id=id_,
        label=label,
        help=help_,
        prepare=partial(_restricted, restrict),
        kind="restriction",
        on_subset=True,
        uses_model=True,
        order=order,
    )


def _part_only(names: tuple[str, ...], order: int) -> Method:
    labels = " + ".join(OPERATORS[id_].spec.label.lower() for id_ in names)
    return _restriction(
        "only-" + "-".join(names),
        f"Model, {labels} only",
        "The model's prediction with every other operator at its identity.",
        order,
        partial(keep_operators, kept=names),
    )


def model_methods() -> list[Method]:
    """Return the model's own rows and its restrictions, in the order of the table."""
    methods = [
        Method(
            id="model",
            label="This model",
            help="The shipped redirector at dial 1.",
            prepare=partial(_restricted, lambda edit: edit),
            kind="model",
            uses_model=True,
            order=10,
        ),
        Method(
            id="model-overdriven",
            label="This model, dial 1.5",
            help="The shipped redirector at the end of its dial.",
            prepare=partial(_restricted, lambda edit: edit),
            kind="model",
            uses_model=True,
            order=11,
            strength=1.5,
        ),
        _part_only(("tone", "color"), 60),
        _part_only(("sharpening", "exposure", "contrast"), 61),
        _part_only(("color",), 62),
        _part_only(tuple(id_ for id_ in DEFAULT_CHAIN if id_ != "color"), 63),
        _restriction(
            "foreground-only",
            "Model, foreground only",
            "The model's prediction inside the mask; the background untouched.",
            64,
            lambda edit: Edit(edit.foreground, RegionParameters(), direction=edit.direction),
        ),
        _restriction(
            "background-only",
            "Model, background only",
            "The model's prediction outside the mask; the foreground untouched.",
            65,
            lambda edit: Edit(RegionParameters(), edit.background, direction=edit.direction),
        ),
    ]
    methods.append(
        Method(
            id="fixed-parameters",
            label="Model, one edit for all photos",
            help="The mean of the model's predictions over all pairs, the same on every photo.",
            prepare=_fixed,
            kind="restriction",
            on_subset=True,
            uses_model=True,
            uses_all_pairs=True,
            order=66,
        )
    )
    for place, order in enumerate(ORDERS):
        short = ", ".join(id_[:3] for id_ in order)
        methods.append(
            Method(
                id="order-" + "-".join(id_[:3] for id_ in order),
                label=f"Model, order {short}",
                help="The model's prediction with its operators applied in another order.",
                prepare=partial(_reordered, order),
                kind="restriction",
                on_subset=True,
                uses_model=True,
                order=70 + place,
            )
        )
    return methods
