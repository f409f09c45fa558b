"""Whether a config is valid, by our own check and by jsonschema."""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from helm_wandb.config.messages import resolve, source_schemas
from helm_wandb.config.schema_check import is_valid
from tests.conftest import ROOT

SCHEMA: Mapping[str, Any] = json.loads((ROOT / "schema/config.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
Document = dict[str, Any]
Part = dict[Any, Any] | list[Any]

NUMBERS = st.integers(-3, 1001) | st.sampled_from([0.5, 1.0, 0.001, 1e300, float("nan")])
TEXTS = st.sampled_from(["", "mmlu", "mmlu.EM", "a/b", "..", "1pp", "60pp", "default", "x" * 129])
STRAYS = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
KEYS = sorted(
    {key for source in source_schemas(SCHEMA).values() for key in source["properties"]}
    | {*SCHEMA["properties"], *SCHEMA["properties"]["compare"]["properties"], "unknown"}
)


def valid_values(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Mappings with some of the schema's keys; the examples of anything else."""
    schema = resolve(schema, SCHEMA)
    if "properties" not in schema:
        return st.sampled_from(schema["examples"])
    values = {key: valid_values(part) for key, part in schema["properties"].items()}
    required = schema.get("required", ())
    return st.fixed_dictionaries(
        {key: values[key] for key in required},
        optional={key: values[key] for key in values if key not in required},
    )


ENTRIES = st.one_of(
    *(
        st.builds(operator.or_, valid_values(schema), st.sampled_from([{"source": name}, {}]))
        for name, schema in source_schemas(SCHEMA).items()
    )
)
CONFIGS = st.builds(
    lambda document, entries: {**document, "evals": entries},
    valid_values(SCHEMA),
    st.lists(ENTRIES, min_size=1, max_size=2),
)


def parts(value: object) -> list[Part]:
    """The mappings and lists in a value that hold something, itself included."""
    if not isinstance(value, (dict, list)):
        return []
    inner = value.values() if isinstance(value, dict) else value
    return [*([value] if value else []), *(part for one in inner for part in parts(one))]


def replacements(value: object) -> st.SearchStrategy[Any]:
    """Values of any kind; for a text or number, often another one."""
    return {str: TEXTS, float: NUMBERS, int: NUMBERS}.get(type(value), STRAYS) | STRAYS


@st.composite
def near_configs(draw: st.DrawFn) -> Document:
    """Configs of which up to two keys or values were removed, replaced or added."""
    document: Document = json.loads(json.dumps(draw(CONFIGS)))
    for _ in range(draw(st.integers(0, 2))):
        part: Any = draw(st.sampled_from(parts(document)))
        place = draw(st.sampled_from([*part] if isinstance(part, dict) else range(len(part))))
        match draw(st.sampled_from(["remove", "replace", "add"])):
            case "remove" if len(parts(document)) > 1:
                del part[place]
            case "add" if isinstance(part, dict):
                part[draw(st.sampled_from(KEYS))] = draw(STRAYS)
            case _:
                part[place] = draw(replacements(part[place]))
    return document


@given(near_configs())
def test_both_accept_the_same_configs(document: Document) -> None:
    """Our check and jsonschema agree about valid configs, and about those with a fault or two."""
    assert VALIDATOR.is_valid(document) == is_valid(document, SCHEMA)


@given(CONFIGS)
def test_configs_are_decided_without_jsonschema(document: Document) -> None:
    """Nothing in the schema is unknown to our check: it takes each config that is made of it."""
    assert VALIDATOR.is_valid(document) <= is_valid(document, SCHEMA)


@given(STRAYS)
def test_both_accept_the_same_documents(document: object) -> None:
    """Data of any form is judged alike by every part of the schema."""
    for part in SCHEMA["$defs"].values():
        schema = {**part, "$defs": SCHEMA["$defs"]}

        assert Draft202012Validator(schema).is_valid(document) == is_valid(document, schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"multipleOf": 2},
        {"not": {"multipleOf": 2}},
        {"type": "decimal"},
        {"const": 1},
        {"anyOf": [{"oneOf": []}, {"type": "string"}]},
    ],
)
def test_an_unknown_part_of_the_schema_is_left_to_jsonschema(schema: Document) -> None:
    """Data isn't called valid if a part of the schema isn't known, not even below `not`."""
    assert not is_valid(1, schema)
