"""The story, top to bottom: config → evaluations → leaderboard → report → sinks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helm_wandb import config as config_file
from helm_wandb import evaluations, leaderboard, report, sources
from helm_wandb.errors import ArtifactError, InputError, SinkError, UserError
from helm_wandb.sinks import deliver

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from helm_wandb.model import Config, Evaluation, Provenance, Receipt, Report
    from helm_wandb.sinks import Sink


ONLY_PROJECT = (
    "the config has no evals: it ranks the models of the W&B project, which this version "
    "cannot read. Add evals to rank this run's models."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to."""

    report: Report | None
    """None where no evaluation could be read."""
    receipts: tuple[Receipt, ...]
    faults: tuple[UserError, ...]
    """What could not be read."""
    exit_code: int


def load_config(name: str, *, folder: Path, root: Path) -> Config:
    """The valid config in the file `name`, which is relative to the folder.

    root: the folder that holds this tool's `schema/`.
    Raises InputError where there is no such file, ConfigError for all that is wrong in it.
    """
    try:
        with (folder / name).open("rb") as file:
            data = file.read(config_file.LIMIT_BYTES + 1)
    except OSError as error:
        message = (
            f"config {name!r} cannot be read: {error.strerror}. "
            f"The path is relative to {folder.absolute()}."
        )
        raise InputError(message) from error
    schema = json.loads((root / "schema" / "config.schema.json").read_bytes())
    return config_file.parse(data, file=name, schema=schema)


def run(
    config: Config,
    *,
    folder: Path,
    provenance: Provenance,
    sinks: Sequence[Sink],
    sink_errors_fail: bool = True,
) -> Outcome:
    """Read what the config asks for, rank it, and deliver the report to every sink.

    folder: what the paths in the config are relative to.
    sink_errors_fail: whether a sink's failure counts in the exit code.
    Raises InputError where the config asks for nothing that could be read.
    """
    if not config.evals:
        raise InputError(ONLY_PROJECT)
    found, faults = _read(config, folder)
    if not found:
        return Outcome(report=None, receipts=(), faults=faults, exit_code=_exit_code(faults))
    merged = evaluations.merge(found)
    faults = (*faults, *map(ArtifactError, merged.conflicts))
    candidates = evaluations.with_directions(
        merged.evaluations, lower_is_better=config.lower_is_better
    )
    ranking = leaderboard.build(
        candidates, metrics=config.leaderboard_metrics, excluded_models=config.excluded_models
    )
    told = report.build(
        candidates, ranking, notes=[str(fault) for fault in faults], provenance=provenance
    )
    told, receipts = deliver(told, sinks)
    counted = [one for one in receipts if sink_errors_fail or one.exit_code != SinkError.exit_code]
    return Outcome(
        report=told, receipts=receipts, faults=faults, exit_code=_exit_code([*faults, *counted])
    )


def _read(config: Config, folder: Path) -> tuple[list[Evaluation], tuple[UserError, ...]]:
    """What could be read of the entries, and what could not."""
    found: list[Evaluation] = []
    faults: list[UserError] = []
    for spec in config.evals:
        try:
            reading = sources.read(spec, folder=folder)
        except UserError as error:
            faults.append(error)
        else:
            found += reading.evaluations
            faults += map(ArtifactError, reading.faults)
    return found, tuple(faults)


def _exit_code(told: Iterable[UserError | Receipt]) -> int:
    """The smallest that applies; 0 where none does."""
    return min({one.exit_code for one in told} - {0}, default=0)
