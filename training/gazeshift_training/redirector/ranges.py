"""How the network's raw numbers become parameters inside the model's own ranges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from gazeshift.operators import DEFAULT_CHAIN, OPERATORS


@dataclass(frozen=True)
class OutputRanges:
    """What the model may predict; narrower than what the operators accept."""

    sharpening: tuple[float, ...] = (-0.6, 1.0)
    """Smallest and largest amount of sharpening; more softening looks like a fault of the lens."""
    exposure: tuple[float, ...] = (-0.8, 0.8)
    """Smallest and largest exposure in stops."""
    contrast: tuple[float, ...] = (-0.6, 0.6)
    """Smallest and largest contrast."""
    tone: tuple[float, ...] = (0.6, 1.6)
    """Smallest and largest slope of the tone curve, before the slopes are divided by their mean."""
    color: tuple[float, ...] = (0.93, 1.07)
    """Smallest and largest slope of a colour curve, before division by their mean."""
    saturation: tuple[float, ...] = (-0.8, 0.8)
    """Smallest and largest saturation, where a network predicts it at all."""


@dataclass(frozen=True)
class HeadSharpening:
    """Limits of sharpening that single heads keep besides the common range; wide by default."""

    attract_foreground: tuple[float, ...] = (-1.0, 2.0)
    """Smallest and largest amount of sharpening of the region that attracts."""
    attract_background: tuple[float, ...] = (-1.0, 2.0)
    """The same of what surrounds it."""
    divert_foreground: tuple[float, ...] = (-1.0, 2.0)
    """The same of the region that diverts."""
    divert_background: tuple[float, ...] = (-1.0, 2.0)
    """The same of what surrounds it."""

    def narrow(self, ranges: OutputRanges, head: str) -> OutputRanges:
        """Return the ranges of one head, named `direction_region`."""
        low, high = getattr(self, head)
        common_low, common_high = ranges.sharpening
        return replace(ranges, sharpening=(max(low, common_low), min(high, common_high)))


def vector_ids(operators: Sequence[str]) -> tuple[str, ...]:
    """Name the operators whose numbers make up one region's vector, in its order.

    Parameters
    ----------
    operators
        What a network predicts.

    Returns
    -------
    tuple of str
        Always the default chain, with identities where nothing is predicted; behind it what is
        predicted beyond it.
    """
    return (*DEFAULT_CHAIN, *(id_ for id_ in operators if id_ not in DEFAULT_CHAIN))


class Bounding(nn.Module):
    """Maps raw numbers smoothly into the model's ranges; zero becomes the identity.

    Slopes are divided by their mean, so that interpolating parameters interpolates the curve,
    and are scaled together back into the operators' hard range where they left it.

    Parameters
    ----------
    ranges
        The model's own ranges.
    ids
        Operators of the vector, from `vector_ids`.

    Raises
    ------
    ValueError
        If a range is wider than the operator's hard range or excludes the identity.
    """

    def __init__(self, ranges: OutputRanges, ids: Sequence[str] = DEFAULT_CHAIN) -> None:
        super().__init__()
        low: list[float] = []
        high: list[float] = []
        identity: list[float] = []
        self.curves: list[tuple[int, int, float, float]] = []
        for id_ in ids:
            first, last = getattr(ranges, id_)
            for parameter in OPERATORS[id_].spec.parameters:
                hard_low, hard_high = parameter.hard
                if not hard_low <= first < parameter.identity < last <= hard_high:
                    raise ValueError(
                        f"The range of {id_}, {first:g} to {last:g}, must hold "
                        f"{parameter.identity:g} and lie in {hard_low:g} to {hard_high:g}."
                    )
                if parameter.is_relative:
                    start = len(low)
                    self.curves.append((start, start + parameter.count, hard_low, hard_high))
                low += [first] * parameter.count
                high += [last] * parameter.count
                identity += [parameter.identity] * parameter.count
        self.low: Tensor
        self.span: Tensor
        self.offset: Tensor
        self.identity: Tensor
        self.register_buffer("low", torch.tensor(low))
        self.register_buffer("span", torch.tensor(high) - torch.tensor(low))
        self.register_buffer("identity", torch.tensor(identity))
        shares = [
            (i - first) / (last - first) for i, first, last in zip(identity, low, high, strict=True)
        ]
        self.register_buffer("offset", torch.tensor([math.log(s / (1.0 - s)) for s in shares]))
        # One raw unit moves a parameter by the same part of its range, wherever the identity lies.
        self.steepness: Tensor
        self.register_buffer("steepness", torch.tensor([0.25 / (s * (1.0 - s)) for s in shares]))

    def forward(self, raw: Tensor) -> Tensor:
        """Map raw numbers (B, n), n = 35 by default, to one region's parameters (B, n)."""
        bounded = self.low + self.span * torch.sigmoid(self.offset + self.steepness * raw)
        pieces: list[Tensor] = []
        position = 0
        for start, end, low, high in self.curves:
            if start > position:
                pieces.append(bounded[:, position:start])
            pieces.append(centre_slopes(bounded[:, start:end], low, high))
            position = end
        if position < bounded.shape[1]:
            pieces.append(bounded[:, position:])
        return torch.cat(pieces, 1)


def centre_slopes(slopes: Tensor, low: float, high: float) -> Tensor:
    """Divide slopes (B, n) by their mean and scale them together into low … high.

    Only the slopes' ratios matter, so neither step changes the curve.
    """
    centred = slopes / slopes.mean(1, keepdim=True)
    centred = centred * (high / centred.amax(1, keepdim=True)).clamp(max=1.0)
    return centred * (low / centred.amin(1, keepdim=True)).clamp(min=1.0)


def scale_edit(vector: Tensor, gain: float, ids: Sequence[str] = DEFAULT_CHAIN) -> Tensor:
    """Move parameters along the line from the identity, as the dial does.

    Parameters
    ----------
    vector
        Shape (B, 35) or (B, 70), operator units.
    gain
        1 changes nothing, 0 gives the identity.
    ids
        Operators of one region's vector, from `vector_ids`.
    """
    if gain == 1.0:
        return vector
    pieces: list[Tensor] = []
    position = 0
    while position < vector.shape[1]:
        for id_ in ids:
            for parameter in OPERATORS[id_].spec.parameters:
                low, high = parameter.hard
                piece = vector[:, position : position + parameter.count]
                position += parameter.count
                if parameter.is_relative:
                    moved = 1.0 + gain * (piece / piece.mean(1, keepdim=True) - 1.0)
                    pieces.append(centre_slopes(moved.clamp(min=0.05), low, high).clamp(low, high))
                else:
                    moved = parameter.identity + gain * (piece - parameter.identity)
                    pieces.append(moved.clamp(low, high))
    return torch.cat(pieces, 1)
