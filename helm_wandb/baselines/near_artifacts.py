"""The workflow artifacts that are of a base branch and near its commit, or why none is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from msgspec import Struct

from helm_wandb.baselines.matches import NoMatch
from helm_wandb.baselines.permissions import none_if_absent, requires
from helm_wandb.github_api.messages import Artifact, GithubError

if TYPE_CHECKING:
    from helm_wandb.baselines.base import Base
    from helm_wandb.github_api.repository import Repository

ANCESTORS = 200
"""Commits that are searched for a baseline."""
ARTIFACTS = 500
"""Newest artifacts of a name that are considered."""
_FORMER_NAMES = 5
"""Branches of which it is checked whether they are the base branch under another name."""
_OTHER_BRANCH = "of other branches"


class ArtifactQuery(Struct, frozen=True, kw_only=True):
    """Which artifacts can be baselines."""

    base: Base
    names: tuple[str, ...]
    """The one that the user gave, and that of a report which was uploaded by itself."""
    own_runs: Collection[int]
    """The run itself, and the one whose results it publishes."""


class NearArtifact(Struct, frozen=True, kw_only=True):
    """An artifact of a base branch, by what GitHub says of it."""

    artifact: Artifact
    depth: int
    """How many commits it is behind the base commit."""


def near_artifacts(query: ArtifactQuery, github: Repository) -> list[NearArtifact] | NoMatch:
    """Return the artifacts of the base commit and its ancestors, the nearest first.

    Of one commit, the newest comes first. Raises SearchError.
    """
    listed = _listed(query, github)
    depths = _depths(query.base, github) if listed else {}
    refusals = {one.id: _refusal(one, query, depths) for one in listed}
    near = [one for one in listed if refusals[one.id] is None] or _formerly_named(
        [one for one in listed if refusals[one.id] == _OTHER_BRANCH and one.run.head_sha in depths],
        query.base,
        github,
    )
    if not near:
        reason = _no_artifact(Counter(filter(None, refusals.values())), query)
        beyond = [one for one in listed if refusals[one.id] == _beyond(query.base)]
        newer = _newer(beyond, query.base, github)
        has_advice = bool(newer and query.base.advice)
        return NoMatch(reason + newer, is_fault=False, has_advice=has_advice)
    artifacts = [NearArtifact(artifact=one, depth=depths[one.run.head_sha]) for one in near]
    return sorted(artifacts, key=lambda one: one.depth)


def _listed(query: ArtifactQuery, github: Repository) -> list[Artifact]:
    with requires("actions"):
        return [one for name in query.names for one in islice(github.artifacts(name), ARTIFACTS)]


def _depths(base: Base, github: Repository) -> dict[str, int]:
    """Return how far each of the commits up to the base commit is behind it."""
    with requires("contents"):
        return {sha: at for at, sha in enumerate(islice(github.ancestors(base.commit), ANCESTORS))}


def _refusal(artifact: Artifact, query: ArtifactQuery, depths: Mapping[str, int]) -> str | None:
    """Return why an artifact is none of the base branch's, in words that follow a count."""
    run = artifact.run
    if not run.is_own:
        return "of forks"
    if run.id in query.own_runs:
        return "of this run"
    if run.head_branch not in query.base.branches:
        return _OTHER_BRANCH
    return None if run.head_sha in depths else _beyond(query.base)


def _beyond(base: Base) -> str:
    return f"of commits that are not among the last {ANCESTORS} up to {base.label}"


def _formerly_named(
    artifacts: Sequence[Artifact], base: Base, github: Repository
) -> list[Artifact]:
    """Return those of a name that a base branch had before it was renamed.

    GitHub itself leads from that name to the present one. A branch that exists, and one that was
    deleted, are others, though their commits may have been merged.
    """
    names = dict.fromkeys(one.run.head_branch or "" for one in artifacts)
    with requires("contents"):
        former = {
            name
            for name in islice(names, _FORMER_NAMES)
            if none_if_absent(partial(github.branch_name, name)) in base.branches
        }
    return [one for one in artifacts if one.run.head_branch in former]


def _no_artifact(refusals: Counter[str], query: ArtifactQuery) -> str:
    names = " or ".join(map(repr, query.names))
    kind = f"named {names} that has not expired"
    if not refusals:
        return f"There is no workflow artifact {kind}."
    counts = ", ".join(f"{count} {refusal}" for refusal, count in refusals.items())
    newest = f"newest {ARTIFACTS} " if refusals.total() >= ARTIFACTS else ""
    branches = " or ".join(query.base.branches)
    return (
        f"No workflow artifact {kind} is of {branches} up to {query.base.label}; "
        f"of the {newest}artifacts so named: {counts}."
    )


def _newer(artifacts: Sequence[Artifact], base: Base, github: Repository) -> str:
    """Return a sentence, after a space, if the newest of these is newer than the base commit."""
    for run in (one.run for one in artifacts[:1]):
        # The sentence before says enough if GitHub can't compare the two.
        with suppress(GithubError):
            if github.merge_base(base.commit, run.head_sha) == base.commit:
                branch, sha = run.head_branch, run.head_sha[:7]
                return f" That of {branch}@{sha} is newer than {base.label}{base.advice}."
    return ""
