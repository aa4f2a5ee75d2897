"""The model under test as methods: as it is, and over-driven."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazeshift_training.baselines.method import Dial, Method, dial_of

if TYPE_CHECKING:
    from gazeshift.edit import Direction
    from gazeshift_training.evaluation.pairs import Pair
    from gazeshift_training.evaluation.tools import Tools


def prepare_model(pair: Pair, direction: Direction, tools: Tools) -> Dial:
    """Predict once; the dial moves the parameters."""
    both = tools.prediction(pair)
    return dial_of(both.attract if direction == "attract" else both.divert, pair)


def model_methods() -> list[Method]:
    """Return the model's own rows, in the order of the table."""
    return [
        Method(
            id="model",
            label="This model",
            help="The shipped redirector at dial 1.",
            prepare=prepare_model,
            kind="model",
            uses_model=True,
            order=10,
        ),
        Method(
            id="model-overdriven",
            label="This model, dial 1.5",
            help="The shipped redirector at the end of its dial.",
            prepare=prepare_model,
            kind="model",
            on_subset=True,
            uses_model=True,
            order=11,
            strength=1.5,
        ),
    ]
