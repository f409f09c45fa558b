"""Baselines in the workflow artifacts of the base branch's runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from helm_wandb.baselines.artifact_zip import extract_report
from helm_wandb.baselines.matches import BaselineMatch, NoMatch, SearchError
from helm_wandb.baselines.permissions import as_sentence, explain_refusal, requires
from helm_wandb.github_api.messages import Artifact, Cause, GithubError, WorkflowRun
from helm_wandb.report import from_json
from helm_wandb.runner.event_rules import BRANCH_EVENTS, rules_of
from helm_wandb.sources.report import LIMIT_BYTES
from helm_wandb.text.words import count_noun

if TYPE_CHECKING:
    from helm_wandb.baselines.base import Base
    from helm_wandb.github_api.repository import Repository

ANCESTORS = 200
"""Commits that are searched for a baseline."""
ARTIFACTS = 500
"""Newest artifacts that are considered."""
DOWNLOADS = 5
"""Artifacts that are downloaded, at most."""
_RUN_CHECKS = 20
"""Artifacts whose workflow run is checked, at most."""
ZIP_LIMIT_BYTES = 128 << 20
_ARTIFACT_FAULTS = frozenset({Cause.NOT_FOUND, Cause.INVALID, Cause.UNREADABLE})
"""Faults of one artifact, after which the next may still be readable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactQuery:
    """Which artifacts can be baselines."""

    base: Base
    name: str
    own_runs: Collection[int]
    """The run itself, and the one whose results it publishes."""


def search_artifacts(query: ArtifactQuery, github: Repository) -> Iterator[BaselineMatch | NoMatch]:
    """Yield the baselines of the base commit and its ancestors, the nearest first, on demand.

    An artifact must come from a run of this very repository on the base branch: by its name and
    commit alone, a fork's pull request could plant one.
    """
    try:
        yield from _search(query, github)
    except SearchError as error:
        yield NoMatch(f"Workflow artifacts could not be searched. {error}")


def _search(query: ArtifactQuery, github: Repository) -> Iterator[BaselineMatch | NoMatch]:
    with requires("actions"):
        listed = list(islice(github.artifacts(query.name), ARTIFACTS))
    depths: dict[str, int] = {}
    if listed:
        with requires("contents"):
            shas = islice(github.ancestors(query.base.commit), ANCESTORS)
            depths = {sha: depth for depth, sha in enumerate(shas)}
    reasons = {one.id: _refused_artifact(one, query, depths) for one in listed}
    near = [one for one in listed if reasons[one.id] is None]
    # Sorting keeps the order of equals: of one commit, the newest comes first.
    near.sort(key=lambda one: depths[one.run.head_sha])
    if not near:
        counts = Counter(filter(None, reasons.values()))
        yield NoMatch(_no_artifact(counts, query), is_fault=False)
    downloads = 0
    for artifact in near[:_RUN_CHECKS]:
        run = _trusted_run(artifact, query, github)
        if isinstance(run, NoMatch):
            yield run
            continue
        if downloads == DOWNLOADS:
            yield NoMatch(f"Only the nearest {DOWNLOADS} artifacts were read.", is_fault=False)
            return
        downloads += 1
        yield _read_artifact(artifact, run, query, github, depth=depths[artifact.run.head_sha])


def _refused_artifact(
    artifact: Artifact, query: ArtifactQuery, depths: Collection[str]
) -> str | None:
    """Return why an artifact is none of the base branch's, in words that follow a count."""
    run = artifact.run
    if not run.is_own:
        return "of forks"
    if run.id in query.own_runs:
        return "of this very run"
    if run.head_branch != query.base.branch:
        return "of other branches"
    if run.head_sha not in depths:
        return f"of commits that are not among the last {ANCESTORS} up to {query.base.label}"
    return None


def _no_artifact(reasons: Counter[str], query: ArtifactQuery) -> str:
    kind = f"named {query.name!r} that has not expired"
    if not reasons:
        return f"There is no workflow artifact {kind}."
    counts = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
    newest = f"newest {ARTIFACTS} " if reasons.total() == ARTIFACTS else ""
    return (
        f"No workflow artifact {kind} is of {query.base.branch} up to {query.base.label}; "
        f"of the {newest}artifacts of that name: {counts}."
    )


def _trusted_run(
    artifact: Artifact, query: ArtifactQuery, github: Repository
) -> WorkflowRun | NoMatch:
    """Return the artifact's run if it is one of the base branch's own."""
    try:
        run = github.workflow_run(artifact.run.id)
    except GithubError as error:
        return _unreadable_artifact(error, artifact)
    reason = _refused_run(run, artifact, query)
    return NoMatch(f"The artifact of run {run.number} is not taken: {reason}.") if reason else run


def _read_artifact(
    artifact: Artifact, run: WorkflowRun, query: ArtifactQuery, github: Repository, *, depth: int
) -> BaselineMatch | NoMatch:
    """Return the baseline in an artifact, or why it has none."""
    try:
        evaluations = from_json(_download_report(artifact, github))
    except GithubError as error:
        return _unreadable_artifact(error, artifact)
    except ValueError as error:
        return NoMatch(f"The artifact of run {run.number} is not taken: {error}.")
    return BaselineMatch(
        origin=f"artifact of run {run.number}, {_distance(depth, query.base.label)}",
        evaluations=evaluations,
        ref=query.base.branch,
        commit=artifact.run.head_sha,
    )


def _download_report(artifact: Artifact, github: Repository) -> bytes:
    """Return the report in an artifact; its zip is not kept any longer."""
    data = github.download(artifact, limit_bytes=ZIP_LIMIT_BYTES)
    return extract_report(data, limit_bytes=LIMIT_BYTES)


def _unreadable_artifact(error: GithubError, artifact: Artifact) -> NoMatch:
    """Return why this artifact is skipped; raises SearchError if the next can't be read either."""
    if error.cause not in _ARTIFACT_FAULTS:
        raise SearchError(explain_refusal(error, "actions")) from error
    sha = artifact.run.head_sha[:7]
    return NoMatch(f"An artifact of {sha} is not taken. {as_sentence(error)}")


def _refused_run(run: WorkflowRun, artifact: Artifact, query: ArtifactQuery) -> str | None:
    """Return why a run is none of the base branch's own, whatever its artifact says."""
    if not run.is_own:
        return "the run is of a fork"
    if not rules_of(run.event).is_of_branch:
        *others, last = BRANCH_EVENTS
        return f"the run was started by {run.event}, and not by {', '.join(others)} or {last}"
    if (run.head_branch, run.head_sha) != (query.base.branch, artifact.run.head_sha):
        return "the run is of another commit or branch"
    return None


def _distance(depth: int, label: str) -> str:
    if depth == 0:
        return f"of {label}"
    return f"{count_noun(depth, 'commit')} behind {label}"
