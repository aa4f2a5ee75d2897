"""What an operator is: its specification as data, and the function that applies it.

The specification is the single source for the numbers of an operator. The command line, the
edit file, the bridge's schema, the plug-ins' sliders and the documentation are made from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Array: TypeAlias = Any
"""A numpy or torch array; the array API has no common static type."""

Value: TypeAlias = Any
"""A parameter's value: a float, a sequence of floats, or an array with leading batch axes."""


@dataclass(frozen=True)
class Parameter:
    """One named parameter of an operator: a number, or a vector of equal numbers."""

    name: str
    """Permanent name, unique within the operator."""
    identity: float
    """The value (of every element) that changes nothing."""
    hard: tuple[float, float]
    """Smallest and largest value that is accepted."""
    ui: tuple[float, float]
    """Range that a slider should offer."""
    unit: str
    """Unit shown to people; empty for a pure number."""
    help: str
    """One line for people."""
    count: int = 1
    """Number of elements; 1 is a plain number, more is a vector."""
    is_relative: bool = False
    """Whether only the ratios of the elements matter (the slopes of a curve)."""


@dataclass(frozen=True)
class OperatorSpec:
    """An operator's identity and parameters, as data."""

    id: str
    """Permanent identifier, also the name of its module."""
    version: int
    """Raised when the meaning of a parameter changes."""
    label: str
    """Name shown to people."""
    help: str
    """One line for people."""
    order: int
    """Place in the chain: smaller is applied earlier."""
    locality: Literal["point", "neighbourhood"]
    """Whether a pixel depends on its neighbours."""
    is_separable: bool
    """Whether each channel depends on that channel alone, so that the operator is one curve."""
    is_default: bool
    """Whether the shipped model predicts it; the others are opt-in."""
    parameters: tuple[Parameter, ...]
    treats_channels_alike: bool = False
    """Whether a separable operator is one curve for all channels, so that tables need it once."""

    @property
    def size(self) -> int:
        """Return how many numbers the operator takes."""
        return sum(parameter.count for parameter in self.parameters)


@dataclass(frozen=True)
class Operator:
    """A specification and the pure function that carries it out."""

    spec: OperatorSpec
    apply: Callable[..., Array]
