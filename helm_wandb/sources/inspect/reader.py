"""The evaluations in Inspect's logs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from helm_wandb.errors import ArtifactError
from helm_wandb.harness import families
from helm_wandb.harness.entry import ReadOptions
from helm_wandb.harness.evaluations import (
    DETAILED_ITERATIONS,
    build_evaluations,
    describe_absent,
    describe_nothing,
    describe_others,
    refuse_long_names,
)
from helm_wandb.harness.files import Files
from helm_wandb.harness.output import open_entry
from helm_wandb.harness.parallel import map_parallel
from helm_wandb.model import Reading, Score, ScoreKey
from helm_wandb.sources.inspect.entry import InspectEval
from helm_wandb.sources.inspect.formats import Results
from helm_wandb.sources.inspect.instances import LogInstances, LogSamples, read_instances
from helm_wandb.sources.inspect.log_files import open_logs
from helm_wandb.sources.inspect.logs import Log, find_logs
from helm_wandb.sources.inspect.names import (
    Named,
    benchmark_names,
    find_name,
    matching_names,
    named_metrics,
)
from helm_wandb.sources.inspect.scores import read_score
from helm_wandb.sources.inspect.settings import fingerprint
from helm_wandb.text.patterns import Pattern
from helm_wandb.text.words import join_truncated

_ABSENT = "there is no log of it for this model"


Scores = dict[ScoreKey, "Score | str"]
"""Scores, or why there is none."""


class Found(NamedTuple):
    """Where a score is."""

    log: Log
    name: str
    """The metric's full name, as `match.accuracy`."""
    named: Named


def read(spec: InspectEval, options: ReadOptions) -> Reading:
    """Return the evaluations of the entry's models, each with all scores that the entry names.

    A value is Inspect's own number. A score that the logs lack is in `missing`, with the reason.
    Raises ArtifactError if the logs or all scores are absent, or no log can be read;
    ConfigError if the entry does not say which model it means.
    """
    with open_entry(spec, options.folder, open_logs) as files:
        output = Output.read(spec, files)
        scores, found = output.scores()
        faults, notes = list(output.faults), list(output.notes)
        if options.with_details:
            wanted = families.latest_ids(output.checkpoints, spec, count=DETAILED_ITERATIONS)
            details = _Details({model: found[model] for model in wanted}, options.clusters)
            details.read(files, options)
            scores |= {model: details.scores(model, scores[model]) for model in wanted}
            faults += details.faults
            notes += details.notes
    evaluations = build_evaluations(spec, output.checkpoints, scores, source="inspect")
    return Reading(evaluations=evaluations, faults=tuple(faults), notes=tuple(notes))


class Output:
    """Inspect's logs, and what an entry means of them."""

    def __init__(
        self,
        spec: InspectEval,
        by_model: Mapping[str, Mapping[str, Log]],
        *,
        faults: Iterable[str],
        notes: Iterable[str],
    ) -> None:
        self._spec = spec
        self.faults = list(faults)
        self.notes = list(notes)
        self.checkpoints = families.assign(by_model, spec)
        """Model ID → checkpoint, of the models that the entry means."""
        self._logs = {model: by_model[model] for model in self.checkpoints}
        self._names = benchmark_names({task for logs in self._logs.values() for task in logs})
        self.notes += describe_others(by_model, self.checkpoints, spec, where=spec.output_dir)

    @classmethod
    def read(cls, spec: InspectEval, files: Files) -> Output:
        """Return the output; raise ArtifactError if it holds no whole log, or absurd names."""
        pattern = Pattern.compile(spec.iteration_pattern) if spec.iteration_pattern else None
        logs = find_logs(files, pattern, shown_as=spec.output_dir)
        names = [*logs.by_model, *(task for tasks in logs.by_model.values() for task in tasks)]
        refuse_long_names(
            names,
            owner=f"{spec.place}: Inspect's log",
            advice="Give the model or task a shorter one, and run inspect eval again.",
        )
        return cls(spec, logs.by_model, faults=logs.faults, notes=logs.notes)

    def scores(self) -> tuple[dict[str, Scores], dict[str, dict[ScoreKey, Found]]]:
        """Return each model's scores, and where they were found.

        Raises ArtifactError if there is no score at all.
        """
        found = {model: self._find(logs) for model, logs in self._logs.items()}
        keys = self._spec.score_keys or dict.fromkeys(key for one in found.values() for key in one)
        scores: dict[str, Scores] = {
            model: {
                **dict.fromkeys(keys, _ABSENT),
                **{
                    key: place if isinstance(place, str) else read_score(place.named)
                    for key, place in places.items()
                },
            }
            for model, places in found.items()
        }
        benchmarks = sorted(self._names.values())
        if not any(isinstance(score, Score) for one in scores.values() for score in one.values()):
            nothing = describe_nothing(self._spec, scores, benchmarks)
            raise ArtifactError(*(self.faults or [nothing]))
        self.notes += describe_absent(self._spec, found, benchmarks)
        places = {
            model: {key: place for key, place in one.items() if isinstance(place, Found)}
            for model, one in found.items()
        }
        self._note_unscored(places)
        return scores, places

    def _find(self, logs: Mapping[str, Log]) -> dict[ScoreKey, Found | str]:
        """Return where the scores of a model are that the entry names, or all."""
        metrics = {
            self._names[task]: (log, named_metrics(log.header.results or Results()))
            for task, log in logs.items()
        }
        if not self._spec.score_keys:
            return {
                ScoreKey(benchmark, name): Found(log, name, one)
                for benchmark, (log, named) in metrics.items()
                for name, one in named.items()
                if not one.is_spread and not one.is_part
            }
        found: dict[ScoreKey, Found | str] = {}
        for key in self._spec.score_keys:
            if key.benchmark in metrics:
                log, named = metrics[key.benchmark]
                name = find_name(key.metric, named)
                found[key] = (
                    Found(log, name, named[name]) if name else _describe_absence(key.metric, named)
                )
        return found

    def _note_unscored(self, found: Mapping[str, Mapping[ScoreKey, Found]]) -> None:
        """Add a note on the samples that Inspect left out of a score."""
        unscored = [
            f"{key.benchmark}.{score.name} {score.unscored_samples} of "
            f"{score.unscored_samples + (score.scored_samples or 0)}"
            for places in found.values()
            for key, place in places.items()
            if (score := place.named.score).unscored_samples
        ]
        if unscored:
            several = join_truncated(list(dict.fromkeys(unscored)))
            self.notes.append(f"Samples without a score, which Inspect leaves out: {several}.")


def _describe_absence(metric: str, named: Mapping[str, Named]) -> str:
    """Return why `find_name` finds no metric."""
    if several := matching_names(metric, named):
        return f"Inspect has several of that name: name one of {'; '.join(several)}"
    return f"Inspect has no such metric of this task; it has: {'; '.join(named) or 'none'}"


class _Details:
    """The samples of several models, each log read once."""

    def __init__(
        self, found: Mapping[str, Mapping[ScoreKey, Found]], clusters: Mapping[str, str]
    ) -> None:
        self._found = found
        self._clusters = clusters
        self._instances: dict[str, LogInstances | str] = {}
        """Path of a log → its instances, or why there are none."""
        self.faults: list[str] = []
        self.notes: list[str] = []

    def read(self, files: Files, options: ReadOptions) -> None:
        """Read the samples of all logs."""
        logs = self._logs()
        results = map_parallel(
            partial(read_instances, files=files), logs, progress=options.progress
        )
        for log, instances in zip(logs, results, strict=True):
            if isinstance(instances, ArtifactError):
                self.faults += instances.lines
                self._instances[log.path] = str(instances)
            else:
                self.notes += instances.notes
                self._instances[log.path] = instances

    def scores(self, model: str, scores: Scores) -> Scores:
        """Return the model's scores with fingerprints and instances."""
        return {
            key: self._with_details(score, self._found[model][key])
            if isinstance(score, Score)
            else score
            for key, score in scores.items()
        }

    def _logs(self) -> list[LogSamples]:
        """Return the logs, each with all metrics that are read of it."""
        metrics: dict[str, dict[str, tuple[Named, float]]] = defaultdict(dict)
        benchmarks: dict[str, str] = {}
        for places in self._found.values():
            for key, place in places.items():
                score = read_score(place.named)
                if isinstance(score, Score):
                    metrics[place.log.path][place.name] = place.named, score.value
                    benchmarks[place.log.path] = key.benchmark
        return [
            LogSamples(
                path=path,
                benchmark=benchmarks[path],
                metrics=own,
                rule=self._clusters.get(benchmarks[path]),
            )
            for path, own in metrics.items()
        ]

    def _with_details(self, score: Score, place: Found) -> Score:
        score = replace(score, fingerprint=fingerprint(place.log.header, place.named.score))
        found = self._instances[place.log.path]
        instances = found if isinstance(found, str) else found.instances[place.name]
        if isinstance(instances, str):
            return replace(score, no_instances=instances)
        return replace(
            score, instances=instances, n=len(instances.id) if score.n is None else score.n
        )
