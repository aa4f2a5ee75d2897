"""The edit: two sets of parameters, a dial, and the file that keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from gazeshift.errors import EditError, ParamError
from gazeshift.operators import OPERATORS
from gazeshift.region import MAX_STRENGTH, RegionParameters, check_number, check_strength

__all__ = [
    "DIRECTIONS",
    "FORMAT",
    "MAX_STRENGTH",
    "Direction",
    "Edit",
    "RegionParameters",
    "Regions",
]

FORMAT_NAME = "gazeshift-edit"
FORMAT_VERSION = 1
FORMAT = f"{FORMAT_NAME}/{FORMAT_VERSION}"

Direction = Literal["attract", "divert"]
DIRECTIONS: tuple[Direction, ...] = ("attract", "divert")


class Regions(NamedTuple):
    """The parameters that are really applied, after the dial."""

    foreground: RegionParameters
    background: RegionParameters


@dataclass(frozen=True)
class Edit:
    """One predicted or hand-made edit, with the dial at which it is used."""

    foreground: RegionParameters = field(default_factory=RegionParameters)
    """Parameters of the selection at strength 1."""
    background: RegionParameters = field(default_factory=RegionParameters)
    """Parameters of the rest at strength 1."""
    direction: Direction = "attract"
    """Whether the edit draws attention to the selection or away from it."""
    strength: float = 1.0
    """Dial position, 0 to 1.5."""
    model: str | None = None
    """Id of the network that predicted it; None for an edit made by hand."""
    share_before: float | None = None
    """Measured share of attention inside the selection before the edit, 0-1."""
    share_after: float | None = None
    """Measured share of attention inside the selection after the edit, 0-1."""

    def __post_init__(self) -> None:
        """Check what a constructor call can get wrong."""
        if self.direction not in DIRECTIONS:
            raise ParamError(f"The direction must be attract or divert, not '{self.direction}'.")
        check_strength(self.strength)
        for name, share in (("before", self.share_before), ("after", self.share_after)):
            if share is not None and not 0.0 <= share <= 1.0:
                raise ParamError(f"The share {name} the edit must lie in 0 to 1, not {share}.")

    @classmethod
    def from_vector(
        cls, vector: Sequence[float], *, direction: Direction, model: str | None = None
    ) -> Edit:
        """Read the network's 70 numbers: the foreground's 35, then the background's 35."""
        half = len(vector) // 2
        return cls(
            RegionParameters.from_vector(vector[:half]),
            RegionParameters.from_vector(vector[half:]),
            direction=direction,
            model=model,
        )

    def at(self, strength: float) -> Regions:
        """Return both regions' parameters at a dial position from 0 to 1.5.

        Raises
        ------
        ParamError
            If `strength` is not finite or lies outside 0 to 1.5.
        """
        return Regions(self.foreground.at(strength), self.background.at(strength))

    def regions(self) -> Regions:
        """Return both regions' parameters at the edit's own dial position."""
        return self.at(self.strength)

    def with_strength(self, strength: float) -> Edit:
        """Return a copy with the dial moved; the measured share after is dropped."""
        strength = check_strength(strength)
        if strength == self.strength:
            return self
        return replace(self, strength=strength, share_after=None)

    @property
    def is_identity(self) -> bool:
        """Whether the picture stays as it is."""
        return self.strength == 0.0 or (self.foreground.is_identity and self.background.is_identity)

    @property
    def signed_strength(self) -> float:
        """Dial position with the direction as its sign, -1.5 to 1.5."""
        return self.strength if self.direction == "attract" else -self.strength

    def to_json(self) -> dict[str, Any]:
        """Return the edit file's content as plain data."""
        used = sorted({*self.foreground.to_json(), *self.background.to_json()}, key=_chain_place)
        return {
            "format": FORMAT,
            "operators": {id_: OPERATORS[id_].spec.version for id_ in used},
            "direction": self.direction,
            "strength": self.strength,
            "model": self.model,
            "share_before": self.share_before,
            "share_after": self.share_after,
            "foreground": self.foreground.to_json(),
            "background": self.background.to_json(),
        }

    def dumps(self) -> str:
        """Return the edit file's text."""
        return json.dumps(self.to_json(), indent=2, allow_nan=False) + "\n"

    @classmethod
    def loads(cls, text: str | bytes) -> Edit:
        """Read an edit file's text.

        Raises
        ------
        EditError
            If the text is not an edit, holds unknown keys or numbers out of range, or needs a
            later version of GazeShift.
        """
        try:
            data = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, UnicodeDecodeError, RecursionError) as error:
            raise EditError(
                f"The edit is not valid JSON: {error}.", hint="Save it again from GazeShift."
            ) from error
        return cls.from_json(data)

    @classmethod
    def from_json(cls, data: object) -> Edit:
        """Read an edit file's parsed content; see `loads` for the errors."""
        if not isinstance(data, dict):
            raise EditError("An edit must be a JSON object.", hint="Choose a GazeShift edit file.")
        _check_format(data.get("format"))
        unknown = sorted(set(data) - _KEYS)
        if unknown:
            raise EditError(
                f"The edit holds unknown keys: {', '.join(unknown)}.",
                hint=f"Known keys: {', '.join(sorted(_KEYS))}.",
            )
        missing = sorted({"foreground", "background"} - set(data))
        if missing:
            raise EditError(f"The edit lacks {' and '.join(missing)}.")
        _check_versions(data.get("operators", {}))
        try:
            return cls(
                RegionParameters(_mapping(data["foreground"], "foreground")),
                RegionParameters(_mapping(data["background"], "background")),
                direction=data.get("direction", "attract"),
                strength=check_number(data.get("strength", 1.0), "strength"),
                model=_optional_text(data.get("model"), "model"),
                share_before=_optional_number(data.get("share_before"), "share_before"),
                share_after=_optional_number(data.get("share_after"), "share_after"),
            )
        except EditError:
            raise
        except ParamError as error:
            raise EditError(f"The edit cannot be used: {error.message}", hint=error.hint) from error


_KEYS = {
    "format",
    "operators",
    "direction",
    "strength",
    "model",
    "share_before",
    "share_after",
    "foreground",
    "background",
}


def _optional_number(item: Any, label: str) -> float | None:
    return None if item is None else check_number(item, label)


def _optional_text(item: Any, label: str) -> str | None:
    if item is None or isinstance(item, str):
        return item
    raise EditError(f"The edit's {label} must be text, not {item!r}.")


def _mapping(item: Any, label: str) -> Mapping[str, Any]:
    if isinstance(item, Mapping):
        return item
    raise EditError(f"The edit's {label} must hold operators by name.")


def _check_format(text: object) -> None:
    name, _, version = str(text).partition("/")
    if text is None or name != FORMAT_NAME or not version.isdecimal():
        raise EditError(
            f"This is not a GazeShift edit: its format is {text!r}, expected '{FORMAT}'.",
            hint="Choose a file written by GazeShift.",
        )
    if int(version) > FORMAT_VERSION:
        raise EditError(
            f"This edit has format {version}; this GazeShift reads up to {FORMAT_VERSION}.",
            hint="Update GazeShift to open it.",
        )


def _check_versions(versions: object) -> None:
    for operator_id, version in _mapping(versions, "operators").items():
        operator = OPERATORS.get(operator_id)
        if operator is None:
            raise EditError(
                f"The edit uses the operator '{operator_id}', which this GazeShift lacks.",
                hint="Update GazeShift to open it.",
            )
        if version != operator.spec.version:
            raise EditError(
                f"The edit needs version {version} of '{operator_id}'; this GazeShift has "
                f"version {operator.spec.version}.",
                hint="Open it with the GazeShift that made it.",
            )


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not a finite number")


def _chain_place(operator_id: str) -> int:
    return OPERATORS[operator_id].spec.order
