"""The metrics of a benchmark that a suite has scores of, for somebody who has no config yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from math import isfinite

from helm_wandb.comparing.helm_metrics import CORE_METRICS
from helm_wandb.harness.json_files import encodable, read_json
from helm_wandb.sources.helm.board import Board
from helm_wandb.sources.helm.formats import RunStat, Table
from helm_wandb.sources.helm.layout import Suite
from helm_wandb.sources.helm.raw import RunStats
from helm_wandb.sources.helm.runs import Run, Runs
from helm_wandb.sources.helm.tables import headline

_CORE_LABELS = frozenset(key.metric for key in CORE_METRICS)
_SCORES = ("accuracy", "exact_match", "f1", "score", "rouge", "bleu", "correct", "equiv")
"""Words in the names of statistics that are scores, the likeliest first. HELM writes many others,
such as numbers of tokens and run times."""
_NO_SCORES = re.compile(r"num_|inference_|training_|BERTScore|summarization_")


def choose_metrics(benchmark: str, suite: Suite, runs: Runs) -> tuple[str, ...]:
    """Return the benchmark's main metric if the suite has it, else those that can be scores.

    Empty if there are none. Raises ArtifactError if a file cannot be read.
    """
    path = suite.table(benchmark)
    if path is not None:
        table = headline(read_json(suite.files, path, tuple[Table, ...]), benchmark)
        if table is not None:
            return _metrics_of_table(table, runs.board.main_metrics(benchmark))
    return tuple(islice(metrics_of_runs(benchmark, suite, runs), 1))


def metrics_of_runs(benchmark: str, suite: Suite, runs: Runs) -> Iterator[str]:
    """Yield metrics that runs of the benchmark have and that can be scores, the likeliest first.

    The runs are the first of each model. A metric may come several times. Raises ArtifactError if
    a file cannot be read.
    """
    selectors = [
        (label, selector)
        for label in runs.board.main_metrics(benchmark)
        for selector in runs.board.selectors(benchmark, label)
    ]
    names = frozenset(name for _, selector in selectors for name in selector.names)
    stats = RunStats(suite.files, names)
    for run, *_ in runs.by_model(benchmark).values():
        for label, selector in selectors:
            if stats.mean(run, selector) is not None:
                # HELM has labels that stand for dozens of metrics, such as `Jury Score`.
                yield label if label in _CORE_LABELS else encodable(selector.name)
        yield from _scores(benchmark, run, suite, runs.board)


def _metrics_of_table(table: Table, main: Iterable[str]) -> tuple[str, ...]:
    """Return the headers of columns with numbers; without a main metric, of those with an order."""
    filled = {
        encodable(header.value): header
        for index, header in enumerate(table.header)
        if any(isinstance(row[index].value, float) for row in table.rows if len(row) > index)
    }
    ordered = [name for name, header in filled.items() if header.lower_is_better is not None]
    return tuple([name for name in main if name in filled][:1] or ordered or filled)


def _scores(benchmark: str, run: Run, suite: Suite, board: Board) -> list[str]:
    """Return the run's statistics that look like scores, those to minimize last.

    The first are those that name the benchmark.
    """
    stats = read_json(suite.files, f"{run.folder}/stats.json", tuple[RunStat, ...])
    names = {
        encodable(stat.name.name)
        for stat in stats
        if stat.name.perturbation is None and stat.count and isfinite(stat.sum)
    }
    likely = {
        name: next((at for at, word in enumerate(_SCORES) if word in name.casefold()), None)
        for name in names
        if not _NO_SCORES.match(name)
    }
    return sorted(
        (name for name, at in likely.items() if at is not None),
        key=lambda name: (
            bool(board.is_lower_better(benchmark, name)),
            benchmark not in name,
            likely[name],
            name,
        ),
    )
