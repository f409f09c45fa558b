"""Baselines in the workflow artifacts of the base branch's runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from helm_wandb.baselines.asking import needing, sentence, told
from helm_wandb.baselines.found import Found, NotTaken, Unavailable
from helm_wandb.baselines.packed import report_in
from helm_wandb.github_api.messages import Cause, GithubError
from helm_wandb.report import from_json
from helm_wandb.sources.report import LIMIT_BYTES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from helm_wandb.baselines.base import Base
    from helm_wandb.github_api.messages import Artifact, Github, WorkflowRun

ANCESTORS = 200
"""How far back a baseline is looked for."""
ARTIFACTS = 500
"""How many of the newest artifacts are looked at."""
DOWNLOADS = 5
"""How many of them are downloaded at most."""
_LOOKS = 20
"""Of how many of them the workflow run is asked for at most."""
ZIP_LIMIT_BYTES = 128 << 20
_EVENTS = frozenset({"push", "schedule", "workflow_dispatch"})
"""Of runs on what the branch itself holds. On repository_dispatch bots run the code of forks,
as on a comment that says so, and GitHub files such runs under the default branch."""
_ONLY_THIS_ONE = frozenset({Cause.NOT_FOUND, Cause.INVALID, Cause.UNREADABLE})
"""What GitHub may say of one artifact while it has others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which artifacts can be baselines."""

    base: Base
    name: str
    own_runs: Collection[int]
    """The run itself, and the one whose results it publishes."""


def in_artifacts(wanted: Wanted, github: Github) -> Iterator[Found | NotTaken]:
    """The baselines of the base commit and its ancestors, the nearest first, each when asked for.

    An artifact must come from a run of this very repository on the base branch: by its name and
    commit alone, a fork's pull request could plant one.
    """
    try:
        yield from _in_artifacts(wanted, github)
    except Unavailable as why:
        yield NotTaken(f"Workflow artifacts could not be searched. {why}")


def _in_artifacts(wanted: Wanted, github: Github) -> Iterator[Found | NotTaken]:
    with needing("actions"):
        listed = list(islice(github.artifacts(wanted.name), ARTIFACTS))
    depths: dict[str, int] = {}
    if listed:
        with needing("contents"):
            shas = islice(github.ancestors(wanted.base.commit), ANCESTORS)
            depths = {sha: depth for depth, sha in enumerate(shas)}
    reasons = {one.id: _passed_over(one, wanted, depths) for one in listed}
    near = [one for one in listed if reasons[one.id] is None]
    # Sorting keeps the order of equals: of one commit, the newest comes first.
    near.sort(key=lambda one: depths[one.head_sha])
    if not near:
        why = _none_of(Counter(filter(None, reasons.values())), wanted)
        yield NotTaken(why, is_fault=False)
    downloads = 0
    for artifact in near[:_LOOKS]:
        run = _trusted_run(artifact, wanted, github)
        if isinstance(run, NotTaken):
            yield run
            continue
        if downloads == DOWNLOADS:
            yield NotTaken(f"Only the nearest {DOWNLOADS} artifacts were read.", is_fault=False)
            return
        downloads += 1
        yield _taken(artifact, run, wanted, github, depth=depths[artifact.head_sha])


def _passed_over(artifact: Artifact, wanted: Wanted, depths: Collection[str]) -> str | None:
    """Why an artifact is none of the base branch's, in words that follow its number."""
    if not artifact.is_own:
        return "of forks"
    if artifact.run_id in wanted.own_runs:
        return "of this very run"
    if artifact.head_branch != wanted.base.branch:
        return "of other branches"
    if artifact.head_sha not in depths:
        return f"of commits that are not among the last {ANCESTORS} up to {wanted.base.called}"
    return None


def _none_of(reasons: Counter[str], wanted: Wanted) -> str:
    looked = f"named {wanted.name!r} that has not expired"
    if not reasons:
        return f"There is no workflow artifact {looked}."
    counts = ", ".join(f"{count} {why}" for why, count in reasons.items())
    newest = f"newest {ARTIFACTS} " if reasons.total() == ARTIFACTS else ""
    return (
        f"No workflow artifact {looked} is of {wanted.base.branch} up to {wanted.base.called}; "
        f"of the {newest}artifacts of that name: {counts}."
    )


def _trusted_run(artifact: Artifact, wanted: Wanted, github: Github) -> WorkflowRun | NotTaken:
    """The run that the artifact is of, if it is one of the base branch's own."""
    try:
        run = github.workflow_run(artifact.run_id)
    except GithubError as error:
        return _only_this_one(error, artifact)
    why = _refused(run, artifact, wanted)
    return NotTaken(f"The artifact of run {run.number} is not taken: {why}.") if why else run


def _taken(
    artifact: Artifact, run: WorkflowRun, wanted: Wanted, github: Github, *, depth: int
) -> Found | NotTaken:
    """The baseline in an artifact, or why there is none."""
    try:
        evaluations = from_json(_report(artifact, github))
    except GithubError as error:
        return _only_this_one(error, artifact)
    except ValueError as error:
        return NotTaken(f"The artifact of run {run.number} is not taken: {error}.")
    return Found(
        origin=f"artifact of run {run.number}, {_where(depth, wanted.base.called)}",
        evaluations=evaluations,
        ref=wanted.base.branch,
        commit=artifact.head_sha,
    )


def _report(artifact: Artifact, github: Github) -> bytes:
    """The report in an artifact; the zip is not kept beside it."""
    data = github.download(artifact, limit_bytes=ZIP_LIMIT_BYTES)
    return report_in(data, limit_bytes=LIMIT_BYTES)


def _only_this_one(error: GithubError, artifact: Artifact) -> NotTaken:
    """Why this artifact is not taken; raises Unavailable where the next would fare no better."""
    if error.cause not in _ONLY_THIS_ONE:
        raise Unavailable(told(error, "actions")) from error
    return NotTaken(f"An artifact of {artifact.head_sha[:7]} is not taken. {sentence(error)}")


def _refused(run: WorkflowRun, artifact: Artifact, wanted: Wanted) -> str | None:
    """Why a run is none of the base branch's own, whatever its artifact says."""
    if not run.is_own:
        return "the run is of a fork"
    if run.event not in _EVENTS:
        return f"the run was started by {run.event}, and not by {_either(sorted(_EVENTS))}"
    if (run.head_branch, run.head_sha) != (wanted.base.branch, artifact.head_sha):
        return "the run is of another commit or branch"
    return None


def _either(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"


def _where(depth: int, called: str) -> str:
    if depth == 0:
        return f"of {called}"
    return f"{depth} commit{'' if depth == 1 else 's'} behind {called}"
