"""The scores of each model in a benchmark's tables."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

from helm_wandb.harness.json_files import encodable
from helm_wandb.model import Score, SubjectScore
from helm_wandb.sources.helm import tables as helm_tables
from helm_wandb.sources.helm.formats import Cell, Header, Table
from helm_wandb.text.nearest import list_nearest

Row = tuple["Cell", ...]
ModelScores = dict[str, "Score | str"]
"""Metric → its score, or the reason why there is none."""


def scores_by_model(
    tables: Sequence[Table],
    benchmark: str,
    metrics: Sequence[str],
    *,
    model_of_run: Callable[[str], str | None],
) -> dict[str, ModelScores]:
    """Return each model's cell of each metric in the benchmark's headline table, or why none.

    A row belongs to the model of its run specs; if it names none, to the model of the
    rows with the same label elsewhere in the file, and else to a model of that name.
    """
    main = helm_tables.headline(tables, benchmark)
    if main is None:
        return {}
    rows = _RowsByModel(tables, model_of_run)
    parts = {
        title: (table, rows.in_table(table))
        for title, table in helm_tables.subjects(tables, benchmark).items()
    }
    columns = {metric: _column(main, metric) for metric in metrics}
    return {
        model: {
            metric: column
            if isinstance(column, str)
            else _score(found, column, main.header[column], _subject_scores(parts, metric, model))
            for metric, column in columns.items()
        }
        for model, found in rows.in_table(main).items()
    }


def _column(table: Table, metric: str) -> int | str:
    """Return the place of the metric's column, or why there is none."""
    column = table.column(metric)
    if column is not None:
        return column
    there = list_nearest(helm_tables.score_labels(table), metric)
    return f"HELM's table has no column {metric!r}; it has: {there}"


class _RowsByModel:
    """The rows of tables, by the model that they belong to."""

    def __init__(self, tables: Sequence[Table], model_of_run: Callable[[str], str | None]) -> None:
        self._model_of_run = model_of_run
        self._models_by_label: dict[str, list[str]] = defaultdict(list)
        for row in (row for table in tables for row in table.rows if row):
            model = self._linked_model(row)
            known = self._models_by_label[helm_tables.label(row)]
            if model is not None and model not in known:
                known.append(model)

    def in_table(self, table: Table) -> dict[str, list[Row]]:
        """Return each model's rows: one, unless HELM varied an adapter setting within the table."""
        found: dict[str, list[Row]] = defaultdict(list)
        counts = Counter(helm_tables.label(row) for row in table.rows)
        seen: Counter[str] = Counter()
        for row in filter(None, table.rows):
            label = helm_tables.label(row)
            model = self._linked_model(row) or self._labelled_model(
                label, turn=seen[label], count=counts[label]
            )
            seen[label] += 1
            found[model].append(row)
        return found

    def _linked_model(self, row: Row) -> str | None:
        models = map(self._model_of_run, helm_tables.run_names(row))
        return next(filter(None, models), None)

    def _labelled_model(self, label: str, *, turn: int, count: int) -> str:
        """Return the model of the label's rows elsewhere; HELM keeps the order of its models."""
        models = self._models_by_label[label]
        return models[turn] if len(models) == count else label


def _score(
    rows: Sequence[Row], column: int, header: Header, subjects: dict[str, SubjectScore]
) -> Score | str:
    value = _value(rows, column)
    if isinstance(value, str):
        return value
    return Score(value=value, n=None, lower_is_better=header.lower_is_better, subjects=subjects)


def _subject_scores(
    parts: Mapping[str, tuple[Table, Mapping[str, Sequence[Row]]]], metric: str, model: str
) -> dict[str, SubjectScore]:
    found = {}
    for title, (table, rows) in parts.items():
        column = table.column(metric)
        if column is None or model not in rows:
            continue
        value = _value(rows[model], column)
        if isinstance(value, float):
            found[title] = SubjectScore(value=value, n=None)
    return found


def _value(rows: Sequence[Row], column: int) -> float | str:
    """Return the cell's number, or why there is none."""
    if len(rows) > 1:
        labels = ", ".join(helm_tables.label(row) for row in rows)
        return f"unknown which of {len(rows)} rows of HELM's table is meant: {labels}"
    row = rows[0]
    if column >= len(row):
        return "HELM's row is shorter than the table's header"
    cell = row[column]
    if cell.value is None:
        return f"HELM's cell has no value: {encodable(cell.description) or 'no reason given'}"
    if isinstance(cell.value, str):
        return f"HELM's cell holds text: {encodable(cell.value)}"
    if not math.isfinite(cell.value):
        return f"HELM wrote {cell.value} for it"
    return cell.value
