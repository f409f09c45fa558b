"""Evaluations in report JSONs that other jobs wrote, as those of a matrix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from glob import escape, has_magic
from pathlib import Path, PurePath
from typing import Any, TypeVar

from helm_wandb.errors import ArtifactError, InputError, UnknownOutputError
from helm_wandb.harness.clusters import unmatched_rules
from helm_wandb.harness.entry import ReadOptions
from helm_wandb.model import EvalEntry, Evaluation, FirstEntry, Reading, RoutineNote
from helm_wandb.report import from_json
from helm_wandb.system import files, paths
from helm_wandb.text.words import count_noun, join_truncated
from helm_wandb.text.yaml_text import to_yaml

LIMIT_BYTES = 256 << 20
"""Size of a report, at most. 20 models with two iterations each of the 16 core benchmarks, with all
of MMLU, take some 170 MB. Reading takes up to three times as much memory, of the 7 GB of a runner.
"""
_SHOWN = 10
_VERSION_KEY = b'"schema_version"'
"""Key that other JSON lacks."""
_FROM_REPORT = "input from-report"

T = TypeVar("T")


def read(entry: EvalEntry, options: ReadOptions) -> Reading:
    """Return the evaluations of all reports that the glob matches, in the order of the names.

    Those of one model and iteration stay apart here: they are merged with all others at once.
    Raises ArtifactError if no file matches, none of them is a report with evaluations, or the
    search would have no end.
    """
    pattern: str = entry.fields["path"]
    folder = options.folder
    try:
        names = paths.matches(pattern, folder)
    except paths.TooManyError as error:
        raise ArtifactError(f"{entry.place}: {_describe_excess(pattern)}") from error
    if not names:
        raise ArtifactError(f"{entry.place}: {_describe_nothing(pattern, folder)}")
    evaluations: list[Evaluation] = []
    origins: list[str] = []
    faults: list[str] = []
    for name in names:
        try:
            own = from_json(_read_file(folder / name))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            what = f"{entry.place}: {name} cannot be read as a report: {why}"
            faults.append(f"{what}. Run the job that wrote it again, or remove it.")
        else:
            evaluations += own
            origins += [name] * len(own)
    if not evaluations:
        raise ArtifactError(
            *(faults or [f"{entry.place}: no evaluations in {join_truncated(list(names), _SHOWN)}"])
        )
    scores = (one for evaluation in evaluations for one in evaluation.scores.items())
    unmatched = tuple(unmatched_rules(scores, options.clusters))
    if names == [pattern]:
        return Reading(evaluations=tuple(evaluations), files=tuple(origins), notes=unmatched)
    reports = count_noun(len(names), "report")
    unread = f", {len(faults)} of which cannot be read" if faults else ""
    return Reading(
        evaluations=tuple(evaluations),
        files=tuple(origins),
        faults=tuple(faults),
        notes=(RoutineNote(f"{pattern} matches {reports}{unread}."), *unmatched),
    )


def first_entries(path: Path, *, shown_as: str) -> tuple[FirstEntry, ...]:
    """Return the entry that reads the report, as `sources.first_entries` says."""
    if not paths.is_file(path):
        raise UnknownOutputError(f"{shown_as}: isn't a file")
    try:
        evaluations = from_json(_read_file(path))
    except OSError as error:
        raise ArtifactError(f"{shown_as}: cannot be read: {error.strerror}.") from error
    except ValueError as error:
        is_report = _VERSION_KEY in files.content(path, at_most=LIMIT_BYTES)
        raise (ArtifactError if is_report else UnknownOutputError)(
            f"{shown_as}: isn't a report of this tool: {error}."
        ) from error
    if not evaluations:
        raise ArtifactError(f"{shown_as}: is a report without evaluations.")
    keys = dict.fromkeys(key for one in evaluations for key in one.scores)
    yaml = to_yaml({"eval_type": "helm", "source": "report", "path": escape(shown_as)})
    return (FirstEntry(yaml=yaml, score_keys=tuple(keys)),)


def with_output(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the fields of an entry that reads other reports."""
    return {**fields, "path": name}


def output_path(fields: Mapping[str, Any]) -> str:
    """Return the path of the reports that an entry with these fields reads."""
    return str(fields["path"])


def from_report(name: str, *, folder: Path) -> Reading:
    """Return the evaluations of a report that an untrusted run wrote, and nothing else of it.

    name: the file, relative to the folder.
    Raises InputError if there is no such report, or no evaluation in it.
    """
    evaluations = named(name, folder=folder, named_by=_FROM_REPORT, decode=from_json)
    if not evaluations:
        raise InputError(f"{_FROM_REPORT}: {name} holds no evaluation: there is nothing to publish")
    note = (
        f"The evaluations are those of {name}, which another run wrote; everything else is "
        "recomputed."
    )
    return Reading(evaluations=evaluations, notes=(note,))


def named(name: str, *, folder: Path, named_by: str, decode: Callable[[bytes], T]) -> T:
    """Return what `decode` makes of the report that an input or a flag names.

    name: the file, relative to the folder.
    named_by: the input or flag, for the error.
    decode: may raise ValueError, with a clause on the report.
    Raises InputError if there is no such report.
    """
    try:
        return decode(_read_file(folder / name))
    except OSError as error:
        if isinstance(error, IsADirectoryError):
            hint = "Give a file that --report or the action wrote."
        else:
            hint = paths.hint(name, folder)
        raise InputError(
            f"{named_by}: {name} cannot be read: {error.strerror}. {hint}".rstrip()
        ) from error
    except ValueError as error:
        raise InputError(
            f"{named_by}: {name} isn't a report of this tool: {error}. Give a file that "
            "--report or the action wrote."
        ) from error


def _read_file(path: Path) -> bytes:
    """Return the file's content; raise ValueError if it is no file, or larger than a report."""
    data = files.content(path, at_most=LIMIT_BYTES + 1)
    if len(data) > LIMIT_BYTES:
        raise ValueError(
            f"it is larger than {LIMIT_BYTES >> 20} MiB, the limit for a report: write the "
            "evaluations to several reports"
        )
    return data


def _describe_excess(pattern: str) -> str:
    return (
        f"{pattern!r} is searched in more than {paths.ENTRIES:,} files and folders, and no "
        "further. Begin it with the folder of the reports, such as reports/*.json"
    )


def _describe_nothing(pattern: str, folder: Path) -> str:
    """Return a sentence on the pattern, the folder, what is there instead, and what to do."""
    misread = paths.misread(pattern, folder, may_be_glob=True)
    if misread or PurePath(pattern).is_absolute():
        return f"no file matches {pattern!r}. {misread or 'Check the path.'}"
    start = _start(pattern, folder)
    instead = _describe_folder(start, folder)
    return (
        f"no file matches {pattern!r} in {folder.absolute()}. {instead} "
        "In a workflow, actions/download-artifact brings the reports of other jobs: with `path: "
        f"{start}`, a `pattern` that their artifacts' names match, and `merge-multiple: true`, "
        "which puts all files into that one folder."
    )


def _start(pattern: str, folder: Path) -> PurePath:
    """Return the folder that the pattern begins with, up to its first wildcard."""
    parts = PurePath(pattern).parts
    is_folder = [not has_magic(part) for part in parts[:-1]] + [paths.is_folder(folder / pattern)]
    return PurePath(*parts[: [*is_folder, False].index(False)])


def _describe_folder(start: PurePath, folder: Path) -> str:
    """Return a sentence on the folder where the matches should be."""
    # A whole workspace may be large: only a subfolder is searched to its depths.
    deeper = str(start / "**" / "*.json" if start.parts else start / "*.json")
    try:
        names = paths.matches(deeper, folder)
    except paths.TooManyError:
        return f"The folder {start} has more than {paths.ENTRIES:,} files and folders in it."
    if names:
        return f"There are {join_truncated(list(names), _SHOWN)}: is {deeper!r} meant?"
    if paths.is_folder(folder / start):
        return f"The folder {start} has no .json file in it."
    return f"There is no folder {start}."
