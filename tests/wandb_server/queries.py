"""The fields of GraphQL's query root."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.wandb_server import run_filters
from tests.wandb_server.artifact_nodes import artifact_node, collection_node, membership_node
from tests.wandb_server.connections import connection
from tests.wandb_server.run_nodes import run_node
from tests.wandb_server.state import NO_PROJECT
from tests.wandb_server.views import view_node

if TYPE_CHECKING:
    from tests.wandb_server.artifacts import ArtifactRecord, Collection
    from tests.wandb_server.graphql import Arguments, Node
    from tests.wandb_server.runs import RunRecord
    from tests.wandb_server.state import State

# What this server can, of the features that the SDK asks about.
FEATURES = (
    "LARGE_FILENAMES",
    "ARTIFACT_TAGS",
    "CLIENT_IDS",
    "PROJECT_ARTIFACT_COLLECTION_MEMBERSHIP",
    "ARTIFACT_COLLECTION_MEMBERSHIP_FILES",
    "TOTAL_COUNT_IN_FILE_CONNECTION",
    "USE_ARTIFACT_WITH_ENTITY_AND_PROJECT_INFORMATION",
    "MARK_RUN_FILES_UPLOADED",
    "FILESTREAM_GZIP",
)
# The SDK has no use for more than that it is one.
PROJECT_ID = "UHJvamVjdDox"


class Queries:
    """The nodes of one state, with URLs of one server."""

    def __init__(self, state: State, base_url: str) -> None:
        self._state = state
        self._base_url = base_url

    def root(self) -> Node:
        """The root of all queries."""
        return {
            "__typename": "Query",
            "viewer": _user(self._state.entity),
            "serverInfo": _server_info(),
            "organization": {"featureFlags": []},
            "entity": self._entity,
            "models": self._projects,
            "project": self._project,
            "model": self._project,
            "artifact": lambda arguments: self.artifact(self._state.artifact(arguments["id"])),
            "artifactCollection": self._collection_of_id,
            "clientIDMapping": self._client_id,
        }

    def run(self, run: RunRecord) -> Node:
        """A run's node."""
        project = self.project(run.entity, run.project)
        return {
            **run_node(run, project, self._base_url, self._state.listed_until()),
            "inputArtifacts": lambda arguments: self._used_artifacts(run, arguments),
        }

    def artifact(self, version: ArtifactRecord) -> Node:
        """An artifact's node."""
        return artifact_node(
            version,
            self._state.collection_of(version),
            self.project(version.entity, version.project),
            self._base_url,
        )

    def project(self, entity: str, name: str) -> Node:
        """A project's node."""
        fields = {
            "run": self._run,
            "bucket": self._run,
            "runs": self._runs,
            "runCount": lambda *place: len(self._matching(*place)),
            "artifact": self._artifact,
            "artifactCollectionMembership": self._membership,
            "artifactCollection": self._collection,
            "artifactType": self._artifact_type,
            "allViews": self._views,
        }
        resolvers = {
            key: lambda arguments, field=field: field(entity, name, arguments)
            for key, field in fields.items()
        }
        return {**_project_fields(entity, name), **resolvers}

    def _entity(self, arguments: Arguments) -> Node:
        return {
            "__typename": "Entity",
            "id": "RW50aXR5OjE=",
            "name": arguments["name"],
            "organization": {"name": None, "coreWeaveOrganizationId": None, "orgEntity": None},
            "user": None,
            "xxhashDigestsEnabled": False,
        }

    def _projects(self, arguments: Arguments) -> Node:
        entity = arguments.get("entityName") or self._state.entity
        names = self._state.projects(entity)
        return connection([self.project(entity, name) for name in names], arguments)

    def _project(self, arguments: Arguments) -> Node | None:
        entity = arguments.get("entityName") or self._state.entity
        name = arguments["name"] or NO_PROJECT
        return self.project(entity, name) if name in self._state.projects(entity) else None

    def _matching(self, entity: str, project: str, arguments: Arguments) -> list[RunRecord]:
        condition = json.loads(arguments.get("filters") or "{}")
        runs = self._state.runs_of(entity, project)
        return [run for run in runs if run_filters.matches(run, condition)]

    def _runs(self, entity: str, project: str, arguments: Arguments) -> Node:
        order = arguments.get("order") or "+created_at"
        runs = run_filters.ordered(self._matching(entity, project, arguments), order)
        return connection([self.run(run) for run in runs], arguments)

    def _used_artifacts(self, run: RunRecord, arguments: Arguments) -> Node:
        versions = map(self._state.artifact, run.used_artifacts)
        return connection([self.artifact(version) for version in versions], arguments)

    def _views(self, entity: str, project: str, arguments: Arguments) -> Node:
        wanted = (entity, project, arguments["viewType"], arguments["viewName"])
        found = [
            view_node(view)
            for view in self._state.views.values()
            if (view.entity, view.project, view.type, view.name) == wanted
        ]
        return connection(found)

    def _run(self, entity: str, project: str, arguments: Arguments) -> Node | None:
        run = self._state.run(entity, project, arguments["name"])
        return self.run(run) if run else None

    def _version(self, entity: str, project: str, arguments: Arguments) -> ArtifactRecord | None:
        """The version of a name such as `report:v0`; without an alias the latest."""
        name, _, alias = arguments["name"].rpartition("/")[-1].partition(":")
        collection = self._state.collection(entity, project, name)
        return collection.find(alias or "latest") if collection else None

    def _artifact(self, entity: str, project: str, arguments: Arguments) -> Node | None:
        version = self._version(entity, project, arguments)
        return self.artifact(version) if version else None

    def _membership(self, entity: str, project: str, arguments: Arguments) -> Node | None:
        version = self._version(entity, project, arguments)
        if not version:
            return None
        node = self.artifact(version)
        return membership_node(version, node["artifactSequence"], node)

    def _collection(self, entity: str, project: str, arguments: Arguments) -> Node | None:
        collection = self._state.collection(entity, project, arguments["name"])
        return self._collection_node(collection) if collection else None

    def _collection_node(self, collection: Collection) -> Node:
        project = self.project(collection.entity, collection.project)
        return collection_node(collection, project, self._base_url)

    def _collection_of_id(self, arguments: Arguments) -> Node | None:
        for collection in self._state.collections.values():
            if collection.id == arguments["id"]:
                return self._collection_node(collection)
        return None

    def _artifact_type(self, entity: str, project: str, arguments: Arguments) -> Node | None:
        of_type = [
            collection
            for key, collection in self._state.collections.items()
            if key[:2] == (entity, project) and collection.type == arguments["name"]
        ]
        if not of_type:
            return None
        return {
            "__typename": "ArtifactType",
            "id": arguments["name"],
            "name": arguments["name"],
            "description": None,
            "createdAt": of_type[0].created_at,
            "artifactCollection": lambda inner: self._collection(entity, project, inner),
            "artifactCollections": lambda inner: connection(
                [self._collection_node(collection) for collection in of_type], inner
            ),
        }

    def _client_id(self, arguments: Arguments) -> Node | None:
        server_id = self._state.server_ids.get(arguments["clientID"])
        return {"serverID": server_id} if server_id else None


def _server_info() -> Node:
    return {
        "__typename": "ServerInfo",
        "features": [{"name": name, "isEnabled": True} for name in FEATURES],
        "cliVersionInfo": {"min_cli_version": "0.0.1", "max_cli_version": "99.0.0"},
        "latestLocalVersionInfo": None,
    }


def _user(entity: str) -> Node:
    return {
        "__typename": "User",
        "id": "VXNlcjox",
        "name": "tester",
        "username": "tester",
        "email": "tester@example.test",
        "admin": False,
        "flags": "{}",
        "entity": entity,
        "deletedAt": None,
        "apiKeys": connection([]),
        "teams": connection([{"name": entity}]),
    }


def _project_fields(entity: str, name: str) -> Node:
    return {
        "__typename": "Project",
        "id": PROJECT_ID,
        "internalId": PROJECT_ID,
        "name": name,
        "entityName": entity,
        "entity": {"__typename": "Entity", "id": "RW50aXR5OjE=", "name": entity},
        "createdAt": "2026-01-01T00:00:00Z",
        "description": None,
        "access": "PRIVATE",
        "views": "{}",
        "isBenchmark": False,
        "readOnly": False,
        "user": _user(entity),
    }
