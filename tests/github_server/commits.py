"""The graph of commits."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.github_server.answers import RefusedError
from tests.github_server.identity import node_id
from tests.github_server.pages import paged
from tests.github_server.people import person
from tests.github_server.pulls import pull_node
from tests.github_server.repositories import repository_page, repository_url
from tests.github_server.transport import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.github_server.calls import Call
    from tests.github_server.state import Commit, PullRequest, Repository
    from tests.github_server.transport import Reply

SHORTEST_SHA = 7


def read_all(call: Call) -> Reply:
    """GET /repos/OWNER/REPO/commits: those that lead to `sha`, the newest first."""
    repository = call.repository
    if not repository.commits:
        raise RefusedError(409, "Git Repository is empty.")
    start = find(repository, call.query.get("sha", repository.default_branch))
    if start is None:
        raise RefusedError(404)
    commits = list(ancestors(repository, start))
    return paged(call, commits, lambda commit: commit_node(call, commit))


def read(call: Call) -> Reply:
    """GET /repos/OWNER/REPO/commits/REF."""
    reference = call.values["ref"]
    commit = find(call.repository, reference)
    if commit is None:
        raise RefusedError(422, f"No commit found for SHA: {reference}")
    return as_json({**commit_node(call, commit), "files": []})


def read_pulls(call: Call) -> Reply:
    """GET /repos/OWNER/REPO/commits/SHA/pulls: none for commits of forks, as at GitHub."""
    repository = call.repository
    commit = find(repository, call.values["commit_sha"])
    if commit is None:
        raise RefusedError(422, f"No commit found for SHA: {call.values['commit_sha']}")
    pulls = [pull for pull in repository.pulls.values() if _brings(repository, pull, commit)]
    return paged(call, pulls, lambda pull: pull_node(call, pull))


def compare(call: Call) -> Reply:
    """GET /repos/OWNER/REPO/compare/BASE...HEAD."""
    names = call.values["basehead"].split("...")
    ends = [find(call.repository, name) for name in names]
    if len(ends) != len(("base", "head")) or None in ends:
        raise RefusedError(404)
    base, head = (end for end in ends if end)
    before = {commit.sha: commit for commit in ancestors(call.repository, base)}
    after = {commit.sha: commit for commit in ancestors(call.repository, head)}
    merge_base = next((commit for sha, commit in after.items() if sha in before), None)
    if merge_base is None:
        raise RefusedError(404, f"No common ancestor between {names[0]} and {names[1]}.")
    ahead = [commit for sha, commit in after.items() if sha not in before]
    behind = sum(sha not in after for sha in before)
    return as_json(
        {
            **_addresses(call),
            "base_commit": commit_node(call, base),
            "merge_base_commit": commit_node(call, merge_base),
            "status": _status(len(ahead), behind),
            "ahead_by": len(ahead),
            "behind_by": behind,
            "total_commits": len(ahead),
            "commits": [commit_node(call, commit) for commit in reversed(ahead)],
            "files": [],
        }
    )


def read_branch(call: Call) -> Reply:
    """GET /repos/OWNER/REPO/branches/BRANCH: 301 for the name that a branch had before."""
    repository, name = call.repository, call.values["branch"]
    url = f"{repository_url(repository, call.base_url)}/branches"
    if name in repository.former_branches:
        target = f"{url}/{quote(repository.former_branches[name], safe='')}"
        message = {"message": "Moved Permanently", "url": target}
        return as_json(message, status=301, headers={"Location": target})
    if name not in repository.branches:
        raise RefusedError(404, "Branch not found")
    commit = repository.commits[repository.branches[name]]
    page = f"{repository_page(repository, call.base_url)}/tree/{name}"
    return as_json(
        {
            "name": name,
            "commit": commit_node(call, commit),
            "_links": {"self": f"{url}/{name}", "html": page},
            "protected": False,
            "protection": {"enabled": False},
            "protection_url": f"{url}/{name}/protection",
        }
    )


def find(repository: Repository, reference: str) -> Commit | None:
    """The commit of a sha or its beginning, a branch, `owner:branch` or `refs/pull/N/…`."""
    name = reference.removeprefix("refs/").removeprefix("heads/")
    name = name.removeprefix(f"{repository.owner}:")
    pulls = repository.pulls.values()
    named = {
        **{pull.head_label: pull.head_sha for pull in pulls},
        **{f"pull/{pull.number}/head": pull.head_sha for pull in pulls},
        **{f"pull/{pull.number}/merge": pull.merge_sha for pull in pulls},
        **repository.branches,
    }
    sha = named.get(name) or name
    if sha in repository.commits or len(sha) < SHORTEST_SHA:
        return repository.commits.get(sha)
    begun = [commit for whole, commit in repository.commits.items() if whole.startswith(sha)]
    return begun[0] if len(begun) == 1 else None


def ancestors(repository: Repository, start: Commit) -> Iterator[Commit]:
    """The commit and all that lead to it, by date, the newest first, as `git log` has them."""
    order = {sha: place for place, sha in enumerate(repository.commits)}
    # A negative is a way to have the newest first.
    heap = [(-order[start.sha], start)]
    seen = {start.sha}
    while heap:
        _, commit = heapq.heappop(heap)
        yield commit
        for sha in commit.parents:
            if sha not in seen and sha in repository.commits:
                seen.add(sha)
                heapq.heappush(heap, (-order[sha], repository.commits[sha]))


def commit_node(call: Call, commit: Commit) -> dict[str, Any]:
    """A commit as GitHub returns it."""
    url = repository_url(call.repository, call.base_url)
    page = repository_page(call.repository, call.base_url)
    signature = {"name": commit.author, "email": "nobody@example.com", "date": commit.date}
    return {
        "sha": commit.sha,
        "node_id": node_id("Commit", commit.sha),
        "url": f"{url}/commits/{commit.sha}",
        "html_url": f"{page}/commit/{commit.sha}",
        "comments_url": f"{url}/commits/{commit.sha}/comments",
        "commit": {
            "url": f"{url}/git/commits/{commit.sha}",
            "author": signature,
            "committer": signature,
            "message": commit.message,
            "tree": {"sha": commit.sha, "url": f"{url}/git/trees/{commit.sha}"},
            "comment_count": 0,
        },
        "author": person(commit.author, call.base_url),
        "committer": person(commit.author, call.base_url),
        "parents": [
            {"sha": sha, "url": f"{url}/commits/{sha}", "html_url": f"{page}/commit/{sha}"}
            for sha in commit.parents
        ],
    }


def _brings(repository: Repository, pull: PullRequest, commit: Commit) -> bool:
    """Whether the pull request brings the commit from the repository's own branch."""
    head = repository.commits.get(pull.head_sha)
    is_own = pull.head_repository == repository.full_name
    if head is None or not is_own or (pull.state == "closed" and not pull.merged):
        return False
    base = repository.commits.get(pull.base_sha)
    there_already = base is not None and commit in ancestors(repository, base)
    return commit in ancestors(repository, head) and not there_already


def _status(ahead: int, behind: int) -> str:
    if ahead and behind:
        return "diverged"
    return "ahead" if ahead else "behind" if behind else "identical"


def _addresses(call: Call) -> dict[str, str]:
    page = f"{repository_page(call.repository, call.base_url)}/compare/{call.values['basehead']}"
    url = f"{repository_url(call.repository, call.base_url)}/compare/{call.values['basehead']}"
    return {
        "url": url,
        "html_url": page,
        "permalink_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
    }
