"""Where a report goes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from msgspec.structs import replace

from helm_wandb import sinks
from helm_wandb.errors import SinkError
from helm_wandb.model import Receipt, Status
from helm_wandb.render import markdown, terminal
from helm_wandb.render.html import html_report
from helm_wandb.report import to_json
from helm_wandb.sinks.job_summary import JobSummary
from helm_wandb.sinks.rendered_file import RenderedFile
from helm_wandb.sinks.report_file import ReportFile
from helm_wandb.sinks.terminal import Terminal
from helm_wandb.text.redaction import Redactor
from tests.conftest import ROOT
from tests.golden_reports import REPORTS, large

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from helm_wandb.model import Report
    from helm_wandb.sinks import Sink

REPORT = REPORTS["curve"]
LIMIT = 1_048_576


@dataclass
class Shelf:
    """A sink that keeps what it is given, and answers as prepared."""

    name: ClassVar[str]
    url: str | None = None
    errors: list[BaseException | None] = field(default_factory=list)
    kept: list[Report] = field(default_factory=list)

    def deliver(self, report: Report) -> Receipt:
        """Done, or the next error."""
        self.kept.append(report)
        error = self.errors.pop(0) if self.errors else None
        if error:
            raise error
        return Receipt(sink=self.name, status=Status.DONE, url=self.url)


def shelf(
    name: str, *, url: str | None = None, errors: Sequence[BaseException | None] = ()
) -> Shelf:
    """A shelf of this name."""
    named: type[Shelf] = type(name, (Shelf,), {"name": name})
    return named(url, list(errors))


def test_sinks_are_served_in_order_and_later_ones_see_the_links() -> None:
    """A link that a sink gives is in the report of those after it, and in the one returned."""
    first, linking, last = shelf("first"), shelf("linking", url="https://x.example"), shelf("last")
    report, receipts = sinks.deliver(REPORT, [first, linking, last])

    assert [receipt.sink for receipt in receipts] == ["first", "linking", "last"]
    assert first.kept[0].links == {}
    assert last.kept[0].links == {"linking": "https://x.example"}
    assert report.links == {"linking": "https://x.example"}


def test_no_sink_is_given_a_secret() -> None:
    """What quotes one, in the report, in a link or in an error, does without it."""
    key = "8d3f0c61b7e94a25d0f7c3e1a6b95824ec17f03d"
    linking = shelf("linking", url=f"https://x.example/{key}")
    failing, buggy = shelf("failing", errors=[SinkError(key)]), shelf("b", errors=[KeyError(key)])
    report, (_, failed, bug) = sinks.deliver(
        replace(REPORT, notes=(f"W&B says {key}.",)), [linking, failing, buggy], Redactor((key,))
    )

    assert (("W&B says ***.",), {"linking": "https://x.example/***"}) == (
        report.notes,
        report.links,
    )
    assert report == failing.kept[0]
    assert "***" == failed.reason
    assert "KeyError: '***'" in str(bug.traceback)


def test_failed_sink_stops_no_other() -> None:
    """An error that a user can act on is the receipt's reason, with its exit code."""
    failing, last = shelf("failing", errors=[SinkError("the server is away")]), shelf("last")
    _, receipts = sinks.deliver(REPORT, [failing, last])

    failed = Receipt(sink="failing", status=Status.FAILED, reason="the server is away", exit_code=5)
    assert receipts == (failed, Receipt(sink="last", status=Status.DONE))
    assert len(last.kept) == 1


def test_bug_in_a_sink_stops_no_other() -> None:
    """An unexpected error leaves its traceback and code 1, and the others are served."""
    buggy, last = shelf("buggy", errors=[KeyError("oops")]), shelf("last")
    _, (bug, done) = sinks.deliver(REPORT, [buggy, last])

    assert (bug.status, bug.exit_code) == (Status.FAILED, 1)
    assert "please report it" in str(bug.reason)
    assert done.status is Status.DONE
    assert str(bug.traceback).endswith("KeyError: 'oops'\n")


@pytest.mark.parametrize(
    ("errors", "status"),
    [
        ([SinkError("full"), None], Status.DONE),
        ([None, SinkError("full")], Status.FAILED),
    ],
)
def test_last_receipt_of_a_sink_listed_twice_counts(
    errors: list[BaseException | None], status: Status
) -> None:
    """A sink that is first and last is served twice, and has one receipt."""
    twice = shelf("twice", errors=errors)
    listed: list[Sink] = [twice, shelf("between", url="https://x.example"), twice]
    _, receipts = sinks.deliver(REPORT, listed)

    assert [(receipt.sink, receipt.status) for receipt in receipts] == [
        ("twice", status),
        ("between", Status.DONE),
    ]
    assert [kept.links for kept in twice.kept] == [{}, {"between": "https://x.example"}]


def test_a_report_without_another_link_is_not_written_again() -> None:
    """A sink that is first and last gets one report if those between gave no link."""
    twice = shelf("twice")
    _, receipts = sinks.deliver(REPORT, [twice, shelf("between"), twice])

    assert [("twice", Status.DONE), ("between", Status.DONE)] == [
        (receipt.sink, receipt.status) for receipt in receipts
    ]
    assert [REPORT] == twice.kept


def test_interrupt_is_nobodys_failure() -> None:
    """Control-C in a sink ends the run."""
    interrupted = shelf("interrupted", errors=[KeyboardInterrupt()])

    with pytest.raises(KeyboardInterrupt):
        sinks.deliver(REPORT, [interrupted])


def test_report_file_is_written_with_its_folders(tmp_path: Path) -> None:
    """The folders on the way are made; a second time the file is rewritten."""
    path = tmp_path / "out" / "deep" / "report.json"
    for _ in range(2):
        receipt = ReportFile(path).deliver(REPORT)

        assert receipt == Receipt(
            sink="report", status=Status.DONE, path=str(path), reason=f"written to {path}"
        )
        assert to_json(REPORT) == path.read_bytes()


def test_report_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A folder, a file on the way, a read-only place and a full disk are failures with a reason."""
    (tmp_path / "file").touch()
    reasons = {
        tmp_path: (tmp_path, "it is a folder, and not a file. Remove it, or give another path"),
        tmp_path / "file" / "report.json": (tmp_path / "file", "Not a directory"),
        tmp_path / ("x" * 300): (tmp_path / ("x" * 300), "File name too long"),
        Path("/proc/report.json"): (Path("/proc/report.json"), ""),
        Path("/dev/full"): (Path("/dev/full"), "No space left on device"),
    }
    for path, (culprit, reason) in reasons.items():
        with pytest.raises(SinkError) as caught:
            ReportFile(path).deliver(REPORT)

        assert str(caught.value).startswith(f"{culprit}: the report cannot be written: {reason}")


def html_file(path: Path) -> RenderedFile:
    """Return the output of the HTML report."""
    return RenderedFile("HTML report", path, html_report.render)


@pytest.mark.parametrize("create", [ReportFile, html_file])
def test_file_can_be_read_by_other_users(create: Callable[[Path], Sink], tmp_path: Path) -> None:
    """Nothing is left next to the file, and later steps, of whatever user, can read it."""
    create(tmp_path / "file").deliver(REPORT)

    assert [tmp_path / "file"] == list(tmp_path.iterdir())
    assert 0o644 == (tmp_path / "file").stat().st_mode & 0o777


def test_link_in_the_place_of_the_report_is_replaced(tmp_path: Path) -> None:
    """A link that a checkout holds leads nothing elsewhere."""
    (tmp_path / "report.json").symlink_to(tmp_path / "elsewhere")
    ReportFile(tmp_path / "report.json").deliver(REPORT)

    assert to_json(REPORT) == (tmp_path / "report.json").read_bytes()
    assert not (tmp_path / "elsewhere").exists()


def test_html_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The message about a missing page names it."""
    with pytest.raises(SinkError, match="the HTML report cannot be written: it is a folder"):
        html_file(tmp_path).deliver(REPORT)


def test_html_file_is_the_page(tmp_path: Path) -> None:
    """The file holds the page, and the receipt says where it is."""
    receipt = html_file(tmp_path / "out" / "page.html").deliver(REPORT)

    assert html_report.render(REPORT) == (tmp_path / "out/page.html").read_text(encoding="utf-8")
    assert f"written to {tmp_path}/out/page.html" == receipt.reason


def test_summary_is_appended(tmp_path: Path) -> None:
    """What the step wrote before stays, and the heading begins a new paragraph."""
    path = tmp_path / "summary.md"
    path.write_text("<details>mine</details>", encoding="utf-8")
    receipt = JobSummary(path).deliver(REPORT)

    expected = markdown.render(REPORT, limit_bytes=LIMIT)
    assert receipt == Receipt(sink="job summary", status=Status.DONE)
    assert path.read_text(encoding="utf-8") == f"<details>mine</details>\n\n{expected}"


def test_summary_of_an_empty_file_begins_with_the_heading(tmp_path: Path) -> None:
    """The runner's file is empty or not there at first."""
    path = tmp_path / "summary.md"
    JobSummary(path).deliver(REPORT)

    assert path.read_text(encoding="utf-8") == markdown.render(REPORT, limit_bytes=LIMIT)


@pytest.mark.parametrize("room", [0, 1, 50, 5_000, 100_000])
def test_summary_counts_what_is_there(tmp_path: Path, room: int) -> None:
    """The file never exceeds what the runner takes; without any room it is left as it is."""
    path = tmp_path / "summary.md"
    path.write_bytes(b"x" * (LIMIT - room))
    receipt = JobSummary(path).deliver(large(models=50))

    assert path.stat().st_size <= LIMIT
    grown = path.stat().st_size > LIMIT - room
    assert receipt.status == (Status.DONE if grown else Status.SKIPPED)
    assert grown == (room >= 5_000)


@pytest.mark.parametrize("path", ["/dev/full", "/proc/summary.md", "/"])
def test_summary_that_cannot_be_written_is_named(path: str) -> None:
    """A full disk is a failure with a reason."""
    with pytest.raises(SinkError, match=f"^{path}: the job summary cannot be written: [A-Z]"):
        JobSummary(Path(path)).deliver(REPORT)


def test_summary_is_not_waited_for(tmp_path: Path) -> None:
    """A FIFO that nobody reads is a failure at once."""
    os.mkfifo(tmp_path / "summary.md")

    with pytest.raises(SinkError, match="the job summary cannot be written"):
        JobSummary(tmp_path / "summary.md").deliver(REPORT)


def test_terminal_prints_the_report() -> None:
    """A pipe has the text as it is, a terminal the one of its width."""
    pipe, screen = StringIO(), StringIO()
    receipt = Terminal(stream=pipe).deliver(REPORT)
    Terminal(stream=screen, width=80, colour=True).deliver(REPORT)

    assert receipt == Receipt(sink="terminal", status=Status.DONE)
    assert pipe.getvalue() == f"{terminal.render_piped(REPORT)}\n"
    assert screen.getvalue() == f"{terminal.render(REPORT, width=80, colour=True)}\n"


def test_terminal_in_a_workflow_switches_commands_off() -> None:
    """In a log all of the report stands between the lines that stop and resume commands."""
    log = StringIO()
    Terminal(stream=log, literal_token="5ecret").deliver(REPORTS["hostile"])  # noqa: S106 -- of the log
    switched_off = "::stop-commands::5ecret\n.*?\n::5ecret::\n"
    others = re.sub(switched_off, "…\n", log.getvalue(), flags=re.DOTALL)

    assert "…\n::group::All scores\n…\n::endgroup::\n\n" == others


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_terminal_of_any_encoding_is_served(encoding: str) -> None:
    """What an encoding lacks is a question mark."""
    raw = BytesIO()
    stream = TextIOWrapper(raw, encoding=encoding)
    Terminal(stream=stream, width=80).deliver(REPORTS["hostile"])
    text = raw.getvalue().decode(encoding)

    assert ("模型" in text) == (encoding == "utf-8")
    assert "octocat" in text


def test_terminal_on_a_full_disk_fails_with_a_reason() -> None:
    """Output that is led to a full disk is a failure, once: closing the stream raises no more."""
    with (
        Path("/dev/full").open("w", encoding="utf-8") as stream,
        pytest.raises(SinkError, match="standard output cannot be written: No space left"),
    ):
        Terminal(stream=stream).deliver(REPORT)


def test_terminal_that_nobody_reads_is_skipped() -> None:
    """If the reader has gone, there is nothing to complain of, also on closing."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        receipt = Terminal(stream=stream).deliver(REPORT)

    assert receipt.status is Status.SKIPPED


SCRIPT = """
import sys
from helm_wandb.sinks.terminal import Terminal
from tests.golden_reports import large
receipt = Terminal(stream=sys.stdout).deliver(large(models=100))
print("more")
sys.exit(receipt.status != "skipped")
"""


def test_closed_pipe_leaves_no_trace() -> None:
    """A process whose reader has gone ends as usual, without a traceback or a complaint."""
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)

    assert (ended.returncode, ended.stderr) == (0, "")
