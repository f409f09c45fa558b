"""The story, top to bottom: config → evaluations → leaderboard → report → sinks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from helm_wandb import config as config_file
from helm_wandb import report, sources
from helm_wandb.comparing import evaluations, leaderboard
from helm_wandb.comparing.gate import GatePolicy, gate
from helm_wandb.config import score_checks
from helm_wandb.errors import (
    GATE_EXIT_CODE,
    ArtifactError,
    ConfigError,
    InputError,
    SinkError,
    UserError,
)
from helm_wandb.harness.entry import ReadOptions
from helm_wandb.model import (
    Comparison,
    Config,
    EvalEntry,
    Evaluation,
    Gate,
    MetricHistory,
    Policy,
    Provenance,
    Reading,
    Receipt,
    Report,
    RoutineNote,
    UnmatchedModels,
)
from helm_wandb.render.terminal import LoggedNote
from helm_wandb.sinks import Sink, deliver
from helm_wandb.system import files, paths
from helm_wandb.system.progress import no_progress
from helm_wandb.text.redaction import NO_SECRETS, Redactor

if TYPE_CHECKING:
    from helm_wandb.baselines import BaselineResult
    from helm_wandb.comparing.unchecked import UncheckedScore
    from helm_wandb.comparing.verdicts import Partner
    from helm_wandb.wandb_runs.project_models import WandbProject


_DEFAULTS = b"{project: none, leaderboard: true}"
"""The smallest valid config; a published report replaces what it would read."""
ONLY_PROJECT = (
    "the config has no evals: it ranks the models of the W&B project, and to read that a W&B key "
    "is needed. Give one, as wandb-api-key or WANDB_API_KEY, or add evals to rank this run's "
    "models."
)

_NOTHING_GIVEN = "There is no baseline, so only a floor can fail the job: give --baseline FILE"


class Outcome(Struct, frozen=True, kw_only=True):
    """The result of a run."""

    report: Report | None
    """None if no evaluation could be read."""
    receipts: tuple[Receipt, ...]
    faults: tuple[UserError, ...]
    """Artifacts that could not be read, and conflicts between evaluations."""
    exit_code: int
    missing_baseline: str | None = None
    """Why there is no baseline, and how to get one, if the run needs one."""
    warnings: tuple[str, ...] = ()
    """Problems of the config that don't end the run."""
    has_unknown_names: bool = False
    """Whether the config has names that `fail-on: regression` would refuse."""

    @property
    def strict_exit_code(self) -> int:
        """The exit code with `fail-on: regression` of a run that has a reason to fail."""
        own = ConfigError.exit_code if self.has_unknown_names else GATE_EXIT_CODE
        return lowest_exit_code([self.exit_code, own])


def failed_outcome(*faults: UserError) -> Outcome:
    """Return the outcome of a run that read nothing."""
    exit_code = lowest_exit_code(fault.exit_code for fault in faults)
    return Outcome(report=None, receipts=(), faults=faults, exit_code=exit_code)


def load_config(name: str | None, *, folder: Path, root: Path) -> Config:
    """Return the valid config in the file `name`, which is relative to the folder.

    name: None if a report is published without a config.
    root: the folder that holds this tool's `schema/`.
    Raises InputError if there is no such file, ConfigError with all problems in it.
    """
    data = _DEFAULTS if name is None else _read_config(name, folder)
    return parse_config(data, name=name or "", root=root)


def parse_config(data: bytes, *, name: str, root: Path) -> Config:
    """Return the valid config in the bytes of a file; raise ConfigError with all problems."""
    schema = json.loads((root / "schema" / "config.schema.json").read_bytes())
    return config_file.parse(data, file=name, schema=schema)


def _read_config(name: str, folder: Path) -> bytes:
    try:
        return files.content(folder / name, at_most=config_file.LIMIT_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InputError(
            f"config {name!r} cannot be read: {why}. {paths.hint(name, folder)}".rstrip()
        ) from error


class Plan(Struct, frozen=True, kw_only=True):
    """The decisions of a shell about a run."""

    folder: Path
    """The folder that the config's paths are relative to."""
    provenance: Provenance
    project: WandbProject | None = None
    """The project whose models are ranked too, if the config has `leaderboard: true`."""
    published: Reading | None = None
    """Evaluations of another run, which replace the config's."""
    baseline: Callable[[Sequence[Evaluation]], BaselineResult] | None = None
    """Finds the baseline of the models; None: nothing is compared."""
    gate_policy: GatePolicy = field(default_factory=GatePolicy)
    sink_errors_fail: bool = True
    """Whether an output's failure counts in the exit code."""
    with_details: bool = False
    """Read fingerprints and per-instance scores too."""
    keeps_answers: bool = False
    """Read the answers too, which a report keeps for later runs."""
    redactor: Redactor = NO_SECRETS
    """Removes secrets from what is delivered."""
    progress: Callable[[int, int], None] = no_progress
    """Called with the number of runs that are read, and of all, while there are many."""


def run(config: Config, plan: Plan, sinks: Sequence[Sink]) -> Outcome:
    """Read the evaluations, compare and rank them, and deliver the report to every output.

    Raises InputError if the config names nothing to read, and ConfigError if it would disarm the
    gate: by a `min_effect` that hides every change, by a floor that no score can be beyond or
    reach, or by names that no evaluation has.
    """
    if not config.evals and plan.project is None and plan.published is None:
        raise InputError(ONLY_PROJECT)
    inputs = _read_inputs(config, plan)
    if config.evals and not inputs.evaluations:
        return failed_outcome(*inputs.faults)
    merged = evaluations.merge(inputs.evaluations, inputs.places)
    candidates = evaluations.with_directions(merged.evaluations, config.compare)
    guests = _read_guests(config, plan.project)
    unknown = _check_names(config, candidates or guests.evaluations, inputs.faults, plan)
    models = _check_models(config, candidates, guests.evaluations, inputs.faults)
    unmatched = (*unknown, *models)
    compared = _compare(candidates, inputs.entries, config, plan)
    answered, answer_notes = _attach_answers(candidates, inputs.entries, plan)
    unread = (*inputs.faults, *map(ArtifactError, compared.faults))
    faults = (*unread, *map(ArtifactError, merged.conflicts))
    built = report.build(
        answered,
        leaderboard.rank_models(
            candidates,
            guests.evaluations,
            config,
            instances_read=plan.with_details or not sources.have_details(config.evals),
        ),
        notes=[
            *inputs.notes,
            *guests.notes,
            *compared.notes,
            *map(RoutineNote, answer_notes),
            *map(LoggedNote, (*(line for fault in faults for line in fault.lines), *unmatched)),
        ],
        provenance=plan.provenance,
        comparisons=compared.comparisons,
        steps=compared.steps,
        history=compared.history,
        not_in_baseline=compared.unmatched,
        gate=_gate(candidates, compared, config.compare, plan.gate_policy),
        unread=len(unread),
        contradictions=len(merged.conflicts),
    )
    delivered, receipts = deliver(built, sinks, plan.redactor)
    outcome = _outcome(delivered, receipts, faults, sink_errors_fail=plan.sink_errors_fail)
    return replace(
        outcome,
        missing_baseline=compared.missing_reason,
        warnings=unmatched,
        has_unknown_names=bool(unknown) and not inputs.faults,
    )


def _check_names(
    config: Config, evaluations: Sequence[Evaluation], faults: Sequence[UserError], plan: Plan
) -> tuple[str, ...]:
    """Return a warning for each name of the config that no evaluation has.

    Raises ConfigError for a `min_effect` that hides every change, for a floor outside the scale,
    and for such names if regressions fail the job and everything was read.
    """
    excess = (
        *score_checks.excessive_effects(config, evaluations),
        *score_checks.floors_outside_scale(config, evaluations),
    )
    unmatched = score_checks.unmatched_names(config, evaluations)
    is_fault = plan.gate_policy.on_regression and not faults
    if problems := (*excess, *(unmatched if is_fault else ())):
        raise ConfigError(problems)
    return tuple(map(str, unmatched))


def _check_models(
    config: Config,
    candidates: Sequence[Evaluation],
    guests: Sequence[Evaluation],
    faults: Sequence[UserError],
) -> tuple[str, ...]:
    """Return a warning for each excluded model that doesn't exist, if all models were read.

    A wrong name hides no regression, so it is no error.
    """
    are_known = not faults and (guests or not config.leaderboard)
    if not are_known:
        return ()
    return tuple(map(str, score_checks.unmatched_models(config, [*candidates, *guests])))


def _gate(
    candidates: Sequence[Evaluation], compared: _Comparisons, compare: Policy, policy: GatePolicy
) -> Gate:
    return gate(
        policy,
        evaluations=candidates,
        comparisons=compared.comparisons,
        compare=compare,
        unchecked=compared.unchecked,
        unmatched=compared.unmatched,
    )


def _outcome(
    delivered: Report,
    receipts: tuple[Receipt, ...],
    faults: tuple[UserError, ...],
    *,
    sink_errors_fail: bool,
) -> Outcome:
    if not sink_errors_fail:
        receipts = tuple(map(_without_output_error, receipts))
    codes = [*(fault.exit_code for fault in faults), *(one.exit_code for one in receipts)]
    is_closed = delivered.gate is not None and delivered.gate.closed
    return Outcome(
        report=delivered,
        receipts=receipts,
        faults=faults,
        exit_code=lowest_exit_code([*codes, GATE_EXIT_CODE if is_closed else 0]),
    )


class _Comparisons(Struct, frozen=True, kw_only=True):
    """The candidates compared with their baselines, and with their own previous iterations."""

    comparisons: tuple[Comparison, ...] = ()
    partners: tuple[Partner, ...] = ()
    """The two sides of each comparison."""
    steps: tuple[Comparison, ...] = ()
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    """Artifacts of a baseline that could not be read."""
    missing_reason: str | None = None
    """Why there is no baseline."""
    unmatched: UnmatchedModels | None = None
    """The models that the baseline lacks."""
    unchecked: tuple[UncheckedScore, ...] = ()
    """The baseline's scores that a regression could hide in."""
    history: tuple[MetricHistory, ...] = ()
    """The scores of the last runs and of this run."""


def _compare(
    candidates: Sequence[Evaluation], entries: Sequence[EvalEntry], config: Config, plan: Plan
) -> _Comparisons:
    nothing_given = _NOTHING_GIVEN if plan.gate_policy.on_regression else None
    if plan.baseline is None and not plan.with_details:
        return _Comparisons(missing_reason=nothing_given)
    # Imported here: without a baseline print-only never pays for it.
    from helm_wandb import baselines  # noqa: PLC0415
    from helm_wandb.comparing import unchecked, verdicts  # noqa: PLC0415
    from helm_wandb.comparing.history import extend_history  # noqa: PLC0415

    resolved = plan.baseline(candidates) if plan.baseline else baselines.BaselineResult()
    comparisons = verdicts.compared(resolved.partners, config.compare)
    compared = _Comparisons(
        comparisons=comparisons,
        partners=resolved.partners,
        steps=verdicts.compared(baselines.steps(candidates), config.compare),
        notes=resolved.notes,
        faults=resolved.faults,
        missing_reason=resolved.missing_reason if plan.baseline else nothing_given,
        unmatched=resolved.unmatched,
        history=extend_history(resolved.history, candidates, plan.provenance.commit),
        unchecked=unchecked.unchecked_scores(
            comparisons, resolved.partners, required=config.benchmarks
        ),
    )
    return _attach_changed_instances(compared, entries, resolved.entries, plan.folder)


def _attach_changed_instances(
    compared: _Comparisons,
    entries: Sequence[EvalEntry],
    baseline_entries: Sequence[EvalEntry],
    folder: Path,
) -> _Comparisons:
    """Return the comparisons with the instances of each flagged delta that changed."""
    if not compared.partners:
        return compared
    # Imported here: without a baseline print-only never pays for it.
    from helm_wandb.comparing import changed_instances  # noqa: PLC0415

    attached = changed_instances.attach_changed_instances(compared.comparisons, compared.partners)
    requests = changed_instances.text_requests(attached)
    texts, notes = sources.texts(entries, folder=folder, wanted=requests)
    with_texts = changed_instances.attach_texts(attached, texts)
    requests = changed_instances.text_requests(attached, of_baseline=True)
    texts, baseline_notes = sources.texts(baseline_entries, folder=folder, wanted=requests)
    return replace(
        compared,
        comparisons=changed_instances.attach_baseline_texts(with_texts, texts),
        notes=tuple(dict.fromkeys([*compared.notes, *notes, *baseline_notes])),
    )


def _attach_answers(
    candidates: Sequence[Evaluation], entries: Sequence[EvalEntry], plan: Plan
) -> tuple[Sequence[Evaluation], tuple[str, ...]]:
    """Return the evaluations with the answers that their report keeps, and what can't be read."""
    if not plan.keeps_answers:
        return candidates, ()
    # Imported here: without a report print-only never pays for it.
    from helm_wandb.comparing import answers  # noqa: PLC0415

    texts, unread = sources.texts(
        entries,
        folder=plan.folder,
        wanted=answers.answer_requests(candidates),
        only_answers=True,
        left_out="Answers of the report are left out: ",
    )
    attached, notes = answers.attach_answers(candidates, texts, redact=plan.redactor.text)
    return attached, (*unread, *notes)


def _read_guests(config: Config, project: WandbProject | None) -> Reading:
    """Return the models of the W&B project, or a note why there are none.

    Raises SinkError if W&B cannot be read, and ArtifactError if it has no models, if there is
    nothing else to rank.
    """
    if project is None or not config.leaderboard:
        return Reading(evaluations=())
    # Imported here: print-only never pays for it.
    from helm_wandb.wandb_runs import receipt_texts  # noqa: PLC0415
    from helm_wandb.wandb_runs.sdk.messages import ServiceError  # noqa: PLC0415

    try:
        guests = project.read()
    except ServiceError as error:
        why = receipt_texts.describe_fault(error.fault, project.session.base_url)
        if not config.evals:
            raise SinkError(why) from error
        return Reading(evaluations=(), notes=(f"Only this run's models are ranked. {why}",))
    if not guests and not config.evals:
        raise ArtifactError(
            f"the W&B project {config.project!r} has no summary run of "
            f"{project.tracks_in_words}: record evaluations first, or add evals to the config"
        )
    return Reading(evaluations=guests)


def _without_output_error(receipt: Receipt) -> Receipt:
    """Return the receipt with an output's failure as no error; an internal error stays one."""
    is_output_error = receipt.exit_code == SinkError.exit_code
    return replace(receipt, exit_code=0) if is_output_error else receipt


class _Inputs(Struct, frozen=True, kw_only=True):
    """The evaluations of all entries of the config, and what could not be read."""

    evaluations: tuple[Evaluation, ...]
    places: tuple[str, ...]
    """Where each was read: its file, or the place of its entry."""
    entries: tuple[EvalEntry, ...]
    """Those that were read, so that texts can be read from them too."""
    notes: tuple[str, ...]
    faults: tuple[UserError, ...]


def _read_inputs(config: Config, plan: Plan) -> _Inputs:
    """Read what is published, else all entries of the config."""
    options = ReadOptions(
        folder=plan.folder,
        with_details=plan.with_details,
        clusters=config.compare.clusters,
        progress=plan.progress,
    )
    readings = [plan.published] if plan.published else []
    places = [""] * sum(len(one.evaluations) for one in readings)
    entries: list[EvalEntry] = []
    faults: list[UserError] = [ArtifactError(why) for one in readings for why in one.faults]
    for entry in () if plan.published else config.evals:
        try:
            reading = sources.read(entry, options)
        except UserError as error:
            faults.append(error)
        else:
            readings.append(reading)
            entries.append(entry)
            places += reading.files or [str(entry.place)] * len(reading.evaluations)
            faults += map(ArtifactError, reading.faults)
    return _Inputs(
        evaluations=tuple(one for reading in readings for one in reading.evaluations),
        places=tuple(places),
        entries=tuple(entries),
        notes=tuple(note for reading in readings for note in reading.notes),
        faults=tuple(faults),
    )


def lowest_exit_code(exit_codes: Iterable[int]) -> int:
    """Return the lowest exit code that is not 0; 0 if all are."""
    return min({*exit_codes} - {0}, default=0)
