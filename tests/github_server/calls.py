"""A request as a route understands it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from tests.github_server.answers import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.github_server.state import Repository, State
    from tests.github_server.tokens import Right, Token
    from tests.github_server.transport import Incoming, Reply

# These may hold slashes, as names of branches do.
WITH_SLASHES = frozenset({"ref", "basehead", "branch"})


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request, its sender and its object."""

    incoming: Incoming
    state: State
    token: Token
    base_url: str
    """URL that the client uses, with `/api/v3` if it used that."""
    storage_url: str
    """URL of the listener that hands out artifacts."""
    values: Mapping[str, str]
    """What stands in the path, by the names that GitHub's description uses."""

    @property
    def repository(self) -> Repository:
        """The one in the path; raises RefusedError if there is none."""
        return self.state.repository(f"{self.values['owner']}/{self.values['repo']}")

    @property
    def query(self) -> dict[str, str]:
        """What stands behind the question mark."""
        return dict(self.incoming.query)

    def content(self) -> Any:
        """What the body holds; raises RefusedError for what is no JSON."""
        try:
            return json.loads(self.incoming.body)
        except ValueError as error:
            raise RefusedError(400, "Problems parsing JSON") from error

    def number(self, name: str) -> int:
        """The number in the path; 0, which nothing has, for what is none."""
        value = self.values[name]
        return int(value) if value.isdecimal() else 0


@dataclass(frozen=True, kw_only=True)
class Route:
    """What answers a method and a path."""

    method: str
    template: str
    """The path, with the names of its parts as GitHub's description has them."""
    handler: Callable[[Call], Reply]
    right: Right | None = None
    """What the token needs in the repository; None if there is no repository."""

    @property
    def described(self) -> str | None:
        """The path in GitHub's description, which leaves the archive's format open.

        None if the description lacks the path.
        """
        is_described = self.template != "/graphql"
        return self.template.replace("/zip", "/{archive_format}") if is_described else None

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """What stands in the path, or None if it is no such request."""
        found = _pattern(self.template).fullmatch(path) if method == self.method else None
        return found and {name: unquote(value) for name, value in found.groupdict().items()}

    def path(self, values: Mapping[str, str]) -> str:
        """The path with these values, each quoted wholly."""
        return self.template.format_map(
            {name: quote(value, safe="") for name, value in values.items()}
        )


def _pattern(template: str) -> re.Pattern[str]:
    def group(name: re.Match[str]) -> str:
        return f"(?P<{name[1]}>{'.+' if name[1] in WITH_SLASHES else '[^/]+'})"

    return re.compile(re.sub(r"{(\w+)}", group, template))
