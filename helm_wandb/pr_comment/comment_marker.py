"""The hidden first line of our comments: which one it is, who wrote it, and what it shows."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from helm_wandb.model import Report, Verdict

if TYPE_CHECKING:
    from helm_wandb.runner.event import Event

_MARKER = re.compile(
    r"<!-- helm-wandb-action v1 key=([0-9a-f]{8})"
    r"(?: run=([0-9]{1,20})\.([0-9]{1,20}))?(?: head=([0-9A-Za-z]{1,64}))?"
    r"(?: verdict=([a-z_]{1,20})(\.red)?)? -->(?:\r?\n|$)"
)
_KEY_DIGITS = 8
_HEAD_LENGTH = 64
_UNKNOWN = "unknown"


def marker_key(*, workflow: str, job: str, comment_key: str | None) -> str:
    """Return eight hex digits: of the workflow's job, or of `comment-key` alone, if it is given."""
    parts = [comment_key] if comment_key else [workflow, job]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_KEY_DIGITS]


class Marker(Struct, frozen=True, kw_only=True):
    """Which comment it is, which run wrote it, and what it shows."""

    key: str
    run_id: int = 0
    attempt: int = 0
    head_sha: str = _UNKNOWN
    """The commit of the pull request that was evaluated."""
    verdict: Verdict | None = None
    """The verdict that the comment shows; None if nothing could be read."""
    is_red: bool = False
    """Whether the comment shows a regression, or that the job failed."""

    @property
    def line(self) -> str:
        """The line, with its line break. Nothing in it can end the HTML comment."""
        head = re.sub(r"[^0-9A-Za-z]", "", self.head_sha)[:_HEAD_LENGTH] or _UNKNOWN
        run = f"{self.run_id}.{self.attempt}"
        verdict = f" verdict={self.verdict}{'.red' if self.is_red else ''}" if self.verdict else ""
        return f"<!-- helm-wandb-action v1 key={self.key} run={run} head={head}{verdict} -->\n"

    def with_verdict(self, report: Report) -> Marker:
        """Return the marker of a comment that shows this report."""
        is_closed = report.gate is not None and report.gate.closed
        is_red = is_closed or report.verdict is Verdict.REGRESSED
        return replace(self, verdict=report.verdict, is_red=is_red)

    def lacks_comparison_of(self, written: Marker) -> bool:
        """Whether only the other comment, of the same commit, compares with a baseline."""
        is_compared = written.verdict not in {None, Verdict.NO_BASELINE}
        is_alone = is_compared and self.verdict is Verdict.NO_BASELINE
        return is_alone and self.head_sha == written.head_sha

    def is_of_same_run(self, other: Marker) -> bool:
        """Whether both were written in one attempt of one workflow run."""
        return self.run_id != 0 and (self.run_id, self.attempt) == (other.run_id, other.attempt)


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
    key, run_id, attempt, head, verdict, red = match.groups()
    marker = Marker(
        key=key,
        run_id=int(run_id or 0),
        attempt=int(attempt or 0),
        head_sha=head or _UNKNOWN,
        verdict=Verdict(verdict) if verdict in set(Verdict) else None,
        is_red=bool(red),
    )
    return marker, body[match.end() :]
