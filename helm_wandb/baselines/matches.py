"""Results of a search for baselines."""

from __future__ import annotations

from msgspec import Struct

from helm_wandb.model import Baseline, Evaluation, MetricHistory
from helm_wandb.report import name_commit


class ReportArtifact(Struct, frozen=True, kw_only=True):
    """A model's report in W&B."""

    name: str
    """`entity/project/name:v3`."""
    model: str
    benchmarks: frozenset[str]


class BaselineMatch(Struct, frozen=True, kw_only=True):
    """A baseline: evaluations, and where they come from."""

    origin: str
    """In words."""
    evaluations: tuple[Evaluation, ...]
    history: tuple[MetricHistory, ...] = ()
    """Those of the commits before, and of this one."""
    ref: str | None = None
    commit: str | None = None
    url: str | None = None
    """Page of the workflow run that wrote it."""
    artifacts: tuple[ReportArtifact, ...] = ()
    """Those in W&B that the evaluations are from."""

    @property
    def label(self) -> str:
        """`main@4be1c02, artifact of run 1893, of the merge base`."""
        return ", ".join(filter(None, (name_commit(self.ref, self.commit), self.origin)))

    def is_source_of(self, baseline: Baseline) -> bool:
        """Whether a comparison's baseline comes from here."""
        return (self.origin, self.ref, self.commit) == (
            baseline.origin,
            baseline.ref,
            baseline.commit,
        )


class NoMatch(Struct, frozen=True):
    """A place, or something in it, that gives no baseline."""

    reason: str
    """A sentence."""
    is_fault: bool = True
    """Whether the reason is shown even if there is another baseline."""
    has_advice: bool = False
    """Whether the reason says how to get a baseline."""


class SearchError(Exception):
    """Why no baseline can be searched for somewhere, in a sentence."""
