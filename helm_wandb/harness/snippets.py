"""Texts of instances, cut to what a page has room for."""

from __future__ import annotations

from helm_wandb.comparing.answer_columns import LONGEST_ANSWER
from helm_wandb.harness.json_files import encodable
from helm_wandb.text.words import shorten_middle

_INPUT_LENGTH = 300


def text_end(text: str) -> str | None:
    """Return the text's last characters: a question stands behind its passage. None if empty."""
    text = encodable(text.strip())
    return (text if len(text) <= _INPUT_LENGTH else f"…{text[1 - _INPUT_LENGTH :]}") or None


def both_ends(text: str) -> str:
    """Return the text's first and last characters: reasoning ends with its result."""
    return shorten_middle(encodable(text.strip()), LONGEST_ANSWER)
