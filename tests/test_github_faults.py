"""What a user gets of each fault of GitHub: the comment's sink against a server that fails.

Each row of the table is a job against its own server. Time passes on a clock of
the test, so that an hour's wait takes none. `make test` runs one row of each fault; `make faults`
runs all, and prints the table.
"""

from __future__ import annotations

import io
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console
from rich.table import Table

from helm_wandb.model import Status
from helm_wandb.runner.inputs import CommentMode
from helm_wandb.sinks import deliver
from tests.github_clients import (
    BASE,
    HEAD,
    LOGIN,
    NUMBER,
    REPOSITORY,
    Clock,
    bodies,
    client,
    furnish,
    marked,
    saying,
    sink,
)
from tests.github_server import TOKEN, GithubServer, answers
from tests.rows import Results, make_rows, parametrize_rows, selected_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from helm_wandb.model import Receipt

pytestmark = pytest.mark.enable_socket

AT_ONCE = 12
"""How many rows run side by side: those without answer only wait."""
BUDGET_SECONDS = 150
TIMEOUT_SECONDS = 15
"""What a request without answer costs on the test's clock."""
REAL_TIMEOUT_SECONDS = 2.0
LIMIT_SECONDS = 60

WRONG_TOKEN = "The token is wrong or has expired"  # noqa: S105 -- words
PERMISSION = "pull-requests: write"
LATER = "Run again later"
NETWORK = "Check the network, the proxy and the certificates"
PROXY = "Check GITHUB_API_URL"
BUG = "Please report this"


@dataclass(frozen=True, kw_only=True, eq=False)
class Fault:
    """What goes wrong, and what is to come of it."""

    name: str
    what: Mapping[str, Any]
    status: Status = Status.DONE
    said: str = ""
    """What to do, in the receipt."""
    tries: int = 1
    """How many requests meet the fault."""
    waits: tuple[float, ...] = ()
    """The least seconds of each pause; jitter makes them up to one longer."""


def answered(status: int, **more: Any) -> dict[str, Any]:
    """The fault of such an answer, forever."""
    return {"answer": answers.Answer(status=status), **more}


FAILED, SKIPPED = Status.FAILED, Status.SKIPPED
BACKOFF = (1.0, 2.0, 4.0, 8.0)
FAULTS = (
    # The longest first.
    Fault(
        name="no answer, forever",
        what={"hang": True},
        status=FAILED,
        said=NETWORK,
        tries=5,
        waits=BACKOFF,
    ),
    Fault(
        name="no answer, once, but done",
        what={"hang": True, "served": True, "times": 1},
        waits=BACKOFF[:1],
    ),
    Fault(name="401", what=answered(401), status=FAILED, said=WRONG_TOKEN),
    Fault(name="403, permission", what=answered(403), status=SKIPPED, said=PERMISSION),
    Fault(
        name="403, secondary limit, forever",
        what={"answer": answers.SECONDARY_LIMIT},
        status=FAILED,
        said=LATER,
        tries=2,
        waits=(LIMIT_SECONDS,),
    ),
    Fault(
        name="403, secondary limit, once",
        what={"answer": answers.SECONDARY_LIMIT, "times": 1},
        waits=(LIMIT_SECONDS,),
    ),
    Fault(
        name="403, primary limit, an hour",
        what={"answer": answers.PRIMARY_LIMIT},
        status=FAILED,
        said=LATER,
    ),
    Fault(
        name="429, Retry-After 2, twice",
        what={"answer": answers.too_many_requests(2), "times": 2},
        tries=2,
        waits=(2.0, 2.0),
    ),
    Fault(
        name="429, Retry-After 3600",
        what={"answer": answers.too_many_requests(3600)},
        status=FAILED,
        said=LATER,
    ),
    Fault(name="404", what=answered(404), status=SKIPPED, said=PERMISSION),
    Fault(name="409", what=answered(409), status=FAILED, said=BUG),
    Fault(name="422", what=answered(422), status=FAILED, said=BUG),
    Fault(name="500, three times", what=answered(500, times=3), tries=3, waits=BACKOFF[:3]),
    Fault(
        name="500, forever",
        what=answered(500),
        status=FAILED,
        said=LATER,
        tries=5,
        waits=BACKOFF,
    ),
    Fault(
        name="502, a page, forever",
        what={"answer": answers.BAD_GATEWAY},
        status=FAILED,
        said=LATER,
        tries=5,
        waits=BACKOFF,
    ),
    Fault(name="503, once", what=answered(503, times=1), waits=BACKOFF[:1]),
    Fault(name="503, once, but done", what=answered(503, times=1, served=True), waits=BACKOFF[:1]),
    Fault(
        name="dropped, forever",
        what={"drop": True},
        status=FAILED,
        said=NETWORK,
        tries=5,
        waits=BACKOFF,
    ),
    Fault(name="dropped, once", what={"drop": True, "times": 1}, waits=BACKOFF[:1]),
    Fault(
        name="dropped, once, but done",
        what={"drop": True, "served": True, "times": 1},
        waits=BACKOFF[:1],
    ),
    Fault(name="slow", what={"delay_seconds": 0.05}),
    Fault(name="not JSON", what={"answer": answers.NOT_JSON}, status=FAILED, said=PROXY),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """A request that fails, and a conversation in which it is made."""

    name: str
    method: str
    path: str
    mode: CommentMode = CommentMode.UPDATE
    before: str | None = None
    """Our comment that is there already."""
    failed: tuple[str, ...]
    """The comments that are there where the fault lasts."""
    passes: frozenset[str] = field(default_factory=frozenset)
    """Faults that keep no comment from being written."""


COMMENTS = f"/repos/{REPOSITORY}/issues/{NUMBER}/comments"
OLD, NEW = marked("old"), marked("new")
OF_BASE = marked("old", head=BASE)
PLACES = (
    Place(name="list", method="GET", path=COMMENTS, failed=()),
    Place(name="create", method="POST", path=COMMENTS, failed=()),
    Place(
        name="edit",
        method="PATCH",
        path="/repos/*/issues/comments/*",
        before=OLD,
        failed=(OLD,),
        passes=frozenset({"404"}),
    ),
    Place(
        name="delete",
        method="DELETE",
        path="/repos/*/issues/comments/*",
        mode=CommentMode.RECREATE,
        before=OLD,
        failed=(OLD, NEW),
        passes=frozenset({"404"}),
    ),
    Place(
        name="GraphQL",
        method="POST",
        path="/graphql",
        before=OLD,
        failed=(OLD,),
        # The token of a workflow may be refused there: its owner is still known.
        passes=frozenset({"403, permission", "404", "409", "422", "not JSON"}),
    ),
    Place(
        name="pull request",
        method="GET",
        path=f"/repos/{REPOSITORY}/pulls/{NUMBER}",
        before=OF_BASE,
        failed=(OF_BASE,),
    ),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """A row of the table."""

    place: Place
    fault: Fault

    def __str__(self) -> str:
        """As pytest shows it."""
        return f"{self.place.name}-{self.fault.name}".replace(" ", "_")

    @property
    def status(self) -> Status:
        """What is to become of the sink."""
        return Status.DONE if self.fault.name in self.place.passes else self.fault.status


ROWS = tuple(Row(place=place, fault=fault) for fault in FAULTS for place in PLACES)
QUICK = frozenset(
    ROWS[number * len(PLACES) + number % len(PLACES)] for number in range(len(FAULTS))
)
"""Each fault once, and each place several times."""


@dataclass(frozen=True, kw_only=True)
class Came:
    """What came of a row."""

    receipt: Receipt
    seconds: float
    waits: Sequence[float]
    stored: tuple[str, ...]
    met: int
    """How many requests met the fault."""
    posts: int
    """How many comments were written, answered or not."""


def came_of(row: Row, _folder: Path) -> Came:
    """What comes of a job that meets the fault."""
    clock, place, fault = Clock(), row.place, row.fault
    hook = (lambda: clock.pass_by(TIMEOUT_SECONDS)) if "hang" in fault.what else None
    options = {"timeout_seconds": REAL_TIMEOUT_SECONDS} if hook else {}
    with GithubServer(is_checked=False) as server, closing(client(server, clock, **options)) as it:
        furnish(server)
        if place.before:
            server.seed.comment(REPOSITORY, NUMBER, place.before, author=LOGIN)
        # A comment that is not found when it is to be deleted is gone.
        gone = {"served": True} if (place.name, fault.name) == ("delete", "404") else {}
        server.fault(place.method, place.path, hook=hook, **fault.what, **gone)
        _, receipts = deliver(saying(), [sink(it, "new", mode=place.mode)])
        paths = [(one.method, one.path) for one in server.requests]
        comment = f"/repos/{REPOSITORY}/issues/comments/1001"
        path = comment if place.path.endswith("*") else place.path
        return Came(
            receipt=receipts[0],
            seconds=clock.seconds,
            waits=clock.waits,
            stored=tuple(bodies(server)),
            met=paths.count((place.method, path)),
            posts=paths.count(("POST", COMMENTS)),
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
def test_exit_code_says_whether_it_failed(table: Results[Row, Came], row: Row) -> None:
    """A fault that passes is exit 0, as is a permission that lacks; any other one is exit 5."""
    receipt = table[row].receipt

    assert row.status is receipt.status, receipt.reason
    assert (5 if row.status is Status.FAILED else 0) == receipt.exit_code
    assert receipt.traceback is None


@of_rows(ROWS)
def test_what_is_stored_in_the_end(table: Results[Row, Came], row: Row) -> None:
    """One comment with this run's text, or what was there before; never two of the same text."""
    expected = (NEW,) if row.status is Status.DONE else row.place.failed

    assert expected == table[row].stored


@of_rows(ROWS)
def test_no_row_takes_150_seconds(table: Results[Row, Came], row: Row) -> None:
    """However GitHub fails, waits and requests without answer stay below the budget."""
    assert table[row].seconds < BUDGET_SECONDS


@of_rows(ROWS)
def test_pauses_grow_and_honour_what_github_asks(table: Results[Row, Came], row: Row) -> None:
    """A second, then twice that; a limit's own word, else a minute; with up to a second more."""
    expected = row.fault.waits
    waits = table[row].waits

    assert len(expected) == len(waits)
    assert all(0 <= wait - least <= 1 for least, wait in zip(expected, waits, strict=True))


@of_rows(ROWS)
def test_only_what_may_pass_is_tried_again(table: Results[Row, Came], row: Row) -> None:
    """Refusals are tried once, faults of the server five times, limits while there is time.

    A request that passes after its fault is one more.
    """
    lasting = {"drop", "hang", "answer"} & row.fault.what.keys() and "times" not in row.fault.what
    has_been_done = row.fault.what.get("served", False) and row.place.name == "create"
    # Before a comment is posted again, and after it is posted, the comments are listed.
    lists = 1 if row.place.name == "list" else 0
    expected = row.fault.tries + (0 if lasting or has_been_done else 1) + (0 if lasting else lists)
    if row.fault.name == "slow":
        expected = 1 + lists

    assert expected == table[row].met


@of_rows(tuple(row for row in ROWS if row.status is not Status.DONE))
def test_one_sentence_says_what_to_do(table: Results[Row, Came], row: Row) -> None:
    """Token, permission, limit, server and network differ, and no token is repeated."""
    reason = table[row].receipt.reason or ""

    assert row.fault.said in reason
    assert TOKEN not in reason


@of_rows(tuple(row for row in ROWS if "served" in row.fault.what))
def test_comment_that_was_stored_is_not_posted_again(table: Results[Row, Came], row: Row) -> None:
    """If the write was done and the answer lost, the comment is looked for first."""
    has_one = row.place.name in {"edit", "GraphQL", "pull request"}

    assert (0 if has_one else 1) == table[row].posts


@pytest.mark.full
def test_the_table_can_be_read(
    table: Results[Row, Came], record_property: Callable[[str, object], None]
) -> None:
    """`make faults` shows the table: what was done to GitHub, and what came of it."""
    shown = Table("request", "fault", "status", "exit", "seconds", "requests", "comments", "said")
    for row, came in table.items():
        words = (came.receipt.reason or "–").partition("GitHub returned ")
        shown.add_row(
            row.place.name,
            row.fault.name,
            came.receipt.status.value,
            str(came.receipt.exit_code),
            f"{came.seconds:.0f}",
            str(came.met),
            ", ".join(body.splitlines()[1] for body in came.stored) or "–",
            (words[2] or words[0]).replace("\n", " ")[:70],
        )
    console = Console(width=170, file=io.StringIO(), record=True)
    console.print(shown)
    record_property("table", console.export_text())

    assert len(ROWS) == shown.row_count
    assert HEAD in NEW
