"""The evaluations in lm-eval's output."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
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
from helm_wandb.harness.names import benchmark_name, metric_name
from helm_wandb.harness.output import open_entry, open_output
from helm_wandb.harness.parallel import map_parallel
from helm_wandb.model import Reading, Score, ScoreKey
from helm_wandb.sources.lm_eval.entry import LmEval
from helm_wandb.sources.lm_eval.formats import Results
from helm_wandb.sources.lm_eval.instances import instances_of
from helm_wandb.sources.lm_eval.runs import Run, find_runs
from helm_wandb.sources.lm_eval.samples import NO_FILTER, SamplesFile, TaskSamples, read_samples
from helm_wandb.sources.lm_eval.scores import describe_absence, find_key, read_score, scored_leaves
from helm_wandb.sources.lm_eval.settings import fingerprint
from helm_wandb.sources.lm_eval.tasks import metric_keys
from helm_wandb.text.patterns import Pattern
from helm_wandb.text.words import join_truncated

_ABSENT = "lm-eval has no result of it for this model"
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


Scores = dict[ScoreKey, "Score | str"]
"""Scores, or why there is none."""


def read(spec: LmEval, options: ReadOptions) -> Reading:
    """Return the evaluations of the entry's models, each with all scores that the entry names.

    A value is lm-eval's own number. A score that the output lacks is in `missing`, with the reason.
    Raises ArtifactError if the output or all scores are absent, or no results can be read;
    ConfigError if the entry does not say which model it means.
    """
    with open_entry(spec, options.folder, open_output) as files:
        output = Output.read(spec, files)
        scores, found = output.scores()
        faults, notes = list(output.faults), list(output.notes)
        if options.with_details:
            wanted = families.latest_ids(output.checkpoints, spec, count=DETAILED_ITERATIONS)
            detailed = _Details(files, {model: found[model] for model in wanted}, options.clusters)
            detailed.read(options.progress)
            scores |= {model: detailed.scores(model, scores[model]) for model in wanted}
            faults += detailed.faults
            notes += detailed.notes
    evaluations = build_evaluations(spec, output.checkpoints, scores, source="lm_eval")
    return Reading(evaluations=evaluations, faults=tuple(faults), notes=tuple(notes))


class Output:
    """lm-eval's output, and what an entry means of it."""

    def __init__(
        self,
        spec: LmEval,
        by_model: Mapping[str, Mapping[str, Run]],
        *,
        faults: Iterable[str],
        notes: Iterable[str],
    ) -> None:
        self._spec = spec
        self.faults = list(faults)
        self.notes = list(notes)
        self.checkpoints = families.assign(by_model, spec)
        """Model id → checkpoint, of the models that the entry means."""
        self._tasks = {model: by_model[model] for model in self.checkpoints}
        self.notes += describe_others(by_model, self.checkpoints, spec, where=spec.output_dir)

    @classmethod
    def read(cls, spec: LmEval, files: Files) -> Output:
        """Return the output; raise ArtifactError if it holds no results, or absurd names."""
        pattern = Pattern.compile(spec.iteration_pattern) if spec.iteration_pattern else None
        runs = find_runs(files, pattern, shown_as=spec.output_dir)
        names = [*runs.by_model, *(task for tasks in runs.by_model.values() for task in tasks)]
        refuse_long_names(
            names,
            owner=f"{spec.place}: lm-eval's output",
            advice="Give the model or task a shorter one, and run lm_eval again.",
        )
        return cls(spec, runs.by_model, faults=runs.faults, notes=runs.notes)

    def scores(self) -> tuple[dict[str, Scores], dict[str, dict[ScoreKey, Found]]]:
        """Return each model's scores, and where they were found.

        Raises ArtifactError if there is no score at all.
        """
        found = {model: self._find(tasks) for model, tasks in self._tasks.items()}
        keys = self._spec.score_keys or dict.fromkeys(key for one in found.values() for key in one)
        scores: dict[str, Scores] = {}
        for model, places in found.items():
            scores[model] = dict.fromkeys(keys, _ABSENT)
            for key, place in places.items():
                scores[model][key] = (
                    place
                    if isinstance(place, str)
                    else read_score(place.key, place.task, place.run.results)
                )
        if not any(isinstance(score, Score) for one in scores.values() for score in one.values()):
            nothing = describe_nothing(self._spec, scores, self._benchmarks())
            raise ArtifactError(*(self.faults or [nothing]))
        self.notes += describe_absent(self._spec, found, self._benchmarks())
        self._note_limit(found)
        return scores, {
            model: {key: place for key, place in places.items() if isinstance(place, Found)}
            for model, places in found.items()
        }

    def _find(self, tasks: Mapping[str, Run]) -> dict[ScoreKey, Found | str]:
        """Return where the scores of a model are that the entry names, or all."""
        by_name = self._by_name(tasks)
        if not self._spec.score_keys:
            return {
                ScoreKey(name, metric_name(key)): Found(tasks[task], task, key)
                for name, task in by_name.items()
                for key in metric_keys(tasks[task].results.results[task])
            }
        found: dict[ScoreKey, Found | str] = {}
        for key in self._spec.score_keys:
            if task := by_name.get(key.benchmark):
                results = tasks[task].results
                own = find_key(key.metric, task, results)
                found[key] = (
                    Found(tasks[task], task, own)
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

    def _benchmarks(self) -> list[str]:
        return sorted({benchmark_name(task) for tasks in self._tasks.values() for task in tasks})

    def _note_limit(self, found: Mapping[str, Mapping[ScoreKey, object]]) -> None:
        """Add a note on the tasks that lm-eval evaluated only in part."""
        limited = [
            f"{benchmark_name(leaf)} {counts.effective} of {counts.original}"
            for places in found.values()
            for place in places.values()
            if isinstance(place, Found)
            for leaf in place.leaves
            if (counts := place.run.results.n_samples.get(leaf)) and counts.is_limited
        ]
        if limited:
            several = join_truncated(list(dict.fromkeys(limited)))
            self.notes.append(f"lm-eval ran with --limit; documents that it evaluated: {several}.")


class _Details:
    """The samples of several models, each file read once."""

    def __init__(
        self,
        files: Files,
        found: Mapping[str, Mapping[ScoreKey, Found]],
        clusters: Mapping[str, str],
    ) -> None:
        self._files = files
        self._found = found
        self._clusters = clusters
        self._samples: dict[str, TaskSamples | str] = {}
        """Path of a samples file → its samples, or why there are none."""
        self.faults: list[str] = []
        self.notes: list[str] = []

    def read(self, progress: Callable[[int, int], None]) -> None:
        """Read all samples files."""
        tasks = self._tasks()
        results = map_parallel(partial(read_samples, files=self._files), tasks, progress=progress)
        for task, samples in zip(tasks, results, strict=True):
            if isinstance(samples, ArtifactError):
                self.faults.append(str(samples))
                self._samples[task.path] = str(samples)
            else:
                self._samples[task.path] = samples
                self.notes += [samples.note] if samples.note else []

    def scores(self, model: str, scores: Scores) -> Scores:
        """Return the model's scores with fingerprints and instances."""
        return {
            key: self._with_details(score, self._found[model][key])
            if isinstance(score, Score)
            else score
            for key, score in scores.items()
        }

    def _tasks(self) -> list[SamplesFile]:
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
            if self._files.is_file(path)
        ]

    def _places(self) -> Iterator[tuple[Found, str | None]]:
        """Yield each score's place, and its rule for clusters; those of single tasks first."""
        places = [place for found in self._found.values() for place in found.items()]
        for key, place in sorted(places, key=lambda one: len(one[1].leaves)):
            yield place, self._clusters.get(key.benchmark)

    def _with_details(self, score: Score, place: Found) -> Score:
        results = place.run.results
        score = replace(score, fingerprint=fingerprint(place.leaves, results))
        instances = instances_of(
            place.key,
            place.task,
            results,
            lambda leaf: self._samples.get(place.run.samples_path(leaf), _NO_SAMPLES.format(leaf)),
            value=score.value,
        )
        if isinstance(instances, str):
            return replace(score, no_instances=instances)
        return replace(
            score, instances=instances, n=len(instances.id) if score.n is None else score.n
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
