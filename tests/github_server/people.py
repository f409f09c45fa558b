"""Users and apps as GitHub returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from tests.github_server.answers import RefusedError
from tests.github_server.identity import node_id, number_of
from tests.github_server.tokens import ANONYMOUS
from tests.github_server.transport import as_json

if TYPE_CHECKING:
    from tests.github_server.calls import Call
    from tests.github_server.transport import Reply

URLS = {
    "events_url": "/events{/privacy}",
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "organizations_url": "/orgs",
    "received_events_url": "/received_events",
    "repos_url": "/repos",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
}
# Fields that only the account itself sees.
PRIVATE = {
    "user_view_type": "private",
    "bio": None,
    "blog": None,
    "company": None,
    "email": None,
    "followers": 0,
    "following": 0,
    "hireable": None,
    "location": None,
    "name": None,
    "public_gists": 0,
    "public_repos": 0,
    "created_at": "2020-01-01T00:00:00Z",
    "updated_at": "2020-01-01T00:00:00Z",
    "collaborators": 0,
    "disk_usage": 0,
    "owned_private_repos": 0,
    "private_gists": 0,
    "total_private_repos": 0,
    "two_factor_authentication": True,
}


def site(base_url: str) -> str:
    """Where the pages for people are: the server without `/api/v3`."""
    return "{0.scheme}://{0.netloc}".format(urlsplit(base_url))


def person(login: str, base_url: str) -> dict[str, Any]:
    """A user, or an app where the login ends in `[bot]`."""
    url = f"{base_url}/users/{quote(login)}"
    return {
        "login": login,
        "id": number_of(login),
        "node_id": node_id("User", login),
        "avatar_url": f"{site(base_url)}/avatars/{quote(login)}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{site(base_url)}/{quote(login)}",
        "type": "Bot" if login.endswith("[bot]") else "User",
        "site_admin": False,
        **{name: url + path for name, path in URLS.items()},
    }


def myself(call: Call) -> Reply:
    """GET /user: whose the token is, which the token of a workflow may not ask."""
    if call.token is ANONYMOUS:
        raise RefusedError(401, "Requires authentication")
    if call.token.is_app:
        raise RefusedError(403)
    return as_json({**person(call.token.login, call.base_url), **PRIVATE})
