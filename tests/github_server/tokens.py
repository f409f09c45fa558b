"""Who asks, and what they may."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.github_server.answers import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.github_server.state import Repository

WORKFLOW_LOGIN = "github-actions[bot]"
WORKFLOW_PERMISSIONS = {"pull-requests": "write", "actions": "read", "contents": "read"}
LEVELS = {"read": 1, "write": 2}


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token's owner and rights."""

    login: str = WORKFLOW_LOGIN
    permissions: Mapping[str, str] = field(default_factory=lambda: dict(WORKFLOW_PERMISSIONS))
    """read or write by the name that a workflow's `permissions:` gives it."""
    repositories: frozenset[str] | None = None
    """The full names of those that it is for; None is all."""

    @property
    def is_app(self) -> bool:
        """Whether it is no person's, as those of workflows."""
        return self.login.endswith("[bot]")

    def covers(self, repository: Repository) -> bool:
        """Whether its permissions are for this repository."""
        return self.repositories is None or repository.full_name in self.repositories

    def may(self, level: str, kinds: Iterable[str]) -> bool:
        """Whether one of the kinds of permission is granted, at this level or above."""
        granted = (LEVELS.get(self.permissions.get(kind, ""), 0) for kind in kinds)
        return max(granted, default=0) >= LEVELS[level]


# A request without a token sees what is public.
ANONYMOUS = Token(login="", permissions={}, repositories=frozenset())


def owner(tokens: Mapping[str, Token], authorization: str | None) -> Token:
    """Whose token it is; raises RefusedError of 401 for one that is not known."""
    if authorization is None:
        return ANONYMOUS
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() not in {"bearer", "token"} or value not in tokens:
        raise RefusedError(401)
    return tokens[value]


@dataclass(frozen=True, kw_only=True)
class Right:
    """What a token needs for something."""

    level: str = "read"
    kinds: tuple[str, ...] = ()
    """Any of them is enough; () asks for none."""
    is_public: bool = False
    """Whether a public repository gives it to everybody."""

    def demand(self, token: Token, repository: Repository) -> None:
        """Raise RefusedError, as GitHub does, unless the token has the right.

        That is 404 for a private repository that the token is not for, so that it reveals nothing.
        """
        if repository.private and not token.covers(repository):
            raise RefusedError(404)
        if self.is_public and not repository.private:
            return
        if token is ANONYMOUS:
            raise RefusedError(401, "Requires authentication")
        if self.kinds and not (token.covers(repository) and token.may(self.level, self.kinds)):
            raise RefusedError(403)


METADATA = Right(is_public=True)
READ_COMMENTS = Right(kinds=("pull-requests", "issues"), is_public=True)
WRITE_COMMENTS = Right(level="write", kinds=("pull-requests", "issues"))
READ_PULLS = Right(kinds=("pull-requests",), is_public=True)
READ_CONTENTS = Right(kinds=("contents",), is_public=True)
READ_ACTIONS = Right(kinds=("actions",), is_public=True)
# A zip is handed to nobody without a name, in public repositories neither.
DOWNLOAD = Right(kinds=("actions",))
