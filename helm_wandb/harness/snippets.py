"""Texts of instances, cut to what a page has room for."""

from __future__ import annotations

from helm_wandb.harness.json_files import encodable

_INPUT_LENGTH = 300
_OUTPUT_LENGTH = 200


def text_end(text: str) -> str | None:
    """Return the text's last characters: a question stands behind its passage. None if empty."""
    text = encodable(text.strip())
    return (text if len(text) <= _INPUT_LENGTH else f"…{text[1 - _INPUT_LENGTH :]}") or None


def both_ends(text: str) -> str:
    """Return the text's first and last characters: reasoning ends with its result."""
    text = encodable(text.strip())
    half = _OUTPUT_LENGTH // 2
    return text if len(text) <= _OUTPUT_LENGTH else f"{text[: half - 1]}…{text[-half:]}"
