"""The GitHub Action: the runner's environment → exit code."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from helm_wandb import baselines, outputs, pipeline, report
from helm_wandb.errors import SinkError, UserError
from helm_wandb.model import (
    WANDB,
    Config,
    Evaluation,
    Provenance,
    Reading,
    Receipt,
    Status,
    Verdict,
)
from helm_wandb.pr_comment.conversation import Conversation, open_conversation
from helm_wandb.pr_comment.several_comments import PullRequestComments
from helm_wandb.report.headline import count_verdicts
from helm_wandb.report.json_form import json_form
from helm_wandb.runner import log as logs
from helm_wandb.runner import wandb_key, workflow
from helm_wandb.runner.context import RunContext
from helm_wandb.runner.event import Event, read_event
from helm_wandb.runner.inputs import BaselineChoice
from helm_wandb.runner.repository import open_repository
from helm_wandb.runner.settings import Settings, find_secrets
from helm_wandb.sinks.job_summary import JobSummary
from helm_wandb.sinks.report_file import ReportFile
from helm_wandb.sinks.terminal import Terminal
from helm_wandb.sources.report import from_report
from helm_wandb.system import files, signals
from helm_wandb.text.redaction import Redactor, masked_forms
from helm_wandb.text.safe_text import plain

if TYPE_CHECKING:
    from helm_wandb.baselines import BaselineResult
    from helm_wandb.github_api.repository import Repository
    from helm_wandb.pipeline import Outcome
    from helm_wandb.wandb_runs.project_models import WandbProject

SEARCH_SECONDS = 60.0
"""GitHub's time for a baseline, which must not use up the comment's."""
CONVERSATION_SECONDS = 90.0
"""GitHub's time for the pull request and its comment."""


def main(environ: Mapping[str, str], *, root: Path) -> int:
    """Return the exit code of the action; see README, "Exit codes".

    root: the folder with this tool's `schema/`.
    """
    known = find_secrets(environ)
    plain_log = logs.WorkflowLog(sys.stdout)
    plain_log.mask(form for secret in known for form in masked_forms(secret))
    redactor = Redactor(known)
    log = logs.Log(plain_log, redactor)
    return logs.run_guarded(log, partial(_main, environ, root, log, redactor))


def _main(environ: Mapping[str, str], root: Path, log: logs.Log, redactor: Redactor) -> int:
    settings = Settings.from_environ(environ)
    event = read_event(environ)
    context = RunContext(event=event, environ=environ, redactor=redactor)
    if event.fault:
        log.message("warning", event.fault)
    with open_repository(
        context, settings.github_token, budget_seconds=CONVERSATION_SECONDS
    ) as github:
        conversation = open_conversation(settings, event, github)
        try:
            outcome = _outcome(settings, root, log, context, conversation)
        except UserError as error:
            outcome = pipeline.failed_outcome(error)
        if outcome.report is None:
            outcome = replace(outcome, receipts=_unread_receipts(outcome, context, conversation))
    outputs.log_outcome(outcome, log)
    if settings.is_print_only:
        log.message("notice", "print-only: nothing was written to W&B")
    failed = _publish(step_outputs(outcome, settings), event, settings, log)
    return outcome.exit_code or failed


def _outcome(
    settings: Settings, root: Path, log: logs.Log, context: RunContext, conversation: Conversation
) -> Outcome:
    config = _config(settings, root)
    if not (config.evals or settings.wandb_api_key or settings.from_report):
        log.message("notice", pipeline.ONLY_PROJECT)
        return pipeline.failed_outcome()
    config = outputs.choose_server(config, context.environ, given=settings.wandb_base_url)
    with (
        outputs.open_project(
            config,
            settings.wandb_api_key if _asks_wandb(settings, config) else None,
            context,
            tracks=context.event.ranked_tracks,
            trusted_url=(settings.wandb_base_url or "").rstrip("/"),
        ) as project,
        open_repository(context, settings.github_token, budget_seconds=SEARCH_SECONDS) as github,
    ):
        plan = pipeline.Plan(
            folder=Path(),
            provenance=context.event.provenance(pull_request=conversation.number),
            project=project,
            published=_published(settings),
            baseline=_baseline(
                settings,
                context.event,
                github,
                project,
                reports=config.compare.baseline_reports,
            ),
            gate_policy=replace(settings.gate, labels=conversation.labels),
            sink_errors_fail=settings.sink_errors_fail,
            with_details=True,
            keeps_answers=True,
            redactor=context.redactor,
        )
        options = replace(
            _output_options(settings, config, context),
            project=project,
            comment=conversation.comment,
        )
        return pipeline.run(config, plan, outputs.create_sinks(options))


def _output_options(
    settings: Settings, config: Config, context: RunContext
) -> outputs.OutputOptions:
    """Return the outputs that the inputs name."""
    return outputs.OutputOptions(
        context=context,
        config=config,
        report=settings.report,
        html=settings.html,
        badge=settings.badge,
        records=not settings.is_print_only,
        summary_only=settings.summary_only,
        model_artifact=settings.wandb_model_artifact,
        saves_view=settings.wandb_view,
        terminal=Terminal(stream=sys.stdout, literal_token=secrets.token_hex(16)),
        wandb_key=settings.wandb_api_key,
        inputs=(settings.config,) if settings.config else (),
    )


def _unread_receipts(
    outcome: Outcome, context: RunContext, conversation: Conversation
) -> tuple[Receipt, ...]:
    """Write the texts of a run of which nothing could be read, and return their receipts.

    An older comment must not go on showing a previous state as if it were this one.
    """
    path, comment = context.event.summary_file, conversation.comment
    provenance = context.event.provenance(pull_request=conversation.number)
    places: list[JobSummary | PullRequestComments] = [JobSummary(path)] if path else []
    if isinstance(comment, PullRequestComments):
        places.append(comment)
    problems = context.redactor.values([line for one in outcome.faults for line in one.lines])
    return tuple(_unread_receipt(one, problems, provenance) for one in places if problems)


def _unread_receipt(
    place: JobSummary | PullRequestComments, problems: Sequence[str], provenance: Provenance
) -> Receipt:
    signals.note(f"not finished: {place.name}")
    try:
        return place.deliver_unread(problems, provenance)
    except SinkError as error:
        # The unreadable evaluations decide the exit code.
        return Receipt(sink=place.name, status=Status.FAILED, reason=str(error))


def _config(settings: Settings, root: Path) -> Config:
    """Return the config, without evaluations if a report is published."""
    config = pipeline.load_config(settings.config, folder=Path(), root=root)
    # The report replaces the config's evaluations, and is not recorded in W&B.
    published = replace(config, evals=(), leaderboard=False)
    return published if settings.from_report else config


def _asks_wandb(settings: Settings, config: Config) -> bool:
    """Whether W&B is read or written; only then the key is checked."""
    only_project = not config.evals and not settings.from_report
    asks = not settings.is_print_only or only_project or settings.baseline == "wandb"
    if asks and settings.wandb_api_key:
        wandb_key.check_key(settings.wandb_api_key, "input wandb-api-key")
    return asks


def _published(settings: Settings) -> Reading | None:
    if settings.from_report is None:
        return None
    return from_report(settings.from_report, folder=Path())


def _baseline(
    settings: Settings,
    event: Event,
    github: Repository | None,
    project: WandbProject | None,
    *,
    reports: int,
) -> Callable[[Sequence[Evaluation]], BaselineResult]:
    is_word = settings.baseline in set(BaselineChoice)
    choice = BaselineChoice(settings.baseline) if is_word else BaselineChoice.FILE
    file = (
        baselines.read_baseline_file(settings.baseline, folder=Path(), named_by="input baseline")
        if choice is BaselineChoice.FILE
        else None
    )
    request = baselines.BaselineRequest(
        choice=choice,
        file=file,
        artifact=settings.baseline_artifact,
        report=settings.report,
        event=event,
        github=github,
        project=project,
        reports=reports,
    )
    return partial(baselines.resolve, request=request)


def step_outputs(outcome: Outcome, settings: Settings) -> dict[str, str]:
    """Return the action's outputs, all of them strings."""
    published = outcome.report
    written = {one.sink for one in outcome.receipts if one.status is Status.DONE}
    counts = count_verdicts(published.comparisons if published else ())
    rows = published.leaderboard.rows if published else ()
    return {
        "report-path": settings.report if ReportFile.name in written else "",
        "verdict": published.verdict.value if published else "",
        "regressions": str(counts[Verdict.REGRESSED]),
        "improvements": str(counts[Verdict.IMPROVED]),
        "print-only": str(settings.is_print_only).lower(),
        "baseline": plain(report.baseline_name(published)) if published else "",
        "wandb-url": plain(published.links.get(WANDB, "")) if published else "",
        "comment-url": plain(published.links.get(PullRequestComments.name, ""))
        if published
        else "",
        "leaderboard": json.dumps(rows, default=json_form, separators=(",", ":")),
    }


def _publish(values: Mapping[str, str], event: Event, settings: Settings, log: logs.Log) -> int:
    """Write the outputs; return the exit code, not 0 if the runner's file can't be written."""
    path = event.output_file
    try:
        if path:
            lines = workflow.output_lines(values, delimiter=secrets.token_hex(16))
            files.append_whole(path, lines.encode())
    except OSError as error:
        level = "error" if settings.sink_errors_fail else "warning"
        log.message(level, f"outputs: {path} cannot be written: {error.strerror}")
        return SinkError.exit_code if settings.sink_errors_fail else 0
    return 0
