"""What a user gets of each fault of W&B: the real command against a server that fails.

Each row of the table is a command in its own process, against its own server. Some rows run side
by side, since most of their time is waiting; the tests look at what came of them. `make test` runs
one row of each fault; `make faults` runs all, and prints the table.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console
from rich.table import Table

from helm_wandb.wandb_runs.layout_names import MARK, run_id
from helm_wandb.wandb_runs.sdk.messages import Cause
from tests.rows import Results, make_rows, parametrize_rows, selected_rows
from tests.wandb_builders import PROJECT, Desk, Done, command_of, curve, scores, summary_id
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.wandb_server import Run

pytestmark = pytest.mark.enable_socket

AT_ONCE = 5
"""How many rows run side by side: each waits for some 20 seconds and works for some two."""
RUNS = 3
"""The summary, the benchmark's detail run, and the leaderboard."""
MANY = 120
"""Benchmarks of the row with many runs."""
BOARD = run_id("local", "leaderboard", "leaderboard")
EXPECTED = {1: {"mmlu.EM": 0.25}, 2: {"mmlu.EM": 0.5}}

SAID = {
    Cause.KEY: "does not accept the key",
    Cause.ACCESS: "refuses the entity or project",
    Cause.NETWORK: "cannot be reached",
    Cause.LIMIT: "takes no more requests",
    Cause.SERVER: "returned a server error",
    Cause.REFUSED: "refused the data",
    Cause.LOST: "did not store the data",
}
TO_DO = {
    Cause.KEY: "Make a new key",
    Cause.ACCESS: "Check `entity` and `project`",
    Cause.NETWORK: "network and proxy",
    Cause.LIMIT: "Run again later",
    Cause.SERVER: "Run again later",
    Cause.REFUSED: "Check `project`, `entity` and `base_url`",
    Cause.LOST: "Run again",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Fault:
    """What goes wrong, and what is to be said of it: nothing where it passes by itself."""

    name: str
    what: Mapping[str, Any]
    said: tuple[Cause, ...] = ()


FAULTS = (
    Fault(name="401", what={"status": 401}, said=(Cause.KEY,)),
    Fault(name="403", what={"status": 403}, said=(Cause.ACCESS,)),
    Fault(name="404", what={"status": 404}, said=(Cause.ACCESS,)),
    Fault(name="409", what={"status": 409}, said=(Cause.REFUSED,)),
    Fault(name="413", what={"status": 413}, said=(Cause.REFUSED,)),
    Fault(name="429 forever", what={"status": 429}, said=(Cause.LIMIT,)),
    Fault(
        name="429, Retry-After 1, twice",
        what={"status": 429, "headers": {"Retry-After": "1"}, "times": 2},
    ),
    Fault(
        name="429, Retry-After 3600",
        what={"status": 429, "headers": {"Retry-After": "3600"}},
        # An SDK that waits as required says nothing of why.
        said=(Cause.LIMIT, Cause.NETWORK),
    ),
    Fault(name="500 forever", what={"status": 500}, said=(Cause.SERVER,)),
    Fault(name="500 three times", what={"status": 500, "times": 3}),
    Fault(name="dropped forever", what={"drop": True}, said=(Cause.NETWORK,)),
    Fault(name="dropped three times", what={"drop": True, "times": 3}),
    Fault(name="no answer", what={"hang": True}, said=(Cause.NETWORK,)),
    # What is built upon something lost, as a manifest upon its artifact, is reported as not found.
    Fault(name="lost", what={"lose": True}, said=(Cause.LOST, Cause.ACCESS)),
)
PLACES = {
    "init": ("UpsertBucket", "RunResumeStatus"),
    "file stream": ("file_stream",),
    "reservations": ("RunFiles",),
    "uploads": ("upload", "CreateRunFiles"),
    "artifacts": ("CreateArtifact", "CommitArtifact"),
    "API": ("Viewer", "Runs"),
    "history": ("HistoryPage",),
}
CHANGES = frozenset({"UpsertBucket", "file_stream", "upload", "CreateArtifact", "CommitArtifact"})
"""The operations of which something can be lost."""
SENT_LATER = frozenset(
    {
        ("UpsertBucket", "401"),
        ("file_stream", "500 forever"),
        ("upload", "500 forever"),
        ("", "connection refused"),
    }
)
"""The rows whose offline copy is sent when the server is well again, by the printed command."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """A row of the table."""

    place: str
    operation: str
    fault: Fault
    benchmarks: int = 1

    def __str__(self) -> str:
        """As pytest shows it."""
        return f"{self.place}-{self.operation}-{self.fault.name}".replace(" ", "_")

    @property
    def passes(self) -> bool:
        """Whether a user is to notice nothing."""
        return not self.fault.said

    @property
    def is_sent_later(self) -> bool:
        """Whether it is also looked at what becomes of its offline copy."""
        return (self.operation, self.fault.name) in SENT_LATER


NOBODY = (Cause.NETWORK,)
ROWS = (
    # The longest first.
    Row(
        place="file stream",
        operation="file_stream",
        fault=Fault(name=f"no answer, {MANY + 2} runs", what={"hang": True}, said=NOBODY),
        benchmarks=MANY,
    ),
    *(
        Row(place=place, operation=operation, fault=fault)
        for fault in FAULTS
        for place, operations in PLACES.items()
        for operation in operations
        if operation in CHANGES or fault.name != "lost"
    ),
    Row(place="all", operation="", fault=Fault(name="connection refused", what={}, said=NOBODY)),
    Row(place="all", operation="", fault=Fault(name="DNS failure", what={}, said=NOBODY)),
)
FAILING = tuple(row for row in ROWS if not row.passes)
IDS = tuple(map(str, ROWS))
ONE_OF_A_KIND = {
    ("401", "Viewer"),
    ("403", "UpsertBucket"),
    ("404", "RunFiles"),
    ("409", "CreateRunFiles"),
    ("413", "upload"),
    ("429 forever", "RunResumeStatus"),
    ("429, Retry-After 1, twice", "Runs"),
    ("429, Retry-After 3600", "CreateArtifact"),
    ("500 forever", "file_stream"),
    ("500 three times", "HistoryPage"),
    ("dropped forever", "CommitArtifact"),
    ("dropped three times", "UpsertBucket"),
    ("no answer", "file_stream"),
    ("lost", "file_stream"),
    ("connection refused", ""),
}
"""Each fault once, and each request at least once."""
QUICK = frozenset(row for row in ROWS if (row.fault.name, row.operation) in ONE_OF_A_KIND)


@dataclass(frozen=True, kw_only=True)
class Later:
    """What became of an offline copy when the server was well again."""

    sync: Done
    synced: Mapping[str, Run]
    """What the server held then."""
    again: Done
    after: Mapping[str, Run]
    """What it held when the command had run once more."""


@dataclass(frozen=True, kw_only=True)
class Came:
    """What came of a row."""

    row: Row
    done: Done
    runs: Mapping[str, Run]
    reports: int
    """How many reports were committed."""
    copies: frozenset[str]
    """The ids of the runs that wait here."""
    work: Path
    served: bool
    """Whether the report file, the job summary and the terminal were."""
    with_key: Sequence[str]
    """Where the key shows."""
    left: Sequence[str]
    """Processes and temporary folders."""
    unknown: Sequence[object]
    met: int
    """How many requests met the fault."""
    later: Later | None = None

    @property
    def message(self) -> str:
        """The sentence about W&B, wherever it was said."""
        lines = [*self.done.stderr.splitlines(), *self.done.stdout.splitlines()]
        return next((one for one in lines if "W&B: " in one or "W&B at " in one), "")

    @property
    def missing(self) -> frozenset[str]:
        """The ids of runs that are not whole."""
        return frozenset(one for one in planned(self.row) if not self._is_whole(one))

    @property
    def said(self) -> Cause | None:
        """The cause that the message names."""
        return next((cause for cause, words in SAID.items() if words in self.message), None)

    @property
    def without_content(self) -> frozenset[str]:
        """The ids of runs that lack rows or tables."""
        return frozenset(one for one in planned(self.row) if not self._has_content(one))

    def _is_whole(self, wanted: str) -> bool:
        """Whether a run is there with its rows, its files, its record, and its end."""
        run = self.runs.get(wanted)
        record = json.loads(run.summary.get(MARK, "{}")) if run else {}
        if run is None or run.state != "finished" or not record or not self._has_content(wanted):
            return False
        return run.display_name != "summary" or (self.reports == 1 and "report" in record)

    def _has_content(self, wanted: str) -> bool:
        run = self.runs.get(wanted)
        if run is None or run.group != "leaderboard":
            return set(curve(run)) == iterations(self.row)
        tables = [run.summary.get(key, {}).get("path") for key in ("leaderboard", "overall_table")]
        return bool(run.rows) and set(tables) <= set(run.files)


def iterations(row: Row) -> set[int]:
    """Those of the model."""
    return {1} if row.benchmarks > 1 else set(EXPECTED)


def planned(row: Row) -> frozenset[str]:
    """The ids of the runs that are to be there."""
    names = [f"b{number}" for number in range(MANY)] if row.benchmarks > 1 else ["mmlu"]
    details = {run_id("local", "alpha", name) for name in names}
    return frozenset({summary_id("alpha"), BOARD, *details})


def came_of(row: Row, folder: Path) -> Came:
    """What comes of the command of a row."""
    if row.fault.name == "DNS failure":
        with WandbServer() as server:
            return written(row, Desk(folder=folder, base_url="http://nowhere.invalid"), server)
    if row.fault.name == "connection refused":
        with WandbServer() as server:
            desk = Desk(folder=folder, base_url=server.url)
        came = written(row, desk, server)
        with WandbServer(port=int(desk.base_url.rpartition(":")[2])) as server:
            return with_later(came, desk, server)
    with WandbServer() as server:
        if row.place == "history":
            # A run that another program left, so that there is a history to read.
            there = {"mmlu": {"EM": 0.25}, "iteration": 1}
            server.add_run(PROJECT, summary_id("alpha"), group="alpha", rows=[there])
        server.fault(row.operation, **row.fault.what)
        desk = Desk(folder=folder, base_url=server.url)
        came = written(row, desk, server)
        server.clear_faults()
        return with_later(came, desk, server)


def written(row: Row, desk: Desk, server: WandbServer) -> Came:
    """What comes of the command, by what is seen from outside."""
    configure(desk, row)
    done = desk.write("--report", "report.json")
    files = [desk.work / "report.json", desk.folder / "summary.md"]
    reports = (one for versions in server.artifacts(PROJECT).values() for one in versions)
    tried = [request.status for request in server.requests if request.operation == row.operation]
    return Came(
        row=row,
        done=done,
        runs=server.runs(PROJECT),
        reports=sum(version.state == "COMMITTED" for version in reports),
        copies=frozenset(desk.waiting()),
        work=desk.work,
        served="alpha" in done.stdout
        and all(file.exists() and "alpha" in file.read_text() for file in files),
        with_key=[
            *desk.with_key(),
            *(text for text in (done.stdout, done.stderr) if API_KEY in text),
        ],
        left=[*desk.processes(), *desk.scratch()],
        unknown=server.unknown,
        met=sum(status != 200 for status in tried),
    )


def configure(desk: Desk, row: Row) -> None:
    """Write the config of the row."""
    values: list[dict[str, float]] = [{"mmlu": 0.25}, {"mmlu": 0.5}]
    if row.benchmarks > 1:
        values = [{f"b{number}": 0.25 for number in range(row.benchmarks)}]
    metrics = [f"{name}.EM" for name in values[0]]
    entries = [scores("alpha", place, **each) for place, each in enumerate(values, start=1)]
    desk.configure(*entries, leaderboard=True, leaderboard_metrics=metrics)


def with_later(came: Came, desk: Desk, server: WandbServer) -> Came:
    """The same, and what becomes of the offline copy when the server is well again."""
    if not came.row.is_sent_later or "`" not in came.message:
        return came
    sync = desk.shell(command_of(came.message))
    synced = server.runs(PROJECT)
    again = desk.write()
    return replace(
        came, later=Later(sync=sync, synced=synced, again=again, after=server.runs(PROJECT))
    )


@pytest.fixture(scope="module")
def table(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Results[Row, Came]]:
    """What came of each row that a selected test is about, or of all for the table itself."""
    rows = selected_rows(request, "row", ROWS)
    with make_rows(rows, came_of, tmp_path_factory.mktemp("faults"), at_once=AT_ONCE) as results:
        yield results


def of_rows(rows: Sequence[Row]) -> pytest.MarkDecorator:
    """A test of each of these rows."""
    return parametrize_rows("row", rows, quick=QUICK)


@of_rows(ROWS)
def test_exit_code_says_whether_all_arrived(table: Results[Row, Came], row: Row) -> None:
    """A fault that passes by itself is exit 0, any other one exit 5."""
    assert (0 if row.passes else 5) == table[row].done.exit_code, table[row].message


@of_rows(ROWS)
def test_the_other_sinks_are_served(table: Results[Row, Came], row: Row) -> None:
    """The terminal, the job summary and the report file are as if W&B were well."""
    assert table[row].served


@of_rows(FAILING)
def test_one_sentence_says_what_went_wrong_and_what_to_do(
    table: Results[Row, Came], row: Row
) -> None:
    """Key, entity or project, network, limit and server are distinguished, each with its fix."""
    came = table[row]

    assert came.said in row.fault.said, came.message
    assert TO_DO[came.said] in came.message


@of_rows(FAILING)
def test_the_message_names_the_copy_and_the_number(table: Results[Row, Came], row: Row) -> None:
    """The message has the number of incomplete runs, and the folder with their copies."""
    came = table[row]

    assert f"{len(came.missing)} of {len(planned(row))} runs" in came.message
    assert "a copy is kept in wandb" in came.message
    assert (came.work / "wandb").is_dir()


@of_rows(ROWS)
def test_what_did_not_arrive_is_here(table: Results[Row, Came], row: Row) -> None:
    """A run of which the server lacks rows or tables has an offline copy that waits to be sent."""
    came = table[row]

    assert frozenset() == came.without_content - came.copies, came.message


@of_rows(ROWS)
def test_what_arrived_is_not_kept_twice(table: Results[Row, Came], row: Row) -> None:
    """A run that the server holds whole has no offline copy."""
    came = table[row]

    assert frozenset() == came.copies - came.missing, came.message


@of_rows(tuple(row for row in ROWS if row.place != "all"))
def test_each_fault_is_met(table: Results[Row, Came], row: Row) -> None:
    """The fault of each row happened; without this the table would say nothing."""
    assert table[row].met >= row.fault.what.get("times", 1)


@of_rows(ROWS)
def test_nothing_is_left_and_the_key_shows_nowhere(table: Results[Row, Came], row: Row) -> None:
    """No process, no temporary folder, and no file or output that holds the key."""
    came = table[row]

    assert ([], [], []) == (came.left, came.with_key, came.unknown)


@of_rows(tuple(row for row in FAILING if row.is_sent_later))
def test_the_printed_command_sends_the_copy(table: Results[Row, Came], row: Row) -> None:
    """When the server is well again, it then holds all rows, the record, and the leaderboard."""
    later = table[row].later

    assert later is not None
    assert 0 == later.sync.exit_code, later.sync.stderr
    assert planned(row) == set(later.synced)
    assert {"finished"} == {run.state for run in later.synced.values()}
    assert all(MARK in run.summary for run in later.synced.values())
    assert EXPECTED == curve(later.synced[summary_id("alpha")])
    assert EXPECTED == curve(later.synced[run_id("local", "alpha", "mmlu")])
    assert [2, 2] == [len(run.rows) for run in later.synced.values() if run.group == "alpha"]
    assert bool(later.synced[BOARD].files)


@of_rows(tuple(row for row in FAILING if row.is_sent_later))
def test_after_sending_the_command_adds_nothing(table: Results[Row, Came], row: Row) -> None:
    """A run of the command with the same results leaves all runs and rows as they were sent."""
    later = table[row].later

    assert later is not None
    assert (0, "") == (later.again.exit_code, later.again.stderr)
    assert {one: run.rows for one, run in later.synced.items()} == {
        one: run.rows for one, run in later.after.items()
    }


@pytest.mark.full
def test_the_table_can_be_read(
    table: Results[Row, Came], record_property: Callable[[str, object], None]
) -> None:
    """`make faults` shows the table: what was done to W&B, and what came of it."""
    shown = Table("place", "request", "fault", "exit", "seconds", "at W&B", "copies", "said")
    for row, came in sorted(table.items(), key=lambda pair: IDS.index(str(pair[0]))):
        stored = len(planned(row)) - len(came.missing)
        shown.add_row(
            row.place,
            row.operation,
            row.fault.name,
            str(came.done.exit_code),
            f"{came.done.seconds:.0f}",
            f"{stored} of {len(planned(row))}",
            str(len(came.copies)),
            came.said or "–",
        )
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(shown)
    record_property("table", console.export_text())

    assert len(ROWS) == shown.row_count
