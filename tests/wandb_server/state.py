"""All that the server keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from tests.wandb_server.artifacts import Collection
from tests.wandb_server.identity import now
from tests.wandb_server.runs import RunRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.wandb_server.artifacts import ArtifactRecord
    from tests.wandb_server.views import View

# The operations whose `name` is a run's, and the variables that are so in all others.
ABOUT_RUN = frozenset(
    {
        "Run",
        "RunFiles",
        "RunFullHistory",
        "RunHistoryKeys",
        "RunResumeStatus",
        "RunSampledHistory",
        "RunState",
        "UpsertBucket",
    }
)
RUN_KEYS = ("run", "runName", "runId")
# Where a run goes that names no project.
NO_PROJECT = "uncategorized"


class RefusedError(Exception):
    """An answer of W&B that refuses: an HTTP status, and a message for the SDK's user."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(kw_only=True)
class State:
    """The runs and artifacts of all entities; a copy of it can be written to and forgotten."""

    entity: str
    """The one that the key may write to."""
    runs: dict[tuple[str, str, str], RunRecord] = field(default_factory=dict)
    collections: dict[tuple[str, str, str], Collection] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    server_ids: dict[str, str] = field(default_factory=dict)
    """The id of each artifact by the one that the SDK gave it."""
    ahead_seconds: float = 0.0
    """How far the server's clock is before the true time."""
    listing_seconds: float = 0.0
    """How long it takes until a file of a run is listed."""

    def now(self) -> str:
        """The time by the server's clock."""
        return now(self.ahead_seconds)

    def listed_until(self) -> str:
        """When the newest file came that is listed by now."""
        return now(self.ahead_seconds - self.listing_seconds)

    def projects(self, entity: str | None) -> list[str]:
        """The names of the entity's projects: those that hold something."""
        owner = entity or self.entity
        keys = [*self.runs, *self.collections]
        return sorted({project for name, project, _ in keys if name == owner})

    def runs_of(self, entity: str | None, project: str) -> list[RunRecord]:
        """A project's runs in the order of their making."""
        owner = (entity or self.entity, project)
        return [run for key, run in self.runs.items() if key[:2] == owner]

    def run(self, entity: str | None, project: str | None, name: str) -> RunRecord | None:
        """The run of that id, or None."""
        return self.runs.get((entity or self.entity, project or NO_PROJECT, name))

    def run_of_request(self, operation: str, variables: Mapping[str, Any]) -> str | None:
        """The id of the run that a GraphQL operation is about, if its variables name it."""
        values = {**variables, **(variables.get("input") or {})}
        by_id = [run.id for run in self.runs.values() if run.storage_id == values.get("id")]
        named = [values.get(key) for key in RUN_KEYS]
        named += [values.get("name")] if operation in ABOUT_RUN else []
        artifacts = {
            part.get("artifactID") for part in (values, *(values.get("artifactFiles") or ()))
        }
        logged = [version.run for version in self.versions() if version.id in artifacts]
        return next(filter(None, [*by_id, *named, *logged]), None)

    def versions(self) -> Iterator[ArtifactRecord]:
        """All versions of all artifacts."""
        return chain.from_iterable(c.versions for c in self.collections.values())

    def run_of_storage_id(self, storage_id: str) -> RunRecord:
        """The run by the id that the server gave it; raises RefusedError if there is none."""
        for run in self.runs.values():
            if run.storage_id == storage_id:
                return run
        raise RefusedError(404, f"run {storage_id} not found")

    def writable_run(self, entity: str | None, project: str | None, name: str) -> RunRecord:
        """The run, for writing into; raises RefusedError if it is not or not ours."""
        self.demand_right(entity, "upsertBucket")
        run = self.run(entity, project, name)
        if run is None:
            raise RefusedError(404, f"run {entity}/{project}/{name} not found")
        return run

    def demand_right(self, entity: str | None, operation: str) -> None:
        """Raise RefusedError unless the key may write there.

        That is 403 for an entity of others (one that runs were added to) and 404 for one that
        does not exist: on both the SDK gives up at once and shows the message.
        """
        if entity in {None, "", self.entity}:
            return
        if entity in {key[0] for key in self.runs}:
            raise RefusedError(403, "permission denied")
        raise RefusedError(404, f"entity {entity} not found during {operation}")

    def new_run(self, entity: str | None, project: str | None, name: str) -> RunRecord:
        """A run that was not there before."""
        run = RunRecord(entity=entity or self.entity, project=project or NO_PROJECT, id=name)
        self.runs[run.entity, run.project, run.id] = run
        return run

    def collection(self, entity: str | None, project: str, name: str) -> Collection | None:
        """The artifact's versions, or None."""
        return self.collections.get((entity or self.entity, project, name))

    def begun_collection(
        self, entity: str | None, project: str, name: str, type_: str
    ) -> Collection:
        """The artifact's versions, of which there may be none yet."""
        owner = entity or self.entity
        made = Collection(entity=owner, project=project, name=name, type=type_)
        return self.collections.setdefault((owner, project, name), made)

    def artifact(self, artifact_id: str) -> ArtifactRecord:
        """The version of that id, the server's or the SDK's.

        Raises RefusedError if there is none.
        """
        wanted = self.server_ids.get(artifact_id, artifact_id)
        for version in self.versions():
            if version.id == wanted:
                return version
        raise RefusedError(404, f"artifact {artifact_id} not found")

    def collection_of(self, artifact: ArtifactRecord) -> Collection:
        """The collection that the version is of."""
        return self.collections[artifact.entity, artifact.project, artifact.collection]
