"""Sources of evaluations: one module or package each, and the table of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from helm_wandb.comparing.evaluations import group_values
from helm_wandb.errors import ArtifactError, UnknownOutputError
from helm_wandb.harness.entry import HarnessEval, ReadOptions
from helm_wandb.model import EvalEntry, FirstEntry, Reading
from helm_wandb.sources import file, report
from helm_wandb.sources.helm.entry import HelmEval
from helm_wandb.sources.inspect.entry import InspectEval
from helm_wandb.sources.lm_eval.entry import LmEval
from helm_wandb.sources.unknown_output import describe_unknown
from helm_wandb.system import paths
from helm_wandb.text.words import count_noun, truncate

if TYPE_CHECKING:
    from helm_wandb.comparing.changed_instances import TextRequests, TextsByPlace


class Source(Struct, frozen=True, kw_only=True):
    """A source of evaluations; only `read` is required."""

    read: Callable[[EvalEntry, ReadOptions], Reading]
    """Called as `sources.read` is."""
    has_details: bool = False
    """Whether it has per-instance scores that are read only on request."""
    texts: Callable[..., tuple[TextsByPlace, tuple[str, ...]]] | None = None
    """Reads question, reference and answer; called as `sources.texts` is, with one entry."""
    first_entries: Callable[..., tuple[FirstEntry, ...]] | None = None
    """Makes entries for `init`; called as `sources.first_entries` is."""
    output_key: str | None = None
    """The config's key of its output, which another source may know if it does not."""
    with_output: Callable[[Mapping[str, Any], str], Mapping[str, Any]] | None = None
    """Returns the fields of an entry with another output, for its key `repeats`."""
    output_path: Callable[[Mapping[str, Any]], str] | None = None
    """Returns the path of the output that an entry with these fields reads; with `with_output`."""


def _harness(kind: type[HarnessEval]) -> Source:
    """Return the source of a harness, whose package has `reader`, `answers` and `first_entry`.

    kind: the package's own, from its module `entry`. The other modules are imported when they are
    needed, since a run reads the outputs of few harnesses.
    """
    package = kind.__module__.rpartition(".")[0]

    def module(name: str) -> Any:  # noqa: ANN401 -- a module
        return import_module(f"{package}.{name}")

    return Source(
        read=lambda entry, options: module("reader").read(kind.parse(entry), options),
        has_details=True,
        texts=lambda entry, **wanted: module("answers").read(kind.parse(entry), **wanted),
        first_entries=lambda path, **names: module("first_entry").entries(path, **names),
        output_key=kind.OUTPUT_KEY,
        with_output=kind.with_output,
        output_path=kind.output_path,
    )


_KEYS_SHOWN = 3
"""Keys that say which source an entry has, and where its output is."""

SOURCES: Mapping[str, Source] = {
    "helm": _harness(HelmEval),
    "lm_eval": _harness(LmEval),
    "inspect": _harness(InspectEval),
    "file": Source(read=file.read),
    "report": Source(
        read=report.read,
        first_entries=report.first_entries,
        with_output=report.with_output,
        output_path=report.output_path,
    ),
}
"""The config's name of each source."""


def read(entry: EvalEntry, options: ReadOptions) -> Reading:
    """Return the evaluations of an entry of the config; raise UserError if they can't be read."""
    source = SOURCES[entry.source]
    try:
        return _read(entry, options, source)
    except UnknownOutputError as error:
        raise ArtifactError(*error.lines, *_other_entries(entry, options.folder, source)) from error


def _other_entries(entry: EvalEntry, folder: Path, source: Source) -> Iterator[str]:
    """Yield how another source's entry begins that reads the output."""
    if source.output_key is None:
        return
    name: str = entry.fields[source.output_key]
    with suppress(ArtifactError):
        first, *_ = first_entries(folder / name, shown_as=name)
        lines = first.yaml.splitlines()
        keys = [line for line in lines if line[:1].isalpha() and not line.endswith(":")]
        yield f"{entry.place}: another entry can read it: {', '.join(keys[:_KEYS_SHOWN])}"


def _read(entry: EvalEntry, options: ReadOptions, source: Source) -> Reading:
    with_output, output_path = source.with_output, source.output_path
    if with_output is None or output_path is None or "repeats" not in entry.fields:
        return source.read(entry, options)
    # Imported here: most entries have one run.
    from helm_wandb.sources.repeats.reader import read_runs  # noqa: PLC0415

    return read_runs(
        entry, options, read=source.read, with_output=with_output, output_path=output_path
    )


def output_paths(entry: EvalEntry) -> tuple[str, ...]:
    """Return the folder or archive of a harness's output that the entry reads."""
    key = SOURCES[entry.source].output_key
    return (entry.fields[key],) if key else ()


def place_of_output(entry: EvalEntry) -> str | None:
    """Return the real path of the output, or suite, that the entry reads; None for reports."""
    source = SOURCES[entry.source]
    if source.output_key is None or source.output_path is None:
        return None
    return paths.follow_links(source.output_path(entry.fields))


def report_globs(entry: EvalEntry) -> tuple[str, ...]:
    """Return the globs of the reports that the entry reads."""
    is_report = entry.source == "report"
    return (entry.fields["path"], *repeat_globs(entry)) if is_report else ()


def repeat_globs(entry: EvalEntry) -> tuple[str, ...]:
    """Return the globs of further runs that the entry reads."""
    return tuple(entry.fields.get("repeats", ()))


def have_details(entries: Iterable[EvalEntry]) -> bool:
    """Return whether any of the entries has per-instance scores that are read only on request."""
    return any(SOURCES[entry.source].has_details for entry in entries)


def texts(
    entries: Iterable[EvalEntry],
    *,
    folder: Path,
    wanted: TextRequests,
    only_answers: bool = False,
    left_out: str = "Texts of changed instances are left out: ",
) -> tuple[TextsByPlace, tuple[str, ...]]:
    """Return the texts of the wanted instances, and a sentence for each reason why some lack them.

    only_answers: without questions and references. left_out: the beginning of these sentences.
    If two entries have the same instance, the first one's texts count, as for scores.
    """
    by_place: TextsByPlace = {}
    faults: list[str] = []
    for entry in entries if wanted else ():
        if read_texts := SOURCES[entry.source].texts:
            own, unread = read_texts(entry, folder=folder, wanted=wanted, only_answers=only_answers)
            for run, texts_of_run in own.items():
                by_place[run] = texts_of_run | by_place.get(run, {})
            faults += unread
    return by_place, truncate(
        [f"{left_out}{reason}" for reason in _reasons(faults)],
        lambda more: f"{left_out}{more} more such reasons.",
    )


def _reasons(faults: Iterable[str]) -> Iterator[str]:
    """Yield each reason once, with its first file and the number of the others."""
    faults_by_reason = group_values((one.partition(": ")[2] or one, one) for one in faults)
    for first, *others in faults_by_reason.values():
        more = count_noun(len(others), "more file")
        yield f"{first} The same for {more}." if others else first


def first_entries(path: Path, *, shown_as: str) -> tuple[FirstEntry, ...]:
    """Return the entries that read the output at the path, the most useful first.

    shown_as: the path as messages and entries name it.
    Raises ArtifactError if none can read it, with the faults that those sources find that know it,
    or with what is there if no source does.
    """
    faults: list[str] = []
    for first in filter(None, (source.first_entries for source in SOURCES.values())):
        try:
            return first(path, shown_as=shown_as)
        except UnknownOutputError:
            continue
        except ArtifactError as error:
            faults += error.lines
    raise ArtifactError(*(dict.fromkeys(faults) or [describe_unknown(path, shown_as=shown_as)]))


def other_sources(path: Path, *, than: str) -> list[str]:
    """Return the names of the other sources that can read the output at the path."""
    names = []
    for name, source in SOURCES.items():
        if name != than and source.first_entries:
            with suppress(ArtifactError):
                source.first_entries(path, shown_as=str(path))
                names.append(name)
    return names
