"""The file next to an offline run that says what the run holds: written, sealed, read strictly.

The folder of offline runs lies in the workspace, where a checkout or an artifact of somebody else
may have put such files. So nothing of a file is used unless all of it is as this tool writes it;
in a workflow, only if the same workflow run wrote it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import msgspec

from helm_wandb.system import files
from helm_wandb.wandb_runs import run_record
from helm_wandb.wandb_runs.layout_names import MARK
from helm_wandb.wandb_runs.run_record import Record

FILE = "helm-recording.json"
"""`wandb sync` sends only what the run's log names, and so not this file."""
FOLDERS = "offline-run-*-helm-*"
"""The folders that the command in our messages sends."""
_LIMIT_BYTES = 16 << 20
_PURPOSE = b"helm-wandb-action: recording, version 1"
_DAMAGED = f"its {FILE} is damaged"

_Number = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | float


class Contents(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of one run folder."""

    run: Annotated[str, msgspec.Meta(pattern="^helm-[0-9a-f]{20}$")]
    project: str
    """Entity and project, with a slash between them."""
    rows: tuple[dict[str, _Number], ...]
    """Ascending by iteration."""
    subjects: dict[str, str] = {}
    """Name of a value → the subject in it."""
    steps: run_record.Count
    """Number of rows of W&B's history that the run fills."""
    record: str
    """The record in the run's summary."""


_NOTHING = Contents(run="", project="", rows=(), steps=0, record="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One run folder, and its content if that can be used."""

    folder: Path
    run: str
    """The run's id; empty if the folder's name has none of ours."""
    synced: bool
    """W&B has it already."""
    contents: Contents = _NOTHING
    record: Record | None = None
    """Record of the whole run, including what was sent before."""
    fault: str | None = None
    """Why it is ignored, as a clause."""


class _File(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    recording: msgspec.Raw
    seal: str | None = None


class UnusableError(Exception):
    """Why a recording is ignored, as a clause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The tie between a recording and a workflow run.

    A commit can foresee the number of the run that it starts, but its author does not have the
    W&B key; so without a key no recording fits.
    """

    workflow_run: str
    key: str = field(repr=False)

    def sign(self, recording: bytes) -> str:
        """Return the code that only a holder of the key can make."""
        message = b"\0".join((_PURPOSE, self.workflow_run.encode(errors="replace"), recording))
        return hmac.digest(self.key.encode(errors="replace"), message, "sha256").hex()

    def verify(self, recording: bytes, code: str) -> bool:
        """Return whether a recording was sealed with this seal."""
        return bool(self.key) and hmac.compare_digest(
            self.sign(recording).encode(), code.encode(errors="replace")
        )


def to_json(contents: Contents, seal: Seal | None) -> bytes:
    """Return the content of the file, sealed if there is a seal."""
    recording = msgspec.json.encode(contents)
    return msgspec.json.encode(
        _File(msgspec.Raw(recording), seal.sign(recording) if seal else None)
    )


def write(folder: Path, contents: Contents, seal: Seal | None) -> None:
    """Write the file into a run's folder. Raises OSError."""
    (folder / FILE).write_bytes(to_json(contents, seal))


def read(folder: Path, run: str, seal: Seal | None) -> tuple[Contents, Record]:
    """Return what the file says of a run, and the run's record.

    seal: that of this workflow run; None on the command line, where any recording counts.
    Raises UnusableError.
    """
    data = _data(folder / FILE)
    try:
        file = msgspec.json.decode(data, type=_File)
        if seal and not seal.verify(bytes(file.recording), file.seal or ""):
            raise UnusableError("it is not sealed with this workflow run's W&B key")
        contents = msgspec.json.decode(file.recording, type=Contents)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise UnusableError(f"{_DAMAGED}: {str(error).replace('`', '')}") from error
    record = run_record.from_summary({MARK: contents.record})
    if record is None or not _is_consistent(contents, record, run):
        raise UnusableError(f"{_DAMAGED}: its parts contradict each other")
    return contents, record


def _data(path: Path) -> bytes:
    try:
        if path.is_symlink():
            raise UnusableError(f"its {FILE} is a link")
        data = files.content(path, at_most=_LIMIT_BYTES + 1)
    except FileNotFoundError as error:
        raise UnusableError(f"it has no {FILE}") from error
    except OSError as error:
        raise UnusableError(f"its {FILE} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UnusableError(f"its {FILE} is not a regular file") from error
    if len(data) > _LIMIT_BYTES:
        raise UnusableError(f"its {FILE} is larger than {_LIMIT_BYTES >> 20} MiB")
    return data


def _is_consistent(contents: Contents, record: Record, run: str) -> bool:
    """Whether the file is of this run, and its rows are those that the record counts."""
    iterations = [row.get("iteration") for row in contents.rows]
    numbers = [number for number in iterations if isinstance(number, int) and number >= 0]
    return (
        contents.run == run
        and numbers == iterations
        and numbers == sorted(set(numbers))
        and {*map(str, numbers)} <= record.rows.keys()
        and contents.steps - len(numbers) in (0, 1)
    )
