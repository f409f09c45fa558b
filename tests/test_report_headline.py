"""The one-line headline of a report."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from helm_wandb.model import Gate, Provenance, UnmatchedModels, Verdict
from helm_wandb.report.headline import LENGTH, headline
from tests import builders
from tests.golden_reports import COMMENTS, DELTAS, REGRESSION, REPORTS
from tests.test_render_deltas import of, report, thousands


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "regression",
            (
                "❌ mymodel: boolq −13.0 pp, civil_comments +4.3 pp (worse), hellaswag +15.0 pp, "
                "2 inconclusive"
            ),
        ),
        (
            "accepted",
            (
                "❌ 2 models: regressions accepted, boolq of mymodel −13.0 pp, "
                "civil_comments of other +4.3 pp (worse)"
            ),
        ),
        ("improvement", "✅ 2 models: hellaswag of mymodel +15.0 pp, 2 inconclusive, 1 no change"),
        (
            "no_regression",
            "✅ mymodel: no regression, 1 inconclusive (detectable from 5.0 pp), 1 no change",
        ),
        (
            "floor",
            (
                "❌ mymodel: job failed (boolq.EM is 0.6, below its floor of 0.7), "
                "imdb ±0.0 pp, no change"
            ),
        ),
        ("untestable", "⚠️ mymodel: no score could be tested"),
        (
            "not_comparable",
            "⚠️ mymodel: boolq.EM is 0.6, below its floor of 0.7; no score could be tested",
        ),
        ("no_baseline", "\u2139\ufe0f 4 models: 16 metrics, no baseline yet"),
        ("renamed", "⚠️ mymodel isn't in the baseline, which has acme/assistant and 1 more"),
        (
            "warn_only",
            (
                "⚠️ alpha: boolq −13.0 pp (warn only), 1 inconclusive, 1 no change, "
                "mymodel isn't in the baseline"
            ),
        ),
        ("project", "\u2139\ufe0f 2 models: the W&B project's ranking"),
    ],
)
def test_the_headline_names_what_changed(name: str, text: str) -> None:
    """A mark, the model, each flagged change with its size, and the counts of the others."""
    assert text == COMMENTS[name].headline


def test_without_a_baseline_the_previous_checkpoint_is_in_the_headline() -> None:
    """The changes since then are named as those against a baseline, and are no mark's reason."""
    flagged = REPORTS["compared_quiet"].headline
    quiet = report(steps=[builders.comparison(DELTAS[3], DELTAS[6], iteration=6, against=5)])

    assert flagged.startswith("\u2139\ufe0f mymodel since iteration 1: boolq −13.0 pp, ")
    assert quiet.headline == (
        "\u2139\ufe0f alpha since iteration 5: wmt −3.25 and 1 more inconclusive"
    )


def test_several_models_have_a_checkpoint_each() -> None:
    """The headline names no iterations if each model has others."""
    steps = [builders.comparison(REGRESSION, model=model) for model in ("a", "b")]

    assert report(steps=steps).headline.startswith(
        "\u2139\ufe0f 2 models since their previous checkpoints: boolq of a −13.0 pp, "
    )


def test_a_job_that_passes_with_a_regression_says_so() -> None:
    """The mark alone would say that it failed; a failed job, or a command, needs no word."""
    regressed = report(builders.comparison(REGRESSION), gate=Gate(closed=False, reasons=("a",)))
    failed = replace(regressed, gate=Gate(closed=True, reasons=("a",)))
    typed = replace(regressed, provenance=Provenance(tool_version="1"))

    assert "❌ alpha: boolq −13.0 pp, job passed" == headline(regressed)
    assert {"❌ alpha: boolq −13.0 pp"} == {headline(one) for one in (failed, typed)}
    assert "passed" not in headline(replace(regressed, unread=1))


def test_untested_steps_are_not_in_the_headline() -> None:
    """What was not tested takes no room."""
    result = report(steps=[builders.comparison(DELTAS[5], iteration=2, against=1)])

    assert "\u2139\ufe0f alpha: 1 metric, no baseline yet" == result.headline


def test_a_metric_is_named_if_its_benchmark_has_several() -> None:
    """The benchmark alone names a change if no other metric of it was compared."""
    other = builders.delta("boolq.F1", 0.7, 0.7, Verdict.INCONCLUSIVE, within=(-0.1, 0.1))

    assert "❌ alpha: boolq −13.0 pp" == of(REGRESSION).headline
    assert "❌ alpha: boolq EM −13.0 pp, 1 inconclusive" == of(REGRESSION, other).headline


def test_a_renamed_model_stands_with_what_the_baseline_has() -> None:
    """If only one of several models is missing, the baseline's other models may be the same."""
    lacking = UnmatchedModels(models=("beta",), baseline_models=("alpha", "b"), origin="x")
    result = builders.report(
        [builders.evaluation("alpha"), builders.evaluation("beta")],
        comparisons=[builders.comparison(DELTAS[3])],
        not_in_baseline=lacking,
    )
    same = replace(lacking, baseline_models=("alpha",))

    assert result.headline.endswith(", beta isn't in the baseline, which has b instead")
    assert headline(replace(result, not_in_baseline=same)).endswith(" isn't in the baseline")


def test_the_mean_is_named_like_a_benchmark() -> None:
    """A mean that regressed is among the changes."""
    mean = builders.delta(None, 0.5, 0.4, Verdict.REGRESSED, within=(-0.2, -0.05))

    assert "❌ alpha: boolq −13.0 pp, mean −10.0 pp" == (
        report(builders.comparison(REGRESSION, overall=mean)).headline
    )


def test_what_is_better_when_lower_says_which_way_it_went() -> None:
    """The sign alone doesn't say whether a lower score is worse."""
    better = replace(DELTAS[2], difference=-0.043, verdict=Verdict.IMPROVED)

    assert "✅ alpha: civil_comments −4.3 pp (better)" == of(better).headline


def test_more_changes_than_fit_are_counted() -> None:
    """The largest are named, and the others counted by direction, with those that only warn."""
    deltas = [
        replace(REGRESSION, key=builders.delta(f"b{at}.EM", 0, 0, Verdict.REGRESSED).key)
        for at in range(6)
    ]
    deltas[5] = replace(deltas[5], warn_only=True)
    named = ", ".join(f"b{at} −13.0 pp" for at in range(4))

    assert f"❌ alpha: {named}, 2 more regressions (1 warn only), 1 improvement" == (
        of(*deltas, DELTAS[0]).headline
    )


@pytest.mark.parametrize("length", [1, 30, 60, 400])
def test_the_headline_is_short(length: int) -> None:
    """Names are cut, and changes counted instead of named, so that the whole of it is read."""
    name = "x" * length
    results = [
        thousands(12, 16),
        report(builders.comparison(*DELTAS, model=name, not_comparable={"a.b": "x"})),
        report(*(builders.comparison(*DELTAS, model=f"{name}{at}") for at in range(3))),
    ]

    assert max(len(result.headline) for result in results) <= LENGTH


def test_a_headline_without_room_names_no_model() -> None:
    """If the counts take all the room, they are all that there is."""
    counted = builders.comparison(
        *(delta for delta in DELTAS for _ in range(10**3)), model="x" * 40
    )
    text = headline(replace(report(counted), unread=10**12, contradictions=10**12))

    assert text.startswith("❌ 2000 regressions, 1000 improvements, 2000 inconclusive, ")


def test_long_names_of_both_sides_are_cut() -> None:
    """A renamed model's headline has the beginnings of both names."""
    lacking = UnmatchedModels(
        models=("x" * 400, "b"), baseline_models=("y" * 400, "b"), origin="base.json"
    )
    text = headline(replace(COMMENTS["renamed"], not_in_baseline=lacking))

    assert f"{'x' * 19}… and 1 more aren't in the baseline" in text
    assert text.endswith(f"which has {'y' * 19}… and 1 more")


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"unread": 1}, "1 artifact unread"),
        ({"contradictions": 2}, "2 contradictions"),
        ({"unread": 2, "contradictions": 1}, "2 artifacts unread, 1 contradiction"),
    ],
)
def test_what_is_incomplete_is_not_green(counts: dict[str, int], words: str) -> None:
    """If something could not be read, or evaluations differ, no mark says that all is well."""
    text = headline(replace(COMMENTS["no_regression"], **counts))

    assert text.startswith("⚠️ ")
    assert words in text


def test_a_failed_job_is_red() -> None:
    """A closed gate is red without a regression, also if there is no baseline."""
    closed = Gate(closed=True, reasons=("there is no baseline to compare with",))

    assert headline(replace(COMMENTS["no_baseline"], gate=closed)).startswith(
        "❌ 4 models: job failed (there is no baseline to compare with), "
    )


BROKEN = ("boolq.EM of mymodel is 0.6, below its floor of 0.7",)


def test_a_broken_floor_is_named_if_it_fails_nothing() -> None:
    """With `fail-on: never`, or a label, the heading says why its mark is a warning."""
    never, accepted = (
        replace(COMMENTS["floor"], gate=Gate(closed=False, reasons=BROKEN, accepted_by=label))
        for label in (None, "ok")
    )

    assert headline(never) == (
        "⚠️ mymodel: boolq.EM is 0.6, below its floor of 0.7; imdb ±0.0 pp, no change"
    )
    assert headline(accepted) == (
        "⚠️ mymodel: accepted (boolq.EM is 0.6, below its floor of 0.7), imdb ±0.0 pp, no change"
    )


def test_a_broken_floor_goes_before_sizes_and_warnings() -> None:
    """Detectable effects make room for it, and a change that only warns doesn't hide it."""
    long = ("natural_qa_closedbook.F1 of mymodel is 0.45, below its floor of 0.5", "another")
    quiet = replace(COMMENTS["no_regression"], gate=Gate(closed=False, reasons=long))
    warned = replace(COMMENTS["warn_only"], gate=Gate(closed=True, reasons=BROKEN))

    assert headline(quiet) == (
        "⚠️ mymodel: natural_qa_closedbook.F1 is 0.45, below its floor of 0.5 and 1 more; "
        "1 inconclusive, 1 no change"
    )
    assert headline(warned).startswith("❌ alpha: job failed, ")


def test_any_model_and_metric_is_one_visible_line() -> None:
    """Names of others can neither break the line nor hide in it."""
    hostile = builders.comparison(REGRESSION, model="a\n\u202eb\x1b[1m")

    assert "❌ a??b?[1m: boolq −13.0 pp" == report(hostile).headline
