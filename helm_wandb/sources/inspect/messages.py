"""Texts of a sample: input, target, answer."""

from __future__ import annotations

from collections.abc import Iterator

from helm_wandb.harness.json_files import sorted_json
from helm_wandb.sources.inspect.formats import Sample


def question(sample: Sample) -> str:
    """Return all that makes the question: input, choices and target.

    Messages count by role and content only: their IDs differ in each run.
    """
    parts = [list(_contents(sample.input)), sample.choices, _texts(sample.target)]
    return sorted_json(parts)


def input_text(sample: Sample) -> str:
    """Return the texts of the input, one after the other."""
    texts = (text for _, kind, text in _contents(sample.input) if kind == "text")
    return "\n\n".join(text for text in texts if isinstance(text, str))


def target_text(sample: Sample) -> str:
    """Return the target, or several."""
    return " | ".join(text for text in _texts(sample.target) if isinstance(text, str))


def _contents(value: object) -> Iterator[tuple[object, object, object]]:
    """Yield role, kind and content of each part of the input."""
    messages = value if isinstance(value, list) else [{"role": "user", "content": value}]
    for message in messages:
        own = message if isinstance(message, dict) else {}
        content = own.get("content")
        for part in content if isinstance(content, list) else [content]:
            if isinstance(part, dict):
                kind = part.get("type")
                yield own.get("role"), kind, part.get(kind) if isinstance(kind, str) else None
            else:
                yield own.get("role"), "text", part


def _texts(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
