"""Differences, intervals and p-values, beside scipy's and statsmodels' where these have them."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import statsmodels.api  # type: ignore[import-untyped] # no types published
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats  # type: ignore[import-untyped] # no types published
from statsmodels.stats.contingency_tables import mcnemar  # type: ignore[import-untyped]
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]

from helm_wandb.comparing.statistics import (
    Estimate,
    PairedStratum,
    Stratum,
    adjusted,
    difference,
    minimum_detectable,
    overall,
    paired,
    unpaired,
)
from helm_wandb.comparing.statistics.rates import Difference, Rate
from helm_wandb.comparing.statistics.special import critical, two_sided

from .limits import calls_at_most


def stratum(
    differences: list[float], *, baseline: float = 0.5, cluster: list[str] | None = None
) -> PairedStratum:
    """Pairs with these differences, each its own cluster if nothing else is said."""
    return PairedStratum(
        baseline=[baseline] * len(differences),
        candidate=[baseline + difference for difference in differences],
        cluster=cluster or [f"id{number}" for number in range(len(differences))],
    )


def binary(size: int, *, up: int = 0, down: int = 0) -> PairedStratum:
    """Right and wrong answers, so many of which turned right, and so many wrong."""
    rest = size - up - down
    return PairedStratum(
        baseline=[0.0] * up + [1.0] * down + [1.0] * rest,
        candidate=[1.0] * up + [0.0] * down + [1.0] * rest,
        cluster=[f"id{number}" for number in range(size)],
    )


def noisy(size: int, *, seed: int, spread: float = 0.1, shift: float = 0.0) -> list[float]:
    """Continuous differences, the same for the same seed."""
    return [float(one) for one in np.random.default_rng(seed).normal(shift, spread, size)]


def ends(estimate: Estimate) -> tuple[float, float]:
    """Low and high end of an interval that must be there."""
    assert estimate.interval is not None
    return estimate.interval.low, estimate.interval.high


def error_of(estimate: Estimate) -> float:
    """The error of a difference whose interval must be there."""
    assert estimate.noise is not None
    return math.sqrt(estimate.noise.variance)


def degrees_of(estimate: Estimate) -> float:
    """The degrees of freedom of a difference whose interval must be there."""
    assert estimate.noise is not None
    return estimate.noise.degrees_of_freedom


@pytest.mark.parametrize("degrees", [1.0, 4.3, 30.0, 999.0, 1e6])
@pytest.mark.parametrize("statistic", [0.0, 0.3, 1.96, 12.0])
def test_tails_of_student_are_those_of_scipy(statistic: float, degrees: float) -> None:
    """The two-sided tail agrees to ten digits."""
    assert pytest.approx(2 * stats.t.sf(statistic, degrees), rel=1e-10) == two_sided(
        statistic, degrees
    )


@pytest.mark.parametrize("degrees", [1.0, 4.3, 30.0, 1e6])
@pytest.mark.parametrize("probability", [0.9, 0.05, 0.0005])
def test_critical_values_are_those_of_scipy(probability: float, degrees: float) -> None:
    """The critical value agrees to eight digits, also for few degrees of freedom."""
    assert pytest.approx(stats.t.isf(probability / 2, degrees), rel=1e-8) == critical(
        probability, degrees
    )


def test_one_stratum_is_the_paired_t_test() -> None:
    """Difference, p and interval of one stratum of independent items are scipy's."""
    differences = noisy(40, seed=1)
    expected = stats.ttest_1samp(differences, 0.0)

    found = paired([stratum(differences, baseline=50.0)])

    assert pytest.approx(np.mean(differences)) == found.difference
    assert pytest.approx(expected.pvalue) == found.p
    assert pytest.approx(tuple(expected.confidence_interval(0.95))) == ends(found)
    assert pytest.approx(39) == degrees_of(found)


def clustered(sizes: list[int]) -> tuple[Estimate, Any]:
    """Our estimate of noise in passages of these lengths, and statsmodels' fit of it."""
    labels = [number for number, size in enumerate(sizes) for _ in range(size)]
    shared = noisy(len(sizes), seed=2, shift=0.05)
    own = noisy(len(labels), seed=3)
    differences = [shared[label] + one for label, one in zip(labels, own, strict=True)]
    model = statsmodels.api.OLS(differences, np.ones(len(labels)))
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": np.array(labels)}, use_t=True)
    names = [str(label) for label in labels]
    return paired([stratum(differences, baseline=50.0, cluster=names)]), fit


def test_clusters_are_those_of_statsmodels() -> None:
    """Error and p with passages of one length are statsmodels' clustered ones."""
    found, fit = clustered([8] * 10)

    assert pytest.approx(fit.bse[0]) == error_of(found)
    assert pytest.approx(fit.pvalues[0]) == found.p
    assert (80, 10) == (found.n, found.clusters)


def test_unequal_clusters_have_fewer_degrees_of_freedom() -> None:
    """The error is statsmodels'; the degrees of freedom are C - 1 by the effective share."""
    sizes = [8, 7, 9, 3, 8, 12, 1, 8, 8, 5]
    found, fit = clustered(sizes)
    squares = [size**2 for size in sizes]
    share = sum(squares) ** 2 / sum(square**2 for square in squares) / len(sizes)

    assert pytest.approx(fit.bse[0]) == error_of(found)
    assert pytest.approx(9 * share) == degrees_of(found)
    assert pytest.approx(2 * stats.t.sf(abs(fit.tvalues[0]), 9 * share)) == found.p


def test_two_strata_are_welchs_test() -> None:
    """The mean of two strata has Welch's p: the sum of two means is a difference with a sign."""
    one, other = noisy(12, seed=4, spread=0.3), noisy(30, seed=5, shift=0.05)
    expected = stats.ttest_ind(one, [-value for value in other], equal_var=False)

    found = paired([stratum(one, baseline=50.0), stratum(other, baseline=50.0)])

    assert pytest.approx(expected.pvalue) == found.p
    assert pytest.approx(expected.df) == degrees_of(found)
    assert pytest.approx((np.mean(one) + np.mean(other)) / 2) == found.difference


def test_strata_weigh_alike_whatever_their_size() -> None:
    """HELM's aggregate is the unweighted mean of the strata's means."""
    found = paired([stratum([0.2] * 30), stratum([0.0] * 300), stratum([-0.05] * 3)])

    assert pytest.approx(0.05) == found.difference


@pytest.mark.parametrize(("up", "down"), [(0, 5), (1, 7), (3, 10), (6, 6), (0, 24), (2, 9)])
def test_few_changes_are_mid_p_mcnemar(up: int, down: int) -> None:
    """The p-value of right and wrong answers is McNemar's exact one less the half of its atom."""
    exact = mcnemar([[0, up], [down, 0]], exact=True).pvalue
    atom = stats.binom.pmf(up, up + down, 0.5)

    found = paired([binary(100, up=up, down=down)])

    assert pytest.approx(1.0 if up == down else exact - atom) == found.p
    assert (up, down) == (found.better, found.worse)


def by_quadrature(ups: int, downs: int, value: float) -> float:
    """Probability that gamma(ups) - gamma(downs) exceeds the value, by scipy's quadrature."""
    if not downs:
        return float(stats.gamma.sf(value, ups)) if ups else float(value < 0)
    density = stats.gamma(downs).pdf
    above = stats.gamma(ups).sf if ups else lambda x: np.where(x < 0, 1.0, 0.0)
    low = max(0.0, -value)
    certain = stats.gamma.cdf(low, downs) if value < 0 else 0.0
    rest = integrate.quad(lambda x: density(x) * above(value + x), low, 200, limit=400)[0]
    return float(certain + rest)


@pytest.mark.parametrize(("up", "down"), [(0, 0), (0, 5), (1, 7), (10, 3), (12, 12)])
def test_the_interval_of_few_changes_is_the_melded_one(up: int, down: int) -> None:
    """Each end leaves 2.5 % of the two gamma differences' half-and-half mixture outside."""
    low, high = ends(paired([binary(100, up=up, down=down)]))

    def above(value: float) -> float:
        both = by_quadrature(up, down + 1, value), by_quadrature(up + 1, down, value)
        return sum(both) / 2

    assert pytest.approx((0.975, 0.025), abs=1e-6) == (above(100 * low), above(100 * high))


def test_no_changes_give_the_rule_of_three() -> None:
    """Nothing changed in n items: p is 1, and the bound ln(20)/n on either side."""
    found = paired([binary(200)])

    assert found.p == 1
    assert pytest.approx((-math.log(20) / 200, math.log(20) / 200)) == ends(found)
    assert found.few_changes


def test_no_changes_in_passages_bound_by_passages() -> None:
    """Where questions share passages, it is the passages that count: the bound is ln(20)/C."""
    items = binary(80)
    labels = [str(number // 8) for number in range(80)]
    found = paired(
        [PairedStratum(baseline=items.baseline, candidate=items.candidate, cluster=labels)]
    )

    assert pytest.approx(math.log(20) / 10) == ends(found)[1]


def test_unequal_weights_keep_their_moments() -> None:
    """Of events of unequal weight the distribution has the gamma limits' mean and variance."""
    weights, extra = [3.0, 1.0, 0.5], 2.0
    rates = Difference(Rate.of(weights), Rate.of([]), Rate.of([extra]))
    grid = np.linspace(-60, 120, 18_001)
    above = np.array([rates.above(float(value)) for value in grid])
    positive = grid >= 0
    mean = np.trapezoid(above[positive], grid[positive]) - np.trapezoid(
        1 - above[~positive], grid[~positive]
    )

    assert pytest.approx(sum(weights), abs=0.02) == mean


def test_all_answers_changed_alike_is_no_certainty() -> None:
    """Differences without any spread get an interval of some width, within the score's range."""
    found = paired([binary(30, down=30)])

    low, high = ends(found)
    assert (-1.0, True) == (low, -0.8 < high < -0.5)
    assert found.p is not None
    assert found.p < 1e-6


@pytest.mark.parametrize(
    ("changes", "method", "few"),
    [(5, "mid-p", True), (6, "mid-p", False), (24, "mid-p", False), (25, "paired t", False)],
)
def test_few_changes_are_told_and_judged_exactly(changes: int, method: str, *, few: bool) -> None:
    """Below 25 changes the method is mid-p; below 6 it may never be called no change."""
    found = paired([binary(1000, up=changes // 2, down=changes - changes // 2)])

    assert found.interval is not None
    assert method in found.interval.method
    assert few == found.few_changes


def test_tiny_strata_that_carry_the_score_are_few_items() -> None:
    """Many changes in a large stratum do not hide that a stratum of three weighs as much."""
    found = paired([binary(3), binary(500, up=30, down=30)])

    assert found.interval is not None
    assert "mid-p" in found.interval.method
    assert found.interval.high > 0.1


def test_fewer_than_five_clusters_have_no_interval() -> None:
    """Four passages of any length: the difference, and why there is no more."""
    differences = noisy(40, seed=6)
    found = paired([stratum(differences, cluster=[str(n // 10) for n in range(40)])])

    assert pytest.approx(np.mean(differences)) == found.difference
    assert (None, None, None) == (found.interval, found.p, found.noise)
    assert found.why == "too few: 4 independent clusters, and an interval needs 5"
    assert minimum_detectable(found, alpha=0.05, tests=1, min_effect=0.01) is None


def test_clusters_count_over_all_strata() -> None:
    """Three strata of two clusters are six clusters: enough."""
    strata = [stratum(noisy(2, seed=seed)) for seed in range(3)]

    assert paired(strata).interval is not None


def test_a_label_in_two_strata_is_two_clusters() -> None:
    """HELM numbers its instances anew in each run, so `id0` of two runs is not one question."""
    found = paired([stratum(noisy(10, seed=1)), stratum(noisy(10, seed=2))])

    assert found.clusters == 20


def test_a_stratum_of_one_borrows_the_pooled_variance() -> None:
    """Of two strata, one of a single item, the error is that of (1 + 1/n) items' variance."""
    many, one = noisy(30, seed=7), [0.1]
    variance = float(np.var(many, ddof=1))

    found = paired([stratum(many, baseline=50.0), stratum(one, baseline=50.0)])

    assert pytest.approx(math.sqrt(variance * (1 + 1 / 30)) / 2) == error_of(found)
    assert pytest.approx(29) == degrees_of(found)


def test_strata_of_one_alone_tell_no_spread() -> None:
    """Where every stratum holds a single item and all changed, there is no interval."""
    found = paired([stratum([value]) for value in noisy(8, seed=8)])

    assert found.why == "no stratum holds two clusters, so the spread within a stratum is unknown"


def test_the_same_values_of_unknown_range_have_no_bound() -> None:
    """Nothing changed, and the score is not of 0...1: nothing bounds a change."""
    found = paired([stratum([0.0] * 20, baseline=7.5)])

    assert found.why == "all values are the same, and the range of the score is unknown"


def test_a_range_is_taken_from_the_values() -> None:
    """Nothing changed in scores of 0 to 40: the bound is three such changes of n."""
    same = PairedStratum(
        baseline=[0.0, 40.0] * 10, candidate=[0.0, 40.0] * 10, cluster=[*map(str, range(20))]
    )

    assert pytest.approx(40 * math.log(20) / 20) == ends(paired([same]))[1]


def test_rounding_is_no_change() -> None:
    """0.1 + 0.2 beside 0.3 is the same score."""
    same = PairedStratum(baseline=[0.3] * 9, candidate=[0.1 + 0.2] * 9, cluster=[*"abcdefghi"])
    found = paired([same])

    assert (0, 0, 0, 0.0) == (found.better, found.worse, found.changed, found.difference)


@pytest.mark.parametrize(
    ("candidate", "baseline", "expected"),
    [(0.1 + 0.2, 0.3, 0.0), (0.5, 0.25, 0.25), (3e9 + 1, 3e9, 0.0), (1e-9, 0.0, 0.0)],
)
def test_a_difference_is_more_than_rounding(
    candidate: float, baseline: float, expected: float
) -> None:
    """What is within 1e-9 of 1, or of a larger baseline, is none."""
    assert expected == difference(candidate, baseline)


@pytest.mark.parametrize("strata", [[], [stratum([])]])
def test_nothing_has_no_mean(strata: list[PairedStratum]) -> None:
    """No stratum, or an empty one, is the caller's mistake."""
    with pytest.raises(ValueError, match="stratum"):
        paired(strata)


VALUES = st.sampled_from([0.0, 0.0, 0.0, 0.25, 0.5, 1.0])
STRATA = st.lists(
    st.lists(st.tuples(VALUES, VALUES, st.integers(0, 40)), min_size=1, max_size=40),
    min_size=1,
    max_size=4,
)


def drawn(strata: list[list[tuple[float, float, int]]], *, swap: bool = False) -> Estimate:
    """The estimate of drawn pairs, with the sides exchanged if so said."""
    columns = [list(zip(*rows, strict=True)) for rows in strata]
    return paired(
        [
            PairedStratum(
                baseline=two if swap else one,
                candidate=one if swap else two,
                cluster=[*map(str, labels)],
            )
            for one, two, labels in columns
        ]
    )


SCORE = st.one_of(
    st.sampled_from([0.0, 5e-324, 1e-300, 1e-9, 2e-9, 0.5, 0.5001, 1.0, 1e30, -1e60]),
    st.floats(-1e60, 1e60),
    st.floats(0, 1),
)


@given(STRATA)
def test_interval_and_p_never_contradict(strata: list[list[tuple[float, float, int]]]) -> None:
    """The interval excludes 0 exactly if p is below 0.05, and it holds the difference."""
    found = drawn(strata)
    if found.interval is None:
        assert found.why
        assert found.p is None
        return
    low, high = ends(found)

    assert found.p is not None
    assert (found.p < 0.05) == (not low <= 0 <= high)
    assert low <= found.difference <= high
    assert -1 <= low <= high <= 1 or "t, " in found.interval.method


@given(STRATA)
def test_sides_exchanged_change_only_the_sign(
    strata: list[list[tuple[float, float, int]]],
) -> None:
    """Candidate and baseline exchanged: the same p, the mirrored interval."""
    here, there = drawn(strata), drawn(strata, swap=True)

    assert pytest.approx(here.difference) == -there.difference
    assert (here.better, here.worse) == (there.worse, there.better)
    if here.interval:
        low, high = ends(there)
        assert pytest.approx(here.p) == there.p
        assert pytest.approx(ends(here), abs=1e-9) == (-high, -low)


def samples(values: list[float]) -> list[Stratum]:
    """One stratum of independent items."""
    return [Stratum(value=values, cluster=[*map(str, range(len(values)))])]


def test_unpaired_is_welchs_test() -> None:
    """One stratum a side: scipy's Welch test and interval."""
    one, other = noisy(40, seed=9, shift=0.5), noisy(25, seed=10, shift=0.45, spread=0.2)
    expected = stats.ttest_ind(one, other, equal_var=False)

    found = unpaired(samples(one), samples(other))

    assert pytest.approx(expected.pvalue) == found.p
    assert pytest.approx(tuple(expected.confidence_interval(0.95))) == ends(found)
    assert (25, 25, None, None) == (found.n, found.clusters, found.better, found.worse)


@pytest.mark.parametrize("right", [True, False])
def test_unpaired_near_an_end_goes_by_what_is_away_from_it(*, right: bool) -> None:
    """All alike on both sides: p is 1, and the bound is ln(20)/n; not an interval of no width."""
    found = unpaired(samples([float(right)] * 100), samples([float(right)] * 100))

    assert found.p == 1
    assert pytest.approx(math.log(20) / 100) == ends(found)[1]
    assert not found.few_changes


@pytest.mark.parametrize(("here", "there", "sign"), [(8, 1, -1), (1, 8, 1)])
def test_unpaired_mistakes_count_against_their_side(here: int, there: int, sign: int) -> None:
    """More mistakes make a lower score, with the p of the two counts given their sum."""
    found = unpaired(
        samples([0.0] * here + [1.0] * (100 - here)),
        samples([0.0] * there + [1.0] * (100 - there)),
    )
    exact = stats.binomtest(1, 9, 0.5).pvalue - stats.binom.pmf(1, 9, 0.5)

    assert pytest.approx(0.07 * sign) == found.difference
    assert pytest.approx(exact) == found.p
    assert minimum_detectable(found, alpha=0.05, tests=1, min_effect=0.0) is None


def test_unpaired_mostly_wrong_goes_by_what_is_right() -> None:
    """Near 0, the right answers are the rare ones: more of them make a higher score."""
    found = unpaired(samples([1.0] * 8 + [0.0] * 92), samples([1.0] + [0.0] * 99))

    assert pytest.approx(0.07) == found.difference
    assert ends(found)[0] > 0


def test_unpaired_needs_five_clusters_a_side() -> None:
    """Four items on one side: too few."""
    found = unpaired(samples([0.1] * 4), samples([0.2] * 50))

    assert found.why == "too few: 4 independent clusters, and an interval needs 5"


def test_unpaired_values_all_alike_of_unknown_range_have_no_bound() -> None:
    """Without spread and range there is nothing to say."""
    found = unpaired(samples([7.0] * 10), samples([7.0] * 10))

    assert found.why == "all values are the same, and the range of the score is unknown"


def test_unpaired_strata_of_one_tell_no_spread() -> None:
    """Where every stratum holds a single item, there is no interval."""
    side = [Stratum(value=[value], cluster=["a"]) for value in noisy(8, seed=1, shift=5)]

    assert unpaired(side, side).why is not None


P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


@given(P_VALUES)
def test_adjusted_p_values_are_holms(p_values: list[float]) -> None:
    """They are statsmodels', in the order given."""
    expected = multipletests(p_values, method="holm")[1]

    assert pytest.approx(tuple(expected)) == adjusted(p_values)


def test_what_has_no_p_does_not_count() -> None:
    """None stays None, and makes nobody else's p larger."""
    assert (0.02, None, 0.03, None) == adjusted([0.01, None, 0.03, None])


def test_overall_is_the_mean_with_its_own_error() -> None:
    """SE = sqrt(sum of SE squared)/B, with Satterthwaite's degrees of freedom."""
    both = [paired([stratum(noisy(40, seed=11))]), paired([stratum(noisy(12, seed=12))])]
    parts = [error_of(one) ** 2 / 4 for one in both]

    found = overall(both)

    assert pytest.approx((both[0].difference + both[1].difference) / 2) == found.difference
    assert pytest.approx(math.sqrt(sum(parts))) == error_of(found)
    assert pytest.approx(sum(parts) ** 2 / (parts[0] ** 2 / 39 + parts[1] ** 2 / 11)) == (
        degrees_of(found)
    )
    assert minimum_detectable(found, alpha=0.05, tests=1, min_effect=0.01) is not None


def test_overall_needs_all_intervals() -> None:
    """A benchmark without an interval leaves the mean without one, and says so."""
    few = paired([stratum([0.1] * 3)])
    found = overall([few, paired([binary(100)])])

    assert pytest.approx(0.05) == found.difference
    assert (None, "1 of 2 benchmarks have no interval") == (found.interval, found.why)


def test_overall_of_few_changes_is_of_few_changes() -> None:
    """Changes count over all benchmarks."""
    same, three = paired([binary(100)]), paired([binary(100, up=3)])

    assert overall([same, three]).few_changes
    assert not overall([three, three]).few_changes


def test_overall_of_one_is_that_one() -> None:
    """A single benchmark's mean is its own difference, by the same test."""
    one = paired([binary(100, up=3, down=9)])

    assert one == overall([one])


@pytest.mark.parametrize("passage", [1, 5])
def test_a_change_that_was_not_seen_widens_the_error(passage: int) -> None:
    """Of 0...1, the squares of an unseen change up and one down add to Student's variance.

    In passages whose questions change alike, a whole passage would.
    """
    each = noisy(40, seed=20, spread=0.01, shift=0.02)
    differences = [one for one in each for _ in range(passage)]
    names = [str(number // passage) for number in range(len(differences))]
    bounded = paired([stratum(differences, cluster=names)])
    free = paired([stratum(differences, baseline=50.0, cluster=names)])

    assert error_of(free) ** 2 + 2 / 40**2 == pytest.approx(error_of(bounded) ** 2)
    assert degrees_of(free) == pytest.approx(degrees_of(bounded))
    assert free.p is not None
    assert bounded.p is not None
    assert free.p < 1e-9
    assert bounded.p > 0.05


def test_few_small_changes_do_not_hide_a_large_one() -> None:
    """Twelve items that rose by 0.05 are marked alone, and not where 1 could have been lost."""
    rise = [0.05] * 12 + [0.0] * 88
    bounded, free = paired([stratum(rise)]), paired([stratum(rise, baseline=50.0)])

    assert free.p == pytest.approx(0.5**12)
    assert bounded.p is not None
    assert bounded.p > 0.05
    assert ends(bounded)[0] < -0.02


def test_the_unseen_change_counts_in_what_can_be_detected() -> None:
    """With next to no spread, the MDE is what is above the unseen change's error."""
    found = paired([stratum(noisy(1000, seed=21, spread=1e-4))])

    mde = minimum_detectable(found, alpha=0.05, tests=1, min_effect=0.0)

    assert pytest.approx(stats.t.isf(0.025, 999) * math.sqrt(2) / 1000, rel=1e-2) == mde


def test_overall_of_nothing_is_a_mistake() -> None:
    """No benchmark has no mean."""
    with pytest.raises(ValueError, match="no difference"):
        overall([])


@pytest.mark.parametrize("tests", [1, 20])
@pytest.mark.parametrize("size", [6, 30, 500])
def test_the_change_found_in_most_runs_is_that_of_the_noncentral_t(size: int, tests: int) -> None:
    """A shift of the MDE has 80 % power by scipy's noncentral t, at Holm's first step."""
    found = paired([stratum(noisy(size, seed=13, spread=3.0), baseline=50.0)])
    degrees = size - 1

    mde = minimum_detectable(found, alpha=0.05, tests=tests, min_effect=0.0)

    assert mde is not None
    error = error_of(found) / (1 - 2 / (9 * degrees)) ** 1.5
    bound = stats.t.isf(0.025 / tests, degrees)
    assert pytest.approx(0.8, abs=1e-3) == stats.nct.sf(bound, degrees, mde / error)


def test_the_least_effect_is_part_of_the_rule() -> None:
    """With much data the MDE is the least effect and 0.84 errors, not 2.8 errors."""
    found = paired([stratum(noisy(30_000, seed=14), baseline=50.0)])
    error = error_of(found)

    mde = minimum_detectable(found, alpha=0.05, tests=1, min_effect=0.01)

    assert pytest.approx(0.01 + stats.norm.isf(0.2) * error, rel=1e-4) == mde


def test_the_change_found_without_any_changes_is_five_and_more() -> None:
    """Five changes one way are marked (p = 1/32); 6.7 on average are five or more in 80 %."""
    mde = minimum_detectable(paired([binary(100)]), alpha=0.05, tests=1, min_effect=0.0)

    assert pytest.approx(stats.chi2.ppf(0.8, 10) / 2 / 100, rel=1e-4) == mde


def test_the_least_effect_counts_among_few_changes_too() -> None:
    """Five changes of a hundred are marked, but not with a least effect of ten per cent."""
    mde = minimum_detectable(paired([binary(100)]), alpha=0.05, tests=1, min_effect=0.1)

    assert pytest.approx(stats.chi2.ppf(0.8, 22) / 2 / 100, rel=1e-4) == mde


def test_no_change_within_the_range_may_be_large_enough() -> None:
    """Of five items, no drop of right answers is found in 80 % of runs at Holm's step of 20."""
    found = paired([binary(5)])

    assert minimum_detectable(found, alpha=0.05, tests=20, min_effect=0.01) is None


def test_more_tests_make_the_detectable_change_larger() -> None:
    """Each further test raises the MDE, whatever the method."""
    for one in (binary(200, up=4, down=4), binary(1000, up=60, down=60)):
        found = paired([one])
        mdes = [
            minimum_detectable(found, alpha=0.05, tests=tests, min_effect=0.0) or math.nan
            for tests in (1, 5, 25)
        ]
        assert sorted(mdes) == mdes


@pytest.mark.parametrize("size", [3e-4, 1e-4, 2e-9])
def test_tiny_changes_take_no_longer(size: float) -> None:
    """Ten tiny changes of 100: the MDE is that of an unseen change, after a bounded search."""
    found = paired([stratum([size, -size] * 5 + [0.0] * 90)])

    with calls_at_most(100_000):
        mde = minimum_detectable(found, alpha=0.05, tests=1, min_effect=0.0)

    assert pytest.approx(0.0281, abs=1e-4) == mde


def test_rare_changes_in_large_numbers_take_no_longer() -> None:
    """Beside a stratum of one, 8,400 changes count as rare; the MDE exceeds the interval's arm."""
    found = paired([*[binary(250, up=75, down=75)] * 56, binary(1)])

    with calls_at_most(1_000_000):
        mde = minimum_detectable(found, alpha=0.05, tests=1, min_effect=0.0)

    assert "mid-p" in (found.interval.method if found.interval else "")
    assert mde is not None
    assert ends(found)[1] < mde < 2 * ends(found)[1]


def test_rates_of_thousands_of_events_are_exact_too() -> None:
    """3,000 ups and 2,900 downs: the tail is that of a beta variable, not lost to underflow."""
    rates = Difference(Rate.of([1.0] * 3000), Rate.of([1.0] * 2900), Rate.of([1.0]))
    beta = [stats.beta.cdf(0.5, 3000, 2901), stats.beta.cdf(0.5, 3001, 2900)]

    assert pytest.approx(sum(beta)) == rates.p()
    assert rates.quantile(0.975) < 100 < rates.quantile(0.025)


@given(
    st.lists(st.tuples(SCORE, SCORE), min_size=1, max_size=40),
    st.sampled_from([1, 3, 400]),
    st.sampled_from([5e-324, 1e-300, 1e-11, 0.05, 0.5]),
    st.sampled_from([0.0, 5e-324, 0.01, 1.0, 1e300, 1.7e308]),
)
def test_any_scores_and_policy_take_bounded_work(
    pairs: list[tuple[float, float]], repeats: int, alpha: float, min_effect: float
) -> None:
    """The MDE of whatever scores, thresholds and least effects is None or a number above 0."""
    baseline, candidate = (list(side) * repeats for side in zip(*pairs, strict=True))
    rows = PairedStratum(
        baseline=baseline, candidate=candidate, cluster=[*map(str, range(len(baseline)))]
    )
    with calls_at_most(10_000_000):
        found = paired([rows, binary(1)])
        unpaired([Stratum(value=candidate, cluster=rows.cluster)], [rows.differences()])
        mde = minimum_detectable(found, alpha=alpha, tests=7, min_effect=min_effect)

    assert mde is None or (math.isfinite(mde) and mde > 0)


def test_the_library_loads_at_the_first_comparison() -> None:
    """Importing costs no mpmath: a start without a baseline compares nothing."""
    code = "import sys, helm_wandb.comparing.statistics; sys.exit('mpmath' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
