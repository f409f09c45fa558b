"""Baselines in the base branch's track of the W&B project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from helm_wandb.baselines.matches import BaselineMatch, NoMatch, ReportArtifact
from helm_wandb.comparing.evaluations import group_values, join, latest
from helm_wandb.model import Evaluation
from helm_wandb.runner.event import branch_track
from helm_wandb.wandb_runs.sdk.messages import ServiceError

if TYPE_CHECKING:
    from helm_wandb.wandb_runs.project_models import Recorded, StoredReport, WandbProject


def search_track(
    branch: str,
    candidates: Sequence[Evaluation],
    project: WandbProject,
    *,
    own_runs: Collection[int],
) -> Iterator[BaselineMatch | NoMatch]:
    """Yield the baselines of this run's models in the branch's track, the newest commit first.

    If it has none of them, its other models are one that matches no model.
    A model without a stored report has scores, and no per-instance ones.
    own_runs: workflow runs that don't count: a run can't be its own baseline.
    """
    track = branch_track(branch)
    models = {one.model for one in latest(candidates)}
    own = frozenset(map(str, own_runs))
    has_matches = False
    try:
        recorded = project.recorded(track, models)
        for commit, readings in _by_commit(recorded, project, own):
            has_matches = True
            yield from _matches(branch, commit, readings)
        others = () if has_matches else project.latest(track)
    except ServiceError as error:
        reason = ": ".join(filter(None, (error.fault.cause, error.fault.detail.rstrip("."))))
        yield NoMatch(f"W&B could not be searched ({reason}).")
        return
    strangers = tuple(one for one in others if one.model not in models)
    if strangers:
        yield BaselineMatch(origin=_origin(branch), evaluations=strangers, ref=branch)
    elif not has_matches:
        reason = f"The track {track} of the W&B project has none of this run's models."
        yield NoMatch(reason, is_fault=False)


def _by_commit(
    recorded: Sequence[Recorded], project: WandbProject, own_runs: Collection[str]
) -> Iterator[tuple[str | None, list[StoredReport]]]:
    """Yield what is recorded of each commit: the reports, or a summary if none can be read.

    Reports are read on demand: those of older commits rarely have what the newest one lacks.
    """

    def is_other(run_url: str | None) -> bool:
        return (run_url or "").rpartition("/")[2] not in own_runs

    others = [one for one in recorded if is_other(one.run_url)]
    places = [place for one in recorded for place in one.reports if is_other(place.run_url)]
    read: set[str] = set()
    for commit, several in group_values((one.commit, one) for one in places).items():
        readings = project.read_reports(several)
        lost = {place.model for place in several} - read - {one.model for one in readings}
        readings += [
            one.summary_alone for one in others if one.commit == commit and one.model in lost
        ]
        read.update(one.model for one in readings)
        if readings:
            yield commit, readings
    unread = group_values((one.commit, one) for one in others if one.model not in read)
    for commit, without in unread.items():
        yield commit, [one.summary_alone for one in without]


def _matches(
    branch: str, commit: str | None, readings: Sequence[StoredReport]
) -> Iterator[BaselineMatch]:
    """Yield the reports of a commit as one baseline, then those alone that share scores.

    Each job of a matrix may have other subjects of a benchmark; scores over other subjects aren't
    compared. Of two reports with the same subjects, the first counts.
    """
    evaluations = [one for each in readings for one in each.evaluations]
    places = group_values(((one.model, one.iteration), one) for one in evaluations)
    yield BaselineMatch(
        origin=_origin(branch),
        evaluations=tuple(map(join, places.values())),
        ref=branch,
        commit=commit,
        artifacts=_artifacts(readings),
    )
    counts = Counter(_keys(evaluations))
    for each in readings:
        if any(counts[key] > 1 for key in _keys(each.evaluations)):
            yield BaselineMatch(
                origin=f"{_origin(branch)}, one job's report",
                evaluations=each.evaluations,
                ref=branch,
                commit=commit,
                artifacts=_artifacts([each]),
            )


def _artifacts(readings: Iterable[StoredReport]) -> tuple[ReportArtifact, ...]:
    return tuple(
        ReportArtifact(
            name=one.artifact,
            model=one.model,
            benchmarks=frozenset(key.benchmark for each in one.evaluations for key in each.scores),
        )
        for one in readings
        if one.artifact
    )


def _keys(evaluations: Iterable[Evaluation]) -> Iterator[tuple[str, int, str]]:
    """Yield each score's model, iteration and name."""
    return ((one.model, one.iteration, key) for one in evaluations for key in one.scores)


def _origin(branch: str) -> str:
    return f"track {branch_track(branch)} in W&B"
