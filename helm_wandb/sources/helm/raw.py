"""Scores from the statistics of runs, computed as in HELM's tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import fsum, isfinite, nan

from helm_wandb.comparing.evaluations import group_values
from helm_wandb.harness.files import Files
from helm_wandb.harness.json_files import read_json
from helm_wandb.model import Score, SubjectScore
from helm_wandb.sources.helm.board import Board, Selector
from helm_wandb.sources.helm.formats import RunStat, RunStatName
from helm_wandb.sources.helm.runs import Run


class RunStats:
    """The statistics of runs: each file is read once, and only the named metrics are kept."""

    def __init__(self, files: Files, names: frozenset[str]) -> None:
        """Read from these files; names: the metrics that are kept."""
        self._files = files
        self._names = names
        self._by_folder: dict[str, tuple[RunStat, ...]] = {}

    def mean(self, run: Run, selector: Selector) -> float | None:
        """Return the run's mean of the statistic; None if the run has none, or of no instance.

        Over sub-splits it is unweighted, as each counts the train trials
        (presentation/summarize.py, get_unique_stat_by_matcher).
        """
        stats = self._read(run)
        for name in selector.names:
            matching = [stat for stat in stats if _matches(stat.name, name, selector)]
            count = sum(stat.count for stat in matching)
            if matching:
                return _mean([stat.sum for stat in matching], count) if count else None
        return None

    def _read(self, run: Run) -> tuple[RunStat, ...]:
        if run.folder not in self._by_folder:
            path = f"{run.folder}/stats.json"
            stats = read_json(self._files, path, tuple[RunStat, ...])
            self._by_folder[run.folder] = tuple(s for s in stats if s.name.name in self._names)
        return self._by_folder[run.folder]


def _mean(values: Sequence[float], count: int) -> float:
    """Return the sum over the count; NaN if no float can be that."""
    try:
        return fsum(values) / count
    except (OverflowError, ValueError):
        return nan


def _matches(stat: RunStatName, name: str, selector: Selector) -> bool:
    """Return whether it is selected: HELM shows perturbations by their worst case only."""
    if stat.name != name or not selector.is_of_split(stat.split):
        return False
    if stat.perturbation is None:
        return selector.perturbation is None
    kind = (stat.perturbation.name, stat.perturbation.computed_on)
    return kind == (selector.perturbation, "worst")


def score_of_runs(
    runs: Sequence[Run], metric: str, benchmark: str, *, board: Board, stats: RunStats
) -> Score | str | None:
    """Return the score that HELM's tables would show for a model's runs, or why there is none.

    None: no run has a statistic of this name.

    The value is the mean over the runs that have the statistic, unweighted
    (presentation/summarize.py, create_cell).
    Raises ArtifactError if a run's statistics cannot be read.
    """
    found = _means_by_selector(runs, board.selectors(benchmark, metric), stats)
    selector, means = next(found, (None, {}))
    if selector is None:
        return None
    others = () if board.is_known(benchmark) else found
    names = [other.name for other, values in others if values != means]
    if names:
        candidates = ", ".join((selector.name, *names))
        return f"{metric!r} can mean {candidates}, and their values differ; name one of these"
    mean = _mean(list(means.values()), len(means))
    if not isfinite(mean):
        return "HELM wrote a number for it that is not finite"
    return Score(
        value=mean,
        n=None,
        lower_is_better=board.is_lower_better(benchmark, selector.name),
        subjects=_subject_scores(runs, means),
    )


def _means_by_selector(
    runs: Sequence[Run], selectors: Iterable[Selector], stats: RunStats
) -> Iterator[tuple[Selector, dict[str, float]]]:
    """Yield the selectors that some run has a statistic for, each with run name → mean."""
    for selector in dict.fromkeys(selectors):
        means = {run.spec.name: stats.mean(run, selector) for run in runs}
        known = {name: mean for name, mean in means.items() if mean is not None}
        if known:
            yield selector, known


def _subject_scores(runs: Iterable[Run], means: Mapping[str, float]) -> dict[str, SubjectScore]:
    """Return the means by the runs' subjects; none if the only scenario has no arguments."""
    values = group_values(
        (run.subject, means[run.spec.name])
        for run in runs
        if run.spec.name in means and run.subject
    )
    return {
        subject: SubjectScore(value=_mean(of, len(of)), n=None) for subject, of in values.items()
    }
