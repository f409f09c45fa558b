"""Sentences that are shown with a run's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from helm_wandb.comparing.gate import describe_regression
from helm_wandb.model import Gate, Provenance, RoutineNote, Verdict
from helm_wandb.render import sentences
from tests import builders
from tests.golden_reports import DELTAS, OVERALL, REGRESSION
from tests.test_render_deltas import of, report

if TYPE_CHECKING:
    from helm_wandb.model import Comparison, Report


def test_the_interval_is_explained_where_there_is_one() -> None:
    """One sentence says what it includes and what it does not, and of how many tests."""
    rule, words = sentences.legend(of(*DELTAS))

    assert rule.startswith("Change is candidate minus baseline, on the same questions")
    assert "after Holm correction for 6 tests" in rule
    assert "another training run would differ by more" in rule
    assert "Detectable effect: the smallest true change that this run would flag" in words
    assert [] == sentences.legend(of(DELTAS[5]))


def test_the_noise_between_runs_is_claimed_only_where_it_is_known() -> None:
    """A benchmark with one run is neither in its own interval nor in the mean's."""
    several = replace(REGRESSION, runs=(3, 1))
    rule, *_ = sentences.legend(of(several))
    assert rule.endswith(
        "The CI is about the choice of questions and about the noise between runs of one "
        "checkpoint (3 here and 1 in the baseline)."
    )
    rule, *_ = sentences.legend(of(several, REGRESSION))
    assert rule.endswith(
        "The CI is about the choice of questions and, for 1 of 2 metrics, about the noise between "
        "runs of one checkpoint (3 here and 1 in the baseline). The other metrics have one run, "
        "whose noise is unknown: their CIs leave it out, and so does the mean's."
    )


@pytest.mark.parametrize(("runs", "is_said"), [((1, 2), True), ((2, 2), True), ((3, 1), False)])
def test_two_runs_are_said_to_hardly_show_the_noise(
    runs: tuple[int, int], *, is_said: bool
) -> None:
    """If no side has three runs, the legend says why the intervals are so wide."""
    rule, *_ = sentences.legend(of(replace(REGRESSION, runs=runs)))

    assert is_said == rule.endswith(
        "in the baseline). Two runs hardly show this noise, so their CIs are wide."
    )


def test_steps_are_explained_without_a_baseline() -> None:
    """Where only iterations were compared, the rule is about them."""
    rule, gate, _ = sentences.legend(report(steps=[builders.comparison(*DELTAS)]))

    assert rule.startswith("Change is the latest checkpoint minus the previous one, on the same")
    assert "after Holm correction for 6 tests" in rule
    assert "Changes since the previous checkpoint never fail the job." == gate


def test_steps_next_to_a_baseline_have_their_own_tests() -> None:
    """The steps' tests are counted apart from the baseline's."""
    result = report(builders.comparison(*DELTAS), steps=[builders.comparison(REGRESSION)])

    assert (
        "Since the previous checkpoint: there, change is the latest checkpoint minus the previous "
        "one, flagged by the same rule after correction for 1 test."
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

    assert "for 3 tests" in rule


def test_what_only_warns_is_explained() -> None:
    """If a score is under warn_only, the legend and the mean's sentence say what that means."""
    warned = builders.comparison(replace(REGRESSION, warn_only=True), DELTAS[3], overall=OVERALL)
    result = report(warned)

    assert "never fail the job" in sentences.legend(result)[-1]
    assert sentences.summary_sentences(result)[0].startswith("Mean of 1 of 2 benchmarks: ")


def test_the_mean_is_explained() -> None:
    """If a model's mean has a change, the legend says which mean."""
    result = sentences.legend(report(builders.comparison(*DELTAS, overall=OVERALL)))

    assert result[-1].startswith("The mean that is compared is over the benchmarks")


@pytest.mark.parametrize(
    ("comparison", "start"),
    [
        (builders.comparison(DELTAS[5]), "No change could be tested: that needs"),
        (builders.comparison(not_comparable={"a.b": "x"}), "Nothing could be compared; "),
    ],
)
def test_a_run_without_results_says_why(comparison: Comparison, start: str) -> None:
    """Deltas without a test, and scores that can't be compared, are named as such."""
    (sentence,) = sentences.summary_sentences(report(comparison))

    assert sentence.startswith(start)


def test_a_run_with_a_baseline_without_scores_is_silent() -> None:
    """If neither side has a score, the headline says everything."""
    assert [] == sentences.summary_sentences(report(builders.comparison()))


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict.REGRESSED, "▼ regressed."),
        (Verdict.IMPROVED, "▲ improved."),
        (Verdict.NO_CHANGE, "no change."),
        (Verdict.INCONCLUSIVE, "inconclusive."),
    ],
)
def test_the_overall_delta_is_a_sentence(verdict: Verdict, words: str) -> None:
    """The mean over benchmarks is shown with its interval and what to make of it."""
    changed = replace(OVERALL, verdict=verdict)
    result = report(builders.comparison(DELTAS[0], DELTAS[3], overall=changed))

    (sentence,) = sentences.summary_sentences(result)

    assert sentence == (
        f"Mean of 2 benchmarks: 62.8 → 63.6 (+0.8 pp, 95% CI −1.5 to +3.1), {words}"
    )


def test_a_change_that_is_not_that_of_the_scores_says_of_which_questions_it_is() -> None:
    """Each side's score is over all questions that the side has."""
    result = report(builders.comparison(*DELTAS[:2], overall=replace(OVERALL, difference=0.011)))

    (sentence,) = sentences.summary_sentences(result)

    assert "62.8 → 63.6 (+1.1 pp on shared questions, 95% CI −1.5 to +3.1)" in sentence


def test_another_iteration_of_the_baseline_is_reported() -> None:
    """If the baseline lacks the iteration, a sentence says which one it was."""
    result = report(builders.comparison(iteration=2000, against=1000))

    (sentence,) = sentences.summary_sentences(result)

    assert sentence == (
        "Compared with another iteration, the latest that the baseline has: "
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


def test_regressions_are_counted_if_they_are_several() -> None:
    """The first table names them; other reasons stand in full."""
    regressed = [builders.comparison(DELTAS[1], model=model) for model in "ab"]
    reasons = tuple(describe_regression(one, DELTAS[1]) for one in regressed)
    floor = "raft.EM of a is 0.1, below its floor of 0.2"

    def said(*shown: str) -> list[str]:
        gate = Gate(closed=True, reasons=shown)
        return sentences.outcome(
            builders.report([builders.evaluation("a")], comparisons=regressed, gate=gate)
        )

    assert said(*reasons, floor)[-1].endswith(f"ailed: 2 regressions; {floor}.")
    assert said(reasons[0])[-1].endswith(f"ailed: {reasons[0]}.")


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        (Gate(closed=True, reasons=("a", "b")), ["The job failed: a; b."]),
        (
            Gate(closed=False, reasons=("a",), accepted_by="ok"),
            ["The job passed despite the ⚠️ (label ok): a."],
        ),
        (
            Gate(closed=False, reasons=("a",)),
            ["The job passed despite the ⚠️ (fail-on: never): a."],
        ),
        (Gate(closed=False, reasons=()), ["The job passed."]),
        (
            Gate(closed=True, reasons=("a",), warnings=("b", "c")),
            ["The job failed: a.", "Doesn't fail the job: b; c."],
        ),
        (None, []),
    ],
)
def test_each_way_of_the_gate_has_its_sentence(gate: Gate | None, expected: list[str]) -> None:
    """A closed, an accepted and an open gate show all reasons; a gate without any is silent."""
    assert expected == sentences.outcome(gated(gate))


def test_advice_on_the_command_line_names_its_flags() -> None:
    """In a job, the advice is about workflows; with a comparison there is none."""
    typed = Provenance(tool_version="1")
    local = replace(builders.report([builders.evaluation()]), provenance=typed)
    unmatched = replace(local, not_in_baseline=("alpha",))
    job = Provenance(tool_version="1", track="branch/main")

    assert "Give a report JSON as --baseline FILE" in sentences.advice(local)
    assert "write a report of it with --report FILE" in sentences.advice(unmatched)
    for one in (local, unmatched):
        assert "on the base branch" in sentences.advice(replace(one, provenance=job))
    assert not sentences.advice(report(builders.comparison(*DELTAS)))


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        (Gate(closed=False, reasons=()), []),
        (Gate(closed=False, reasons=("a",)), ["Doesn't fail (--fail-on never): a."]),
        (Gate(closed=True, reasons=("a",), warnings=("b",)), ["Failed: a.", "Doesn't fail: b."]),
    ],
)
def test_on_the_command_line_there_is_no_job(gate: Gate, expected: list[str]) -> None:
    """A command that somebody typed fails or doesn't, without being called a job."""
    local = replace(gated(gate), provenance=Provenance(tool_version="1"))

    assert expected == sentences.outcome(local)


def gated(gate: Gate | None) -> Report:
    """A report of which there is no more to say than what the gate decides."""
    return report(builders.comparison(), gate=gate)


def test_reasons_of_the_gate_are_counted_beyond_a_limit() -> None:
    """Of a hundred reasons the first ones and a number are shown."""
    gate = Gate(closed=True, reasons=tuple(map(str, range(100))))

    assert ["The job failed: 0; 1 and 98 more."] == sentences.outcome(gated(gate), limit=2)


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        (Gate(closed=False, reasons=()), ["The job failed: 2 artifacts could not be read."]),
        (
            Gate(closed=False, reasons=("a",)),
            [
                "The job failed: 2 artifacts could not be read.",
                "Doesn't fail the job (fail-on: never): a.",
            ],
        ),
        (
            Gate(closed=True, reasons=("a",)),
            ["The job failed: a; 2 artifacts could not be read."],
        ),
    ],
)
def test_what_could_not_be_read_fails_the_job(gate: Gate, expected: list[str]) -> None:
    """No page says that the job passed if something could not be read."""
    result = replace(gated(gate), unread=2)

    assert expected == sentences.outcome(result)


def test_a_baseline_is_linked() -> None:
    """The commit's page is in the run's repository, and the run that wrote it has its own."""
    compared = builders.comparison(REGRESSION, ref="refs/heads/main", commit="4be1c02" + "0" * 33)
    linked = replace(compared, baseline=replace(compared.baseline, url="https://github.example/9"))
    provenance = Provenance(tool_version="1", run_url="https://github.example/o/r/actions/runs/7")
    (found,) = sentences.baselines(replace(report(linked), provenance=provenance))

    assert "main@4be1c02" == found.name
    assert f"https://github.example/o/r/commit/4be1c02{'0' * 33}" == found.commit_url
    assert ("base.json", "https://github.example/9") == (found.origin, found.url)
    assert "" == sentences.baselines(report(linked))[0].commit_url
    assert ["Compared with main@4be1c02 (base.json)."] == sentences.compared_with(report(linked))


def test_routine_notes_are_on_no_page() -> None:
    """A page shows the notes that a reader needs, and no others."""
    result = replace(report(), notes=(RoutineNote("x matches 1 report."), "y"))

    assert ("y",) == sentences.page_notes(result)


def test_the_mean_of_the_only_model_is_a_sentence() -> None:
    """Without a leaderboard, the mean is shown with the metrics that it leaves out, and why."""
    evaluated = builders.evaluation(scores={"mmlu.EM": 0.25, "boolq.EM": 0.5, "x.bits": 3.5})

    (sentence,) = sentences.summary_sentences(builders.report([evaluated]))

    assert sentence.startswith("Mean: 37.5. The mean is over 2 of 3 metrics. Left out: x.bits (not")
    assert [] == sentences.summary_sentences(report())
