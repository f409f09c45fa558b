"""A repository at GitHub, in memory: the requests of a search for baselines."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from msgspec import structs

from helm_wandb.github_api.messages import (
    Artifact,
    ArtifactRun,
    Cause,
    Commit,
    CommitRef,
    GithubError,
    PullRequest,
    WorkflowRun,
)
from helm_wandb.report import to_json
from tests import builders, events

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from helm_wandb.github_api.repository import Repository as GithubRepository
    from helm_wandb.model import Evaluation

OWNER = "org"
NAME = f"{OWNER}/evals"


def packed(files: Mapping[str, bytes]) -> bytes:
    """A zip as actions/upload-artifact makes it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def report_zip(*evaluations: Evaluation) -> bytes:
    """The zip of a report of these evaluations."""
    return packed({"helm-wandb-report.json": to_json(builders.report(evaluations))})


@dataclass
class Repository:
    """Commits, branches, pull requests, runs and their artifacts, each added by a test.

    main's history is c0, c1 … c9.
    """

    commits: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {"c0": (), **{f"c{at}": (f"c{at - 1}",) for at in range(1, 10)}}
    )
    branches: dict[str, str] = field(default_factory=lambda: {"main": "c9"})
    former_branches: dict[str, str] = field(default_factory=dict)
    """Old name → new name, of those that were renamed."""
    pulls: list[PullRequest] = field(default_factory=list)
    runs: dict[int, WorkflowRun] = field(default_factory=dict)
    zips: list[tuple[str, Artifact, bytes]] = field(default_factory=list)
    """Name, artifact and content, the oldest first."""
    faults: dict[str, Cause] = field(default_factory=dict)
    """Method → why GitHub does not answer it."""
    requests: list[str] = field(default_factory=list)
    """The methods that were called, and the ids that were given to them."""

    @property
    def github(self) -> GithubRepository:
        """The repository under its protocol, of which it has the calls for baselines."""
        return cast("GithubRepository", self)

    def add(  # noqa: PLR0913 -- each argument is something that a planted artifact may be wrong in
        self,
        sha: str,
        content: bytes,
        *,
        branch: str | None = "main",
        event: str = "push",
        is_own: bool = True,
        name: str = "helm-wandb-report",
        run: WorkflowRun | None = None,
    ) -> int:
        """The id of a new run that left an artifact; run: what GitHub says of it, if it differs."""
        number = len(self.zips) + 1
        run_id = 100 + number
        given = run or events.workflow_run(
            event, branch=branch, head=sha, owner=events.OWN if is_own else events.FORK
        )
        self.runs[run_id] = structs.replace(given, id=run_id, number=number)
        source = ArtifactRun(
            id=run_id,
            head_branch=branch,
            head_sha=sha,
            repository_id=1,
            head_repository_id=1 if is_own else 2,
        )
        artifact = Artifact(
            id=500 + number,
            name=name,
            size_bytes=len(content),
            is_expired=False,
            workflow_run=source,
        )
        self.zips.append((name, artifact, content))
        return run_id

    def add_pull_request(
        self, number: int, *, head: str, base: str = "main", owner: str = OWNER, branch: str = "new"
    ) -> None:
        """An open pull request."""
        self.pulls.append(
            events.pull_request(number, head=head, base=base, owner=owner, branch=branch, own=OWNER)
        )

    def default_branch(self) -> str:
        """The repository's default branch."""
        self._request("default_branch")
        return "main"

    def pull_request(self, number: int) -> PullRequest:
        """The pull request of that number."""
        self._request("pull_request")
        return next(pull for pull in self.pulls if pull.number == number)

    def open_pull_requests(self, *, owner: str, branch: str) -> tuple[PullRequest, ...]:
        """Those whose head is that branch."""
        self._request("open_pull_requests")
        return tuple(
            pull for pull in self.pulls if (pull.head_owner, pull.head.ref) == (owner, branch)
        )

    def commit(self, sha: str) -> Commit:
        """The commit, or 404."""
        self._request("commit", sha)
        return Commit(sha, tuple(map(CommitRef, self._parents(sha))))

    def merge_base(self, base: str, head: str) -> str:
        """The first that both have, or 404."""
        self._request("merge_base")
        of_head = set(self._history(head))
        shared = (sha for sha in self._history(self.branches.get(base, base)) if sha in of_head)
        return next(shared)

    def ancestors(self, sha: str) -> Iterator[str]:
        """The commit and those before it, the nearest first."""
        self._request("ancestors", sha)
        yield from self._history(sha)

    def branch_name(self, name: str) -> str:
        """The present name of the branch, or 404."""
        self._request("branch_name", name)
        present = self.former_branches.get(name, name)
        if present not in self.branches:
            raise GithubError(Cause.NOT_FOUND, f"There is no branch {name}.")
        return present

    def artifacts(self, name: str) -> Iterator[Artifact]:
        """Those of that name, the newest first."""
        self._request("artifacts", name)
        yield from (one for of, one, _ in reversed(self.zips) if of == name)

    def workflow_run(self, run_id: int) -> WorkflowRun:
        """The run of that id."""
        self._request("workflow_run", run_id)
        return self.runs[run_id]

    def download(self, artifact: Artifact, *, limit_bytes: int) -> bytes:
        """The zip, where it is not larger than that."""
        self._request("download", artifact.id)
        content = next(content for _, one, content in self.zips if one.id == artifact.id)
        if len(content) > limit_bytes:
            message = f"The artifact is larger than {limit_bytes} bytes."
            raise GithubError(Cause.UNREADABLE, message)
        return content

    def _request(self, method: str, what: object = "") -> None:
        self.requests.append(f"{method} {what}".strip())
        if method in self.faults:
            raise GithubError(self.faults[method], f"GitHub refuses {method}.")

    def _parents(self, sha: str) -> tuple[str, ...]:
        if sha not in self.commits:
            raise GithubError(Cause.NOT_FOUND, f"There is no commit {sha}.")
        return self.commits[sha]

    def _history(self, sha: str) -> Sequence[str]:
        """The commit and all that lead to it, breadth first, as all of one day."""
        found = {sha: None}
        for one in (line := [sha]):
            new = [parent for parent in self._parents(one) if parent not in found]
            found |= dict.fromkeys(new)
            line += new
        return list(found)
