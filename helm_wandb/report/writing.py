"""Report → its JSON, in pieces: the whole text would take more memory than the report."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from helm_wandb.report import evaluation_fields, score_fields, to_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from helm_wandb.model import Evaluation, Report


def json_pieces(report: Report) -> Iterator[bytes]:
    """Yield the report as indented JSON, numbers at full precision, `null` for what is unknown.

    No piece is longer than a score.
    """
    fields = to_dict(replace(report, evaluations=()))
    evaluations = _nested(b"[]", map(_evaluation, report.evaluations), depth=1)
    members = (
        _member(name, evaluations if name == "evaluations" else [_indented(value, depth=1)])
        for name, value in fields.items()
    )
    yield from _nested(b"{}", members, depth=0)
    yield b"\n"


def _evaluation(one: Evaluation) -> Iterator[bytes]:
    fields = evaluation_fields(replace(one, scores={}))
    scores = (
        _member(str(key), [_indented(score_fields(score), depth=4)])
        for key, score in one.scores.items()
    )
    members = (
        _member(
            name,
            _nested(b"{}", scores, depth=3) if name == "scores" else [_indented(value, depth=3)],
        )
        for name, value in fields.items()
    )
    return _nested(b"{}", members, depth=2)


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
    text = json.dumps(value, ensure_ascii=False, allow_nan=False).encode(errors="replace")
    return msgspec.json.format(text, indent=1).replace(b"\n", b"\n" + b" " * depth)
