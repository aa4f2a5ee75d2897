"""Typed objects to and from JSON, and their JSON Schema.

The bridge's requests and answers and the hosts' recipes are frozen dataclasses. Reading,
writing and describing them are derived here from the annotations, so nothing is stated twice.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from gazeshift.errors import ParamError

T = TypeVar("T")

# JSON's whole numbers have no limit; beyond this they no longer are exact numbers of doubles.
_LARGEST = 2**53


@dataclass(frozen=True)
class About:
    """What an annotation adds to a field: a sentence, and limits for numbers or lengths."""

    text: str
    """One sentence for the documentation."""
    minimum: float | None = None
    """Smallest number, or smallest length of a list."""
    maximum: float | None = None
    """Largest number, or largest length of a list."""


def encode(value: Any) -> Any:
    """Return plain JSON data for a dataclass, a tuple of them, or plain data."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    return value


def decode(kind: type[T], data: object, where: str = "request") -> T:
    """Build a dataclass from parsed JSON.

    Parameters
    ----------
    kind
        The dataclass.
    data
        Parsed JSON, untrusted.
    where
        Name of the object in messages.

    Raises
    ------
    ParamError
        If a key is unknown or missing, or a value has another type or is out of its range.
    """
    if not isinstance(data, dict):
        raise ParamError(f"The {where} must be a JSON object.")
    fields = {field.name: field for field in dataclasses.fields(typing.cast(Any, kind))}
    unknown = sorted(set(data) - set(fields))
    if unknown:
        raise ParamError(
            f"The {where} holds an unknown key: {str(unknown[0])[:80]}.",
            hint=f"Known keys: {', '.join(fields)}.",
        )
    hints = _hints(kind)
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in data:
            values[name] = _decode_value(hints[name], data[name], f"{where}.{name}")
        elif field.default is dataclasses.MISSING:
            raise ParamError(f"The {where} lacks '{name}'.")
    return kind(**values)


def json_schema(kind: type[Any], components: dict[str, Any]) -> dict[str, Any]:
    """Return a reference to the dataclass's schema and add it to `components`.

    Parameters
    ----------
    kind
        The dataclass.
    components
        Schemas by class name; classes that `kind` uses are added as well.
    """
    name = kind.__name__
    if name not in components:
        components[name] = {}
        fields = dataclasses.fields(kind)
        hints = _hints(kind)
        components[name] = {
            "type": "object",
            "description": (kind.__doc__ or "").strip().splitlines()[0],
            "additionalProperties": False,
            "required": [f.name for f in fields if f.default is dataclasses.MISSING],
            "properties": {f.name: _describe(hints[f.name], components) for f in fields},
        }
    return {"$ref": f"#/components/schemas/{name}"}


def _hints(kind: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(kind, include_extras=True)


def _split(annotation: Any) -> tuple[Any, About | None]:
    if get_origin(annotation) is typing.Annotated:
        inner, *extras = get_args(annotation)
        return inner, next((item for item in extras if isinstance(item, About)), None)
    return annotation, None


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _decode_value(annotation: Any, data: Any, where: str) -> Any:
    annotation, about = _split(annotation)
    if _is_union(annotation):
        options = get_args(annotation)
        if data is None and type(None) in options:
            return None
        annotation = next(option for option in options if option is not type(None))
    origin = get_origin(annotation)
    if origin is Literal:
        if data not in get_args(annotation) or isinstance(data, bool):
            shown = ", ".join(str(item) for item in get_args(annotation))
            raise ParamError(f"{where} must be one of {shown}, not {_show(data)}.")
        return data
    if origin is tuple:
        if not isinstance(data, list):
            raise ParamError(f"{where} must be a list.")
        _check_limits(len(data), about, f"The number of items in {where}")
        item = get_args(annotation)[0]
        return tuple(_decode_value(item, value, f"{where}[{k}]") for k, value in enumerate(data))
    if dataclasses.is_dataclass(annotation):
        return decode(typing.cast(type[Any], annotation), data, where)
    if origin is dict:
        if not isinstance(data, dict):
            raise ParamError(f"{where} must be a JSON object.")
        return data
    return _decode_plain(annotation, data, about, where)


def _decode_plain(kind: Any, data: Any, about: About | None, where: str) -> Any:
    if kind is bool or kind is str:
        if not isinstance(data, kind):
            word = "true or false" if kind is bool else "text"
            raise ParamError(f"{where} must be {word}, not {_show(data)}.")
        return data
    if isinstance(data, bool) or not isinstance(data, (int, float)):
        raise ParamError(f"{where} must be a number, not {_show(data)}.")
    if abs(data) > _LARGEST or not math.isfinite(data):
        raise ParamError(f"{where} must be a finite number.")
    if kind is int and data != int(data):
        raise ParamError(f"{where} must be a whole number, not {_show(data)}.")
    _check_limits(data, about, where)
    return kind(data)


def _check_limits(number: float, about: About | None, where: str) -> None:
    if about is None:
        return
    if about.minimum is not None and number < about.minimum:
        raise ParamError(f"{where} must be at least {about.minimum:g}, not {_show(number)}.")
    if about.maximum is not None and number > about.maximum:
        raise ParamError(f"{where} must be at most {about.maximum:g}, not {_show(number)}.")


def _show(data: object) -> str:
    text = repr(data)
    return text if len(text) <= 60 else text[:57] + "..."


_PLAIN = {int: "integer", float: "number", bool: "boolean", str: "string", type(None): "null"}


def _describe(annotation: Any, components: dict[str, Any]) -> dict[str, Any]:
    annotation, about = _split(annotation)
    schema = _describe_kind(annotation, components)
    if about is None:
        return schema
    if "$ref" in schema:
        schema = {"allOf": [schema]}
    is_list = schema.get("type") == "array"
    for name, limit in (("min", about.minimum), ("max", about.maximum)):
        if limit is not None:
            schema[f"{name}Items" if is_list else f"{name}imum"] = limit
    return {"description": about.text, **schema}


def _describe_kind(annotation: Any, components: dict[str, Any]) -> dict[str, Any]:
    if _is_union(annotation):
        return {"anyOf": [_describe(item, components) for item in get_args(annotation)]}
    origin = get_origin(annotation)
    if origin is Literal:
        return {"enum": list(get_args(annotation))}
    if origin is tuple:
        return {"type": "array", "items": _describe(get_args(annotation)[0], components)}
    if origin is dict:
        return {"type": "object"}
    if dataclasses.is_dataclass(annotation):
        return json_schema(typing.cast(type[Any], annotation), components)
    return {"type": _PLAIN[annotation]}
