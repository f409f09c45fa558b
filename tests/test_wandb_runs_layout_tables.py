"""What changed, as a table of the model's summary run."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from helm_wandb.model import ChangedInstance, Texts, Verdict
from helm_wandb.wandb_runs import changes, layout, layout_tables, run_record
from helm_wandb.wandb_runs.changes import StoredRun
from helm_wandb.wandb_runs.layout_names import CHANGED_ITEMS, MARK, MEAN_CHANGE, OUTCOME
from tests import builders
from tests.test_wandb_runs_sink import record_summary, runs, summary_of, table_of
from tests.wandb_builders import Desk, holds, summary_run
from tests.wandb_server import WandbServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from helm_wandb.model import Comparison, Report

ITEM = ChangedInstance(
    stratum="mmlu:subject=law,method=multiple_choice_joint",
    id="id7",
    trial=0,
    before=1.0,
    after=0.0,
    texts=Texts(input="Passage\nQuestion:\xa0\u202ewho?", reference="A", answer=None),
    baseline_answer="B\n",
)
COLUMNS = ("metric", "verdict", "id", "trial", "subject", "input", "reference", "answer")


def comparison(*items: ChangedInstance, model: str = "alpha") -> Comparison:
    """A model's comparison with one delta that has these items."""
    delta = builders.delta("mmlu.EM", 0.5, 0.25, Verdict.REGRESSED, within=(-0.3, -0.2))
    return builders.comparison(replace(delta, items=items or None), model=model)


def report(*comparisons: Comparison) -> Report:
    """The report of two models with these comparisons."""
    entries = [builders.evaluation(name, 1, {"mmlu.EM": 0.25}) for name in ("alpha", "beta")]
    return builders.report(entries, comparisons=comparisons)


def plan(*comparisons: Comparison) -> layout.RunPlan:
    """The plan of alpha's summary run."""
    return layout.plans(report(*comparisons), summary_only=True, leaderboard=False)[0]


def test_items_are_rows_in_one_visible_line() -> None:
    """A row for each item, with all that is known of it and nothing invisible in it."""
    (table,) = layout_tables.changed_items([comparison(ITEM, replace(ITEM, id="i\n8", trial=1))])
    text = "Passage⏎Question: ?who?"

    assert (*COLUMNS, "before", "after", "baseline_answer") == table.columns
    assert (
        ("mmlu.EM", "regressed", "id7", 0, "subject=law", text, "A", None, 1.0, 0.0, "B⏎"),
        ("mmlu.EM", "regressed", "i?8", 1, "subject=law", text, "A", None, 1.0, 0.0, "B⏎"),
    ) == table.rows


def test_each_model_has_its_own_items() -> None:
    """The summary run of a model holds the table of this model's comparison; a detail run none."""
    content = report(comparison(ITEM), comparison(replace(ITEM, id="id8"), model="beta"))
    plans = layout.plans(content, summary_only=False, leaderboard=True)

    assert {
        ("alpha", "summary"): [["id7"]],
        ("alpha", "mmlu"): [],
        ("beta", "summary"): [["id8"]],
        ("beta", "mmlu"): [],
    } == {
        (one.group, one.name): [[row[2] for row in table.rows] for table in one.tables]
        for one in plans
        if not one.is_leaderboard
    }


def test_without_items_there_is_no_table() -> None:
    """A run costs no upload more where nothing was looked into."""
    assert () == plan(comparison()).tables
    assert () == plan().tables


def test_a_table_of_what_changed_once_does_not_stay() -> None:
    """If nothing changed any more, the summary's table is taken away, once."""
    before, now = plan(comparison(ITEM)), plan(comparison())
    first = changes.writing(before, StoredRun(), writer="a")
    record = run_record.from_summary({MARK: changes.final_mark(first)})
    rows = changes.by_iteration(before.rows)
    gone = changes.writing(now, StoredRun(rows=rows, steps=2, record=record), writer="b")
    settled = run_record.from_summary({MARK: changes.final_mark(gone)})
    again = changes.writing(now, StoredRun(rows=rows, steps=2, record=settled), writer="c")

    assert CHANGED_ITEMS not in first.summary
    assert ((), None) == (gone.tables, gone.summary[CHANGED_ITEMS])
    assert CHANGED_ITEMS not in again.summary


@pytest.mark.parametrize("name", ["leaderboard", "summary"])
def test_only_the_leaderboard_is_one(name: str) -> None:
    """A benchmark of that name, and a summary run with a table, are no leaderboard."""
    content = builders.report([builders.evaluation("alpha", 1, {f"{name}.EM": 0.25})])
    plans = layout.plans(content, summary_only=False, leaderboard=True)

    assert [False, False, True] == [one.is_leaderboard for one in plans]


@pytest.mark.full
def test_the_table_is_recorded_next_to_the_scores(tmp_path: Path) -> None:
    """A run's folder holds its table, and its scores are as without one."""
    record_summary(tmp_path, report(comparison(ITEM)))
    run = runs(tmp_path)["alpha", "summary"]
    key = CHANGED_ITEMS
    table = table_of(dataclasses.replace(run, rows=run.rows[1:]), key)

    assert {"mmlu.EM": 0.25, "iteration": 1} == run.rows[0]
    assert [list(layout_tables.changed_items([comparison(ITEM)])[0].rows[0])] == table["data"]
    # The mean of a single benchmark is no other test, and has no value here.
    outcome = {*OUTCOME} - {MEAN_CHANGE}
    assert {"mmlu", "iteration", key, *outcome} == set(summary_of(run))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[Desk, WandbServer]]:
    """A user of a server that got only requests that it knows."""
    with WandbServer() as server:
        yield Desk(folder=tmp_path / "desk", base_url=server.url), server

    assert [] == server.unknown


@pytest.mark.enable_socket
def test_the_table_arrives_and_goes(desk: tuple[Desk, WandbServer], helm_trees: Path) -> None:
    """The real pair's items are in W&B, once; if the regression is gone, so is the table."""
    user, server = desk

    def recorded(tree: str, *flags: str) -> None:
        entry = {"eval_type": "helm", "helm_suite_name": "nightly", "model_name": "alpha"}
        user.configure({**entry, "helm_output_dir": str(helm_trees / tree)})
        done = user.write("--summary-only", *flags)

        assert 0 == done.exit_code, done.stderr

    recorded("baseline", "--print-only", "--report", "base.json")
    recorded("candidate", "--baseline", "base.json")
    run = summary_run(server, "alpha")

    assert run is not None
    table = json.loads(run.files[run.summary["changed_items"]["path"]])
    assert (*COLUMNS, "before", "after", "baseline_answer") == tuple(table["columns"])
    assert {"boolq.EM": 17, "hellaswag.EM": 17} == {
        metric: sum(row[0] == metric for row in table["data"])
        for metric in {row[0] for row in table["data"]}
    }

    before = holds(server)
    recorded("candidate", "--baseline", "base.json")

    assert before == holds(server)

    recorded("baseline", "--baseline", "base.json")
    run = summary_run(server, "alpha")

    assert run is not None
    assert (None, 0.73) == (run.summary.get("changed_items"), run.summary["boolq"]["EM"])
