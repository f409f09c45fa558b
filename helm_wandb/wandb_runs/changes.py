"""What is left to write of a run, given what is there already. Pure.

Rows are told apart by their iteration. Readers of a run take of each iteration the last value of
each metric: so a changed row is added after the old one, a row of which only some metrics are ours
takes nothing from another job's, and no row is ever dropped for coming out of order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import msgspec

from helm_wandb.wandb_runs import layout, run_record
from helm_wandb.wandb_runs.run_record import CHANGED_ITEMS, ITERATION, MARK, Record
from helm_wandb.wandb_runs.sdk.messages import RunWriting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from helm_wandb.wandb_runs.layout import RunPlan
    from helm_wandb.wandb_runs.sdk.messages import Row

Values = Mapping[str, float]
"""The values of an iteration by the names that W&B shows, `mmlu.EM`."""
_DEPTH = 3
"""Benchmark, subject, metric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a run holds already."""

    rows: Mapping[int, Values] = field(default_factory=dict)
    """Iteration → what its rows come to."""
    steps: int = 0
    """How many rows of W&B's history it fills."""
    record: Record | None = None


def values_of(row: Mapping[str, object]) -> dict[str, float]:
    """A row's numbers by the names that W&B shows.

    What W&B itself adds to a row is left out, and so is what this tool never writes: numbers that
    no float holds, and deeper levels.
    """
    return {name: value for name, value in _leaves(row) if not name.startswith("_")}


def _leaves(
    row: Mapping[str, object], prefix: str = "", depth: int = _DEPTH
) -> Iterable[tuple[str, float]]:
    for key, value in row.items():
        if isinstance(value, Mapping):
            if depth > 1:
                yield from _leaves(value, f"{prefix}{key}.", depth - 1)
        elif isinstance(value, int | float) and run_record.finite(value) is not None:
            yield f"{prefix}{key}", value


def by_iteration(rows: Iterable[Mapping[str, object]]) -> dict[int, dict[str, float]]:
    """Iteration → the last value of each metric, of rows in the order in which they were logged."""
    found: dict[int, dict[str, float]] = {}
    for row in rows:
        values = values_of(row)
        iteration = run_record.iteration_of(values.get(ITERATION))
        if iteration is not None:
            found.setdefault(iteration, {}).update(values)
    return found


def merged(rows: Iterable[Row]) -> tuple[Row, ...]:
    """One row of each iteration, ascending, with the last value of each metric."""
    found: dict[int, Row] = {}
    for row in rows:
        iteration = cast("int", row[ITERATION])
        found[iteration] = _overlaid(found.get(iteration, {}), row)
    return tuple(found[iteration] for iteration in sorted(found))


def is_recorded(plan: RunPlan, record: Record | None) -> bool:
    """Whether a run's own record says that it holds all of the plan, provenance aside."""
    if record is None:
        return False
    rows = {str(row[ITERATION]): run_record.row_digest(values_of(row)) for row in plan.rows}
    return (
        rows.items() <= record.rows.items()
        and (record.settings, record.tables) == (settings_digest(plan), tables_digest(plan))
        and (not plan.artifact or record.report == plan.report)
    )


def writing(plan: RunPlan, held: Held, *, writer: str) -> RunWriting:
    """What is to be written so that the run holds the plan, and says so in its record."""
    rows = tuple(
        row
        for row in plan.rows
        if not values_of(row).items() <= held.rows.get(cast("int", row[ITERATION]), {}).items()
    )
    known = held.record or Record(writer="")
    record = _record(plan, held, writer)
    first = msgspec.structs.replace(record, tables=known.tables, report=known.report)
    return RunWriting(
        id=plan.id,
        group=plan.group,
        name=plan.name,
        tags=plan.tags,
        config={**plan.config, **plan.provenance},
        axes=layout.axes([*map(values_of, plan.rows), *held.rows.values()]),
        rows=rows,
        first_step=held.steps,
        tables=() if known.tables == record.tables else plan.tables,
        summary={**_summary(plan, held, first), **_outdated(plan, known)},
        confirmed={} if first == record else {MARK: run_record.to_text(record)},
        artifact=None if known.report == plan.report else plan.artifact,
    )


def _outdated(plan: RunPlan, known: Record) -> Row:
    """What takes the place of a table of changed items where nothing changed any more."""
    gone = known.tables and not plan.tables
    return {CHANGED_ITEMS: None} if gone else {}


def final_mark(run: RunWriting) -> object:
    """What the run's summary says under MARK when all has arrived."""
    return run.confirmed.get(MARK, run.summary[MARK])


def settings_digest(plan: RunPlan) -> str:
    """Of all that a run shows beside its rows and tables, less the provenance."""
    return run_record.digest([plan.group, plan.name, plan.tags, dict(plan.config)])


def tables_digest(plan: RunPlan) -> str:
    """Of a run's tables; empty without any."""
    content = [[table.key, table.columns, table.rows, table.title] for table in plan.tables]
    return run_record.digest(content) if content else ""


def _record(plan: RunPlan, held: Held, writer: str) -> Record:
    known = held.record or Record(writer="")
    planned = by_iteration(plan.rows)
    iterations = sorted({*held.rows, *planned})
    return Record(
        writer=writer,
        rows={
            str(iteration): run_record.row_digest(
                {**held.rows.get(iteration, {}), **planned.get(iteration, {})}
            )
            for iteration in iterations
        },
        settings=settings_digest(plan),
        tables=tables_digest(plan),
        report=plan.report if plan.artifact else known.report,
        latest=run_record.newer(known.latest, plan.latest),
    )


def _summary(plan: RunPlan, held: Held, record: Record) -> Row:
    """The summary over all rows: each metric's value at the greatest iteration that has it.

    W&B would make it of the rows in the order of their writing.
    """
    summary: Row = {}
    for row in plan.rows:
        summary = _overlaid(summary, row)
    greatest = {
        name: (iteration, value)
        for iteration, values in sorted(held.rows.items())
        for name, value in values.items()
    }
    own = {name: max(_iterations_with(plan, name)) for name in values_of(summary)}
    later = {
        name: value
        for name, (iteration, value) in greatest.items()
        if name in own and iteration > own[name]
    }
    return {
        **_overlaid(_others(summary, greatest, own), _replaced(summary, later)),
        MARK: run_record.to_text(record),
    }


def _others(summary: Row, greatest: Mapping[str, tuple[int, float]], own: Iterable[str]) -> Row:
    """The metrics of the plan's benchmarks that it does not have.

    W&B replaces what stands under a key of the summary as a whole.
    """
    found: Row = {}
    for name in greatest.keys() - set(own):
        benchmark, _, metric = name.partition(".")
        if isinstance(summary.get(benchmark), Mapping):
            found = _overlaid(found, {benchmark: {metric: greatest[name][1]}})
    return found


def _iterations_with(plan: RunPlan, name: str) -> Iterable[int]:
    return (cast("int", row[ITERATION]) for row in plan.rows if name in values_of(row))


def _replaced(row: Row, values: Values, prefix: str = "") -> dict[str, object]:
    """The nested row, with those values in the place of its own that have their name."""
    return {
        key: _replaced(value, values, f"{prefix}{key}.")
        if isinstance(value, Mapping)
        else values.get(f"{prefix}{key}", value)
        for key, value in row.items()
    }


def _overlaid(below: Row, above: Row) -> dict[str, object]:
    """Both, nested alike; where both have a value, the one above."""
    joined = dict(below)
    for key, value in above.items():
        under = joined.get(key)
        both = isinstance(value, Mapping) and isinstance(under, Mapping)
        joined[key] = _overlaid(cast("Row", under), cast("Row", value)) if both else value
    return joined


def carried(plan: RunPlan, rows: Iterable[Row], latest: run_record.Latest | None) -> RunPlan:
    """The plan, and below it the rows of recordings that it takes the place of."""
    return replace(
        plan,
        rows=merged([*rows, *plan.rows]),
        latest=run_record.newer(latest, plan.latest),
    )
