"""Names in the order of their likeness to another one, for messages about a misspelt name."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher, get_close_matches

from helm_wandb.text.words import join_truncated

_LISTED = 10
_NAMES = 1_000
_SLIPS = 200
"""Names that are searched for one that is almost the same."""
_CHARACTERS = 60
_ALMOST = 0.8
"""Likeness of a slip: `EMM` is almost `EM`, and `mmlu_pro` is not almost `mmlu`."""


def nearest_first(names: Sequence[str], wanted: str) -> list[str]:
    """Return the names, those first that are spelled most like the wanted one, in any case.

    To compare two takes time in proportion to the product of their lengths, and an artifact may
    hold any number of any length: of many the first are compared, and of each its beginning.
    """
    matcher = SequenceMatcher(None, b=_beginning(wanted))

    def unlikeness(name: str) -> float:
        matcher.set_seq1(_beginning(name))
        return -matcher.ratio()

    return [*sorted(names[:_NAMES], key=unlikeness), *names[_NAMES:]]


def list_nearest(names: Sequence[str], wanted: str) -> str:
    """Return the first names of `nearest_first` as a list, and how many more there are."""
    return join_truncated(nearest_first(names, wanted), _LISTED)


def almost_same(names: Sequence[str], wanted: str) -> str | None:
    """Return the name that differs from the wanted one by its case or a letter, if there is one."""
    by_beginning = {_beginning(name): name for name in reversed(names[:_SLIPS])}
    # It finds most of those that differ without comparing them letter by letter.
    close = get_close_matches(_beginning(wanted), by_beginning, n=1, cutoff=_ALMOST)
    return by_beginning[close[0]] if close else None


def _beginning(name: str) -> str:
    return name[:_CHARACTERS].casefold()
