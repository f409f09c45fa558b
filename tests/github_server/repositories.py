"""Repositories as GitHub returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.github_server.identity import node_id
from tests.github_server.people import person, site
from tests.github_server.transport import as_json

if TYPE_CHECKING:
    from tests.github_server.calls import Call
    from tests.github_server.state import Repository
    from tests.github_server.transport import Reply

URLS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
# What no test asks for.
PLAIN = {
    "archived": False,
    "description": None,
    "disabled": False,
    "forks": 0,
    "forks_count": 0,
    "has_discussions": False,
    "has_downloads": False,
    "has_issues": True,
    "has_pages": False,
    "has_projects": False,
    "has_wiki": False,
    "homepage": None,
    "language": None,
    "license": None,
    "mirror_url": None,
    "network_count": 0,
    "open_issues": 0,
    "open_issues_count": 0,
    "size": 0,
    "stargazers_count": 0,
    "subscribers_count": 0,
    "watchers": 0,
    "watchers_count": 0,
}


def repository_url(repository: Repository, base_url: str) -> str:
    """Its URL in the API."""
    return f"{base_url}/repos/{repository.full_name}"


def repository_page(repository: Repository, base_url: str) -> str:
    """Where people see it."""
    return f"{site(base_url)}/{repository.full_name}"


def minimal_repository(repository: Repository, base_url: str) -> dict[str, Any]:
    """What other things, such as workflow runs, say of their repository."""
    url = repository_url(repository, base_url)
    return {
        "id": repository.id,
        "node_id": node_id("Repository", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "owner": person(repository.owner, base_url),
        "private": repository.private,
        "html_url": repository_page(repository, base_url),
        "description": None,
        "fork": repository.fork_of is not None,
        "url": url,
        **{name: url + path for name, path in URLS.items()},
    }


def repository_node(repository: Repository, base_url: str) -> dict[str, Any]:
    """All of it."""
    page = repository_page(repository, base_url)
    return {
        **minimal_repository(repository, base_url),
        **PLAIN,
        "default_branch": repository.default_branch,
        "visibility": "private" if repository.private else "public",
        "clone_url": f"{page}.git",
        "git_url": f"git:{page.partition(':')[2]}.git",
        "ssh_url": f"git@github.com:{repository.full_name}.git",
        "svn_url": page,
        "created_at": repository.created_at,
        "pushed_at": repository.created_at,
        "updated_at": repository.created_at,
    }


def read(call: Call) -> Reply:
    """GET /repos/OWNER/REPO."""
    return as_json(repository_node(call.repository, call.base_url))
