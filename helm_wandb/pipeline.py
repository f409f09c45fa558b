"""The story, top to bottom: config → evaluations → leaderboard → report → sinks."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from helm_wandb import config as config_file
from helm_wandb import evaluations, leaderboard, report, sources
from helm_wandb.errors import ABSOLUTE_PATH, ArtifactError, InputError, SinkError, UserError
from helm_wandb.progress import no_progress
from helm_wandb.sinks import deliver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
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


def nothing(*faults: UserError) -> Outcome:
    """The outcome where nothing was read."""
    return Outcome(report=None, receipts=(), faults=faults, exit_code=_exit_code(faults))


def load_config(name: str, *, folder: Path, root: Path) -> Config:
    """The valid config in the file `name`, which is relative to the folder.

    root: the folder that holds this tool's `schema/`.
    Raises InputError where there is no such file, ConfigError for all that is wrong in it.
    """
    try:
        with (folder / name).open("rb") as file:
            data = file.read(config_file.LIMIT_BYTES + 1)
    except OSError as error:
        message = f"config {name!r} cannot be read: {error.strerror}. {_where(name, folder)}"
        raise InputError(message) from error
    schema = json.loads((root / "schema" / "config.schema.json").read_bytes())
    return config_file.parse(data, file=name, schema=schema)


def _where(name: str, folder: Path) -> str:
    absolute = name.startswith("/")
    return ABSOLUTE_PATH if absolute else f"The path is relative to {folder.absolute()}."


def run(  # noqa: PLR0913 -- what the shells decide, each by its name
    config: Config,
    *,
    folder: Path,
    provenance: Provenance,
    sinks: Sequence[Sink],
    sink_errors_fail: bool = True,
    with_details: bool = False,
    progress: Callable[[int, int], None] = no_progress,
) -> Outcome:
    """Read what the config asks for, rank it, and deliver the report to every sink.

    folder: what the paths in the config are relative to.
    sink_errors_fail: whether a sink's failure counts in the exit code.
    with_details: read fingerprints and per-instance scores too.
    progress: is told how many of all runs are read, while there are many.
    Raises InputError where the config asks for nothing that could be read.
    """
    if not config.evals:
        raise InputError(ONLY_PROJECT)
    found = _read(config, folder, with_details=with_details, progress=progress)
    if not found.evaluations:
        return nothing(*found.faults)
    merged = evaluations.merge(found.evaluations)
    faults = (*found.faults, *map(ArtifactError, merged.conflicts))
    candidates = evaluations.with_directions(
        merged.evaluations, lower_is_better=config.lower_is_better
    )
    ranking = leaderboard.build(
        candidates, metrics=config.leaderboard_metrics, excluded_models=config.excluded_models
    )
    notes = [*found.notes, *(line for fault in faults for line in str(fault).splitlines())]
    told = report.build(candidates, ranking, notes=notes, provenance=provenance)
    told, receipts = deliver(told, sinks)
    if not sink_errors_fail:
        receipts = tuple(map(_forgiven, receipts))
    return Outcome(
        report=told, receipts=receipts, faults=faults, exit_code=_exit_code([*faults, *receipts])
    )


def _forgiven(receipt: Receipt) -> Receipt:
    """The receipt, with a sink's failure no longer an error; a bug of ours stays one."""
    failed = receipt.exit_code == SinkError.exit_code
    return replace(receipt, exit_code=0) if failed else receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What could be read of all entries, and what could not."""

    evaluations: tuple[Evaluation, ...]
    notes: tuple[str, ...]
    faults: tuple[UserError, ...]


def _read(
    config: Config, folder: Path, *, with_details: bool, progress: Callable[[int, int], None]
) -> _Found:
    found: list[Evaluation] = []
    notes: list[str] = []
    faults: list[UserError] = []
    for spec in config.evals:
        try:
            reading = sources.read(
                spec, folder=folder, with_details=with_details, progress=progress
            )
        except UserError as error:
            faults.append(error)
        else:
            found += reading.evaluations
            notes += reading.notes
            faults += map(ArtifactError, reading.faults)
    return _Found(evaluations=tuple(found), notes=tuple(notes), faults=tuple(faults))


def _exit_code(told: Iterable[UserError | Receipt]) -> int:
    """The smallest that applies; 0 where none does."""
    return min({one.exit_code for one in told} - {0}, default=0)
