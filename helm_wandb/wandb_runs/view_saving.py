"""Saves the view of a project, once; a project that has it gets only metrics that it lacks."""

from __future__ import annotations

from helm_wandb.model import Report
from helm_wandb.wandb_runs import view
from helm_wandb.wandb_runs.project_models import WandbProject
from helm_wandb.wandb_runs.sdk.messages import (
    Cause,
    Fault,
    ReadView,
    SaveView,
    ServiceError,
    StoredView,
)


def save_view(project: WandbProject, report: Report) -> None:
    """Save the view of the report's metrics and those that it has; raises ServiceError.

    A view that has them all stays as it is, with what people changed in it.
    """
    own = view.report_metrics(report)
    stored = _read(project)
    metrics = view.stored_metrics(stored.spec) if stored else frozenset()
    if _has_all(metrics, own):
        return
    request = SaveView(
        project=project.name,
        id=stored.id if stored else None,
        name=view.NAME,
        title=view.TITLE,
        spec=view.view_spec(metrics | own, axis=view.report_axis(report), tracks=project.tracks),
    )
    project.session.ask(request)
    saved = _read(project)
    if saved is None or not _has_all(view.stored_metrics(saved.spec), own):
        raise ServiceError(Fault(Cause.LOST, "the view"))


def _read(project: WandbProject) -> StoredView | None:
    return project.session.ask(ReadView(project=project.name, name=view.NAME))


def _has_all(metrics: frozenset[str], own: frozenset[str]) -> bool:
    return own <= metrics or len(metrics) >= view.MOST_METRICS
