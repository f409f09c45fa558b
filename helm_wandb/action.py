"""The GitHub Action: the runner's environment → exit code."""

from __future__ import annotations

import json
import secrets
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helm_wandb import log as logs
from helm_wandb import pipeline, provenance, report, workflow
from helm_wandb.errors import UserError
from helm_wandb.model import Verdict
from helm_wandb.settings import Settings
from helm_wandb.sinks.job_summary import JobSummary
from helm_wandb.sinks.report_file import ReportFile
from helm_wandb.sinks.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helm_wandb.model import Config
    from helm_wandb.pipeline import Outcome
    from helm_wandb.sinks import Sink

_BUG = 1


def main(environ: Mapping[str, str], *, root: Path) -> int:
    """The exit code of the action; see README, "Exit codes".

    root: the folder that holds this tool's `schema/`.
    """
    log = logs.WorkflowLog(sys.stdout)
    try:
        return _main(environ, root, log)
    except UserError as error:
        log.fault(error)
        return error.exit_code
    except Exception:  # noqa: BLE001 -- the traceback is shown, safely for the runner's log
        logs.tell_bug(log)
        return _BUG


def _main(environ: Mapping[str, str], root: Path, log: logs.Log) -> int:
    settings = Settings.from_environ(environ)
    config = pipeline.load_config(settings.config, folder=Path(), root=root)
    if not config.evals and settings.print_only:
        log.message("notice", pipeline.ONLY_PROJECT)
        return 0
    outcome = _run(settings, config, environ)
    logs.tell(outcome, log, sink_errors_fail=settings.sink_errors_fail)
    if settings.print_only:
        log.message("notice", "print-only: nothing was written to W&B")
    _write_outputs(environ, outputs(outcome, settings))
    return outcome.exit_code


def _run(settings: Settings, config: Config, environ: Mapping[str, str]) -> Outcome:
    base_url = settings.wandb_base_url or config.base_url or environ.get("WANDB_BASE_URL") or None
    config = replace(config, base_url=base_url)
    return pipeline.run(
        config,
        folder=Path(),
        provenance=provenance.from_environ(environ, _event(environ)),
        sinks=_sinks(settings, config, environ),
        sink_errors_fail=settings.sink_errors_fail,
    )


def _event(environ: Mapping[str, str]) -> dict[str, Any]:
    path = environ.get("GITHUB_EVENT_PATH")
    if not path or not Path(path).is_file():
        return {}
    event = json.loads(Path(path).read_bytes())
    return event if isinstance(event, dict) else {}


def _sinks(settings: Settings, config: Config, environ: Mapping[str, str]) -> list[Sink]:
    """The sinks in the order they are served; the report file is last again, with the links."""
    report_file = ReportFile(Path(settings.report))
    terminal = Terminal(stream=sys.stdout, literal_token=secrets.token_hex(16))
    sinks: list[Sink] = [report_file, terminal]
    if not settings.print_only:
        # Imported here: print-only never pays for it.
        from helm_wandb.sinks.wandb_runs import WandbRuns  # noqa: PLC0415

        sinks.append(WandbRuns(config=config, summary_only=settings.summary_only, folder=Path()))
    summary = environ.get("GITHUB_STEP_SUMMARY")
    return [*sinks, *([JobSummary(Path(summary))] if summary else []), report_file]


def outputs(outcome: Outcome, settings: Settings) -> dict[str, str]:
    """The action's outputs, all of them strings."""
    told = outcome.report
    verdict = told.verdict if told else Verdict.NO_BASELINE
    rows = report.leaderboard_rows(told.leaderboard) if told else []
    return {
        "report-path": settings.report if told else "",
        "verdict": verdict.value,
        "regressions": "0",
        "improvements": "0",
        "print-only": str(settings.print_only).lower(),
        "baseline": "",
        "wandb-url": told.links.get("W&B", "") if told else "",
        "comment-url": "",
        "leaderboard": json.dumps(rows, separators=(",", ":"), ensure_ascii=False),
    }


def _write_outputs(environ: Mapping[str, str], values: Mapping[str, str]) -> None:
    path = environ.get("GITHUB_OUTPUT")
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(workflow.output_lines(values, delimiter=secrets.token_hex(16)))
