"""Whether verdicts, intervals and detectable effects keep their promises, by simulation.

Every run is drawn and then judged by the functions that judge a pull request. Scores stay within
0…1, and without a drop both sides have the same mean, so that such a row is a true null. Drops and
changes are as large as those of an audit: Student's t and the likelihood ratio with a weight of 1/4
find as many of them here as there.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from statistics import median
from zlib import crc32

import numpy as np
from msgspec import structs
from numpy.typing import NDArray
from rich.table import Table

from helm_wandb.comparing.statistics import (
    Estimate,
    PairedStratum,
    Stratum,
    adjusted_families,
    minimum_detectable,
    overall,
    paired,
    unpaired,
)
from helm_wandb.comparing.statistics.special import two_sided

Floats = NDArray[np.float64]

ALPHA, MIN_EFFECT = 0.05, 0.01
POWER = 80.0
SEED = 20_261_129
PASSAGES_OF_8, UNEVEN_PASSAGES = (8,), (2, 4, 8, 18)
MOVED = 0.5
"""Share of an affected passage's questions whose answer changes."""
HALF, ACCURACY = 0.5, 0.6
GAIN, LOSS_SPREAD = 0.9, 0.02
"""A rare large gain, and the standard deviation of the small losses that compensate for it."""
OTHER_WEIGHT = 1 / 4
"""Weight of the unseen changes in the variant that power is compared with."""
MOST_FLAGGED, MOST_LOPSIDED = 6.0, 7.5
"""Per cent of the runs without a change that may be flagged; in the worst lopsided case."""
LARGE, SHARE_OF_STUDENT = 300, 0.9
"""With so many instances, power is at least this share of Student's t's."""
TOLERANCE = 2.0
"""Standard errors within which a figure that misses its requirement may be chance."""

READING = """\
flagged: p below 5%, in % of the runs; over 500 runs a figure near 5 is known to ±2, one near 50 to
±4.5. met: "~" says that chance explains a miss. t: Student's t, with Satterthwaite's degrees of
freedom. required: what the likelihood ratio with a weight of 1/4 finds in the same runs; from 300
instances on also 90% of t's. aim: the best that any method reached that was tried.
"""


@dataclass(frozen=True, slots=True)
class Case:
    """Scores that are drawn again and again."""

    scores: str
    """A key of `_DRAWS`, or `not paired`."""
    sizes: tuple[int, ...]
    """Instances, a stratum each."""
    drop: float = 0.0
    """True drop of the candidate, as a share of 1."""
    churn: float = 0.0
    """Share of right and wrong answers that change without a reason."""
    gains: int = 0
    """Expected number of rare large gains."""
    passages: tuple[int, ...] = (1,)
    """Numbers of questions of the passages, in turn."""
    accuracy: float = ACCURACY
    """Accuracy of both sides' right and wrong answers."""
    aim: float | None = None
    """Power to come near to, in %."""

    @property
    def size(self) -> int:
        """Instances over all strata."""
        return sum(self.sizes)

    @property
    def name(self) -> str:
        """Scores and their shape."""
        even = len(set(self.sizes)) == 1
        strata = f"{len(self.sizes)} × {self.sizes[0]}" if even else "/".join(map(str, self.sizes))
        parts = [
            self.scores,
            f"{self.churn:.0%} change" if self.churn else "",
            f"{self.accuracy:.0%} right" if self.scores == "not paired" else "",
            f"{self.gains} gain{'s' if self.gains > 1 else ''}" if self.gains else "",
            f"strata of {strata}" if len(self.sizes) > 1 else "",
            f"passages of {'/'.join(map(str, self.passages))}" if self.passages != (1,) else "",
        ]
        return ", ".join(filter(None, parts))

    def random(self, stream: int) -> np.random.Generator:
        """Return the case's generator: the same in each run, another for each stream."""
        name = f"{self.name} {self.sizes} {self.drop}"
        return np.random.default_rng((SEED, crc32(name.encode()), stream))


@dataclass(frozen=True, slots=True)
class Row:
    """Shares of a case's runs, in %."""

    case: Case
    runs: int
    flagged: float
    covered: float
    """The interval holds the true difference."""
    student: float | None
    """Flagged by Student's t; None if it wasn't tried."""
    other: float | None
    """Flagged by the likelihood ratio with the other weight alone."""
    milliseconds: float
    """Median time of a comparison."""

    @property
    def required(self) -> float:
        """Largest rate without a drop, or smallest rate with one, that the case requires."""
        if not self.case.drop:
            return MOST_LOPSIDED if self.case.gains else MOST_FLAGGED
        is_large = self.case.size >= LARGE and self.case.scores in {"binary", "F1", "RR@10"}
        return max(self.other or 0.0, SHARE_OF_STUDENT * (self.student or 0.0) * is_large)

    @property
    def met(self) -> str:
        """Whether the requirement is met."""
        return _met(self.flagged, self.required, self.runs, at_least=bool(self.case.drop))


def _met(share: float, required: float, runs: int, *, at_least: bool) -> str:
    missing = required - share if at_least else share - required
    if missing <= 0:
        return "yes"
    return "~" if missing <= TOLERANCE * standard_error(required, runs) else "no"


def is_met(runs: int, *, at_most: tuple[float, float], at_least: tuple[float, float]) -> str:
    """Return whether two shares of so many runs meet their requirements, each after its share."""
    checks = {_met(*at_most, runs, at_least=False), _met(*at_least, runs, at_least=True)}
    return "no" if "no" in checks else "~" if "~" in checks else "yes"


def standard_error(share: float, runs: int) -> float:
    """Return that of a share of the runs, both in %."""
    return math.sqrt(share * (100 - share) / runs)


def cases() -> tuple[Case, ...]:
    """Return the rows of the tables of sizes and powers."""
    return (*_nulls(), *_lopsided(), *_drops())


def _nulls() -> Iterator[Case]:
    for size in (20, 60, 100, 300, 1_000):
        for churn in (0.03, 0.12, 0.3):
            yield Case("binary", (size,), churn=churn)
        for scores in ("F1", "RR@10", "small changes", "tiny changes", "ROUGE"):
            yield Case(scores, (size,))
    for sizes in ((50,) * 11, (5,) * 57, (20, 50, 100, 400), (5, 20, 100, 400)):
        for churn in (0.03, 0.1):
            yield Case("binary", sizes, churn=churn)
        yield Case("ROUGE", sizes)
        yield Case("small changes", sizes)
    for size in (40, 80, 200, 800):
        yield Case("binary", (size,), churn=0.1, passages=PASSAGES_OF_8)
        yield Case("small changes", (size,), passages=PASSAGES_OF_8)
    for size in (64, 400, 1_600):
        yield Case("binary", (size,), churn=0.1, passages=UNEVEN_PASSAGES)
        yield Case("small changes", (size,), passages=UNEVEN_PASSAGES)
    yield Case("binary", (80,) * 5, churn=0.1, passages=PASSAGES_OF_8)
    for accuracy in (0.6, 0.97):
        for size in (30, 200, 1_000):
            yield Case("not paired", (size,), accuracy=accuracy)
        yield Case("not paired", (50,) * 11, accuracy=accuracy)
        yield Case("not paired", (400,), accuracy=accuracy, passages=PASSAGES_OF_8)


def _lopsided() -> Iterator[Case]:
    for size in (30, 60, 100, 300, 1_000):
        for gains in (1, 2, 3, 4, 5, 8):
            yield Case("lopsided", (size,), gains=gains)
    for gains in (3, 5, 8):
        yield Case("lopsided", (50,) * 11, gains=gains)
        yield Case("lopsided", (20, 50, 100, 400), gains=gains)
        yield Case("lopsided", (200,), gains=gains, passages=PASSAGES_OF_8)
        yield Case("lopsided", (1_600,), gains=gains, passages=UNEVEN_PASSAGES)


def _drops() -> Iterator[Case]:
    yield Case("binary", (60,), 0.11, churn=0.12)
    yield Case("binary", (100,), 0.08, churn=0.12)
    yield Case("binary", (300,), 0.055, churn=0.12)
    yield Case("F1", (60,), 0.1457, aim=64)
    yield Case("F1", (100,), 0.0934, aim=53)
    yield Case("F1", (300,), 0.0684)
    yield Case("F1", (1_000,), 0.0371)
    yield Case("RR@10", (100,), 0.0785, aim=52)
    yield Case("RR@10", (300,), 0.0566)
    yield Case("small changes", (60,), 0.1059, aim=66)
    yield Case("small changes", (100,), 0.0738, aim=66)
    yield Case("small changes", (300,), 0.0402, aim=71)
    yield Case("tiny changes", (100,), 0.03)
    yield Case("tiny changes", (300,), 0.0175)
    yield Case("ROUGE", (20,), 0.06)
    yield Case("ROUGE", (60,), 0.032)
    yield Case("ROUGE", (100,), 0.024, aim=38)
    yield Case("ROUGE", (300,), 0.016, aim=77)
    yield Case("ROUGE", (50,) * 11, 0.012)
    yield Case("binary", (5, 20, 100, 400), 0.04, churn=0.03, aim=45)
    yield Case("binary", (20, 50, 100, 400), 0.04, churn=0.03)
    yield Case("binary", (400,), 0.08, churn=0.1, passages=PASSAGES_OF_8)
    yield Case("binary", (1_600,), 0.05, churn=0.1, passages=UNEVEN_PASSAGES)


def draw(random: np.random.Generator, case: Case) -> list[PairedStratum]:
    """Return a run's strata."""
    return [_stratum(random, case, size) for size in case.sizes]


def _stratum(random: np.random.Generator, case: Case, size: int) -> PairedStratum:
    labels = _labels(case, size)
    baseline, candidate = _DRAWS[case.scores](random, case, labels)
    return PairedStratum(
        baseline=baseline.tolist(),
        candidate=candidate.tolist(),
        cluster=[str(label) for label in labels],
    )


def _labels(case: Case, size: int) -> NDArray[np.int64]:
    """Return the passage of each item, counted from 0."""
    return np.repeat(np.arange(size), np.resize(case.passages, size))[:size]


Sides = tuple[Floats, Floats]


def _binary(random: np.random.Generator, case: Case, labels: NDArray[np.int64]) -> Sides:
    """Answers that turn, of some passages; a drop makes more of them turn wrong."""
    moved = 1.0 if case.passages == (1,) else MOVED
    churn, drop = case.churn / moved, case.drop / moved
    place = random.random(int(labels[-1]) + 1)
    either = np.where(random.random(place.size) < HALF, 1.0, -1.0)
    moves = np.where(place < churn, either, np.where(place < churn + drop, -1.0, 0.0))[labels]
    moves = np.where(random.random(labels.size) < moved, moves, 0.0)
    right = (random.random(labels.size) < case.accuracy).astype(float)
    baseline = np.where(moves == 0, right, (moves < 0).astype(float))
    return baseline, baseline + moves


def _f1(random: np.random.Generator, case: Case, labels: NDArray[np.int64]) -> Sides:
    """Answers that are wrong, right, or partly right; four in ten are answered again."""

    def scores() -> Floats:
        place, partly = random.random(labels.size), random.random(labels.size)
        return np.where(place < 0.3, 0.0, np.where(place < 0.6, 1.0, partly))  # noqa: PLR2004

    return _answered_again(random, scores(), scores(), share=0.4, lost=case.drop / 0.5)


_MOST_RANK, _FIRST = 10, 0.4
_MEAN_OF_RANKS = 0.8 * sum(
    _FIRST * (1 - _FIRST) ** (rank - 1) / rank for rank in range(1, _MOST_RANK + 1)
)


def _ranks(random: np.random.Generator, case: Case, labels: NDArray[np.int64]) -> Sides:
    """Reciprocal ranks of the first relevant passage; three in ten are ranked again."""

    def scores() -> Floats:
        ranks = random.geometric(_FIRST, labels.size)
        is_missing = (ranks > _MOST_RANK) | (random.random(labels.size) < 0.2)  # noqa: PLR2004
        return np.where(is_missing, 0.0, 1 / ranks)

    lost = case.drop / _MEAN_OF_RANKS
    return _answered_again(random, scores(), scores(), share=0.3, lost=lost)


def _answered_again(
    random: np.random.Generator, scores: Floats, others: Floats, *, share: float, lost: float
) -> Sides:
    """Return the scores, and those of which a share is another and a part is lost."""
    candidate = np.where(random.random(scores.size) < share, others, scores)
    return scores, np.where(random.random(scores.size) < lost, 0.0, candidate)


def _partial(
    random: np.random.Generator,
    case: Case,
    labels: NDArray[np.int64],
    *,
    quality: tuple[float, float],
    sharpness: float,
) -> Sides:
    """Both sides' scores scatter around the quality of each answer, and of each passage.

    quality: parameters of its beta distribution. sharpness: sum of the parameters of the scores'.
    """
    least = 1e-9
    shared = random.beta(*quality, int(labels[-1]) + 1)
    sides = []
    for factor in (1.0, 1 - case.drop * sum(quality) / quality[0]):
        mean = np.clip(shared * factor, least, 1 - least)
        if case.passages != (1,):
            mean = random.beta(mean * sharpness, (1 - mean) * sharpness)
        every = np.clip(mean[labels], least, 1 - least)
        sides.append(random.beta(every * sharpness, (1 - every) * sharpness))
    return sides[0], sides[1]


def _rare_gains(random: np.random.Generator, case: Case, labels: NDArray[np.int64]) -> Sides:
    """Rare large gains, and small losses of all others that compensate for them."""
    passages = int(labels[-1]) + 1
    clusters = sum(int(_labels(case, size)[-1]) + 1 for size in case.sizes)
    share = case.gains / clusters
    is_gain = (random.random(passages) < share)[labels]
    losses = random.normal(-share * GAIN / (1 - share), LOSS_SPREAD, passages)[labels]
    baseline = np.where(is_gain, 0.05, random.random(labels.size))
    return baseline, baseline + np.where(is_gain, GAIN, losses)


_DRAWS: dict[str, Callable[[np.random.Generator, Case, NDArray[np.int64]], Sides]] = {
    "binary": _binary,
    "F1": _f1,
    "RR@10": _ranks,
    "small changes": partial(_partial, quality=(1.0, 1.0), sharpness=5.0),
    "tiny changes": partial(_partial, quality=(1.0, 1.0), sharpness=32.0),
    "ROUGE": partial(_partial, quality=(1.2, 6.0), sharpness=30.0),
    "lopsided": _rare_gains,
}


def _side(random: np.random.Generator, case: Case) -> list[Stratum]:
    """Return a side's own instances; half of a passage's are right or wrong together."""
    strata = []
    for size in case.sizes:
        labels = _labels(case, size)
        own = random.random(size)
        shared = random.random(int(labels[-1]) + 1)[labels]
        luck = np.where(random.random(size) < HALF, shared, own)
        right = (luck < case.accuracy).astype(float)
        strata.append(Stratum(value=right.tolist(), cluster=[str(label) for label in labels]))
    return strata


def estimates(
    case: Case, runs: int, stream: int = 0, *, is_timed: bool = False
) -> Iterator[tuple[Estimate, float]]:
    """Yield the estimates of so many runs, with the seconds that each took.

    is_timed: whether test and interval count; otherwise they are computed only if needed.
    """
    random = case.random(stream)
    for _ in range(runs):
        if case.scores == "not paired":
            sides = _side(random, case), _side(random, case)
            start = time.process_time()
            estimate = unpaired(*sides)
        else:
            strata = draw(random, case)
            start = time.process_time()
            estimate = paired(strata)
        if is_timed:
            _ = estimate.p, estimate.interval
        yield estimate, time.process_time() - start


def is_significant(p: float | None, alpha: float = ALPHA) -> bool:
    """Return whether there is a p-value, and it is below alpha."""
    return p is not None and p < alpha


def _student(estimate: Estimate) -> float | None:
    contrast = estimate.contrast
    if contrast is None or not contrast.variance:
        return None
    error = math.sqrt(contrast.variance)
    return two_sided(estimate.difference / error, contrast.degrees_of_freedom)


def _by_other_weight(estimate: Estimate) -> float | None:
    contrast = estimate.contrast
    if contrast is None or not estimate.difference:
        return None
    statistic = structs.replace(contrast, unseen_weight=OTHER_WEIGHT).likelihood_statistic()
    if not math.isfinite(statistic):
        return 0.0
    return two_sided(statistic, contrast.degrees_of_freedom)


def _holds(estimate: Estimate, truth: float) -> bool:
    interval = estimate.interval
    return interval is None or interval.low <= truth <= interval.high


def _percent(flags: Iterable[bool]) -> float:
    every = list(flags)
    return 100 * sum(every) / len(every)


def simulate(case: Case, runs: int) -> Row:
    """Return the case's row; seeded."""
    results = list(estimates(case, runs, is_timed=True))
    is_paired = case.scores != "not paired"
    return Row(
        case=case,
        runs=runs,
        flagged=_percent(is_significant(one.p) for one, _ in results),
        covered=_percent(_holds(one, -case.drop) for one, _ in results),
        student=_percent(is_significant(_student(one)) for one, _ in results)
        if is_paired
        else None,
        other=_percent(is_significant(_by_other_weight(one)) for one, _ in results)
        if is_paired
        else None,
        milliseconds=1000 * median(seconds for _, seconds in results),
    )


@dataclass(frozen=True, slots=True)
class Detectable:
    """How often true changes near the detectable effect are flagged, in %."""

    case: Case
    tests: int
    """p-values that Holm counts."""
    runs: int
    effect: float | None
    """Median of the detectable effects without a change; None if most runs have none."""
    flagged: tuple[float, ...] = ()
    """With a drop of 0.9, 1 and 1.1 times as much; beyond the least effect, and for the worse."""

    @property
    def met(self) -> str:
        """Whether the effect with the power of 80% is within 10% of the one shown."""
        if not self.flagged:
            return "–"
        low, _, high = self.flagged
        return is_met(self.runs, at_most=(low, POWER), at_least=(high, POWER))


FACTORS = (0.9, 1.0, 1.1)


def detectable_cases() -> tuple[tuple[Case, int], ...]:
    """Return the rows of the table of detectable effects, with the numbers of tests."""
    shapes = [
        *(Case("binary", (size,), churn=churn) for size in SIZES for churn in (0.03, 0.1, 0.25)),
        *(Case(scores, (size,)) for size in SIZES for scores in ("F1", "small changes", "ROUGE")),
        *(Case("binary", (size,), churn=0.2, passages=PASSAGES_OF_8) for size in (80, 200, 800)),
        *(Case("small changes", (size,), passages=PASSAGES_OF_8) for size in (48, 80, 200, 800)),
        Case("binary", (50,) * 11, churn=0.1),
        Case("binary", (20, 50, 100, 400), churn=0.1),
        Case("ROUGE", (50,) * 11),
    ]
    return tuple((shape, tests) for shape in shapes for tests in (1, 6, 16))


SIZES = (20, 30, 100, 300, 1_000)


def detect(case: Case, tests: int, runs: int) -> Detectable:
    """Return the row of a case without a drop; seeded."""
    effect = typical_effect([one for one, _ in estimates(case, runs)], tests)
    row = Detectable(case=case, tests=tests, runs=runs, effect=effect)
    if effect is None or effect * FACTORS[-1] > _most_drop(case):
        return row
    return replace(
        row,
        flagged=tuple(
            _percent(
                is_significant(one.p, ALPHA / tests) and one.difference < -MIN_EFFECT
                for one, _ in estimates(replace(case, drop=effect * factor), runs, stream=1)
            )
            for factor in FACTORS
        ),
    )


def typical_effect(several: Iterable[Estimate], tests: int) -> float | None:
    """Return the median of the detectable effects; None if most estimates have none."""
    effects = [
        minimum_detectable(one, alpha=ALPHA, tests=tests, min_effect=MIN_EFFECT) for one in several
    ]
    middle = median(math.inf if one is None else one for one in effects)
    return middle if math.isfinite(middle) else None


def _most_drop(case: Case) -> float:
    """Return the largest drop that can be drawn."""
    if case.scores == "binary":
        return (1.0 if case.passages == (1,) else MOVED) - case.churn
    return {"F1": 0.5, "RR@10": _MEAN_OF_RANKS, "small changes": 0.5}.get(case.scores, 1 / 6)


@dataclass(frozen=True, slots=True)
class Report:
    """Several benchmarks of one run, by one error rate; shares in %."""

    benchmarks: int
    drops: tuple[float, ...]
    """True drops of the benchmarks."""
    regressed: float
    """The mean or a benchmark is flagged for the worse: the headline says so."""
    by_cells: float
    """So many would be if only benchmarks were tested."""


def report_rows(runs: int) -> list[Report]:
    """Return how often a report of 16 benchmarks of 100 questions is red."""
    return [
        _report(runs, (0.0,) * 16),
        _report(runs, (0.03,) * 16),
        _report(runs, (0.15, *(0.0,) * 15)),
    ]


def _report(runs: int, drops: Sequence[float]) -> Report:
    streams = [
        estimates(Case("binary", (100,), drop, churn=0.12), runs, stream=2 + number)
        for number, drop in enumerate(drops)
    ]
    red, by_cells = [], []
    for several in zip(*streams, strict=True):
        deltas = [estimate for estimate, _ in several]
        mean = overall(deltas)
        of_mean, of_deltas = adjusted_families([mean.p], [one.p for one in deltas])
        (_, of_cells) = adjusted_families([], [one.p for one in deltas])
        red.append(_any_red([mean, *deltas], [*of_mean, *of_deltas]))
        by_cells.append(_any_red(deltas, of_cells))
    return Report(len(drops), tuple(drops), _percent(red), _percent(by_cells))


def _any_red(several: Iterable[Estimate], p_values: Iterable[float | None]) -> bool:
    pairs = zip(several, p_values, strict=True)
    return any(is_significant(p) and one.difference < -MIN_EFFECT for one, p in pairs)


def rows(runs: int) -> list[Row]:
    """Return all rows of sizes and powers, on all cores."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("fork")) as pool:
        return list(pool.map(partial(simulate, runs=runs), cases()))


def detectable_rows(runs: int) -> list[Detectable]:
    """Return all rows of detectable effects, on all cores."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("fork")) as pool:
        return list(pool.map(partial(detect, runs=runs), *zip(*detectable_cases(), strict=True)))


def tables(every: Sequence[Row]) -> tuple[Table, Table]:
    """Return the tables of sizes and of powers."""
    return (
        _table("Without a change (%)", [row for row in every if not row.case.drop], _NULL),
        _table("With a drop (%)", [row for row in every if row.case.drop], _DROP),
    )


_NULL = ("flagged", "at most", "met", "covered", "t", "ms")
_DROP = ("drop", "flagged", "required", "met", "aim", "covered", "t", "ms")


def _table(title: str, several: Iterable[Row], labels: Sequence[str]) -> Table:
    table = Table(title=title)
    table.add_column("scores")
    for label in ("n", *labels):
        table.add_column(label, justify="right")
    for row in several:
        cells = _cells(row)
        table.add_row(row.case.name, f"{row.case.size:,}", *(cells[label] for label in labels))
    return table


def _cells(row: Row) -> dict[str, str]:
    return {
        "drop": _shown(100 * row.case.drop),
        "flagged": _shown(row.flagged),
        "at most": _shown(row.required),
        "required": _shown(row.required),
        "met": row.met,
        "aim": _shown(row.case.aim),
        "covered": _shown(row.covered),
        "t": _shown(row.student),
        "ms": f"{row.milliseconds:.1f}",
    }


def _shown(share: float | None) -> str:
    return "–" if share is None else f"{share:.1f}"


def detectable_table(several: Iterable[Detectable]) -> Table:
    """Return the table of detectable effects."""
    table = Table(
        title="Flagged with drops near the detectable effect (%; required: 80 within 10%)"
    )
    for label in ("scores", "n", "tests", "effect", "× 0.9", "× 1", "× 1.1", "met"):
        table.add_column(label, justify="left" if label == "scores" else "right")
    for row in several:
        effect = _shown(None if row.effect is None else 100 * row.effect)
        shares = [_shown(share) for share in row.flagged] or ["–"] * len(FACTORS)
        table.add_row(row.case.name, f"{row.case.size:,}", str(row.tests), effect, *shares, row.met)
    return table


def report_table(several: Iterable[Report]) -> Table:
    """Return the table of whole reports."""
    table = Table(title="Reports of 16 benchmarks of 100 questions that are red (%)")
    for label in ("drops", "red", "required", "red by benchmarks alone"):
        table.add_column(label, justify="left" if label == "drops" else "right")
    for row in several:
        drops = sorted(set(row.drops), reverse=True)
        shown = " and ".join(f"{row.drops.count(drop)} × {100 * drop:.0f}" for drop in drops)
        required = {0.0: "at most 5", 0.03: "at least 80"}.get(max(drops), "–")
        table.add_row(shown, _shown(row.regressed), required, _shown(row.by_cells))
    return table
