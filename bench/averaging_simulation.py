"""Whether intervals against the mean of a base branch's last reports keep their promises."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from zlib import crc32

import numpy as np
from rich.table import Table

from bench.repeats_simulation import (
    DROP,
    LEAST_COVERED,
    MOST_FLAGGED,
    SEED,
    Figures,
    Floats,
    draw_chances,
    draw_score,
    estimate,
    holds,
    mean_figures,
    on_all_cores,
)
from helm_wandb.comparing import repeats
from helm_wandb.comparing.statistics import Estimate, minimum_detectable
from helm_wandb.model import Score

QUESTIONS = (100, 300, 1_000)
REPORTS = (2, 3, 5)
STEPS, WALKS = (0.0, 0.02, 0.04, 0.08), (0.02,)
EFFECTS = 25
"""Pairs whose detectable effects are computed, which takes longer than all else."""


@dataclass(frozen=True)
class Case:
    """A base branch that is drawn again and again; each report is of one run."""

    questions: int
    reports: int
    step: float = 0.0
    """By how much the latest report is better than those before it."""
    walk: float = 0.0
    """Standard deviation of what moves the branch from each report to the next."""


@dataclass(frozen=True, kw_only=True)
class Row(Figures):
    """A case, and its figures, of which the simplest comparison is that with the latest report."""

    case: Case
    effect: float
    """Detectable effect, as a share of that with the latest report alone."""
    averaged: float
    """Mean number of reports that were averaged."""


def cases() -> tuple[Case, ...]:
    """Return the rows of the table."""
    return tuple(
        Case(questions, reports, step, walk)
        for questions in QUESTIONS
        for reports in REPORTS
        for step, walk in (*((step, 0.0) for step in STEPS), *((0.0, walk) for walk in WALKS))
    )


def simulate(case: Case, pairs: int) -> Row:
    """Return the row of a case, each figure over so many pairs of a candidate and a branch."""
    random = np.random.default_rng((SEED, crc32(str(case).encode())))
    flags, counts, effects = [], [], []
    for number in range(pairs):
        chances = draw_chances(random, case.questions)
        base, averaged, count = _draw_base(random, case, chances)
        same = draw_score(random, chances)
        lower = draw_score(random, np.clip(chances - DROP, 0, 1))
        dropped = estimate(lower, averaged)
        counts.append(count)
        flags.append(
            (
                not holds(estimate(same, averaged), 0.0),
                holds(dropped, -DROP),
                not holds(dropped, 0.0),
                not holds(estimate(same, base), 0.0),
                not holds(estimate(lower, base), 0.0),
            )
        )
        if number < EFFECTS:
            effects.append([_effect(estimate(same, one)) for one in (averaged, base)])
    ours, alone = (median(column) for column in zip(*effects, strict=True))
    return Row(
        case=case,
        pairs=pairs,
        effect=ours / alone,
        averaged=float(np.mean(counts)),
        **mean_figures(flags),
    )


def _draw_base(
    random: np.random.Generator, case: Case, chances: Floats
) -> tuple[Score, Score, int]:
    """Return the latest report's score, the mean with earlier ones, and how many it is over."""
    walk = np.cumsum(random.normal(0, case.walk, case.reports - 1))
    latest, *older = (
        draw_score(random, np.clip(chances + shift, 0, 1)) for shift in (0.0, *(walk - case.step))
    )
    averaged, places = repeats.average_unmoved(latest, older, count=case.reports)
    return latest, averaged, 1 + len(places)


def _effect(one: Estimate) -> float:
    effect = minimum_detectable(one, alpha=0.05, tests=1, min_effect=0)
    return math.inf if effect is None else effect


def rows(pairs: int) -> list[Row]:
    """Return all rows, on all cores."""
    return on_all_cores(partial(simulate, pairs=pairs), cases())


def table(several: Sequence[Row]) -> Table:
    """Return the table of these rows."""
    shown = Table(title=f"Mean of a branch's last reports; drops of {100 * DROP:.0f} points (%)")
    for label in (
        "questions",
        "reports",
        "last step",
        "each step",
        "averaged",
        f"flagged (at most {MOST_FLAGGED:.0f})",
        f"drop covered (at least {LEAST_COVERED:.0f})",
        "met",
        "drop found",
        "latest: flagged",
        "latest: found",
        "effect",
    ):
        shown.add_column(label, justify="right")
    for row in several:
        shown.add_row(
            f"{row.case.questions:,}",
            str(row.case.reports),
            f"{100 * row.case.step:.0f}",
            f"{100 * row.case.walk:.0f}",
            f"{row.averaged:.1f}",
            f"{row.flagged:.1f}",
            f"{row.covered:.1f}",
            row.met,
            *(f"{one:.1f}" for one in (row.found, row.flagged_by_one, row.found_by_one)),
            f"× {row.effect:.2f}",
        )
    return shown
