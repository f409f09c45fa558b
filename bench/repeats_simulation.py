"""Whether intervals over several runs of a checkpoint keep their promises, by simulation."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import product
from multiprocessing import get_context
from typing import TypeVar
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from bench.intervals_simulation import is_met
from helm_wandb.comparing import pairing, repeats
from helm_wandb.comparing.statistics import Estimate
from helm_wandb.model import Evaluation, Instances, Origin, Score, ScoreKey

Floats = NDArray[np.float64]
_C = TypeVar("_C")
_R = TypeVar("_R")

DROP = 0.05
MOST_FLAGGED, LEAST_COVERED = 6.0, 93.0
SEED = 20_261_129
QUESTIONS = (100, 300, 1_000)
RUNS = ((2, 1), (3, 1), (5, 1), (2, 2), (3, 3), (5, 5))
"""Of the candidate and of the baseline."""
BETWEEN = (0.0, 0.01, 0.02, 0.04)
"""Standard deviations of what moves whole runs."""
CHANGED = 0.15
"""Share of the questions for which the candidate has another chance than the baseline."""
CHANCES, SHARES = (0.05, 0.5, 0.95), (0.3, 0.1, 0.6)
"""How probably a question is answered rightly, and for which share of the questions."""
KEY = ScoreKey("simulated", "EM")
FIGURES = ("flagged", "covered", "found", "flagged_by_one", "found_by_one")


@dataclass(frozen=True)
class Case:
    """Evaluations that are drawn again and again."""

    questions: int
    runs: tuple[int, int]
    """Of the candidate and of the baseline."""
    between: float = 0.0
    """Standard deviation of what moves whole runs."""
    changed: float = 0.0
    """Share of the questions for which the sides have different chances."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Shares of a case's simulated pairs in per cent, next to those of the simplest comparison.

    That has one run a side, whose noise doesn't count, and one report of the base branch.
    """

    pairs: int
    flagged: float
    covered: float
    """The interval holds the difference, with a drop."""
    found: float
    """With a drop."""
    flagged_by_one: float
    """By the simplest comparison."""
    found_by_one: float
    """The same with a drop."""

    @property
    def met(self) -> str:
        """Whether few are flagged, and most drops are covered."""
        return is_met(
            self.pairs, at_most=(self.flagged, MOST_FLAGGED), at_least=(self.covered, LEAST_COVERED)
        )


@dataclass(frozen=True, kw_only=True)
class Row(Figures):
    """A case, and its figures."""

    case: Case


def cases() -> tuple[Case, ...]:
    """Return the rows of the table."""
    places = product(QUESTIONS, enumerate(RUNS), enumerate(BETWEEN))
    return tuple(
        Case(questions, runs, between, CHANGED * ((row + column) % 2))
        for questions, (row, runs), (column, between) in places
    )


def simulate(case: Case, pairs: int) -> Row:
    """Return the row of a case, each figure over so many pairs of evaluations."""
    random = np.random.default_rng((SEED, crc32(str(case).encode())))
    flags = [_simulate_pair(random, case) for _ in range(pairs)]
    return Row(case=case, pairs=pairs, **mean_figures(flags))


def mean_figures(flags: Sequence[tuple[bool, ...]]) -> dict[str, float]:
    """Return the figures, from those of each pair in the order of `FIGURES`."""
    shares = (100 * float(np.mean(column)) for column in zip(*flags, strict=True))
    return dict(zip(FIGURES, shares, strict=True))


def _simulate_pair(random: np.random.Generator, case: Case) -> tuple[bool, ...]:
    """Return the figures of one pair of evaluations."""
    baseline = draw_chances(random, case.questions)
    is_changed = random.random(case.questions) < case.changed
    candidate = np.where(is_changed, draw_chances(random, case.questions), baseline)
    lower = np.clip(candidate - DROP, 0, 1)

    def compare(chances: Floats, runs: tuple[int, int]) -> Estimate:
        sides = zip((chances, baseline), runs, strict=True)
        return estimate(*(draw_score(random, own, n, case.between) for own, n in sides))

    dropped = compare(lower, case.runs)
    return (
        not holds(compare(candidate, case.runs), 0.0),
        holds(dropped, -DROP),
        not holds(dropped, 0.0),
        not holds(compare(candidate, (1, 1)), 0.0),
        not holds(compare(lower, (1, 1)), 0.0),
    )


def draw_chances(random: np.random.Generator, questions: int) -> Floats:
    """Return how probably each question is answered rightly."""
    return random.choice(CHANCES, questions, p=SHARES)


def draw_score(
    random: np.random.Generator, chances: Floats, runs: int = 1, between: float = 0.0
) -> Score:
    """Return the mean score of so many runs."""
    effects = random.normal(0, between, (runs, 1))
    right = random.random((runs, len(chances))) < np.clip(chances + effects, 0, 1)
    several = [_evaluation(tuple(answers)) for answers in right.astype(float).tolist()]
    return (repeats.average(several)[0] if runs > 1 else several[0]).scores[KEY]


def estimate(candidate: Score, baseline: Score) -> Estimate:
    """Return the difference, by the functions that compare a pull request."""
    pairs = pairing.pair_scores(candidate, baseline)
    assert pairs is not None  # noqa: S101 -- both sides have instances
    return pairing.estimate([pairs])


def holds(one: Estimate, truth: float) -> bool:
    """Return whether the 95% interval holds a difference; without 0, it is significant."""
    interval = one.interval
    return interval is None or interval.low <= truth <= interval.high


def _evaluation(values: tuple[float, ...]) -> Evaluation:
    names = tuple(f"id{at}" for at in range(len(values)))
    instances = Instances(
        stratum=("only",) * len(values),
        id=names,
        trial=(0,) * len(values),
        input=names,
        cluster=names,
        value=values,
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


def on_all_cores(function: Callable[[_C], _R], drawn: Iterable[_C]) -> list[_R]:
    """Return the function's row of each case."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("fork")) as pool:
        return list(pool.map(function, drawn))


def rows(pairs: int) -> list[Row]:
    """Return all rows, on all cores."""
    return on_all_cores(partial(simulate, pairs=pairs), cases())


def table(several: Sequence[Row]) -> Table:
    """Return the table of these rows."""
    shown = Table(title=f"Several runs of a checkpoint; drops of {100 * DROP:.0f} points (%)")
    shown.add_column("questions", justify="right")
    shown.add_column("runs")
    for label in (
        "runs moved by",
        "questions changed",
        f"flagged (at most {MOST_FLAGGED:.0f})",
        f"drop covered (at least {LEAST_COVERED:.0f})",
        "met",
        "drop found",
        "one run: flagged",
        "one run: found",
    ):
        shown.add_column(label, justify="right")
    for row in several:
        shown.add_row(
            f"{row.case.questions:,}",
            "{} and {}".format(*row.case.runs),
            f"{100 * row.case.between:.0f}",
            f"{100 * row.case.changed:.0f}",
            f"{row.flagged:.1f}",
            f"{row.covered:.1f}",
            row.met,
            *(f"{one:.1f}" for one in (row.found, row.flagged_by_one, row.found_by_one)),
        )
    return shown
