"""Inputs of summary runs in W&B's lineage: the evaluated model's artifact, and the baseline's."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from helm_wandb.comparing.evaluations import group_values
from helm_wandb.model import Report
from helm_wandb.text.words import join_truncated
from helm_wandb.wandb_runs import receipt_texts
from helm_wandb.wandb_runs.layout import RunPlan
from helm_wandb.wandb_runs.layout_names import MODEL, SUMMARY_RUN
from helm_wandb.wandb_runs.project_models import WandbProject
from helm_wandb.wandb_runs.sdk.messages import ArtifactUse, Fault, ServiceError, UseArtifacts


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedUses:
    """The artifacts that a report's runs are to use."""

    runs: Mapping[str, str]
    """ID of a summary run → its model."""
    uses: tuple[ArtifactUse, ...] = ()
    problems: tuple[str, ...] = ()
    """Why an artifact that the user named is used by no run."""


def plan_uses(report: Report, plans: Iterable[RunPlan], model_artifact: str | None) -> PlannedUses:
    """Return which summary run uses which artifact.

    model_artifact: that of the evaluated model; if there are several models, it could be any's.
    """
    models = {str(one.config[MODEL]): one.id for one in plans if one.name == SUMMARY_RUN}
    uses = [
        ArtifactUse(run_id=models[one.model], artifact=artifact)
        for one in report.comparisons
        if one.model in models
        for artifact in one.baseline.artifacts
    ]
    problems = []
    if model_artifact and len(models) == 1:
        uses += [ArtifactUse(run_id=run, artifact=model_artifact) for run in models.values()]
    elif model_artifact:
        problems.append(_ambiguous(model_artifact, list(models)))
    return PlannedUses(
        runs={run: model for model, run in models.items()},
        uses=tuple(dict.fromkeys(uses)),
        problems=tuple(problems),
    )


def record_uses(
    project: WandbProject, planned: PlannedUses, unsent: Collection[str]
) -> tuple[str, ...]:
    """Record the uses in W&B; return which of them it doesn't show, and why.

    unsent: IDs of runs that W&B doesn't have.
    """
    left = [use for use in planned.uses if use.run_id not in unsent]
    lost = [use for use in planned.uses if use.run_id in unsent]
    faults = group_values(
        (fault, use) for fault, use in zip(_use(project, left), left, strict=True) if fault
    )
    return (
        *(
            f"{_not_recorded(planned, uses)}; all runs were stored. "
            f"{receipt_texts.describe_fault(fault, project.session.base_url)}"
            for fault, uses in faults.items()
        ),
        *([f"{_not_recorded(planned, lost)}, which is not complete. Run again"] if lost else []),
    )


def unrecorded_offline(planned: PlannedUses) -> tuple[str, ...]:
    """Return which artifacts no run uses, since W&B can't record that offline."""
    if not planned.uses:
        return ()
    return (f"{_not_recorded(planned, planned.uses)}, because W&B can't do that offline",)


def _use(project: WandbProject, uses: Sequence[ArtifactUse]) -> Sequence[Fault | None]:
    if not uses:
        return ()
    try:
        return project.session.ask(UseArtifacts(project=project.name, uses=tuple(uses)))
    except ServiceError as error:
        return [error.fault] * len(uses)


def _not_recorded(planned: PlannedUses, uses: Sequence[ArtifactUse]) -> str:
    artifacts = list(dict.fromkeys(use.artifact for use in uses))
    models = list(dict.fromkeys(planned.runs[use.run_id] for use in uses))
    return (
        f"{join_truncated(artifacts)}: not recorded as an input of the summary run of "
        f"{join_truncated(models)}"
    )


def _ambiguous(artifact: str, models: Sequence[str]) -> str:
    names = join_truncated(models)
    return (
        f"{artifact} (wandb-model-artifact) is recorded for no run, because it is the artifact of "
        f"one model, and there are {len(models)}: {names}. Evaluate each model in its own job"
    )
