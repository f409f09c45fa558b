"""What both shells do: list the sinks in the order they are served, find the W&B server."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from helm_wandb.errors import InputError
from helm_wandb.sinks.job_summary import JobSummary
from helm_wandb.sinks.report_file import ReportFile
from helm_wandb.urls import is_server_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helm_wandb.model import Config
    from helm_wandb.sinks import Sink
    from helm_wandb.sinks.terminal import Terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a user asked of the sinks."""

    report: str | None
    """Where the report JSON goes."""
    records: bool
    """Whether runs are recorded in W&B."""
    summary_only: bool


def sinks(
    wishes: Wishes, config: Config, *, terminal: Terminal, environ: Mapping[str, str]
) -> list[Sink]:
    """The sinks in the order they are served.

    The report file is first, so that nothing is lost, and last again, with the links.
    """
    report_file = [ReportFile(Path(wishes.report))] if wishes.report else []
    found: list[Sink] = [*report_file, terminal]
    if wishes.records:
        # Imported here: print-only never pays for it.
        from helm_wandb.sinks.wandb_runs import WandbRuns  # noqa: PLC0415

        found.append(WandbRuns(config=config, summary_only=wishes.summary_only, folder=Path()))
    summary = environ.get("GITHUB_STEP_SUMMARY")
    return [*found, *([JobSummary(Path(summary))] if summary else []), *report_file]


def with_base_url(
    config: Config, environ: Mapping[str, str], *, given: str | None = None
) -> Config:
    """The config with the one W&B server to use: the input's, else its own, else WANDB_BASE_URL.

    Raises InputError where the variable holds no URL.
    """
    variable = environ.get("WANDB_BASE_URL", "").strip() or None
    if variable is not None and not is_server_url(variable):
        message = f"WANDB_BASE_URL: {variable!r} is no URL of a server; mend it or unset it"
        raise InputError(message)
    return replace(config, base_url=given or config.base_url or variable)
