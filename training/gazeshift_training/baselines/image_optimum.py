"""The per-image optimum: the 70 parameters, optimised for one photo by gradient descent.

What a network that sees a photo once is measured against. It is optimised on the shipped
attention network, whose weak spots it finds too: read it by the other judge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from gazeshift.edit import Direction, Edit
from gazeshift.operators import DEFAULT_CHAIN, OPERATORS
from gazeshift_training.baselines.method import Dial, Method, dial_of
from gazeshift_training.redirector.rendering import Prepared, prepare, render_edit

if TYPE_CHECKING:
    from gazeshift_training.evaluation.pairs import Pair
    from gazeshift_training.evaluation.tools import Tools

STEPS = 40
LEARNING_RATE = 0.06
FIDELITY_WEIGHT = 6.0
LONG_SIDE_PX = 320
"""Optimisation sees the photo at this size; parameters do not depend on it."""


def to_parameters(free: Tensor) -> Tensor:
    """Map free numbers to one region's 35 parameters within their hard ranges; 0 to the identity.

    Parameters
    ----------
    free
        Shape (..., 35), any numbers.

    Returns
    -------
    Tensor
        Shape of `free`, in operator units, the default chain's order.
    """
    pieces: list[Tensor] = []
    position = 0
    for id_ in DEFAULT_CHAIN:
        for parameter in OPERATORS[id_].spec.parameters:
            bent = torch.tanh(free[..., position : position + parameter.count])
            position += parameter.count
            reach = parameter.hard[1] - parameter.identity
            reach = min(reach, parameter.identity - parameter.hard[0])
            if parameter.is_relative:
                pieces.append(parameter.hard[1] ** bent)
            else:
                pieces.append(parameter.identity + reach * bent)
    return torch.cat(pieces, -1)


class Reduced(NamedTuple):
    """A pair at the size it is optimised at."""

    photo: Prepared
    """The photo."""
    mask: Tensor
    """Shape (1, 1, h, w), 0-1."""
    features: list[Tensor]
    """What LPIPS compares the photo by."""


def reduce_pair(pair: Pair, tools: Tools) -> Reduced:
    """Shrink a pair to at most `LONG_SIDE_PX` and prepare it."""
    rgb = torch.from_numpy(pair.rgb.copy()).permute(2, 0, 1)[None]
    mask = torch.from_numpy(pair.mask.copy())[None, None]
    scale = min(1.0, LONG_SIDE_PX / max(rgb.shape[2:]))
    if scale < 1.0:
        size = [round(side * scale) for side in rgb.shape[2:]]
        rgb, mask = (functional.interpolate(plane, size, mode="area") for plane in (rgb, mask))
    with torch.no_grad():
        return Reduced(prepare(rgb), mask, tools.lpips.features(rgb))


def descend(loss_of: Callable[[Tensor], Tensor], shape: tuple[int, ...], steps: int) -> Tensor:
    """Return the free numbers that Adam reaches from zeros."""
    free = torch.zeros(shape, requires_grad=True)
    optimiser = torch.optim.Adam([free], lr=LEARNING_RATE)
    for _ in range(steps):
        (free.grad,) = torch.autograd.grad(loss_of(free), free)
        optimiser.step()
    return free.detach()


def optimise(pair: Pair, direction: Direction, tools: Tools, steps: int = STEPS) -> Edit:
    """Minimise -log share + 6 LPIPS (`divert`: +log share) over both regions' parameters.

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
        The parameters after the last step.
    """
    network, lpips = tools.attention_network, tools.lpips
    photo, mask, features = reduce_pair(pair, tools)
    sign = -1.0 if direction == "attract" else 1.0

    def loss_of(free: Tensor) -> Tensor:
        edited = render_edit(photo, mask, to_parameters(free).flatten(1))
        attention = network(edited)
        cells = functional.interpolate(mask, attention.shape[2:], mode="area")
        share = (attention * cells).sum()
        fidelity = lpips.distance(features, lpips.features(edited)).sum()
        loss: Tensor = sign * torch.log(share + 1e-6) + FIDELITY_WEIGHT * fidelity
        return loss

    numbers = to_parameters(descend(loss_of, (1, 2, 35), steps)).flatten().tolist()
    return Edit.from_vector(numbers, direction=direction)


def prepare_image_optimum(pair: Pair, direction: Direction, tools: Tools) -> Dial:
    """Optimise once; the dial moves the parameters."""
    return dial_of(optimise(pair, direction, tools), pair)


METHOD = Method(
    id="image-optimum",
    label="Per-image optimum",
    help="Both regions' parameters optimised for each photo against the shipped attention "
    "network (Adam, 40 steps, -log share + 6 LPIPS).",
    prepare=prepare_image_optimum,
    kind="reference",
    order=22,
    on_subset=True,
)
