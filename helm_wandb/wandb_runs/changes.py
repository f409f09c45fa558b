"""The rest of a run to write, given what is there already. Pure.

Rows are identified by their iteration. Readers of a run take of each iteration the last value of
each metric: so a changed row is added after the old one, a row of which only some metrics are ours
takes nothing from another job's, and no row is ever dropped for coming out of order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import msgspec

from helm_wandb.model import finite_number
from helm_wandb.wandb_runs import layout, run_record
from helm_wandb.wandb_runs.layout import RunPlan
from helm_wandb.wandb_runs.layout_names import CHANGED_ITEMS, ITERATION, MARK, OUTCOME, digest
from helm_wandb.wandb_runs.run_record import JobReport, Record
from helm_wandb.wandb_runs.sdk.messages import Row, RunWriting, StoredRow

_DEPTH = 3
"""Benchmark, subject, metric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRun:
    """The content that a run has already."""

    rows: Mapping[int, Row] = field(default_factory=dict)
    """Iteration → the last value of each metric."""
    steps: int = 0
    """Number of rows of W&B's history that it fills."""
    record: Record | None = None


def flatten(row: StoredRow, depth: int = _DEPTH) -> dict[str, float]:
    """Return the numbers of a stored row or summary by the names that W&B shows.

    What W&B itself adds is left out, and so is what this tool never writes: numbers that no float
    holds, and deeper levels.
    """
    return {name: value for name, value in _leaves(row, "", depth) if not name.startswith("_")}


def _leaves(row: StoredRow, prefix: str, depth: int) -> Iterable[tuple[str, float]]:
    for key, value in row.items():
        if isinstance(value, Mapping):
            if depth > 1:
                yield from _leaves(value, f"{prefix}{key}.", depth - 1)
        elif isinstance(value, int | float) and finite_number(value) is not None:
            yield f"{prefix}{key}", value


def by_iteration(rows: Iterable[Row]) -> dict[int, dict[str, float]]:
    """Return iteration → the last value of each metric, of rows in the order of their logging."""
    merged: dict[int, dict[str, float]] = {}
    for row in rows:
        iteration = run_record.iteration_of(row.get(ITERATION))
        if iteration is not None:
            merged.setdefault(iteration, {}).update(row)
    return merged


def is_recorded(plan: RunPlan, record: Record | None) -> bool:
    """Return whether a run's record says that it holds all of the plan, provenance aside."""
    if record is None:
        return False
    rows = {str(row[ITERATION]): run_record.row_digest(row) for row in plan.rows}
    return (
        rows.items() <= record.rows.items()
        and (record.settings, record.tables) == (settings_digest(plan), tables_digest(plan))
        and _has_no_new_report(plan, record)
    )


def writing(plan: RunPlan, stored: StoredRun, *, writer: str) -> RunWriting:
    """Return what is to be written so that the run holds the plan, and says so in its record."""
    rows = tuple(
        row
        for row in plan.rows
        if not row.items() <= stored.rows.get(int(row[ITERATION]), {}).items()
    )
    recorded = stored.record or Record(writer="")
    record = _record(plan, stored, writer)
    first = msgspec.structs.replace(record, tables=recorded.tables, reports=recorded.reports)
    return RunWriting(
        id=plan.id,
        reserved_in=plan.reserved_in,
        group=plan.group,
        name=plan.name,
        job_type=plan.job_type,
        tags=plan.tags,
        notes=plan.notes,
        config={**plan.config, **plan.provenance},
        axes=layout.axes([*plan.rows, *stored.rows.values()]),
        rows=rows,
        subjects=plan.subjects,
        first_step=stored.steps,
        tables=() if recorded.tables == record.tables else plan.tables,
        summary=_summary(plan, stored, first) | _replaced(plan, recorded) | dict(plan.outcome),
        confirmed={} if first == record else {MARK: run_record.to_text(record)},
        artifact=None if _has_no_new_report(plan, recorded) else plan.artifact,
    )


def _has_no_new_report(plan: RunPlan, recorded: Record) -> bool:
    """Return whether the plan has no report, or the record has the same."""
    return plan.artifact is None or plan.report is None or plan.report.is_in(recorded.reports)


def _reports(plan: RunPlan, recorded: Record) -> tuple[JobReport, ...]:
    if plan.report is None or _has_no_new_report(plan, recorded):
        return recorded.reports
    return run_record.add_report(plan.report, recorded.reports)


def _replaced(plan: RunPlan, recorded: Record) -> dict[str, None]:
    """Return what the summary no longer holds: without a value, W&B would keep the old one."""
    keys = [
        *([CHANGED_ITEMS] if recorded.tables and not plan.tables else []),
        *(OUTCOME if recorded.has_outcome else []),
    ]
    return dict.fromkeys(keys)


def final_mark(run: RunWriting) -> object:
    """Return the record in the run's summary after all has arrived."""
    return run.confirmed.get(MARK, run.summary[MARK])


def settings_digest(plan: RunPlan) -> str:
    """Return the digest of all that a run shows except rows, tables and provenance."""
    return digest([plan.group, plan.name, plan.job_type, plan.tags, dict(plan.config)])


def tables_digest(plan: RunPlan) -> str:
    """Return the digest of a run's tables; empty without any."""
    content = [[table.key, table.columns, table.rows, table.title] for table in plan.tables]
    return digest(content) if content else ""


def _record(plan: RunPlan, stored: StoredRun, writer: str) -> Record:
    recorded = stored.record or Record(writer="")
    planned = by_iteration(plan.rows)
    iterations = sorted({*stored.rows, *planned})
    return Record(
        writer=writer,
        rows={
            str(iteration): run_record.row_digest(
                {**stored.rows.get(iteration, {}), **planned.get(iteration, {})}
            )
            for iteration in iterations
        },
        settings=settings_digest(plan),
        tables=tables_digest(plan),
        reports=_reports(plan, recorded),
        latest=run_record.newer(recorded.latest, plan.latest),
        has_outcome=bool(plan.outcome),
    )


def _summary(plan: RunPlan, stored: StoredRun, record: Record) -> dict[str, object]:
    """Return the summary over all rows: each metric's value at the latest iteration that has it.

    W&B would make it of the rows in the order of their writing. It replaces what stands under
    a key as a whole: so the plan's benchmarks also have the metrics that only others wrote.
    """
    latest = {name: (row[ITERATION], value) for row in plan.rows for name, value in row.items()}
    benchmarks = {name.partition(".")[0] for name in latest if "." in name}
    for iteration, values in sorted(stored.rows.items()):
        for name, value in values.items():
            benchmark, dot, _ = name.partition(".")
            is_shown = name in latest or (dot and benchmark in benchmarks)
            if is_shown and iteration > latest.get(name, (-1, value))[0]:
                latest[name] = (iteration, value)
    return {name: value for name, (_, value) in latest.items()} | {MARK: run_record.to_text(record)}


def add_rows(
    plan: RunPlan,
    rows: Iterable[Row],
    subjects: Mapping[str, str],
    latest: run_record.Latest | None,
) -> RunPlan:
    """Return the plan, and below it the rows of recordings that it takes the place of."""
    return replace(
        plan,
        rows=tuple(row for _, row in sorted(by_iteration([*rows, *plan.rows]).items())),
        subjects={**subjects, **plan.subjects},
        latest=run_record.newer(latest, plan.latest),
    )
