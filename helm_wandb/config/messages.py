"""Sentences for the findings of the schema's validator, which say what would be right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import reduce
from typing import TYPE_CHECKING, Any

from helm_wandb.config.yaml_syntax import shown
from helm_wandb.config.yaml_tree import QUOTES, Path, Spot, Tree, describe_value

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError


SLIPS: Mapping[str, str] = {
    # Data-Juicer's own example has the first; its documentation and code have `excluded_models`.
    "excluded_runs": "excluded_models",
    "evaluations": "evals",
    "glob": "path",
    "iteration": "default_iteration",
    "model": "model_name",
    "output_dir": "helm_output_dir",
    "project_name": "project",
    "reports": "path",
    "suite": "helm_suite_name",
    "tokens": "token_num",
}
"""Keys that people write, and the ones that they mean, if the letters don't show them."""

_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?")

_KINDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "a mapping (`key: value`)",
    "string": "text",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one key or value."""

    path: Path
    message: str
    at_key: bool = False
    """The key is wrong, not its value."""


@dataclass(frozen=True, slots=True)
class _Violation:
    """An error of the validator, less what is not used of it."""

    path: Path
    keyword: str
    demanded: Any
    """The keyword's value in the schema."""
    schema: Mapping[str, Any]
    """The subschema that holds the keyword."""
    instance: Any
    is_key: bool
    """The instance is a key of the mapping at `path`."""


def findings(error: ValidationError, tree: Tree, schema: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the findings of one error of the validator, one for each key."""
    violation = _violation(error)
    path = violation.path
    if violation.keyword == "additionalProperties":
        yield from _unknown_keys(violation, schema)
    elif violation.keyword == "required":
        yield from _missing_keys(violation, schema)
    else:
        sentence = SENTENCES[violation.keyword](violation, tree.spots[path])
        if violation.is_key:
            yield Finding((*path, violation.instance), f"the key {sentence}", at_key=True)
        else:
            yield Finding(path, sentence)


def _violation(error: ValidationError) -> _Violation:
    return _Violation(
        path=tuple(error.absolute_path),
        keyword=str(error.validator),
        demanded=error.validator_value,
        schema=error.schema if isinstance(error.schema, dict) else {},
        instance=error.instance,
        is_key="propertyNames" in error.absolute_schema_path,
    )


def _unknown_keys(violation: _Violation, schema: Mapping[str, Any]) -> Iterator[Finding]:
    known = violation.schema["properties"]
    for key in violation.instance:
        if key not in known:
            yield Finding((*violation.path, key), _unknown(key, known, schema), at_key=True)


def _missing_keys(violation: _Violation, schema: Mapping[str, Any]) -> Iterator[Finding]:
    # The validator reports every missing key separately; duplicates are dropped later.
    properties = violation.schema.get("properties", schema["properties"])
    for key in violation.demanded:
        if key not in violation.instance:
            message = f"the key `{key}` is missing: {_gist(properties[key], schema)}"
            yield Finding(violation.path, message)


def _unknown(key: str, known: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return what to write instead of a key that the schema lacks."""
    if SLIPS.get(key) in known:
        return f"unknown key: did you mean `{SLIPS[key]}`?"
    for source, subschema in source_schemas(schema).items():
        if "source" in known and key in subschema["properties"]:
            return f"this key belongs to entries with `source: {source}`: remove it"
    if nearest := get_close_matches(key, known, n=1):
        return f"unknown key: did you mean `{nearest[0]}`?"
    return f"unknown key: remove it; the keys here are {', '.join(known)}"


def _gist(subschema: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return the first sentence of a key's description, fit to follow a colon."""
    sentence = resolve(subschema, schema)["description"].split(". ")[0].rstrip(".")
    is_name = sentence[:2].isupper()
    return sentence if is_name else f"{sentence[0].lower()}{sentence[1:]}"


def source_schemas(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the subschema of each source's entries."""
    names = schema["$defs"]["eval"]["properties"]["source"]["enum"]
    return {name: schema["$defs"][name] for name in names}


def resolve(subschema: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the subschema, or the one that its `$ref` leads to."""
    if reference := subschema.get("$ref"):
        return reduce(lambda part, name: part[name], reference.split("/")[1:], schema)
    return subschema


def _type(violation: _Violation, spot: Spot) -> str:
    demanded = violation.demanded
    kinds = [demanded] if isinstance(demanded, str) else demanded
    message = f"must be {' or '.join(_KINDS[kind] for kind in kinds)}, but "
    return message + describe_value(spot.data, spot.text) + _advice(kinds[0], spot)


def _advice(kind: str, spot: Spot) -> str:
    """Return how to make the value one of this kind, if that is plain."""
    if spot.data is None:
        return ": give a value, or remove the key"
    if not spot.text:
        return ": begin each entry with `- `" if kind == "array" else ""
    advice = {
        "array": f": write it as `[{shown(spot.text)}]`, or in lines that begin with `- `",
        "object": ": is a space after a colon missing?" if ":" in spot.text else "",
        "string": f": {QUOTES}",
    }
    may_lose_quotes = spot.data in {"true", "false"} if kind == "boolean" else _is_number(spot)
    return advice.get(kind, ": remove the quotes" if may_lose_quotes else "")


def _is_number(spot: Spot) -> bool:
    """Return whether a text is a number but for its quotes."""
    return isinstance(spot.data, str) and bool(_NUMBER.fullmatch(spot.data))


def _enum(violation: _Violation, spot: Spot) -> str:
    known = ", ".join(violation.demanded)
    nearest = get_close_matches(str(spot.text), violation.demanded, n=1)
    hint = f": did you mean {nearest[0]}?" if nearest else ""
    one_of = "one of " if len(violation.demanded) > 1 else ""
    is_text = isinstance(spot.data, str) and spot.text
    given = f"this is {shown(str(spot.text))}" if is_text else describe_value(spot.data, spot.text)
    return f"must be {one_of}{known}, but {given}{hint}"


def _pattern(violation: _Violation, _: Spot) -> str:
    given = shown(violation.instance) or "empty"
    return f"{violation.schema['patternErrorMessage']}; this is {given}"


def _at_most(violation: _Violation, _: Spot) -> str:
    return f"must be at most {violation.demanded:,}"


def _at_least(violation: _Violation, _: Spot) -> str:
    return f"must be at least {violation.demanded}"


def _more_than(violation: _Violation, _: Spot) -> str:
    return f"must be greater than {violation.demanded}"


def _too_long(violation: _Violation, _: Spot) -> str:
    length = len(violation.instance)
    return f"must have at most {violation.demanded} characters, and this has {length:,}"


def _empty(_: _Violation, __: Spot) -> str:
    return "must not be empty"


SENTENCES: Mapping[str, Callable[[_Violation, Spot], str]] = {
    "enum": _enum,
    "exclusiveMinimum": _more_than,
    "maxLength": _too_long,
    "maximum": _at_most,
    "minItems": _empty,
    "minLength": _empty,
    "minProperties": _empty,
    "minimum": _at_least,
    "pattern": _pattern,
    "type": _type,
}
"""One sentence for each keyword of the schema that asserts something about a single value."""
