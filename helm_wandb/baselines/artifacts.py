"""Baselines in the workflow artifacts of the base branch's runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from helm_wandb.baselines.artifact_zip import extract_report
from helm_wandb.baselines.matches import BaselineMatch, NoMatch, SearchError
from helm_wandb.baselines.near_artifacts import ArtifactQuery, NearArtifact, near_artifacts
from helm_wandb.baselines.permissions import as_sentence, explain_refusal
from helm_wandb.github_api.messages import Artifact, Cause, GithubError, WorkflowRun
from helm_wandb.report import baseline_from_json
from helm_wandb.runner.event_rules import BRANCH_EVENTS, rules_of
from helm_wandb.sources.report import LIMIT_BYTES
from helm_wandb.text.words import count_noun

if TYPE_CHECKING:
    from helm_wandb.baselines.base import Base
    from helm_wandb.github_api.repository import Repository

DOWNLOADS = 5
"""Artifacts that are downloaded, at most."""
_RUN_CHECKS = 20
"""Artifacts whose workflow run is checked, at most."""
ZIP_LIMIT_BYTES = 128 << 20
_ARTIFACT_FAULTS = frozenset({Cause.NOT_FOUND, Cause.INVALID, Cause.UNREADABLE})
"""Faults of one artifact, after which the next may still be readable."""


def search_artifacts(query: ArtifactQuery, github: Repository) -> Iterator[BaselineMatch | NoMatch]:
    """Yield the baselines of the base commit and its ancestors, the nearest first, on demand.

    An artifact must come from a run of this very repository on the base branch, or on the default
    branch before that: by its name and commit alone, a fork's pull request could plant one.
    """
    downloads = 0
    try:
        near = near_artifacts(query, github)
        if isinstance(near, NoMatch):
            yield near
            return
        for one in near[:_RUN_CHECKS]:
            run = _trusted_run(one.artifact, github)
            if isinstance(run, NoMatch):
                yield run
                continue
            if downloads == DOWNLOADS:
                yield NoMatch(f"Only the nearest {DOWNLOADS} artifacts were read.", is_fault=False)
                return
            downloads += 1
            yield _read_artifact(one, run, query.base, github)
    except SearchError as error:
        yield NoMatch(f"Workflow artifacts could not be searched. {error}")


def _trusted_run(artifact: Artifact, github: Repository) -> WorkflowRun | NoMatch:
    """Return the artifact's run if it is one of its branch's own."""
    try:
        run = github.workflow_run(artifact.run.id)
    except GithubError as error:
        return _unreadable_artifact(error, artifact)
    reason = _refused_run(run, artifact)
    return NoMatch(f"The artifact of run {run.number} is not used: {reason}.") if reason else run


def _read_artifact(
    near: NearArtifact, run: WorkflowRun, base: Base, github: Repository
) -> BaselineMatch | NoMatch:
    """Return the baseline in an artifact, or why it has none."""
    try:
        # Nested, so that the zip is not kept while its report is read.
        report = baseline_from_json(
            extract_report(
                github.download(near.artifact, limit_bytes=ZIP_LIMIT_BYTES), limit_bytes=LIMIT_BYTES
            )
        )
    except GithubError as error:
        return _unreadable_artifact(error, near.artifact)
    except ValueError as error:
        return NoMatch(f"The artifact of run {run.number} is not used: {error}.")
    return BaselineMatch(
        origin=f"artifact of run {run.number}, {_distance(near.depth, base.label)}",
        evaluations=report.evaluations,
        history=report.history,
        ref=near.artifact.run.head_branch,
        commit=near.artifact.run.head_sha,
        url=run.url,
    )


def _unreadable_artifact(error: GithubError, artifact: Artifact) -> NoMatch:
    """Return why this artifact is skipped; raises SearchError if the next can't be read either."""
    if error.cause not in _ARTIFACT_FAULTS:
        raise SearchError(explain_refusal(error, "actions")) from error
    sha = artifact.run.head_sha[:7]
    return NoMatch(f"An artifact of {sha} is not used. {as_sentence(error)}")


def _refused_run(run: WorkflowRun, artifact: Artifact) -> str | None:
    """Return why a run is none of its branch's own, whatever its artifact says."""
    if not run.is_own:
        return "the run is of a fork"
    if not rules_of(run.event).is_of_branch:
        *others, last = BRANCH_EVENTS
        return f"the run was started by {run.event}, and not by {', '.join(others)} or {last}"
    if (run.head_branch, run.head_sha) != (artifact.run.head_branch, artifact.run.head_sha):
        return "the run is of another commit or branch"
    return None


def _distance(depth: int, label: str) -> str:
    if depth == 0:
        return f"of {label}"
    return f"{count_noun(depth, 'commit')} behind {label}"
