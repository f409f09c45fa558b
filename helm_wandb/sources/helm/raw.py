"""The statistics of runs → scores, computed as HELM's tables compute them."""

from __future__ import annotations

from collections import defaultdict
from math import fsum, isfinite, nan
from typing import TYPE_CHECKING

from helm_wandb.model import Score, SubjectScore
from helm_wandb.sources.helm.formats import RunStat
from helm_wandb.sources.helm.json_files import read_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from helm_wandb.sources.helm.board import Board, Selector
    from helm_wandb.sources.helm.files import Files
    from helm_wandb.sources.helm.formats import RunStatName
    from helm_wandb.sources.helm.runs import Run


class RunStats:
    """The statistics of runs, each file read once, and only what is asked for kept of it."""

    def __init__(self, files: Files, names: frozenset[str]) -> None:
        """Read from these files; names: of the metrics that will be asked for."""
        self._files = files
        self._names = names
        self._known: dict[str, tuple[RunStat, ...]] = {}

    def mean(self, run: Run, selector: Selector) -> float | None:
        """The run's mean of the statistic; None where the run has none, or not of anything.

        Over sub-splits it is unweighted, as each counts the train trials
        (presentation/summarize.py, get_unique_stat_by_matcher).
        """
        stats = self._of(run)
        for name in selector.names:
            matching = [stat for stat in stats if _matches(stat.name, name, selector)]
            count = sum(stat.count for stat in matching)
            if matching:
                return _mean([stat.sum for stat in matching], count) if count else None
        return None

    def _of(self, run: Run) -> tuple[RunStat, ...]:
        if run.folder not in self._known:
            path = f"{run.folder}/stats.json"
            stats = read_json(self._files, path, tuple[RunStat, ...])
            self._known[run.folder] = tuple(s for s in stats if s.name.name in self._names)
        return self._known[run.folder]


def _mean(values: Sequence[float], count: int) -> float:
    """The sum over the count; NaN where no float can be that."""
    try:
        return fsum(values) / count
    except (OverflowError, ValueError):
        return nan


def _matches(stat: RunStatName, name: str, selector: Selector) -> bool:
    """Whether the statistic is meant: HELM shows perturbations by their worst case only."""
    if (stat.name, stat.split) != (name, selector.split):
        return False
    if stat.perturbation is None:
        return selector.perturbation is None
    kind = (stat.perturbation.name, stat.perturbation.computed_on)
    return kind == (selector.perturbation, "worst")


def score_of_runs(
    runs: Sequence[Run], metric: str, benchmark: str, *, board: Board, stats: RunStats
) -> Score | str:
    """The score that HELM's tables would show for a model's runs of a benchmark, or why none.

    The value is the mean over the runs that have the statistic, unweighted
    (presentation/summarize.py, create_cell).
    Raises ArtifactError where a run's statistics cannot be read.
    """
    found = _found(runs, board.selectors(benchmark, metric), stats)
    selector, means = next(found, (None, {}))
    if selector is None:
        return f"none of its {len(runs)} runs has a statistic for {metric!r}"
    others = () if board.is_known(benchmark) else found
    names = [other.name for other, values in others if values != means]
    if names:
        told = ", ".join((selector.name, *names))
        return f"{metric!r} may be any of {told} here, and they differ; ask for one of these"
    mean = _mean(list(means.values()), len(means))
    if not isfinite(mean):
        return "HELM wrote a number for it that is not finite"
    return Score(
        value=mean,
        n=None,
        lower_is_better=board.is_lower_better(selector.name),
        subjects=_subject_scores(runs, means),
    )


def _found(
    runs: Sequence[Run], selectors: Iterable[Selector], stats: RunStats
) -> Iterator[tuple[Selector, dict[str, float]]]:
    """The selectors that some run has a statistic for, each with run name → mean."""
    for selector in dict.fromkeys(selectors):
        means = {run.spec.name: stats.mean(run, selector) for run in runs}
        known = {name: mean for name, mean in means.items() if mean is not None}
        if known:
            yield selector, known


def _subject_scores(runs: Iterable[Run], means: Mapping[str, float]) -> dict[str, SubjectScore]:
    """The means by the runs' subjects; none where the only scenario has no arguments."""
    values: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        if run.spec.name in means and run.subject:
            values[run.subject].append(means[run.spec.name])
    return {
        subject: SubjectScore(value=_mean(of, len(of)), n=None) for subject, of in values.items()
    }
