"""Lists as GitHub serves them: page by page, with links to the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from tests.github_server.transport import as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.github_server.calls import Call
    from tests.github_server.transport import Reply

_Thing = TypeVar("_Thing")

DEFAULT_SIZE = 30
LARGEST_SIZE = 100


def paged(
    call: Call, things: Sequence[_Thing], node: Callable[[_Thing], Any], *, under: str | None = None
) -> Reply:
    """The requested page, each object as its node.

    under: the key of the list in an object that also has the whole number; None is a bare list.
    """
    size = min(_positive(call.query.get("per_page"), DEFAULT_SIZE), LARGEST_SIZE)
    page = _positive(call.query.get("page"), 1)
    nodes = [node(thing) for thing in things[(page - 1) * size : page * size]]
    link = _link(call, page, max(1, -(-len(things) // size)))
    content = {"total_count": len(things), under: nodes} if under else nodes
    return as_json(content, headers={"Link": link} if link else {})


def _positive(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and int(text) else default


def _link(call: Call, page: int, last: int) -> str:
    pages = {"prev": page - 1, "first": 1} if page > 1 else {}
    pages |= {"next": page + 1, "last": last} if page < last else {}
    return ", ".join(f'<{_url(call, number)}>; rel="{name}"' for name, number in pages.items())


def _url(call: Call, page: int) -> str:
    query = urlencode(call.query | {"page": str(page)})
    return f"{call.base_url}{call.incoming.path}?{query}"
