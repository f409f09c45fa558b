"""The story, top to bottom: config → evaluations → leaderboard → report → sinks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from helm_wandb import config as config_file
from helm_wandb import report, sources
from helm_wandb.comparing import evaluations, leaderboard
from helm_wandb.comparing.gate import GatePolicy, gate
from helm_wandb.errors import (
    GATE_EXIT_CODE,
    ArtifactError,
    InputError,
    SinkError,
    UserError,
)
from helm_wandb.model import Reading
from helm_wandb.render.terminal import ToldInLog
from helm_wandb.sinks import deliver
from helm_wandb.system import files, paths
from helm_wandb.system.progress import no_progress
from helm_wandb.text.redaction import NO_SECRETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from helm_wandb.baselines import Resolved
    from helm_wandb.comparing.verdicts import Partner
    from helm_wandb.model import (
        Comparison,
        Config,
        Evaluation,
        FileEval,
        HelmEval,
        Leaderboard,
        Provenance,
        Receipt,
        Report,
        ReportEval,
    )
    from helm_wandb.sinks import Sink
    from helm_wandb.text.redaction import Redactor
    from helm_wandb.wandb_runs.project_models import WandbProject


_DEFAULTS = b"{project: none, leaderboard: true}"
"""The least that is valid; a published report takes the place of what it would read."""
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
    """What could not be read, and what evaluations tell differently of one score."""
    exit_code: int
    missing_baseline: str | None = None
    """Why there is no baseline, and how to get one, where one was wanted."""


def nothing(*faults: UserError) -> Outcome:
    """The outcome where nothing was read."""
    exit_code = _least(fault.exit_code for fault in faults)
    return Outcome(report=None, receipts=(), faults=faults, exit_code=exit_code)


def load_config(name: str | None, *, folder: Path, root: Path) -> Config:
    """The valid config in the file `name`, which is relative to the folder.

    name: None where a report is published by the defaults.
    root: the folder that holds this tool's `schema/`.
    Raises InputError where there is no such file, ConfigError for all that is wrong in it.
    """
    data = _DEFAULTS if name is None else _bytes(name, folder)
    schema = json.loads((root / "schema" / "config.schema.json").read_bytes())
    return config_file.parse(data, file=name or "", schema=schema)


def _bytes(name: str, folder: Path) -> bytes:
    try:
        return files.content(folder / name, at_most=config_file.LIMIT_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        hint = paths.hint(name) or f"The path is relative to {folder.absolute()}."
        message = f"config {name!r} cannot be read: {why}. {hint}"
        raise InputError(message) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a shell decides of a run."""

    folder: Path
    """What the paths in the config are relative to."""
    provenance: Provenance
    project: WandbProject | None = None
    """Whose models are ranked too, where the config has `leaderboard: true`."""
    published: Reading | None = None
    """Evaluations of another run, which take the place of the config's."""
    baseline: Callable[[Sequence[Evaluation]], Resolved] | None = None
    """Finds what the models are compared with; None: nothing is."""
    gate_policy: GatePolicy = field(default_factory=GatePolicy)
    sink_errors_fail: bool = True
    """Whether a sink's failure counts in the exit code."""
    with_details: bool = False
    """Read fingerprints and per-instance scores too."""
    redactor: Redactor = NO_SECRETS
    """Removes secrets from what is delivered."""
    progress: Callable[[int, int], None] = no_progress
    """Is told how many of all runs are read, while there are many."""


def run(config: Config, plan: Plan, sinks: Sequence[Sink]) -> Outcome:
    """Read what the config asks for, rank it, and deliver the report to every sink.

    Raises InputError where the config asks for nothing that could be read.
    """
    if not config.evals and plan.project is None and plan.published is None:
        raise InputError(ONLY_PROJECT)
    found = _Found.of(plan.published) if plan.published else _read(config, plan)
    if config.evals and not found.evaluations:
        return nothing(*found.faults)
    merged = evaluations.merge(found.evaluations)
    candidates = _directed(merged.evaluations, config)
    guests = _guests(config, plan.project)
    compared = _Compared.of(candidates, config, plan)
    faults = (*found.faults, *map(ArtifactError, merged.conflicts))
    told = report.build(
        candidates,
        _ranking(candidates, guests.evaluations, config, instances_read=plan.with_details),
        notes=[*found.notes, *guests.notes, *compared.notes, *map(ToldInLog, _lines(faults))],
        provenance=plan.provenance,
        comparisons=compared.comparisons,
        steps=compared.steps,
        gate=gate(
            plan.gate_policy,
            evaluations=candidates,
            comparisons=compared.comparisons,
            floor=config.compare.floor,
        ),
        unread=len(found.faults),
        contradictions=len(merged.conflicts),
    )
    told, receipts = deliver(told, sinks, plan.redactor)
    outcome = _outcome(told, receipts, faults, sink_errors_fail=plan.sink_errors_fail)
    return replace(outcome, missing_baseline=compared.missing_reason)


def _directed(found: Sequence[Evaluation], config: Config) -> tuple[Evaluation, ...]:
    return evaluations.with_directions(
        found,
        lower_is_better=config.compare.lower_is_better,
        higher_is_better=config.compare.higher_is_better,
    )


def _ranking(
    candidates: Sequence[Evaluation],
    guests: Sequence[Evaluation],
    config: Config,
    *,
    instances_read: bool,
) -> Leaderboard:
    return leaderboard.build(
        candidates,
        guests=_directed(guests, config),
        metrics=config.leaderboard_metrics,
        excluded_models=config.excluded_models,
        alpha=config.compare.alpha,
        instances_read=instances_read,
    )


def _lines(faults: Iterable[UserError]) -> Iterable[str]:
    return (line for fault in faults for line in fault.lines)


def _outcome(
    told: Report,
    receipts: tuple[Receipt, ...],
    faults: tuple[UserError, ...],
    *,
    sink_errors_fail: bool,
) -> Outcome:
    if not sink_errors_fail:
        receipts = tuple(map(_forgiven, receipts))
    codes = [*(fault.exit_code for fault in faults), *(one.exit_code for one in receipts)]
    closed = told.gate is not None and told.gate.closed
    return Outcome(
        report=told,
        receipts=receipts,
        faults=faults,
        exit_code=_least([*codes, GATE_EXIT_CODE if closed else 0]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """What came of comparing."""

    comparisons: tuple[Comparison, ...] = ()
    partners: tuple[Partner, ...] = ()
    """What was compared in each."""
    steps: tuple[Comparison, ...] = ()
    notes: tuple[str, ...] = ()
    missing_reason: str | None = None
    """Why there is no baseline."""

    @classmethod
    def of(cls, candidates: Sequence[Evaluation], config: Config, plan: Plan) -> _Compared:
        """The models beside the baseline's, looked into, and beside their own iteration before."""
        if plan.baseline is None and not plan.with_details:
            return cls()
        # Imported here: without a baseline print-only never pays for it.
        from helm_wandb import baselines  # noqa: PLC0415
        from helm_wandb.comparing import verdicts  # noqa: PLC0415

        resolved = plan.baseline(candidates) if plan.baseline else baselines.Resolved()
        found = cls(
            comparisons=verdicts.compared(resolved.partners, config.compare),
            partners=resolved.partners,
            steps=verdicts.compared(baselines.steps(candidates), config.compare),
            notes=resolved.notes,
            missing_reason=resolved.missing_reason,
        )
        return found._looked_into(() if plan.published else config.evals, plan.folder)

    def _looked_into(
        self, specs: Sequence[HelmEval | FileEval | ReportEval], folder: Path
    ) -> _Compared:
        """The same, with the instances that changed in each marked delta, and their texts."""
        if not self.partners:
            return self
        # Imported here: without a baseline print-only never pays for it.
        from helm_wandb.comparing import changed_instances  # noqa: PLC0415

        bare = changed_instances.attach_changed_instances(self.comparisons, self.partners)
        texts, notes = sources.texts(
            specs, folder=folder, wanted=changed_instances.text_requests(bare)
        )
        return replace(
            self,
            comparisons=changed_instances.attach_texts(bare, texts),
            notes=(*self.notes, *notes),
        )


def _guests(config: Config, project: WandbProject | None) -> Reading:
    """The models of the W&B project; why there are none, where there are this run's to rank.

    Raises SinkError where W&B cannot be read, ArtifactError where it has none, and there is
    nothing else to rank.
    """
    if project is None or not config.leaderboard:
        return Reading(evaluations=())
    # Imported here: print-only never pays for it.
    from helm_wandb.wandb_runs import receipt_texts  # noqa: PLC0415
    from helm_wandb.wandb_runs.sdk.messages import ServiceError  # noqa: PLC0415

    try:
        found = project.read()
    except ServiceError as error:
        why = receipt_texts.happened(error.fault, project.session.base_url)
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

    @classmethod
    def of(cls, reading: Reading) -> _Found:
        """What one source gave."""
        faults = tuple(map(ArtifactError, reading.faults))
        return cls(evaluations=reading.evaluations, notes=reading.notes, faults=faults)


def _read(config: Config, plan: Plan) -> _Found:
    found: list[Evaluation] = []
    notes: list[str] = []
    faults: list[UserError] = []
    for spec in config.evals:
        try:
            reading = sources.read(
                spec,
                folder=plan.folder,
                with_details=plan.with_details,
                clusters=config.compare.clusters,
                progress=plan.progress,
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
