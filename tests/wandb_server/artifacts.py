"""The artifacts that the server keeps."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.wandb_server.identity import new_id, now

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A version of an artifact as it stands at one moment."""

    id: str
    type: str
    version: int
    aliases: list[str]
    metadata: Mapping[str, Any]
    digest: str
    run: str | None
    """The id of the run that logged it."""
    files: Mapping[str, bytes]
    state: str
    """PENDING until the SDK commits it, then COMMITTED."""


@dataclass(kw_only=True)
class ArtifactRecord:
    """A version of an artifact that is uploaded in parts."""

    entity: str
    project: str
    collection: str
    type: str
    version: int
    digest: str
    wanted_aliases: list[str]
    """What it gets when it is committed."""
    run: str | None = None
    metadata: str | None = None
    description: str | None = None
    id: str = field(default_factory=lambda: new_id("Artifact"))
    created_at: str = field(default_factory=now)
    aliases: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    manifest: bytes = b"{}"
    state: str = "PENDING"

    def snapshot(self) -> Artifact:
        """The version as it stands now."""
        return Artifact(
            id=self.id,
            type=self.type,
            version=self.version,
            aliases=list(self.aliases),
            metadata=json.loads(self.metadata or "{}"),
            digest=self.digest,
            run=self.run,
            files=dict(self.files),
            state=self.state,
        )


@dataclass(kw_only=True)
class Collection:
    """The versions of one artifact."""

    entity: str
    project: str
    name: str
    type: str
    id: str = field(default_factory=lambda: new_id("ArtifactCollection"))
    created_at: str = field(default_factory=now)
    versions: list[ArtifactRecord] = field(default_factory=list)

    @property
    def latest(self) -> ArtifactRecord | None:
        """The newest version that is committed."""
        return next((v for v in reversed(self.versions) if v.state == "COMMITTED"), None)

    def begin(self, *, digest: str, aliases: Iterable[str], **given: Any) -> ArtifactRecord:
        """A version that is still to be committed; given: its run, metadata and description."""
        version = ArtifactRecord(
            entity=self.entity,
            project=self.project,
            collection=self.name,
            type=self.type,
            version=len(self.versions),
            digest=digest,
            wanted_aliases=list(aliases),
            **given,
        )
        self.versions.append(version)
        return version

    def same(self, digest: str) -> ArtifactRecord | None:
        """The committed version of that content."""
        return next(
            (v for v in self.versions if v.digest == digest and v.state == "COMMITTED"), None
        )

    def find(self, alias: str) -> ArtifactRecord | None:
        """The committed version of an alias or of a number such as v3."""
        number = int(alias[1:]) if re.fullmatch(r"v\d+", alias) else None
        committed = (version for version in self.versions if version.state == "COMMITTED")
        return next((v for v in committed if alias in v.aliases or v.version == number), None)

    def move(self, aliases: Iterable[str], owner: ArtifactRecord) -> None:
        """Give the version aliases, which leave the version that had them."""
        wanted = list(aliases)
        for version in self.versions:
            version.aliases = [alias for alias in version.aliases if alias not in wanted]
        owner.aliases += dict.fromkeys(wanted)

    def commit(self, version: ArtifactRecord) -> None:
        """Make the version the newest one."""
        version.state = "COMMITTED"
        self.move([*version.wanted_aliases, "latest"], version)


def md5(content: bytes) -> str:
    """The digest that manifests have of a file: base64 of its MD5."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
