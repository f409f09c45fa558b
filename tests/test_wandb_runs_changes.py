"""What is left to write of a run, given what is there already."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helm_wandb.wandb_runs import changes, run_record
from helm_wandb.wandb_runs.changes import StoredRun
from helm_wandb.wandb_runs.layout import RunPlan
from helm_wandb.wandb_runs.layout_names import MARK
from helm_wandb.wandb_runs.run_record import JobReport, Latest, LatestScore, Record
from helm_wandb.wandb_runs.sdk.messages import Artifact, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from helm_wandb.wandb_runs.sdk.messages import Row, RunWriting

ARTIFACT = Artifact(
    name="helm-report-alpha", type="t", file_name="f", content=b"{}", aliases=("local",)
)
TABLE = Table(key="leaderboard", columns=("model", "mean"), rows=(("alpha", 0.5),))


def row(iteration: int, scores: Mapping[str, float], tokens: float | None = None) -> Row:
    """A row of `{"mmlu.EM": 0.3}`."""
    axis = {} if tokens is None else {"tokens_billions": tokens}
    return {**scores, "iteration": iteration, **axis}


def plan(*rows: Row, tables: Sequence[Table] = (), report: str = "") -> RunPlan:
    """The plan of a summary run with these rows; with a report it has an artifact."""
    return RunPlan(
        id="helm-1",
        reserved_in="helm-1",
        group="alpha",
        name="summary",
        job_type="evaluate",
        tags=("evaluate", "summary", "local"),
        notes="",
        config={"model": "alpha", "track": "local"},
        provenance={"commit": "c0ffee", "tool_version": "1.2.3"},
        rows=rows,
        tables=tuple(tables),
        latest=latest(rows),
        artifact=ARTIFACT if report else None,
        report=job_report(report) if report else None,
    )


def job_report(results: str) -> JobReport:
    """What the record says of a report with these results."""
    return JobReport(part="p", digest=results, scores=("mmlu.EM",))


def latest(rows: Sequence[Row]) -> Latest | None:
    """The scores of the last row."""
    if not rows:
        return None
    values = dict(rows[-1])
    iteration = int(values.pop("iteration"))
    tokens = values.pop("tokens_billions", None)
    scores = {name: LatestScore(value=value) for name, value in values.items()}
    return Latest(iteration=iteration, tokens_billions=tokens, scores=scores)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run in W&B, as far as what is written to it goes."""

    rows: tuple[Row, ...] = ()
    """In the order in which they were logged."""
    steps: int = 0
    summary: Mapping[str, object] | None = None
    """By the names that W&B shows."""
    record: Record | None = None
    tables: tuple[Table, ...] = ()
    reports: int = 0

    @property
    def held(self) -> StoredRun:
        """What is seen of it."""
        rows = changes.by_iteration(self.rows)
        return StoredRun(rows=rows, steps=self.steps, record=self.record)

    def written(self, writing: RunWriting) -> Run:
        """The run once the writing has arrived whole."""
        assert self.steps == writing.first_step

        return Run(
            rows=(*self.rows, *writing.rows),
            steps=self.steps + len(writing.rows) + bool(writing.tables),
            summary={**(self.summary or {}), **changes.flatten(writing.summary)},
            record=run_record.from_summary({MARK: changes.final_mark(writing)}),
            tables=writing.tables or self.tables,
            reports=self.reports + bool(writing.artifact),
        )


def after(*plans: RunPlan) -> Run:
    """The run after one job has written each plan."""
    run = Run()
    for number, one in enumerate(plans):
        run = run.written(changes.writing(one, run.held, writer=f"w{number}"))
    return run


def greatest(rows: Iterable[Row]) -> dict[str, float]:
    """Each metric's value at the latest iteration that has it."""
    found: dict[str, float] = {}
    for _, values in sorted(changes.by_iteration(rows).items()):
        found.update(values)
    return found


METRICS = ("mmlu.EM", "mmlu.F1", "raft.EM", "summarization.ROUGE-2")
VALUES = st.sampled_from([0.0, 0.25, 0.5, 1]) | st.floats(0, 1)


def plans(metrics: Sequence[str] = METRICS) -> st.SearchStrategy[RunPlan]:
    """Plans of summary runs of some metrics."""
    scores = st.dictionaries(st.sampled_from(metrics), VALUES, min_size=1)
    rows = st.dictionaries(
        st.integers(0, 4), st.tuples(scores, st.none() | st.just(4.2)), min_size=1, max_size=4
    )
    return st.builds(
        lambda rows, tables, report: plan(
            *(row(iteration, *rows[iteration]) for iteration in sorted(rows)),
            tables=tables,
            report=report,
        ),
        rows,
        st.sampled_from([(), (TABLE,), (replace(TABLE, title="bars"),)]),
        st.sampled_from(["", "r1", "r2"]),
    )


@given(st.lists(plans(), min_size=1, max_size=4))
def test_nothing_is_outstanding_of_what_was_written(jobs: list[RunPlan]) -> None:
    """A job that finds a run as it left it has no row, table or report to send."""
    run = after(*jobs)
    again = changes.writing(jobs[-1], run.held, writer="w")

    assert ((), (), None, {}) == (again.rows, again.tables, again.artifact, again.confirmed)


@given(plans())
def test_a_record_says_that_a_run_holds_its_plan(job: RunPlan) -> None:
    """Once written, one look at the summary shows that nothing is left to do."""
    assert changes.is_recorded(job, after(job).record)


@given(plans(), plans())
def test_a_record_never_says_more_than_a_run_holds(first: RunPlan, second: RunPlan) -> None:
    """If the record says that a run holds a plan, a look at its rows finds nothing missing."""
    run = after(first)
    left = changes.writing(second, run.held, writer="w")

    if changes.is_recorded(second, run.record):
        assert ((), (), None) == (left.rows, left.tables, left.artifact)


@given(plans(), plans())
def test_only_rows_that_change_something_are_written(first: RunPlan, second: RunPlan) -> None:
    """A row is sent where the run lacks one of its values, and only there."""
    run = after(first)
    held = run.held.rows
    left = changes.writing(second, run.held, writer="w")
    expected = [
        one
        for one in second.rows
        if any(
            held.get(iteration, {}).get(name) != value
            for iteration, values in changes.by_iteration([one]).items()
            for name, value in values.items()
        )
    ]

    assert expected == list(left.rows)


@given(st.lists(plans(), min_size=1, max_size=4))
def test_readers_find_the_last_word_of_each_job(jobs: list[RunPlan]) -> None:
    """Of each iteration a metric has the value that was planned last."""
    planned = changes.by_iteration(one for job in jobs for one in job.rows)

    assert planned == changes.by_iteration(after(*jobs).rows)


@given(st.lists(plans(), min_size=1, max_size=4))
@example([plan(row(2, {"mmlu.EM": 0.5})), plan(row(1, {"mmlu.EM": 0.25}))])
@example([plan(row(1, {"mmlu.EM": 0.25, "raft.EM": 0.5})), plan(row(2, {"raft.EM": 0.25}))])
def test_the_summary_is_of_the_latest_iteration(jobs: list[RunPlan]) -> None:
    """Whatever came last, the summary shows each metric where it was measured last."""
    run = after(*jobs)

    assert greatest(run.rows) == run.summary


@given(plans(METRICS[:2]), plans(METRICS[2:]))
def test_jobs_of_other_metrics_take_nothing_from_each_other(one: RunPlan, other: RunPlan) -> None:
    """Two jobs of one model leave the same rows, summary and scores, whoever comes first."""
    first, second = after(one, other), after(other, one)

    assert changes.by_iteration(first.rows) == changes.by_iteration(second.rows)
    assert first.summary == second.summary
    for run in (first, second):
        assert greatest([*one.rows, *other.rows]) == run.summary
        assert [(), ()] == [changes.writing(job, run.held, writer="w").rows for job in (one, other)]


@given(st.lists(plans(), min_size=1, max_size=4))
def test_the_record_has_the_scores_of_the_latest_iteration(jobs: list[RunPlan]) -> None:
    """The leaderboard finds all that any job said of the latest iteration, and nothing else."""
    run = after(*jobs)
    iteration, values = max(run.held.rows.items())

    assert run.record is not None
    assert run.record.latest is not None
    assert iteration == run.record.latest.iteration
    scores = {name: score.value for name, score in run.record.latest.scores.items()}
    assert scores == {name: values[name] for name in values if "." in name}


@given(st.lists(plans(), min_size=1, max_size=4))
def test_the_record_has_a_digest_of_each_iteration(jobs: list[RunPlan]) -> None:
    """The record's digests are those of what a reader finds in the rows."""
    run = after(*jobs)

    assert run.record is not None
    assert run.record.rows == {
        str(iteration): run_record.row_digest(values) for iteration, values in run.held.rows.items()
    }


@given(st.lists(plans(), min_size=1, max_size=4))
def test_a_run_keeps_the_last_tables_and_each_report(jobs: list[RunPlan]) -> None:
    """Tables are sent when they change, and a report when it is another than the last."""
    run = after(*jobs)
    last = next((job.tables for job in reversed(jobs) if job.tables), ())
    reports = [job.report for job in jobs if job.report]
    changed = sum(one != other for one, other in zip(reports, [None, *reports], strict=False))

    assert (last, changed) == (run.tables, run.reports)


def test_tables_and_reports_are_confirmed_when_they_have_arrived() -> None:
    """The summary that goes with the rows says nothing of files; the one after them does."""
    job = plan(row(1, {"mmlu.EM": 0.5}), tables=[TABLE], report="r1")
    writing = changes.writing(job, StoredRun(), writer="w")
    before = run_record.from_summary(writing.summary)
    confirmed = run_record.from_summary(writing.confirmed)

    assert before is not None
    assert confirmed is not None
    assert ("", ()) == (before.tables, before.reports)
    assert (changes.tables_digest(job), (job.report,)) == (confirmed.tables, confirmed.reports)
    assert writing.confirmed[MARK] == changes.final_mark(writing)
    assert not changes.is_recorded(job, before)
    assert changes.is_recorded(job, confirmed)


def test_reports_of_two_jobs_are_kept_side_by_side() -> None:
    """A job that runs again finds its own report, whichever other job wrote since."""
    one = plan(row(1, {"mmlu.EM": 0.5}), report="r1")
    other = replace(one, report=msgspec.structs.replace(job_report("r2"), part="q"))
    run = after(one, other, one)

    assert 2 == run.reports
    assert changes.is_recorded(one, run.record)
    assert changes.is_recorded(other, run.record)


def test_rows_alone_need_no_confirmation() -> None:
    """What has no files is said at once."""
    writing = changes.writing(plan(row(1, {"mmlu.EM": 0.5})), StoredRun(), writer="w")

    assert {} == writing.confirmed
    assert writing.summary[MARK] == changes.final_mark(writing)


def test_a_job_without_a_report_leaves_those_of_others() -> None:
    """A run that keeps a report says so after a job that has none, an offline one say."""
    with_report = plan(row(1, {"mmlu.EM": 0.5}), report="r1")
    run = after(with_report, replace(with_report, artifact=None))

    assert changes.is_recorded(with_report, run.record)


@pytest.mark.parametrize(
    "change",
    [
        {"group": "beta"},
        {"name": "mmlu"},
        {"tags": ("evaluate",)},
        {"config": {"model": "beta"}},
        {"tables": (TABLE,)},
        {"rows": (row(1, {"mmlu.EM": 0.25}),)},
        {"rows": (row(2, {"mmlu.EM": 0.5}),)},
        {"artifact": ARTIFACT, "report": job_report("r1")},
    ],
    ids=str,
)
def test_a_change_of_results_is_not_recorded(change: dict[str, Any]) -> None:
    """Group, name, tags, config, rows, tables and report are all parts of what a run holds."""
    job = plan(row(1, {"mmlu.EM": 0.5}))

    assert not changes.is_recorded(replace(job, **change), after(job).record)


def test_provenance_is_no_result() -> None:
    """A new commit with the same results is recorded already."""
    job = plan(row(1, {"mmlu.EM": 0.5}))
    later = replace(job, provenance={"commit": "another", "attempt": 3})

    assert changes.is_recorded(later, after(job).record)


def test_a_run_without_record_holds_nothing_for_sure() -> None:
    """A run of another hand is to be looked at, also where the plan has no rows."""
    assert not changes.is_recorded(plan(), None)


def test_a_writing_has_the_plans_settings() -> None:
    """Id, group, name and tags are the plan's; results and provenance are one config."""
    writing = changes.writing(plan(row(1, {"mmlu.EM": 0.5}, 4.2)), StoredRun(), writer="w")

    assert ("helm-1", "alpha", "summary", ("evaluate", "summary", "local")) == (
        writing.id,
        writing.group,
        writing.name,
        writing.tags,
    )
    assert writing.config == {
        "model": "alpha",
        "track": "local",
        "commit": "c0ffee",
        "tool_version": "1.2.3",
    }
    assert {"mmlu.EM": "tokens_billions"} == writing.axes


def test_the_axis_is_one_that_all_rows_have() -> None:
    """Rows in W&B without tokens have all metrics, theirs too, drawn over the iterations."""
    run = after(plan(row(1, {"raft.EM": 0.5})))
    writing = changes.writing(plan(row(2, {"mmlu.EM": 0.5}, 4.2)), run.held, writer="w")

    assert {"mmlu.EM": "iteration", "raft.EM": "iteration"} == writing.axes


def test_what_wandb_adds_to_a_row_is_none_of_its_values() -> None:
    """Steps, times, texts, files and truth values are left out; names are joined by dots."""
    found = changes.flatten(
        {
            "mmlu": {"EM": 0.5, "law": {"F1": 1}, "flag": True},
            "iteration": 7,
            "_step": 3,
            "_timestamp": 1.5,
            "_wandb": {"runtime": 3},
            "bars": {"_type": "table-file", "path": "x"},
            "note": "NaN",
            "none": None,
            "huge": 10**400,
            "endless": {"EM": math.inf, "F1": math.nan},
            "deep": {"a": {"b": {"c": 1}}},
        }
    )

    assert {"mmlu.EM": 0.5, "mmlu.law.F1": 1, "iteration": 7} == found


def test_rows_without_iteration_are_nobodys() -> None:
    """The row of the tables has no iteration and counts for none."""
    rows: list[Row] = [
        {"mmlu.EM": 0.5, "iteration": 7.0},
        {"bars": 3},
        {"quac.F1": 1, "iteration": 7},
    ]

    assert {7: {"mmlu.EM": 0.5, "quac.F1": 1, "iteration": 7}} == changes.by_iteration(rows)


@pytest.mark.parametrize("iteration", [math.nan, math.inf, 10**400, 1e300, -1])
def test_an_iteration_that_is_none_is_nobodys(iteration: float) -> None:
    """A row that another hand added, at no iteration that there is, counts for none."""
    assert {} == changes.by_iteration([{"mmlu.EM": 0.5, "iteration": iteration}])


ROWS = st.lists(
    st.builds(
        row,
        st.integers(0, 3),
        st.dictionaries(st.sampled_from(METRICS), VALUES),
        st.none() | st.just(4.2),
    ),
    max_size=6,
)


@given(ROWS)
def test_carried_rows_hold_the_same_values(rows: list[Row]) -> None:
    """A plan has one row for each iteration, in order, with the last value of each metric."""
    carried = changes.add_rows(plan(), rows, {}, None).rows
    iterations = [row["iteration"] for row in carried]

    assert sorted(set(iterations)) == iterations
    assert changes.by_iteration(rows) == changes.by_iteration(carried)


@given(plans(), ROWS)
def test_a_plan_carries_rows_that_it_does_not_change(job: RunPlan, rows: list[Row]) -> None:
    """What waits to be sent is sent with the plan, below the plan's own values."""
    carried = changes.add_rows(job, rows, {}, None)

    assert changes.by_iteration([*rows, *job.rows]) == changes.by_iteration(carried.rows)
    assert job == replace(carried, rows=job.rows)
