"""The parameters of one region: named, checked numbers for a chain of operators."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gazeshift.errors import ParamError
from gazeshift.operators import DEFAULT_CHAIN, OPERATORS, OperatorSpec, Parameter

MAX_STRENGTH = 1.5
"""Largest dial position; 1 is the prediction, more is over-drive."""

_Stored = dict[str, dict[str, tuple[float, ...]]]


class RegionParameters:
    """The parameters of one region, for some operators; the others are at their identity.

    Parameters
    ----------
    values
        Operator id → parameter name → number, or sequence of numbers for a vector. A parameter
        that is left out is at its identity.

    Raises
    ------
    ParamError
        If a name is unknown, a count is wrong, or a number is not finite or out of its range.
    """

    __slots__ = ("_stored",)

    def __init__(self, values: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        stored: _Stored = {}
        for operator_id, given in (values or {}).items():
            operator = OPERATORS.get(operator_id)
            if operator is None:
                raise ParamError(
                    f"There is no operator named '{operator_id}'.",
                    hint=f"Known operators: {', '.join(OPERATORS)}.",
                )
            if not isinstance(given, Mapping):
                raise ParamError(f"'{operator_id}' must hold named parameters.")
            stored[operator_id] = _check_operator(operator.spec, given)
        # Chain order, whatever order the caller used, so that equal edits compare equal.
        self._stored = {id_: stored[id_] for id_ in OPERATORS if id_ in stored}

    @classmethod
    def from_vector(cls, vector: Sequence[float]) -> RegionParameters:
        """Read the default chain's numbers, in the order of application.

        Parameters
        ----------
        vector
            35 numbers in operator units, as the network gives them. Numbers that miss the hard
            range by rounding are moved onto it.

        Raises
        ------
        ParamError
            If the count is wrong or a number is out of its range.
        """
        numbers = [float(number) for number in vector]
        expected = sum(OPERATORS[id_].spec.size for id_ in DEFAULT_CHAIN)
        if len(numbers) != expected:
            raise ParamError(f"A region takes {expected} numbers; {len(numbers)} were given.")
        values: dict[str, dict[str, Any]] = {}
        position = 0
        for id_ in DEFAULT_CHAIN:
            values[id_] = {}
            for parameter in OPERATORS[id_].spec.parameters:
                piece = numbers[position : position + parameter.count]
                position += parameter.count
                values[id_][parameter.name] = [_snap(number, parameter) for number in piece]
        return cls(values)

    def to_vector(self) -> list[float]:
        """Return the default chain's 35 numbers, in the order of application.

        Raises
        ------
        ParamError
            If an operator outside the default chain is in use.
        """
        extra = [id_ for id_ in self.active() if id_ not in DEFAULT_CHAIN]
        if extra:
            raise ParamError(f"Operators outside the default chain are in use: {extra}.")
        return [
            number
            for id_ in DEFAULT_CHAIN
            for parameter in OPERATORS[id_].spec.parameters
            for number in self.get(id_, parameter.name)
        ]

    def get(self, operator_id: str, name: str) -> tuple[float, ...]:
        """Return one parameter's numbers, the identity where nothing is stored."""
        parameter = _find_parameter(OPERATORS[operator_id].spec, name)
        stored = self._stored.get(operator_id, {})
        return stored.get(name, (parameter.identity,) * parameter.count)

    def with_value(self, operator_id: str, name: str, value: Any) -> RegionParameters:
        """Return a copy with one parameter changed."""
        values = {id_: dict(named) for id_, named in self._stored.items()}
        values.setdefault(operator_id, {})[name] = value
        return RegionParameters(values)

    def arguments(self, operator_id: str) -> dict[str, float | tuple[float, ...]]:
        """Return the keyword arguments of the operator's function."""
        return {
            parameter.name: _unwrap(self.get(operator_id, parameter.name))
            for parameter in OPERATORS[operator_id].spec.parameters
        }

    def active(self) -> tuple[str, ...]:
        """Return the ids of the operators that change anything, in the order of application."""
        return tuple(id_ for id_ in self._stored if not self._is_identity_operator(id_))

    def _is_identity_operator(self, operator_id: str) -> bool:
        for parameter in OPERATORS[operator_id].spec.parameters:
            numbers = self.get(operator_id, parameter.name)
            if parameter.is_relative:
                if any(number != numbers[0] for number in numbers):
                    return False
            elif any(number != parameter.identity for number in numbers):
                return False
        return True

    @property
    def is_identity(self) -> bool:
        """Whether the region stays as it is."""
        return not self.active()

    def at(self, strength: float) -> RegionParameters:
        """Return these parameters moved along the line from the identity.

        Slopes are divided by their mean first; then interpolating the slopes interpolates the
        curve exactly. The results are limited to the hard ranges; slopes are first scaled
        together into their range where they fit, which leaves the curve as it is.

        Parameters
        ----------
        strength
            0 gives the identity, 1 the same edit, up to 1.5 over-drives it.

        Raises
        ------
        ParamError
            If `strength` is not finite or lies outside 0 to 1.5.
        """
        strength = check_strength(strength)
        if strength == 0.0:
            return RegionParameters()
        if strength == 1.0:
            return self
        values: dict[str, dict[str, Any]] = {}
        for operator_id, named in self._stored.items():
            values[operator_id] = {}
            for name, numbers in named.items():
                parameter = _find_parameter(OPERATORS[operator_id].spec, name)
                values[operator_id][name] = _interpolate(parameter, numbers, strength)
        return RegionParameters(values)

    def to_json(self) -> dict[str, dict[str, float | list[float]]]:
        """Return plain numbers and lists: operator id → parameter name → value."""
        return {
            operator_id: {
                name: numbers[0] if len(numbers) == 1 else list(numbers)
                for name, numbers in named.items()
            }
            for operator_id, named in self._stored.items()
        }

    def __eq__(self, other: object) -> bool:
        """Compare all parameters, stored or at their identity."""
        if not isinstance(other, RegionParameters):
            return NotImplemented
        return all(
            self.get(id_, parameter.name) == other.get(id_, parameter.name)
            for id_, operator in OPERATORS.items()
            for parameter in operator.spec.parameters
        )

    def __hash__(self) -> int:
        """Hash what `__eq__` compares."""
        return hash(
            tuple(
                self.get(id_, parameter.name)
                for id_, operator in OPERATORS.items()
                for parameter in operator.spec.parameters
            )
        )

    def __repr__(self) -> str:
        """Show the operators that change anything."""
        shown = {id_: self.arguments(id_) for id_ in self.active()}
        return f"RegionParameters({shown})"


def check_strength(strength: float) -> float:
    """Return a dial position as a float.

    Raises
    ------
    ParamError
        If it is not finite or lies outside 0 to 1.5.
    """
    if not math.isfinite(strength) or not 0.0 <= strength <= MAX_STRENGTH:
        raise ParamError(f"The strength must lie in 0 to {MAX_STRENGTH}, not {strength}.")
    return float(strength)


def _check_operator(spec: OperatorSpec, given: Mapping[str, Any]) -> dict[str, tuple[float, ...]]:
    unknown = sorted(set(given) - {parameter.name for parameter in spec.parameters})
    if unknown:
        names = ", ".join(parameter.name for parameter in spec.parameters)
        raise ParamError(
            f"'{spec.id}' has no parameter named '{unknown[0]}'.", hint=f"It has: {names}."
        )
    return {
        parameter.name: _check_numbers(f"{spec.id}.{parameter.name}", parameter, given)
        for parameter in spec.parameters
        if parameter.name in given
    }


def _check_numbers(label: str, parameter: Parameter, given: Mapping[str, Any]) -> tuple[float, ...]:
    raw = given[parameter.name]
    items = [raw] if parameter.count == 1 and not isinstance(raw, (list, tuple)) else raw
    if isinstance(items, (str, bytes, Mapping)) or not hasattr(items, "__len__"):
        raise ParamError(f"{label} takes {parameter.count} numbers, not {raw!r}.")
    if len(items) != parameter.count:
        raise ParamError(f"{label} takes {parameter.count} numbers; {len(items)} were given.")
    low, high = parameter.hard
    numbers = []
    for item in items:
        number = check_number(item, label)
        if not low <= number <= high:
            raise ParamError(f"{label} must lie in {low:g} to {high:g}, not {number:g}.")
        numbers.append(number)
    return tuple(numbers)


def check_number(item: Any, label: str) -> float:
    """Return a finite number.

    Raises
    ------
    ParamError
        If `item` is not a number, or not finite; the message names it by `label`.
    """
    if isinstance(item, (bool, str, bytes)):
        raise ParamError(f"{label} must be a number, not {item!r}.")
    try:
        number = float(item)
    except (TypeError, ValueError, OverflowError) as error:
        raise ParamError(f"{label} must be a number, not {item!r}.") from error
    if not math.isfinite(number):
        raise ParamError(f"{label} must be a finite number, not {number}.")
    return number


def _find_parameter(spec: OperatorSpec, name: str) -> Parameter:
    for parameter in spec.parameters:
        if parameter.name == name:
            return parameter
    raise ParamError(f"'{spec.id}' has no parameter named '{name}'.")


def _unwrap(numbers: tuple[float, ...]) -> float | tuple[float, ...]:
    return numbers[0] if len(numbers) == 1 else numbers


def _snap(number: float, parameter: Parameter) -> float:
    low, high = parameter.hard
    # float16 weights can overshoot a limit by a rounding step; anything larger is an error.
    slack = 1e-3 * (high - low)
    if low - slack <= number <= high + slack:
        return min(max(number, low), high)
    return number


def _interpolate(parameter: Parameter, numbers: tuple[float, ...], strength: float) -> list[float]:
    low, high = parameter.hard
    if not parameter.is_relative:
        moved = [parameter.identity + strength * (n - parameter.identity) for n in numbers]
        return [min(max(n, low), high) for n in moved]
    mean = math.fsum(numbers) / len(numbers)
    moved = [1.0 + strength * (number / mean - 1.0) for number in numbers]
    # Only ratios matter, so slopes that leave the range together are scaled back into it.
    if max(moved) > high:
        factor = high / max(moved)
    elif min(moved) < low:
        factor = min(low / min(moved), high / max(moved)) if min(moved) > 0.0 else 1.0
    else:
        factor = 1.0
    return [min(max(number * factor, low), high) for number in moved]
