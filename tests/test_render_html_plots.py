"""Scores and deltas as places on a page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from helm_wandb.model import Verdict
from helm_wandb.render.html import html_report, plots
from tests import builders
from tests.golden_reports import COMPARED, REPORTS

if TYPE_CHECKING:
    from helm_wandb.model import Evaluation
    from helm_wandb.render.html.plots import Tick


def evaluations(*points: tuple[str, int, float | None, float]) -> list[Evaluation]:
    """Models at iterations with tokens and a score."""
    return [
        builders.evaluation(model, iteration, {"mmlu.EM": value}, tokens_billions=tokens)
        for model, iteration, tokens, value in points
    ]


def report(*points: tuple[str, int, float | None, float]) -> plots.Curves:
    """The one plot of models at iterations with tokens and a score."""
    (found,) = plots.curves(builders.report(evaluations(*points)))
    return found


def labels(ticks: tuple[Tick, ...]) -> list[str]:
    """What stands at an axis."""
    return [tick.label for tick in ticks]


def test_curve_is_over_tokens() -> None:
    """Where all tokens are known they are the axis, and each point says its score in words."""
    found = report(("a", 1000, 4.0, 0.25), ("a", 2000, 8.0, 0.5))

    label = "billions of tokens; iteration 2000 is the last point"
    assert ("mmlu.EM", label) == (found.title, found.x_label)
    assert ["4", "5", "6", "7", "8"] == labels(found.x_ticks)
    assert ["20", "30", "40", "50"] == labels(found.y_ticks)
    (series,) = found.series
    assert ["a, iteration 1000 (4B): 25.0", "a, iteration 2000 (8B): 50.0"] == [
        point.words for point in series.points
    ]
    assert "0.0,83.33 100.0,0.0" == series.polyline


def test_curve_is_over_iterations_where_a_token_count_lacks() -> None:
    """Two axes in one plot would compare what cannot be compared."""
    found = report(
        ("a", 10, 4.0, 0.25), ("a", 20, 8.0, 0.5), ("b", 10, None, 0.25), ("b", 30, None, 0.5)
    )

    assert "iteration" == found.x_label
    assert "a, iteration 10 (4B): 25.0" == found.series[0].points[0].words
    assert "b, iteration 30: 50.0" == found.series[1].points[1].words


def test_single_iterations_make_no_curve() -> None:
    """Models with one iteration are in the tables."""
    assert () == plots.curves(REPORTS["models"])


def test_metric_of_one_iteration_makes_no_curve() -> None:
    """A metric that a model has only once is no curve either."""
    result = [
        builders.evaluation("a", 1, {"mmlu.EM": 0.5}),
        builders.evaluation("a", 2, {"boolq.EM": 0.5}),
    ]

    assert () == plots.curves(builders.report(result))


def test_only_so_many_curves_as_can_be_distinguished() -> None:
    """Of nine models six are drawn, and the others counted."""
    found = report(*((f"m{n}", at, None, 0.5) for n in range(9) for at in (1, 2)))

    assert (6, 3) == (len(found.series), found.more)


def test_flagged_deltas_are_ordered_by_direction_and_size() -> None:
    """Regressions stand before improvements, and what isn't flagged has a plot of its model."""
    report = COMPARED["compared"]
    first, (other,) = plots.flagged(report), plots.unflagged(report)

    assert first is not None
    assert ["boolq.EM", "civil_comments.Toxic fraction", "hellaswag.EM"] == [
        one.label for one in first.whiskers
    ]
    assert ["mmlu.EM", "imdb.EM"] == [one.label for one in other.whiskers]
    assert ["−20", "0", "20"] == labels(first.ticks)
    whisker = first.whiskers[0]
    assert ("−13.0 pp (−22.2 to −5.1)", Verdict.REGRESSED) == (whisker.value, whisker.verdict)
    assert (
        "boolq.EM of mymodel: −13.0 pp (−22.2 to −5.1), regressed, 73.0 → 60.0, "
        "iteration 2000 vs. 1500 (4be1c02), n = 100"
    ) == whisker.words
    assert whisker.low < whisker.at < whisker.high < first.zero


def test_axis_of_changes_ends_where_they_end() -> None:
    """An interval from −22.2 to +24.3 takes nearly all of the axis."""
    found = plots.flagged(COMPARED["compared"])

    assert found is not None
    assert 3 < min(one.low for one in found.whiskers) < 5
    assert 95 < max(one.high for one in found.whiskers) < 97


def test_flagged_deltas_of_all_models_are_in_one_plot() -> None:
    """The largest regression of any model is first, and so many rows are drawn as are readable."""
    (one,) = COMPARED["compared"].comparisons
    comparisons = [replace(one, model=f"m{at}") for at in range(14)]
    found = plots.flagged(builders.report([], comparisons=comparisons))

    assert found is not None
    assert [f"m{at}" for at in range(14)] == [one.model for one in found.whiskers[:14]]
    assert plots.FLAGGED_SHOWN == len(found.whiskers)


def test_without_intervals_there_is_no_plot() -> None:
    """Deltas that could not be tested are in the tables only."""
    untested = builders.delta("quac.F1", 0.3, 0.35, Verdict.UNTESTABLE)
    report = builders.report([], comparisons=[builders.comparison(untested, model="a")])

    assert (None, ()) == (plots.flagged(report), plots.unflagged(report))


def test_scores_with_instances_have_whiskers() -> None:
    """The words of a point have its interval and n, and the caption says what the axis shows."""
    values = [builders.right(90, of=100), builders.right(100, of=100)]
    both = [builders.measured("a", at, {"mmlu.EM": of}) for at, of in enumerate(values)]
    (found,) = plots.curves(builders.report(both))
    points = found.series[0].points

    assert [
        "a, iteration 0: 90.0 (95% CI 83.1 to 96.0), n = 100",
        "a, iteration 1: 100.0 (95% CI 97.1 to 100.0), n = 100",
    ] == [point.words for point in points]
    assert (
        "n = 100",
        "vertical lines: 95% CI",
        "axis from 80 to 100%, not from 0",
    ) == found.remarks
    assert all(
        point.low is not None and point.high is not None and point.high <= point.y <= point.low
        for point in points
    )


@pytest.mark.parametrize(
    "points",
    [
        [("a", 1, None, 1e308), ("a", 2, None, -1e308)],
        [("a", 1, None, 0.5), ("a", 2, None, 1e101)],
        [("a", 1, None, 0.0), ("a", 2, None, 1e-300)],
        [("a", 1, 0.0, 0.25), ("a", 2, 1.7e308, 0.5)],
        [("a", 1, None, 0.25), ("a", 10**400, None, 0.5)],
    ],
)
def test_what_no_axis_holds_is_no_curve(
    points: list[tuple[str, int, float | None, float]],
) -> None:
    """Scores, tokens and iterations of any size end no run; they are in the tables."""
    result = builders.report(evaluations(*points))

    assert () == plots.curves(result)
    assert "<polyline" not in html_report.render(result)


def test_what_is_tiny_next_to_others_is_drawn_as_nothing() -> None:
    """A first checkpoint of 1e-200 does not cost a metric its curve."""
    tiny, nothing = (
        report(("a", 1, None, value), ("a", 2, None, 0.5)).series[0].points[0].y
        for value in (1e-200, 0.0)
    )

    assert nothing == tiny


@pytest.mark.parametrize(
    ("difference", "within"), [(0.1, (-1e308, 1e308)), (5e-324, (0.0, 5e-324))]
)
def test_what_no_axis_holds_is_no_whisker(difference: float, within: tuple[float, float]) -> None:
    """An interval without end takes no other from the plot."""
    other = builders.delta("a.EM", 0.3, 0.4, Verdict.INCONCLUSIVE, within=(0.0, 0.2))
    endless = builders.delta("b.EM", 0.0, difference, Verdict.INCONCLUSIVE, within=within)
    both, alone = (
        plots.unflagged(builders.report([], comparisons=[builders.comparison(*deltas)]))
        for deltas in ((endless, other), (endless,))
    )

    assert [["a.EM"]] == [[one.label for one in plot.whiskers] for plot in both]
    assert () == alone


@pytest.mark.parametrize("value", [0.0, 0.7, -3.25, 1e9, 1e-9])
def test_equal_scores_are_a_flat_line_inside(value: float) -> None:
    """An axis around one value has room on both sides."""
    found = report(("a", 1, None, value), ("a", 2, None, value))
    ends = sorted(tick.at for tick in found.y_ticks)

    assert ends[0] < found.series[0].points[0].y < ends[-1]


@given(
    st.lists(
        st.floats(-1e12, 1e12, allow_subnormal=False).filter(
            lambda value: value == 0 or abs(value) > 1e-9
        ),
        min_size=2,
        max_size=20,
    )
)
def test_every_point_is_on_the_page(values: list[float]) -> None:
    """Whatever the scores are, points and ticks are finite and between the ends of the axis."""
    found = report(*(("a", at, None, value) for at, value in enumerate(values)))
    places = [point.y for point in found.series[0].points]
    ticks = [tick.at for tick in found.y_ticks]

    assert all(map(math.isfinite, [*places, *ticks]))
    assert 2 <= len(ticks) <= 7
    assert min(ticks) - 0.2 <= min(places)
    assert max(places) <= max(ticks) + 0.2


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=8))
def test_any_scores_make_a_curve_of_numbers_or_none(values: list[float]) -> None:
    """No score ends the run, and no point or tick is beyond all numbers."""
    result = evaluations(*(("a", at, None, value) for at, value in enumerate(values)))
    places = [
        place
        for found in plots.curves(builders.report(result))
        for place in (
            *(point.y for point in found.series[0].points),
            *(tick.at for tick in found.y_ticks),
        )
    ]

    assert all(map(math.isfinite, places))
