"""Evaluations from the logs of Inspect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from helm_wandb.harness.entry import ReadOptions
from helm_wandb.model import EvalEntry, FirstEntry, Reading
from helm_wandb.sources.inspect.entry import InspectEval

if TYPE_CHECKING:
    from helm_wandb.comparing.changed_instances import TextRequests, TextsByPlace


def read(entry: EvalEntry, options: ReadOptions) -> Reading:
    """Return the evaluations of the entry's logs, as `sources.read` says."""
    # Imported here: a run reads the outputs of few harnesses.
    from helm_wandb.sources.inspect import reader  # noqa: PLC0415

    return reader.read(InspectEval.parse(entry), options)


def texts(
    entry: EvalEntry, *, folder: Path, wanted: TextRequests
) -> tuple[TextsByPlace, tuple[str, ...]]:
    """Return the texts that the entry's logs have of the wanted instances, and the faults."""
    # Imported here: most runs flag nothing.
    from helm_wandb.sources.inspect import answers  # noqa: PLC0415

    return answers.read(InspectEval.parse(entry), folder=folder, wanted=wanted)


def first_entries(path: Path, *, shown_as: str) -> tuple[FirstEntry, ...]:
    """Return an entry that reads all logs, as `sources.first_entries` says."""
    # Imported here: only `init` needs it.
    from helm_wandb.sources.inspect import first_entry  # noqa: PLC0415

    return first_entry.entries(path, shown_as=shown_as)
