"""What can be changed: the fields of GraphQL's mutation root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.wandb_server import store
from tests.wandb_server.identity import new_id
from tests.wandb_server.queries import Queries
from tests.wandb_server.state import RefusedError
from tests.wandb_server.store import artifact_file_url, manifest_url, run_file_url
from tests.wandb_server.views import View, view_node

if TYPE_CHECKING:
    from tests.wandb_server.artifacts import ArtifactRecord
    from tests.wandb_server.graphql import Arguments, Node
    from tests.wandb_server.state import State


class Mutations:
    """What the SDK changes in one state."""

    def __init__(self, state: State, base_url: str) -> None:
        self._state = state
        self._base_url = base_url
        self._queries = Queries(state, base_url)

    def root(self) -> Node:
        """The root of all mutations; each takes one argument, `input`."""
        fields = {
            "upsertBucket": self._upsert_run,
            "createRunFiles": self._create_run_files,
            "markRunFilesUploaded": lambda _: {"success": True},
            "deleteFiles": self._delete_files,
            "notifyScriptableRunAlert": lambda _: {"success": True},
            "createArtifact": self._create_artifact,
            "createArtifactManifest": self._create_manifest,
            "updateArtifactManifest": self._update_manifest,
            "createArtifactFiles": self._create_artifact_files,
            "commitArtifact": self._commit_artifact,
            "useArtifact": self._use_artifact,
            "updateArtifact": self._update_artifact,
            "addAliases": self._add_aliases,
            "deleteAliases": self._delete_aliases,
            "upsertView": self._upsert_view,
        }
        return {"__typename": "Mutation"} | {
            name: lambda arguments, change=change: change(arguments["input"])
            for name, change in fields.items()
        }

    def _upsert_run(self, values: Arguments) -> Node:
        """Make a run, or change the one of that `id` (the server's) or `name` (the user's).

        A run that begins or is resumed sends its name, a change through wandb.Api sends only the
        id and leaves the run in its state.
        """
        if values.get("id"):
            run, inserted = self._state.run_of_storage_id(values["id"]), False
            self._state.demand_right(run.entity, "upsertBucket")
        else:
            place = values.get("entityName"), values.get("modelName"), values["name"]
            self._state.demand_right(place[0], "upsertBucket")
            found = self._state.run(*place)
            run, inserted = found or self._state.new_run(*place), found is None
        run.state = "running" if values.get("name") else run.state
        run.update(values)
        return {"bucket": self._queries.run(run), "inserted": inserted}

    def _create_run_files(self, values: Arguments) -> Node:
        run = self._state.writable_run(
            values["entityName"], values["projectName"], values["runName"]
        )
        urls = {
            name: run_file_url(self._base_url, run.storage_id, name) for name in values["files"]
        }
        return {
            "runID": run.storage_id,
            "uploadHeaders": [],
            "files": [{"name": name, "uploadUrl": url} for name, url in urls.items()],
        }

    def _delete_files(self, values: Arguments) -> Node:
        """Delete files of runs of a project."""
        if values.get("projectId") is None:
            raise RefusedError(400, "no project")
        store.delete(self._state, values["files"])
        return {"success": True}

    def _upsert_view(self, values: Arguments) -> Node:
        """Save a view in the place of the one of that id; without an id it is a new one."""
        self._state.demand_right(values["entityName"], "upsertView")
        given = values.get("id")
        if given and given not in self._state.views:
            raise RefusedError(404, f"view {given} not found")
        view_id = given or new_id("View")
        entity = values["entityName"] or self._state.entity
        view = self._state.views[view_id] = View.saved(view_id, entity, values)
        return {"view": view_node(view), "inserted": not given}

    def _use_artifact(self, values: Arguments) -> Node:
        """Add an artifact to those that a run used; using it again changes nothing."""
        run = self._state.writable_run(
            values["entityName"], values["projectName"], values["runName"]
        )
        version = self._state.artifact(values["artifactID"])
        run.use(version.id)
        return {"artifact": self._queries.artifact(version)}

    def _create_artifact(self, values: Arguments) -> Node:
        """Begin a version; content that is there already is that version with more aliases.

        The SDK names `latest` among the aliases, so that it moves to an older version, too.
        """
        self._state.demand_right(values["entityName"], "createArtifact")
        collection = self._state.begun_collection(
            values["entityName"],
            values["projectName"],
            values["artifactCollectionName"],
            values["artifactTypeName"],
        )
        version = collection.same(values["digest"])
        aliases = [alias["alias"] for alias in values.get("aliases") or ()]
        if version:
            collection.move(aliases, version)
        else:
            version = collection.begin(
                digest=values["digest"],
                aliases=aliases,
                run=values.get("runName"),
                metadata=values.get("metadata"),
                description=values.get("description"),
            )
        self._state.server_ids[values["clientID"]] = version.id
        return {"artifact": self._queries.artifact(version)}

    def _create_manifest(self, values: Arguments) -> Node:
        return self._manifest(self._state.artifact(values["artifactID"]))

    def _update_manifest(self, values: Arguments) -> Node:
        return self._manifest(self._state.artifact(values["artifactManifestID"]))

    def _manifest(self, version: ArtifactRecord) -> Node:
        """The manifest, which has the id of its artifact."""
        url = manifest_url(self._base_url, version.id)
        file = {"id": version.id, "uploadUrl": url, "uploadHeaders": []}
        return {"artifactManifest": {"id": version.id, "file": file}}

    def _create_artifact_files(self, values: Arguments) -> Node:
        return {"files": {"edges": [{"node": self._new_file(f)} for f in values["artifactFiles"]]}}

    def _new_file(self, file: Arguments) -> Node:
        version = self._state.artifact(file["artifactID"])
        return {
            "storagePath": f"{version.id}/{file['name']}",
            "uploadUrl": artifact_file_url(self._base_url, version.id, file["name"]),
            "uploadHeaders": [],
            "uploadMultipartUrls": None,
            "artifact": {"id": version.id},
        }

    def _commit_artifact(self, values: Arguments) -> Node:
        version = self._state.artifact(values["artifactID"])
        self._state.collection_of(version).commit(version)
        return {"artifact": self._queries.artifact(version)}

    def _update_artifact(self, values: Arguments) -> Node:
        version = self._state.artifact(values["artifactID"])
        for field in ("description", "metadata"):
            if values.get(field) is not None:
                setattr(version, field, values[field])
        gone = [tag["tagName"] for tag in values.get("tagsToDelete") or ()]
        new = [tag["tagName"] for tag in values.get("tagsToAdd") or ()]
        version.tags = [tag for tag in (*version.tags, *new) if tag not in gone]
        return {"artifact": self._queries.artifact(version)}

    def _add_aliases(self, values: Arguments) -> Node:
        version = self._state.artifact(values["artifactID"])
        aliases = [alias["alias"] for alias in values["aliases"]]
        self._state.collection_of(version).move(aliases, version)
        return {"success": True}

    def _delete_aliases(self, values: Arguments) -> Node:
        version = self._state.artifact(values["artifactID"])
        gone = {alias["alias"] for alias in values["aliases"]}
        version.aliases = [alias for alias in version.aliases if alias not in gone]
        return {"success": True}
