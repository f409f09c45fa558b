"""CONTRIBUTING's recipe for a column."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from helm_wandb.render import comment, deltas, markdown, tables, terminal
from helm_wandb.render.html import html_report
from helm_wandb.render.tables import Column
from tests.conftest import GOLDEN
from tests.golden_reports import REPORTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from helm_wandb.model import Report

MOST_FILES = 6
"""Golden files that a new column changes at most."""
FORMATS = {
    "pipe": terminal.render_piped,
    "terminal": lambda report: terminal.render(report, width=200, colour=False),
    "summary": lambda report: markdown.render(report, limit_bytes=1 << 20),
    "comment": lambda report: comment.render(report, limit_bytes=1 << 16),
    "HTML": html_report.render,
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_column_is_added_in_one_place(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one more entry in COLUMNS, each table of deltas shows the column in each format."""
    render: Callable[[Report], str] = FORMATS[name]
    before = render(REPORTS["compared"])
    column = (Column("Toy"), lambda row: f"toy {row[1].key}")
    monkeypatch.setattr(deltas, "COLUMNS", (*deltas.COLUMNS, column))
    after = unescape(render(REPORTS["compared"])).replace("\N{NO-BREAK SPACE}", " ")

    assert "Toy" not in before
    assert (5, 1, 1) == (
        after.count("Toy"),
        after.count("toy boolq.EM"),
        after.count("toy hellaswag.EM"),
    )


LABELS = [
    *(column.label for column in deltas.first_tables(REPORTS["compared"])[0].columns),
    *(column.label for column in deltas.leaderboard(REPORTS["compared"]).columns),
    *(column.label for column in tables.leaderboard(REPORTS["models"]).columns),
]


@pytest.mark.parametrize("label", [one for one in dict.fromkeys(LABELS) if " " in one])
def test_a_column_is_in_few_golden_files(label: str) -> None:
    """One golden file shows the tables of all reports, and one shows each format."""
    # A colon, a comma or a number follows where a sentence has the words of the column.
    head = re.compile(re.escape(label) + "(?![:,]|\\s[+−±])")
    texts = {path.name: unescape(path.read_text(encoding="utf-8")) for path in GOLDEN.iterdir()}
    files = [name for name, text in texts.items() if head.search(text)]

    assert 0 < len(files) <= MOST_FILES, files
