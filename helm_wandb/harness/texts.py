"""Texts of instances, as the readers of all harnesses collect them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from helm_wandb.comparing.changed_instances import BenchmarkRun, Place, TextRequests, TextsByPlace
from helm_wandb.errors import ArtifactError, ConfigError
from helm_wandb.harness.entry import HarnessEval
from helm_wandb.harness.files import Files
from helm_wandb.harness.parallel import map_parallel
from helm_wandb.model import Texts
from helm_wandb.system.progress import no_progress

if TYPE_CHECKING:
    from helm_wandb.harness.task_output import TaskOutput

_Place = TypeVar("_Place")

TextTask = tuple[BenchmarkRun, Callable[[], dict[Place, Texts]]]
"""A benchmark of a model, and a function that reads texts of its instances from one file."""


def requested_runs(
    output: TaskOutput[Any, _Place], wanted: TextRequests
) -> Iterator[tuple[BenchmarkRun, list[_Place]]]:
    """Yield each benchmark of which instances are wanted, and where its scores are.

    Raises ArtifactError if the output has no score.
    """
    _, found = output.scores()
    for model, checkpoint in output.checkpoints.items():
        run = checkpoint.family, output.spec.iteration(checkpoint.iteration)
        for evaluated in wanted:
            own = [one for key, one in found[model].items() if key.benchmark == evaluated[2]]
            if evaluated[:2] == run and own:
                yield evaluated, own


def collect_texts(
    spec: HarnessEval,
    folder: Path,
    opened: Callable[..., AbstractContextManager[Files]],
    find_tasks: Callable[[Files], Iterable[TextTask]],
    only_answers: bool,  # noqa: FBT001 -- as its callers have it
) -> tuple[TextsByPlace, tuple[str, ...]]:
    """Return the texts that the tasks read, and what cannot be read.

    folder: what a relative path is relative to. opened: `open_output`, as the harness calls it.
    only_answers: without questions and references, which take most of the memory.
    """
    faults: list[str] = []
    texts_by_place: TextsByPlace = {}
    try:
        with opened(folder / spec.output_dir, shown_as=spec.output_dir) as files:
            tasks = list(find_tasks(files))
            results = map_parallel(
                partial(_read, only_answers=only_answers),
                [read for _, read in tasks],
                progress=no_progress,
            )
            for (evaluated, _), texts in zip(tasks, results, strict=True):
                of_run = texts_by_place.setdefault(evaluated, {})
                if isinstance(texts, ArtifactError):
                    faults += texts.lines
                else:
                    of_run.update(texts)
    except (ArtifactError, ConfigError) as error:
        faults += error.lines
    return texts_by_place, tuple(faults)


def _read(
    task: Callable[[], dict[Place, Texts]], *, only_answers: bool
) -> dict[Place, Texts] | ArtifactError:
    """Return the texts that the task reads, or what cannot be read."""
    try:
        texts = task()
    except ArtifactError as error:
        return error
    if not only_answers:
        return texts
    return {place: Texts(answer=text.answer) for place, text in texts.items()}
