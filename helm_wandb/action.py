"""The GitHub Action: the runner's environment → exit code."""

from __future__ import annotations

import json
import secrets
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helm_wandb import baselines, pipeline, provenance, report, shell, wandb_key, workflow
from helm_wandb import log as logs
from helm_wandb.errors import InputError, SinkError, UserError
from helm_wandb.model import Verdict
from helm_wandb.settings import Settings
from helm_wandb.settings import secrets as secrets_of
from helm_wandb.sinks import WANDB
from helm_wandb.sinks.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helm_wandb.baselines import Found
    from helm_wandb.pipeline import Outcome


def main(environ: Mapping[str, str], *, root: Path) -> int:
    """The exit code of the action; see README, "Exit codes".

    root: the folder that holds this tool's `schema/`.
    """
    log = logs.WorkflowLog(sys.stdout)
    return logs.guarded(log, partial(_main, environ, root, log))


def _main(environ: Mapping[str, str], root: Path, log: logs.WorkflowLog) -> int:
    log.mask(secrets_of(environ))
    settings = Settings.from_environ(environ)
    try:
        outcome = _outcome(settings, environ, root, log)
    except UserError as error:
        outcome = pipeline.nothing(error)
    logs.tell(outcome, log)
    if settings.print_only:
        log.message("notice", "print-only: nothing was written to W&B")
    failed = _publish(outputs(outcome, settings), environ, settings, log)
    return outcome.exit_code or failed


def _outcome(settings: Settings, environ: Mapping[str, str], root: Path, log: logs.Log) -> Outcome:
    config = pipeline.load_config(settings.config, folder=Path(), root=root)
    if not config.evals and not settings.wandb_key:
        log.message("notice", pipeline.ONLY_PROJECT)
        return pipeline.nothing()
    config = shell.with_server(config, environ, given=settings.wandb_base_url)
    event = _event(environ, log)
    wishes = shell.Wishes(
        report=settings.report,
        html=None,
        records=not settings.print_only,
        summary_only=settings.summary_only,
    )
    asks = wishes.records or not config.evals
    if asks and settings.wandb_key:
        wandb_key.checked(settings.wandb_key, "input wandb-api-key")
    with shell.project(
        config,
        settings.wandb_key if asks else None,
        environ,
        tracks=provenance.ranked_tracks(event),
        trusted_url=(settings.wandb_base_url or "").rstrip("/"),
    ) as project:
        terminal = Terminal(stream=sys.stdout, literal_token=secrets.token_hex(16))
        return pipeline.run(
            config,
            folder=Path(),
            provenance=provenance.from_environ(environ, event),
            sinks=shell.sinks(wishes, config, terminal=terminal, environ=environ, project=project),
            project=project,
            baseline=_baseline(settings),
            gate_policy=replace(settings.gate, labels=provenance.labels(event)),
            sink_errors_fail=settings.sink_errors_fail,
            with_details=True,
        )


def _baseline(settings: Settings) -> Found | None:
    if settings.baseline is None:
        return None
    return baselines.of_file(settings.baseline, folder=Path(), asked_by="input baseline")


def _event(environ: Mapping[str, str], log: logs.Log) -> dict[str, Any]:
    """The event; without a readable one, what the variables say must do."""
    try:
        return provenance.read_event(environ)
    except InputError as error:
        log.message("warning", str(error))
        return {}


def outputs(outcome: Outcome, settings: Settings) -> dict[str, str]:
    """The action's outputs, all of them strings."""
    told = outcome.report
    verdict = told.verdict if told else Verdict.NO_BASELINE
    counts = report.counted_verdicts(told.comparisons if told else ())
    rows = report.leaderboard_rows(told.leaderboard) if told else []
    return {
        "report-path": settings.report if told else "",
        "verdict": verdict.value,
        "regressions": str(counts[Verdict.REGRESSED]),
        "improvements": str(counts[Verdict.IMPROVED]),
        "print-only": str(settings.print_only).lower(),
        "baseline": report.baseline_name(told) if told else "",
        "wandb-url": told.links.get(WANDB, "") if told else "",
        "comment-url": "",
        "leaderboard": json.dumps(rows, separators=(",", ":"), ensure_ascii=False),
    }


def _publish(
    values: Mapping[str, str], environ: Mapping[str, str], settings: Settings, log: logs.Log
) -> int:
    """Write the outputs; the exit code where the runner's file cannot be written."""
    path = environ.get("GITHUB_OUTPUT")
    try:
        if path:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(workflow.output_lines(values, delimiter=secrets.token_hex(16)))
    except OSError as error:
        level = "error" if settings.sink_errors_fail else "warning"
        log.message(level, f"outputs: {path} cannot be written: {error.strerror}")
        return SinkError.exit_code if settings.sink_errors_fail else 0
    return 0
