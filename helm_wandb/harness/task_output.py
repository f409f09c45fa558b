"""Output of tasks: what the readers of lm-eval and Inspect, which have no suites, do alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from helm_wandb.errors import ArtifactError
from helm_wandb.harness import families
from helm_wandb.harness.entry import HarnessEval, ReadOptions
from helm_wandb.harness.evaluations import (
    DETAILED_ITERATIONS,
    build_evaluations,
    describe_absent,
    describe_nothing,
    describe_others,
    model_ids,
    refuse_long_names,
)
from helm_wandb.harness.files import Files
from helm_wandb.harness.output import open_entry
from helm_wandb.harness.parallel import map_parallel
from helm_wandb.model import Instances, Reading, Score, ScoreKey

Scores = dict[ScoreKey, "Score | str"]
"""Scores, or why there is none."""

_Spec = TypeVar("_Spec", bound=HarnessEval)
_Run = TypeVar("_Run")
_Place = TypeVar("_Place")
"""Where a score is: not a text, as the reason why there is none is one."""


class _SamplesFile(Protocol):
    @property
    def path(self) -> str: ...


class _Samples(Protocol):
    @property
    def notes(self) -> tuple[str, ...]: ...


_AnyFile = TypeVar("_AnyFile", bound=_SamplesFile)
_AnySamples = TypeVar("_AnySamples", bound=_Samples)


class TaskRuns(Struct, Generic[_Run], frozen=True, kw_only=True):
    """All files with results that can be read."""

    by_model: Mapping[str, Mapping[str, _Run]]
    """Model ID → task → the newest run that has it."""
    faults: tuple[str, ...]
    notes: tuple[str, ...]


class TaskOutput(ABC, Generic[_Run, _Place]):
    """A harness's output, and what an entry means of it."""

    OWNER: ClassVar[str]
    """The output, in a message on its names."""
    LONG_NAME_ADVICE: ClassVar[str]
    ABSENT: ClassVar[str]
    """Why a model lacks a score that others have."""
    FIND_RUNS: ClassVar[Callable[..., TaskRuns[Any]]]
    """Returns the newest runs in files; raises ArtifactError if there is none."""

    @classmethod
    def read(cls, spec: HarnessEval, files: Files) -> Self:
        """Return the output; raise ArtifactError if it holds no results, or absurd names."""
        return cls(spec, cls.FIND_RUNS(files, spec.pattern, shown_as=spec.output_dir))

    def __init__(self, spec: HarnessEval, runs: TaskRuns[_Run]) -> None:
        """Take what the entry means; raise ArtifactError if a name is too long."""
        names = [*runs.by_model, *(task for tasks in runs.by_model.values() for task in tasks)]
        refuse_long_names(names, owner=f"{spec.place}: {self.OWNER}", advice=self.LONG_NAME_ADVICE)
        self.spec = spec
        self.faults = list(runs.faults)
        self.notes = list(runs.notes)
        self.checkpoints = families.assign(runs.by_model, spec)
        """Model ID → checkpoint, of the models that the entry means."""
        self.runs = {model: runs.by_model[model] for model in self.checkpoints}
        self.notes += describe_others(runs.by_model, self.checkpoints, spec, where=spec.output_dir)

    def scores(self) -> tuple[dict[str, Scores], dict[str, dict[ScoreKey, _Place]]]:
        """Return each model's scores, and where they were found.

        Raises ArtifactError if there is no score at all.
        """
        found = {model: self.find(runs) for model, runs in self.runs.items()}
        keys = self.spec.score_keys or dict.fromkeys(key for one in found.values() for key in one)
        scores: dict[str, Scores] = {model: dict.fromkeys(keys, self.ABSENT) for model in found}
        places: dict[str, dict[ScoreKey, _Place]] = {model: {} for model in found}
        for model, of_model in found.items():
            for key, place in of_model.items():
                if isinstance(place, str):
                    scores[model][key] = place
                else:
                    scores[model][key] = self.read_score(place)
                    places[model][key] = place
        benchmarks = self.benchmarks()
        if not any(isinstance(score, Score) for one in scores.values() for score in one.values()):
            nothing = describe_nothing(self.spec, scores, benchmarks)
            raise ArtifactError(*(self.faults or [nothing]))
        self.notes += describe_absent(self.spec, found, benchmarks)
        self.notes += self.describe_partial([one for of in places.values() for one in of.items()])
        return scores, places

    @abstractmethod
    def find(self, runs: Mapping[str, _Run]) -> Mapping[ScoreKey, _Place | str]:
        """Return where a model's scores are that the entry names, or all; or why there is none."""

    @abstractmethod
    def read_score(self, place: _Place) -> Score | str:
        """Return the score at the place, or why there is none."""

    @abstractmethod
    def benchmarks(self) -> Sequence[str]:
        """Return the names of the output's benchmarks, in order."""

    @abstractmethod
    def describe_partial(self, places: Sequence[tuple[ScoreKey, _Place]]) -> list[str]:
        """Return a note on what the harness evaluated only in part."""


class TaskDetails(ABC, Generic[_Place, _AnyFile, _AnySamples]):
    """The samples of several models, each file read once."""

    def __init__(
        self,
        files: Files,
        found: Mapping[str, Mapping[ScoreKey, _Place]],
        clusters: Mapping[str, str],
    ) -> None:
        """Read from these files; found: where each score of each model is."""
        self.files = files
        self.found = found
        self.clusters = clusters
        self.samples: dict[str, _AnySamples | str] = {}
        """Path of a file with samples → its samples, or why there are none."""
        self.faults: list[str] = []
        self.notes: list[str] = []

    def read(self, progress: Callable[[int, int], None]) -> None:
        """Read all files with samples."""
        several = self.samples_files()
        results = map_parallel(self.read_samples, several, progress=progress)
        for file, samples in zip(several, results, strict=True):
            if isinstance(samples, ArtifactError):
                self.faults += samples.lines
                self.samples[file.path] = str(samples)
            else:
                self.notes += samples.notes
                self.samples[file.path] = samples

    def scores(self, model: str, scores: Scores) -> Scores:
        """Return the model's scores with fingerprints and instances."""
        return {
            key: self._with_details(score, self.found[model][key])
            if isinstance(score, Score)
            else score
            for key, score in scores.items()
        }

    def _with_details(self, score: Score, place: _Place) -> Score:
        score = replace(score, fingerprint=self.fingerprint(place))
        instances = self.instances(place, score.value)
        if isinstance(instances, str):
            return replace(score, no_instances=instances)
        return replace(
            score, instances=instances, n=len(instances.id) if score.n is None else score.n
        )

    @abstractmethod
    def samples_files(self) -> list[_AnyFile]:
        """Return the files that are there, with all scores that are read of each."""

    @abstractmethod
    def read_samples(self, file: _AnyFile) -> _AnySamples | ArtifactError:
        """Return the file's samples, or what cannot be read."""

    @abstractmethod
    def fingerprint(self, place: _Place) -> Mapping[str, object]:
        """Return the settings of the score at the place."""

    @abstractmethod
    def instances(self, place: _Place, value: float) -> Instances | str:
        """Return the instances that make the score's value, or why there are none."""


def read_tasks(  # noqa: PLR0913 -- what the harnesses differ in, each by its name
    spec: _Spec,
    options: ReadOptions,
    *,
    source: str,
    opened: Callable[..., AbstractContextManager[Files]],
    read_output: Callable[[_Spec, Files], TaskOutput[Any, _Place]],
    create_details: Callable[
        [Files, Mapping[str, Mapping[ScoreKey, _Place]], Mapping[str, str]],
        TaskDetails[_Place, Any, Any],
    ],
) -> Reading:
    """Return the evaluations of the entry's models, each with all scores that the entry names.

    A score that the output lacks is in `missing`, with the reason.
    Raises ArtifactError if the output or all scores are absent, or no results can be read;
    ConfigError if the entry does not say which model it means.
    """
    with open_entry(spec, options.folder, opened) as files:
        output = read_output(spec, files)
        scores, found = output.scores()
        faults, notes = list(output.faults), list(output.notes)
        if options.with_details:
            wanted = families.latest_ids(output.checkpoints, spec, count=DETAILED_ITERATIONS)
            places = {model: found[model] for model in wanted}
            details = create_details(files, places, options.clusters)
            details.read(options.progress)
            scores |= {model: details.scores(model, scores[model]) for model in wanted}
            faults += details.faults
            notes += details.notes
    evaluations = build_evaluations(spec, output.checkpoints, scores, source=source)
    return Reading(
        evaluations=evaluations,
        faults=tuple(faults),
        notes=tuple(notes),
        model_ids=model_ids(spec, output.checkpoints),
    )
