"""Instances of scores in columns, and the hashes of their inputs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from hashlib import sha256
from itertools import chain
from typing import Any

from msgspec.structs import replace

from helm_wandb.model import SCORE_COLUMNS, Instances
from helm_wandb.text.patterns import Pattern

_HASH_DIGITS = 8
QUESTION_COLUMNS = ("stratum", "id", "trial", "input", "cluster")
"""Columns that say which question it is."""


def text_hash(text: str) -> str:
    """Return 8 hex digits of the text's sha256."""
    return sha256(text.encode(errors="surrogatepass")).hexdigest()[:_HASH_DIGITS]


def shared_text(pattern: Pattern, text: str) -> str | None:
    """Return the part of the text that the pattern matches: its group, if it has one."""
    spans = pattern.search(text)
    if spans is None or min(spans[-1]) < 0:
        return None
    return text[slice(*spans[-1])]


class ColumnPool:
    """The columns that models have in common, each kept once.

    Models of one benchmark have the same questions, which take most of the instances' memory.
    """

    def __init__(self) -> None:
        self._columns: dict[Collection[Any], Collection[Any]] = {}

    def share(self, instances: Instances) -> Instances:
        """Return the instances with columns of the pool in place of equal ones."""
        return replace(
            instances,
            **{
                name: self._columns.setdefault(column, column)
                for name in QUESTION_COLUMNS
                for column in [getattr(instances, name)]
            },
        )


def join_instances(parts: Sequence[Instances]) -> Instances:
    """Return the columns of all parts, one after the other, without answers."""
    if len(parts) == 1:
        return replace(parts[0], answer=None)
    return Instances(
        **{
            column: tuple(chain.from_iterable(getattr(part, column) for part in parts))
            for column in SCORE_COLUMNS
        }
    )
