"""What a run's summary says of what the run holds, so that one look at a project tells it.

Each run that this tool wrote has it under the key MARK: a digest of every row, table and setting,
who wrote it last, and of a summary run the scores at its greatest iteration. W&B's own summary has
each metric's last value, of whichever row that was in.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

REPORT_FILE = "helm-wandb-report.json"
"""The file in the artifact of a model's report."""
MARK = "helm_wandb"
"""The key of the record in a run's summary, and of the writer's mark in its config."""


_SLUG_LIMIT = 64


class LatestScore(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A score at the greatest iteration."""

    value: float
    lower_is_better: bool | None = None
    partial: str | None = None
    """Why the value must not be compared, as in `model.Score`."""


class Latest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model at its greatest iteration."""

    iteration: int
    tokens_billions: float | None = None
    scores: dict[str, LatestScore]
    """`mmlu.EM` → score."""


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a run holds, in digests."""

    writer: str
    rows: dict[str, str] = {}
    """Iteration → digest of the values that its rows come to."""
    settings: str = ""
    """Of the run's group, name, tags and config, less the provenance."""
    tables: str = ""
    """Empty where it has none."""
    report: str = ""
    """Of the report that it keeps as an artifact; empty where it has none."""
    latest: Latest | None = None


def digest(value: object) -> str:
    """20 hex digits of the sha256 of a value as `json.dumps` writes it with sorted keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:20]


def row_digest(values: Mapping[str, float]) -> str:
    """Of the values of an iteration, the same for 8 and 8.0."""
    return digest({key: float(value) for key, value in values.items()})


def to_text(record: Record) -> str:
    """The record as one line of JSON: a string takes one column of W&B's table, not twenty."""
    return msgspec.json.encode(record).decode()


def from_summary(summary: Mapping[str, object]) -> Record | None:
    """The record in a run's summary; None where it has none that can be read."""
    text = summary.get(MARK)
    if not isinstance(text, str):
        return None
    try:
        return msgspec.json.decode(text, type=Record)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None


def newer(one: Latest | None, other: Latest | None) -> Latest | None:
    """The latest of both; at the same iteration all scores, `other`'s before `one`'s."""
    if one is None or other is None:
        return one or other
    if one.iteration != other.iteration:
        return max(one, other, key=lambda latest: latest.iteration)
    tokens = one.tokens_billions if other.tokens_billions is None else other.tokens_billions
    return msgspec.structs.replace(
        other, tokens_billions=tokens, scores={**one.scores, **other.scores}
    )


def slug(text: str) -> str:
    """The text as part of an artifact's name or alias; equal only for equal texts.

    W&B takes letters, digits, `-`, `_` and `.` there. `branch/main` is `branch-main`; where more
    had to give way, 8 hex digits of the whole text's sha256 tell it apart.
    """
    kind, slash, name = text.partition("/")
    plain = f"{kind}-{name}" if slash else text
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", plain)
    if safe == plain and "-" not in kind and len(safe) <= _SLUG_LIMIT:
        return safe
    return f"{safe[: _SLUG_LIMIT - 9]}-{digest(text)[:8]}"


def report_name(model: str) -> str:
    """The name of the artifact that holds a model's report."""
    return f"helm-report-{slug(model)}"
