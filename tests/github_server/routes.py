"""Which path is answered by what, and the right that it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.github_server import (
    actions,
    comments,
    commits,
    people,
    pulls,
    rates,
    repositories,
    viewer,
)
from tests.github_server.calls import Route
from tests.github_server.tokens import (
    DOWNLOAD,
    METADATA,
    READ_ACTIONS,
    READ_COMMENTS,
    READ_CONTENTS,
    READ_PULLS,
    WRITE_COMMENTS,
    Right,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.github_server.calls import Call
    from tests.github_server.transport import Reply


def _route(line: str, handler: Callable[[Call], Reply], right: Right | None = None) -> Route:
    method, path = line.split()
    template = path.replace("/repos/…", "/repos/{owner}/{repo}")
    return Route(method=method, template=template, handler=handler, right=right)


ROUTES = (
    _route("GET /repos/…", repositories.read, METADATA),
    _route("GET /repos/…/issues/{issue_number}/comments", comments.read_all, READ_COMMENTS),
    _route("POST /repos/…/issues/{issue_number}/comments", comments.create, WRITE_COMMENTS),
    _route("GET /repos/…/issues/comments/{comment_id}", comments.read, READ_COMMENTS),
    _route("PATCH /repos/…/issues/comments/{comment_id}", comments.edit, WRITE_COMMENTS),
    _route("DELETE /repos/…/issues/comments/{comment_id}", comments.delete, WRITE_COMMENTS),
    _route("GET /repos/…/issues/{issue_number}", pulls.read_issue, READ_COMMENTS),
    _route("GET /repos/…/pulls", pulls.read_all, READ_PULLS),
    _route("GET /repos/…/pulls/{pull_number}", pulls.read, READ_PULLS),
    _route("GET /repos/…/commits", commits.read_all, READ_CONTENTS),
    # Before the next one, whose name of a commit may hold slashes.
    _route("GET /repos/…/commits/{commit_sha}/pulls", commits.read_pulls, READ_PULLS),
    _route("GET /repos/…/commits/{ref}", commits.read, READ_CONTENTS),
    _route("GET /repos/…/compare/{basehead}", commits.compare, READ_CONTENTS),
    _route("GET /repos/…/branches/{branch}", commits.read_branch, READ_CONTENTS),
    _route("GET /repos/…/actions/artifacts", actions.read_artifacts, READ_ACTIONS),
    _route("GET /repos/…/actions/artifacts/{artifact_id}", actions.read_artifact, READ_ACTIONS),
    _route("GET /repos/…/actions/artifacts/{artifact_id}/zip", actions.download, DOWNLOAD),
    _route("GET /repos/…/actions/runs", actions.read_runs, READ_ACTIONS),
    _route("GET /repos/…/actions/runs/{run_id}", actions.read_run, READ_ACTIONS),
    _route(
        "GET /repos/…/actions/runs/{run_id}/artifacts", actions.read_artifacts_of_run, READ_ACTIONS
    ),
    _route("GET /user", people.myself),
    _route("GET /rate_limit", rates.overview),
    _route("POST /graphql", viewer.answer),
)
