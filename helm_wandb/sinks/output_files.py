"""Check of the files that a run writes: none may replace what a run reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from helm_wandb import sources
from helm_wandb.errors import InputError
from helm_wandb.model import EvalEntry
from helm_wandb.system import files, paths

REPORT = b'{\n "schema_version"'
HTML = b"<!doctype html>"
BADGE = b'{\n  "schemaVersion"'
COMMENT = b"## "


class OutputFile(Struct, frozen=True):
    """A file that a run writes."""

    name: str
    """As the user wrote it."""
    beginning: bytes
    """How such a file begins, so that one of an earlier run may be replaced."""

    @property
    def place(self) -> str:
        """The path without links."""
        return paths.follow_links(self.name)

    def replaces_other(self) -> bool:
        """Return whether a file is there that no earlier run wrote."""
        try:
            there = files.content(Path(self.name), at_most=len(self.beginning))
        except FileNotFoundError:
            return False
        except (OSError, ValueError):
            return True
        return not self.beginning.startswith(there)


def refuse_unsafe(
    outputs: Sequence[OutputFile], inputs: Sequence[str], entries: Sequence[EvalEntry]
) -> None:
    """Raise InputError if two outputs are one file, or one would replace what a run reads.

    inputs: files that the run reads. entries: those whose outputs it reads.
    """
    taken = set(map(paths.follow_links, inputs))
    written: set[str] = set()
    for output in (one for one in outputs if not files.is_device(Path(one.name))):
        if output.place in taken:
            raise InputError(f"{output.name}: this run reads it, so no output can be written there")
        if output.place in written:
            raise InputError(
                f"{output.name}: two outputs would be written to it. Give each another file."
            )
        written.add(output.place)
        for entry in entries:
            _refuse_evaluation(output, entry)


def _refuse_evaluation(output: OutputFile, entry: EvalEntry) -> None:
    """Raise InputError if the entry reads the file, or would read it the next time."""
    for pattern in sources.report_globs(entry):
        if paths.is_matched(output.place, pattern, Path()):
            raise InputError(
                f"{output.name}: {pattern!r} of {entry.place} matches it, so it would be read as "
                "an evaluation. Write it to another folder."
            )
    if not output.replaces_other():
        return
    for folder in _output_paths(entry):
        if Path(output.place).is_relative_to(paths.follow_links(folder)):
            raise InputError(
                f"{output.name}: {folder} is read as an evaluation, and this file of it would be "
                "replaced. Give another file."
            )


def _output_paths(entry: EvalEntry) -> Iterator[str]:
    """Yield the outputs that an entry reads, with those of its repeats."""
    yield from sources.output_paths(entry)
    for pattern in sources.repeat_globs(entry):
        try:
            yield from paths.matches(pattern, Path(), folders=True)
        except paths.TooManyError:
            # Reading the entry reports it.
            continue
