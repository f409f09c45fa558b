"""Sentences for the findings of the schema's validator, which say what would be right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import reduce
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from helm_wandb.config.suggestions import main_metric, quote, suggestion
from helm_wandb.config.yaml_syntax import shown
from helm_wandb.config.yaml_tree import QUOTES, Path, Spot, Tree, describe_value

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator


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

_COMPARED = 50
"""Keys of a mapping that are compared with one that is missing."""
_ENTRY_DEPTH = len(("evals", 0))
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


class Finding(Struct, frozen=True):
    """One thing that is wrong with one key or value."""

    path: Path
    message: str
    at_key: bool = False
    """The key is wrong, not its value."""


class _Violation(Struct, frozen=True):
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
    root: Mapping[str, Any]
    """The whole schema."""
    validator: Validator | None
    """That of the whole schema; None if there are too many errors to look for what is meant."""
    harness: object
    """The `eval_type` of the entry; None elsewhere."""

    def takes(self, value: object) -> bool:
        """Return whether the schema takes the value here."""
        if self.validator is None:
            return False
        return bool(self.validator.evolve(schema=self.schema).is_valid(cast("Any", value)))

    def suggestion(self) -> str | None:
        """Return the value that is probably meant."""
        path = (*self.path, self.instance) if self.is_key else self.path
        return suggestion(path, self.instance, self.takes, self.harness)

    def example(self, before: str) -> str:
        """Return the schema's example of a value after these words; empty if it is long."""
        if self.validator is None:
            return ""
        quoted = next(filter(None, map(quote, self.schema.get("examples", ()))), None)
        return f"{before}for example {quoted}" if quoted else ""

    def is_required(self) -> bool:
        """Return whether the value's key can't be left out."""
        parts = (self.root, self.root["else"], *self.root["$defs"].values())
        return any({*self.path[-1:]} & set(part.get("required", ())) for part in parts)


def findings(
    error: ValidationError, tree: Tree, schema: Mapping[str, Any], validator: Validator | None
) -> Iterator[Finding]:
    """Yield the findings of one error of the schema's validator, one for each key."""
    path = tuple(error.absolute_path)
    violation = _Violation(
        path=path,
        keyword=str(error.validator),
        demanded=error.validator_value,
        schema=error.schema if isinstance(error.schema, dict) else {},
        instance=error.instance,
        is_key="propertyNames" in error.absolute_schema_path,
        root=schema,
        validator=validator,
        harness=_harness(path, tree),
    )
    if violation.keyword in {"additionalProperties", "required"}:
        yield from _structure(violation)
        return
    sentence = SENTENCES[violation.keyword](violation, tree.spots[path])
    if violation.is_key:
        yield Finding((*path, violation.instance), f"the key {sentence}", at_key=True)
    else:
        yield Finding(path, sentence)


def _harness(path: Path, tree: Tree) -> object:
    entry = tree.spots[path[:_ENTRY_DEPTH]].data
    in_entry = path[:1] == ("evals",)
    return entry.get("eval_type") if in_entry and isinstance(entry, dict) else None


def _structure(violation: _Violation) -> Iterator[Finding]:
    """Yield what is wrong with the keys of a mapping.

    The validator reports every missing key separately; duplicates are dropped later.
    """
    if meant := violation.suggestion():
        yield Finding(violation.path, f"must be a `name` with its `metrics`: write {meant}")
    elif source := _meant_source(violation):
        message = f"the key `source` is missing: add `source: {source}`, which has these keys"
        yield Finding(violation.path, message)
        own = source_schemas(violation.root)[source]
        yield from _missing_keys(violation, own["required"], own["properties"])
    elif (harness := _meant_harness(violation)) and harness != violation.harness:
        own = source_schemas(violation.root)[harness]
        yield from _unknown_keys(violation, own["properties"])
        yield from _missing_keys(violation, own["required"], own["properties"])
    elif violation.keyword == "additionalProperties":
        yield from _unknown_keys(violation, violation.schema["properties"])
    else:
        known = violation.schema.get("properties", violation.root["properties"])
        yield from _missing_keys(violation, violation.demanded, known)


def _unknown_keys(violation: _Violation, known: Mapping[str, Any]) -> Iterator[Finding]:
    for key in violation.instance:
        if key not in known:
            message = _unknown(key, known, violation.root)
            yield Finding((*violation.path, key), message, at_key=True)


def _meant_harness(violation: _Violation) -> str | None:
    """Return the harness that an entry means, if it has no `source`, and a wrong `eval_type`.

    It has the keys of HELM's entries then, whatever it means.
    """
    if len(violation.path) != _ENTRY_DEPTH or "source" in violation.instance:
        return None
    harnesses = violation.root["$defs"]["eval_type"]["enum"]
    if violation.harness in harnesses:
        return None
    near = get_close_matches(str(violation.harness), harnesses, n=1)
    of_keys = (one for one in harnesses for key in violation.instance if key.startswith(f"{one}_"))
    return next(iter(near), None) or next(of_keys, None)


def _meant_source(violation: _Violation) -> str | None:
    """Return the source whose keys an entry has, if the entry names none and lacks the default's.

    The path of an entry is that of an item of `evals`.
    """
    keys = set(violation.instance)
    if len(violation.path) != _ENTRY_DEPTH or "source" in keys:
        return None
    if keys <= set(violation.schema["properties"]):
        return None
    sources = source_schemas(violation.root).items()
    return next((name for name, one in sources if keys <= set(one["properties"])), None)


def _missing_keys(
    violation: _Violation, required: Iterable[str], properties: Mapping[str, Any]
) -> Iterator[Finding]:
    schema = violation.root
    first = islice(violation.instance, _COMPARED)
    misspelt = {_meant_key(key, properties, schema) for key in first}
    for key in required:
        if key not in violation.instance and key not in misspelt:
            subschema = resolve(properties[key], schema)
            example = subschema["examples"][0]
            if key == "metrics":
                example = [main_metric(str(violation.instance.get("name")), violation.harness)]
            quoted = quote(example)
            hint = f"; for example `{key}: {quoted.strip('`')}`" if quoted else ""
            yield Finding(violation.path, f"the key `{key}` is missing: {_gist(subschema)}{hint}")


def _unknown(key: str, known: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return what to write instead of a key that the schema lacks."""
    if meant := _meant_key(key, known, schema):
        return f"unknown key: did you mean `{meant}`?"
    if names := _sources_of(key, known, schema):
        *others, last = names
        listed = f"{'`, `'.join(others)}` or `{last}" if others else last
        return f"this key belongs to entries with `source: {listed}`: remove it"
    return f"unknown key: remove it; the keys here are {', '.join(known)}"


def _meant_key(key: str, known: Mapping[str, Any], schema: Mapping[str, Any]) -> str | None:
    """Return the key that is probably meant by one that the schema lacks here."""
    if key in known:
        return None
    if SLIPS.get(key) in known:
        return SLIPS[key]
    if _sources_of(key, known, schema):
        return None
    return next(iter(get_close_matches(key, known, n=1)), None)


def _sources_of(key: str, known: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Return the other sources whose entries have the key, if the known keys are an entry's."""
    if "source" not in known:
        return []
    return [name for name, one in source_schemas(schema).items() if key in one["properties"]]


def _gist(subschema: Mapping[str, Any]) -> str:
    """Return the first sentence of a key's description, fit to follow a colon."""
    sentence: str = subschema["description"].split(". ")[0].rstrip(".")
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
    advice = next(_pieces_of_advice(kinds, violation, spot))
    return f"{message}{describe_value(spot.data, spot.text)}: {advice}"


def _pieces_of_advice(kinds: Sequence[str], violation: _Violation, spot: Spot) -> Iterator[str]:
    """Yield how to make the value one of these kinds, the best advice first."""
    if spot.data is None:
        removal = "" if violation.is_required() else ", or remove the key"
        yield "give a value" + violation.example(", ") + removal
    if meant := violation.suggestion():
        yield f"write {meant}"
    if spot.text and violation.takes(spot.text):
        yield QUOTES
    if isinstance(spot.data, str) and _is_taken_bare(violation, spot.data):
        yield "remove the quotes"
    if isinstance(spot.data, dict) and violation.path == ("evals",):
        yield "begin each entry with `- `"
    if ":" in (spot.text or "") and kinds == ["object"]:
        yield "is a space after a colon missing?"
    yield "give one" + violation.example(", ")


def _is_taken_bare(violation: _Violation, text: str) -> bool:
    """Return whether a text is a valid number or boolean but for its quotes."""
    if text in {"true", "false"}:
        return violation.takes(text == "true")
    return bool(_NUMBER.fullmatch(text)) and violation.takes(float(text))


def _enum(violation: _Violation, spot: Spot) -> str:
    known = ", ".join(violation.demanded)
    nearest = get_close_matches(str(spot.text), violation.demanded, n=1)
    hint = f": did you mean {nearest[0]}?" if nearest else ""
    one_of = "one of " if len(violation.demanded) > 1 else ""
    is_text = isinstance(spot.data, str) and spot.text
    given = f"this is {shown(str(spot.text))}" if is_text else describe_value(spot.data, spot.text)
    return f"must be {one_of}{known}, but {given}{hint}"


def _pattern(violation: _Violation, spot: Spot) -> str:
    given = shown(violation.instance) or "empty"
    meant = violation.suggestion() or _benchmark_of_key(violation, spot)
    hint = f"; did you mean {meant}?" if meant else violation.example("; ")
    return f"{violation.schema['patternErrorMessage']}; this is {given}{hint}"


def _benchmark_of_key(violation: _Violation, spot: Spot) -> str | None:
    """Return what the key `boolq.EM` of `eval_result` means, with its value."""
    benchmark, _, metric = violation.instance.partition(".")
    if not (violation.is_key and benchmark and isinstance(spot.data, dict)):
        return None
    score = spot.data[violation.instance]
    return quote(benchmark if isinstance(score, dict) else {benchmark: {metric: score}})


def _too_long(violation: _Violation, _: Spot) -> str:
    length = len(violation.instance)
    return f"must have at most {violation.demanded} characters, and this has {length:,}"


def _empty(violation: _Violation, _: Spot) -> str:
    return "must not be empty: give one" + violation.example(", ")


SENTENCES: Mapping[str, Callable[[_Violation, Spot], str]] = {
    "enum": _enum,
    "exclusiveMinimum": lambda one, _: f"must be greater than {one.demanded}",
    "maxLength": _too_long,
    "maximum": lambda one, _: f"must be at most {one.demanded:,}",
    "minItems": _empty,
    "minLength": _empty,
    "minProperties": _empty,
    "minimum": lambda one, _: f"must be at least {one.demanded}",
    "pattern": _pattern,
    "type": _type,
}
"""One sentence for each keyword of the schema that asserts something about a single value."""
