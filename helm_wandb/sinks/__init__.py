"""The outputs of a report: each is tried, and each has a receipt."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TextIO

from msgspec.structs import replace

from helm_wandb.errors import BUG_EXIT_CODE, SinkError, UserError
from helm_wandb.model import Receipt, Report, Status
from helm_wandb.system import files, signals, streams
from helm_wandb.text.redaction import NO_SECRETS, Redactor


class Sink(Protocol):
    """An output of a report."""

    @property
    def name(self) -> str:
        """Name of the output in messages."""
        ...

    def deliver(self, report: Report) -> Receipt:
        """Write the report, and return the receipt.

        Raises UserError if the output cannot be written; any other exception is a bug.
        """
        ...


_NUMBERS = frozenset({"instances"})
"""The field with millions of values that no server has words in."""


def deliver(
    report: Report, sinks: Sequence[Sink], redactor: Redactor = NO_SECRETS
) -> tuple[Report, tuple[Receipt, ...]]:
    """Return the report with the links from the sinks, and one receipt of each sink.

    A sink sees the links of those before it. One that is listed twice is written again if it
    failed, or if the report has another link since; its last receipt counts. A failing sink stops
    no other.
    redactor: removes secrets from the report and the receipts, so that no sink can show one.
    """
    report = redactor.values(report, leave=_NUMBERS)
    receipts: dict[str, Receipt] = {}
    done: dict[str, Report] = {}
    for place, sink in enumerate(sinks):
        if done.get(sink.name) is report:
            continue
        signals.note(*_progress(receipts, [one.name for one in sinks[place:]]))
        receipt = redactor.values(_deliver_one(sink, report))
        receipts[sink.name] = receipt
        if receipt.status is Status.DONE:
            done[sink.name] = report
        if receipt.url:
            report = replace(report, links={**report.links, sink.name: receipt.url})
    signals.note(*_progress(receipts, []))
    return report, tuple(receipts.values())


def _progress(receipts: Mapping[str, Receipt], left: Sequence[str]) -> list[str]:
    """Return lines that say what there is if the run is stopped now.

    left: the names of the outputs that are still to be written; the first has been begun.
    """
    named = {
        "written": [_written(one) for one in receipts.values() if one.status is Status.DONE],
        "failed": [name for name, one in receipts.items() if one.status is Status.FAILED],
        "not written": [name for name in dict.fromkeys(left) if name not in {*receipts, left[0]}],
        "not finished": [name for name in left[:1] if name not in receipts],
    }
    lines = [f"{words}: {', '.join(names)}" for words, names in named.items() if names]
    return lines or ["nothing was written"]


def _written(receipt: Receipt) -> str:
    return f"{receipt.sink} ({receipt.path})" if receipt.path else receipt.sink


def print_text(sink: str, stream: TextIO | None, text: str) -> Receipt:
    """Print a text, and return the receipt: done, or skipped if nobody reads on.

    Raises SinkError if it cannot be written, as on a full disk.
    """
    try:
        streams.write(stream, text)
    except BrokenPipeError:
        return Receipt(sink=sink, status=Status.SKIPPED, reason="nobody reads it")
    except OSError as error:
        raise SinkError(f"standard output cannot be written: {error.strerror}") from error
    return Receipt(sink=sink, status=Status.DONE)


def write_file(sink: str, path: Path, content: bytes | Iterable[bytes]) -> Receipt:
    """Write a file, making the folders on the way to it, and return the receipt.

    Raises SinkError if it cannot be written.
    """
    try:
        files.write_whole(path, content)
    except OSError as error:
        message = f"{error.filename}: the {sink} cannot be written: {error.strerror}"
        raise SinkError(message) from error
    return Receipt(sink=sink, status=Status.DONE, path=str(path), reason=f"written to {path}")


def _deliver_one(sink: Sink, report: Report) -> Receipt:
    try:
        return sink.deliver(report)
    except UserError as error:
        return Receipt(
            sink=sink.name,
            status=Status.FAILED,
            reason=". ".join(error.lines),
            exit_code=error.exit_code,
        )
    except Exception:  # noqa: BLE001 -- a bug in one sink must not lose the others
        return Receipt(
            sink=sink.name,
            status=Status.FAILED,
            reason="a bug in helm-wandb-action: please report it with the traceback in the log",
            exit_code=BUG_EXIT_CODE,
            traceback=traceback.format_exc(),
        )
