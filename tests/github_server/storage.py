"""Where the zips of artifacts are: another host, which wants a signed address and no token."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from tests.github_server.transport import Reply

if TYPE_CHECKING:
    from tests.github_server.state import Artifact, State
    from tests.github_server.transport import Incoming

ZIP = re.compile(r"/artifacts/(\d+)\.zip")
TYPES = {name: {"Content-Type": f"application/{name}"} for name in ("json", "xml", "zip")}


def signed_path(artifact: Artifact) -> str:
    """The path and the query by which it can be fetched."""
    return f"/artifacts/{artifact.id}.zip?sig={_signature(artifact.id)}"


def answer(state: State, incoming: Incoming) -> Reply:
    """The zip; 400 for a request that carries a token, as the real storage has it."""
    if "authorization" in incoming.headers:
        return _refused(400, "InvalidAuthenticationInfo")
    found = ZIP.fullmatch(incoming.path)
    if incoming.method != "GET" or not found:
        return _refused(404, "ResourceNotFound")
    if dict(incoming.query).get("sig") != _signature(int(found[1])):
        return _refused(403, "AuthenticationFailed")
    body = _content(state, int(found[1]))
    return Reply(status=200, body=body, headers=TYPES["zip" if body[:2] == b"PK" else "json"])


def _content(state: State, artifact_id: int) -> bytes:
    held = (repository.artifacts for repository in state.repositories.values())
    return next(those[artifact_id].content for those in held if artifact_id in those)


def _signature(artifact_id: int) -> str:
    return hashlib.sha256(f"artifact {artifact_id}".encode()).hexdigest()


def _refused(status: int, code: str) -> Reply:
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code></Error>'
    return Reply(status=status, body=body.encode(), headers=TYPES["xml"])
