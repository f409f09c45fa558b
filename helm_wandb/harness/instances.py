"""Instances of scores in columns, and the hashes of their inputs."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from itertools import chain

from helm_wandb.model import SCORE_COLUMNS, Instances
from helm_wandb.text.patterns import Pattern

_HASH_DIGITS = 8


def text_hash(text: str) -> str:
    """Return 8 hex digits of the text's sha256."""
    return sha256(text.encode(errors="surrogatepass")).hexdigest()[:_HASH_DIGITS]


def shared_text(pattern: Pattern, text: str) -> str | None:
    """Return the part of the text that the pattern matches: its group, if it has one."""
    spans = pattern.search(text)
    if spans is None or min(spans[-1]) < 0:
        return None
    return text[slice(*spans[-1])]


def join_instances(parts: Sequence[Instances]) -> Instances:
    """Return the columns of all parts, one after the other, without answers."""
    return Instances(
        **{
            column: tuple(chain.from_iterable(getattr(part, column) for part in parts))
            for column in SCORE_COLUMNS
        }
    )
