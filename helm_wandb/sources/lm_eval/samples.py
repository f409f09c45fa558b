"""A task's samples file, line by line, in columns.

Formats: lm-eval 0.4.5 to 0.4.13, evaluator.py (evaluate), loggers/evaluation_tracker.py
(save_results_samples). A file has one line for each document and filter, and may be of any size.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter, le
from typing import Any

import msgspec
from msgspec import Struct, field

from helm_wandb.errors import ArtifactError
from helm_wandb.harness import clusters
from helm_wandb.harness.files import Files
from helm_wandb.harness.instances import text_hash
from helm_wandb.harness.json_files import decode_with_nan, unexpected_content
from helm_wandb.model import Instances
from helm_wandb.sources.lm_eval.scores import read_number

NO_FILTER = "none"
"""lm-eval's name of the filter of a task without filters."""
LINE_BYTES = 64 << 20
"""Length of a line, at most: a prompt has a few megabytes if it holds a whole book."""
_ANY = msgspec.json.Decoder(Any)


class Sample(msgspec.Struct, gc=False):
    """A line, less its scores."""

    doc_id: int | str
    """The document's place in the split."""
    filter: str | None = None
    """Absent in 0.4.5."""
    doc_hash: str | None = None
    prompt_hash: str | None = None


class SamplesFile(Struct, frozen=True, kw_only=True):
    """A samples file, and what is read of it."""

    path: str
    task: str
    keys: tuple[str, ...]
    """Scores, as `acc,none`."""
    filters: tuple[str, ...]
    """Names of the task's filters, in their order, for lines that don't name theirs."""
    rule: str | None
    """The config's rule for clusters."""


class TaskSamples(Struct, frozen=True):
    """The samples of a task."""

    instances: Mapping[str, Instances]
    """Score key → its instances; a key without numbers is absent."""
    notes: tuple[str, ...]
    """Problem with the rule for clusters."""


class _Rows(Struct):
    """The lines of one filter, in columns of equal length."""

    id: list[int | str] = field(default_factory=list)
    input: list[str | None] = field(default_factory=list)
    cluster: list[str | None] = field(default_factory=list)
    """None: the document alone."""
    values: list[list[float | None]] = field(default_factory=list)
    """One list a metric; None: no number."""


def read_samples(task: SamplesFile, *, files: Files) -> TaskSamples | ArtifactError:
    """Return the instances of the scores, or what cannot be read."""
    try:
        return _read(task, files)
    except ArtifactError as error:
        return error


def _read(task: SamplesFile, files: Files) -> TaskSamples:
    metrics = list(dict.fromkeys(key.partition(",")[0] for key in task.keys))
    rows: dict[str, _Rows] = defaultdict(lambda: _Rows(values=[[] for _ in metrics]))
    find_cluster = _cluster_finder(task.rule)
    name_filter = _filter_namer(task.filters)
    kind = _line_type(metrics, has_rule=find_cluster is not None)
    value_getters = [attrgetter(f"value_{at}") for at in range(len(metrics))]
    for batch in _batches(files, task.path, kind):
        by_filter: dict[str, list[Any]] = defaultdict(list)
        for sample in batch:
            by_filter[sample.filter or name_filter(sample)].append(sample)
        for name, samples in by_filter.items():
            columns = rows[name]
            columns.id += [sample.doc_id for sample in samples]
            columns.input += map(_input_hash, samples)
            columns.cluster += map(find_cluster, samples) if find_cluster else [None] * len(samples)
            for column, value_of in zip(columns.values, value_getters, strict=True):
                column.extend(map(_number, map(value_of, samples)))
    instances = {
        key: one
        for key in task.keys
        for metric, _, name in [key.partition(",")]
        if name in rows and (one := _instances(task.task, rows[name], metrics.index(metric)))
    }
    return TaskSamples(instances, _cluster_notes(task, rows.values()) if find_cluster else ())


def iter_samples(files: Files, path: str, kind: type[Any]) -> Iterator[Any]:
    """Yield each line of the file, as the type that `line_type` made.

    Raises ArtifactError, with the number of the line, for one that lm-eval does not write.
    """
    for batch in _batches(files, path, kind):
        yield from batch


def _batches(files: Files, path: str, kind: type[Any]) -> Iterator[list[Any]]:
    """Yield the file's lines as `iter_samples` does, many at once."""
    decoder = msgspec.json.Decoder(kind)
    count = 0
    for lines in _whole_lines(files, path):
        try:
            batch = decoder.decode_lines(lines)
        except (ValueError, RecursionError):
            batch = _decode_singly(lines, decoder, first=count + 1, shown=files.shown(path))
        count += len(batch)
        yield batch


def _decode_singly(
    lines: memoryview, decoder: msgspec.json.Decoder[Any], *, first: int, shown: str
) -> list[Any]:
    """Return the lines one by one: one may hold NaN, or be what the error has to name."""
    samples = []
    for line in filter(bytes.strip, bytes(lines).split(b"\n")):
        try:
            samples.append(decode_with_nan(line, decoder))
        except (ValueError, RecursionError) as error:
            raise unexpected_content(f"{shown}: line {first + len(samples)}", error) from error
    return samples


def _whole_lines(files: Files, path: str) -> Iterator[memoryview]:
    """Yield the file in pieces of whole lines, most of which are not copied.

    Raises ArtifactError for a line of more bytes than any line has.
    """
    rest: list[bytes] = []
    size = 0
    for chunk in files.chunks(path):
        start, end = chunk.find(b"\n") + 1, chunk.rfind(b"\n") + 1
        if end:
            yield memoryview(b"".join((*rest, chunk[:start])))
            yield memoryview(chunk)[start:end]
            rest, size = [], 0
        rest.append(chunk[end:])
        size += len(chunk) - end
        if size > LINE_BYTES:
            raise ArtifactError(
                f"{files.shown(path)}: has a line of more than {LINE_BYTES >> 20} MiB, which no "
                "sample of lm-eval has. Check the step that wrote it."
            )
    yield memoryview(b"".join(rest))


def _line_type(metrics: Sequence[str], *, has_rule: bool) -> type[Any]:
    """Return the type of a line with the values of these metrics, by their order.

    Everything else in a line is passed over without being decoded.
    """
    texts = ("arguments", "doc") if has_rule else ()
    own = {f"value_{at}": metric for at, metric in enumerate(metrics)}
    reserved = {*Sample.__struct_fields__, *texts}
    return msgspec.defstruct(
        "ScoredSample",
        [
            *((name, msgspec.Raw, msgspec.Raw()) for name in texts),
            *((name, Any, None) for name in own),
        ],
        bases=(Sample,),
        rename={name: metric for name, metric in own.items() if metric not in reserved},
    )


def _filter_namer(filters: Sequence[str]) -> Callable[[Sample], str]:
    """Return a function that names the filter of a line that doesn't, as in 0.4.5.

    It is called once for each line, in their order: those of a document are in the order of the
    task's filters.
    """
    seen: Counter[int | str] = Counter()

    def name(sample: Sample) -> str:
        at = seen[sample.doc_id]
        seen[sample.doc_id] += 1
        return filters[at] if at < len(filters) else NO_FILTER

    return name


def _input_hash(sample: Sample) -> str | None:
    """Return the hash of document and prompt; None if the line has none."""
    if sample.doc_hash is None or sample.prompt_hash is None:
        return None
    return text_hash(sample.doc_hash + sample.prompt_hash)


def _number(value: object) -> float | None:
    if type(value) is float and math.isfinite(value):  # the commonest, and quick to find out
        return value
    number = float(value) if isinstance(value, bool) else read_number(value)
    return number if isinstance(number, float) else None


def _instances(task: str, rows: _Rows, at: int) -> Instances | None:
    """Return the instances with a number, in the order of their documents; None without any."""
    values = rows.values[at]
    order = [place for place, value in enumerate(values) if value is not None]
    if not order:
        return None
    if not _are_ascending(rows.id):
        order.sort(key=lambda place: _sort_key(rows.id[place]))
    identities = tuple(str(rows.id[place]) for place in order)
    return Instances(
        stratum=(task,) * len(order),
        id=identities,
        trial=(0,) * len(order),
        input=tuple(rows.input[place] for place in order),
        cluster=tuple(
            rows.cluster[place] or identity
            for place, identity in zip(order, identities, strict=True)
        ),
        value=tuple(value for place in order if (value := values[place]) is not None),
    )


def _are_ascending(identities: Sequence[int | str]) -> bool:
    numbers = [one for one in identities if isinstance(one, int)]
    return len(numbers) == len(identities) and all(map(le, numbers, numbers[1:]))


def _sort_key(identity: int | str) -> tuple[bool, int, str]:
    return (True, 0, identity) if isinstance(identity, str) else (False, identity, "")


def _cluster_finder(rule: str | None) -> Callable[[Any], str | None] | None:
    return clusters.finder(
        rule,
        record="doc",
        value_of=lambda sample: decode_raw(sample.doc),
        text_of=lambda sample: prompt(decode_raw(sample.arguments)) or "",
    )


def decode_raw(raw: msgspec.Raw) -> object:
    """Return a part of a line; None if the line lacks it."""
    return decode_with_nan(bytes(raw), _ANY) if bytes(raw) else None


def prompt(arguments: object) -> str | None:
    """Return the prompt among a line's `arguments`; None if there is none."""
    first = arguments.get("gen_args_0") if isinstance(arguments, dict) else None
    text = first.get("arg_0") if isinstance(first, dict) else None
    # A chat is a list that holds its JSON.
    if isinstance(text, list) and text:
        text = text[0]
    return text if isinstance(text, str) else None


def _cluster_notes(task: SamplesFile, rows: Iterable[_Rows]) -> tuple[str, ...]:
    if any(cluster is not None for one in rows for cluster in one.cluster):
        return ()
    return (clusters.describe_unmatched(task.rule, task.task),)
