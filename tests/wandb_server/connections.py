"""Lists as W&B serves them: page by page, by a cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.wandb_server.graphql import Arguments, Node

PAGE_SIZE = 50


def connection(nodes: Sequence[Node], arguments: Arguments | None = None) -> Node:
    """The page after the cursor `after`, of `first` nodes; without arguments all of them.

    A cursor is the number of nodes up to it.
    """
    start = int((arguments or {}).get("after") or 0)
    size = len(nodes) if arguments is None else arguments.get("first") or PAGE_SIZE
    page = nodes[start : start + size]
    return {
        "__typename": "Connection",
        "totalCount": len(nodes),
        "edges": [
            {"node": node, "cursor": str(place), "version": f"v{node.get('versionIndex')}"}
            for place, node in enumerate(page, start=start + 1)
        ],
        "pageInfo": {
            "__typename": "PageInfo",
            "endCursor": str(start + len(page)),
            "hasNextPage": start + size < len(nodes),
        },
    }
