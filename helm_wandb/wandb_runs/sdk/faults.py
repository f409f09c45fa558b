"""A Fault from what the SDK raises, or writes to its own log.

Its words can hold secrets until the process that sent the request has removed them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from helm_wandb.system.scratch import check_room
from helm_wandb.text.redaction import Redactor
from helm_wandb.text.words import shorten
from helm_wandb.wandb_runs.sdk.messages import Cause, Fault, Written

T = TypeVar("T")

_SHOWN_CHARACTERS = 300
_DETAIL_LIMIT = 65_536
"""An answer can have any length. What is left of a secret that is cut here is removed too."""
_STATUS = re.compile(r"\b(?:HTTP|error|failed to upload:|status:|HTTP status) ([45][0-9]{2})\b")
_NETWORK = re.compile(
    "connection refused|no such host|EOF|reset by peer|[Tt]imed out|[Tt]imeout|deadline exceeded"
    "|did not respond|no route to host|network is unreachable|certificate|x509|tls|proxyconnect"
)
_DISK = re.compile("no space left on device|disk quota exceeded|read-only file system")
_BLAMED_ON_DISK = frozenset({Cause.NETWORK, Cause.REFUSED, Cause.LOST, Cause.ENDED})
"""Without room, not even a message of the SDK that says so may fit."""
_LEAST_BYTES = 1 << 16
"""If there is less room than that, something could not be written."""
_PREAMBLE = re.compile("^Failed to verify credentials with [^ ]+: |^Error initializing run: ")
_UNANSWERED = "did not respond in time"
"""The SDK says this of its service; the cause is the server that it waits for."""
_BY_STATUS = {401: Cause.KEY, 403: Cause.ACCESS, 404: Cause.ACCESS, 429: Cause.LIMIT}
_SERVER_FAULT = 500


def classify(error: BaseException) -> Fault:
    """Return the fault behind an exception of the SDK and its causes."""
    chain = list(_chain(error))
    is_network = isinstance(chain[-1], TimeoutError | ConnectionError)
    if isinstance(chain[-1], OSError) and not is_network:
        return disk_fault(chain[-1])
    text = "\n".join(str(one) for one in chain)
    status = next(filter(None, map(_http_status, chain)), None)
    words = _PREAMBLE.sub("", str(error)) or type(error).__name__
    if _UNANSWERED in text:
        words = "no answer in time"
    return Fault(_cause(text, status), _clean(words))


def disk_fault(error: OSError) -> Fault:
    """Return the fault of a folder or file that cannot be written to."""
    return Fault(Cause.DISK, _clean(str(error)))


def find_logged_fault(folder: str, run_id: str) -> Fault | None:
    """Return the fault in the newest folder of a run that could not be begun."""
    folders = sorted(
        Path(folder).glob(f"wandb/run-*-{run_id}"), key=lambda path: path.stat().st_mtime
    )
    return logged_fault(folders[-1]) if folders else None


def logged_fault(run_folder: Path) -> Fault | None:
    """Return the last error with a known cause in the SDK's log of a run; None without errors.

    If it gives rows or files up it raises nothing: only this log says why.
    """
    try:
        text = (run_folder / "logs" / "debug-internal.log").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    entries = filter(None, map(_entry, text.splitlines()))
    logged = [_logged(entry) for entry in entries if _is_error(entry)]
    known = [fault for fault in logged if fault.cause is not Cause.REFUSED]
    return next(iter([*known[::-1], *logged[::-1]]), None)


def redact(answer: T, redactor: Redactor) -> T:
    """Return an answer without secrets, and then with few enough words for a message.

    In this order, since a secret that is cut is harder to recognize.
    """

    def shortened(fault: Fault) -> Fault:
        return replace(fault, detail=shorten(fault.detail, _SHOWN_CHARACTERS))

    redacted: T = _replace_faults(redactor.values(answer), shortened)
    return redacted


def blame_disk(answer: T, folders: Sequence[Path]) -> T:
    """Return an answer whose faults are blamed on the disk if one of the folders is full."""
    blamed: T = _replace_faults(answer, lambda fault: _blame_disk(fault, folders))
    return blamed


def _replace_faults(answer: Any, change: Callable[[Fault], Fault]) -> Any:  # noqa: ANN401 -- any answer
    match answer:
        case Fault():
            return change(answer)
        case Written(fault=Fault() as fault):
            return replace(answer, fault=change(fault))
        case tuple():
            return tuple(_replace_faults(one, change) for one in answer)
        case _:
            return answer


def _blame_disk(fault: Fault, folders: Sequence[Path]) -> Fault:
    if fault.cause in _BLAMED_ON_DISK:
        try:
            for folder in folders:
                check_room(folder, _LEAST_BYTES)
        except OSError as error:
            return disk_fault(error)
    return fault


def _entry(line: str) -> dict[str, Any] | None:
    """None for a line that the SDK's service did not finish, or that Go itself wrote."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _logged(entry: dict[str, Any]) -> Fault:
    text = f"{entry.get('msg')} {entry.get('error', '')}"
    status = entry.get("status")
    return Fault(_cause(text, status if isinstance(status, int) else None), _clean(text))


def _is_error(entry: dict[str, Any]) -> bool:
    """Return whether the entry is an error; what a run's own end cuts off is none."""
    cut_off = "context canceled" in f"{entry.get('msg')} {entry.get('error', '')}"
    return str(entry.get("level", "")).startswith("ERROR") and not cut_off


def _chain(error: BaseException) -> Iterator[BaseException]:
    at: BaseException | None = error
    while at is not None:
        yield at
        at = at.__cause__ or at.__context__


def _http_status(error: BaseException) -> int | None:
    status = getattr(getattr(error, "response", None), "http_status", None)
    return status or None


def _cause(text: str, status: int | None) -> Cause:
    match = _STATUS.search(text)
    status = status or (int(match.group(1)) if match else None)
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status is not None and status >= _SERVER_FAULT:
        return Cause.SERVER
    if status is None and _DISK.search(text):
        return Cause.DISK
    return Cause.NETWORK if status is None and _NETWORK.search(text) else Cause.REFUSED


def _clean(text: str) -> str:
    return " ".join(text.split())[:_DETAIL_LIMIT]
