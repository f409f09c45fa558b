"""The story, top to bottom: config → evaluations → leaderboard → report → sinks."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from helm_wandb import config as config_file
from helm_wandb import evaluations, leaderboard, report, sources
from helm_wandb.errors import (
    ABSOLUTE_PATH,
    GATE_EXIT_CODE,
    ArtifactError,
    InputError,
    SinkError,
    UserError,
)
from helm_wandb.gate import GatePolicy, gate
from helm_wandb.model import Reading
from helm_wandb.progress import no_progress
from helm_wandb.sinks import deliver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from helm_wandb.baselines import Found
    from helm_wandb.model import Comparison, Config, Evaluation, Provenance, Receipt, Report
    from helm_wandb.sinks import Sink
    from helm_wandb.wandb_project import WandbProject


ONLY_PROJECT = (
    "the config has no evals: it ranks the models of the W&B project, and to read that a W&B key "
    "is needed. Give one, as wandb-api-key or WANDB_API_KEY, or add evals to rank this run's "
    "models."
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
    exit_code = _least(fault.exit_code for fault in faults)
    return Outcome(report=None, receipts=(), faults=faults, exit_code=exit_code)


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
    project: WandbProject | None = None,
    baseline: Found | None = None,
    gate_policy: GatePolicy | None = None,
    sink_errors_fail: bool = True,
    with_details: bool = False,
    progress: Callable[[int, int], None] = no_progress,
) -> Outcome:
    """Read what the config asks for, rank it, and deliver the report to every sink.

    folder: what the paths in the config are relative to.
    project: whose models are ranked too, where the config has `leaderboard: true`.
    baseline: what the models are compared with.
    gate_policy: what closes the gate; None: nothing.
    sink_errors_fail: whether a sink's failure counts in the exit code.
    with_details: read fingerprints and per-instance scores too.
    progress: is told how many of all runs are read, while there are many.
    Raises InputError where the config asks for nothing that could be read.
    """
    if not config.evals and project is None:
        raise InputError(ONLY_PROJECT)
    found = _read(config, folder, with_details=with_details, progress=progress)
    if config.evals and not found.evaluations:
        return nothing(*found.faults)
    merged = evaluations.merge(found.evaluations)
    faults = (*found.faults, *map(ArtifactError, merged.conflicts))
    directed = partial(
        evaluations.with_directions,
        lower_is_better=config.compare.lower_is_better,
        higher_is_better=config.compare.higher_is_better,
    )
    candidates = directed(merged.evaluations)
    guests = _guests(config, project)
    ranking = leaderboard.build(
        candidates,
        guests=directed(guests.evaluations),
        metrics=config.leaderboard_metrics,
        excluded_models=config.excluded_models,
        alpha=config.compare.alpha,
        instances_read=with_details,
    )
    family = _Compared.of(candidates, baseline, config, with_details=with_details)
    closing = gate(
        gate_policy or GatePolicy(),
        evaluations=candidates,
        comparisons=family.comparisons,
        floor=config.compare.floor,
    )
    lines = (line for fault in faults for line in str(fault).splitlines())
    told = report.build(
        candidates,
        ranking,
        notes=[*found.notes, *guests.notes, *family.notes, *lines],
        provenance=provenance,
        comparisons=family.comparisons,
        steps=family.steps,
        gate=closing,
    )
    told, receipts = deliver(told, sinks)
    if not sink_errors_fail:
        receipts = tuple(map(_forgiven, receipts))
    codes = [*(fault.exit_code for fault in faults), *(one.exit_code for one in receipts)]
    return Outcome(
        report=told,
        receipts=receipts,
        faults=faults,
        exit_code=_least([*codes, GATE_EXIT_CODE if closing.closed else 0]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """What came of comparing."""

    comparisons: tuple[Comparison, ...] = ()
    steps: tuple[Comparison, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        candidates: Sequence[Evaluation],
        baseline: Found | None,
        config: Config,
        *,
        with_details: bool,
    ) -> _Compared:
        """The models beside the baseline's, and beside their own iteration before."""
        if baseline is None and not with_details:
            return cls()
        # Imported here: without a baseline print-only never pays for it.
        from helm_wandb import baselines, compare  # noqa: PLC0415

        partners = baselines.partners(candidates, baseline) if baseline else ()
        return cls(
            comparisons=compare.compared(partners, config.compare),
            steps=compare.compared(baselines.steps(candidates), config.compare),
            notes=baselines.notes(candidates, baseline) if baseline else (),
        )


def _guests(config: Config, project: WandbProject | None) -> Reading:
    """The models of the W&B project; why there are none, where there are this run's to rank.

    Raises SinkError where W&B cannot be read, ArtifactError where it has none, and there is
    nothing else to rank.
    """
    if project is None or not config.leaderboard:
        return Reading(evaluations=())
    # Imported here: print-only never pays for it.
    from helm_wandb.sinks import wandb_texts  # noqa: PLC0415
    from helm_wandb.wandb_service.messages import ServiceError  # noqa: PLC0415

    try:
        found = project.read()
    except ServiceError as error:
        why = wandb_texts.happened(error.fault, project.session.base_url)
        if not config.evals:
            raise SinkError(why) from error
        return Reading(evaluations=(), notes=(f"Only this run's models are ranked. {why}",))
    if not found and not config.evals:
        message = (
            f"the W&B project {config.project!r} holds no summary run of {project.told_tracks}: "
            "record evaluations first, or add evals to the config"
        )
        raise ArtifactError(message)
    return Reading(evaluations=found)


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
                spec,
                folder=folder,
                with_details=with_details,
                clusters=config.compare.clusters,
                progress=progress,
            )
        except UserError as error:
            faults.append(error)
        else:
            found += reading.evaluations
            notes += reading.notes
            faults += map(ArtifactError, reading.faults)
    return _Found(evaluations=tuple(found), notes=tuple(notes), faults=tuple(faults))


def _least(exit_codes: Iterable[int]) -> int:
    """The smallest that is not 0; 0 where all are."""
    return min({*exit_codes} - {0}, default=0)
