"""Evaluations from the output of lm-evaluation-harness (lm-eval)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from helm_wandb.harness.entry import ReadOptions
from helm_wandb.model import EvalEntry, FirstEntry, Reading
from helm_wandb.sources.lm_eval.entry import LmEval

if TYPE_CHECKING:
    from helm_wandb.comparing.changed_instances import TextRequests, TextsByPlace


def read(entry: EvalEntry, options: ReadOptions) -> Reading:
    """Return the evaluations of the entry's output, as `sources.read` says."""
    # Imported here: a run reads the outputs of few harnesses.
    from helm_wandb.sources.lm_eval import reader  # noqa: PLC0415

    return reader.read(LmEval.parse(entry), options)


def texts(
    entry: EvalEntry, *, folder: Path, wanted: TextRequests
) -> tuple[TextsByPlace, tuple[str, ...]]:
    """Return the texts that the entry's output has of the wanted instances, and the faults."""
    # Imported here: most runs flag nothing.
    from helm_wandb.sources.lm_eval import answers  # noqa: PLC0415

    return answers.read(LmEval.parse(entry), folder=folder, wanted=wanted)


def first_entries(path: Path, *, shown_as: str) -> tuple[FirstEntry, ...]:
    """Return an entry that reads the whole output, as `sources.first_entries` says."""
    # Imported here: only `init` needs it.
    from helm_wandb.sources.lm_eval import first_entry  # noqa: PLC0415

    return first_entry.entries(path, shown_as=shown_as)
