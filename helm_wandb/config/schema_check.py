"""Whether data is valid by a JSON Schema, decided without jsonschema.

A small run would spend a third of its time on importing jsonschema. So it is loaded only for the
messages about data that isn't valid, or if the schema has a keyword that isn't known here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import NoneType
from typing import Any, cast

from helm_wandb.config.messages import resolve

_Schema = Mapping[str, Any]
_Subschema = _Schema | bool


class _UnknownPartError(Exception):
    """A part of the schema isn't known here."""


def is_valid(data: object, schema: _Schema) -> bool:
    """Return whether the schema (draft 2020-12) takes the data; False if that can't be said here.

    data: what YAML and JSON hold; the keys of mappings are texts.
    """
    try:
        return _Checker(schema).takes(schema, data)
    except _UnknownPartError:
        return False


class _Checker:
    """A schema's demands on data."""

    def __init__(self, root: _Schema) -> None:
        self.root = root

    def takes(self, schema: _Subschema, data: object) -> bool:
        """Return whether a part of the root takes the data."""
        if isinstance(schema, bool):
            return schema
        return all(
            self.meets(keyword, schema, data) for keyword in schema if keyword not in _NO_DEMANDS
        )

    def meets(self, keyword: str, schema: _Schema, data: object) -> bool:
        """Return whether the data meets one demand of the schema."""
        demanded = schema[keyword]
        if keyword in _ASSERTIONS:
            kind, holds = _ASSERTIONS[keyword]
            return (kind is not None and not _is_kind(data, kind)) or holds(data, demanded)
        match keyword:
            case "anyOf":
                return any(self.takes(one, data) for one in demanded)
            case "not":
                return not self.takes(demanded, data)
            case "if":
                branch = "then" if self.takes(demanded, data) else "else"
                return self.takes(schema.get(branch, True), data)
            case "$ref":
                return self.takes(resolve(schema, self.root), data)
            case _:
                parts = _parts(keyword, schema, data)
                return all(self.takes(part, value) for part, value in parts)


def _parts(keyword: str, schema: _Schema, data: object) -> Iterable[tuple[_Subschema, object]]:
    """Return the subschemas of a keyword, each with the part of the data that it is about."""
    demanded = schema[keyword]
    match keyword, data:
        case "allOf", _:
            return ((one, data) for one in demanded)
        case "items", list():
            return ((demanded, item) for item in data)
        case "properties", dict():
            return ((demanded[key], data[key]) for key in demanded if key in data)
        case "additionalProperties", dict():
            known = schema.get("properties", {})
            return ((demanded, value) for key, value in data.items() if key not in known)
        case "propertyNames", dict():
            return ((demanded, key) for key in data)
        case "items" | "properties" | "additionalProperties" | "propertyNames", _:
            return ()
        case _:
            raise _UnknownPartError


def _is_kind(data: object, kind: str) -> bool:
    """Return whether the data has this type of JSON Schema."""
    if kind == "integer":
        return _is_kind(data, "number") and float(cast("float", data)).is_integer()
    if kind not in _KINDS:
        raise _UnknownPartError
    is_boolean = isinstance(data, bool)
    return isinstance(data, _KINDS[kind]) and is_boolean == (kind == "boolean")


def _has_type(data: object, kinds: str | Iterable[str]) -> bool:
    several = [kinds] if isinstance(kinds, str) else kinds
    return any(_is_kind(data, kind) for kind in several)


def _equals(data: object, demanded: object) -> bool:
    """Return whether the data is this text or boolean."""
    if not isinstance(demanded, (str, bool)):
        raise _UnknownPartError
    return type(data) is type(demanded) and data == demanded


_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "array": list,
    "boolean": bool,
    "null": NoneType,
    "number": (int, float),
    "object": dict,
    "string": str,
}

_ASSERTIONS: Mapping[str, tuple[str | None, Callable[[Any, Any], bool]]] = {
    "const": (None, _equals),
    "enum": (None, lambda data, known: any(_equals(data, one) for one in known)),
    "exclusiveMinimum": ("number", lambda number, least: not number <= least),
    "maxLength": ("string", lambda text, most: len(text) <= most),
    "maximum": ("number", lambda number, most: not number > most),
    "minItems": ("array", lambda items, least: len(items) >= least),
    "minLength": ("string", lambda text, least: len(text) >= least),
    "minProperties": ("object", lambda mapping, least: len(mapping) >= least),
    "minimum": ("number", lambda number, least: not number < least),
    "pattern": ("string", lambda text, pattern: re.search(pattern, text) is not None),
    "required": ("object", lambda mapping, keys: all(key in mapping for key in keys)),
    "type": (None, _has_type),
}
"""Keyword → the type of data that it is about, and whether data agrees with its value."""

_NO_DEMANDS = frozenset(
    {
        "$defs",
        "$id",
        "$schema",
        "default",
        "description",
        "else",
        "examples",
        "patternErrorMessage",
        "then",
        "title",
    }
)
"""Keywords that demand nothing themselves; `if` sees to its branches."""
