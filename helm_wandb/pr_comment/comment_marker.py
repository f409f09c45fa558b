"""The hidden first line of our comments: which comment it is, and which run wrote it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MARKER = re.compile(
    r"<!-- helm-wandb-action v1 key=([0-9a-f]{8})"
    r"(?: run=([0-9]{1,20})\.([0-9]{1,20}))?(?: head=([0-9A-Za-z]{1,64}))? -->(?:\r?\n|$)"
)
_KEY_DIGITS = 8
_HEAD_LENGTH = 64
_UNKNOWN = "unknown"


def key_of(*, workflow: str, job: str, comment_key: str) -> str:
    """Eight hex digits: a workflow's job, or the `comment-key` alone, where one is given."""
    parts = [comment_key] if comment_key else [workflow, job]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_KEY_DIGITS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What the line says."""

    key: str
    run_id: int = field(default=0, compare=False)
    attempt: int = field(default=0, compare=False)
    head_sha: str = field(default=_UNKNOWN, compare=False)
    """The commit of the pull request that the results are of."""

    @classmethod
    def of_run(cls, environ: Mapping[str, str], *, comment_key: str, head_sha: str) -> Marker:
        """The marker that a run writes.

        environ: the runner's variables. comment_key: the action's input, empty without one.
        """
        workflow, job = (environ.get(f"GITHUB_{name}", "") for name in ("WORKFLOW", "JOB"))
        return cls(
            key=key_of(workflow=workflow, job=job, comment_key=comment_key),
            run_id=_number(environ.get("GITHUB_RUN_ID", "")),
            attempt=_number(environ.get("GITHUB_RUN_ATTEMPT", "")),
            head_sha=head_sha,
        )

    @property
    def line(self) -> str:
        """The line, with its end. Nothing in it can end the HTML comment."""
        head = re.sub(r"[^0-9A-Za-z]", "", self.head_sha)[:_HEAD_LENGTH] or _UNKNOWN
        run = f"{self.run_id}.{self.attempt}"
        return f"<!-- helm-wandb-action v1 key={self.key} run={run} head={head} -->\n"


def read(body: str) -> tuple[Marker, str] | None:
    """The marker that a comment begins with, and the text after it; None without one."""
    found = _MARKER.match(body)
    if found is None:
        return None
    key, run_id, attempt, head = found.groups()
    marker = Marker(
        key=key, run_id=int(run_id or 0), attempt=int(attempt or 0), head_sha=head or _UNKNOWN
    )
    return marker, body[found.end() :]


def _number(text: str) -> int:
    return int(text) if re.fullmatch("[0-9]{1,20}", text) else 0
