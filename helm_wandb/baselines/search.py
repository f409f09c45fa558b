"""The search for a baseline: what the user wants, where it is searched, and the result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from msgspec import Struct

from helm_wandb.baselines import averaging, pairs
from helm_wandb.baselines.artifacts import search_artifacts
from helm_wandb.baselines.base import Base, find_base
from helm_wandb.baselines.matches import BaselineMatch, NoMatch, SearchError
from helm_wandb.baselines.near_artifacts import ArtifactQuery
from helm_wandb.baselines.notes import baseline_notes, extra_model_notes, unmatched_models
from helm_wandb.model import EvalEntry, Evaluation, MetricHistory, UnmatchedModels
from helm_wandb.runner.inputs import BaselineChoice

if TYPE_CHECKING:
    from helm_wandb.comparing.verdicts import Partner
    from helm_wandb.github_api.repository import Repository
    from helm_wandb.runner.event import Event
    from helm_wandb.wandb_runs.project_models import WandbProject


class BaselineRequest(Struct, frozen=True, kw_only=True):
    """The baseline that the user wants, and where it can be searched."""

    choice: BaselineChoice
    file: BaselineMatch | None = None
    """Read already, so that a wrong path ends the run before it begins."""
    artifact: str = "helm-wandb-report"
    """The name of the workflow artifacts."""
    report: str = "helm-wandb-report.json"
    """Where this run's own report is written, for the advice on how to get a baseline."""
    event: Event | None = None
    """None outside of a workflow."""
    github: Repository | None = None
    """None without a token."""
    project: WandbProject | None = None
    """None without a key."""
    reports: int = 1
    """Workflow artifacts that a baseline is the mean of, at most."""


class BaselineResult(Struct, frozen=True, kw_only=True):
    """The baselines of this run's models."""

    matches: tuple[BaselineMatch, ...] = ()
    """Those that give some benchmark its baseline, the nearest first."""
    partners: tuple[Partner, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences that are always shown: the baselines, those not taken, or why there is none."""
    missing_reason: str | None = None
    """Why there is none, if one was wanted: the notes as one text."""
    unmatched: UnmatchedModels | None = None
    """The models that the baselines lack, if there are baselines."""
    history: tuple[MetricHistory, ...] = ()
    """The nearest baseline's."""
    entries: tuple[EvalEntry, ...] = ()
    """Entries that read the baseline, if it is an output of which texts can be read."""
    faults: tuple[str, ...] = ()
    """Artifacts of a baseline that could not be read, while others could."""


def resolve(candidates: Sequence[Evaluation], request: BaselineRequest) -> BaselineResult:
    """Return the baselines of this run's models: each benchmark's first with the same settings.

    Nothing that goes wrong on the way ends the run; the notes report it.
    """
    matches: list[BaselineMatch] = []
    failures: list[NoMatch] = []
    if request.choice is BaselineChoice.NONE or not candidates:
        return BaselineResult()
    for search in _searches(candidates, request):
        for one in search:
            if isinstance(one, NoMatch):
                failures.append(one)
            else:
                matches.append(one)
            if _are_enough(matches, candidates, request.reports):
                break
        if _are_enough(matches, candidates, 1):
            break
    if request.reports > 1:
        partners = pairs.partners(candidates, *matches)
        matches = averaging.average_reports(matches, partners, request.reports)
    return _result(candidates, matches, failures, request)


def _are_enough(
    matches: Sequence[BaselineMatch], candidates: Sequence[Evaluation], reports: int
) -> bool:
    """Return whether each benchmark has a baseline with its settings, from so many reports."""
    if not matches or pairs.unmatched_benchmarks(candidates, matches):
        return False
    return reports <= sum(pairs.has_same_settings(candidates, match) for match in matches)


def _result(
    candidates: Sequence[Evaluation],
    matches: Sequence[BaselineMatch],
    failures: Sequence[NoMatch],
    request: BaselineRequest,
) -> BaselineResult:
    partners = pairs.partners(candidates, *matches)
    used = tuple(
        match
        for match in matches
        if any(match.is_source_of(one.baseline_label) for one in partners)
    )
    unmatched = unmatched_models(candidates, used or matches)
    faults = (one.reason for one in failures if one.is_fault)
    extra = extra_model_notes(candidates, used or matches)
    history = next((one.history for one in matches if one.history), ())
    if used:
        notes = (*baseline_notes(matches, partners), *faults, *extra)
        return BaselineResult(
            matches=used, partners=partners, notes=notes, unmatched=unmatched, history=history
        )
    if matches:
        return BaselineResult(notes=(*faults, *extra), unmatched=unmatched, history=history)
    # If the search itself failed, or only this commit is too old, there may be a baseline.
    is_absent = not any(one.is_fault or one.has_advice for one in failures)
    advice = (_advice(request),) if is_absent and request.choice is not BaselineChoice.FILE else ()
    reasons = (one.reason for one in failures)
    notes = ("There is no baseline.", *reasons, *advice)
    return BaselineResult(notes=notes, missing_reason=" ".join(notes))


def _searches(
    candidates: Sequence[Evaluation], request: BaselineRequest
) -> Iterator[Iterable[BaselineMatch | NoMatch]]:
    """Yield the matches of each place, the nearest first; none is searched before it is needed."""
    if request.file:
        yield [request.file]
    base = (
        _find_base(request)
        if request.choice in {BaselineChoice.AUTO, BaselineChoice.ARTIFACT}
        else None
    )
    if isinstance(base, NoMatch):
        yield [base]
    elif base and request.github and request.event:
        # upload-artifact with `archive: false` names an artifact as its one file.
        names = tuple(dict.fromkeys([request.artifact, PurePosixPath(request.report).name]))
        query = ArtifactQuery(base=base, names=names, own_runs=request.event.own_runs)
        yield search_artifacts(query, request.github)
    if request.choice in {BaselineChoice.AUTO, BaselineChoice.WANDB}:
        yield _search_wandb(candidates, request, base)


def _find_base(request: BaselineRequest) -> Base | NoMatch:
    """Return where the search in artifacts begins."""
    if request.event is None:
        return _unavailable("Workflow artifacts can be searched in a workflow only.")
    if request.github is None:
        return _unavailable("Workflow artifacts were not searched: input github-token is empty.")
    try:
        return find_base(request.event, request.github)
    except SearchError as error:
        return NoMatch(f"Workflow artifacts were not searched. {error}")


def _search_wandb(
    candidates: Sequence[Evaluation], request: BaselineRequest, base: Base | NoMatch | None
) -> Iterator[BaselineMatch | NoMatch]:
    branches = _track_branches(request.event, base)
    if request.project is None:
        yield _unavailable("W&B was not searched: there is no key, or the run is print-only.")
    elif not branches:
        yield _unavailable("W&B was not searched: the event names no base branch.")
    else:
        own_runs = request.event.own_runs if request.event else ()
        for branch in branches:
            # Imported here: without a key there is no project.
            from helm_wandb.baselines.track import search_track  # noqa: PLC0415

            yield from search_track(branch, candidates, request.project, own_runs=own_runs)


def _track_branches(event: Event | None, base: Base | NoMatch | None) -> tuple[str, ...]:
    """Return the branches whose tracks are searched: the base branch, then the default branch."""
    if isinstance(base, Base):
        return base.branches
    named = (event.likely_base, event.default_branch) if event else ()
    return tuple(dict.fromkeys(filter(None, named)))


def _unavailable(reason: str) -> NoMatch:
    """Return a place that was not set up to be searched, which matters only without a match."""
    return NoMatch(reason, is_fault=False)


def _advice(request: BaselineRequest) -> str:
    """Return how to get a baseline."""
    if request.choice is BaselineChoice.WANDB:
        return "To get one, let the workflow run with a W&B key on pushes to the base branch."
    branch = (request.event.likely_base if request.event else None) or "the base branch"
    return (
        f"To get one, let the workflow run on pushes to {branch}, with a step "
        "after this action that has `uses: actions/upload-artifact@v7`, "
        f"`with: {{name: {request.artifact}, path: {request.report}}}`."
    )
