"""Whether the intervals keep their promises: size, coverage and power, by simulation.

Every run is drawn and then judged by the very functions that judge a pull request.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from statistics import median
from typing import TYPE_CHECKING, Literal

import numpy as np
from rich.table import Table

from helm_wandb.comparing.statistics import (
    PairedStratum,
    Stratum,
    minimum_detectable,
    paired,
    unpaired,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from helm_wandb.comparing.statistics import Estimate

    Floats = NDArray[np.float64]

ALPHA, MIN_EFFECT = 0.05, 0.01
SEED = 20_240_501
FULL = 2_000
PASSAGE = 8
UNEVEN = (2, 4, 8, 18)
MOVED = 0.5
"""Of an affected passage's questions, the share whose answer changes."""
HALF, ACCURACY = 0.5, 0.6
SPREAD = 0.3
"""Standard deviation of a continuous difference where all change."""
GAIN, SMALL = 0.9, 0.02
"""A rare large gain, and the standard deviation of the small losses that make up for it."""
BEYOND = 5.0
"""Added to scores, so that they leave 0…1."""


READING = """\
marked, red, covered: without a true change; red needs a drop beyond the least effect of 1 point.
found: with a true drop of the MDE, beyond the least effect; 80 is what the MDE promises.
Rows far above 80 have few clusters, or small changes in a wide range of scores: the test then
allows for changes that were not seen, and marks are rarer than 5. Rows of a dash have no MDE, or no
drop of it can be drawn. Of the worst rows, lopsided ones with uneven passages, 8 are marked.
"""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is drawn again and again."""

    name: str
    sizes: tuple[int, ...]
    """Instances, a stratum each."""
    churn: float
    """Share of the instances that change without a reason; 1: all of them, continuously.

    Where changes are lopsided, the share of the rare large gains.
    """
    kind: Literal["binary", "continuous", "lopsided"] = "binary"
    """Lopsided: rare large gains, and small losses that make up for them: few runs see enough
    of the gains, and no test that trusts the seen spread alone can know."""
    losing: float = 1.0
    """Share of the instances with such a small loss."""
    beyond: bool = False
    """Scores leave 0…1."""
    passage: int = 1
    """Questions to a passage."""
    uneven: bool = False
    """Passages of 2, 4, 8 and 18 questions in turn, instead."""
    accuracy: float | None = None
    """Of both sides, where their instances are not the same; then there is no churn."""

    @property
    def size(self) -> int:
        """Instances over all strata."""
        return sum(self.sizes)


@dataclass(frozen=True, slots=True)
class Row:
    """What a scenario came to, as shares of its runs."""

    scenario: Scenario
    runs: int
    marked: float
    """Without a change: marked as better or worse, whatever the least effect."""
    red: float
    """Without a change: marked as worse."""
    covered: float
    """Without a change: the interval holds 0."""
    exact: float
    """Without a change: by McNemar's mid-p."""
    mde: float | None
    """Median over runs without a change; None where most of them have none."""
    found: float | None
    """With a true drop of the MDE: red, beyond the least effect; None where none can be drawn."""
    covered_drop: float | None
    """With that drop: the interval holds it."""


def scenarios() -> tuple[Scenario, ...]:
    """All rows of the full table."""
    return (
        *_binary(),
        *_passages(),
        *_strata(),
        *_continuous(),
        *_lopsided(),
        *_unpaired(),
    )


def _binary() -> Iterator[Scenario]:
    for size in (30, 60, 200, 1_000):
        for churn in (0.03, 0.06, 0.12, 0.3):
            yield Scenario("independent items", (size,), churn)


def _passages() -> Iterator[Scenario]:
    for size in (40, 80, 200, 800):
        for churn in (0.03, 0.1, 0.2):
            yield Scenario("passages of 8", (size,), churn, passage=PASSAGE)


def _strata() -> Iterator[Scenario]:
    shapes = {
        "11 tasks (raft)": (50,) * 11,
        "57 small subjects": (5,) * 57,
        "57 subjects (mmlu)": (30,) * 57,
        "unequal strata": (20, 50, 100, 400),
        "tiny strata": (5, 20, 100, 400),
        "6 strata of one": (1,) * 6 + (20,) * 4,
    }
    for name, sizes in shapes.items():
        for churn in (0.02, 0.1):
            yield Scenario(name, sizes, churn)
    for size in (64, 400):
        yield Scenario("uneven passages", (size,), 0.2, passage=PASSAGE, uneven=True)
    yield Scenario("5 strata, passages of 8", (80,) * 5, 0.1, passage=PASSAGE)


def _continuous() -> Iterator[Scenario]:
    for size in (30, 100, 1_000):
        for churn in (0.03, 0.1, 0.4, 1.0):
            yield Scenario("independent items", (size,), churn, kind="continuous")
    for size in (40, 200):
        for churn in (0.1, 1.0):
            yield Scenario("passages of 8", (size,), churn, kind="continuous", passage=PASSAGE)
    for size in (64, 400):
        yield Scenario(
            "uneven passages", (size,), 1.0, kind="continuous", passage=PASSAGE, uneven=True
        )
    for churn in (0.03, 0.3, 1.0):
        yield Scenario("11 tasks (raft)", (50,) * 11, churn, kind="continuous")
        yield Scenario("tiny strata", (5, 20, 100, 400), churn, kind="continuous")


def _lopsided() -> Iterator[Scenario]:
    what = "rare large gains"
    for size in (30, 100, 300, 1_000):
        for gains in (1, 2, 3, 6):
            yield Scenario(what, (size,), gains / size, kind="lopsided")
    for share in (0.2, 0.5):
        for gains in (1, 3):
            name = f"{what}, {share:.0%} lose"
            yield Scenario(name, (100,), gains / 100, kind="lopsided", losing=share)
    for gains in (1, 3):
        name = f"{what}, passages of 8"
        yield Scenario(name, (400,), gains / 50, kind="lopsided", passage=PASSAGE)
    for gains in (1, 3):
        name = f"{what}, beyond 1"
        yield Scenario(name, (100,), gains / 100, kind="lopsided", beyond=True)


def _unpaired() -> Iterator[Scenario]:
    for accuracy in (0.6, 0.97):
        for size in (30, 200, 1_000):
            yield Scenario("not paired", (size,), 1.0, accuracy=accuracy)
        yield Scenario("not paired, 11 tasks", (50,) * 11, 1.0, accuracy=accuracy)
        yield Scenario("not paired, passages", (400,), 1.0, passage=PASSAGE, accuracy=accuracy)


def draw(random: np.random.Generator, scenario: Scenario, drop: float) -> list[PairedStratum]:
    """A run's strata under a true drop, as a share of 1.

    Items (or passages) change without a reason, up or down alike; a drop makes more of them
    change, downwards. Where all items change, a drop is a shift of all.
    """
    return [_stratum(random, scenario, size, drop) for size in scenario.sizes]


def _stratum(
    random: np.random.Generator, scenario: Scenario, size: int, drop: float
) -> PairedStratum:
    labels = _labels(scenario, size)
    baseline, candidate = _SIDES[scenario.kind](random, scenario, labels, drop)
    return PairedStratum(
        baseline=baseline.tolist(),
        candidate=candidate.tolist(),
        cluster=[str(label) for label in labels],
    )


def _labels(scenario: Scenario, size: int) -> NDArray[np.int64]:
    """The passage of each item, counted from 0."""
    lengths = UNEVEN if scenario.uneven else (scenario.passage,)
    every = np.repeat(np.arange(size), np.resize(lengths, size))
    return every[:size]


def _directions(
    random: np.random.Generator, labels: NDArray[np.int64], churn: float, drop: float
) -> Floats:
    """1 up, -1 down, 0 unchanged, an item each; a passage's all alike."""
    where = random.random(int(labels[-1]) + 1)
    either = np.where(random.random(where.size) < HALF, 1.0, -1.0)
    found = np.where(where < churn, either, np.where(where < churn + drop, -1.0, 0.0))
    return found[labels]


def _binary_sides(
    random: np.random.Generator, scenario: Scenario, labels: NDArray[np.int64], drop: float
) -> tuple[Floats, Floats]:
    hit = MOVED if scenario.passage > 1 else 1.0
    moves = _directions(random, labels, scenario.churn / hit, drop / hit)
    moves = np.where(random.random(labels.size) < hit, moves, 0.0)
    right = (random.random(labels.size) < ACCURACY).astype(float)
    baseline = np.where(moves == 0, right, (moves < 0).astype(float))
    return baseline, baseline + moves


def _continuous_sides(
    random: np.random.Generator, scenario: Scenario, labels: NDArray[np.int64], drop: float
) -> tuple[Floats, Floats]:
    if scenario.churn >= 1:
        baseline = np.full(labels.size, 0.5)
        shared = random.normal(0, SPREAD, int(labels[-1]) + 1)[labels]
        own = random.normal(-drop, SPREAD, labels.size)
        return baseline, baseline + own + (shared if scenario.passage > 1 else 0.0)
    sizes = random.beta(1, 2, labels.size)
    changes = sizes * _directions(random, labels, scenario.churn, 3 * drop)
    baseline = np.where(changes < 0, 1.0, 0.0)
    return baseline, baseline + changes


def _lopsided_sides(
    random: np.random.Generator, scenario: Scenario, labels: NDArray[np.int64], _: float
) -> tuple[Floats, Floats]:
    passages = int(labels[-1]) + 1
    loss = scenario.churn * GAIN / ((1 - scenario.churn) * scenario.losing)
    gains = (random.random(passages) < scenario.churn)[labels]
    losing = (random.random(passages) < scenario.losing)[labels]
    losses = np.where(losing, random.normal(-loss, SMALL, passages)[labels], 0.0)
    scores = np.where(gains, 0.05, random.random(labels.size))
    baseline = scores + (BEYOND if scenario.beyond else 0.0)
    return baseline, baseline + np.where(gains, GAIN, losses)


_SIDES = {
    "binary": _binary_sides,
    "continuous": _continuous_sides,
    "lopsided": _lopsided_sides,
}


def _side(random: np.random.Generator, scenario: Scenario, accuracy: float) -> list[Stratum]:
    """A side's own instances; half of a passage's questions are right or wrong together."""
    found = []
    for size in scenario.sizes:
        labels = _labels(scenario, size)
        own = random.random(size)
        shared = random.random(int(labels[-1]) + 1)[labels]
        luck = np.where(random.random(size) < HALF, shared, own)
        right = (luck < accuracy).astype(float)
        found.append(Stratum(value=right.tolist(), cluster=[str(label) for label in labels]))
    return found


def _estimates(
    scenario: Scenario, drop: float, runs: int, seed: tuple[int, ...]
) -> Iterator[Estimate]:
    random, accuracy = np.random.default_rng(seed), scenario.accuracy
    for _ in range(runs):
        if accuracy is None:
            yield paired(draw(random, scenario, drop))
        else:
            candidate = _side(random, scenario, accuracy - drop)
            yield unpaired(candidate, _side(random, scenario, accuracy))


def _is_marked(estimate: Estimate) -> bool:
    return estimate.p is not None and estimate.p < ALPHA


def _is_red(estimate: Estimate) -> bool:
    return _is_marked(estimate) and estimate.difference < -MIN_EFFECT


def _holds(estimate: Estimate, truth: float) -> bool:
    interval = estimate.interval
    return interval is None or interval.low <= truth <= interval.high


def _share(flags: Iterable[bool]) -> float:
    every = list(flags)
    return sum(every) / len(every)


def typical_mde(estimates: Iterable[Estimate]) -> float | None:
    """The median MDE; None where most have none."""
    found = [
        minimum_detectable(one, alpha=ALPHA, tests=1, min_effect=MIN_EFFECT) for one in estimates
    ]
    middle = median(math.inf if one is None else one for one in found)
    return middle if math.isfinite(middle) else None


def simulate(scenario: Scenario, runs: int = FULL) -> Row:
    """The scenario's row over so many runs without, and as many with a drop; seeded."""
    shares = (scenario.churn, scenario.accuracy or 0.0)
    seed = (SEED, *scenario.sizes, *(round(share * 1000) for share in shares), scenario.passage)
    same = list(_estimates(scenario, 0.0, runs, (*seed, 0)))
    mde = typical_mde(same)
    can_drop = mde is not None and mde <= _most(scenario)
    dropped = list(_estimates(scenario, mde or 0.0, runs if can_drop else 0, (*seed, 1)))
    return Row(
        scenario=scenario,
        runs=runs,
        marked=_share(map(_is_marked, same)),
        red=_share(map(_is_red, same)),
        covered=_share(_holds(one, 0.0) for one in same),
        exact=_share("mid-p" in (one.interval.method if one.interval else "") for one in same),
        mde=mde,
        found=_share(map(_is_red, dropped)) if dropped else None,
        covered_drop=_share(_holds(one, -(mde or 0.0)) for one in dropped) if dropped else None,
    )


def _most(scenario: Scenario) -> float:
    """The greatest drop that the way of drawing can make."""
    if scenario.accuracy is not None:
        return scenario.accuracy
    if scenario.kind == "continuous":
        return math.inf if scenario.churn >= 1 else (1 - scenario.churn) / 3
    if scenario.kind == "lopsided":
        return 0.0
    return (MOVED if scenario.passage > 1 else 1.0) - scenario.churn


def rows(runs: int = FULL) -> list[Row]:
    """All rows, on all cores."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("fork")) as pool:
        return list(pool.map(partial(simulate, runs=runs), scenarios()))


def table(found: Iterable[Row]) -> Table:
    """The rows, in per cent."""
    shown = Table(title="Intervals: size, coverage and power (%)")
    for label in ("scores", "what", "n", "changed", "mid-p", "marked", "red", "covered"):
        shown.add_column(label, justify="left" if label in {"scores", "what"} else "right")
    for label in ("MDE", "found", "covered then"):
        shown.add_column(label, justify="right")
    for row in found:
        shown.add_row(*_cells(row))
    return shown


def _cells(row: Row) -> Iterator[str]:
    yield row.scenario.kind
    yield row.scenario.name
    yield f"{row.scenario.size:,}"
    accuracy = row.scenario.accuracy
    yield f"{row.scenario.churn:.1%}" if accuracy is None else f"{accuracy:.0%} right"
    for share in (row.exact, row.marked, row.red, row.covered, row.mde, row.found):
        yield "–" if share is None else f"{share:.1%}"
    yield "–" if row.covered_drop is None else f"{row.covered_drop:.1%}"
