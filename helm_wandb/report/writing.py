"""Report → its JSON, in pieces: the whole text would take more memory than the report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain

import msgspec

from helm_wandb.model import Evaluation, Report
from helm_wandb.report import SCHEMA_VERSION
from helm_wandb.report.json_form import json_form, members


def json_pieces(report: Report) -> Iterator[bytes]:
    """Yield the report as indented JSON, numbers at full precision, `null` for what is unknown.

    No piece is longer than a score.
    """
    version = _member("schema_version", [_indented(SCHEMA_VERSION, depth=1)])
    evaluations = _nested(b"[]", map(_evaluation, report.evaluations), depth=1)
    history = _nested(b"[]", ([_indented(one, depth=2)] for one in report.history), depth=1)
    members_in_pieces = _members(report, 1, evaluations=evaluations, history=history)
    yield from _nested(b"{}", chain([version], members_in_pieces), depth=0)
    yield b"\n"


def _evaluation(one: Evaluation) -> Iterator[bytes]:
    by_key = (_member(key, [_indented(score, depth=4)]) for key, score in one.scores.items())
    scores = _nested(b"{}", by_key, depth=3)
    return _nested(b"{}", _members(one, 3, scores=scores), depth=2)


def _members(noun: object, depth: int, **in_pieces: Iterable[bytes]) -> Iterator[Iterable[bytes]]:
    """Yield the members of a noun's object, some of which are made piece by piece."""
    for name, value in members(noun):
        yield _member(name, in_pieces.get(name) or [_indented(value, depth=depth)])


def _member(name: str, value: Iterable[bytes]) -> Iterable[bytes]:
    """A key and its value."""
    return chain([_indented(name, depth=0), b": "], value)


def _nested(brackets: bytes, items: Iterable[Iterable[bytes]], *, depth: int) -> Iterator[bytes]:
    """Yield a list or an object that is made piece by piece.

    depth: how many lists and objects are around it.
    """
    opening, closing = brackets[:1], brackets[1:]
    before = opening
    for item in items:
        yield before + b"\n" + b" " * (depth + 1)
        yield from item
        before = b","
    yield opening + closing if before == opening else b"\n" + b" " * depth + closing


def _indented(value: object, *, depth: int) -> bytes:
    """Return a value as JSON, as it stands inside so many lists and objects."""
    # msgspec cannot encode lone surrogates, which names may hold: they become `?`.
    text = json.dumps(value, default=json_form, ensure_ascii=False, allow_nan=False).encode(
        errors="replace"
    )
    return msgspec.json.format(text, indent=1).replace(b"\n", b"\n" + b" " * depth)
