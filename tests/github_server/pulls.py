"""Pull requests as GitHub returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.github_server.identity import node_id, number_of
from tests.github_server.pages import paged
from tests.github_server.people import person
from tests.github_server.repositories import repository_node, repository_page, repository_url
from tests.github_server.transport import as_json

if TYPE_CHECKING:
    from tests.github_server.calls import Call
    from tests.github_server.state import PullRequest, Repository
    from tests.github_server.transport import Reply

# What only the answer for a single one has, and no test asks for.
SINGLE = {
    "additions": 0,
    "changed_files": 0,
    "commits": 1,
    "deletions": 0,
    "maintainer_can_modify": False,
    "mergeable": None,
    "mergeable_state": "unknown",
    "merged_by": None,
    "review_comments": 0,
}


def read_all(call: Call) -> Reply:
    """GET /repos/OWNER/REPO/pulls, the newest first by default.

    A `head` that is not owner:branch filters nothing, as at GitHub.
    """
    state, head, base = (call.query.get(name) for name in ("state", "head", "base"))
    oldest_first = [
        pull
        for pull in sorted(call.repository.pulls.values(), key=lambda pull: pull.number)
        if (state or "open") in {pull.state, "all"}
        and (head is None or ":" not in head or head == pull.head_label)
        and base in {pull.base, None}
    ]
    by_creation = call.query.get("sort", "created") == "created"
    direction = call.query.get("direction", "desc" if by_creation else "asc")
    ordered = oldest_first[::-1] if direction == "desc" else oldest_first
    return paged(call, ordered, lambda pull: pull_node(call, pull))


def read(call: Call) -> Reply:
    """GET /repos/OWNER/REPO/pulls/NUMBER."""
    pull = call.repository.pull(call.number("pull_number"))
    comments = len(call.repository.comments_of(pull.number))
    merged = {"merged": pull.merged, "comments": comments}
    return as_json({**pull_node(call, pull), **SINGLE, **merged})


def read_issue(call: Call) -> Reply:
    """GET /repos/OWNER/REPO/issues/NUMBER: the pull request as an issue."""
    pull = call.repository.pull(call.number("issue_number"))
    url = f"{repository_url(call.repository, call.base_url)}/issues/{pull.number}"
    shared = _shared(call, pull)
    addresses = ("url", "html_url", "diff_url", "patch_url")
    return as_json(
        {
            **{name: value for name, value in shared.items() if name not in addresses[2:]},
            "id": number_of(f"{call.repository.full_name}#{pull.number}"),
            "url": url,
            "repository_url": repository_url(call.repository, call.base_url),
            "labels_url": f"{url}/labels{{/name}}",
            "events_url": f"{url}/events",
            "comments": len(call.repository.comments_of(pull.number)),
            "pull_request": {name: shared[name] for name in addresses},
        }
    )


def pull_node(call: Call, pull: PullRequest) -> dict[str, Any]:
    """A pull request as lists return it."""
    repository = call.repository
    url = f"{repository_url(repository, call.base_url)}/pulls/{pull.number}"
    issue_url = f"{repository_url(repository, call.base_url)}/issues/{pull.number}"
    addresses = {
        "issue": issue_url,
        "comments": f"{issue_url}/comments",
        "commits": f"{url}/commits",
        "review_comments": f"{url}/comments",
        "review_comment": f"{repository_url(repository, call.base_url)}/pulls/comments{{/number}}",
        "statuses": f"{repository_url(repository, call.base_url)}/statuses/{pull.head_sha}",
    }
    shared = _shared(call, pull)
    links = {"self": url, "html": shared["html_url"], **addresses}
    return {
        **shared,
        **{f"{name}_url": address for name, address in addresses.items()},
        "_links": {name: {"href": address} for name, address in links.items()},
        "merged_at": pull.created_at if pull.merged else None,
        "merge_commit_sha": pull.merge_sha,
        "auto_merge": None,
        "requested_reviewers": [],
        "requested_teams": [],
        "base": _end(call, repository, pull.base, pull.base_sha),
        "head": _end(
            call, call.state.repository(pull.head_repository), pull.head_branch, pull.head_sha
        ),
    }


def _shared(call: Call, pull: PullRequest) -> dict[str, Any]:
    """What it has as a pull request and as an issue."""
    url = f"{repository_url(call.repository, call.base_url)}/pulls/{pull.number}"
    page = f"{repository_page(call.repository, call.base_url)}/pull/{pull.number}"
    issue_url = f"{repository_url(call.repository, call.base_url)}/issues/{pull.number}"
    return {
        "id": number_of(f"{call.repository.full_name}!{pull.number}"),
        "node_id": node_id("PullRequest", pull.number),
        "number": pull.number,
        "url": url,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "comments_url": f"{issue_url}/comments",
        "title": pull.title,
        "body": pull.body,
        "user": person(pull.author, call.base_url),
        "labels": [_label(call, name) for name in pull.labels],
        "state": pull.state,
        "draft": pull.draft,
        "locked": pull.locked,
        "active_lock_reason": None,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "author_association": "CONTRIBUTOR",
        "created_at": pull.created_at,
        "updated_at": pull.created_at,
        "closed_at": pull.created_at if pull.state == "closed" else None,
    }


def _end(call: Call, repository: Repository, branch: str, sha: str) -> dict[str, Any]:
    """The head or the base."""
    return {
        "label": f"{repository.owner}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": person(repository.owner, call.base_url),
        "repo": repository_node(repository, call.base_url),
    }


def _label(call: Call, name: str) -> dict[str, Any]:
    return {
        "id": number_of(name),
        "node_id": node_id("Label", name),
        "url": f"{repository_url(call.repository, call.base_url)}/labels/{name}",
        "name": name,
        "description": "",
        "color": "ededed",
        "default": False,
    }
