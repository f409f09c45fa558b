"""Reports as mermaid diagrams."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helm_wandb.model import ScoreKey
from helm_wandb.render.charts import CHARTS_SHOWN, COLOURS, Chart, charts
from tests import builders
from tests.contrast import contrast
from tests.golden_reports import REPORTS, large
from tests.test_text_safe_text import ANY_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

    from helm_wandb.model import Evaluation, Report

STRING = r'"[^"\n`#$%&;<>\\{}]+"'
STRINGS = rf"\[{STRING}(, {STRING})*\]"
NUMBER = r"-?\d+(\.\d+)?"
NUMBERS = rf"\[{NUMBER}(, {NUMBER})*\]"
GRAMMAR = re.compile(
    r'%%\{init: \{"xyChart": \{"width": 800, "height": \d+\}, "themeVariables": '
    r'\{"xyChart": \{"plotColorPalette": "#\w{6}(, #\w{6})*"\}\}\}\}%%\n'
    r"xychart-beta( horizontal)?\n"
    rf"  title {STRING}\n"
    rf"  x-axis ({STRING} )?{STRINGS}\n"
    rf"  y-axis {NUMBER} --> {NUMBER}\n"
    rf"  (bar {NUMBERS}|line {NUMBERS}(\n  line {NUMBERS})*)"
)
"""All that a diagram may be."""
PAGES = ("#ffffff", "#0d1117", "#333333")
"""GitHub's light and dark pages, and what mermaid's dark theme draws on."""


def curve(model: str, values: dict[int, float], *, tokens: float | None = None) -> list[Evaluation]:
    """Scores of mmlu.EM by iteration; tokens: billions in one iteration."""
    return [
        builders.evaluation(
            model, at, {"mmlu.EM": value}, tokens_billions=None if tokens is None else at * tokens
        )
        for at, value in values.items()
    ]


def first_of(report: Report) -> Chart:
    """The chart that is shown first."""
    return charts(report)[0]


@pytest.mark.parametrize("name", ["curve", "models", "compared", "hostile"])
def test_charts_are_as_they_were(name: str, golden: Callable[[str, str], None]) -> None:
    """Titles and diagrams stand as they stood."""
    found = charts(REPORTS[name])
    golden(f"{name}.mermaid.txt", "".join(f"{one.title}\n\n{one.diagram}\n\n" for one in found))


def test_curves_of_the_same_iterations_share_a_chart() -> None:
    """The title names each model's colour, in the order of the lines."""
    report = builders.report([*curve("b", {1: 0.5, 2: 0.25}), *curve("a", {1: 0.1, 2: 0.2})])
    found = first_of(report)

    assert "mmlu.EM over iteration: a (blue), b (orange)" == found.title
    assert ["line [10, 20]", "line [50, 25]"] == re.findall(r"line .*", found.diagram)
    assert 'x-axis "iteration" ["1", "2"]' in found.diagram
    assert "y-axis 10 --> 50" in found.diagram


def test_other_iterations_make_another_chart() -> None:
    """Points that stand above each other were measured at the same place."""
    report = builders.report([*curve("a", {1: 0.5, 2: 0.25}), *curve("b", {1: 0.1, 3: 0.2})])

    assert [
        "mmlu.EM over iteration: a",
        "mmlu.EM over iteration: b",
        "Mean of each model",
        "mmlu.EM of each model",
    ] == [one.title for one in charts(report)]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [(0.0042, '"billions of tokens" ["0", "4.2"]'), (0.0, '"iteration" ["0", "1000"]')],
)
def test_places_are_tokens_where_these_differ(tokens: float, expected: str) -> None:
    """No tokens are a number of tokens too; places of one name would be one place."""
    report = builders.report(curve("a", {0: 0.5, 1000: 0.6}, tokens=tokens))

    assert f"x-axis {expected}" in first_of(report).diagram


def test_long_curves_keep_their_ends() -> None:
    """Of 100 points twelve are drawn, evenly, from the first to the last."""
    report = builders.report(curve("a", {at: at / 100 for at in range(1, 101)}))
    (places,) = re.findall(r'x-axis "iteration" \[(.*)\]', first_of(report).diagram)

    assert [1, 10, 19, 28, 37, 46, 55, 64, 73, 82, 91, 100] == [
        int(place.strip('"')) for place in places.split(", ")
    ]


def test_only_so_many_lines_as_can_be_distinguished() -> None:
    """Of six curves four are drawn, and the title counts the others."""
    report = builders.report([one for name in "abcdef" for one in curve(name, {1: 0.1, 2: 0.2})])
    found = first_of(report)

    assert "d (violet), and 2 more in the tables" in found.title
    assert len(COLOURS) == found.diagram.count("line [")


def test_bars_stand_in_the_order_of_the_leaderboard() -> None:
    """The means come first, and a bar begins at 0."""
    found = first_of(REPORTS["models"])

    assert "Mean of each model" == found.title
    assert (
        'x-axis ["gpt-4-0613", "mistral-7b-v0.1", "meta-llama/Llama-2-70b-chat-hf", "mini_3"]'
        in found.diagram
    )
    assert "y-axis 0 --> 60" in found.diagram


def test_bars_say_how_many_are_left_out() -> None:
    """Of 20 models the first twelve have a bar."""
    found = first_of(large(models=20, metrics=2))

    assert "Mean of the first 12 of 20 models" == found.title
    assert 12 == found.diagram.count("model-0")


def test_unknown_scores_have_no_bar() -> None:
    """A metric that one model lacks shows the other ones; one that only one has, nothing."""
    report = builders.report(
        [
            builders.evaluation("a", scores={"mmlu.EM": 0.4, "raft.EM": 0.1}),
            builders.evaluation("b", scores={"mmlu.EM": 0.3, "raft.EM": 0.2}),
            builders.evaluation("c", scores={"mmlu.EM": 0.2, "imdb.EM": 0.3}),
        ]
    )

    assert ["Mean of each model", "mmlu.EM of each model", "raft.EM of each model"] == [
        one.title for one in charts(report)
    ]
    assert 'x-axis ["a", "b"]' in charts(report)[2].diagram


def test_names_that_are_cut_alike_are_numbered() -> None:
    """Mermaid draws one bar for two models of one name."""
    names = [f"{'x' * 40}{end}" for end in "ab"]
    found = first_of(builders.report(list(map(builders.evaluation, names))))

    assert f'["{"x" * 29}… (1)", "{"x" * 29}… (2)"]' in found.diagram


@pytest.mark.parametrize("value", [1e300, -1e13, 1e-300])
def test_values_that_no_axis_shows_have_no_chart(value: float) -> None:
    """They are in the tables."""
    assert () == charts(builders.report(curve("a", {1: value, 2: value})))


def test_charts_are_few() -> None:
    """Of 16 curves half are drawn: each is a separate frame on GitHub's page."""
    assert CHARTS_SHOWN == len(charts(REPORTS["curve"]))


def test_one_evaluation_makes_no_chart() -> None:
    """There is nothing to compare it with."""
    assert () == charts(REPORTS["compared_not"])


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, st.lists(st.floats(-1e12, 1e12), min_size=2, max_size=2))
def test_no_name_leaves_its_string(
    model: str, other: str, metric: str, values: list[float]
) -> None:
    """Whatever models and metrics are called, a diagram is nothing but what it may be."""
    key = ScoreKey.parse(f"x.{metric or 'x'}")
    report = builders.report(
        [
            builders.evaluation(name or "x", at, {str(key): value})
            for name in (model, other)
            for at, value in enumerate(values)
        ],
        metrics=[key],
    )

    for one in charts(report):
        assert GRAMMAR.fullmatch(one.diagram), one.diagram


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", COLOURS)
def test_lines_can_be_seen(name: str, page: str) -> None:
    """Each colour has the contrast that WCAG 2.2 asks of shapes, on every page."""
    assert contrast(COLOURS[name], page) >= 3
