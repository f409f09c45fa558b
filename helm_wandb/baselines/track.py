"""Baselines in the base branch's track of the W&B project."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from helm_wandb.baselines.found import Found, NotTaken
from helm_wandb.comparing.evaluations import latest
from helm_wandb.wandb_runs.sdk.messages import ServiceError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from helm_wandb.model import Evaluation
    from helm_wandb.wandb_runs.project_models import Recorded, WandbProject


def in_track(
    branch: str,
    candidates: Sequence[Evaluation],
    project: WandbProject,
    *,
    own_runs: Collection[int],
) -> Iterator[Found | NotTaken]:
    """What the branch's track has of this run's models: one baseline of each commit.

    Of a model whose report is not there it has scores, and no per-instance ones.
    own_runs: workflow runs of which nothing counts, as it would be its own baseline.
    """
    track = f"branch/{branch}"
    models = {one.model for one in latest(candidates)}
    try:
        recorded = project.recorded(track, models)
    except ServiceError as error:
        why = ": ".join(filter(None, (error.fault.cause, error.fault.detail.rstrip("."))))
        yield NotTaken(f"W&B could not be searched ({why}).")
        return
    found: dict[str | None, list[Recorded]] = defaultdict(list)
    for one in recorded:
        if not _is_of(one, own_runs):
            found[one.commit].append(one)
    if not found:
        why = f"The track {track} of the W&B project has none of this run's models."
        yield NotTaken(why, is_fault=False)
    for of_commit in found.values():
        yield Found(
            origin=f"track {track} in W&B",
            evaluations=tuple(each for one in of_commit for each in one.evaluations),
            ref=branch,
            commit=of_commit[0].commit,
        )


def _is_of(one: Recorded, runs: Collection[int]) -> bool:
    return (one.run_url or "").rpartition("/")[2] in map(str, runs)
