"""The results files of lm-eval's output, and the models that they are of."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from helm_wandb.errors import ArtifactError, UnknownOutputError
from helm_wandb.harness import model_ids
from helm_wandb.harness.files import Files
from helm_wandb.harness.json_files import read_json
from helm_wandb.harness.task_output import TaskRuns
from helm_wandb.harness.walk import files_below
from helm_wandb.sources.lm_eval.formats import Results
from helm_wandb.text.patterns import Pattern
from helm_wandb.text.safe_text import plain
from helm_wandb.text.words import join_truncated

MUST_HOLD = (
    "Give the folder of lm_eval's --output_path, or a .tar, .tar.gz or .zip of it; results of "
    "lm-eval 0.4.5 and newer are read."
)
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9]{2}(?:\.[0-9]{1,6})?(?=\.json\Z)"
)
"""Last part of `results_TIME.json`; or of `STEM_TIME.json`, if --output_path is `STEM.json`."""
_OLD_NAME = "results.json"
_MOST_FOLDERS = 3_000
_MODEL_ARGUMENTS = ("peft", "delta", "pretrained", "model", "path", "engine")
"""Arguments that name the model, as lm-eval looks for them; without any its name is random."""


class Run(Struct, frozen=True, kw_only=True):
    """A results file."""

    path: str
    folder: str
    time: str
    """When lm-eval wrote it, as its name says: of two, the greater one is the newer."""
    model: str
    """The model's id, with its revision."""
    results: Results

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.rpartition("/")[2]

    def samples_path(self, task: str) -> str:
        """Return the path of the task's samples."""
        return f"{self.folder}samples_{task}_{self.time}.jsonl"


def find_runs(files: Files, pattern: Pattern | None, *, shown_as: str) -> TaskRuns[Run]:
    """Return the newest run of each task of each model.

    pattern: the config's for the iteration. shown_as: the output in messages.
    Raises ArtifactError if there is no results file, or none that can be read.
    """
    runs: list[Run] = []
    faults: list[str] = []
    names: list[str] = []
    for folder, name in files_below(files, folders=_MOST_FOLDERS, advice=MUST_HOLD):
        match = time_of(name)
        if match is None:
            names += [name] if name.endswith(".json") else []
            continue
        try:
            results = read_json(files, folder + name, Results)
        except ArtifactError as error:
            faults += error.lines
            continue
        runs.append(
            Run(
                path=folder + name,
                folder=folder,
                time=match[0],
                model=model_id(results, pattern),
                results=results,
            )
        )
    if not runs:
        is_known = faults or _OLD_NAME in names
        raise (ArtifactError if is_known else UnknownOutputError)(
            *(faults or [_describe_nothing(names, shown_as)])
        )
    by_model = _newest(runs)
    return TaskRuns(by_model=by_model, faults=tuple(faults), notes=tuple(_notes(runs, by_model)))


def time_of(name: str) -> re.Match[str] | None:
    """Return the time in the name of a results file; None for other files."""
    return _TIME.match(name.rpartition("_")[2])


def model_id(results: Results, pattern: Pattern | None) -> str:
    """Return the model's name, with what distinguishes its checkpoint from others.

    lm-eval's own name of a model leaves its revision out, and is random without arguments.
    """
    arguments = model_arguments(results.config.model_args)
    name = results.model_name
    kind = results.config.model
    if not name or (
        isinstance(kind, str) and kind and arguments.keys().isdisjoint(_MODEL_ARGUMENTS)
    ):
        name = str(kind or name or "unnamed")
    if subfolder := arguments.get("subfolder"):
        name = f"{name}/{subfolder}"
    revision = arguments.get("revision") or str(results.config.model_revision or "")
    return model_ids.model_id(name, revision, arguments, pattern)


def model_arguments(arguments: object) -> dict[str, str]:
    """Return the arguments of the model by name."""
    if isinstance(arguments, dict):
        return {str(name): str(value) for name, value in arguments.items()}
    parts = (part.partition("=") for part in str(arguments or "").split(","))
    return {name.strip(): value.strip() for name, separator, value in parts if separator}


def _newest(runs: Iterable[Run]) -> dict[str, dict[str, Run]]:
    by_model: dict[str, dict[str, Run]] = defaultdict(dict)
    for run in sorted(runs, key=lambda run: (run.time, run.path)):
        by_model[run.model].update(dict.fromkeys(run.results.results, run))
    return by_model


def _notes(runs: Iterable[Run], by_model: Mapping[str, Mapping[str, Run]]) -> Iterator[str]:
    """Yield which results are not from a model's newest file, and which files are not read."""
    used = {run.path for tasks in by_model.values() for run in tasks.values()}
    for model, tasks in by_model.items():
        newest = max(tasks.values(), key=lambda run: (run.time, run.path))
        older = [task for task, run in tasks.items() if run is not newest]
        if older:
            yield (
                f"{model}: its newest results, {newest.name}, lack {join_truncated(older)}, which "
                "older results in the same output have."
            )
    unused = sorted(run.path for run in runs if run.path not in used)
    if unused:
        yield f"Newer results replace {join_truncated(unused)}."


def _describe_nothing(names: list[str], shown_as: str) -> str:
    there = f" It has {join_truncated(sorted(set(names)))}." if names else ""
    if _OLD_NAME in names:
        there = f" It has {_OLD_NAME}, as lm-eval 0.4.2 and older wrote it."
    return f"{plain(shown_as)}: no results_TIME.json of lm-eval is in it.{plain(there)} {MUST_HOLD}"
