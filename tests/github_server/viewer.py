"""The only GraphQL query: the token's login."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import build_schema, graphql_sync

from tests.github_server.answers import RefusedError
from tests.github_server.tokens import ANONYMOUS
from tests.github_server.transport import as_json

if TYPE_CHECKING:
    from tests.github_server.calls import Call
    from tests.github_server.transport import Reply

# A part of GitHub's schema; other queries get GraphQL's own error.
SCHEMA = build_schema(
    """
    interface Actor { login: String! }
    type User implements Actor { login: String! }
    type Query { viewer: User! }
    """
)


def answer(call: Call) -> Reply:
    """POST /graphql."""
    if call.token is ANONYMOUS:
        raise RefusedError(401, "This endpoint requires you to be authenticated.")
    question = call.content()
    result = graphql_sync(
        SCHEMA,
        question["query"],
        {"viewer": {"login": call.token.login}},
        variable_values=question.get("variables"),
    )
    return as_json(result.formatted)
