"""Baselines as means over the last reports of the base branch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from scipy import stats  # type: ignore[import-untyped] # no types published

from bench import averaging_simulation
from helm_wandb.baselines import BaselineRequest, averaging, pairs, resolve
from helm_wandb.baselines.matches import BaselineMatch
from helm_wandb.comparing import pairing, verdicts
from helm_wandb.comparing.statistics import Estimate, overall
from helm_wandb.model import Evaluation, Policy, Score, ScoreKey
from helm_wandb.report import to_json
from helm_wandb.runner.inputs import BaselineChoice
from tests import builders
from tests.repository_in_memory import Repository, report_zip
from tests.rows import parametrize_rows
from tests.test_baselines_search import PUSH

KEY = ScoreKey("mmlu", "EM")
FIVE, NONE = {"max_train_instances": 5}, {"max_train_instances": 0}
CHANCES = np.random.default_rng(1).choice([0.1, 0.5, 0.9], 200)


def answers(seed: int, shift: float = 0.0) -> list[float]:
    """Right and wrong answers of a checkpoint that answers some questions by chance."""
    right = np.random.default_rng(seed).random(len(CHANCES)) < np.clip(CHANCES + shift, 0, 1)
    return [float(one) for one in right]


def evaluation(seed: int, shift: float = 0.0, shots: dict[str, int] | None = None) -> Evaluation:
    """One evaluation of that checkpoint."""
    return builders.measured("alpha", 3, {KEY: answers(seed, shift)}, fingerprint=shots or FIVE)


def match(commit: str, one: Evaluation) -> BaselineMatch:
    """A report of main at this commit."""
    return BaselineMatch(
        origin="artifact", evaluations=(one,), ref="refs/heads/main", commit=commit
    )


def average(reports: list[BaselineMatch], count: int) -> list[BaselineMatch]:
    """The reports as baselines of a pull request with the settings of the first."""
    return averaging.average_reports(reports, pairs.partners([evaluation(9)], *reports), count)


def estimate(candidate: Score, baseline: Score) -> Estimate:
    """The difference of two scores."""
    paired = pairing.pair_scores(candidate, baseline)
    assert paired is not None
    return pairing.estimate([paired])


def values(one: BaselineMatch) -> list[float]:
    """The scores of its questions."""
    instances = one.evaluations[0].scores[KEY].instances
    assert instances is not None
    return list(instances.value)


def test_a_baseline_is_the_mean_by_question() -> None:
    """It names the commits whose reports are in it."""
    reports = [match(f"c{at}" * 20, evaluation(at)) for at in range(4)]
    first, *_ = average(reports, 3)
    expected = np.mean([answers(0), answers(1), answers(2)], axis=0)
    assert list(expected) == pytest.approx(values(first))
    assert expected.mean() == pytest.approx(first.evaluations[0].scores[KEY].value)
    assert "artifact; averaged with c1c1c1c, c2c2c2c" == first.origin


def test_one_report_alone_stays_as_it_is() -> None:
    """Without `baseline_reports`, nothing is averaged."""
    reports = [match(f"c{at}" * 20, evaluation(at)) for at in range(2)]
    assert reports == average(reports, 1)


def test_reports_before_a_significant_change_are_left_out() -> None:
    """If main improved at c1, c2 and all before it are of another model."""
    reports = [
        match("c0" * 20, evaluation(0)),
        match("c1" * 20, evaluation(1)),
        match("c2" * 20, evaluation(2, shift=-0.3)),
        match("c3" * 20, evaluation(3)),
    ]
    first, *_ = average(reports, 4)
    assert list(np.mean([answers(0), answers(1)], axis=0)) == pytest.approx(values(first))
    assert "artifact; averaged with c1c1c1c" == first.origin


def test_reports_with_other_settings_are_left_out() -> None:
    """One with 0 shots isn't in a mean of those with 5, and ends nothing."""
    reports = [
        match("c0" * 20, evaluation(0)),
        match("c1" * 20, evaluation(1, shots=NONE)),
        match("c2" * 20, evaluation(2)),
    ]
    first, *_ = average(reports, 3)
    assert "artifact; averaged with c2c2c2c" == first.origin


def test_only_what_is_compared_is_averaged() -> None:
    """A benchmark that the pull request lacks stays that of the nearest report."""
    reports = []
    for at in range(3):
        both = {"mmlu.EM": answers(at), "boolq.EM": answers(at)}
        reports.append(match(f"c{at}" * 20, builders.measured("alpha", 3, both, fingerprint=FIVE)))
    first, *others = average(reports, 3)
    scores, unaveraged = first.evaluations[0].scores, reports[0].evaluations[0].scores
    other = ScoreKey("boolq", "EM")
    assert scores[KEY] != unaveraged[KEY]
    assert scores[other] is unaveraged[other]
    assert others == reports[1:]


def test_a_mean_of_reports_makes_smaller_changes_detectable() -> None:
    """With three reports the noise of the baseline's answers is a third."""
    candidate = evaluation(9)
    effects = []
    for count in (1, 3):
        base, *_ = average([match(f"c{at}" * 20, evaluation(at)) for at in range(3)], count)
        label = builders.comparison().baseline
        partner = verdicts.Partner(candidate, base.evaluations[0], label)
        (delta,) = verdicts.compared([partner], Policy())[0].deltas
        assert delta.mde is not None
        effects.append(delta.mde)
    assert 0.75 < effects[1] / effects[0] < 0.97


def test_a_mean_must_be_significant_against_the_latest_report_too() -> None:
    """If main moved, the latest report's interval is the part of the hull that is right."""
    (base, *_) = average(
        [match("c0" * 20, evaluation(0)), match("c1" * 20, evaluation(1, shift=-0.05))], 2
    )
    candidate, mean = evaluation(9).scores[KEY], base.evaluations[0].scores[KEY]
    averaged, alone = (
        estimate(candidate, one) for one in (replace(mean, latest=None), evaluation(0).scores[KEY])
    )
    low, high = alone.ends(1 - 1.5 * 0.05)
    both = estimate(candidate, mean).interval
    assert both is not None
    assert averaged.interval is not None
    hull = min(low, averaged.interval.low), max(high, averaged.interval.high)
    assert hull == pytest.approx((both.low, both.high))
    assert hull != pytest.approx((averaged.interval.low, averaged.interval.high))


@given(st.integers(0, 2**32), st.sampled_from([-0.2, -0.1, 0.0, 0.1, 0.2]))
def test_p_and_interval_of_a_mean_never_contradict_each_other(seed: int, shift: float) -> None:
    """The interval excludes 0 exactly if p is below 5%, and p is never below the mean's alone."""
    (base, *_) = average([match(f"c{at}" * 20, evaluation(seed + at)) for at in range(3)], 3)
    candidate, mean = evaluation(seed + 9, shift).scores[KEY], base.evaluations[0].scores[KEY]
    both, averaged = (estimate(candidate, one) for one in (mean, replace(mean, latest=None)))
    assert both.interval is not None
    assert both.p is not None
    assert averaged.p is not None
    assert (both.p < 0.05) == (not both.interval.low <= 0 <= both.interval.high)
    assert averaged.p <= both.p <= 1


def test_the_mean_over_benchmarks_must_hold_against_the_latest_reports() -> None:
    """A benchmark whose older reports were left out has its own test in both means."""
    (base, *_) = average([match(f"c{at}" * 20, evaluation(at)) for at in range(3)], 3)
    candidate = evaluation(9).scores[KEY]
    of_mean = estimate(candidate, base.evaluations[0].scores[KEY])
    alone = estimate(candidate, evaluation(0).scores[KEY])
    mean = overall([of_mean, alone])
    assert mean.latest is not None
    assert overall([alone, alone]).difference == mean.latest.difference
    assert overall([alone, alone]).latest is None


def test_no_report_has_the_instances_of_a_latest_one() -> None:
    """They belong to a baseline, which no report's evaluations are."""
    one = evaluation(0)
    averaged = replace(one.scores[KEY], latest=one.scores[KEY].instances)
    written = to_json(builders.report([replace(one, scores={KEY: averaged})]))
    assert to_json(builders.report([one])) == written


CASES = (
    averaging_simulation.Case(300, 5, step=0.04),
    averaging_simulation.Case(100, 3, step=0.08),
    averaging_simulation.Case(300, 3, walk=0.02),
    averaging_simulation.Case(100, 2),
)
PAIRS = 150


@parametrize_rows("case", CASES, quick=CASES[:1])
def test_few_runs_are_flagged_if_the_base_branch_moves(case: averaging_simulation.Case) -> None:
    """At most 6%, and with a drop 93% of the intervals hold it, but for what chance adds."""
    row = averaging_simulation.simulate(case, PAIRS)
    assert row.flagged <= 100 * stats.binom.ppf(0.999, PAIRS, 0.06) / PAIRS
    assert row.covered >= 100 * stats.binom.ppf(0.001, PAIRS, 0.93) / PAIRS
    assert 1 == averaging_simulation.table([row]).row_count


def test_the_search_goes_on_until_there_are_enough_reports() -> None:
    """An expired artifact and one with other settings are passed over."""
    repository = Repository()
    for at, one in {
        "c7": evaluation(0),
        "c6": evaluation(1, shots=NONE),
        "c5": evaluation(2),
        "c4": evaluation(3),
        "c3": evaluation(4),
    }.items():
        repository.add(at, report_zip(one))
    request = BaselineRequest(
        choice=BaselineChoice.ARTIFACT, event=PUSH, github=repository.github, reports=3
    )
    result = resolve([evaluation(9)], request)
    (partner,) = result.partners
    assert partner.baseline_label.origin.endswith("; averaged with c5, c4")
    instances = partner.baseline.scores[KEY].instances
    assert instances is not None
    expected = np.mean([answers(0), answers(2), answers(3)], axis=0)
    assert list(expected) == pytest.approx(list(instances.value))
