"""A baseline that the user names by its path."""

from __future__ import annotations

from pathlib import Path

from helm_wandb.baselines.matches import BaselineMatch
from helm_wandb.report import baseline_from_json
from helm_wandb.sources.report import named


def read_baseline_file(name: str, *, folder: Path, named_by: str) -> BaselineMatch:
    """Return the baseline in a report JSON.

    name: the file, relative to the folder.
    named_by: the flag or input that names it, for the error.
    Raises InputError if there is no such report.
    """
    report = named(name, folder=folder, named_by=named_by, decode=baseline_from_json)
    return BaselineMatch(
        origin=name,
        evaluations=report.evaluations,
        history=report.history,
        ref=report.ref,
        commit=report.commit,
    )
