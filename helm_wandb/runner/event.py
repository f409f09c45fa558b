"""What started this run of a workflow, as far as it tells what to compare with."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEADS = "refs/heads/"
_RUN_ID = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """The event, and the state of the repository that the runner names with it.

    Variables and payload: GitHub's "Store information in variables" and "Webhook events and
    payloads".
    """

    event: str
    sha: str = ""
    branch: str = ""
    """The branch or tag of that commit, without `refs/heads/`."""
    is_tag: bool = False
    repository: str = ""
    """`owner/name`."""
    run_id: int | None = None
    payload: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], payload: Mapping[str, Any]) -> Self:
        """The trigger of the runner's variables and event."""
        run_id = environ.get("GITHUB_RUN_ID", "")
        return cls(
            event=environ.get("GITHUB_EVENT_NAME", ""),
            sha=environ.get("GITHUB_SHA", ""),
            branch=environ.get("GITHUB_REF_NAME", ""),
            is_tag=environ.get("GITHUB_REF_TYPE") == "tag",
            repository=environ.get("GITHUB_REPOSITORY", ""),
            run_id=int(run_id) if _RUN_ID.fullmatch(run_id) else None,
            payload=payload,
        )

    @property
    def owner(self) -> str:
        """Whose repository it is."""
        return self.repository.partition("/")[0]

    @property
    def default_branch(self) -> str | None:
        """The repository's, where the payload names it."""
        return self.text("repository", "default_branch")

    @property
    def likely_base(self) -> str | None:
        """The base branch, as far as the payload tells it without asking GitHub."""
        queue = self.text("merge_group", "base_ref")
        return (
            self.text("pull_request", "base", "ref")
            or (queue and queue.removeprefix(_HEADS))
            or self.default_branch
        )

    @property
    def own_runs(self) -> frozenset[int]:
        """Its run, and the one whose results that publishes: neither is its own baseline."""
        known = (self.run_id, self.number("workflow_run", "id"))
        return frozenset(one for one in known if one is not None)

    def text(self, *path: str) -> str | None:
        """What the payload holds there; None where that is no text, or an empty one."""
        found = self._at(path)
        return found if isinstance(found, str) and found else None

    def number(self, *path: str) -> int | None:
        """What the payload holds there; None where that is no whole number."""
        found = self._at(path)
        return found if type(found) is int else None  # JSON's true is no number

    def _at(self, path: tuple[str, ...]) -> object:
        found: object = self.payload
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found
