"""Baselines as means over the last reports of the base branch."""

from __future__ import annotations

import numpy as np
import pytest

from helm_wandb.baselines import BaselineRequest, averaging, pairs, resolve
from helm_wandb.baselines.matches import BaselineMatch
from helm_wandb.comparing import verdicts
from helm_wandb.model import Evaluation, Policy, ScoreKey
from helm_wandb.runner.inputs import BaselineChoice
from tests import builders
from tests.repository_in_memory import Repository, report_zip
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
    assert 0.7 < effects[1] / effects[0] < 0.95


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
