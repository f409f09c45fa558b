"""The hidden first line of our comments: which comment it is, and which run wrote it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helm_wandb.runner.event import Event

_MARKER = re.compile(
    r"<!-- helm-wandb-action v1 key=([0-9a-f]{8})"
    r"(?: run=([0-9]{1,20})\.([0-9]{1,20}))?(?: head=([0-9A-Za-z]{1,64}))? -->(?:\r?\n|$)"
)
_KEY_DIGITS = 8
_HEAD_LENGTH = 64
_UNKNOWN = "unknown"


def marker_key(*, workflow: str, job: str, comment_key: str | None) -> str:
    """Return eight hex digits: of the workflow's job, or of `comment-key` alone, if it is given."""
    parts = [comment_key] if comment_key else [workflow, job]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_KEY_DIGITS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """Which comment it is, and which run wrote it."""

    key: str
    run_id: int = field(default=0, compare=False)
    attempt: int = field(default=0, compare=False)
    head_sha: str = field(default=_UNKNOWN, compare=False)
    """The commit of the pull request that was evaluated."""

    @property
    def line(self) -> str:
        """The line, with its line break. Nothing in it can end the HTML comment."""
        head = re.sub(r"[^0-9A-Za-z]", "", self.head_sha)[:_HEAD_LENGTH] or _UNKNOWN
        run = f"{self.run_id}.{self.attempt}"
        return f"<!-- helm-wandb-action v1 key={self.key} run={run} head={head} -->\n"


def mark(event: Event, *, comment_key: str | None, head_sha: str) -> Marker:
    """Return the marker that a run writes.

    comment_key: the action's input.
    """
    return Marker(
        key=marker_key(workflow=event.workflow, job=event.job, comment_key=comment_key),
        run_id=event.run_id or 0,
        attempt=event.attempt or 0,
        head_sha=head_sha,
    )


def read(body: str) -> tuple[Marker, str] | None:
    """Return the marker that a comment begins with, and the text after it; None without one."""
    match = _MARKER.match(body)
    if match is None:
        return None
    key, run_id, attempt, head = match.groups()
    marker = Marker(
        key=key, run_id=int(run_id or 0), attempt=int(attempt or 0), head_sha=head or _UNKNOWN
    )
    return marker, body[match.end() :]
