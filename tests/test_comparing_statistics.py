"""Differences, intervals and p-values, compared with those of scipy and statsmodels."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import statsmodels.api  # type: ignore[import-untyped] # no types published
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, stats  # type: ignore[import-untyped] # no types published
from statsmodels.stats.contingency_tables import mcnemar  # type: ignore[import-untyped]
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped]

from helm_wandb.comparing.statistics import (
    Estimate,
    PairedStratum,
    Stratum,
    adjusted,
    adjusted_families,
    difference,
    minimum_detectable,
    overall,
    paired,
    unpaired,
)
from helm_wandb.comparing.statistics.binary import mid_p, mid_p_of_strata
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
    assert estimate.contrast is not None
    return math.sqrt(estimate.contrast.variance)


def student(estimate: Estimate) -> float:
    """The p-value of Student's t, which the estimate's own is never below."""
    assert estimate.contrast is not None
    assert estimate.p is not None
    p = two_sided(estimate.difference / error_of(estimate), estimate.contrast.strata_degrees)
    assert estimate.p >= p
    return p


def degrees_of(estimate: Estimate) -> float:
    """The degrees of freedom of a difference whose interval must be there."""
    assert estimate.contrast is not None
    return estimate.contrast.degrees_of_freedom


@pytest.mark.parametrize(
    "degrees", [0.05, 0.9, 1.0, 4.3, 12.0, 59.9, 60.1, 999.0, 1e4, 1e5, 1e6, 1e7]
)
def test_tails_of_student_are_those_of_scipy(degrees: float) -> None:
    """The two-sided tail agrees to nine digits, near and far, and down to the smallest floats."""
    for statistic in (0.0, 1e-9, 0.3, 1.5, 1.72, 1.73, 1.74, 1.96, 4.0, 12.0, 36.0, 1e4, 1e9):
        expected = 2 * stats.t.sf(statistic, degrees)

        assert pytest.approx(expected, rel=1e-9, abs=1e-300) == two_sided(statistic, degrees)


@pytest.mark.parametrize(("statistic", "expected"), [(1e200, 0.0), (-1e200, 0.0), (1e-200, 1.0)])
def test_tails_of_student_have_ends(statistic: float, expected: float) -> None:
    """Squares that no float holds are as good as infinite or 0."""
    assert expected == two_sided(statistic, 5.0)


@pytest.mark.parametrize("degrees", [1.0, 4.3, 30.0, 1e6])
@pytest.mark.parametrize("probability", [0.9, 0.05, 0.0005])
def test_critical_values_are_those_of_scipy(probability: float, degrees: float) -> None:
    """The critical value agrees to eight digits, also for few degrees of freedom."""
    assert pytest.approx(stats.t.isf(probability / 2, degrees), rel=1e-8) == critical(
        probability, degrees
    )


def test_one_stratum_passes_the_paired_t_test() -> None:
    """Difference, error and the p-value of Student's t are scipy's; the interval holds scipy's."""
    differences = noisy(40, seed=1)
    expected = stats.ttest_1samp(differences, 0.0)

    found = paired([stratum(differences)])

    low, high = expected.confidence_interval(0.95)
    assert pytest.approx(np.mean(differences)) == found.difference
    assert pytest.approx(expected.pvalue) == student(found)
    assert ends(found)[0] <= low <= high <= ends(found)[1]
    assert pytest.approx(39) == degrees_of(found)


def log_ratio(differences: list[float], truth: float, *, unseen: float, weight: float) -> float:
    """Empirical log likelihood ratio, by scipy's search for the greatest of its dual."""
    values = np.array([*differences, unseen, -unseen]) - truth
    counts = np.array([1.0] * len(differences) + [weight] * 2)
    bounds = -1 / values.max() + 1e-9, -1 / values.min() - 1e-9
    dual = optimize.minimize_scalar(
        lambda tilt: -np.sum(counts * np.log1p(tilt * values)),
        bounds=bounds,
        method="bounded",
        options={"xatol": 1e-12},
    )
    return float(-2 * dual.fun)


def test_the_test_is_the_empirical_likelihood_ratio() -> None:
    """P is that of the ratio with two unseen changes of the range, of 1/32 of a weight."""
    candidate = [0.1, 1.0, *(0.47 + number / 1000 for number in range(20))]
    baseline = [0.0, 1.0, *([0.52] * 20)]
    differences = [here - there for here, there in zip(candidate, baseline, strict=True)]
    names = [str(number) for number in range(22)]
    ratio = log_ratio(differences, 0.0, unseen=1.0, weight=1 / 32)
    statistic = math.sqrt((22.0625 - 1) * math.expm1(ratio / 22.0625))

    found = paired([PairedStratum(baseline=baseline, candidate=candidate, cluster=names)])

    assert pytest.approx(2 * stats.t.sf(statistic, 21), rel=1e-5) == found.p


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
    """Error and Student's p with passages of one length are statsmodels' clustered ones."""
    found, fit = clustered([8] * 10)

    assert pytest.approx(fit.bse[0]) == error_of(found)
    assert pytest.approx(fit.pvalues[0]) == student(found)
    assert (80, 10) == (found.n, found.clusters)


def test_unequal_clusters_have_fewer_degrees_of_freedom() -> None:
    """The error is statsmodels'; the degrees of freedom are C - 1 by the effective share."""
    sizes = [8, 7, 9, 3, 8, 12, 1, 8, 8, 5]
    found, fit = clustered(sizes)
    squares = [size**2 for size in sizes]
    share = sum(squares) ** 2 / sum(square**2 for square in squares) / len(sizes)

    assert pytest.approx(fit.bse[0]) == error_of(found)
    assert pytest.approx(9 * share) == degrees_of(found)
    assert pytest.approx(2 * stats.t.sf(abs(fit.tvalues[0]), 9 * share)) == student(found)


def test_two_strata_are_welchs_test() -> None:
    """The mean of two strata has Welch's error and degrees of freedom.

    The sum of two means is a difference with a sign.
    """
    one, other = noisy(12, seed=4, spread=0.3), noisy(30, seed=5, shift=0.05)
    expected = stats.ttest_ind(one, [-value for value in other], equal_var=False)

    found = paired([stratum(one, baseline=50.0), stratum(other, baseline=50.0)])

    assert pytest.approx(abs(expected.statistic)) == abs(found.difference) / error_of(found)
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


def flipped(changes: list[tuple[float, int, int]]) -> float:
    """The mid-p of all changes' signs, each either way, added up one by one."""
    sizes = [size for size, ups, downs in changes for _ in range(ups + downs)]
    seen = abs(sum(size * (ups - downs) for size, ups, downs in changes))
    sums = [
        abs(sum(sign * size for sign, size in zip(signs, sizes, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(sizes))
    ]
    above = sum(one > seen + 1e-9 for one in sums)
    same = sum(abs(one - seen) <= 1e-9 for one in sums)
    return (above + same / 2) / len(sums)


@pytest.mark.parametrize(
    "changes",
    [
        [(0.05, 0, 1), (0.0125, 1, 1), (0.0025, 2, 5)],
        [(0.02, 1, 3), (0.01, 0, 4)],
        [(1.0, 1, 0), (0.5, 0, 2), (0.1, 3, 0)],
    ],
)
def test_mid_p_of_strata_counts_all_signs(changes: list[tuple[float, int, int]]) -> None:
    """Each change could have gone the other way; the share of what was seen counts half."""
    assert pytest.approx(flipped(changes)) == mid_p_of_strata(changes)


def test_changes_that_add_up_to_nothing_are_certain_to_be_reached() -> None:
    """The p-value of no difference is 1, whatever changed, and also if nothing did."""
    assert 1 == mid_p_of_strata([(0.3, 2, 2), (0.1, 1, 1)])
    assert 1 == mid_p_of_strata([(0.3, 0, 0)])


def test_many_changes_of_many_sizes_are_nearly_normal() -> None:
    """Beyond a thousand sums, p is near that of the characteristic function, in bounded work."""
    changes = [(1 / size, 4 - size // 70, 5 + size // 70) for size in range(20, 77)]
    sizes = np.repeat([size for size, _, _ in changes], 9)
    seen = abs(sum(size * (ups - downs) for size, ups, downs in changes))
    places = np.linspace(1e-6, 20, 20_001)
    values = np.prod(np.cos(sizes[:, None] * places), axis=0) * np.sin(seen * places) / places

    with calls_at_most(100_000):
        p = mid_p_of_strata(changes)

    assert pytest.approx(1 - 2 / np.pi * integrate.trapezoid(values, places), rel=0.01) == p


def test_strata_of_answers_are_mid_p() -> None:
    """A change weighs as its stratum's questions do, and strata without a change say nothing."""
    strata = [binary(5), binary(20, down=2), binary(100, up=1, down=7)]

    found = paired(strata)

    assert pytest.approx(flipped([(1 / 20, 0, 2), (1 / 100, 1, 7)])) == found.p
    assert found.interval is not None
    assert found.interval.method.startswith("paired mid-p")


ANSWERS = st.lists(
    st.integers(1, 30).flatmap(
        lambda size: st.tuples(
            st.just(size), st.integers(0, size // 2), st.integers(0, size - size // 2)
        )
    ),
    min_size=1,
    max_size=5,
)


@given(ANSWERS)
def test_interval_and_p_of_answers_never_contradict(rows: list[tuple[int, int, int]]) -> None:
    """Over strata of right and wrong answers, too."""
    found = paired([binary(size, up=up, down=down) for size, up, down in rows])
    if found.interval is None:
        return
    low, high = ends(found)

    assert found.p is not None
    assert (found.p < 0.05) == (not low <= 0 <= high)
    assert low <= found.difference <= high


@pytest.mark.parametrize(("size", "cluster"), [(200, 1), (80, 8), (20, 1)])
def test_no_changes_are_bound_near_the_rule_of_three(size: int, cluster: int) -> None:
    """Nothing changed in n clusters: p is 1, and the bound at most 3.4/n of a whole cluster."""
    items = binary(size)
    labels = [str(number // cluster) for number in range(size)]
    found = paired(
        [PairedStratum(baseline=items.baseline, candidate=items.candidate, cluster=labels)]
    )
    clusters = size // cluster
    low, high = ends(found)

    assert found.p == 1
    assert 1 - 0.05 ** (1 / clusters) <= high + 0.06 <= 3.4 / clusters + 0.06
    assert pytest.approx(-low) == high
    assert not found.few_changes


def test_all_answers_changed_alike_is_no_certainty() -> None:
    """Differences without any spread get an interval of some width, within the score's range."""
    found = paired([binary(30, down=30)])

    low, high = ends(found)
    assert (-1.0, True) == (low, -0.8 < high < -0.5)
    assert found.p is not None
    assert found.p < 1e-6


def test_fewer_than_five_clusters_have_no_interval() -> None:
    """Four passages of any length: the difference, and why there is no more."""
    differences = noisy(40, seed=6)
    found = paired([stratum(differences, cluster=[str(n // 10) for n in range(40)])])

    assert pytest.approx(np.mean(differences)) == found.difference
    assert (None, None, None) == (found.interval, found.p, found.contrast)
    assert found.why == "too few: 4 independent clusters, and an interval needs 5"
    assert minimum_detectable(found, alpha=0.05, tests=1, min_effect=0.01) is None


def test_clusters_count_over_all_strata() -> None:
    """Three strata of two clusters are six clusters: enough."""
    strata = [stratum(noisy(2, seed=seed)) for seed in range(3)]

    assert paired(strata).interval is not None


def test_a_label_in_two_strata_is_two_clusters() -> None:
    """HELM numbers each run's instances, so `id0` of two runs is not one question."""
    found = paired([stratum(noisy(10, seed=1)), stratum(noisy(10, seed=2))])

    assert found.clusters == 20


def test_a_stratum_of_one_borrows_the_pooled_variance() -> None:
    """Of two strata, one of a single item, the error is that of (1 + 1/n) items' variance."""
    many, one = noisy(30, seed=7), [0.1]
    variance = float(np.var(many, ddof=1))

    found = paired([stratum(many, baseline=50.0), stratum(one, baseline=50.0)])

    assert pytest.approx(math.sqrt(variance * (1 + 1 / 30)) / 2) == error_of(found)
    assert pytest.approx(29) == degrees_of(found)


def test_strata_of_one_alone_show_no_spread() -> None:
    """If every stratum holds a single item and all changed, there is no interval."""
    found = paired([stratum([value]) for value in noisy(8, seed=8)])

    assert found.why == "no stratum holds two clusters, so the spread within a stratum is unknown"


def test_a_range_is_taken_from_the_values() -> None:
    """Nothing changed in scores of 0 to 40: the bound is 40 times that of 0 to 1."""
    same = PairedStratum(
        baseline=[0.0, 40.0] * 10, candidate=[0.0, 40.0] * 10, cluster=[*map(str, range(20))]
    )

    assert pytest.approx(40 * ends(paired([binary(20)]))[1]) == ends(paired([same]))[1]


def test_rounding_is_no_change() -> None:
    """0.1 + 0.2 and 0.3 are the same score."""
    same = PairedStratum(baseline=[0.3] * 9, candidate=[0.1 + 0.2] * 9, cluster=[*"abcdefghi"])
    found = paired([same])

    assert (0, 0, 0, 0.0) == (found.better, found.worse, found.changed, found.difference)


@pytest.mark.parametrize(
    ("candidate", "baseline", "expected"),
    [
        (0.1 + 0.2, 0.3, 0.0),
        (0.5, 0.25, 0.25),
        (3e9 + 1, 3e9, 0.0),
        (3e-12 + 1e-21, 3e-12, 0.0),
        (1e-12, 0.0, 1e-12),
        (1e-70, 0.0, 0.0),
    ],
)
def test_a_difference_is_more_than_rounding(
    candidate: float, baseline: float, expected: float
) -> None:
    """Within 1e-9 of the larger score there is none, whatever the unit."""
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


def test_unpaired_holds_welchs_interval() -> None:
    """One stratum a side: scipy's Welch interval lies within, and both hold the difference."""
    one, other = noisy(40, seed=9, shift=0.5), noisy(25, seed=10, shift=0.45, spread=0.2)
    expected = stats.ttest_ind(one, other, equal_var=False)

    found = unpaired(samples(one), samples(other))

    low, high = expected.confidence_interval(0.95)
    assert found.p is not None
    assert expected.pvalue - 0.02 <= found.p
    assert ends(found)[0] <= low + 0.01 <= high <= ends(found)[1] + 0.01
    assert (25, 25, None, None) == (found.n, found.clusters, found.better, found.worse)


@pytest.mark.parametrize("value", [0.0, 1.0, 7.0])
def test_unpaired_values_all_alike_are_no_certainty(value: float) -> None:
    """All alike on both sides: p is 1, and the bound about three values of n."""
    found = unpaired(samples([value] * 100), samples([value] * 100))

    assert found.p == 1
    assert 2.5 < 100 * ends(found)[1] / (value or 1) < 3.5 * 2
    assert not found.few_changes


@pytest.mark.parametrize(("here", "there", "sign"), [(8, 1, -1), (1, 8, 1)])
def test_unpaired_mistakes_count_against_their_side(here: int, there: int, sign: int) -> None:
    """More mistakes make a lower score, with a p near that of the two counts given their sum."""
    found = unpaired(
        samples([0.0] * here + [1.0] * (100 - here)),
        samples([0.0] * there + [1.0] * (100 - there)),
    )
    exact = stats.binomtest(1, 9, 0.5).pvalue - stats.binom.pmf(1, 9, 0.5)

    assert pytest.approx(0.07 * sign) == found.difference
    assert pytest.approx(exact, abs=0.01) == found.p
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


def test_unpaired_strata_of_one_show_no_spread() -> None:
    """If every stratum holds a single item, there is no interval."""
    side = [Stratum(value=[value], cluster=["a"]) for value in noisy(8, seed=1, shift=5)]

    assert unpaired(side, side).why is not None


@pytest.mark.parametrize(("size", "seed"), [(30, 1), (100, 2), (400, 3)])
def test_the_unit_changes_no_verdict(size: int, seed: int) -> None:
    """Scores times 100: the same p, a hundred times the interval and the detectable change."""
    random = np.random.default_rng(seed)
    one = random.beta(1.2, 6, size)
    other = one + random.normal(-0.01, 0.04, size)
    results = [
        paired(
            [
                PairedStratum(
                    baseline=list(map(float, one * unit)),
                    candidate=list(map(float, other * unit)),
                    cluster=[str(number // 2) for number in range(size)],
                )
            ]
        )
        for unit in (1, 100)
    ]
    mdes = [
        minimum_detectable(found, alpha=0.05, tests=3, min_effect=0.0) or 0.0 for found in results
    ]

    assert pytest.approx(results[0].p, rel=1e-6) == results[1].p
    of_one, of_other = (found.ends(0.95) for found in results)
    assert pytest.approx([100 * end for end in of_one], rel=1e-6) == [*of_other]
    assert pytest.approx(100 * mdes[0], rel=1e-4) == mdes[1]


@given(STRATA)
def test_no_unit_changes_any_verdict(strata: list[list[tuple[float, float, int]]]) -> None:
    """Whatever the scores, a hundred times them have the same p and scaled interval.

    Only the ends of their scale, which is known within 0–1 alone, bound it otherwise.
    """
    if not any(value for rows in strata for row in rows for value in row[:2]):
        return
    scaled = [[(100 * one, 100 * two, label) for one, two, label in rows] for rows in strata]
    one, other = drawn(strata), drawn(scaled)

    assert (one.p is None) == (other.p is None)
    if one.interval:
        assert pytest.approx(one.p, rel=1e-6) == other.p
        assert pytest.approx([100 * end for end in one.ends(0.95)], rel=1e-6) == [*other.ends(0.95)]


def test_an_interval_stays_within_the_scale_of_the_scores() -> None:
    """Scores within 0–1 differ by 1 at most; of others, nothing is known."""
    cluster = [str(number) for number in range(6)]
    up = [0.9, 0.1, 0.9, 0.9, 0.1, 0.9]
    one, hundred = (
        paired(
            [
                PairedStratum(
                    baseline=[0.0] * 6,
                    candidate=[unit * value for value in up],
                    cluster=cluster,
                )
            ]
        )
        for unit in (1, 100)
    )

    assert one.ends(0.95)[1] > 1
    assert ends(one)[1] == 1
    assert ends(hundred)[1] > 100


def test_a_drop_of_every_item_is_significant() -> None:
    """Thirty of thirty items that fall by 0.02, and a drop of ROUGE by 1.7 points."""
    random = np.random.default_rng(5)
    rouge = random.beta(1.2, 6, 100)
    fallen = rouge + random.permutation(np.linspace(-0.07, 0.036, 100))

    every = paired([stratum([-0.02] * 30)])
    most = paired(
        [PairedStratum(baseline=[*rouge], candidate=[*fallen], cluster=[*map(str, range(100))])]
    )

    assert every.p is not None
    assert most.p is not None
    assert every.p < 1e-6
    assert most.p < 0.05


@pytest.mark.parametrize("size", [60, 100, 300])
def test_losses_that_a_rare_gain_would_make_up_for_are_not_significant(size: int) -> None:
    """All items fall by 0.01 or so, among scores of 0...1: one of them in 90 may gain all."""
    falls = noisy(size, seed=20, spread=0.005, shift=-0.9 / size)
    scores = [number / (size - 1) for number in range(size)]
    found = paired(
        [
            PairedStratum(
                baseline=scores,
                candidate=[score + fall for score, fall in zip(scores, falls, strict=True)],
                cluster=[*map(str, range(size))],
            )
        ]
    )

    assert student(found) < 1e-6
    assert found.p is not None
    assert found.p > 0.05


@pytest.mark.parametrize(("ups", "downs"), [(0, 1), (40, 60), (3000, 2900), (0, 5000)])
def test_mid_p_is_exact_for_thousands(ups: int, downs: int) -> None:
    """The p-value is scipy's exact one less half of its atom, whatever the numbers."""
    total = ups + downs
    exact = stats.binomtest(ups, total, 0.5).pvalue - stats.binom.pmf(ups, total, 0.5)

    assert pytest.approx(exact, rel=1e-8, abs=1e-300) == mid_p(ups, downs)


@pytest.mark.parametrize("size", [1e-4, 1e-6, 1e-8])
def test_tiny_changes_take_no_longer(size: float) -> None:
    """10,000 instances with tiny changes: test, interval and MDE after a bounded search."""
    rows = stratum([size * (-1) ** number * (1 + number / 10_000) for number in range(10_000)])
    with calls_at_most(1_000_000):
        found = paired([rows])
        mde = minimum_detectable(found, alpha=0.05, tests=16, min_effect=0.0)

    assert mde is not None


P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


@given(P_VALUES)
def test_adjusted_p_values_are_holms(p_values: list[float]) -> None:
    """They are statsmodels', in the order given."""
    expected = multipletests(p_values, method="holm")[1]

    assert pytest.approx(tuple(expected)) == adjusted(p_values)


def test_what_has_no_p_does_not_count() -> None:
    """None stays None, and makes nobody else's p larger."""
    assert (0.02, None, 0.03, None) == adjusted([0.01, None, 0.03, None])


def test_two_families_share_one_error_rate() -> None:
    """Each has half; if one is significant throughout, or empty, the other has all."""
    assert ((0.02,), (0.03, 0.02)) == adjusted_families([0.01], [0.03, 0.005])
    assert ((0.7,), (0.04, 0.12)) == adjusted_families([0.7], [0.01, 0.06])
    assert ((), (0.02, 0.06)) == adjusted_families([], [0.01, 0.06])
    assert ((None,), (None,)) == adjusted_families([None], [None])


@pytest.mark.parametrize("weights", [None, [3.0, 1.0]])
def test_overall_is_the_test_of_all_strata(weights: list[float] | None) -> None:
    """Student's p is that of SE = sqrt(sum of SE squared), and p allows for unseen changes."""
    both = [paired([stratum(noisy(40, seed=11))]), paired([stratum(noisy(12, seed=12))])]
    shares = [weight / sum(weights or [2.0]) for weight in weights or [1.0, 1.0]]
    parts = [share**2 * error_of(one) ** 2 for share, one in zip(shares, both, strict=True)]
    expected = sum(share * one.difference for share, one in zip(shares, both, strict=True))

    found = overall(both, weights=weights)

    low, high = ends(found)
    assert pytest.approx(expected) == found.difference
    assert pytest.approx(math.sqrt(sum(parts))) == error_of(found)
    degrees = sum(parts) ** 2 / (parts[0] ** 2 / 39 + parts[1] ** 2 / 11)
    assert pytest.approx(degrees) == degrees_of(found)
    assert student(found) <= (found.p or 0)
    assert low < expected < high


def test_the_mean_of_benchmarks_of_answers_is_mid_p() -> None:
    """Benchmarks of as many questions each are tested like one of all questions."""
    several = [binary(50, up=1, down=4), binary(50, up=0, down=3)]

    found = overall([paired([one]) for one in several])

    assert pytest.approx(mid_p(1, 7)) == found.p
    assert paired(several).p == found.p


def test_a_mean_of_small_losses_allows_for_rare_gains_in_any_benchmark() -> None:
    """Benchmarks whose questions lose a little, as one in 60 may gain all, have no certain mean."""
    scores = [number / 59 for number in range(60)]
    falls = [noisy(60, seed=seed, spread=0.005, shift=-0.015) for seed in (1, 2)]
    several = [
        PairedStratum(
            baseline=scores,
            candidate=[score + fall for score, fall in zip(scores, one, strict=True)],
            cluster=[*map(str, range(60))],
        )
        for one in falls
    ]

    found = overall([paired([one]) for one in several])

    assert student(found) < 1e-6
    assert (found.p or 0) > 0.025


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


def test_overall_of_nothing_is_a_mistake() -> None:
    """No benchmark has no mean."""
    with pytest.raises(ValueError, match="no difference"):
        overall([])


def test_the_least_effect_is_part_of_the_rule() -> None:
    """With much data the MDE is the least effect and 0.84 errors, not 2.8 errors."""
    found = paired([stratum(noisy(30_000, seed=14), baseline=50.0)])
    error = error_of(found)

    mde = minimum_detectable(found, alpha=0.05, tests=1, min_effect=0.01)

    assert pytest.approx(0.01 + stats.norm.isf(0.2) * error, rel=1e-4) == mde


def test_the_change_found_without_any_changes_is_five_and_more() -> None:
    """Five changes one way are flagged (p = 1/32): five or more are drawn in 80 %."""
    mde = minimum_detectable(paired([binary(100)]), alpha=0.05, tests=1, min_effect=0.0)

    assert mde is not None
    assert 0.8 == pytest.approx(stats.binom.sf(4, 100, mde), abs=1e-4)


def test_the_least_effect_counts_among_few_changes_too() -> None:
    """Five changes of a hundred are flagged, but not with a least effect of ten per cent."""
    mde = minimum_detectable(paired([binary(100)]), alpha=0.05, tests=1, min_effect=0.1)

    assert mde is not None
    assert 0.8 == pytest.approx(stats.binom.sf(10, 100, mde), abs=1e-4)


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
