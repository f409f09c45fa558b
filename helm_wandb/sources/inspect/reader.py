"""The evaluations in Inspect's logs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from helm_wandb.errors import ArtifactError
from helm_wandb.harness.entry import ReadOptions
from helm_wandb.harness.task_output import TaskDetails, TaskOutput, read_tasks
from helm_wandb.model import Instances, Reading, Score, ScoreKey
from helm_wandb.sources.inspect import settings
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
from helm_wandb.text.words import join_truncated


class Found(NamedTuple):
    """Where a score is."""

    log: Log
    name: str
    """The metric's full name, as `match.accuracy`."""
    named: Named


def read(spec: InspectEval, options: ReadOptions) -> Reading:
    """Return the evaluations of the models, with Inspect's own numbers; see `read_tasks`."""
    return read_tasks(
        spec,
        options,
        source="inspect",
        opened=open_logs,
        read_output=Output.read,
        create_details=_Details,
    )


class Output(TaskOutput[Log, Found]):
    """Inspect's logs, and what an entry means of them."""

    OWNER = "Inspect's log"
    LONG_NAME_ADVICE = "Give the model or task a shorter one, and run inspect eval again."
    ABSENT = "there is no log of it for this model"
    FIND_RUNS = staticmethod(find_logs)

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """Task → the name that it is recorded under."""
        return benchmark_names({task for logs in self.runs.values() for task in logs})

    def find(self, runs: Mapping[str, Log]) -> dict[ScoreKey, Found | str]:
        """Return where the scores of a model are that the entry names, or all."""
        metrics = {
            self._names[task]: (log, named_metrics(log.header.results or Results()))
            for task, log in runs.items()
        }
        if not self.spec.score_keys:
            return {
                ScoreKey(benchmark, name): Found(log, name, one)
                for benchmark, (log, named) in metrics.items()
                for name, one in named.items()
                if not one.is_spread and not one.is_part
            }
        found: dict[ScoreKey, Found | str] = {}
        for key in self.spec.score_keys:
            if key.benchmark in metrics:
                log, named = metrics[key.benchmark]
                name = find_name(key.metric, named)
                found[key] = (
                    Found(log, name, named[name]) if name else _describe_absence(key.metric, named)
                )
        return found

    def read_score(self, place: Found) -> Score | str:
        """Return Inspect's own number, or why there is none."""
        return read_score(place.named)

    def benchmarks(self) -> list[str]:
        """Return the names of the tasks."""
        return sorted(self._names.values())

    def describe_partial(self, places: Sequence[tuple[ScoreKey, Found]]) -> list[str]:
        """Return a note on the samples that Inspect left out of a score."""
        unscored = [
            f"{key.benchmark}.{score.name} {score.unscored_samples} of "
            f"{score.unscored_samples + (score.scored_samples or 0)}"
            for key, place in places
            if (score := place.named.score).unscored_samples
        ]
        several = join_truncated(list(dict.fromkeys(unscored)))
        note = f"Samples without a score, which Inspect leaves out: {several}."
        return [note] if unscored else []


def _describe_absence(metric: str, named: Mapping[str, Named]) -> str:
    """Return why `find_name` finds no metric."""
    if several := matching_names(metric, named):
        return f"Inspect has several of that name: name one of {'; '.join(several)}"
    return f"Inspect has no such metric of this task; it has: {'; '.join(named) or 'none'}"


class _Details(TaskDetails[Found, LogSamples, LogInstances]):
    """The samples of several models."""

    def samples_files(self) -> list[LogSamples]:
        """Return the logs, each with all metrics that are read of it."""
        metrics: dict[str, dict[str, tuple[Named, float]]] = defaultdict(dict)
        benchmarks: dict[str, str] = {}
        for places in self.found.values():
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
                rule=self.clusters.get(benchmarks[path]),
            )
            for path, own in metrics.items()
        ]

    def read_samples(self, file: LogSamples) -> LogInstances | ArtifactError:
        """Return the log's instances, or what cannot be read."""
        return read_instances(file, files=self.files)

    def fingerprint(self, place: Found) -> Mapping[str, object]:
        """Return the settings of the score's task."""
        return settings.fingerprint(place.log.header, place.named.score)

    def instances(self, place: Found, value: float) -> Instances | str:  # noqa: ARG002 -- read with it
        """Return the instances that make the score's value, or why there are none."""
        found = self.samples[place.log.path]
        return found if isinstance(found, str) else found.instances[place.name]
