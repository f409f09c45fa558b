"""The content of one log, whether it is an `.eval` (a zip) or a `.json`.

Format: inspect_ai 0.3, log/_recorders/eval.py and json.py.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from helm_wandb.harness.files import Files, Limits
from helm_wandb.harness.folder import Folder
from helm_wandb.harness.json_files import unexpected_content, without_nan
from helm_wandb.harness.output import open_output
from helm_wandb.harness.walk import files_below
from helm_wandb.sources.inspect.formats import Header, Reduction, Sample
from helm_wandb.system import paths

_Decoded = TypeVar("_Decoded")

LIMITS = Limits(ratio=1_000)
"""A transcript repeats itself, and Zstandard packs it more tightly than deflate can."""
_HEADER = "header.json"
_START = "_journal/start.json"
"""All that a killed run leaves of the header."""
_REDUCTIONS = "reductions.json"
_SAMPLES = "samples"
_MOST_FOLDERS = 100_000
"""Folders of samples: an ID such as `HumanEval/0` makes one."""


class LogFile(Protocol):
    """A log that is open. All methods raise ArtifactError for what Inspect does not write."""

    def header(self) -> Header:
        """Return the log without its samples."""

    def reductions(self) -> list[Reduction]:
        """Return the scores over epochs; none if the log has none."""

    def samples(self, kind: type[Sample]) -> Iterator[Any]:
        """Yield each sample, as the type, one by one if the log has them apart."""


class _Eval:
    """An `.eval`, which has a member for each sample."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def header(self) -> Header:
        """Return the log without its samples."""
        has_ended = self._files.is_file(_HEADER)
        return self._decode(_HEADER if has_ended else _START, Header)

    def reductions(self) -> list[Reduction]:
        """Return the scores over epochs."""
        has_them = self._files.is_file(_REDUCTIONS)
        return self._decode(_REDUCTIONS, list[Reduction]) if has_them else []

    def samples(self, kind: type[Sample]) -> Iterator[Any]:
        """Yield each sample."""
        for folder, name in files_below(self._files, _SAMPLES, folders=_MOST_FOLDERS):
            yield self._decode(folder + name, kind)

    def _decode(self, path: str, kind: type[_Decoded]) -> _Decoded:
        data = without_nan(self._files.read(path))
        return _decode(data, kind, shown=self._files.shown(path))


class _JsonLog(Header):
    """A `.json`, which is read whole."""

    reductions: list[Reduction] | None = None


class _Json:
    """A `.json`, which is read whole."""

    def __init__(self, data: bytes, *, shown: str) -> None:
        self._data = without_nan(data)
        self._shown = shown

    def header(self) -> Header:
        """Return the log without its samples."""
        return _decode(self._data, Header, shown=self._shown)

    def reductions(self) -> list[Reduction]:
        """Return the scores over epochs."""
        return _decode(self._data, _JsonLog, shown=self._shown).reductions or []

    def samples(self, kind: type[Sample]) -> Iterator[Any]:
        """Yield each sample."""
        log: type[Any] = msgspec.defstruct(
            "Log",
            [("samples", list[kind] | None, None)],  # type: ignore[valid-type]
        )
        yield from _decode(self._data, log, shown=self._shown).samples or ()


def _decode(data: bytes | bytearray, kind: type[_Decoded], *, shown: str) -> _Decoded:
    try:
        return msgspec.json.decode(data, type=kind)
    except (ValueError, RecursionError) as error:
        raise unexpected_content(shown, error) from error


def is_log(files: Files) -> bool:
    """Return whether the output itself is an `.eval`."""
    return files.is_file(_HEADER) or files.is_file(_START)


@contextmanager
def open_log(files: Files, path: str) -> Iterator[LogFile]:
    """Return the log at the path; raise ArtifactError if it can't be read.

    path: empty if the output itself is the log.
    """
    if not path:
        yield _Eval(files)
    elif path.endswith(".json"):
        yield _Json(files.read(path), shown=files.shown(path))
    else:
        shown = files.shown(path)
        with files.local(path) as local, open_output(local, shown_as=shown, limits=LIMITS) as log:
            yield _Eval(log)


@contextmanager
def open_logs(path: Path, *, shown_as: str) -> Iterator[Files]:
    """Return the files of a folder or archive of logs, or of one log; raise as `open_output`."""
    if path.name.endswith(".json") and paths.is_file(path):
        yield _OneFile(path.resolve(), shown_as=shown_as)
    else:
        with open_output(path, shown_as=shown_as, limits=LIMITS) as files:
            yield files


class _OneFile(Folder):
    """A folder of which only one file is seen."""

    def __init__(self, path: Path, *, shown_as: str) -> None:
        super().__init__(path.parent, shown_as=posixpath.dirname(shown_as), limits=LIMITS)
        self._name = path.name

    def names(self, folder: str) -> list[str]:
        """Return the one name."""
        return [] if folder else [self._name]
