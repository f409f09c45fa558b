"""Texts of changed instances, as the readers of all harnesses collect them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from helm_wandb.comparing.changed_instances import BenchmarkRun, Place, TextsByPlace
from helm_wandb.errors import ArtifactError, ConfigError
from helm_wandb.harness.entry import HarnessEval
from helm_wandb.harness.files import Files
from helm_wandb.model import Texts

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
            for evaluated, read in find_tasks(files):
                texts = texts_by_place.setdefault(evaluated, {})
                try:
                    texts.update(read())
                except ArtifactError as error:
                    faults += error.lines
    except (ArtifactError, ConfigError) as error:
        faults += error.lines
    return texts_by_place, tuple(faults)
