"""Reads and saves a view of a project, by W&B's GraphQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from helm_wandb.wandb_runs.sdk.messages import ReadView, SaveView, StoredView

if TYPE_CHECKING:
    import wandb

_TYPE = "project-view"
_LIMIT_CHARACTERS = 4 << 20
"""Length of a stored view, at most; ours has 60,000 characters."""
_READ = """
query View($entityName: String, $projectName: String, $viewType: String!, $viewName: String) {
  project(name: $projectName, entityName: $entityName) {
    allViews(viewType: $viewType, viewName: $viewName) { edges { node { id name spec } } }
  }
}
"""
_SAVE = """
mutation UpsertView2($id: ID, $entityName: String, $projectName: String, $type: String,
    $name: String, $displayName: String, $description: String, $spec: String) {
  upsertView(input: {id: $id, entityName: $entityName, projectName: $projectName, name: $name,
      displayName: $displayName, description: $description, type: $type, spec: $spec,
      createdUsing: WANDB_SDK}) {
    view { id name }
    inserted
  }
}
"""


def read_view(api: wandb.Api, entity: str, request: ReadView) -> StoredView | None:
    """Return the view of that name; None if the project has none."""
    variables = {
        "entityName": entity,
        "projectName": request.project,
        "viewType": _TYPE,
        "viewName": request.name,
    }
    project = _execute(api, _READ, variables).get("project") or {}
    nodes = [edge["node"] for edge in (project.get("allViews") or {}).get("edges", ())]
    found = next((node for node in nodes if node["name"] == request.name), None)
    if found is None:
        return None
    return StoredView(id=str(found["id"]), spec=str(found["spec"])[:_LIMIT_CHARACTERS])


def save_view(api: wandb.Api, entity: str, request: SaveView) -> None:
    """Save the view in place of the one with that ID, or as a new one."""
    variables = {
        **({} if request.id is None else {"id": request.id}),
        "entityName": entity,
        "projectName": request.project,
        "type": _TYPE,
        "name": request.name,
        "displayName": request.title,
        "description": "",
        "spec": request.spec,
    }
    _execute(api, _SAVE, variables)


def _execute(api: wandb.Api, query: str, variables: Mapping[str, object]) -> dict[str, Any]:
    # The SDK has no public request for it; wandb-workspaces uses this one.
    answer: dict[str, Any] = api._service_api.execute_graphql(  # noqa: SLF001 -- as said above
        query, variables=dict(variables)
    )
    return answer
