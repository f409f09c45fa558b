"""What a search for baselines comes upon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helm_wandb.model import Baseline, Evaluation

_SHA_CHARACTERS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A baseline: evaluations, and where they were found."""

    origin: str
    """In words."""
    evaluations: tuple[Evaluation, ...]
    ref: str | None = None
    commit: str | None = None

    @property
    def told(self) -> str:
        """`main@4be1c02, artifact of run 1893, of the merge base`."""
        branch = (self.ref or "").removeprefix("refs/heads/")
        name = "@".join(filter(None, (branch, (self.commit or "")[:_SHA_CHARACTERS])))
        return ", ".join(filter(None, (name, self.origin)))

    def is_of(self, told: Baseline) -> bool:
        """Whether that is what a comparison says of this one."""
        return (self.origin, self.ref, self.commit) == (told.origin, told.ref, told.commit)


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Something that was looked at and is no baseline."""

    why: str
    """A sentence."""
    is_fault: bool = True
    """Whether it is told also where there is a baseline all the same."""


class Unavailable(Exception):  # noqa: N818 -- no error: there is no baseline to be had from there
    """Why no baseline can be looked for somewhere, in a sentence."""
