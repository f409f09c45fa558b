"""Start of the search for a baseline: the base branch, and a commit of it."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from helm_wandb.baselines.matches import SearchError
from helm_wandb.baselines.permissions import none_if_absent, requires
from helm_wandb.github_api.messages import PullRequest
from helm_wandb.runner.event_rules import BaseRule, Lookup, rules_of
from helm_wandb.runner.pull_requests import find_pull_requests

if TYPE_CHECKING:
    from helm_wandb.github_api.repository import Repository
    from helm_wandb.runner.event import Event

_MERGE_BASE = "the merge base"
_MERGED = "the base commit"
_BEFORE_MERGE = "the commit before the merge"
_PREVIOUS = "the previous commit"
_SAME = "this commit"
_QUEUED = "the base of the merge group"


class Base(Struct, frozen=True, kw_only=True):
    """A branch, and the commit of it that is nearest to what is compared."""

    branch: str
    commit: str
    label: str
    """The commit, in words."""
    default_branch: str | None = None
    """The repository's, from which the branch comes in the end; None if it is unknown."""

    @property
    def branches(self) -> tuple[str, ...]:
        """The branches whose own results can be baselines, the nearest first.

        A branch that is itself to be merged, as in stacked pull requests, has none: the history
        leads on to the default branch.
        """
        return tuple(dict.fromkeys(filter(None, (self.branch, self.default_branch))))

    @property
    def advice(self) -> str:
        """How to get a later base, as the end of a sentence; empty if there is no way."""
        is_behind = self.label in {_MERGE_BASE, _MERGED}
        return f": merge {self.branch} into the branch, or rebase it" if is_behind else ""


def find_base(event: Event, github: Repository) -> Base:
    """Return the base of what this run evaluated; raises SearchError if there is none."""
    return replace(_find_base(event, github), default_branch=event.default_branch)


def _find_base(event: Event, github: Repository) -> Base:
    match event.rules.base:
        case BaseRule.EVALUATED_RUN:
            return _base_of_run(event, github)
        case BaseRule.PULL_REQUEST:
            return _base_of_pull_request(event, github)
        case BaseRule.MERGE_GROUP:
            return _base_of_merge_group(event)
        case _ if event.is_tag:
            return _merge_base(_default_branch(event, github), event.sha, github)
        case _:
            return _base_of_branch(event, github)


def _base_of_branch(event: Event, github: Repository) -> Base:
    """Return the base of a push, a schedule or a dispatch, which evaluates the event's sha."""
    if event.rules.base not in {BaseRule.PREVIOUS_COMMIT, BaseRule.SAME_COMMIT}:
        raise SearchError(f"The event {event.name!r} doesn't say what to compare its results with.")
    if event.branch != _default_branch(event, github):
        return _base_of_side_branch(event, github)
    if event.rules.base is BaseRule.PREVIOUS_COMMIT:
        return Base(branch=event.branch, commit=_previous_commit(event, github), label=_PREVIOUS)
    return Base(branch=event.branch, commit=_required(event.sha), label=_SAME)


def _base_of_pull_request(event: Event, github: Repository) -> Base:
    pull_request = _find_pull_request(event, github)
    if pull_request is None:
        message = (
            "The comment is not on a pull request."
            if event.rules.lookup is Lookup.ISSUE
            else "The event does not name its pull request."
        )
        raise SearchError(message)
    branch, head = pull_request.base.ref, pull_request.head.sha
    if pull_request.merged_sha:
        # However it was merged: after a squash the head is no ancestor of the base branch.
        commit = _first_parent(pull_request.merged_sha, github)
        return Base(branch=branch, commit=commit, label=_BEFORE_MERGE)
    # The run of a privileged event is of the base branch, and so is its commit.
    if not event.rules.is_privileged:
        with requires("contents"):
            parents = [one.sha for one in github.commit(_required(event.sha)).parents]
        # refs/pull/N/merge: what was evaluated is the head merged with just this commit.
        if parents[1:] == [head]:
            return Base(branch=branch, commit=parents[0], label=_MERGED)
    return _merge_base(branch, head, github)


def _base_of_merge_group(event: Event) -> Base:
    group = event.merge_group
    if group is None:
        raise SearchError("The event does not name the merge group's base.")
    return Base(branch=group.base_branch, commit=group.base_sha, label=_QUEUED)


def _base_of_run(event: Event, github: Repository) -> Base:
    """Return the base of the run whose results are published here; it may be a fork's."""
    run, evaluated = event.evaluated_run, event.evaluated_event
    rules = rules_of(run.event if run else "")
    if run and rules.has_head and rules.base is BaseRule.PULL_REQUEST:
        pull_request = _find_pull_request(event, github)
        if pull_request is None:
            raise SearchError(f"No open pull request has {run.head_sha[:7]} as its head.")
        return _merge_base(pull_request.base.ref, run.head_sha, github)
    if run is None or evaluated is None or not run.is_own:
        raise SearchError(f"The {run.event if run else 'other'} run is of another repository.")
    return _base_of_branch(evaluated, github)


def _base_of_side_branch(event: Event, github: Repository) -> Base:
    """Return where the branch left its pull request's base, or the default branch without one."""
    pull_request = None
    # A token that can't see pull requests may still see commits; the report names the base.
    with suppress(SearchError):
        pull_request = _find_pull_request(event, github)
    branch = pull_request.base.ref if pull_request else _default_branch(event, github)
    return _merge_base(branch, event.sha, github)


def _find_pull_request(event: Event, github: Repository) -> PullRequest | None:
    """Return the pull request that gives the base: of several with one head, the oldest."""
    with requires("pull-requests"):
        return next(iter(find_pull_requests(event, github)), None)


def _merge_base(branch: str, head: str, github: Repository) -> Base:
    with requires("contents"):
        commit = github.merge_base(branch, _required(head))
    return Base(branch=branch, commit=commit, label=_MERGE_BASE)


def _default_branch(event: Event, github: Repository) -> str:
    if event.default_branch:
        return event.default_branch
    with requires("contents"):
        return github.default_branch()


def _previous_commit(event: Event, github: Repository) -> str:
    """Return the branch's commit before the push, else the pushed commit's parent."""
    sha, before = _required(event.sha), event.before
    with requires("contents"):
        # Zeros: the branch is new.
        if before.strip("0") and _is_ancestor(before, sha, github):
            return before
    return _first_parent(sha, github)


def _first_parent(sha: str, github: Repository) -> str:
    """Return the commit that the branch had before this one."""
    with requires("contents"):
        parents = github.commit(sha).parents
    if not parents:
        raise SearchError(f"{sha[:7]} is the first commit; there is nothing before it.")
    return parents[0].sha


def _is_ancestor(before: str, sha: str, github: Repository) -> bool:
    """Whether the push dropped nothing from the branch; a dropped commit may be gone."""
    return none_if_absent(partial(github.merge_base, before, sha)) == before


def _required(sha: str) -> str:
    if not sha:
        raise SearchError("The workflow's event names no commit.")
    return sha
