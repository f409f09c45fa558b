"""Where files are sent to and fetched from.

W&B hands out signed URLs, so these want no key. `/store/run/ID/NAME`, `/store/artifact/ID/NAME`
and `/store/manifest/ID` are ours; `/artifactsV2/…/DIGEST/NAME` is what the SDK itself makes up for
a single file of an artifact.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from tests.wandb_server.artifacts import md5
from tests.wandb_server.runs import StoredFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.wandb_server.state import State

DIGEST = re.compile(r"[0-9a-f]{32}")


def run_file_url(base_url: str, storage_id: str, name: str) -> str:
    """Where a run's file is."""
    return f"{base_url}/store/run/{quote(storage_id, safe='')}/{quote(name)}"


def file_id(storage_id: str, name: str) -> str:
    """The server's id of a run's file."""
    return base64.b64encode(f"{storage_id}:{name}".encode()).decode()


def delete(state: State, files: Iterable[str]) -> None:
    """Forget a run's files, by their ids; raises RefusedError if there is no such run."""
    for file in files:
        storage_id, _, name = base64.b64decode(file).decode().partition(":")
        state.run_of_storage_id(storage_id).files.pop(name, None)


def artifact_file_url(base_url: str, artifact_id: str, name: str) -> str:
    """Where an artifact's file is."""
    return f"{base_url}/store/artifact/{quote(artifact_id, safe='')}/{quote(name)}"


def manifest_url(base_url: str, artifact_id: str) -> str:
    """Where the list of an artifact's files is."""
    return f"{base_url}/store/manifest/{quote(artifact_id, safe='')}"


def is_file(path: str) -> bool:
    """Whether the path is one of a file."""
    return path.startswith(("/store/", "/artifacts/", "/artifactsV2/"))


def run_of(state: State, path: str) -> str | None:
    """The id of the run that the file is of."""
    kind, owner, _ = _parts(path)
    if kind == "run":
        return state.run_of_storage_id(owner).id
    return state.artifact(owner).run if kind in {"artifact", "manifest"} else None


def put(state: State, path: str, content: bytes) -> None:
    """Keep a file; raises RefusedError if there is no such run or artifact."""
    kind, owner, name = _parts(path)
    if kind == "run":
        file = StoredFile(content=content, updated_at=state.now())
        state.run_of_storage_id(owner).files[name] = file
    elif kind == "manifest":
        state.artifact(owner).manifest = content
    else:
        state.artifact(owner).files[name] = content


def get(state: State, path: str) -> bytes | None:
    """A file's content, or None if there is none; raises RefusedError as `put` does."""
    kind, owner, name = _parts(path)
    if kind == "run":
        file = state.run_of_storage_id(owner).files.get(name)
        return file.content if file else None
    if kind == "manifest":
        return state.artifact(owner).manifest
    return state.artifact(owner).files.get(name) if kind == "artifact" else _by_digest(state, path)


def _parts(path: str) -> tuple[str, str, str]:
    """Kind, id and name; other paths than ours have the kind ""."""
    if not path.startswith("/store/"):
        return "", "", ""
    kind, owner, *name = path.removeprefix("/store/").split("/")
    return kind, unquote(owner), unquote("/".join(name))


def _by_digest(state: State, path: str) -> bytes | None:
    digests = {base64.b64encode(binascii.unhexlify(part)).decode() for part in DIGEST.findall(path)}
    contents = (content for version in state.versions() for content in version.files.values())
    return next((content for content in contents if md5(content) in digests), None)
