"""An artifact as GraphQL returns it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.wandb_server.connections import connection
from tests.wandb_server.run_nodes import file_node
from tests.wandb_server.store import artifact_file_url, manifest_url

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.wandb_server.artifacts import ArtifactRecord, Collection
    from tests.wandb_server.graphql import Arguments, Node

# What says that an artifact has no end.
NO_END_SECONDS = -2


def artifact_node(
    version: ArtifactRecord, collection: Collection, project: Node, base_url: str
) -> Node:
    """All that the SDK asks of a version of an artifact."""
    sequence = collection_node(collection, project, base_url)
    return {
        **_fields(version),
        **_content(version, base_url),
        "artifactSequence": sequence,
        "artifactType": {"name": version.type},
        "aliases": _aliases(version, sequence),
        "createdBy": lambda _: project["run"]({"name": version.run}) if version.run else None,
        "usedBy": connection([]),
        "artifactMemberships": lambda _: connection([membership_node(version, sequence, {})]),
    }


def collection_node(collection: Collection, project: Node, base_url: str) -> Node:
    """An artifact's collection with its versions, the newest first."""

    def version_node(version: ArtifactRecord) -> Node:
        return artifact_node(version, collection, project, base_url)

    def membership(arguments: Arguments) -> Node | None:
        version = collection.find(arguments["aliasName"])
        return membership_node(version, node, version_node(version)) if version else None

    def versions(arguments: Arguments) -> Node:
        committed = [v for v in reversed(collection.versions) if v.state == "COMMITTED"]
        return connection([version_node(version) for version in committed], arguments)

    node: Node = {
        "__typename": "ArtifactSequence",
        "id": collection.id,
        "name": collection.name,
        "state": "READY",
        "description": None,
        "createdAt": collection.created_at,
        "updatedAt": None,
        "project": project,
        "defaultArtifactType": {"name": collection.type},
        "digestAlgorithm": None,
        "tags": connection([]),
        "aliases": lambda arguments: connection(_all_aliases(collection, node), arguments),
        "latestArtifact": lambda _: collection.latest and {"id": collection.latest.id},
        "artifactMembership": membership,
        "artifacts": versions,
    }
    return node


def membership_node(version: ArtifactRecord, sequence: Node, node: Node) -> Node:
    """A version as one of its collection."""
    return {
        "__typename": "ArtifactCollectionMembership",
        "id": f"{version.id}-{version.version}",
        "versionIndex": version.version,
        "createdAt": version.created_at,
        "aliases": _aliases(version, sequence),
        "artifactCollection": sequence,
        "artifact": node,
        "files": node.get("files"),
    }


def _fields(version: ArtifactRecord) -> Node:
    return {
        "__typename": "Artifact",
        "id": version.id,
        "versionIndex": version.version,
        "description": version.description,
        "metadata": version.metadata,
        "ttlDurationSeconds": NO_END_SECONDS,
        "ttlIsInherited": True,
        "tags": [{"__typename": "Tag", "id": tag, "name": tag} for tag in version.tags],
        "historyStep": None,
        "state": version.state,
        "digest": version.digest,
        "digestAlgorithm": None,
        "commitHash": None,
        "createdAt": version.created_at,
        "updatedAt": None,
    }


def _content(version: ArtifactRecord, base_url: str) -> Node:
    url = manifest_url(base_url, version.id)
    manifest = {"id": version.id, "file": {"id": version.id, "directUrl": url}}
    return {
        "size": sum(map(len, version.files.values())),
        "fileCount": len(version.files),
        "currentManifest": manifest,
        "files": lambda arguments: _files(version, arguments.get("names"), arguments, base_url),
        "filesByManifestEntries": lambda arguments: _files(
            version, [entry["name"] for entry in arguments["entries"]], None, base_url
        ),
    }


def _files(
    version: ArtifactRecord,
    names: Iterable[str] | None,
    arguments: Arguments | None,
    base_url: str,
) -> Node:
    wanted = set(names or version.files)
    return connection(
        [
            file_node(name, content, artifact_file_url(base_url, version.id, name))
            for name, content in version.files.items()
            if name in wanted
        ],
        arguments,
    )


def _aliases(version: ArtifactRecord, sequence: Node) -> list[Node]:
    return [
        {
            "__typename": "ArtifactAlias",
            "id": f"{version.id}-{alias}",
            "alias": alias,
            "artifactCollection": sequence,
        }
        for alias in version.aliases
    ]


def _all_aliases(collection: Collection, sequence: Node) -> list[Node]:
    return [alias for version in collection.versions for alias in _aliases(version, sequence)]
