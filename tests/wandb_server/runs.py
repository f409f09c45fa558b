"""The runs that the server keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.wandb_server.identity import new_id, now


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as it stands at one moment."""

    id: str
    display_name: str
    group: str | None
    job_type: str | None
    tags: tuple[str, ...]
    notes: str | None
    config: Mapping[str, Any]
    """Plain values, without what the SDK keeps under `_wandb`."""
    summary: Mapping[str, Any]
    rows: tuple[Mapping[str, Any], ...]
    """The history, each row with its `_step`."""
    state: str
    exit_code: int | None
    files: Mapping[str, bytes]
    used_artifacts: tuple[str, ...]
    """Server's ids of the artifacts that it used, in the order of their first use."""


# What UpsertBucket sends as it is, and the field that keeps it.
TEXTS = {
    "displayName": "display_name",
    "groupName": "group",
    "jobType": "job_type",
    "notes": "notes",
    "description": "description",
    "commit": "commit",
    "state": "state",
}


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file of a run."""

    content: bytes
    updated_at: str


@dataclass(kw_only=True)
class RunRecord:
    """A run that grows as the SDK writes it."""

    entity: str
    project: str
    id: str
    storage_id: str = field(default_factory=lambda: new_id("Run"))
    created_at: str = field(default_factory=now)
    heartbeat_at: str = field(default_factory=now)
    display_name: str | None = None
    group: str | None = None
    job_type: str | None = None
    notes: str | None = None
    description: str | None = None
    commit: str | None = None
    tags: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    """As the SDK sends it: `{"key": {"value": …}}`, with its own `_wandb`."""
    summary: dict[str, Any] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    state: str = "running"
    exit_code: int | None = None
    files: dict[str, StoredFile] = field(default_factory=dict)
    used_artifacts: list[str] = field(default_factory=list)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The history as it was logged."""
        return [json.loads(line) for line in self.history]

    @property
    def plain_config(self) -> dict[str, Any]:
        """The config's values, without what the SDK keeps for itself."""
        return {key: _plain(value) for key, value in self.config.items() if key != "_wandb"}

    @property
    def properties(self) -> dict[str, Any]:
        """What filters and orders know a run by, under W&B's names."""
        return {
            "name": self.id,
            "displayName": self.display_name or self.id,
            "state": self.state,
            "group": self.group,
            "jobType": self.job_type,
            "tags": self.tags,
            "notes": self.notes,
            "createdAt": self.created_at,
            "heartbeatAt": self.heartbeat_at,
        }

    def snapshot(self) -> Run:
        """The run as it stands now."""
        return Run(
            id=self.id,
            display_name=self.display_name or self.id,
            group=self.group,
            job_type=self.job_type,
            tags=tuple(self.tags),
            notes=self.notes,
            config=self.plain_config,
            summary=dict(self.summary),
            rows=tuple(self.rows),
            state=self.state,
            exit_code=self.exit_code,
            files={name: file.content for name, file in self.files.items()},
            used_artifacts=tuple(self.used_artifacts),
        )

    def update(self, values: Mapping[str, Any]) -> None:
        """Take over what an UpsertBucket sends; what is null stays as it is."""
        self.heartbeat_at = now()
        for sent, kept in TEXTS.items():
            if values.get(sent) is not None:
                setattr(self, kept, values[sent])
        self.tags = self.tags if values.get("tags") is None else list(values["tags"])
        for sent, kept in (("config", "config"), ("summaryMetrics", "summary")):
            if values.get(sent) is not None:
                setattr(self, kept, json.loads(values[sent]))

    def use(self, artifact_id: str) -> None:
        """Have an artifact among those that it used, once."""
        if artifact_id not in self.used_artifacts:
            self.used_artifacts.append(artifact_id)

    def stream(self, body: Mapping[str, Any]) -> None:
        """Take over what a request to the file stream holds.

        Lines stand where their offset says, in the place of what stood there; so a request that
        is sent again does not double them.
        """
        self.heartbeat_at = now()
        for name, lines in (body.get("files") or {}).items():
            self._write(name, lines.get("offset") or 0, lines.get("content") or [])
        if body.get("complete"):
            self.exit_code = body.get("exitcode") or 0
            self.state = "failed" if self.exit_code else "finished"
        else:
            self.state = "running"

    def _write(self, name: str, offset: int, content: list[str]) -> None:
        if name == "wandb-summary.json" and content:
            self.summary = json.loads(content[-1])
        kept = {
            "wandb-history.jsonl": self.history,
            "wandb-events.jsonl": self.events,
            "output.log": self.console,
        }.get(name)
        if kept is not None:
            kept[offset : offset + len(content)] = content


def _plain(value: Any) -> Any:
    return value["value"] if isinstance(value, Mapping) and "value" in value else value
