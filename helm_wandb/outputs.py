"""Parts of both shells: the outputs in their order, and the W&B server and project."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from helm_wandb.errors import InputError
from helm_wandb.runner import wandb_key
from helm_wandb.sinks.html_file import HtmlFile
from helm_wandb.sinks.job_summary import JobSummary
from helm_wandb.sinks.report_file import ReportFile
from helm_wandb.system.files import is_device
from helm_wandb.text.urls import is_server_url, shown_url
from helm_wandb.wandb_runs.disabled import WandbDisabled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from helm_wandb.model import Config
    from helm_wandb.runner.event import Event
    from helm_wandb.sinks import Sink
    from helm_wandb.text.redaction import Redactor
    from helm_wandb.wandb_runs.offline_recording import Seal
    from helm_wandb.wandb_runs.project_models import WandbProject

_REFUSED_IN_NAMES = re.compile(r"[/\\#?%:]")
"""As in `schema/config.schema.json`."""
_MODES = {
    "": "online",
    "online": "online",
    "offline": "offline",
    "dryrun": "offline",
    "disabled": "disabled",
}
"""Values of WANDB_MODE and their meaning; `dryrun` is the SDK's old word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """The user's choices about the outputs."""

    report: str | None
    """Path of the report JSON."""
    records: bool
    """Whether runs are recorded in W&B."""
    summary_only: bool
    html: str | None = None
    """Path of the HTML report."""


def sinks(  # noqa: PLR0913 -- the shells' choices, by name
    options: OutputOptions,
    config: Config,
    *,
    terminal: Sink | None,
    event: Event,
    environ: Mapping[str, str],
    project: WandbProject | None,
    wandb_key: str | None = None,
    comment: Sink | None = None,
) -> list[Sink]:
    """Return the outputs in their order.

    The report file is first, so that nothing is lost, and again last, with the links. A file
    that cannot be replaced, such as a FIFO, is written only once.
    project: receives the runs; None: they are recorded offline.
    wandb_key: seals the offline recordings of a workflow.
    comment: the pull request's comment, if there is one.
    """
    report_file = [ReportFile(Path(options.report))] if options.report else []
    first = [one for one in report_file if not is_device(one.path)]
    listed: list[Sink] = [*first, *([terminal] if terminal else [])]
    if options.records and _mode(environ) == "disabled":
        listed.append(WandbDisabled())
    elif options.records:
        # Imported here: print-only never pays for it.
        from helm_wandb.wandb_runs.sink import WandbRuns  # noqa: PLC0415

        listed.append(
            WandbRuns(
                config=config,
                summary_only=options.summary_only,
                folder=Path(),
                project=project,
                seal=_seal(event, wandb_key),
            )
        )
    if options.html:
        listed.append(HtmlFile(Path(options.html)))
    if event.summary_file:
        listed.append(JobSummary(event.summary_file))
    return [*listed, *([comment] if comment else []), *report_file]


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
        message = f"WANDB_BASE_URL: {shown} is no URL of a server; fix it or unset it"
        raise InputError(message)
    entity = config.entity or environ.get("WANDB_ENTITY", "").strip() or None
    if entity and _REFUSED_IN_NAMES.search(entity):
        message = f"WANDB_ENTITY: {entity!r} is no entity: it may hold none of / \\ # ? % :"
        raise InputError(message)
    base_url = given or config.base_url or variable
    return replace(config, base_url=base_url and base_url.rstrip("/"), entity=entity)


@contextmanager
def open_project(  # noqa: PLR0913 -- the shells' choices, by name
    config: Config,
    key: str | None,
    event: Event,
    environ: Mapping[str, str],
    *,
    tracks: frozenset[str],
    trusted_url: str | None,
    redactor: Redactor,
) -> Iterator[WandbProject | None]:
    """Yield the W&B project, and end its process; None without a key or offline.

    By WANDB_MODE W&B's users choose to be offline, or to record nothing: then W&B is
    only used if there is nothing else to read.

    tracks: those whose models are ranked with this run's own.
    trusted_url: the server that the workflow's author named.
    redactor: removes secrets from what W&B answers.
    Raises InputError if the key would go to a stranger's host, or WANDB_MODE is no mode.
    """
    mode = _mode(environ)
    if not key or mode == "offline" or (mode == "disabled" and config.evals):
        yield None
        return
    # Imported here: print-only never pays for it.
    from helm_wandb.wandb_runs.project_models import WandbProject  # noqa: PLC0415
    from helm_wandb.wandb_runs.sdk.session import Session  # noqa: PLC0415

    base_url = config.base_url or wandb_key.DEFAULT_BASE_URL
    wandb_key.refuse_foreign_host(event, base_url, trusted_url=trusted_url)
    with Session(
        base_url=base_url, api_key=key, entity=config.entity, redactor=redactor
    ) as session:
        session.prepare()
        yield WandbProject(session=session, name=config.project, tracks=tracks)


def _mode(environ: Mapping[str, str]) -> str:
    """Return `online`, `offline` or `disabled`; raises InputError for another WANDB_MODE."""
    word = environ.get("WANDB_MODE", "").strip().lower()
    if word not in _MODES:
        message = f"WANDB_MODE: {word!r} is none of online, offline, disabled; fix it or unset it"
        raise InputError(message)
    return _MODES[word]
