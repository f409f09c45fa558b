"""Scores over the last runs, in tables and plots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from helm_wandb.render import comment, terminal
from helm_wandb.render.history import history_tables
from helm_wandb.render.html import html_report
from helm_wandb.render.html.history_plots import PLOTS_SHOWN, history_plots
from tests import builders
from tests.golden_reports import REPORTS

if TYPE_CHECKING:
    from collections.abc import Callable

REPORT = REPORTS["history"]


def test_tables_golden(golden: Callable[[str, str], None]) -> None:
    """The comment folds a table of each model, with its trend, range and standard error."""
    text = comment.render(REPORT, limit_bytes=65_536)
    start = text.index("<details><summary>alpha over")

    golden("history.md", text[start : text.index("</details>", text.index("beta over"))])


def test_a_trend_has_three_points() -> None:
    """Two commits are the comparison; models that this run lacks are no news."""
    titles = [table.title for table in history_tables(REPORT)]

    assert [
        f"{model} over the last 4 runs, commit 0000000 to 3333333" for model in ("alpha", "beta")
    ] == titles
    assert [["mmlu.EM", "x.bits ↓"], ["mmlu.EM"]] == [
        [row[0] for row in table.rows] for table in history_tables(REPORT)
    ]


def test_plots_are_over_commits() -> None:
    """Models of the same commits share a plot; each point has its numbers in words."""
    first, second = history_plots(REPORT)

    assert (["alpha", "beta"], ["alpha"]) == (
        [one.model for one in first.series],
        [one.model for one in second.series],
    )
    assert ["0000000", "3333333"] == [tick.label for tick in first.x_ticks]
    assert (
        "alpha, commit 3333333, iteration 4000: 45.0 (standard error 2.1)"
        == first.series[0].points[-1].words
    )
    assert "alpha, commit 2222222, iteration 3000: 31.4" == second.series[0].points[-1].words
    assert ("whiskers: ±1 standard error", "axis from 35 to 50%, not from 0") == first.remarks


def test_the_page_has_the_plots() -> None:
    """The HTML report draws them, and folds the tables; without history it has neither."""
    page = html_report.render(REPORT)

    assert "<h2>Over the last runs</h2>" in page
    assert "<summary>alpha over the last 4 runs" in page
    assert "Over the last runs" not in html_report.render(REPORTS["curve"])


def test_the_terminal_has_the_tables() -> None:
    """A run with a baseline prints them below the leaderboard."""
    assert "beta over the last 4 runs, commit 0000000 to 3333333" in terminal.render_piped(REPORT)


def test_so_many_plots_are_drawn() -> None:
    """The other metrics are in the table."""
    keys = [f"b{at:02}.EM" for at in range(PLOTS_SHOWN + 3)]
    report = builders.report(
        [builders.evaluation("alpha", scores=dict.fromkeys(keys, 0.5))],
        history=[builders.history("alpha", key, (0.1, 0.2, 0.3)) for key in keys],
    )

    assert keys[:PLOTS_SHOWN] == [plot.title for plot in history_plots(report)]
    assert keys == [row[0] for row in history_tables(report)[0].rows]


@pytest.mark.parametrize("value", [0.0, -1.0, 1e300, 5e-324])
def test_any_values_are_shown(value: float) -> None:
    """What no axis holds is in the table only; equal values are a flat line."""
    report = builders.report(
        [builders.evaluation("alpha")],
        history=[builders.history("alpha", "mmlu.EM", [value] * 3, error=0.0)],
    )

    assert (1 if abs(value) < 1e100 and value != 5e-324 else 0) == len(history_plots(report))
    assert 1 == len(history_tables(report)[0].rows)


def test_checkpoints_of_one_commit_have_their_iterations() -> None:
    """Nightly runs evaluate one checkpoint after the other: these name the points."""
    history = builders.history("alpha", "mmlu.EM", (0.1, 0.2, 0.3), commits=["a" * 40] * 3)
    report = builders.report([builders.evaluation("alpha")], history=[history])
    (plot,) = history_plots(report)

    assert "alpha over the last 3 runs, iteration 1000 to 3000" == history_tables(report)[0].title
    assert ("iteration", ["1000", "3000"]) == (plot.x_label, [one.label for one in plot.x_ticks])


def test_a_run_without_a_commit_is_shown() -> None:
    """On the command line there may be none."""
    report = builders.report(
        [builders.evaluation("alpha")],
        history=[
            builders.history("alpha", "mmlu.EM", (0.1, 0.2, 0.3), commits=["a" * 9, None, None])
        ],
    )

    assert history_tables(report)[0].title.endswith("3 runs, commit aaaaaaa to an unknown one")
