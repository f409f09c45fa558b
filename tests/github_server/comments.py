"""The conversations of pull requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.github_server.answers import LOCKED, RefusedError
from tests.github_server.identity import node_id, now
from tests.github_server.pages import paged
from tests.github_server.people import person
from tests.github_server.repositories import repository_page, repository_url
from tests.github_server.state import Comment
from tests.github_server.transport import Reply, as_json

if TYPE_CHECKING:
    from tests.github_server.calls import Call

LONGEST_CHARACTERS = 65_536


def read_all(call: Call) -> Reply:
    """GET /repos/OWNER/REPO/issues/NUMBER/comments, the oldest first."""
    number = call.repository.pull(call.number("issue_number")).number
    return paged(
        call, call.repository.comments_of(number), lambda comment: comment_node(call, comment)
    )


def create(call: Call) -> Reply:
    """POST /repos/OWNER/REPO/issues/NUMBER/comments."""
    pull = call.repository.pull(call.number("issue_number"))
    if pull.locked:
        return LOCKED.reply()
    comment = Comment(
        id=next(call.state.ids), number=pull.number, author=call.token.login, body=_body(call)
    )
    call.repository.comments[comment.id] = comment
    node = comment_node(call, comment)
    return as_json(node, 201, {"Location": node["url"]})


def read(call: Call) -> Reply:
    """GET /repos/OWNER/REPO/issues/comments/ID."""
    return as_json(comment_node(call, call.repository.comment(call.number("comment_id"))))


def edit(call: Call) -> Reply:
    """PATCH /repos/OWNER/REPO/issues/comments/ID."""
    comment = call.repository.comment(call.number("comment_id"))
    comment.body = _body(call)
    comment.updated_at = now()
    return as_json(comment_node(call, comment))


def delete(call: Call) -> Reply:
    """DELETE /repos/OWNER/REPO/issues/comments/ID."""
    del call.repository.comments[call.repository.comment(call.number("comment_id")).id]
    return Reply(status=204)


def comment_node(call: Call, comment: Comment) -> dict[str, Any]:
    """A comment as GitHub returns it."""
    url = repository_url(call.repository, call.base_url)
    page = repository_page(call.repository, call.base_url)
    return {
        "id": comment.id,
        "node_id": node_id("IssueComment", comment.id),
        "url": f"{url}/issues/comments/{comment.id}",
        "html_url": f"{page}/pull/{comment.number}#issuecomment-{comment.id}",
        "issue_url": f"{url}/issues/{comment.number}",
        "user": person(comment.author, call.base_url),
        "body": comment.body,
        "created_at": comment.created_at,
        "updated_at": comment.updated_at,
        "author_association": "NONE",
        "performed_via_github_app": None,
    }


def _body(call: Call) -> str:
    content = call.content()
    body = content.get("body") if isinstance(content, dict) else None
    if not isinstance(body, str):
        raise RefusedError(422, 'Invalid request.\n\n"body" wasn\'t supplied.')
    wrong = None if body.strip() else "Body can't be blank"
    if len(body) > LONGEST_CHARACTERS:
        wrong = f"Body is too long (maximum is {LONGEST_CHARACTERS} characters)"
    if wrong:
        problem = {"resource": "IssueComment", "code": "unprocessable", "field": "data"}
        raise RefusedError(422, "Validation Failed", errors=[{**problem, "message": wrong}])
    return body
