"""What both shells do: list the sinks in the order they are served, find W&B."""

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
"""What WANDB_MODE may be, and what it means; `dryrun` is the SDK's old word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The user's choices about the outputs."""

    report: str | None
    """Where the report JSON goes."""
    records: bool
    """Whether runs are recorded in W&B."""
    summary_only: bool
    html: str | None = None
    """Where the page goes."""


def sinks(  # noqa: PLR0913 -- what the shells decide, each by its name
    wishes: Wishes,
    config: Config,
    *,
    terminal: Sink | None,
    event: Event,
    environ: Mapping[str, str],
    project: WandbProject | None,
    wandb_key: str | None = None,
    comment: Sink | None = None,
) -> list[Sink]:
    """The sinks in the order they are served.

    The report file is first, so that nothing is lost, and last again, with the links. What cannot
    be replaced, as a FIFO, is written only once.
    project: where runs are sent to; None: they are recorded offline.
    wandb_key: seals what is recorded offline in a workflow.
    comment: the pull request's, where there is one.
    """
    report_file = [ReportFile(Path(wishes.report))] if wishes.report else []
    first = [one for one in report_file if not is_device(one.path)]
    found: list[Sink] = [*first, *([terminal] if terminal else [])]
    if wishes.records and _mode(environ) == "disabled":
        found.append(WandbDisabled())
    elif wishes.records:
        # Imported here: print-only never pays for it.
        from helm_wandb.wandb_runs.sink import WandbRuns  # noqa: PLC0415

        found.append(
            WandbRuns(
                config=config,
                summary_only=wishes.summary_only,
                folder=Path(),
                project=project,
                seal=_seal(event, wandb_key),
            )
        )
    if wishes.html:
        found.append(HtmlFile(Path(wishes.html)))
    if event.summary_file:
        found.append(JobSummary(event.summary_file))
    return [*found, *([comment] if comment else []), *report_file]


def _seal(event: Event, key: str | None) -> Seal | None:
    """Return what tells recordings of this workflow run from all others; None outside of one."""
    if not event.in_workflow:
        return None
    from helm_wandb.wandb_runs.offline_recording import Seal  # noqa: PLC0415 -- as its caller does

    return Seal(workflow_run=str(event.run_id or ""), key=key or "")


def with_server(config: Config, environ: Mapping[str, str], *, given: str | None = None) -> Config:
    """The config with the one W&B server and entity to use.

    The server is the input's, else the config's own, else WANDB_BASE_URL; the entity is the
    config's, else WANDB_ENTITY. Raises InputError where a variable cannot be either.
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
def project(  # noqa: PLR0913 -- what the shells decide, each by its name
    config: Config,
    key: str | None,
    event: Event,
    environ: Mapping[str, str],
    *,
    tracks: frozenset[str],
    trusted_url: str | None,
    redactor: Redactor,
) -> Iterator[WandbProject | None]:
    """The W&B project, and at the end no process of it; None without a key or offline.

    WANDB_MODE is how W&B's users ask to be offline, or that nothing is recorded: then W&B is
    only used if there is nothing else to read.

    tracks: those whose models are ranked beside this run's own.
    trusted_url: the server that the workflow's author named.
    redactor: removes secrets from what W&B answers.
    Raises InputError where the key would go to a stranger's host, or WANDB_MODE is no mode.
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
    """`online`, `offline` or `disabled`; raises InputError where WANDB_MODE is another word."""
    word = environ.get("WANDB_MODE", "").strip().lower()
    if word not in _MODES:
        message = f"WANDB_MODE: {word!r} is none of online, offline, disabled; fix it or unset it"
        raise InputError(message)
    return _MODES[word]
