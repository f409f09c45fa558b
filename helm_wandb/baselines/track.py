"""Baselines in the base branch's track of the W&B project."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from helm_wandb.baselines.matches import BaselineMatch, NoMatch
from helm_wandb.comparing.evaluations import group_values, latest
from helm_wandb.model import Evaluation
from helm_wandb.runner.event import branch_track
from helm_wandb.wandb_runs.sdk.messages import ServiceError

if TYPE_CHECKING:
    from helm_wandb.wandb_runs.project_models import WandbProject


def search_track(
    branch: str,
    candidates: Sequence[Evaluation],
    project: WandbProject,
    *,
    own_runs: Collection[int],
) -> Iterator[BaselineMatch | NoMatch]:
    """Yield the baselines of this run's models in the branch's track, one for each commit.

    If it has none of them, its other models are one that matches no model.
    A model without a stored report has scores, and no per-instance ones.
    own_runs: workflow runs that don't count: a run can't be its own baseline.
    """
    track = branch_track(branch)
    models = {one.model for one in latest(candidates)}
    try:
        recorded = [
            one
            for one in project.recorded(track, models)
            if (one.run_url or "").rpartition("/")[2] not in map(str, own_runs)
        ]
        others = () if recorded else project.latest(track)
    except ServiceError as error:
        reason = ": ".join(filter(None, (error.fault.cause, error.fault.detail.rstrip("."))))
        yield NoMatch(f"W&B could not be searched ({reason}).")
        return
    by_commit = group_values((one.commit, one) for one in recorded)
    strangers = tuple(one for one in others if one.model not in models)
    if strangers:
        yield BaselineMatch(origin=f"track {track} in W&B", evaluations=strangers, ref=branch)
    elif not recorded:
        reason = f"The track {track} of the W&B project has none of this run's models."
        yield NoMatch(reason, is_fault=False)
    for same_commit in by_commit.values():
        yield BaselineMatch(
            origin=f"track {track} in W&B",
            evaluations=tuple(each for one in same_commit for each in one.evaluations),
            ref=branch,
            commit=same_commit[0].commit,
        )
