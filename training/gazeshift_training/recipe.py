"""Typed recipes: YAML fills a frozen dataclass; unknown keys and wrong types are refused."""

from __future__ import annotations

from dataclasses import asdict, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

if TYPE_CHECKING:
    from pathlib import Path

Recipe = TypeVar("Recipe")


def read_recipe(path: Path, default: Recipe) -> Recipe:
    """Read a recipe from YAML; what it leaves out keeps its default.

    Parameters
    ----------
    path
        YAML file with keys of the recipe's dataclass.
    default
        The recipe to start from.

    Returns
    -------
    Recipe
        The complete recipe, of the type of `default`.

    Raises
    ------
    ValueError
        If a key is not known or a value has the wrong type.
    """
    with path.open(encoding="utf-8") as stream:
        return fill_recipe(default, yaml.safe_load(stream) or {})


def fill_recipe(default: Recipe, values: dict[str, Any]) -> Recipe:
    """Change some values of a recipe, given as plain data; see `read_recipe` for the errors."""
    filled: Recipe = _fill(default, values, "")
    return filled


def recipe_as_mapping(recipe: Any) -> dict[str, Any]:
    """Turn a recipe into plain values that YAML and JSON can hold."""
    plain: dict[str, Any] = _plain(asdict(recipe))
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _fill(default: Any, values: Any, prefix: str) -> Any:
    if not isinstance(values, dict):
        raise ValueError(f"A recipe needs keys and values at {prefix or 'its top'!r}.")
    known = {entry.name for entry in fields(default)}
    changes: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if key not in known:
            raise ValueError(f"The recipe key {name!r} is not known; known are {sorted(known)}.")
        old = getattr(default, key)
        changes[key] = (
            _fill(old, value, f"{name}.") if is_dataclass(old) else _converted(old, value, name)
        )
    return replace(default, **changes)


def _converted(old: Any, value: Any, name: str) -> Any:
    wanted = type(old)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if wanted is tuple and isinstance(value, list) and old:
        return tuple(_converted(old[0], item, name) for item in value)
    if type(value) is not wanted:
        raise ValueError(f"The recipe key {name!r} must be {wanted.__name__}, not {value!r}.")
    return value
