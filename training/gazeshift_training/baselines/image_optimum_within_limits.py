"""The per-image optimum within what the shipped model is held to.

The plain optimum buys attention with colour casts, clipped pixels and parameters beyond the model's
ranges. This one is optimised for each photo on the losses of the shipped recipe: what is left
between it and the network is what looking at one photo for long is worth.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gazeshift.edit import Direction, Edit
from gazeshift_training.baselines.image_optimum import (
    FIDELITY_WEIGHT,
    STEPS,
    descend,
    reduce_pair,
)
from gazeshift_training.baselines.method import Dial, Method, dial_of
from gazeshift_training.redirector.losses import (
    attention_share,
    log_gain,
    side_terms,
    weigh_terms,
)
from gazeshift_training.redirector.network import REGIONS
from gazeshift_training.redirector.ranges import Bounding, HeadSharpening, OutputRanges
from gazeshift_training.redirector.recipe import LossWeights
from gazeshift_training.redirector.rendering import render_edit

if TYPE_CHECKING:
    from gazeshift_training.evaluation.pairs import Pair
    from gazeshift_training.evaluation.tools import Tools

RANGES = OutputRanges(sharpening=(-0.8, 1.0))
"""Those of `training/recipes/redirector-divert.yaml`, as are the two below."""
SHARPENING = HeadSharpening(
    attract_foreground=(-0.6, 1.0), attract_background=(-0.6, 1.0), divert_background=(-0.6, 0.01)
)
WEIGHTS = LossWeights(
    lpips_limit=0.064,
    clipped_limit_inside=0.05,
    clipped_limit=0.003,
    clipped=10.0,
    lightness_limit=15.5,
)


@cache
def bounding_of(head: str) -> Bounding:
    """Return the map from free numbers into one head's ranges."""
    return Bounding(SHARPENING.narrow(RANGES, head))


def optimise_within_limits(
    pair: Pair, direction: Direction, tools: Tools, steps: int = STEPS
) -> Edit:
    """Minimise the shipped recipe's losses over both regions' parameters.

    Parameters
    ----------
    pair
        The photo and its mask.
    direction
        Which way.
    tools
        Its shipped attention network and LPIPS give the loss.
    steps
        Steps of Adam.

    Returns
    -------
    Edit
        The parameters after the last step, within the model's ranges.
    """
    network, lpips = tools.attention_network, tools.lpips
    photo, mask, features = reduce_pair(pair, tools)
    with torch.no_grad():
        before = attention_share(network(photo.rgb), mask)
    sign = torch.tensor([1.0 if direction == "attract" else -1.0])
    bounds = [bounding_of(f"{direction}_{region}") for region in REGIONS]

    def vector_of(free: Tensor) -> Tensor:
        return torch.cat([bound(raw) for bound, raw in zip(bounds, free, strict=True)], 1)

    def loss_of(free: Tensor) -> Tensor:
        vector = vector_of(free)
        edited = render_edit(photo, mask, vector)
        gain = log_gain(before, attention_share(network(edited), mask), sign)
        fidelity = lpips.distance(features, lpips.features(edited))
        terms = side_terms(photo, edited, mask, vector, WEIGHTS)
        return (FIDELITY_WEIGHT * fidelity - gain + weigh_terms(terms, WEIGHTS)).sum()

    numbers = vector_of(descend(loss_of, (2, 1, 35), steps)).flatten().tolist()
    return Edit.from_vector(numbers, direction=direction)


def prepare_within_limits(pair: Pair, direction: Direction, tools: Tools) -> Dial:
    """Optimise once; the dial moves the parameters."""
    return dial_of(optimise_within_limits(pair, direction, tools), pair)


METHOD = Method(
    id="image-optimum-limited",
    label="Per-image optimum within the model's limits",
    help="Both regions' parameters optimised for each photo on the shipped recipe's losses, within "
    "the model's ranges (Adam, 40 steps).",
    prepare=prepare_within_limits,
    kind="reference",
    order=23,
    on_subset=True,
)
