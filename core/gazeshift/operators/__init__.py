"""The operators, one module each, found by looking into this package.

A module is an operator when it holds `SPEC` and a function `apply_<id>`. Adding one is adding
a file here and its test.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import MappingProxyType

from gazeshift.operators.spec import Operator, OperatorSpec, Parameter

__all__ = ["DEFAULT_CHAIN", "OPERATORS", "Operator", "OperatorSpec", "Parameter", "vector_size"]


def _discover() -> dict[str, Operator]:
    found: list[Operator] = []
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        spec = getattr(module, "SPEC", None)
        if isinstance(spec, OperatorSpec):
            found.append(Operator(spec, getattr(module, f"apply_{spec.id}")))
    found.sort(key=lambda operator: operator.spec.order)
    return {operator.spec.id: operator for operator in found}


OPERATORS = MappingProxyType(_discover())
"""Every operator by its id, in the order of application."""

DEFAULT_CHAIN = tuple(id_ for id_, operator in OPERATORS.items() if operator.spec.is_default)
"""Ids of the operators that the shipped model predicts, in the order of application."""


def vector_size() -> int:
    """Return how many numbers describe one region in the default chain."""
    return sum(OPERATORS[id_].spec.size for id_ in DEFAULT_CHAIN)
