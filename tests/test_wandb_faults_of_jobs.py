"""What each fault of W&B costs a job that compares a model: nothing, at the latest after a rerun.

The job has everything that a model's run in W&B can have: a baseline from W&B, the verdict in the
summary, the artifacts that it uses, a detail run, a leaderboard. Each row is a job in its own
process, against its own server, which fails. As in `test_wandb_faults`, `make test` runs few rows.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from rich.table import Table

from helm_wandb.report import to_json
from helm_wandb.wandb_runs.layout_names import run_id
from tests import builders
from tests.events import as_json, pull_request
from tests.rows import Results, make_rows, parametrize_rows, selected_rows
from tests.test_wandb_faults import FAULTS, Fault
from tests.wandb_builders import PROJECT, ROOT, Desk, Done, command_of, ended, own, summary_id
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.wandb_server import Run

pytestmark = pytest.mark.enable_socket

AT_ONCE = 5
TRACK = "pr/7"
SUMMARY = summary_id("alpha", TRACK)
PLANNED = {
    SUMMARY,
    run_id(TRACK, "alpha", "mmlu"),
    run_id(TRACK, "leaderboard", "leaderboard"),
}
NOTES = (
    "[pull request 7](https://github.test/me/evals/pull/7), "
    "[workflow run](https://github.test/me/evals/actions/runs/2)"
)
OUTCOME = {"verdict": "regressed", "regressions": 1, "improvements": 0}
MODEL_ARTIFACT = "team/models/alpha:prod"
LINEAGE = frozenset({"UseArtifact", "RunInputArtifacts"})
"""Requests that come when all runs were stored: their faults are warnings."""
WRITING = ("UpsertBucket", "file_stream", "CommitArtifact")
SEVERE = frozenset({"401", "404", "500 forever", "dropped three times", "no answer", "lost"})
SAID = {
    "401": "does not accept the key",
    "403": "refuses the entity or project",
    "404": "refuses the entity or project",
    "409": "refused the data",
    "413": "refused the data",
    "429 forever": "takes no more requests",
    # An SDK that waits as required says nothing of why.
    "429, Retry-After 3600": "",
    "500 forever": "returned a server error",
    "dropped forever": "cannot be reached",
    "no answer": "cannot be reached",
    "lost": "did not store the data",
}
"""What a warning says of each fault of the lineage."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """A row of the table."""

    operation: str
    fault: Fault

    def __str__(self) -> str:
        """As pytest shows it."""
        return f"{self.operation}-{self.fault.name}".replace(" ", "_")

    @property
    def is_warning(self) -> bool:
        """Whether the fault comes too late to lose a run."""
        return self.operation in LINEAGE and bool(self.fault.said)

    @property
    def exit_code(self) -> int:
        """The job's."""
        return 5 if self.fault.said and self.operation not in LINEAGE else 0


ROWS = tuple(
    Row(operation=operation, fault=fault)
    for fault in FAULTS
    for operation in (*WRITING, "UseArtifact", "RunInputArtifacts")
    if operation == "UseArtifact" or fault.name in SEVERE
    # Nothing is lost that is only read.
    if operation != "RunInputArtifacts" or fault.name != "lost"
)
QUICK = frozenset(
    row
    for row in ROWS
    if (row.operation, row.fault.name) in {("UseArtifact", "lost"), ("file_stream", "500 forever")}
)


@dataclass(frozen=True, kw_only=True)
class Came:
    """What came of a row."""

    done: Done
    used: Sequence[str]
    """The server's ids of the artifacts that the summary run used when the job had ended."""
    expected: frozenset[str]
    """Those of the model's artifact and the baseline's."""
    copies: frozenset[str]
    """The ids of the runs that waited here."""
    with_key: Sequence[str]
    left: Sequence[str]
    """Processes and temporary folders."""
    unknown: Sequence[object]
    met: int
    """How many requests met the fault."""
    sync: Done | None
    """What the printed command came to when the server was well again, if one was printed."""
    again: Done
    """The same job once more."""
    after: Mapping[str, Run]
    """What the server held then, of the job's track."""

    @property
    def warnings(self) -> list[str]:
        """The job's warnings about W&B."""
        return warnings(self.done)


def warnings(done: Done) -> list[str]:
    """The warnings about W&B."""
    lines = done.stdout.splitlines()
    said = [line for line in lines if "W&B: " in line or "W&B at " in line]
    return [line for line in said if line.startswith("::warning")]


def job(desk: Desk, *, run: int, event: str, right: int, **inputs: str) -> Done:
    """What comes of a job that evaluates a model with so many right answers of a hundred."""
    evaluations = [builders.measured("alpha", 1, {"mmlu.EM": builders.right(right)})]
    (desk.work / "alpha.json").write_bytes(to_json(builders.report(evaluations)))
    payload = {
        "repository": {"default_branch": "main", "full_name": "me/evals"},
        **({"pull_request": as_json(pull_request(7))} if event == "pull_request" else {}),
    }
    (desk.folder / "event.json").write_text(json.dumps(payload))
    environ = {
        **desk.environ,
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_EVENT_PATH": str(desk.folder / "event.json"),
        "GITHUB_JOB": "evaluate",
        "GITHUB_REF_NAME": "main",
        "GITHUB_REF_TYPE": "branch",
        "GITHUB_REPOSITORY": "me/evals",
        "GITHUB_RUN_ID": str(run),
        "GITHUB_SERVER_URL": "https://github.test",
        "GITHUB_SHA": f"c{run}",
        "GITHUB_WORKFLOW": "Evaluate",
        "INPUT_CONFIG": "config.yaml",
        **inputs,
    }
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "entrypoint.py")],
        cwd=desk.work,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return ended(process, time.monotonic())


def push(desk: Desk) -> Done:
    """What comes of the job of main."""
    return job(desk, run=1, event="push", right=80)


def pull(desk: Desk) -> Done:
    """What comes of the job of a pull request, whose model is worse than main's."""
    inputs = {"INPUT_BASELINE": "wandb", "INPUT_WANDB-MODEL-ARTIFACT": MODEL_ARTIFACT}
    return job(desk, run=2, event="pull_request", right=50, **inputs)


def came_of(row: Row, folder: Path) -> Came:
    """What comes of the job of a row, after that of main, and of the same job later."""
    with WandbServer() as server:
        desk = Desk(folder=folder, base_url=server.url)
        entry = {"eval_type": "helm", "source": "report", "path": "alpha.json"}
        desk.configure(entry, leaderboard=True, leaderboard_metrics=["mmlu.EM"])
        model = server.add_artifact("models", "alpha", "model", aliases=["prod"])
        first = push(desk)
        assert 0 == first.exit_code, first.stdout
        ((baseline,),) = server.artifacts(PROJECT).values()
        server.fault(row.operation, **row.fault.what)
        done = pull(desk)
        tried = [one.status for one in server.requests if one.operation == row.operation]
        summary = server.runs(PROJECT).get(SUMMARY)
        copies = frozenset(desk.waiting())
        with_key = [*desk.with_key(), *(one for one in (done.stderr,) if API_KEY in one)]
        left = [*desk.processes(), *desk.scratch()]
        server.clear_faults()
        message = next((line for line in done.stdout.splitlines() if "::error" in line), "")
        sync = desk.shell(command_of(message)) if "`" in message else None
        again = pull(desk)
        return Came(
            done=done,
            used=summary.used_artifacts if summary else (),
            expected=frozenset({model, baseline.id}),
            copies=copies,
            with_key=with_key,
            left=left,
            unknown=server.unknown,
            met=sum(status != 200 for status in tried),
            sync=sync,
            again=again,
            after={key: one for key, one in server.runs(PROJECT).items() if key in PLANNED},
        )


@pytest.fixture(scope="module")
def table(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Results[Row, Came]]:
    """What came of each row that a selected test is about."""
    rows = selected_rows(request, "row", ROWS)
    with make_rows(rows, came_of, tmp_path_factory.mktemp("jobs"), at_once=AT_ONCE) as results:
        yield results


def of_rows(*rows: Row) -> pytest.MarkDecorator:
    """A test of each of these rows."""
    return parametrize_rows("row", rows, quick=QUICK)


@of_rows(*ROWS)
def test_only_runs_that_did_not_arrive_fail_the_job(table: Results[Row, Came], row: Row) -> None:
    """A fault that passes by itself, or that only the lineage meets, is exit 0."""
    came = table[row]

    assert row.exit_code == came.done.exit_code, came.done.stdout
    assert came.met >= row.fault.what.get("times", 1)
    assert bool(came.copies) == bool(came.sync)


@of_rows(*(row for row in ROWS if not row.fault.said))
def test_a_passing_fault_costs_no_artifact(table: Results[Row, Came], row: Row) -> None:
    """The run uses both artifacts already, and nobody is warned."""
    came = table[row]

    assert [] == came.warnings
    assert came.expected == set(came.used)


@of_rows(*(row for row in ROWS if row.is_warning))
def test_a_missing_artifact_is_a_warning(table: Results[Row, Came], row: Row) -> None:
    """It names both artifacts and says what happened; no run waits here."""
    came = table[row]
    said = "\n".join(came.warnings)

    assert frozenset() == came.copies
    assert MODEL_ARTIFACT in said
    assert f"team/{PROJECT}/helm-report-alpha:v0" in said
    assert "all runs were stored" in said
    assert SAID[row.fault.name] in said


@of_rows(*ROWS)
def test_a_rerun_has_everything(table: Results[Row, Came], row: Row) -> None:
    """Then W&B has all runs, the verdict, and what was used; nothing is there twice."""
    came = table[row]
    summary = came.after[SUMMARY]

    assert came.sync is None or came.sync.exit_code == 0
    assert (0, []) == (came.again.exit_code, warnings(came.again))
    assert PLANNED == came.after.keys()
    assert {"finished"} == {run.state for run in came.after.values()}
    assert ["evaluate", "evaluate", "leaderboard"] == sorted(
        str(run.job_type) for run in came.after.values()
    )
    assert {NOTES} == {run.notes for run in came.after.values()}
    # The table of changed questions has its own row.
    scored = [own(row) for row in summary.rows if "iteration" in row]
    assert [{"iteration": 1, "mmlu": {"EM": 0.5}}] == scored
    assert "changed_items" in summary.summary
    assert summary.summary.items() >= OUTCOME.items()
    assert -30 == pytest.approx(100 * summary.summary["mean_change"])
    assert sorted(came.expected) == sorted(summary.used_artifacts)


@of_rows(*ROWS)
def test_nothing_is_left_and_the_key_shows_nowhere(table: Results[Row, Came], row: Row) -> None:
    """No process, no temporary folder, no file with the key, and no unknown request."""
    came = table[row]

    assert ([], [], []) == (came.left, came.with_key, came.unknown)


@pytest.mark.full
def test_the_table_can_be_read(
    table: Results[Row, Came], record_property: Callable[[str, object], None]
) -> None:
    """`make faults` shows what came of each job, and of its rerun."""
    shown = Table(
        "request", "fault", "exit", "seconds", "artifacts", "copies", "rerun", "artifacts"
    )
    for row, came in table.items():
        used = came.after[SUMMARY].used_artifacts
        shown.add_row(
            row.operation,
            row.fault.name,
            str(came.done.exit_code),
            f"{came.done.seconds:.0f}",
            f"{len(came.used)} of {len(came.expected)}",
            str(len(came.copies)),
            str(came.again.exit_code),
            f"{len(used)} of {len(came.expected)}",
        )
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(shown)
    record_property("table", console.export_text())

    assert len(ROWS) == shown.row_count
