"""Objects that exist before the first request."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.github_server.identity import now, written
from tests.github_server.state import (
    Artifact,
    Comment,
    Commit,
    PullRequest,
    Repository,
    State,
    WorkflowRun,
)
from tests.github_server.tokens import WORKFLOW_LOGIN, WORKFLOW_PERMISSIONS, Token

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping

UNKNOWN_SHA = "0" * 40
# Each commit is a minute younger than its parent.
FIRST_COMMIT = datetime(2026, 1, 1, tzinfo=UTC)


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """A zip with these files, by their names."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


class Seed:
    """Makes things as if others had made them. Repositories go by their full names."""

    def __init__(self, state: State, lock: threading.RLock) -> None:
        self._state = state
        self._lock = lock

    def token(
        self,
        value: str,
        *,
        login: str = WORKFLOW_LOGIN,
        permissions: Mapping[str, str] | None = None,
        repositories: Iterable[str] | None = None,
    ) -> None:
        """Have a token, or another owner and other rights for one that is there.

        permissions: None is those of WORKFLOW_PERMISSIONS.
        repositories: what it is for; None is all.
        """
        rights = WORKFLOW_PERMISSIONS if permissions is None else permissions
        names = None if repositories is None else frozenset(repositories)
        with self._lock:
            self._state.tokens[value] = Token(
                login=login, permissions=dict(rights), repositories=names
            )

    def repository(
        self,
        full_name: str,
        *,
        private: bool = False,
        default_branch: str = "main",
        fork_of: str | None = None,
    ) -> None:
        """Have a repository; a fork shares the commits of what it is of."""
        with self._lock:
            commits = self._state.repository(fork_of).commits if fork_of else {}
            self._state.repositories[full_name] = Repository(
                full_name=full_name,
                private=private,
                default_branch=default_branch,
                fork_of=fork_of,
                commits=commits,
            )

    def commit(  # noqa: PLR0913 -- each argument is a field of a commit
        self,
        repository: str,
        sha: str,
        *,
        parents: Iterable[str] = (),
        branch: str | None = None,
        message: str = "A change",
        author: str = "somebody",
    ) -> None:
        """Have a commit, younger than all before it; raises KeyError for parents after it.

        branch: the one whose newest commit it becomes.
        """
        with self._lock:
            owner = self._state.repository(repository)
            parents = [owner.commits[parent].sha for parent in parents]
            date = FIRST_COMMIT + timedelta(minutes=len(owner.commits))
            owner.commits[sha] = Commit(
                sha=sha,
                parents=tuple(parents),
                message=message,
                author=author,
                date=written(date),
            )
            if branch is not None:
                owner.branches[branch] = sha

    def history(self, repository: str, shas: Iterable[str], *, branch: str = "main") -> None:
        """Have commits, each the parent of the next; the first follows the branch's newest."""
        with self._lock:
            for sha in shas:
                newest = self._state.repository(repository).branches.get(branch)
                self.commit(repository, sha, parents=[newest] if newest else [], branch=branch)

    def branch(self, repository: str, name: str, sha: str) -> None:
        """Have a branch, or let it end elsewhere."""
        with self._lock:
            self._state.repository(repository).branches[name] = sha

    def rename_branch(self, repository: str, name: str, new_name: str) -> None:
        """Rename a branch; GitHub leads from the old name to the new one, and runs keep theirs."""
        with self._lock:
            owner = self._state.repository(repository)
            owner.branches[new_name] = owner.branches.pop(name)
            owner.former_branches[name] = new_name
            if owner.default_branch == name:
                owner.default_branch = new_name

    def pull_request(  # noqa: PLR0913 -- each argument is a field of a pull request
        self,
        repository: str,
        number: int,
        *,
        head_sha: str,
        head_branch: str = "change",
        head_repository: str | None = None,
        base: str = "main",
        base_sha: str | None = None,
        merge_sha: str | None = None,
        title: str = "A change",
        body: str | None = None,
        author: str = "somebody",
        state: str = "open",
        merged: bool = False,
        draft: bool = False,
        locked: bool = False,
        labels: Iterable[str] = (),
    ) -> None:
        """Have a pull request, or another one with that number.

        head_repository: None is the repository itself; one that doesn't exist becomes a fork of it.
        base_sha: None is the newest commit of the base.
        """
        with self._lock:
            owner = self._state.repository(repository)
            head = self._fork(repository, head_repository)
            owner.pulls[number] = PullRequest(
                number=number,
                head_repository=head,
                head_branch=head_branch,
                head_sha=head_sha,
                base=base,
                base_sha=base_sha or owner.branches.get(base, UNKNOWN_SHA),
                merge_sha=merge_sha,
                title=title,
                body=body,
                author=author,
                state=state,
                merged=merged,
                draft=draft,
                locked=locked,
                labels=tuple(labels),
            )

    def comment(
        self,
        repository: str,
        number: int,
        body: str,
        *,
        author: str = "somebody",
        created_at: str | None = None,
    ) -> int:
        """Have a comment; its id."""
        written_at = created_at or now()
        with self._lock:
            comment = Comment(
                id=next(self._state.ids),
                number=number,
                author=author,
                body=body,
                created_at=written_at,
                updated_at=written_at,
            )
            self._state.repository(repository).comments[comment.id] = comment
            return comment.id

    def comments(
        self, repository: str, number: int, *, count: int, author: str = "somebody"
    ) -> list[int]:
        """Have so many comments, `Comment 1` and on; their ids."""
        return [
            self.comment(repository, number, f"Comment {place}", author=author)
            for place in range(1, count + 1)
        ]

    def run(  # noqa: PLR0913 -- each argument is a field of a run
        self,
        repository: str,
        *,
        head_sha: str,
        id: int | None = None,  # noqa: A002 -- what GitHub calls it
        number: int | None = None,
        workflow: str = "evaluate",
        event: str = "push",
        head_branch: str = "main",
        head_repository: str | None = None,
        status: str = "completed",
        conclusion: str | None = "success",
    ) -> int:
        """Have a workflow's run; its id."""
        with self._lock:
            owner = self._state.repository(repository)
            run = WorkflowRun(
                id=next(self._state.ids) if id is None else id,
                number=len(owner.runs) + 1 if number is None else number,
                workflow=workflow,
                event=event,
                head_branch=head_branch,
                head_sha=head_sha,
                head_repository=self._fork(repository, head_repository),
                status=status,
                conclusion=conclusion,
            )
            owner.runs[run.id] = run
            return run.id

    def artifact(
        self,
        repository: str,
        run_id: int,
        name: str,
        content: bytes = b"",
        *,
        expired: bool = False,
    ) -> int:
        """Have an artifact of a run; its id.

        content: the zip, as `zipped` makes one; or the file, if it was uploaded by itself.
        """
        with self._lock:
            artifact = Artifact(
                id=next(self._state.ids),
                run_id=run_id,
                name=name,
                content=content,
                expired=expired,
            )
            self._state.repository(repository).artifacts[artifact.id] = artifact
            return artifact.id

    def _fork(self, repository: str, name: str | None) -> str:
        if name is not None and name not in self._state.repositories:
            self.repository(name, fork_of=repository)
        return name or repository
