"""The nouns of a report → the JSON values that stand for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from msgspec import Struct

from helm_wandb.model import Instances

OVERALL = "overall"
"""Name of the mean over benchmarks, among the deltas."""


def json_form(value: object) -> dict[str, Any] | tuple[object, ...]:
    """Return what `json` can write in place of a value; its `default`."""
    match value:
        case Mapping():
            return dict(value)
        case Collection():
            return tuple(value)
        case _:
            return dict(members(value))


def members(noun: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 -- any Struct
    """Yield the keys and values of a noun's JSON object: its fields, but for these exceptions."""
    for name in noun.__struct_fields__:
        value = getattr(noun, name)
        match name:
            case "origin" | "texts" if isinstance(value, Struct):
                yield from members(value)
            case "key":
                yield "metric", OVERALL if value is None else value
            case "difference":
                yield "delta", value
            case "untested" | "unread" | "contradictions":
                # The notes of the report say it.
                continue
            case "latest":
                # Only baselines have it, and only the scores of a run are written.
                continue
            case "instances" | "items" | "repeats" | "runs" | "subjects" if value is None:
                continue
            case "answer" if value is None and isinstance(noun, Instances):
                continue
            case _:
                yield name, value
