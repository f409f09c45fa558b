"""Saved views of a project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.wandb_server.graphql import Arguments, Node


@dataclass(frozen=True, kw_only=True)
class View:
    """A view as it stands."""

    id: str
    entity: str
    project: str
    type: str
    name: str
    display_name: str
    spec: str

    @classmethod
    def saved(cls, view_id: str, entity: str, values: Arguments) -> View:
        """The view that a mutation saves under that id."""
        return cls(
            id=view_id,
            entity=entity,
            project=values["projectName"],
            type=values["type"],
            name=values["name"],
            display_name=values["displayName"],
            spec=values["spec"],
        )


def view_node(view: View) -> Node:
    """A view's node."""
    return {
        "__typename": "View",
        "id": view.id,
        "name": view.name,
        "displayName": view.display_name,
        "spec": view.spec,
    }
