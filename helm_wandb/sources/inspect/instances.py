"""Instances of scores: the samples of a log, with the values that make its metrics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any, NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from helm_wandb.errors import ArtifactError
from helm_wandb.harness import clusters
from helm_wandb.harness.files import Files
from helm_wandb.harness.instances import text_hash
from helm_wandb.model import Instances
from helm_wandb.sources.inspect.formats import EvalScore, Sample
from helm_wandb.sources.inspect.log_files import LogFile, open_log
from helm_wandb.sources.inspect.messages import input_text, question
from helm_wandb.sources.inspect.names import Named
from helm_wandb.sources.inspect.scores import read_value

_NO_VALUES = "Inspect wrote no per-sample values of it"
_RECORD = "metadata"
"""The name of a sample's record in rules for clusters."""


class LogSamples(Struct, frozen=True, kw_only=True):
    """A log, and what is read of its samples."""

    path: str
    benchmark: str
    metrics: Mapping[str, tuple[Named, float]]
    """Metrics by their names, with their values."""
    rule: str | None
    """The config's rule for clusters."""


class LogInstances(Struct, frozen=True):
    """The instances of a log's metrics."""

    instances: Mapping[str, Instances | str]
    """Name of the metric → its instances, or why there are none."""
    notes: tuple[str, ...]


class _Question(NamedTuple):
    """What is known of a sample besides its scores."""

    input: str | None
    clusters: Mapping[str, str | None]
    """Rule → cluster."""
    groups: Mapping[str, str]
    """Key of the metadata → value."""


_UNKNOWN = _Question(input=None, clusters={}, groups={})


class _Row(NamedTuple):
    """A sample's score, over its epochs or in one."""

    id: str
    trial: int
    value: Any


class _Samples(Struct, frozen=True):
    """The samples of a log."""

    questions: dict[str, _Question] = field(default_factory=dict)
    rows: dict[str, list[_Row]] = field(default_factory=lambda: defaultdict(list))
    """Scorer → its scores in each epoch."""


def read_instances(log: LogSamples, *, files: Files) -> LogInstances | ArtifactError:
    """Return the instances of the metrics, or what cannot be read."""
    try:
        with open_log(files, log.path) as content:
            return _read(log, content)
    except ArtifactError as error:
        return error


def _read(log: LogSamples, content: LogFile) -> LogInstances:
    rules = {name: log.rule or _own_rule(named.score) for name, (named, _) in log.metrics.items()}
    reductions = {
        (one.scorer, one.reducer): [
            _Row(str(sample.sample_id), 0, sample.value) for sample in one.samples
        ]
        for one in content.reductions()
    }
    samples = _read_samples(log, content, set(rules.values()))
    rows = (row for several in (*reductions.values(), *samples.rows.values()) for row in several)
    ids = short_ids([*samples.questions, *(row.id for row in rows)])
    instances: dict[str, Instances | str] = {}
    for name, (named, value) in log.metrics.items():
        values = _values(named, reductions, samples)
        questions = [samples.questions.get(identity, _UNKNOWN) for identity, *_ in values]
        instances[name] = (
            _choose(
                _columns(log.benchmark, values, questions, ids, rule=rules[name]),
                [one.groups.get(named.group_key or "") for one in questions],
                named,
                value=value,
            )
            if values
            else _NO_VALUES
        )
    return LogInstances(instances, tuple(_notes(log, samples.questions.values())))


def _own_rule(score: EvalScore) -> str | None:
    """Return the rule for clusters by which Inspect computed the score's standard error."""
    for metric in score.metrics.values():
        rule = f"{_RECORD}.{metric.params.get('cluster')}"
        if metric.params.get("cluster") and clusters.is_field(rule, _RECORD):
            return rule
    return None


def _read_samples(log: LogSamples, content: LogFile, rules: Iterable[str | None]) -> _Samples:
    finders = {
        rule: find
        for rule in rules
        if rule
        and (find := clusters.finder(rule, record=_RECORD, value_of=_metadata, text_of=input_text))
    }
    keys = {key for named, _ in log.metrics.values() if isinstance(key := named.group_key, str)}
    samples = _Samples()
    for sample in content.samples(Sample):
        identity = str(sample.id)
        metadata = _metadata(sample)
        samples.questions[identity] = _Question(
            input=text_hash(question(sample)),
            clusters={rule: find(sample) for rule, find in finders.items()},
            groups={
                key: str(metadata[key])
                for key in keys
                if isinstance(metadata.get(key), str | int | float)
            },
        )
        for scorer, score in (sample.scores or {}).items():
            samples.rows[scorer].append(_Row(identity, sample.epoch, score.value))
    return samples


def _metadata(sample: Sample) -> dict[str, Any]:
    return sample.metadata if isinstance(sample.metadata, dict) else {}


def _values(
    named: Named, reductions: Mapping[tuple[str, str | None], list[_Row]], samples: _Samples
) -> list[tuple[str, int, float]]:
    """Return ID, epoch and number of each sample that is scored, in the order of the IDs.

    The epoch is 0 for the score over all epochs, or if there is only one.
    """
    score = named.score
    scorer = score.scorer or score.name
    rows = reductions.get((scorer, score.reducer)) or samples.rows.get(scorer, [])
    if len({row.id for row in rows}) == len(rows):
        rows = [row._replace(trial=0) for row in rows]
    numbers = ((row.id, row.trial, read_value(_part(row.value, score.name))) for row in rows)
    values = [(one, trial, number) for one, trial, number in numbers if number is not None]
    return sorted(values, key=lambda row: (len(row[0]) if row[0].isdecimal() else -1, *row[:2]))


def _part(value: Any, name: str) -> object:  # noqa: ANN401 -- any JSON
    """Return the value, or of a mapping the part that a score is of."""
    return value.get(name) if isinstance(value, dict) else value


def short_ids(ids: Iterable[str]) -> Mapping[str, str]:
    """Return the IDs of samples without zeros in front, if all are numbers.

    Versions of a task differ in whether IDs are numbers, or texts as `0001`.
    """
    unique = set(ids)
    short = {one: one.lstrip("0") or "0" for one in unique if one.isascii() and one.isdigit()}
    is_same = len(short) == len(unique) == len(set(short.values()))
    return short if is_same else {one: one for one in unique}


def _columns(
    benchmark: str,
    values: Sequence[tuple[str, int, float]],
    questions: Sequence[_Question],
    short: Mapping[str, str],
    *,
    rule: str | None,
) -> Instances:
    ids = tuple(short[identity] for identity, *_ in values)
    found = (one.clusters.get(rule) if rule else None for one in questions)
    return Instances(
        stratum=(benchmark,) * len(values),
        id=ids,
        trial=tuple(trial for _, trial, _ in values),
        input=tuple(one.input for one in questions),
        cluster=tuple(cluster or identity for cluster, identity in zip(found, ids, strict=True)),
        value=tuple(number for *_, number in values),
    )


def _choose(
    instances: Instances, groups: Sequence[str | None], named: Named, *, value: float
) -> Instances | str:
    """Return the instances that make the metric, or why there are none.

    value: Inspect's own, which the mean over strata of the means within must reproduce.
    """
    for one in (instances, *_arrangements(instances, groups, named)):
        if one.id and one.has_mean(value):
            return one
    return f"the mean of its samples is {instances.mean():.6g}, and the score is {value:.6g}"


def _arrangements(
    instances: Instances, groups: Sequence[str | None], named: Named
) -> Iterator[Instances]:
    """Yield the instances as `grouped` may have arranged them: by groups, or those of one group."""
    if None in groups:
        return
    yield replace(instances, stratum=tuple(map(str, groups)))
    template = named.metric.params.get("name_template", "{group_name}")
    names = {group: str(template).replace("{group_name}", str(group)) for group in groups}
    chosen = [names[group] == named.metric.name for group in groups]
    yield Instances(
        stratum=tuple(compress(instances.stratum, chosen)),
        id=tuple(compress(instances.id, chosen)),
        trial=tuple(compress(instances.trial, chosen)),
        input=tuple(compress(instances.input, chosen)),
        cluster=tuple(compress(instances.cluster, chosen)),
        value=tuple(compress(instances.value, chosen)),
    )


def _notes(log: LogSamples, questions: Collection[_Question]) -> Iterator[str]:
    if not questions:
        yield (
            f"{log.benchmark}: the log has no samples (--no-log-samples), so questions are paired "
            "by ID alone, and each counts as independent."
        )
    elif log.rule and all(one.clusters.get(log.rule, "") is None for one in questions):
        yield clusters.describe_unmatched(log.rule, log.benchmark)
