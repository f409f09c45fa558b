"""A process that a signal ends: what it leaves, and what it says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from helm_wandb.system import signals

from .conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SAFETY_SECONDS = 300.0
"""For a process that never ends."""
BEGINNING = """
import os, sys, time
from functools import partial
from pathlib import Path
from helm_wandb.system import signals
signals.install(limit_seconds={limit}, patience_seconds={limit}, hurry_seconds={hurry})
here = Path(sys.argv[1])
ready = partial(os.write, 1, b"ready\\n")

def rest():
    # A signal that comes right before a long sleep would not end it.
    while True:
        time.sleep(0.05)
"""
NOTHING = "stopped by SIGTERM: nothing was written\n"


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """A process that has ended."""

    exit_code: int
    stderr: str


def stop(
    command: Sequence[str],
    *numbers: signal.Signals,
    prepare: Callable[[], object] = lambda: None,
    **variables: str,
) -> Stopped:
    """Send a signal each time that the process prints `ready`, and wait until it has ended."""

    def begin() -> None:
        # Whoever started the tests may ignore some, as nohup does.
        for number in signals.NUMBERS:
            signal.signal(number, signal.SIG_DFL)
        prepare()

    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **variables},
        preexec_fn=begin,  # noqa: PLW1509 -- the only way to begin with other signals
    ) as process:
        assert process.stdout is not None
        safety = threading.Timer(SAFETY_SECONDS, process.kill)
        safety.start()
        for number in numbers:
            process.stdout.readline()
            process.send_signal(number)
        _, stderr = process.communicate()
        safety.cancel()
    return Stopped(exit_code=process.returncode, stderr=stderr)


def program(
    code: str,
    here: Path,
    *,
    limit_seconds: float = SAFETY_SECONDS,
    hurry_seconds: float = SAFETY_SECONDS,
) -> list[str]:
    """The command line of a program that signals stop."""
    beginning = BEGINNING.format(limit=limit_seconds, hurry=hurry_seconds)
    return [sys.executable, "-c", beginning + code, str(here)]


@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
def test_each_signal_has_its_exit_code(
    number: signal.Signals, exit_code: int, tmp_path: Path
) -> None:
    """A process that waits ends with 128 + N, and says in one line what it leaves."""
    code = 'signals.note("written: report")\nready()\nrest()'
    said = f"stopped by {number.name}: written: report\n"

    assert Stopped(exit_code=exit_code, stderr=said) == stop(program(code, tmp_path), number)


@pytest.mark.parametrize("entry", ["entrypoint.py", "wandb_writer.py", "helm_wandb"])
def test_a_signal_ends_the_imports(entry: str, tmp_path: Path) -> None:
    """Every way to start has the handler before anything is imported that takes time."""
    (tmp_path / "yaml.py").write_text(
        'import time\nprint("ready", flush=True)\nwhile True: time.sleep(0.05)\n'
    )
    start = [str(ROOT / entry)] if entry.endswith(".py") else ["-m", entry]
    stopped = stop([sys.executable, *start], signal.SIGTERM, PYTHONPATH=str(tmp_path))

    assert Stopped(exit_code=143, stderr=NOTHING) == stopped


def test_an_ignored_signal_stays_ignored(tmp_path: Path) -> None:
    """Under nohup the process outlives its terminal."""

    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    code = "ready()\ntime.sleep(0.2)\nready()\nrest()"
    command = program(code, tmp_path)
    stopped = stop(command, signal.SIGHUP, signal.SIGTERM, prepare=ignore)

    assert Stopped(exit_code=143, stderr=NOTHING) == stopped


def test_a_stop_waits_for_what_must_not_be_cut_in_two(tmp_path: Path) -> None:
    """A block of `deferred` comes to its end, and nothing after it is done."""
    code = """
with signals.deferred():
    with signals.deferred():
        ready()
        time.sleep(0.2)
    (here / "whole").touch()
(here / "after").touch()
"""

    assert 143 == stop(program(code, tmp_path), signal.SIGTERM).exit_code
    assert ["whole"] == [path.name for path in tmp_path.iterdir()]


def test_a_clean_up_that_fails_hinders_no_other(tmp_path: Path) -> None:
    """All of them run, the latest first; those of blocks that have ended do not."""
    code = """
signals.on_stop((here / "first").touch)
signals.on_stop((here / "missing").unlink)
with signals.cleaning((here / "over").touch):
    pass
ready()
rest()
"""

    assert Stopped(exit_code=143, stderr=NOTHING) == stop(program(code, tmp_path), signal.SIGTERM)
    assert ["first"] == [path.name for path in tmp_path.iterdir()]


def test_a_second_signal_breaks_no_clean_up(tmp_path: Path) -> None:
    """GitHub's runner sends SIGINT and then SIGTERM: the first one decides."""
    code = """
def clean():
    ready()
    time.sleep(0.2)
    with signals.deferred():
        (here / "clean").touch()
signals.on_stop(clean)
ready()
rest()
"""
    stopped = stop(program(code, tmp_path), signal.SIGINT, signal.SIGTERM)

    assert (130, ["clean"]) == (stopped.exit_code, [path.name for path in tmp_path.iterdir()])


@pytest.mark.parametrize(
    "block",
    ["with signals.deferred():", "with signals.cleaning(again):"],
    ids=["block", "clean-up"],
)
def test_a_second_signal_ends_what_hangs(block: str, tmp_path: Path) -> None:
    """Whoever presses Ctrl-C twice waits for nothing, and still reads what was kept, once."""
    code = f"""
def again():
    ready()
    rest()
signals.note("written: report")
{block}
    ready()
    while not signals._state.number:
        time.sleep(0.05)
    again()
"""
    stopped = stop(program(code, tmp_path, hurry_seconds=0.1), signal.SIGINT, signal.SIGINT)

    assert Stopped(exit_code=130, stderr="stopped by SIGINT: written: report\n") == stopped


@pytest.mark.parametrize("hanging", ["with signals.deferred():", "signals.on_stop(hang)\nif 1:"])
def test_what_hangs_is_ended(hanging: str, tmp_path: Path) -> None:
    """A clean-up or a block of `deferred` that never ends does not keep the process."""
    code = f"""
signals.on_stop((here / "clean").touch)
hang = partial(time.sleep, 600)
{hanging}
    ready()
    rest()
"""
    stopped = stop(program(code, tmp_path, limit_seconds=0.2), signal.SIGTERM)

    assert 143 == stopped.exit_code


def test_a_forked_process_cleans_up_nothing(tmp_path: Path) -> None:
    """What its parent still needs stays; it ends with the signal's code, and without a word."""
    code = """
signals.on_stop((here / "cleaned").touch)
read, write = os.pipe()
child = os.fork()
if child == 0:
    os.write(write, b"ready")
    rest()
os.read(read, 5)
os.kill(child, 15)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.exit(status if not (here / "cleaned").exists() else 1)
"""
    done = subprocess.run(
        program(code, tmp_path),
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=SAFETY_SECONDS,
    )

    assert (143, "") == (done.returncode, done.stderr)


def test_without_standard_error_it_ends_too(tmp_path: Path) -> None:
    """There is nowhere to say what was kept; the file that has its number is left alone."""
    code = """
taken = (here / "taken").open("w")
assert taken.fileno() == 2
ready()
rest()
"""
    stopped = stop(program(code, tmp_path), signal.SIGTERM, prepare=lambda: os.close(2))

    assert 143 == stopped.exit_code
    assert "" == (tmp_path / "taken").read_text()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """Stopped while a report is written, the old one stays, and nothing lies next to it."""
    code = """
from helm_wandb.system.files import write_whole
def pause(*_, **__):
    ready()
    rest()
write_whole(here / "report.json", b"old")
os.replace = pause
write_whole(here / "report.json", b"new" * 100_000)
"""

    assert Stopped(exit_code=143, stderr=NOTHING) == stop(program(code, tmp_path), signal.SIGTERM)
    assert [(tmp_path / "report.json")] == list(tmp_path.iterdir())
    assert "old" == (tmp_path / "report.json").read_text()


def test_a_terminal_gets_its_cursor_back(tmp_path: Path) -> None:
    """The bar of a long reading hides the cursor; a stop clears the bar and shows it."""
    code = """
from helm_wandb.system import progress
progress._PATIENCE_SECONDS = 0.0
read, write = os.openpty()
bar = progress.progress_bar(open(write, "w"))
def look():
    shown = b""
    while not shown.endswith(b"\\r\\x1b[2K\\x1b[?25h"):
        shown += os.read(read, 100_000)
    (here / "shown").touch()
signals.on_stop(look)
bar(1, 4)
ready()
rest()
"""
    # The callbacks run latest first: the bar's comes before the one that looks.
    assert 143 == stop(program(code, tmp_path), signal.SIGTERM).exit_code
    assert (tmp_path / "shown").exists()


def test_the_last_line_names_each_output(tmp_path: Path) -> None:
    """What is written and where, what failed, what is not written, and how far the rest is."""
    code = """
from helm_wandb import sinks
from helm_wandb.errors import SinkError
from helm_wandb.model import Receipt, Status
from tests.builders import report

class Output:
    def __init__(self, name, result, path=None):
        self.name, self.result, self.path = name, result, path
    def deliver(self, report):
        return Receipt(sink=self.name, status=self.result(), path=self.path)

def fail():
    raise SinkError("no")

def hang():
    signals.note_step("Nothing was sent")
    ready()
    time.sleep(600)

report_file = Output("report", lambda: Status.DONE, "report.json")
skipped = Output("terminal", lambda: Status.SKIPPED)
failing, hanging = Output("HTML report", fail), Output("W&B", hang)
left = Output("job summary", lambda: Status.DONE)
sinks.deliver(report([]), [report_file, skipped, failing, hanging, left, hanging, report_file])
"""
    said = (
        "stopped by SIGTERM:\n  written: report (report.json)\n  failed: HTML report\n"
        "  not written: job summary\n  not finished: W&B. Nothing was sent\n"
    )

    assert Stopped(exit_code=143, stderr=said) == stop(program(code, tmp_path), signal.SIGTERM)
