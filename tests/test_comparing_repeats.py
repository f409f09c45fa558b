"""Several runs of one checkpoint: their mean, and the noise between them in intervals and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from scipy import stats  # type: ignore[import-untyped] # no types published

from bench import repeats_simulation
from helm_wandb.comparing import changed_instances, evaluations, pairing, repeats, verdicts
from helm_wandb.comparing.statistics import mean_interval, minimum_detectable, overall
from helm_wandb.comparing.statistics.repeats import average_runs, run_noise
from helm_wandb.model import Baseline, Evaluation, Policy, Repeats, Score, ScoreKey, Verdict
from helm_wandb.report import from_json, to_json

from . import builders
from .rows import parametrize_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helm_wandb.comparing.statistics import Estimate

KEY = ScoreKey("boolq", "EM")


def run(values: Sequence[float], *, model: str = "alpha", seed: str | None = None) -> Evaluation:
    """One run over questions with these scores."""
    score = Score(
        value=sum(values) / len(values),
        n=len(values),
        lower_is_better=False,
        subjects={},
        instances=builders.instances(values),
        fingerprint=None if seed is None else {"max_train_instances": "5", "random": seed},
    )
    return replace(builders.evaluation(model), scores={KEY: score})


def mean_of(*runs: Sequence[float]) -> Score:
    """The score of several runs."""
    averaged, faults = repeats.average([run(values) for values in runs])
    assert () == faults
    return averaged.scores[KEY]


def compare(candidate: Score, baseline: Score) -> Estimate:
    """The difference of two scores."""
    pairs = pairing.pair_scores(candidate, baseline)
    assert pairs is not None
    return pairing.estimate([pairs])


def answers(right: np.ndarray, effect: float, generator: np.random.Generator) -> list[float]:
    """Right and wrong answers of a run that lies above its checkpoint by the effect."""
    chances = np.clip(right + effect, 0, 1)
    return [float(one) for one in generator.random(len(right)) < chances]


# The mean over runs


def test_a_question_has_the_mean_of_its_runs() -> None:
    """Two runs that differ in one of four questions give it one half."""
    score = mean_of([1, 0, 1, 1], [1, 1, 1, 1])
    assert score.instances is not None
    assert (0.875, (1, 0.5, 1, 1)) == (score.value, tuple(score.instances.value))
    assert score.repeats is not None
    assert (0.75, 1) == score.repeats.values


def test_runs_in_another_order_of_questions_are_joined_by_question() -> None:
    """The n-th row of two runs need not be the same question."""
    first, second = run([1.0, 0.0, 0.5]), run([0.0, 0.0, 1.0])
    columns = second.scores[KEY].instances
    assert columns is not None
    turned = replace(
        columns,
        **{name: getattr(columns, name)[::-1] for name in ("stratum", "id", "trial", "input")},
        cluster=columns.cluster,
        value=tuple(columns.value)[::-1],
    )
    other = replace(second, scores={KEY: replace(second.scores[KEY], instances=turned)})
    averaged, _ = repeats.average([first, other])
    instances = averaged.scores[KEY].instances
    assert instances is not None
    assert (0.5, 0, 0.75) == tuple(instances.value)


def test_runs_over_other_questions_have_a_mean_that_cannot_be_tested() -> None:
    """The score stays, and says why it has no instances."""
    averaged, faults = repeats.average([run([1, 0, 1]), run([1, 0, 1, 1])])
    score = averaged.scores[KEY]
    assert (None, None, ()) == (score.instances, score.repeats, faults)
    assert "the runs that are averaged are not over the same questions" == score.no_instances


def test_runs_with_other_settings_are_not_averaged() -> None:
    """The first run's score stays, and the fault says what differs."""
    other = run([0, 0])
    shots = replace(other.scores[KEY], fingerprint={"max_train_instances": "0", "random": "1"})
    averaged, faults = repeats.average([run([1, 1], seed="1"), replace(other, scores={KEY: shots})])
    assert 1 == averaged.scores[KEY].value
    assert (
        "boolq.EM of alpha is that of the first run alone: 0-shot here, 5-shot there.",
    ) == faults


def test_a_score_that_a_run_lacks_stays_the_first_runs() -> None:
    """It isn't compared as a mean of fewer runs without a word."""
    averaged, faults = repeats.average([run([1, 1]), replace(run([0, 0]), scores={})])
    assert 1 == averaged.scores[KEY].value
    assert ("boolq.EM of alpha is that of the first run alone: 1 of 2 runs lack it.",) == faults


def test_another_seed_is_no_other_setting_if_runs_are_averaged() -> None:
    """The noise between seeds is known then; with one run on each side it is not."""
    one, other = (run([1, 0], seed=seed).scores[KEY] for seed in "12")
    assert "random 1 here, random 2 there" == evaluations.describe_other_settings(one, other)
    averaged, faults = repeats.average([run([1, 0], seed="1"), run([1, 1], seed="2")])
    assert () == faults
    assert evaluations.describe_other_settings(averaged.scores[KEY], other) is None


@given(st.integers(2, 5), st.integers(10, 60), st.integers(0, 2**32))
def test_variance_within_is_what_single_answers_give(runs: int, questions: int, seed: int) -> None:
    """It is the residual mean square of questions × runs by the number of questions."""
    table = np.random.default_rng(seed).random((runs, questions))
    score = mean_of(*table.tolist())
    residual = table - table.mean(0) - table.mean(1, keepdims=True) + table.mean()
    square = (residual**2).sum() / ((runs - 1) * (questions - 1))
    assert score.repeats is not None
    assert score.repeats.within == pytest.approx(square / questions)


# The noise between runs


def test_noise_between_runs_is_that_of_students_t() -> None:
    """Over questions without any spread, the interval is that of two samples of runs."""
    here, there = [0.5, 0.6, 0.7], [0.3, 0.5, 0.4]
    estimate = compare(
        mean_of(*([value] * 50 for value in here)), mean_of(*([value] * 50 for value in there))
    )
    known = stats.ttest_ind(here, there)
    assert estimate.interval is not None
    limits = known.confidence_interval()
    assert known.pvalue == pytest.approx(estimate.p, rel=0.03)
    assert (limits.low, limits.high) == pytest.approx(
        (estimate.interval.low, estimate.interval.high), abs=0.002
    )


def test_the_noise_of_two_runs_moves_no_interval_off_the_scale() -> None:
    """Two runs hardly show the noise: their Student's t alone would end beyond 100 points."""
    right = [1.0, 0.0] * 25
    estimate = compare(mean_of(right, [1.0, 1.0] * 25), run(right).scores[KEY])
    assert estimate.interval is not None
    assert (-1, 1) == (estimate.interval.low, estimate.interval.high)
    assert estimate.ends(0.95)[0] < -1
    mean = overall([estimate, estimate])
    assert mean.interval is not None
    assert -1 <= mean.interval.low < mean.interval.high <= 1


def test_a_side_with_one_run_takes_the_others_noise() -> None:
    """Its run has the whole variance, the mean of four a quarter of it."""
    several = Repeats(values=(0.4, 0.5, 0.6, 0.5), within=0.001)
    noise = run_noise(several, None)
    assert noise is not None
    assert 3 == noise.degrees_of_freedom
    assert np.var(several.values, ddof=1) * 1.25 == pytest.approx(noise.variance)
    assert 0.00125 == pytest.approx(noise.within)
    assert noise == run_noise(None, several)
    assert run_noise(None, None) is None


@given(st.integers(1, 3), st.integers(1, 3), st.integers(0, 2**32))
def test_p_and_interval_never_contradict_each_other(here: int, there: int, seed: int) -> None:
    """The interval excludes 0 exactly if p is below 5%, and is never narrower than one run's."""
    generator = np.random.default_rng(seed)
    right = generator.random(40)
    sides = [
        [answers(right, generator.normal(shift, 0.02), generator) for _ in range(count)]
        for count, shift in ((here, 0.1), (there, 0.0))
    ]
    estimate = compare(
        *(mean_of(*side) if len(side) > 1 else run(side[0]).scores[KEY] for side in sides)
    )
    of_questions = replace(estimate, runs=(None, None))
    assert estimate.interval is not None
    assert of_questions.interval is not None
    assert estimate.p is not None
    is_outside = not estimate.interval.low <= 0 <= estimate.interval.high
    assert is_outside == (estimate.p < 0.05)
    assert estimate.interval.low <= of_questions.interval.low + 1e-9
    assert of_questions.interval.high - 1e-9 <= estimate.interval.high


def test_the_interval_of_a_mean_over_runs_has_their_noise() -> None:
    """It is wider than that of the questions alone, unless the runs agree."""
    generator = np.random.default_rng(3)
    right = generator.choice([0.05, 0.5, 0.95], 200)
    score = mean_of(*(answers(right, shift, generator) for shift in (-0.1, 0.0, 0.1)))
    assert score.instances is not None
    assert score.repeats is not None
    strata = pairing.split_strata(score.instances)
    assert strata is not None
    alike = Repeats(values=(score.value,) * 3, within=0.0)
    without, with_noise, agreed = (
        mean_interval(strata, runs) for runs in (None, score.repeats, alike)
    )
    assert without is not None
    assert with_noise is not None
    assert without == agreed
    assert 1.5 < (with_noise.high - with_noise.low) / (without.high - without.low)


def test_runs_that_agree_change_nothing_but_the_number_of_runs() -> None:
    """Answers at temperature 0 have no noise."""
    values, others = [1.0, 0.0] * 20, [1.0] * 20 + [0.0] * 20
    alike = compare(mean_of(others, others), mean_of(values, values))
    single = compare(run(others).scores[KEY], run(values).scores[KEY])
    assert alike.p == pytest.approx(single.p, rel=1e-6)
    assert (2, 2) == alike.run_counts
    assert single.run_counts is None


def test_more_runs_make_smaller_changes_detectable() -> None:
    """Three runs know the noise between them badly, eight well."""
    generator = np.random.default_rng(7)
    right = generator.choice([0.05, 0.5, 0.95], 300)
    runs = [answers(right, generator.normal(0, 0.01), generator) for _ in range(9)]
    baseline = run(runs.pop()).scores[KEY]
    effects = [
        minimum_detectable(
            compare(mean_of(*runs[:count]), baseline), alpha=0.05, tests=1, min_effect=0
        )
        for count in (3, 8)
    ]
    assert None not in effects
    assert effects[1] < effects[0]  # type: ignore[operator]


def test_a_question_that_its_epochs_answer_differently_is_flaky() -> None:
    """Its mean over the epochs is neither 0 nor 1. Of another reducer, no value is a share."""
    (score,) = run([0.0, 1 / 3, 1.0]).scores.values()
    three = replace(score, fingerprint={"epochs": "3", "reducer": "mean"})
    assert {1 / 3} == repeats.flaky_values(three)
    assert not repeats.flaky_values(replace(score, fingerprint={"epochs": "3", "reducer": "mode"}))
    assert not repeats.flaky_values(replace(three, fingerprint={"epochs": "9" * 5_000}))
    both = mean_of([0.0, 1 / 3, 1.0], [1.0, 2 / 3, 1.0])
    assert {0.5} == repeats.flaky_values(replace(both, fingerprint=three.fingerprint))


CASES = (
    repeats_simulation.Case(300, (3, 3)),
    repeats_simulation.Case(300, (2, 2), 0.04, changed=0.15),
    repeats_simulation.Case(300, (3, 3), 0.02),
    repeats_simulation.Case(100, (5, 1), 0.02),
)
PAIRS = 150


@parametrize_rows("case", CASES, quick=CASES[:2])
def test_few_runs_without_a_change_are_flagged(case: repeats_simulation.Case) -> None:
    """At most 6%, and with a drop 93% of the intervals hold it, but for what chance adds."""
    row = repeats_simulation.simulate(case, PAIRS)
    assert row.flagged <= 100 * stats.binom.ppf(0.999, PAIRS, 0.06) / PAIRS
    assert row.covered >= 100 * stats.binom.ppf(0.001, PAIRS, 0.93) / PAIRS
    assert 1 == repeats_simulation.table([row]).row_count


def test_the_mean_over_benchmarks_keeps_what_moves_whole_runs() -> None:
    """A seed that helps one benchmark and harms another moves their mean less."""
    up, down = Repeats(values=(0.4, 0.6), within=0.001), Repeats(values=(0.6, 0.4), within=0.001)
    candidate, baseline = average_runs([(up, None), (down, None)], [0.5, 0.5])
    assert baseline is None
    assert candidate is not None
    assert (0.5, 0.5) == pytest.approx(candidate.values)
    assert 0.0005 == pytest.approx(candidate.within)


# What the report says


def test_a_report_keeps_the_runs_of_a_score() -> None:
    """Its reader has what the test of a later run needs."""
    averaged, _ = repeats.average([run([1, 0, 1, 1]), run([1, 1, 1, 1])])
    (read,) = from_json(to_json(builders.report([averaged])))
    assert averaged.scores[KEY].repeats == read.scores[KEY].repeats


def test_runs_whose_noise_no_float_holds_are_untestable() -> None:
    """A report from a fork can have any numbers in its runs, and crashes nothing."""
    candidate = run([1.0, 0.0] * 20)
    hostile = Repeats(values=(1e200, -1e200, 1.5), within=1e300)
    scores = {KEY: replace(candidate.scores[KEY], repeats=hostile)}
    (baseline,) = from_json(to_json(builders.report([replace(candidate, scores=scores)])))
    label = Baseline(origin="main", model="alpha", iteration=0)
    (compared,) = verdicts.compared([verdicts.Partner(candidate, baseline, label)], Policy())
    assert (Verdict.UNTESTABLE, pairing.WHY_UNTESTABLE) == (
        compared.deltas[0].verdict,
        compared.deltas[0].why,
    )


def test_a_comparison_says_how_many_runs_each_side_has() -> None:
    """A question that some runs answer right and some wrong is flaky."""
    baseline = run([1.0] * 40)
    averaged, _ = repeats.average(
        [run([0.0] * 20 + [1.0] * 20)] * 2 + [run([0.0] * 19 + [1.0] * 21)]
    )
    partner = verdicts.Partner(
        averaged, baseline, Baseline(origin="main", model="alpha", iteration=0)
    )
    compared = verdicts.compared([partner], Policy())
    (delta,) = compared[0].deltas
    assert (3, 1) == delta.runs
    (attached,) = changed_instances.attach_changed_instances(compared, [partner])
    items = attached.deltas[0].items
    assert items is not None
    assert {"id19"} == {item.id for item in items if item.flaky}
