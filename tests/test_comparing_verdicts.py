"""Evaluation × evaluation → comparison."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from helm_wandb.comparing import statistics
from helm_wandb.comparing.pairing import WHY_UNTESTABLE
from helm_wandb.comparing.verdicts import Partner, compared
from helm_wandb.model import Baseline, Policy, ScoreKey, SubjectScore, Verdict
from helm_wandb.report import to_json
from tests import builders

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helm_wandb.model import Comparison, Delta, Evaluation, Score
    from tests.builders import Values

EM = ScoreKey("mmlu", "EM")
POLICY = Policy()


def partner(candidate: Evaluation, baseline: Evaluation) -> Partner:
    """A candidate and its baseline."""
    side = Baseline(origin="base.json", model=baseline.model, iteration=baseline.iteration)
    return Partner(candidate, baseline, side)


def comparison(candidate: Evaluation, baseline: Evaluation, policy: Policy = POLICY) -> Comparison:
    """The comparison of the two alone."""
    (found,) = compared([partner(candidate, baseline)], policy)
    return found


def only(found: Comparison) -> Delta:
    """The only delta of a comparison that has one, and nothing apart."""
    (delta,) = found.deltas
    assert {} == found.not_comparable
    return delta


def of(
    candidate: Values, baseline: Values, policy: Policy = POLICY, *, lower: bool | None = False
) -> Delta:
    """The delta of mmlu.EM of instances with these values."""
    here = builders.measured(values={"mmlu.EM": candidate})
    there = builders.measured(values={"mmlu.EM": baseline})
    return only(comparison(with_score(here, lower_is_better=lower), there, policy))


def with_score(one: Evaluation, **changes: Any) -> Evaluation:
    """The evaluation with another mmlu.EM."""
    return replace(one, scores={**one.scores, EM: replace(one.scores[EM], **changes)})


def verdicts(found: Comparison) -> dict[str, Verdict]:
    """Metric → verdict."""
    return {str(delta.key): delta.verdict for delta in found.deltas}


# Direction

WORSE, BETTER = builders.right(40), builders.right(80)


@pytest.mark.parametrize(
    ("candidate", "baseline", "lower", "verdict", "counts"),
    [
        (WORSE, BETTER, False, Verdict.REGRESSED, (0, 40)),
        (BETTER, WORSE, False, Verdict.IMPROVED, (40, 0)),
        (WORSE, BETTER, True, Verdict.IMPROVED, (40, 0)),
        (BETTER, WORSE, True, Verdict.REGRESSED, (0, 40)),
    ],
)
def test_a_mark_and_the_counts_follow_the_metrics_direction(
    candidate: list[float],
    baseline: list[float],
    *,
    lower: bool,
    verdict: Verdict,
    counts: tuple[int, int],
) -> None:
    """Where lower is better a rise is a regression, and a risen item a worse one."""
    found = of(candidate, baseline, lower=lower)

    assert (verdict, counts, lower) == (
        found.verdict,
        (found.better, found.worse),
        found.lower_is_better,
    )
    assert math.copysign(0.4, sum(candidate) - sum(baseline)) == pytest.approx(found.difference)


def test_without_a_direction_nothing_is_flagged() -> None:
    """A change without a known direction is shown with its interval, and how to name one."""
    found = of(WORSE, BETTER, lower=None)

    assert (Verdict.UNTESTABLE, None, None) == (found.verdict, found.p_adjusted, found.mde)
    assert found.interval is not None
    assert "compare.lower_is_better or compare.higher_is_better" in str(found.why)


def test_the_candidates_direction_counts() -> None:
    """The config of this run gives the direction, whatever the baseline's report says."""
    here = builders.measured(values={"mmlu.EM": BETTER}, lower=["mmlu.EM"])
    there = builders.measured(values={"mmlu.EM": WORSE})

    assert Verdict.REGRESSED is only(comparison(here, there)).verdict
    assert Verdict.REGRESSED is only(comparison(there, here)).verdict


# What a mark needs


def test_numbers_of_a_tested_delta() -> None:
    """A delta holds both scores, the statistics of its pairs, and Holm's p, here of one test."""
    found = of(WORSE, BETTER)
    estimate = statistics.paired(
        [
            statistics.PairedStratum(
                candidate=tuple(WORSE),
                baseline=tuple(BETTER),
                cluster=tuple(f"id{at}" for at in range(100)),
            )
        ]
    )

    assert (0.8, 0.4, estimate.difference) == (found.baseline, found.candidate, found.difference)
    assert (estimate.interval, 100, 100) == (found.interval, found.n, found.clusters)
    assert (estimate.p, estimate.p, None) == (found.p, found.p_adjusted, found.why)
    assert found.mde == statistics.minimum_detectable(
        estimate, alpha=0.05, tests=1, min_effect=0.01
    )


def test_a_significant_change_within_min_effect_is_not_flagged() -> None:
    """Both are needed: a change that is sure and small enough to be ignored is not red."""
    policy = Policy(min_effect=0.5)

    assert Verdict.REGRESSED is of(WORSE, BETTER, Policy(min_effect=0.39)).verdict
    assert Verdict.REGRESSED is not of(WORSE, BETTER, policy).verdict
    assert Verdict.NO_CHANGE is of(WORSE, BETTER, Policy(min_effect=0.9)).verdict
    within = of(WORSE, BETTER, Policy(min_effect=0.41))
    assert (Verdict.INCONCLUSIVE, "significant, but not larger than min_effect") == (
        within.verdict,
        within.why,
    )


def test_min_effect_is_the_metrics_own() -> None:
    """A metric that has its own least change does not take the default."""
    small = Policy(min_effect=0.5, min_effects={EM: 0.01})
    large = Policy(min_effect=0.01, min_effects={EM: 0.5})

    assert Verdict.REGRESSED is of(WORSE, BETTER, small).verdict
    assert Verdict.REGRESSED is not of(WORSE, BETTER, large).verdict


def test_a_change_that_chance_could_make_is_inconclusive() -> None:
    """A change beyond min_effect that is not significant is not flagged."""
    assert Verdict.INCONCLUSIVE is of(builders.right(50), builders.right(52)).verdict


def test_alpha_is_the_configs() -> None:
    """With a smaller alpha the same change is not flagged."""
    found = of(builders.right(72), builders.right(80))
    assert found.p is not None

    for alpha, verdict in ((found.p * 1.01, Verdict.REGRESSED), (found.p, Verdict.INCONCLUSIVE)):
        again = of(builders.right(72), builders.right(80), Policy(alpha=alpha))
        assert verdict is again.verdict


def test_no_change_needs_a_narrow_interval_and_some_changes() -> None:
    """Within ±min_effect it is no change, unless a few answers changed."""
    many = builders.right(1500, of=3000)
    swapped = [0.0] * 4 + many[4:1500] + [1.0] * 4 + many[1504:]
    few = [0.0] * 2 + many[2:1500] + [1.0] * 2 + many[1502:]

    assert Verdict.NO_CHANGE is of(swapped, many).verdict
    assert Verdict.INCONCLUSIVE is of(few, many).verdict


def test_the_same_answers_are_no_change() -> None:
    """The same partly right scores are the same answers; right and wrong ones need a thousand."""
    partly = [number / 20 for number in range(20)]

    assert Verdict.NO_CHANGE is of(partly, partly).verdict
    assert (
        Verdict.NO_CHANGE is of(builders.right(500, of=1000), builders.right(500, of=1000)).verdict
    )
    assert Verdict.INCONCLUSIVE is of(builders.right(50), builders.right(50)).verdict


def test_scores_that_are_no_numbers_are_not_tested() -> None:
    """NaN among the per-instance scores, wherever it is, makes the metric untestable."""
    values = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]
    here = builders.measured(values={"mmlu.EM": values})
    for place in range(len(values)):
        broken = [*values[:place], math.nan, *values[place + 1 :]]
        delta = only(comparison(here, with_score(here, instances=builders.instances(broken))))
        assert Verdict.UNTESTABLE is delta.verdict
        assert WHY_UNTESTABLE == delta.why


def test_holm_is_over_all_deltas_of_the_run() -> None:
    """A change that alone would be flagged is not among ten of other models."""
    change = builders.measured(values={"mmlu.EM": builders.right(73)})
    before = builders.measured(values={"mmlu.EM": builders.right(80)})
    same = [partner(builders.measured(name), builders.measured(name)) for name in "bcdefghijk"]
    alone = compared([partner(change, before)], POLICY)[0].deltas[0]
    among_ten = compared([*same, partner(change, before)], POLICY)[-1].deltas[0]

    assert (Verdict.REGRESSED, alone.p) == (alone.verdict, alone.p_adjusted)
    assert (Verdict.INCONCLUSIVE, alone.p) == (among_ten.verdict, among_ten.p)
    assert alone.p is not None
    assert 11 * alone.p == pytest.approx(among_ten.p_adjusted)
    assert (None, "significant alone, but not after correction for the number of tests (Holm)") == (
        alone.why,
        among_ten.why,
    )
    assert alone.mde is not None
    assert among_ten.mde is not None
    assert among_ten.mde > alone.mde


def test_what_cannot_be_tested_does_not_count_for_holm() -> None:
    """Deltas without a p-value make nobody else's larger."""
    here, there = {"mmlu.EM": WORSE, "raft.EM": [1.0]}, {"mmlu.EM": BETTER, "raft.EM": [0.0]}
    found = comparison(builders.measured(values=here), builders.measured(values=there))
    tested, untested = found.deltas

    assert tested.p == tested.p_adjusted
    assert (Verdict.UNTESTABLE, None, None) == (untested.verdict, untested.p, untested.p_adjusted)
    assert "too few" in str(untested.why)


def test_what_has_no_direction_does_not_count_for_holm() -> None:
    """A change that can never be flagged makes nobody else's p-value larger."""
    here = builders.measured(values={"mmlu.EM": WORSE, "raft.EM": WORSE})
    there = builders.measured(values={"mmlu.EM": BETTER, "raft.EM": BETTER})
    first, second = comparison(with_score(here, lower_is_better=None), there).deltas

    assert (EM, None, None) == (first.key, first.p_adjusted, first.mde)
    assert first.p == second.p == second.p_adjusted


def test_a_model_may_have_several_partners() -> None:
    """A model's scores compared with two baselines are one family, as those of two models are."""
    parts = [builders.measured(values={key: WORSE}) for key in ("mmlu.EM", "raft.EM")]
    before = [builders.measured(values={key: BETTER}) for key in ("mmlu.EM", "raft.EM")]
    found = compared([partner(*sides) for sides in zip(parts, before, strict=True)], POLICY)

    for one in found:
        (delta,) = one.deltas
        assert delta.p is not None
        assert delta.p_adjusted == pytest.approx(2 * delta.p)


# What cannot be tested


@pytest.mark.parametrize("side", ["here", "there"])
def test_without_instances_a_delta_is_shown_and_untestable(side: str) -> None:
    """A side without per-instance scores leaves the difference, and the reason."""
    sides = {
        "here": builders.measured(values={"mmlu.EM": WORSE}),
        "there": builders.measured(values={"mmlu.EM": BETTER}),
    }
    sides[side] = with_score(sides[side], instances=None, no_instances="the file doesn't exist")
    found = only(comparison(sides["here"], sides["there"]))

    assert (Verdict.UNTESTABLE, 0.8, 0.4) == (found.verdict, found.baseline, found.candidate)
    assert -0.4 == pytest.approx(found.difference)
    assert [None] * 8 == [
        *(found.interval, found.n, found.clusters, found.p),
        *(found.p_adjusted, found.mde, found.better, found.worse),
    ]
    assert f"no per-instance scores {side}: the file doesn't exist" == found.why


def test_scores_of_a_file_are_compared_untested() -> None:
    """Scores in configs have no instances on either side, and none were recorded."""
    here, there = builders.evaluation(source="file"), builders.evaluation(source="file")

    assert "no per-instance scores here: none were recorded" == only(comparison(here, there)).why


@pytest.mark.parametrize("lost", [1, 10])
def test_a_few_lost_instances_leave_the_others(lost: int) -> None:
    """From 90% matched on, the pairs are compared, and a remark says how many are left out."""
    found = of(BETTER[:-lost], BETTER)
    kept = 100 - lost

    assert (kept, kept) == (found.n, found.clusters)
    assert f"change over the {kept} instances that both have; {lost} left out" == found.why
    assert Verdict.UNTESTABLE is not found.verdict


def test_the_difference_is_over_what_both_have() -> None:
    """The scores are HELM's own, and the difference is that of the same questions."""
    found = of([1.0] * 95, [1.0] * 95 + [0.0] * 5)

    assert (0.95, 1.0, 0.0) == (found.baseline, found.candidate, found.difference)


def test_many_other_questions_are_not_comparable() -> None:
    """Under 90 % matched the scores are of other questions, and it is said of how many."""
    here = builders.measured(values={"mmlu.EM": builders.right(50, of=89)})
    found = comparison(here, builders.measured())

    assert () == found.deltas
    assert {EM: "only 89 of 100 instances are the same questions on both sides"} == (
        found.not_comparable
    )


def test_other_texts_are_other_questions() -> None:
    """Instances whose ids are the same and whose texts are not are no pairs."""
    one = builders.measured()
    columns = one.scores[EM].instances
    assert columns is not None
    other = with_score(one, instances=replace(columns, input=("f" * 8,) * 100))

    assert {EM: "only 0 of 100 instances are the same questions on both sides"} == comparison(
        one, other
    ).not_comparable


FIVE_SHOT = {"max_train_instances": "5"}


def sampled(
    values: Values, *, fingerprint: Mapping[str, object] | None = None, texts: str = "0" * 8
) -> Evaluation:
    """Answers to questions whose texts begin alike on a side, and on no other."""
    one = builders.measured(values={"mmlu.EM": values}, fingerprint=fingerprint)
    columns = one.scores[EM].instances
    assert columns is not None
    return with_score(one, instances=replace(columns, input=(texts,) * len(columns.id)))


def test_other_questions_by_the_same_specs_are_compared_as_samples() -> None:
    """They aren't compared, and the reason has the interval of two samples' difference."""
    here = sampled(builders.right(40), fingerprint=FIVE_SHOT)
    there = sampled(builders.right(60), fingerprint=FIVE_SHOT, texts="1" * 8)
    found = comparison(here, there)
    sides = [
        [statistics.Stratum(value=builders.right(count), cluster=[*map(str, range(100))])]
        for count in (40, 60)
    ]
    interval = statistics.unpaired(*sides).interval
    assert interval is not None

    assert () == found.deltas
    assert {
        EM: "only 0 of 100 instances are the same questions on both sides; compared as "
        f"unpaired samples, they differ by −{-100 * interval.low:.1f} to "
        f"−{-100 * interval.high:.1f} pp (95% interval)"
    } == found.not_comparable


@pytest.mark.parametrize(
    ("values", "fingerprint"),
    [([0.5] * 20, None), ([0.5] * 4, FIVE_SHOT), ([1e300, -1e300] * 10, FIVE_SHOT)],
)
def test_samples_of_which_nothing_is_known_are_only_counted(
    values: list[float], fingerprint: Mapping[str, object] | None
) -> None:
    """Unknown specs, too few clusters, values that are too large: no interval."""
    here = sampled(values, fingerprint=fingerprint)
    found = comparison(here, sampled(values, fingerprint=fingerprint, texts="1" * 8))

    assert (
        f"only 0 of {len(values)} instances are the same questions on both sides"
        == (found.not_comparable[EM])
    )


def test_samples_beyond_1_are_shown_in_their_own_unit() -> None:
    """Scores that leave 0…1 have no points."""
    here = sampled([7.0, 8.0] * 20, fingerprint=FIVE_SHOT)
    there = sampled([9.0, 8.0] * 20, fingerprint=FIVE_SHOT, texts="1" * 8)

    assert (
        comparison(here, there)
        .not_comparable[EM]
        .endswith("they differ by −1.225 to −0.7731 (95% interval)")
    )


def test_another_fingerprint_is_not_comparable() -> None:
    """Different settings are described in words."""
    here = builders.measured(fingerprint={"max_train_instances": "5"})
    there = builders.measured(fingerprint={"max_train_instances": "0"})

    assert {EM: "5-shot here, 0-shot there"} == comparison(here, there).not_comparable


@pytest.mark.parametrize("known", [{"max_train_instances": "5"}, None])
def test_an_unknown_fingerprint_is_no_other_one(known: Mapping[str, object] | None) -> None:
    """A side without settings is compared, as far as texts agree."""
    here, there = builders.measured(fingerprint=known), builders.measured()

    assert only(comparison(here, there)).verdict
    assert only(comparison(there, here)).verdict


def subjects(*names: str) -> Score:
    """A score over subjects, as it would be without instances."""
    parts = {name: SubjectScore(value=0.5, n=None) for name in names}
    return replace(builders.evaluation().scores[EM], subjects=parts)


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        (("a", "b"), ("a",), "2 subjects here, 1 subject there; only here: b"),
        (("a",), (), "1 subject here, no subjects there"),
        (("a", "b"), ("a", "c"), "2 subjects here, 2 subjects there; only here: b; only there: c"),
        ((), tuple("abcde"), "no subjects here, 5 subjects there"),
        (
            ("x",),
            tuple("abcdex"),
            "1 subject here, 6 subjects there; only there: a, b, c and 2 more",
        ),
    ],
)
def test_other_subjects_are_not_comparable(
    here: tuple[str, ...], there: tuple[str, ...], expected: str
) -> None:
    """A mean over other subjects is another score, and the reason names them."""
    one, other = (
        replace(builders.evaluation(), scores={EM: subjects(*names)}) for names in (here, there)
    )

    assert {EM: expected} == comparison(one, other).not_comparable


def test_a_mark_of_other_models_subjects_does_not_part() -> None:
    """Over the same subjects a score is the same, whatever other models of either run have."""
    marked = replace(subjects("a", "b"), partial="over 2 of 3 subjects")
    here = replace(builders.evaluation(), scores={EM: marked})
    there = replace(builders.evaluation(), scores={EM: subjects("b", "a")})

    assert Verdict.UNTESTABLE is only(comparison(here, there)).verdict


def test_scores_of_one_side_are_shown_with_their_reasons() -> None:
    """What one side lacks is not comparable, and the side that lacks it says why."""
    here = builders.evaluation(scores={"a.EM": 0.5, "b.EM": 0.5}, missing={"c.EM": "no table"})
    there = builders.evaluation(scores={"c.EM": 0.5, "d.EM": 0.5}, missing={"a.EM": "no row"})

    assert {
        "a.EM": "only the candidate has it; in the baseline: no row",
        "b.EM": "only the candidate has it",
        "c.EM": "only the baseline has it; in the candidate: no table",
        "d.EM": "only the baseline has it",
    } == {str(key): why for key, why in comparison(here, there).not_comparable.items()}


@pytest.mark.parametrize("instances", [True, False])
@pytest.mark.parametrize("value", [1.7e308, 1e200, 1e100, 1e61])
def test_absurd_numbers_are_shown_and_written(value: float, *, instances: bool) -> None:
    """Numbers that no test can reckon with are no bug of ours, and no NaN gets into the report."""
    here = builders.evaluation(scores={"mmlu.EM": value})
    there = builders.evaluation(scores={"mmlu.EM": -value})
    if instances:
        here, there = (
            with_score(one, instances=builders.instances([one.scores[EM].value] * 20))
            for one in (here, there)
        )
    found = comparison(here, there)

    json.loads(to_json(builders.report([here], comparisons=[found])), parse_constant=pytest.fail)
    reasons = {*found.not_comparable.values(), *(delta.why for delta in found.deltas)}
    if value > 1e308:
        assert {"the difference is larger than any number"} == reasons
    elif instances:
        assert {"values beyond ±1e+60 cannot be tested"} == reasons


def test_instances_that_cancel_each_other_are_no_bug() -> None:
    """A score of 0 may be made of numbers without measure."""
    values = [1.7e308, -1.7e308] * 10

    assert "values beyond ±1e+60 cannot be tested" == of(values, values[::-1]).why


# Overall


def test_the_overall_delta_is_over_what_could_be_tested() -> None:
    """The mean of the testable scores within 0…1 that are better when higher, with an interval."""
    lower = ["y.toxic"]
    here = {"mmlu.EM": WORSE, "boolq.EM": BETTER, "y.toxic": WORSE, "x.bits": [9.0, 8.0] * 5}
    there = {**here, "mmlu.EM": BETTER, "y.toxic": BETTER}
    found = comparison(
        builders.measured(values={**here, "raft.EM": [1.0]}, lower=lower),
        builders.measured(values={**there, "raft.EM": [0.0]}, lower=lower),
    )
    overall = found.overall

    assert overall is not None
    assert (None, 0.8, 200) == (overall.key, overall.baseline, overall.n)
    assert 0.6 == pytest.approx(overall.candidate)
    assert -0.2 == pytest.approx(overall.difference)
    assert overall.interval is not None
    assert Verdict.REGRESSED is overall.verdict
    assert overall.p_adjusted is not None
    assert overall.p_adjusted < 1e-10
    assert overall == found.flagged_mean
    assert (*found.deltas, overall) == found.counted_deltas


def test_the_overall_delta_of_one_benchmark_is_its_own() -> None:
    """Delta and mean of a single benchmark agree in each number and in the verdict."""
    found = comparison(
        builders.measured(values={"mmlu.EM": builders.right(73), "raft.EM": [1.0]}),
        builders.measured(values={"mmlu.EM": builders.right(80), "raft.EM": [0.0]}),
        Policy(min_effects={EM: 0.1}),
    )

    assert found.overall == replace(found.deltas[0], key=None)
    assert Verdict.INCONCLUSIVE is found.deltas[0].verdict
    assert found.deltas == found.counted_deltas


def test_many_small_drops_are_a_regression_of_the_mean() -> None:
    """Eight benchmarks that each fall by three points: none is flagged alone, the mean is."""
    names = [f"b{number}.EM" for number in range(8)]
    found = comparison(
        builders.measured(values=dict.fromkeys(names, builders.right(77))),
        builders.measured(values=dict.fromkeys(names, builders.right(80))),
    )

    assert {Verdict.INCONCLUSIVE} == {delta.verdict for delta in found.deltas}
    assert found.flagged_mean is not None
    assert Verdict.REGRESSED is found.flagged_mean.verdict


VALUES_OF_METRICS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 0.5, 1.0])),
    min_size=10,
    max_size=30,
)


@given(VALUES_OF_METRICS, VALUES_OF_METRICS, st.integers(2, 5))
def test_copies_of_a_metric_change_no_interval(
    one: list[tuple[float, float]], other: list[tuple[float, float]], copies: int
) -> None:
    """The mean over two benchmarks is the same, however many copies of a metric one has."""

    def mean_of(metrics: int) -> Delta:
        values = {f"mmlu.M{number}": one for number in range(metrics)} | {"boolq.EM": other}
        sides = [
            builders.measured(
                values={name: [pair[at] for pair in of] for name, of in values.items()}
            )
            for at in (0, 1)
        ]
        overall = comparison(sides[0], sides[1]).overall
        assert overall is not None
        return overall

    single, several = mean_of(1), mean_of(copies)

    assert single.n == several.n == len(one) + len(other)
    assert single.interval is not None
    assert several.interval is not None
    assert pytest.approx(single.p) == several.p
    for name in ("low", "high"):
        assert pytest.approx(getattr(single.interval, name)) == getattr(several.interval, name)
    for name in ("baseline", "candidate", "difference"):
        assert pytest.approx(getattr(single, name)) == getattr(several, name)


def test_a_benchmark_weighs_once_in_the_mean() -> None:
    """The mean is over benchmarks, each the mean of its metrics."""
    found = comparison(
        builders.measured(
            values={"mmlu.EM": WORSE, "mmlu.F1": WORSE, "boolq.EM": BETTER},
        ),
        builders.measured(
            values={"mmlu.EM": BETTER, "mmlu.F1": WORSE, "boolq.EM": BETTER},
        ),
    )

    assert found.overall is not None
    assert (200, 200) == (found.overall.n, found.overall.clusters)
    assert pytest.approx(-0.1) == found.overall.difference
    assert pytest.approx((0.7, 0.6)) == (found.overall.baseline, found.overall.candidate)


def test_without_a_tested_benchmark_there_is_no_overall() -> None:
    """If nothing could be tested there is no mean, rather than one without an interval."""
    assert comparison(builders.evaluation(), builders.evaluation()).overall is None


def test_overall_stands_outside_of_holms_family() -> None:
    """The deltas' adjusted p-values are those of the deltas alone."""
    found = comparison(
        builders.measured(values={"mmlu.EM": WORSE}), builders.measured(values={"mmlu.EM": BETTER})
    )

    assert found.overall is not None
    assert found.deltas[0].p == found.deltas[0].p_adjusted


def test_nothing_compared_is_nothing() -> None:
    """Without partners there are no comparisons, and without scores no deltas."""
    empty = replace(builders.evaluation(), scores={})

    assert () == compared([], POLICY)
    assert ((), {}, None) == (
        comparison(empty, empty).deltas,
        comparison(empty, empty).not_comparable,
        comparison(empty, empty).overall,
    )


def test_a_comparison_says_of_what_it_is() -> None:
    """Model and iteration are the candidate's, the baseline is the partner's."""
    sides = partner(builders.measured("a", 2000), builders.measured("a", 1000))
    (found,) = compared([sides], POLICY)

    assert ("a", 2000, sides.baseline_label) == (found.model, found.iteration, found.baseline)


def test_what_only_warns_is_in_the_family_and_in_no_mean() -> None:
    """A benchmark under warn_only is tested and flagged as any, and moves no mean."""
    before = {f"{name}.EM": builders.right(70) for name in ("noisy", "a", "b")}
    here = builders.measured(values={**before, "noisy.EM": builders.right(40)})
    there = builders.measured(values=before)
    usual = comparison(here, there, Policy())
    warned = comparison(here, there, Policy(warn_only=frozenset({"noisy"})))

    assert usual.overall
    assert warned.overall
    assert [True, False, False] == [delta.warn_only for delta in warned.deltas]
    assert [Verdict.REGRESSED, Verdict.REGRESSED] == [
        one.deltas[0].verdict for one in (usual, warned)
    ]
    assert (0.6, 0.7) == pytest.approx((usual.overall.candidate, warned.overall.candidate))


# Properties

ANSWERS = st.lists(st.sampled_from([0.0, 1.0]), min_size=12, max_size=12)
PAIRS = st.dictionaries(
    st.sampled_from(["a.EM", "b.EM", "c.F1", "d.toxic"]), st.tuples(ANSWERS, ANSWERS), min_size=1
)
OPPOSITE = {Verdict.REGRESSED: Verdict.IMPROVED, Verdict.IMPROVED: Verdict.REGRESSED}


@given(PAIRS)
def test_swapped_sides_have_the_opposite_verdicts(
    pairs: dict[str, tuple[list[float], list[float]]],
) -> None:
    """What regressed one way improved the other way, with the same p and the counts exchanged."""
    lower = ["d.toxic"]
    one = builders.measured(values={key: a for key, (a, _) in pairs.items()}, lower=lower)
    other = builders.measured(values={key: b for key, (_, b) in pairs.items()}, lower=lower)
    forth, back = comparison(one, other), comparison(other, one)

    assert {key: OPPOSITE.get(one, one) for key, one in verdicts(forth).items()} == verdicts(back)
    for there, here in zip(forth.deltas, back.deltas, strict=True):
        assert (there.better, there.worse) == (here.worse, here.better)
        assert there.difference == pytest.approx(-here.difference)
        assert there.p == pytest.approx(here.p, abs=1e-9)


@given(PAIRS)
def test_a_mark_needs_both(pairs: dict[str, tuple[list[float], list[float]]]) -> None:
    """Whatever the scores: marked is what has an adjusted p under alpha and exceeds min_effect."""
    policy = Policy(alpha=0.2, min_effect=0.3)
    here = builders.measured(values={key: a for key, (a, _) in pairs.items()})
    there = builders.measured(values={key: b for key, (_, b) in pairs.items()})

    for delta in comparison(here, there, policy).deltas:
        assert delta.p_adjusted is not None
        assert (delta.verdict in OPPOSITE) == (
            delta.p_adjusted < 0.2 and abs(delta.difference) > 0.3
        )


def test_parts_of_a_benchmark_are_in_no_mean() -> None:
    """A task and its group have the same questions, which count once."""
    several = {"group.acc": WORSE, "task.acc": WORSE, "other.acc": BETTER}
    here = builders.measured(values=several)
    there = builders.measured(values={**several, "group.acc": BETTER, "task.acc": BETTER})
    key = ScoreKey("group", "acc")
    subjects = {"task": SubjectScore(value=0.4, n=100)}
    here, there = (
        replace(side, scores={**side.scores, key: replace(side.scores[key], subjects=subjects)})
        for side in (here, there)
    )
    overall = comparison(here, there).overall

    assert overall is not None
    assert 0.8 == overall.baseline
    assert 3 == len(comparison(here, there).deltas)
