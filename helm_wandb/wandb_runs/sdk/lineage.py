"""Records which artifacts a run uses, and verifies it by reading them back."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import wandb

from helm_wandb.wandb_runs.sdk import faults
from helm_wandb.wandb_runs.sdk.messages import ArtifactUse, Cause, Fault

if TYPE_CHECKING:
    from wandb.apis.public import Run

_PAGE_ARTIFACTS = 500
_PATIENCE_SECONDS = 6.0
"""Seconds until an artifact must be among those that the run uses."""
_PAUSE_SECONDS = 0.5


def find_artifact(api: wandb.Api, name: str) -> wandb.Artifact | None:
    """Return the artifact `entity/project/name:alias`; None if there is none that can be read."""
    try:
        artifact: wandb.Artifact = api.artifact(name)
    except wandb.errors.CommError as error:
        if "not found" in str(error):
            return None
        raise
    return artifact


def use_artifact(api: wandb.Api, project: str, use: ArtifactUse) -> Fault | None:
    """Have the run use the artifact, unless it does; return why W&B doesn't show it."""
    try:
        artifact = find_artifact(api, use.artifact)
        if artifact is None:
            return Fault(Cause.ABSENT, "")
        run = api.run(f"{project}/{use.run_id}")
        if _is_used(run, artifact):
            return None
        run.use_artifact(artifact)
        return None if _appears(run, artifact) else Fault(Cause.LOST, "")
    except Exception as error:  # noqa: BLE001 -- whatever it is, the other artifacts go on
        return faults.classify(error)


def _appears(run: Run, artifact: wandb.Artifact) -> bool:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not _is_used(run, artifact):
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE_SECONDS)
    return True


def _is_used(run: Run, artifact: wandb.Artifact) -> bool:
    return any(one.id == artifact.id for one in run.used_artifacts(per_page=_PAGE_ARTIFACTS))
