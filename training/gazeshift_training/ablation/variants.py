"""The variants of the paper's Table 1d: what each is allowed to predict, and in which order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gazeshift.operators import DEFAULT_CHAIN, OPERATORS
from gazeshift_training.redirector.network import RedirectorDesign


@dataclass(frozen=True)
class Variant:
    """One row of the table."""

    id: str
    """Permanent; the name of its run's folder."""
    label: str
    """Name shown to people."""
    group: str
    """Which question it answers."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Keys of `RedirectorDesign` that differ."""

    def design(self, base: RedirectorDesign) -> RedirectorDesign:
        """Return what this variant builds."""
        return replace(base, **self.changes)


ORDERS = (
    ("color", "tone", "contrast", "exposure", "sharpening"),
    ("tone", "color", "sharpening", "exposure", "contrast"),
    ("contrast", "exposure", "sharpening", "tone", "color"),
    ("tone", "color", "sharpening", "contrast", "exposure"),
)
"""The four other orders of the paper's Table 1d."""


def _of_operators(operators: tuple[str, ...]) -> Variant:
    label = " + ".join(OPERATORS[id_].spec.label.lower() for id_ in operators)
    return Variant("-".join(operators), label, "parameters", {"operators": operators})


def _of_order(operators: tuple[str, ...]) -> Variant:
    short = [id_[:3] for id_ in operators]
    return Variant("-".join(short), ", ".join(short), "order", {"operators": operators})


VARIANTS = (
    Variant("all", "all five operators, both regions", "reference"),
    _of_operators(("tone", "color")),
    _of_operators(("sharpening", "exposure", "contrast")),
    _of_operators(("color",)),
    Variant(
        "with-saturation",
        "all five + saturation",
        "parameters",
        {"operators": (*DEFAULT_CHAIN, "saturation")},
    ),
    Variant("fixed", "fixed parameters: one edit for all photos", "parameters", {"fixed": True}),
    Variant("background", "background only", "regions", {"regions": "background"}),
    Variant("foreground", "foreground only", "regions", {"regions": "foreground"}),
    *map(_of_order, ORDERS),
)
"""Every variant, in the order of the table; the first is what the others are held against."""
