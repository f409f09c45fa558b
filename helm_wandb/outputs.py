"""Parts of both shells: the outputs in their order, their messages, and the W&B project."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from helm_wandb.errors import InputError
from helm_wandb.model import WANDB, Config, EvalEntry, Gate, Report, Status
from helm_wandb.runner import wandb_key
from helm_wandb.sinks import output_files
from helm_wandb.sinks.output_files import OutputFile
from helm_wandb.sinks.rendered_file import RenderedFile
from helm_wandb.sinks.report_file import ReportFile
from helm_wandb.system.files import is_device
from helm_wandb.system.urls import is_server_url, shown_url
from helm_wandb.text.words import join_truncated
from helm_wandb.wandb_runs.disabled import WandbDisabled

if TYPE_CHECKING:
    from helm_wandb.pipeline import Outcome
    from helm_wandb.runner.context import RunContext
    from helm_wandb.runner.event import Event
    from helm_wandb.runner.log import Log
    from helm_wandb.sinks import Sink
    from helm_wandb.wandb_runs.offline_recording import Seal
    from helm_wandb.wandb_runs.project_models import WandbProject

REFUSED_IN_NAMES = re.compile(r"[/\\#?%:]")
"""Characters that `schema/config.schema.json` refuses, too."""
_REASONS_SHOWN = 5
_MODES = {
    "": "online",
    "online": "online",
    "offline": "offline",
    "dryrun": "offline",
    "disabled": "disabled",
}
"""Values of WANDB_MODE and their meaning; `dryrun` is the SDK's old word."""


class OutputOptions(Struct, frozen=True, kw_only=True):
    """The outputs that a run writes, and their settings."""

    context: RunContext
    config: Config
    report: str | None
    """Path of the report JSON."""
    records: bool = False
    """Whether runs are recorded in W&B."""
    summary_only: bool = False
    model_artifact: str | None = None
    """The evaluated model's artifact in W&B."""
    saves_view: bool = False
    """Whether the W&B project gets a saved view."""
    html: str | None = None
    """Path of the HTML report."""
    badge: str | None = None
    """Path of the badge's JSON."""
    comment_file: str | None = None
    """Path of the comment's Markdown."""
    terminal: Sink | None = None
    project: WandbProject | None = None
    """Where runs are sent to; None: they are recorded offline."""
    wandb_key: str | None = None
    """Seals what is recorded offline in a workflow."""
    wandb_command: str = "wandb"
    """How the user's shell calls W&B's command."""
    comment: Sink | None = None
    """The pull request's comment, if there is one."""
    json: Sink | None = None
    """The report JSON on standard output."""
    inputs: tuple[str, ...] = ()
    """Files that the run reads, and that no output may replace."""
    entries: tuple[EvalEntry, ...] = ()
    """Entries that are read besides the config's."""


def create_sinks(options: OutputOptions) -> list[Sink]:
    """Return the outputs of a run in the order in which they are written.

    Raises InputError if two are one file, or one would replace what the run reads.
    """
    output_files.refuse_unsafe(
        [*_files(options)], options.inputs, (*options.config.evals, *options.entries)
    )
    return [sink for create in OUTPUTS if (sink := create(options))]


def _files(options: OutputOptions) -> Iterator[OutputFile]:
    for name, beginning in (
        (options.report, output_files.REPORT),
        (options.html, output_files.HTML),
        (options.badge, output_files.BADGE),
        (options.comment_file, output_files.COMMENT),
    ):
        if name:
            yield OutputFile(name, beginning)


def _first_report(options: OutputOptions) -> Sink | None:
    """Return the report file; None if it can't be replaced, as a FIFO, and so is written once."""
    return None if options.report and is_device(Path(options.report)) else _report(options)


def _report(options: OutputOptions) -> Sink | None:
    return ReportFile(Path(options.report)) if options.report else None


def _wandb_runs(options: OutputOptions) -> Sink | None:
    if not options.records:
        return None
    if _mode(options.context.environ) == "disabled":
        return WandbDisabled()
    # Imported here: print-only never pays for it.
    from helm_wandb.wandb_runs.sink import WandbRuns  # noqa: PLC0415

    return WandbRuns(
        config=options.config,
        summary_only=options.summary_only,
        folder=Path(),
        project=options.project,
        model_artifact=options.model_artifact,
        saves_view=options.saves_view,
        seal=_seal(options.context.event, options.wandb_key),
        command=options.wandb_command,
    )


def _html(options: OutputOptions) -> Sink | None:
    if not options.html:
        return None
    # Imported here: only a run that writes a page pays for its templates.
    from helm_wandb.render.html import html_report  # noqa: PLC0415

    return RenderedFile("HTML report", Path(options.html), html_report.render)


def _badge(options: OutputOptions) -> Sink | None:
    if not options.badge:
        return None
    from helm_wandb.render import badge  # noqa: PLC0415 -- as for the HTML report

    return RenderedFile("badge", Path(options.badge), badge.render)


def _comment_file(options: OutputOptions) -> Sink | None:
    if not options.comment_file:
        return None
    from helm_wandb.render import comment  # noqa: PLC0415 -- as for the HTML report

    render = partial(comment.render, limit_bytes=comment.LIMIT_BYTES)
    return RenderedFile("comment file", Path(options.comment_file), render)


def _job_summary(options: OutputOptions) -> Sink | None:
    path = options.context.event.summary_file
    if path is None:
        return None
    # Imported here: on the command line print-only never pays for its pages.
    from helm_wandb.sinks.job_summary import JobSummary  # noqa: PLC0415

    return JobSummary(path)


OUTPUTS: tuple[Callable[[OutputOptions], Sink | None], ...] = (
    # First, so that nothing is lost.
    _first_report,
    lambda options: options.terminal,
    _wandb_runs,
    _html,
    _badge,
    _comment_file,
    _job_summary,
    lambda options: options.comment,
    # Again, with the links to what was written.
    _report,
    lambda options: options.json,
)
"""All outputs in the order in which they are written: each if the options have it."""


def _seal(event: Event, key: str | None) -> Seal | None:
    """Return the seal of this workflow run's recordings; None outside of a workflow."""
    if not event.in_workflow:
        return None
    from helm_wandb.wandb_runs.offline_recording import Seal  # noqa: PLC0415 -- as its caller does

    return Seal(workflow_run=str(event.run_id or ""), key=key or "")


def choose_server(
    config: Config, environ: Mapping[str, str], *, given: str | None = None
) -> Config:
    """Return the config with the W&B server and entity to use.

    The server is the input's, else the config's own, else WANDB_BASE_URL; the entity is the
    config's, else WANDB_ENTITY. Raises InputError if a variable is no server or no entity.
    """
    variable = environ.get("WANDB_BASE_URL", "").strip() or None
    if variable is not None and not is_server_url(variable):
        shown = shown_url(variable)
        raise InputError(f"WANDB_BASE_URL: {shown} isn't the URL of a server; fix it or unset it")
    entity = config.entity or environ.get("WANDB_ENTITY", "").strip() or None
    if entity and REFUSED_IN_NAMES.search(entity):
        raise InputError(
            f"WANDB_ENTITY: {entity!r} isn't an entity: it may not contain any of / \\ # ? % :"
        )
    base_url = given or config.base_url or variable
    return replace(config, base_url=base_url and base_url.rstrip("/"), entity=entity)


@contextmanager
def open_project(
    config: Config,
    key: str | None,
    context: RunContext,
    *,
    tracks: frozenset[str],
    trusted_url: str | None,
) -> Iterator[WandbProject | None]:
    """Yield the W&B project, and end its process; None without a key or offline.

    By WANDB_MODE W&B's users choose to be offline, or to record nothing: then W&B is
    only used if there is nothing else to read.

    tracks: those whose models are ranked with this run's own.
    trusted_url: the server that the workflow's author named.
    Raises InputError if the key would go to a stranger's host, or WANDB_MODE is no mode.
    """
    mode = _mode(context.environ)
    if not key or mode == "offline" or (mode == "disabled" and config.evals):
        yield None
        return
    # Imported here: print-only never pays for it.
    from helm_wandb.wandb_runs.project_models import WandbProject  # noqa: PLC0415
    from helm_wandb.wandb_runs.sdk.session import Session  # noqa: PLC0415

    base_url = config.base_url or wandb_key.DEFAULT_BASE_URL
    wandb_key.refuse_foreign_host(context.event, base_url, trusted_url=trusted_url)
    with Session(
        base_url=base_url, api_key=key, entity=config.entity, redactor=context.redactor
    ) as session:
        yield WandbProject(session=session, name=config.project, tracks=tracks)


def _mode(environ: Mapping[str, str]) -> str:
    """Return `online`, `offline` or `disabled`; raises InputError for another WANDB_MODE."""
    word = environ.get("WANDB_MODE", "").strip().lower()
    if word not in _MODES:
        raise InputError(
            f"WANDB_MODE: {word!r} is invalid; use online, offline, or disabled, or unset it"
        )
    return _MODES[word]


def log_outcome(outcome: Outcome, log: Log) -> None:
    """Say what could not be read, what the gate found, and whether each output was written.

    W&B is last, since it says how to go on. A failure without an exit code is a warning.
    """
    for fault in outcome.faults:
        log.fault(fault)
    if outcome.report:
        _log_report(outcome, outcome.report, log)
    for receipt in sorted(outcome.receipts, key=lambda receipt: receipt.sink == WANDB):
        if receipt.traceback:
            log.listing(receipt.traceback)
        if receipt.status is Status.FAILED:
            level = "error" if receipt.exit_code else "warning"
            log.message(level, _named(receipt.sink, receipt.reason or ""))
        elif receipt.reason:
            is_skipped = receipt.status is Status.SKIPPED
            level = "notice" if is_skipped or receipt.sink == WANDB else "info"
            log.message(level, _named(receipt.sink, receipt.reason))
        for warning in receipt.warnings:
            log.message("warning", _named(receipt.sink, warning))


def _named(sink: str, sentence: str) -> str:
    """Return the sentence with the output that it is about, once."""
    return sentence if sentence.startswith(f"{sink} ") else f"{sink}: {sentence}"


def _log_report(outcome: Outcome, report: Report, log: Log) -> None:
    if outcome.warnings:
        log.message("warning", "; ".join(outcome.warnings))
    if report.gate and report.gate.reasons:
        log.message(*_gate_message(report.gate, outcome, is_job=report.provenance.is_job))
    if report.gate and report.gate.warnings:
        subject = " the job" * report.provenance.is_job
        log.message("warning", f"doesn't fail{subject}: {_some(report.gate.warnings)}")
    if outcome.missing_baseline and report.evaluations:
        log.message("warning", outcome.missing_baseline)


def _gate_message(gate: Gate, outcome: Outcome, *, is_job: bool) -> tuple[str, str]:
    """Return level and sentence: a single annotation, since a step has only ten."""
    reasons = _some(gate.reasons)
    if gate.closed:
        return "error", f"{'the job fails' if is_job else 'failed'}: {reasons}"
    if gate.accepted_by:
        return (
            "notice",
            f"The job passes (label {gate.accepted_by}), although {reasons}",
        )
    if is_job:
        return "warning", f"{reasons}. This doesn't fail the job (fail-on: never)"
    return "warning", f"{reasons}{_exit_code_on_regression(outcome)}"


def _exit_code_on_regression(outcome: Outcome) -> str:
    """Return the sentence on the exit code with `--fail-on regression`, if that changes it."""
    code = outcome.strict_exit_code
    is_same = code == outcome.exit_code
    return "" if is_same else f". With --fail-on regression, the exit code is {code}"


def _some(sentences: Sequence[str]) -> str:
    return join_truncated(
        sentences,
        _REASONS_SHOWN,
        separator="; ",
        last="; and ",
        rest="more, which are in the report",
    )
