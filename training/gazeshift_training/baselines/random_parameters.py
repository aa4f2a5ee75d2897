"""Random parameters, as far from the photo as the model's edit: effect by chance alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazeshift.edit import MAX_STRENGTH, Direction, Edit
from gazeshift.operators import DEFAULT_CHAIN, OPERATORS
from gazeshift_training.baselines.method import Dial, FloatImage, Method, dial_of, seed_of

if TYPE_CHECKING:
    from gazeshift_training.evaluation.pairs import Pair
    from gazeshift_training.evaluation.tools import Tools

BISECTIONS = 6


def random_edit(seed: int, direction: Direction) -> Edit:
    """Draw both regions' parameters evenly from half of the hard range on either side of nothing.

    Slopes are drawn evenly in the logarithm.

    Parameters
    ----------
    seed
        The same seed gives the same edit.
    direction
        Kept in the edit; the draw does not depend on it.
    """
    rng = np.random.default_rng(seed)
    numbers: list[float] = []
    for _ in range(2):
        for id_ in DEFAULT_CHAIN:
            for parameter in OPERATORS[id_].spec.parameters:
                draw = rng.uniform(-0.5, 0.5, parameter.count)
                reach = min(parameter.hard[1] - parameter.identity, 1.0)
                if parameter.is_relative:
                    numbers += list(parameter.hard[1] ** (2.0 * draw))
                else:
                    numbers += list(parameter.identity + reach * draw)
    return Edit.from_vector(numbers, direction=direction)


def prepare_random(pair: Pair, direction: Direction, tools: Tools) -> Dial:
    """Draw an edit and find the dial position at which it is as far away as the model's edit."""
    edits = tools.prediction(pair)
    predicted = edits.attract if direction == "attract" else edits.divert
    judge = tools.fidelity(pair)
    wanted = judge.distance(dial_of(predicted, pair)(1.0))
    render = dial_of(random_edit(seed_of(pair.name, direction), direction), pair)
    low, high = 0.0, MAX_STRENGTH
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if judge.distance(render(middle)) < wanted:
            low = middle
        else:
            high = middle
    position = (low + high) / 2

    def scaled(strength: float) -> FloatImage:
        return render(min(position * strength, MAX_STRENGTH))

    return scaled


METHOD = Method(
    id="random",
    label="Random at equal LPIPS",
    help="Random parameters, dialled to the LPIPS of the model's edit of the same photo.",
    prepare=prepare_random,
    order=36,
    on_subset=True,
    uses_model=True,
)
