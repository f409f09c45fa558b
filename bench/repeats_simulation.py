"""Whether intervals over several runs of a checkpoint keep their promises, by simulation."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from multiprocessing import get_context
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from helm_wandb.comparing import pairing, repeats
from helm_wandb.comparing.statistics import Estimate
from helm_wandb.model import Evaluation, Instances, Origin, Score, ScoreKey

Floats = NDArray[np.float64]

ALPHA, DROP = 0.05, 0.05
MOST_FLAGGED, LEAST_COVERED = 6.0, 93.0
SEED = 20_261_129
QUESTIONS = (100, 300, 1_000)
RUNS = ((2, 1), (2, 2), (3, 3), (5, 1), (5, 5))
"""Of the candidate and of the baseline."""
BETWEEN = (0.0, 0.01, 0.02, 0.04)
"""Standard deviations of what moves whole runs."""
CHANCES, SHARES = (0.05, 0.5, 0.95), (0.3, 0.1, 0.6)
"""How probably a question is answered rightly, and for which share of the questions."""
KEY = ScoreKey("simulated", "EM")


@dataclass(frozen=True)
class Row:
    """A case, and shares of its simulated pairs in per cent."""

    questions: int
    runs: tuple[int, int]
    between: float
    flagged: float
    covered: float
    """With a drop."""
    found: float
    """With a drop."""
    found_by_one: float
    """The same, if each side had one run and its noise did not count."""


def simulate(case: tuple[int, tuple[int, int], float], pairs: int) -> Row:
    """Return the row of a case, each figure over so many pairs of evaluations."""
    questions, runs, between = case
    random = np.random.default_rng((SEED, crc32(str(case).encode())))
    flagged, covered, found, by_one = [], [], [], []
    for _ in range(pairs):
        chances = random.choice(CHANCES, questions, p=SHARES)
        lower = np.clip(chances - DROP, 0, 1)
        flagged.append(_is_significant(_compare(random, chances, chances, runs, between)))
        estimate = _compare(random, lower, chances, runs, between)
        covered.append(_holds(estimate, float((lower - chances).mean())))
        found.append(_is_significant(estimate))
        by_one.append(_is_significant(_compare(random, lower, chances, (1, 1), between)))
    shares = (100 * float(np.mean(flags)) for flags in (flagged, covered, found, by_one))
    return Row(questions, runs, between, *shares)


def _compare(
    random: np.random.Generator,
    candidate: Floats,
    baseline: Floats,
    runs: tuple[int, int],
    between: float,
) -> Estimate:
    sides = [
        _score(random, chances, count, between)
        for chances, count in zip((candidate, baseline), runs, strict=True)
    ]
    pairs = pairing.pair_scores(*sides)
    assert pairs is not None  # noqa: S101 -- both sides have instances
    return pairing.estimate([pairs])


def _score(random: np.random.Generator, chances: Floats, count: int, between: float) -> Score:
    effects = random.normal(0, between, (count, 1))
    right = random.random((count, len(chances))) < np.clip(chances + effects, 0, 1)
    runs = [_evaluation([float(one) for one in answers]) for answers in right]
    return (repeats.average(runs)[0] if count > 1 else runs[0]).scores[KEY]


def _evaluation(values: Sequence[float]) -> Evaluation:
    names = tuple(f"id{at}" for at in range(len(values)))
    instances = Instances(
        stratum=("only",) * len(values),
        id=names,
        trial=(0,) * len(values),
        input=names,
        cluster=names,
        value=tuple(values),
    )
    score = Score(
        value=instances.mean(),
        n=len(values),
        lower_is_better=False,
        subjects={},
        instances=instances,
    )
    origin = Origin(source="helm", suite=None, token_per_iteration=None)
    return Evaluation(
        model="m", iteration=0, tokens_billions=None, origin=origin, scores={KEY: score}, missing={}
    )


def _is_significant(estimate: Estimate) -> bool:
    return estimate.p is not None and estimate.p < ALPHA


def _holds(estimate: Estimate, truth: float) -> bool:
    interval = estimate.interval
    return interval is not None and interval.low <= truth <= interval.high


def rows(pairs: int) -> list[Row]:
    """Return all rows, on all cores."""
    cases = product(QUESTIONS, RUNS, BETWEEN)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("fork")) as pool:
        return list(pool.map(partial(simulate, pairs=pairs), cases))


def table(pairs: int) -> Table:
    """Return the table of all rows."""
    shown = Table(title=f"Several runs of a checkpoint; drops of {100 * DROP:.0f} points (%)")
    shown.add_column("questions", justify="right")
    shown.add_column("runs")
    for label in (
        "moved by",
        f"flagged (at most {MOST_FLAGGED:.0f})",
        f"drop covered (at least {LEAST_COVERED:.0f})",
        "drop found",
        "by one run, without its noise",
    ):
        shown.add_column(label, justify="right")
    for row in rows(pairs):
        figures = (row.flagged, row.covered, row.found, row.found_by_one)
        shown.add_row(
            f"{row.questions:,}",
            "{} and {}".format(*row.runs),
            f"{100 * row.between:.0f}",
            *(f"{figure:.1f}" for figure in figures),
        )
    return shown
