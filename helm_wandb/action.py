"""The GitHub Action: the runner's environment → exit code."""

from __future__ import annotations

import json
import secrets
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helm_wandb import baselines, outputs, pipeline, report
from helm_wandb.errors import SinkError, UserError
from helm_wandb.model import WANDB, Receipt, Status, Verdict
from helm_wandb.pr_comment import conversation
from helm_wandb.pr_comment.sticky_comment import PullRequestComment
from helm_wandb.runner import log as logs
from helm_wandb.runner import provenance, wandb_key, workflow
from helm_wandb.runner.settings import Settings
from helm_wandb.runner.settings import secrets as secrets_of
from helm_wandb.sinks.job_summary import JobSummary
from helm_wandb.sinks.report_file import ReportFile
from helm_wandb.sinks.terminal import Terminal
from helm_wandb.sources.report import from_report
from helm_wandb.system import files, signals
from helm_wandb.text.redaction import Redactor, masked_forms
from helm_wandb.text.safe_text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from helm_wandb.baselines import Resolved
    from helm_wandb.github_api.messages import Github
    from helm_wandb.model import Config, Evaluation, Provenance, Reading
    from helm_wandb.pipeline import Outcome
    from helm_wandb.pr_comment.conversation import Conversation
    from helm_wandb.sinks import Sink
    from helm_wandb.wandb_runs.project_models import WandbProject

_SEARCH_SECONDS = 60.0
"""How long GitHub may take to give a baseline: it must not cost the comment."""
_CONVERSATION_SECONDS = 90.0
"""How long it may take for the pull request and its comment."""


def main(environ: Mapping[str, str], *, root: Path) -> int:
    """The exit code of the action; see README, "Exit codes".

    root: the folder that holds this tool's `schema/`.
    """
    known = secrets_of(environ)
    plain_log = logs.WorkflowLog(sys.stdout)
    plain_log.mask(form for secret in known for form in masked_forms(secret))
    redactor = Redactor(known)
    log = logs.RedactedLog(plain_log, redactor)
    return logs.guarded(log, partial(_main, environ, root, log, redactor))


def _main(environ: Mapping[str, str], root: Path, log: logs.Log, redactor: Redactor) -> int:
    settings = Settings.from_environ(environ)
    event = outputs.event(environ, log)
    with outputs.github(
        environ, settings.github_token, seconds=_CONVERSATION_SECONDS, redactor=redactor
    ) as github:
        about = conversation.of_run(settings, environ, event, github)
        known = _Known(
            event=event,
            conversation=about,
            provenance=provenance.from_environ(environ, event, found=about.number),
            redactor=redactor,
        )
        try:
            outcome = _outcome(settings, environ, root, log, known)
        except UserError as error:
            outcome = pipeline.failed_outcome(error)
        if outcome.report is None:
            outcome = replace(outcome, receipts=_told_unread(outcome, environ, known))
    logs.tell(outcome, log)
    if settings.print_only:
        log.message("notice", "print-only: nothing was written to W&B")
    failed = _publish(step_outputs(outcome, settings), environ, settings, log)
    return outcome.exit_code or failed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the workflow says of a run."""

    event: Mapping[str, Any]
    conversation: Conversation
    provenance: Provenance
    redactor: Redactor


def _outcome(
    settings: Settings, environ: Mapping[str, str], root: Path, log: logs.Log, known: _Known
) -> Outcome:
    config = _config(settings, root)
    if not (config.evals or settings.wandb_key or settings.from_report):
        log.message("notice", pipeline.ONLY_PROJECT)
        return pipeline.failed_outcome()
    config = outputs.with_server(config, environ, given=settings.wandb_base_url)
    with (
        outputs.project(
            config,
            settings.wandb_key if _asks_wandb(settings, config) else None,
            environ,
            tracks=provenance.ranked_tracks(known.event),
            trusted_url=(settings.wandb_base_url or "").rstrip("/"),
            redactor=known.redactor,
        ) as project,
        outputs.github(
            environ, settings.github_token, seconds=_SEARCH_SECONDS, redactor=known.redactor
        ) as searched,
    ):
        plan = pipeline.Plan(
            folder=Path(),
            provenance=known.provenance,
            project=project,
            published=_published(settings),
            baseline=_baseline(settings, environ, known.event, searched, project),
            gate_policy=replace(settings.gate, labels=known.conversation.labels),
            sink_errors_fail=settings.sink_errors_fail,
            with_details=True,
            redactor=known.redactor,
        )
        return pipeline.run(
            config, plan, _sinks(settings, config, environ, project, known.conversation)
        )


def _sinks(
    settings: Settings,
    config: Config,
    environ: Mapping[str, str],
    project: WandbProject | None,
    about: Conversation,
) -> list[Sink]:
    wishes = outputs.Wishes(
        report=settings.report,
        html=settings.html,
        records=not settings.print_only,
        summary_only=settings.summary_only,
    )
    return outputs.sinks(
        wishes,
        config,
        terminal=Terminal(stream=sys.stdout, literal_token=secrets.token_hex(16)),
        environ=environ,
        project=project,
        wandb_key=settings.wandb_key,
        comment=about.comment,
    )


def _told_unread(
    outcome: Outcome, environ: Mapping[str, str], known: _Known
) -> tuple[Receipt, ...]:
    """What became of the texts of a run of which nothing could be read.

    A comment that is there must not go on telling of an older state as if it were this one.
    """
    path = environ.get("GITHUB_STEP_SUMMARY")
    problems = [line for fault in outcome.faults for line in fault.lines]
    places: list[JobSummary | PullRequestComment] = [JobSummary(Path(path))] if path else []
    if isinstance(known.conversation.comment, PullRequestComment):
        places.append(known.conversation.comment)
    problems = known.redactor.values(problems)
    return tuple(_unread_receipt(one, problems, known.provenance) for one in places if problems)


def _unread_receipt(
    place: JobSummary | PullRequestComment, problems: Sequence[str], known: Provenance
) -> Receipt:
    signals.note(f"not finished: {place.name}")
    try:
        return place.tell_unread(problems, known)
    except SinkError as error:
        # The exit code is that of what could not be read.
        return Receipt(sink=place.name, status=Status.FAILED, reason=str(error))


def _config(settings: Settings, root: Path) -> Config:
    """The config; where a report is published, what of it still counts."""
    config = pipeline.load_config(settings.config, folder=Path(), root=root)
    # The report takes the place of what the config would have read, and is not recorded.
    published = replace(config, evals=(), leaderboard=False)
    return published if settings.from_report else config


def _asks_wandb(settings: Settings, config: Config) -> bool:
    """Whether anything is to be asked of W&B, or sent there; the key is looked at only then."""
    only_project = not config.evals and not settings.from_report
    asks = not settings.print_only or only_project or settings.baseline == "wandb"
    if asks and settings.wandb_key:
        wandb_key.checked(settings.wandb_key, "input wandb-api-key")
    return asks


def _published(settings: Settings) -> Reading | None:
    if settings.from_report is None:
        return None
    return from_report(settings.from_report, folder=Path())


def _baseline(
    settings: Settings,
    environ: Mapping[str, str],
    event: Mapping[str, Any],
    github: Github | None,
    project: WandbProject | None,
) -> Callable[[Sequence[Evaluation]], Resolved]:
    is_word = settings.baseline in set(baselines.Choice)
    choice = baselines.Choice(settings.baseline) if is_word else baselines.Choice.FILE
    file = (
        baselines.of_file(settings.baseline, folder=Path(), asked_by="input baseline")
        if choice is baselines.Choice.FILE
        else None
    )
    asked = baselines.Asked(
        choice=choice,
        file=file,
        artifact=settings.baseline_artifact,
        report=settings.report,
        trigger=baselines.Trigger.from_environ(environ, event),
        github=github,
        project=project,
    )
    return partial(baselines.resolve, asked=asked)


def step_outputs(outcome: Outcome, settings: Settings) -> dict[str, str]:
    """The action's outputs, all of them strings."""
    told = outcome.report
    written = {one.sink for one in outcome.receipts if one.status is Status.DONE}
    counts = report.counted_verdicts(told.comparisons if told else ())
    rows = report.leaderboard_rows(told.leaderboard) if told else []
    return {
        "report-path": settings.report if ReportFile.name in written else "",
        "verdict": told.verdict.value if told else "",
        "regressions": str(counts[Verdict.REGRESSED]),
        "improvements": str(counts[Verdict.IMPROVED]),
        "print-only": str(settings.print_only).lower(),
        "baseline": plain(report.baseline_name(told)) if told else "",
        "wandb-url": plain(told.links.get(WANDB, "")) if told else "",
        "comment-url": plain(told.links.get(PullRequestComment.name, "")) if told else "",
        "leaderboard": json.dumps(rows, separators=(",", ":")),
    }


def _publish(
    values: Mapping[str, str], environ: Mapping[str, str], settings: Settings, log: logs.Log
) -> int:
    """Write the outputs; the exit code where the runner's file cannot be written."""
    path = environ.get("GITHUB_OUTPUT")
    try:
        if path:
            lines = workflow.output_lines(values, delimiter=secrets.token_hex(16))
            files.append_whole(Path(path), lines.encode())
    except OSError as error:
        level = "error" if settings.sink_errors_fail else "warning"
        log.message(level, f"outputs: {path} cannot be written: {error.strerror}")
        return SinkError.exit_code if settings.sink_errors_fail else 0
    return 0
