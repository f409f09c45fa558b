"""The leaderboard as W&B's table and bar charts, and what changed as a table.

Pure, as the layout of the runs is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from helm_wandb.comparing.subject_changes import subject_name
from helm_wandb.model import ChangedInstance, Comparison, Delta, Leaderboard, ScoreKey
from helm_wandb.render.changed_instances import on_one_line
from helm_wandb.text.safe_text import plain
from helm_wandb.wandb_runs.layout_names import CHANGED_ITEMS, LEADERBOARD_RUN, digest, kept_name
from helm_wandb.wandb_runs.sdk.messages import Table

_CHART_LIMIT = 40
"""A chart's key is part of a file's name, and a character may take four of its 255 bytes."""


def leaderboard_tables(leaderboard: Leaderboard) -> tuple[Table, ...]:
    """Return the table of all models, the overall score's bars, then each metric's.

    The table has a row per model: the ranked in their order, then the unranked with the reason.
    """
    leading = ("rank", "model", "iteration", "tokens_billions", "mean", "mean_win_rate")
    rows = tuple(
        (
            *(getattr(row, column) for column in leading),
            *(row.scores.get(key) for key in leaderboard.metrics),
            row.unranked,
        )
        for row in leaderboard.rows
    )
    columns = (*leading, *map(str, leaderboard.metrics), "unranked")
    return (Table(key=LEADERBOARD_RUN, columns=columns, rows=rows), *_charts(leaderboard))


def changed_items(comparisons: Iterable[Comparison]) -> tuple[Table, ...]:
    """Return the table of the changed instances of flagged deltas; none without any."""
    rows = tuple(
        _item(delta, item)
        for one in comparisons
        for delta in one.deltas
        for item in delta.items or ()
    )
    columns = ("metric", "verdict", "id", "trial", "subject", "input", "reference", "answer")
    more = ("before", "after", "baseline_answer")
    return (Table(key=CHANGED_ITEMS, columns=(*columns, *more), rows=rows),) if rows else ()


def _item(delta: Delta, item: ChangedInstance) -> tuple[object, ...]:
    texts = item.texts
    cells = (str(delta.key), delta.verdict.value, item.id, item.trial, subject_name(item.stratum))
    return (
        *(plain(cell) if isinstance(cell, str) else cell for cell in cells),
        *map(_text, (texts.input, texts.reference, texts.answer)),
        item.before,
        item.after,
        _text(item.baseline_answer),
    )


def _text(text: str | None) -> str | None:
    return None if text is None else plain(on_one_line(text))


def _charts(leaderboard: Leaderboard) -> Iterable[Table]:
    """Yield the overall score's bars, then each metric's, of the models that have it."""
    means = [(row.model, row.mean) for row in leaderboard.rows]
    yield from _chart("overall", "Overall score (mean)", means)
    for key in leaderboard.metrics:
        values = [(row.model, row.scores.get(key)) for row in leaderboard.rows]
        yield from _chart(_chart_key(key), str(key), values)


def _chart(key: str, title: str, values: Sequence[tuple[str, float | None]]) -> Iterable[Table]:
    bars = tuple((model, value) for model, value in values if value is not None)
    if bars:
        yield Table(key=key, columns=("model", title), rows=bars, title=title)


def _chart_key(key: ScoreKey) -> str:
    """`mmlu EM` for `mmlu.EM`: W&B reads a dot in a key as nesting, and makes files of keys."""
    names = (kept_name(key.benchmark), key.metric)
    plain = " ".join(re.sub(r"[^\w@-]", " ", name) for name in names)
    whole = plain.split(" ") == [*names] and len(plain) <= _CHART_LIMIT
    return plain if whole else f"{plain[: _CHART_LIMIT - 9]}~{digest(str(key))[:8]}"
