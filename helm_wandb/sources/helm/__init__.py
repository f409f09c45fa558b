"""Evaluations from the output of HELM."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from helm_wandb.errors import ArtifactError
from helm_wandb.harness.entry import ReadOptions
from helm_wandb.model import EvalEntry, FirstEntry, Reading
from helm_wandb.sources.helm.entry import HelmEval

if TYPE_CHECKING:
    from helm_wandb.comparing.changed_instances import TextRequests, TextsByPlace


def read(entry: EvalEntry, options: ReadOptions) -> Reading:
    """Return the evaluations of the entry's suite, as `sources.read` says."""
    # Imported here: a run reads the outputs of few harnesses.
    from helm_wandb.sources.helm import reader  # noqa: PLC0415

    return reader.read(HelmEval.parse(entry), options)


def texts(
    entry: EvalEntry, *, folder: Path, wanted: TextRequests
) -> tuple[TextsByPlace, tuple[str, ...]]:
    """Return the texts that the entry's suite has of the wanted instances, and the faults."""
    # Imported here: most runs flag nothing.
    from helm_wandb.sources.helm import answers  # noqa: PLC0415

    return answers.read(HelmEval.parse(entry), folder=folder, wanted=wanted)


def first_entries(path: Path, *, shown_as: str) -> tuple[FirstEntry, ...]:
    """Return an entry for each suite of the HELM output, as `sources.first_entries` says.

    The path may also be a suite's own folder, `benchmark_output/runs/nightly`.
    """
    # Imported here: only `init` and `compare` need it.
    from helm_wandb.sources.helm import first_entry, inventory, layout  # noqa: PLC0415

    parent, suite = layout.split_suite_folder(path)
    if suite is not None:
        folder = str(parent)
        # If the suite can't be read, the error below says what to give instead.
        with suppress(ArtifactError):
            entries = first_entry.entries(
                inventory.inventory(parent, shown_as=folder), folder=folder
            )
            if own := tuple(one for one in entries if one.name == suite):
                return own
    return first_entry.entries(inventory.inventory(path, shown_as=shown_as), folder=shown_as)
