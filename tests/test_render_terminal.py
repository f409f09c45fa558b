"""The report on a terminal and in a pipe."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from helm_wandb.model import BaselineNote
from helm_wandb.render import terminal
from helm_wandb.text.safe_text import Name, plain
from tests import builders
from tests.golden_reports import REPORTS, in_sections, large

if TYPE_CHECKING:
    from collections.abc import Callable

    from helm_wandb.model import Report

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def test_terminal_golden(golden: Callable[[str, str], None]) -> None:
    """On 80 columns the report looks as in the golden file."""
    golden("compared.terminal.txt", terminal.render(REPORTS["compared"], width=80, colour=False))


@pytest.mark.parametrize("name", ["curve", "hostile"])
def test_terminal_details_golden(name: str, golden: Callable[[str, str], None]) -> None:
    """Below the leaderboard, many columns stand in blocks, and long names are folded."""
    text = terminal.render(REPORTS[name], width=80, colour=False)
    details = text[text.index("The mean is" if name == "hostile" else "mymodel by") :]
    golden(f"{name}.terminal.txt", details)


def test_reports_golden(golden: Callable[[str, str], None]) -> None:
    """All sentences, tables and numbers of each report are those of the golden file."""
    texts = {name: terminal.render_piped(report) for name, report in REPORTS.items()}
    golden("reports.txt", in_sections(texts))


def test_what_the_log_says_is_no_note() -> None:
    """Faults, and the baseline, are not shown once more; other notes are."""
    hidden = [terminal.LoggedNote("two"), BaselineNote("Baseline: two.")]
    report = builders.report([builders.evaluation()], notes=["one", *hidden])

    for text in (terminal.render(report, width=80, colour=False), terminal.render_piped(report)):
        assert "Note: one\n" in text
        assert "two" not in text


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("name", REPORTS)
def test_nothing_is_wider_than_the_terminal(name: str, width: int) -> None:
    """No line of a table or a sentence leaves the terminal, by the width of its cells."""
    lines = terminal.render(REPORTS[name], width=width, colour=False).splitlines()
    title, *others = lines

    assert title == plain(REPORTS[name].headline)
    assert [line for line in others if cell_len(line) > width] == []


@pytest.mark.parametrize("name", REPORTS)
def test_colour_changes_nothing_but_colour(name: str) -> None:
    """Without its escape sequences, the coloured text is the plain one."""
    coloured = terminal.render(REPORTS[name], width=80, colour=True)
    seen = "".join(f"{line.rstrip()}\n" for line in ESCAPE.sub("", coloured).splitlines())

    assert coloured != seen
    assert seen == terminal.render(REPORTS[name], width=80, colour=False)


@pytest.mark.parametrize("name", ["curve", "models", "left_out", "missing"])
def test_terminal_and_pipe_show_the_same_numbers(name: str) -> None:
    """Every word of the pipe's text is on the terminal as well."""
    pipe = terminal.render_piped(REPORTS[name]).split()
    screen = terminal.render(REPORTS[name], width=80, colour=False).split()

    assert set(pipe) - set(screen) == set()


def test_columns_of_wide_characters_are_aligned() -> None:
    """East Asian names take two cells a character, and the numbers below each other do not move."""
    evaluations = [
        builders.evaluation(model) for model in ("模型-七十亿", "short", "e\u0301\u0301")
    ]
    text = terminal.render(builders.report(evaluations), width=80, colour=False)
    board = text.split("\n\n")[1].splitlines()[1:]

    assert len(board) == 5
    assert {cell_len(line) for line in board} == {cell_len(board[0])}


def test_wide_names_as_heads_fit_next_to_each_other() -> None:
    """Columns are put side by side by the cells that their heads take, and no head is folded."""
    names = [f"模型模型模型模型模型{at}" for at in range(6)]
    report = builders.report([builders.evaluation(name) for name in names])
    lines = terminal.render(report, width=80, colour=False).split("Scores\n")[1].splitlines()

    assert [line for line in lines if cell_len(line) > 80] == []
    assert [sum(name in line for line in lines) for name in names] == [1] * 6


@given(st.text(), st.text())
@pytest.mark.parametrize(
    "render", [terminal.render_piped, partial(terminal.render, width=80, colour=False)]
)
def test_any_name_is_one_line_of_visible_text(
    render: Callable[[Report], str], model: str, note: str
) -> None:
    """Whatever the names hold, no control or direction character reaches the terminal."""
    text = render(builders.report([builders.evaluation(model)], notes=[note]))

    assert [line for line in text.splitlines() if line != plain(line)] == []
    assert text == text.encode().decode()


def test_long_names_are_cut_and_not_lost() -> None:
    """A name longer than a line is folded, and its numbers are still next to the metrics."""
    report = builders.report([builders.evaluation("x" * 400), builders.evaluation("beta")])
    text = terminal.render(report, width=80, colour=False)

    assert plain(Name("x" * 400)) not in text
    assert "…" in text
    assert "mmlu.EM" in text.split("Scores")[1]


def test_large_report_is_printed_whole() -> None:
    """Of 500 models with 60 metrics each stands in the leaderboard, the scores and the reasons."""
    text = terminal.render_piped(large())

    assert text.count("model-499") == 3
