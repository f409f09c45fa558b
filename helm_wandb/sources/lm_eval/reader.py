"""The evaluations in lm-eval's output."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from helm_wandb.errors import ArtifactError
from helm_wandb.harness.entry import ReadOptions
from helm_wandb.harness.names import benchmark_name, metric_name
from helm_wandb.harness.output import open_output
from helm_wandb.harness.task_output import TaskDetails, TaskOutput, read_tasks
from helm_wandb.model import Instances, Reading, Score, ScoreKey
from helm_wandb.sources.lm_eval import samples, settings
from helm_wandb.sources.lm_eval.entry import LmEval
from helm_wandb.sources.lm_eval.formats import Results
from helm_wandb.sources.lm_eval.instances import instances_of
from helm_wandb.sources.lm_eval.runs import Run, find_runs
from helm_wandb.sources.lm_eval.samples import NO_FILTER, SamplesFile, TaskSamples
from helm_wandb.sources.lm_eval.scores import describe_absence, find_key, read_score, scored_leaves
from helm_wandb.sources.lm_eval.tasks import metric_keys
from helm_wandb.text.words import join_truncated

_NO_SAMPLES = "lm-eval wrote no samples of {}: run it with --log_samples"


class Found(NamedTuple):
    """Where a score is."""

    run: Run
    task: str
    """The task or group, as lm-eval calls it."""
    key: str
    """lm-eval's name of metric and filter, as `acc,none`."""

    @property
    def leaves(self) -> list[str]:
        """The tasks that the score is over."""
        return scored_leaves(self.key, self.task, self.run.results)


def read(spec: LmEval, options: ReadOptions) -> Reading:
    """Return the evaluations of the models, with lm-eval's own numbers; see `read_tasks`."""
    return read_tasks(
        spec,
        options,
        source="lm_eval",
        opened=open_output,
        read_output=Output.read,
        create_details=_Details,
    )


class Output(TaskOutput[Run, Found]):
    """lm-eval's output, and what an entry means of it."""

    OWNER = "lm-eval's output"
    LONG_NAME_ADVICE = "Give the model or task a shorter one, and run lm_eval again."
    ABSENT = "lm-eval has no result of it for this model"
    FIND_RUNS = staticmethod(find_runs)

    def find(self, runs: Mapping[str, Run]) -> dict[ScoreKey, Found | str]:
        """Return where the scores of a model are that the entry names, or all."""
        by_name = self._by_name(runs)
        if not self.spec.score_keys:
            return {
                ScoreKey(name, metric_name(key)): Found(runs[task], task, key)
                for name, task in by_name.items()
                for key in metric_keys(runs[task].results.results[task])
            }
        found: dict[ScoreKey, Found | str] = {}
        for key in self.spec.score_keys:
            if task := by_name.get(key.benchmark):
                results = runs[task].results
                own = find_key(key.metric, task, results)
                found[key] = (
                    Found(runs[task], task, own)
                    if own
                    else describe_absence(key.metric, task, results)
                )
        return found

    def _by_name(self, tasks: Collection[str]) -> dict[str, str]:
        """Return the tasks by the names that they are recorded under; a note has what is lost."""
        by_name: dict[str, str] = {}
        for task in tasks:
            name = benchmark_name(task)
            if name == task or name not in tasks:
                by_name.setdefault(name, task)
        if lost := [task for task in tasks if by_name[benchmark_name(task)] != task]:
            self.notes.append(
                f"Not read, because another task has the same name in a config: "
                f"{join_truncated(lost)}."
            )
        return by_name

    def read_score(self, place: Found) -> Score | str:
        """Return lm-eval's own number, or why there is none."""
        return read_score(place.key, place.task, place.run.results)

    def benchmarks(self) -> list[str]:
        """Return the names of tasks and groups."""
        return sorted({benchmark_name(task) for runs in self.runs.values() for task in runs})

    def describe_partial(self, places: Sequence[tuple[ScoreKey, Found]]) -> list[str]:
        """Return a note on the tasks of which lm-eval evaluated some documents only."""
        limited = [
            f"{benchmark_name(leaf)} {counts.effective} of {counts.original}"
            for _, place in places
            for leaf in place.leaves
            if (counts := place.run.results.n_samples.get(leaf)) and counts.is_limited
        ]
        several = join_truncated(list(dict.fromkeys(limited)))
        note = f"lm-eval ran with --limit; documents that it evaluated: {several}."
        return [note] if limited else []


class _Details(TaskDetails[Found, SamplesFile, TaskSamples]):
    """The samples of several models."""

    def samples_files(self) -> list[SamplesFile]:
        """Return the samples files that are there, with all scores that are read of each."""
        keys: dict[tuple[str, str], list[str]] = defaultdict(list)
        rules: dict[str, str] = {}
        runs: dict[str, Run] = {}
        for place, rule in self._places():
            for leaf in place.leaves:
                path = place.run.samples_path(leaf)
                keys[path, leaf].append(place.key)
                runs[path] = place.run
                if rule is not None:
                    rules.setdefault(path, rule)
        return [
            SamplesFile(
                path=path,
                task=leaf,
                keys=tuple(dict.fromkeys(own)),
                filters=_filters(leaf, runs[path].results),
                rule=rules.get(path),
            )
            for (path, leaf), own in keys.items()
            if self.files.is_file(path)
        ]

    def _places(self) -> Iterator[tuple[Found, str | None]]:
        """Yield each score's place, and its rule for clusters; those of single tasks first."""
        places = [place for found in self.found.values() for place in found.items()]
        for key, place in sorted(places, key=lambda one: len(one[1].leaves)):
            yield place, self.clusters.get(key.benchmark)

    def read_samples(self, file: SamplesFile) -> TaskSamples | ArtifactError:
        """Return the file's samples, or what cannot be read."""
        return samples.read_samples(file, files=self.files)

    def fingerprint(self, place: Found) -> Mapping[str, object]:
        """Return the settings of the score's tasks."""
        return settings.fingerprint(place.leaves, place.run.results)

    def instances(self, place: Found, value: float) -> Instances | str:
        """Return the instances that make the score's value, or why there are none."""
        return instances_of(
            place.key,
            place.task,
            place.run.results,
            lambda leaf: self.samples.get(place.run.samples_path(leaf), _NO_SAMPLES.format(leaf)),
            value=value,
        )


def _filters(task: str, results: Results) -> tuple[str, ...]:
    """Return the names of the task's filters, in their order."""
    filters = results.configs.get(task, {}).get("filter_list")
    names = [
        one["name"]
        for one in (filters if isinstance(filters, list) else ())
        if isinstance(one, dict) and isinstance(one.get("name"), str)
    ]
    return tuple(names) or (NO_FILTER,)
