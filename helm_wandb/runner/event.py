"""The runner's variables and GitHub's payload → one Event.

No other module reads the runner's `GITHUB_*` variables. `event_rules` says what an event may do.
Sources: GitHub's "Store information in variables" and "Webhook events and payloads".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from helm_wandb import __version__
from helm_wandb.github_api.messages import Label, PullRequest, WorkflowRun
from helm_wandb.model import Provenance
from helm_wandb.runner.event_rules import BaseRule, EventRules, Lookup, rules_of
from helm_wandb.system.files import content

_PAYLOAD_BYTES = 64 << 20
"""GitHub sends no more than 25 MB."""
_NUMBER = re.compile("[0-9]{1,18}")
_PULL_REQUEST_REF = re.compile(r"refs/pull/(?P<number>[0-9]{1,18})/")
_QUEUE = "gh-readonly-queue/"
_QUEUE_BRANCH = re.compile(rf"{_QUEUE}(?P<base>.+)/pr-(?P<number>[0-9]{{1,18}})-[0-9a-f]+$")
_HEADS = "refs/heads/"
_DEPENDABOT = "dependabot[bot]"

T = TypeVar("T")


class _Issue(msgspec.Struct, frozen=True):
    number: int
    pull_request: dict[str, Any] | None = None
    """There if the issue is a pull request."""
    labels: tuple[Label, ...] = ()


class MergeGroup(msgspec.Struct, frozen=True):
    """A group of pull requests in a merge queue."""

    base_ref: str
    base_sha: str

    @property
    def base_branch(self) -> str:
        """The branch that the queue leads into."""
        return self.base_ref.removeprefix(_HEADS)


class _Repository(msgspec.Struct, frozen=True):
    default_branch: str


def branch_track(branch: str | None) -> str:
    """Return the W&B track of what a branch records."""
    return f"branch/{branch}"


class Event(Struct, frozen=True, kw_only=True):
    """The event, and the run that it started; outside of a workflow nothing is known of either."""

    name: str = ""
    in_workflow: bool = False
    """Whether GitHub's runner runs this process."""
    sha: str = ""
    ref: str = ""
    branch: str = ""
    """The branch or tag of that commit, without `refs/heads/`."""
    is_tag: bool = False
    actor: str = ""
    repository: str = ""
    """`owner/name`."""
    run_id: int | None = None
    attempt: int | None = None
    workflow: str = ""
    job: str = ""
    server_url: str = ""
    api_url: str = ""
    graphql_url: str = ""
    output_file: Path | None = None
    """The file that takes the step's outputs."""
    summary_file: Path | None = None
    """The file that takes the step's part of the job summary."""

    pull_request: PullRequest | None = None
    """The one in the payload."""
    issue: _Issue | None = None
    evaluated_run: WorkflowRun | None = None
    """On `workflow_run`, the run whose results this one publishes; it may be a stranger's."""
    merge_group: MergeGroup | None = None
    default_branch: str | None = None
    """The repository's, if the payload names it."""
    before: str = ""
    """The branch's commit before a push."""
    fault: str | None = None
    """Why the payload could not be read; then the variables must do."""

    @property
    def rules(self) -> EventRules:
        """The security rules of the event."""
        return rules_of(self.name)

    @property
    def owner(self) -> str:
        """The owner of the repository."""
        return self.repository.partition("/")[0]

    @property
    def run_url(self) -> str | None:
        """The page of the workflow run."""
        if not (self.server_url and self.repository and self.run_id):
            return None
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}"

    @property
    def own_runs(self) -> frozenset[int]:
        """The run itself and the one whose results it publishes: neither is its own baseline."""
        evaluated = self.evaluated_run.id if self.evaluated_run else None
        return frozenset(run for run in (self.run_id, evaluated) if run is not None)

    @property
    def pull_request_number(self) -> int | None:
        """The pull request's number, by the payload or by the ref `refs/pull/7/merge`."""
        payload = self.pull_request or self.issue
        numbers = [payload.number] if payload else sorted(self.evaluated_numbers)
        return next(iter(numbers), None) or _number_in(_PULL_REQUEST_REF, self.ref)

    @property
    def evaluated_numbers(self) -> frozenset[int]:
        """The pull requests that the payload names for the evaluated run; none for a fork's."""
        run = self.evaluated_run
        if run is None or not rules_of(run.event).has_head:
            return frozenset()
        return frozenset(one.number for one in run.pull_requests or ())

    @property
    def queued_number(self) -> int | None:
        """The number of the pull request that a merge queue tries."""
        return _number_in(_QUEUE_BRANCH, self.branch)

    @property
    def labels(self) -> frozenset[str]:
        """The pull request's labels, as they were when the workflow began."""
        labelled = self.pull_request or self.issue
        return frozenset(label.name for label in labelled.labels) if labelled else frozenset()

    @property
    def commit(self) -> str | None:
        """The commit that the scores are of: a pull request's head, not its merge or its base."""
        if self.pull_request:
            return self.pull_request.head.sha
        run = self.evaluated_run
        if run:
            return None if rules_of(run.event).lookup is Lookup.ISSUE else run.head_sha
        # Without a head in the payload, the sha of a privileged run is that of the base branch.
        return None if self.rules.is_privileged else self.sha or None

    @property
    def likely_base(self) -> str | None:
        """The base branch, as far as the payload names it."""
        if self.pull_request:
            return self.pull_request.base.ref
        return self.merge_group.base_branch if self.merge_group else self.default_branch

    @property
    def ranked_tracks(self) -> frozenset[str]:
        """The tracks whose models every leaderboard shows: the default branch's, or a guess."""
        branches = [self.default_branch] if self.default_branch else ["main", "master"]
        return frozenset(map(branch_track, branches))

    @property
    def evaluated_event(self) -> Event | None:
        """The event of the evaluated run, as far as this payload names it; None without one."""
        run = self.evaluated_run
        if run is None:
            return None
        return replace(
            self,
            name=run.event,
            sha=run.head_sha,
            branch=run.head_branch or "",
            is_tag=False,
            before="",
            evaluated_run=None,
        )

    def has_limited_token(self, pull_request: PullRequest) -> bool:
        """Whether the run's token can only read, whatever the workflow asks for."""
        is_limited = not pull_request.is_own or self.actor == _DEPENDABOT
        return self.rules.has_limited_token and is_limited

    def provenance(self, pull_request: int | None = None) -> Provenance:
        """Return which state of the code the scores belong to; outside of a workflow, `local`.

        pull_request: the pull request that GitHub names for the evaluated run.
        """
        if not self.in_workflow:
            return Provenance(tool_version=__version__)
        number = (pull_request if self.evaluated_run else None) or self.pull_request_number
        return Provenance(
            tool_version=__version__,
            track=self._track(number),
            commit=self.commit,
            ref=self._ref(number),
            pull_request=number,
            run_url=self.run_url,
            attempt=self.attempt,
        )

    def _track(self, number: int | None) -> str:
        """The results of a branch's own events are on its track, and nothing else is."""
        if number is not None:
            return f"pr/{number}"
        if self.rules.base is BaseRule.MERGE_GROUP:
            queue = _QUEUE_BRANCH.match(self.branch)
            return f"queue/{queue['base'] if queue else self.branch.removeprefix(_QUEUE)}"
        if self.is_tag:
            return f"tag/{self.branch}"
        if self.rules.is_of_branch:
            return branch_track(self.branch)
        return f"{self.name}/{self.run_id or ''}"

    def _ref(self, number: int | None) -> str | None:
        """The ref of the commit."""
        if number is not None:
            return f"refs/pull/{number}/head"
        run = self.evaluated_run
        return f"{_HEADS}{run.head_branch}" if run and run.head_branch else self.ref or None


def read_event(environ: Mapping[str, str]) -> Event:
    """Return the event of the runner's variables and of the payload in the file that they name."""
    path = environ.get("GITHUB_EVENT_PATH")
    try:
        return parse_event(environ, _read_payload(Path(path)) if path else {})
    except (OSError, ValueError, RecursionError) as error:
        fault = f"the event at {path} cannot be read: {error}"
        return replace(parse_event(environ, {}), fault=fault)


def _read_payload(path: Path) -> dict[str, Any]:
    payload = json.loads(content(path, at_most=_PAYLOAD_BYTES))
    if not isinstance(payload, dict):
        raise ValueError("it isn't a JSON object")  # noqa: TRY004 -- as of what is no JSON
    return payload


def parse_event(environ: Mapping[str, str], payload: Mapping[str, Any]) -> Event:
    """Return the event of the runner's variables and a payload.

    A part of the payload that isn't as GitHub sends it counts as missing, and is the fault.
    """

    def variable(name: str) -> str:
        return environ.get(f"GITHUB_{name}", "")

    pull_request = _part(payload, "pull_request", PullRequest)
    evaluated_run = _part(payload, "workflow_run", WorkflowRun)
    odd = [
        name
        for name, part in (("pull_request", pull_request), ("workflow_run", evaluated_run))
        if part is None and payload.get(name) is not None
    ]
    issue = _part(payload, "issue", _Issue)
    repository = _part(payload, "repository", _Repository)
    before = payload.get("before")
    return Event(
        name=variable("EVENT_NAME"),
        in_workflow=variable("ACTIONS") == "true",
        sha=variable("SHA"),
        ref=variable("REF"),
        branch=variable("REF_NAME"),
        is_tag=variable("REF_TYPE") == "tag",
        actor=variable("ACTOR"),
        repository=variable("REPOSITORY"),
        run_id=_number(variable("RUN_ID")),
        attempt=_number(variable("RUN_ATTEMPT")),
        workflow=variable("WORKFLOW"),
        job=variable("JOB"),
        server_url=variable("SERVER_URL"),
        api_url=variable("API_URL"),
        graphql_url=variable("GRAPHQL_URL"),
        output_file=_file(variable("OUTPUT")),
        summary_file=_file(variable("STEP_SUMMARY")),
        pull_request=pull_request,
        issue=issue if issue and issue.pull_request is not None else None,
        evaluated_run=evaluated_run,
        merge_group=_part(payload, "merge_group", MergeGroup),
        default_branch=repository.default_branch if repository else None,
        before=before if isinstance(before, str) else "",
        fault=f"the event's {odd[0]} is not as GitHub sends it" if odd else None,
    )


def _part(payload: Mapping[str, Any], name: str, kind: type[T]) -> T | None:
    with suppress(ValueError, RecursionError):
        return msgspec.convert(payload.get(name), type=kind)
    return None


def _file(name: str) -> Path | None:
    return Path(name) if name else None


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


def _number_in(pattern: re.Pattern[str], text: str) -> int | None:
    match = pattern.match(text)
    return int(match["number"]) if match else None
