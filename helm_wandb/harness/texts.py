"""Texts of instances, as the readers of all harnesses collect them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from helm_wandb.comparing.changed_instances import BenchmarkRun, Place, TextsByPlace
from helm_wandb.errors import ArtifactError, ConfigError
from helm_wandb.harness.entry import HarnessEval
from helm_wandb.harness.files import Files
from helm_wandb.harness.parallel import map_parallel
from helm_wandb.model import Texts
from helm_wandb.system.progress import no_progress

TextTask = tuple[BenchmarkRun, Callable[[], dict[Place, Texts]]]
"""A benchmark of a model, and a function that reads texts of its instances from one file."""


def collect_texts(
    spec: HarnessEval,
    folder: Path,
    opened: Callable[..., AbstractContextManager[Files]],
    find_tasks: Callable[[Files], Iterable[TextTask]],
) -> tuple[TextsByPlace, tuple[str, ...]]:
    """Return the texts that the tasks read, and what cannot be read.

    folder: what a relative path is relative to. opened: `open_output`, as the harness calls it.
    """
    faults: list[str] = []
    texts_by_place: TextsByPlace = {}
    try:
        with opened(folder / spec.output_dir, shown_as=spec.output_dir) as files:
            tasks = list(find_tasks(files))
            results = map_parallel(_read, [read for _, read in tasks], progress=no_progress)
            for (evaluated, _), texts in zip(tasks, results, strict=True):
                of_run = texts_by_place.setdefault(evaluated, {})
                if isinstance(texts, ArtifactError):
                    faults += texts.lines
                else:
                    of_run.update(texts)
    except (ArtifactError, ConfigError) as error:
        faults += error.lines
    return texts_by_place, tuple(faults)


def _read(task: Callable[[], dict[Place, Texts]]) -> dict[Place, Texts] | ArtifactError:
    """Return the texts that the task reads, or what cannot be read."""
    try:
        return task()
    except ArtifactError as error:
        return error
