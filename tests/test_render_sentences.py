"""What is said of a run beside its tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from helm_wandb.model import Gate, Verdict
from helm_wandb.render import sentences
from tests import builders
from tests.golden_reports import DELTAS, OVERALL, REGRESSION
from tests.test_render_deltas import of, report

if TYPE_CHECKING:
    from helm_wandb.model import Comparison


def test_the_interval_is_explained_where_there_is_one() -> None:
    """One sentence says what it includes and what it does not, and of how many tests."""
    rule, words = sentences.legend(of(*DELTAS))

    assert rule.startswith("Δ is the candidate less the baseline, over the same questions")
    assert "all 6 tests of this run (Holm)" in rule
    assert "another training run would differ by more" in rule
    assert "Visible from: the true change that this run would have marked" in words
    assert [] == sentences.legend(of(DELTAS[5]))


def test_steps_are_explained_without_a_baseline() -> None:
    """Where only iterations were compared, the rule is about them."""
    rule, gate, _ = sentences.legend(report(steps=[builders.comparison(*DELTAS)]))

    assert rule.startswith("Δ is the last iteration less the one before, over the same questions")
    assert "all 6 tests of these steps (Holm)" in rule
    assert "Steps close no gate." == gate


def test_steps_beside_a_baseline_have_their_own_tests() -> None:
    """The steps' tests are counted apart from the baseline's."""
    result = report(builders.comparison(*DELTAS), steps=[builders.comparison(REGRESSION)])

    assert (
        "Since the iteration before: there Δ is the last iteration less the one before, marked by "
        "the same rule beside 1 test of it, and it closes no gate."
    ) in sentences.legend(result)


def test_the_rule_counts_what_holm_counts() -> None:
    """Metrics without a direction are in no family, and not in the number of tests; a mean is."""
    mean = replace(
        builders.delta(None, 0.5, 0.4, Verdict.REGRESSED, within=(-0.2, 0)), p_adjusted=0.03
    )
    undirected = replace(REGRESSION, lower_is_better=None, p_adjusted=None)
    rule, *_ = sentences.legend(
        report(builders.comparison(REGRESSION, undirected, DELTAS[3], overall=mean))
    )

    assert "all 3 tests of this run (Holm)" in rule


def test_what_only_warns_is_explained() -> None:
    """If a score is under warn_only, the legend and the mean's sentence say what that means."""
    warned = builders.comparison(replace(REGRESSION, warn_only=True), DELTAS[3], overall=OVERALL)
    result = report(warned)

    assert "never fail the job" in sentences.legend(result)[-1]
    assert "could be tested (without warn_only), " in sentences.summary_sentences(result)[0]


def test_the_change_in_the_leaderboard_is_explained() -> None:
    """If a model's mean has a change next to it, the legend says which mean."""
    result = sentences.legend(report(builders.comparison(*DELTAS, overall=OVERALL)))

    assert result[-1].startswith("Δ vs baseline, in the leaderboard: the change of the mean over")


@pytest.mark.parametrize(
    ("comparison", "start"),
    [
        (builders.comparison(DELTAS[5]), "No change could be tested: that needs"),
        (builders.comparison(not_comparable={"a.b": "x"}), "Nothing could be compared; "),
    ],
)
def test_a_run_that_tells_nothing_says_why(comparison: Comparison, start: str) -> None:
    """Deltas without a test, and scores that can't be compared, are named as such."""
    (sentence,) = sentences.summary_sentences(report(comparison))

    assert sentence.startswith(start)


def test_a_run_beside_a_baseline_without_scores_is_silent() -> None:
    """Where neither side has a score, the headline tells all there is."""
    assert [] == sentences.summary_sentences(report(builders.comparison()))


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict.REGRESSED, "a drop."),
        (Verdict.IMPROVED, "a rise."),
        (Verdict.NO_CHANGE, "no change."),
        (Verdict.INCONCLUSIVE, "no evidence of a change."),
    ],
)
def test_the_overall_delta_is_a_sentence(verdict: Verdict, words: str) -> None:
    """The mean over benchmarks is shown with its interval and what to make of it."""
    result = report(builders.comparison(overall=replace(OVERALL, verdict=verdict)))

    (sentence,) = sentences.summary_sentences(result)

    assert sentence == (
        "Mean over the benchmarks that could be tested, alpha: 0.628 → 0.636, "
        f"Δ +0.8 pp [−1.5, +3.1]: {words}"
    )


def test_another_iteration_of_the_baseline_is_reported() -> None:
    """If the baseline lacks the iteration, a sentence says which one it was."""
    result = report(builders.comparison(iteration=2000, against=1000))

    (sentence,) = sentences.summary_sentences(result)

    assert sentence == (
        "Compared with another iteration of the baseline, the greatest that it has: "
        "alpha at iteration 2000 with 1000."
    )


def test_many_models_make_no_page_of_sentences() -> None:
    """The overall changes of several models stand in the leaderboard, and the rest is counted."""
    result = report(
        *(
            builders.comparison(model=model, iteration=2, against=1, overall=OVERALL)
            for model in "abcde"
        )
    )

    (sentence,) = sentences.summary_sentences(result)

    assert sentence.endswith(
        "a at iteration 2 with 1; b at iteration 2 with 1; c at iteration 2 with 1 and 2 more."
    )


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        (Gate(closed=True, reasons=("a", "b")), ["Job failed: a; b."]),
        (
            Gate(closed=False, reasons=("a",), accepted_by="ok"),
            ["The job passes, as the label ok accepts it: a."],
        ),
        (
            Gate(closed=False, reasons=("a",)),
            ["Doesn't fail the job (fail-on: never): a."],
        ),
        (Gate(closed=False, reasons=()), []),
        (
            Gate(closed=True, reasons=("a",), warnings=("b", "c")),
            ["Job failed: a.", "Doesn't fail the job: b; c."],
        ),
        (None, []),
    ],
)
def test_each_way_of_the_gate_has_its_sentence(gate: Gate | None, expected: list[str]) -> None:
    """A closed, an accepted and an open gate show all reasons; a gate without any is silent."""
    assert expected == sentences.summary_sentences(report(gate=gate))


def test_reasons_of_the_gate_are_counted_beyond_a_limit() -> None:
    """Of a hundred reasons the first ones and a number are shown."""
    gate = Gate(closed=True, reasons=tuple(map(str, range(100))))

    assert ["Job failed: 0; 1 and 98 more."] == sentences.summary_sentences(
        report(gate=gate), limit=2
    )
