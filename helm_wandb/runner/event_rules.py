"""Rules of each GitHub event: its pull request, what it may do, and its baseline.

These are the security rules about events; SECURITY.md explains them to users. An event that the
table lacks has no pull request, no baseline, and no branch's track.
"""

from __future__ import annotations

from enum import Enum, auto

from msgspec import Struct


class Lookup(Enum):
    """How the pull request of an event is found."""

    NUMBER = auto()
    """By its number, in the payload, the ref, or the name of a merge queue's branch."""
    ISSUE = auto()
    """By the number of the issue in the payload.

    GitHub files the run under the default branch: its record doesn't name what was evaluated.
    """
    RUN_HEAD = auto()
    """By the head of the evaluated run, if its own event leads to a pull request by its head."""
    BRANCH = auto()
    """By the branch of the push or dispatch."""
    NONE = auto()


class BaseRule(Enum):
    """The commit of the base branch that an event is compared with."""

    PULL_REQUEST = auto()
    """The commit that the pull request was or would be merged with, else the merge base."""
    MERGE_GROUP = auto()
    """The base of the merge group."""
    PREVIOUS_COMMIT = auto()
    """The branch's commit before a push."""
    SAME_COMMIT = auto()
    """The commit itself, of which earlier runs may have a report."""
    EVALUATED_RUN = auto()
    """The rule of the evaluated run's event."""
    UNKNOWN = auto()


class EventRules(Struct, frozen=True, kw_only=True):
    """Rules of one event."""

    lookup: Lookup = Lookup.NONE
    base: BaseRule = BaseRule.UNKNOWN
    is_privileged: bool = False
    """Whether the workflow has secrets while its checkout or data may be a stranger's.

    Such a run is of the base branch, and so is GITHUB_SHA. The W&B key goes to no server that a
    config or an earlier step names.
    """
    is_of_branch: bool = False
    """Whether the results are those of the branch itself.

    Only these enter the track `branch/NAME` or can be a baseline. On repository_dispatch bots
    evaluate what forks hold, as they do on a comment that says so, and GitHub files such runs
    under the default branch.
    """
    has_limited_token: bool = False
    """Whether GitHub gives forks and Dependabot a token that can only read."""

    @property
    def has_head(self) -> bool:
        """Whether GitHub's record of a run names the head that the run is about."""
        return self.lookup in {Lookup.NUMBER, Lookup.BRANCH}


_PULL_REQUEST = EventRules(lookup=Lookup.NUMBER, base=BaseRule.PULL_REQUEST, has_limited_token=True)
RULES = {
    "push": EventRules(
        lookup=Lookup.BRANCH,
        base=BaseRule.PREVIOUS_COMMIT,
        is_of_branch=True,
        has_limited_token=True,
    ),
    "schedule": EventRules(base=BaseRule.SAME_COMMIT, is_of_branch=True),
    "workflow_dispatch": EventRules(
        lookup=Lookup.BRANCH, base=BaseRule.SAME_COMMIT, is_of_branch=True
    ),
    "repository_dispatch": EventRules(base=BaseRule.SAME_COMMIT),
    "merge_group": EventRules(lookup=Lookup.NUMBER, base=BaseRule.MERGE_GROUP),
    "pull_request": _PULL_REQUEST,
    "pull_request_review": _PULL_REQUEST,
    "pull_request_review_comment": _PULL_REQUEST,
    "pull_request_target": EventRules(
        lookup=Lookup.NUMBER, base=BaseRule.PULL_REQUEST, is_privileged=True
    ),
    "issue_comment": EventRules(
        lookup=Lookup.ISSUE, base=BaseRule.PULL_REQUEST, is_privileged=True
    ),
    "workflow_run": EventRules(
        lookup=Lookup.RUN_HEAD, base=BaseRule.EVALUATED_RUN, is_privileged=True
    ),
}
"""Event name → its rules."""
OTHER = EventRules()
"""Rules of all other events."""
BRANCH_EVENTS = tuple(sorted(name for name, rules in RULES.items() if rules.is_of_branch))
"""Events whose results may become a baseline."""


def rules_of(event_name: str) -> EventRules:
    """Return the rules of an event."""
    return RULES.get(event_name, OTHER)
