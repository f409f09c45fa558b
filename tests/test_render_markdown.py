"""The report as GitHub Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from helm_wandb.render import markdown
from helm_wandb.text.safe_text import Name, plain
from tests import builders
from tests.golden_reports import REPORTS, TABLE, in_sections, large, without_tables
from tests.test_text_safe_text import ANY_TEXT, Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from helm_wandb.model import Report

LIMIT = 1_048_576


def test_markdown_golden(golden: Callable[[str, str], None]) -> None:
    """The job summary looks as in the golden file."""
    golden("compared.md", markdown.render(REPORTS["compared"], limit_bytes=LIMIT))


def test_markdown_around_tables_golden(golden: Callable[[str, str], None]) -> None:
    """Every summary has the titles, sentences, folds and diagrams that the golden file shows."""
    texts = {name: markdown.render(one, limit_bytes=LIMIT) for name, one in REPORTS.items()}
    golden("summaries.md", in_sections({name: without_tables(texts[name]) for name in texts}))


def _rows(text: str) -> list[list[list[str]]]:
    """Return the cells of each row of each table, with the heads and the rule below them."""
    return [
        [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
        for table in TABLE.findall(text)
    ]


@pytest.mark.parametrize("name", REPORTS)
def test_tables_keep_their_columns(name: str) -> None:
    """Whatever the names hold, each row has the cells that its table's head has."""
    tables = _rows(markdown.render(REPORTS[name], limit_bytes=LIMIT))

    assert [1] * len(tables) == [len({len(row) for row in table}) for table in tables]


def test_hostile_cells_golden(golden: Callable[[str, str], None]) -> None:
    """Names and reasons that hold Markdown are escaped as in the golden file."""
    texts = [
        markdown.render(REPORTS[name], limit_bytes=LIMIT)
        for name in ("hostile", "compared_hostile")
    ]
    cells = (cell for text in texts for _, _, *rows in _rows(text) for row in rows for cell in row)
    hostile = dict.fromkeys(cell for cell in cells if re.search("[&<].*[a-z]", cell))

    golden("hostile_cells.md", "".join(f"{cell}\n" for cell in hostile))


def _elements(text: str) -> set[str]:
    return set(Page(text, inside="p").elements)


@pytest.mark.parametrize("name", REPORTS)
def test_page_has_no_element_of_a_name(name: str) -> None:
    """No report makes a link, an image, a rule or any element but the template's and diagrams."""
    text = markdown.render(REPORTS[name], limit_bytes=LIMIT)

    ours = "h2 h3 p ul li strong table thead tbody tr th td code pre details summary sub"
    assert _elements(text) <= set(ours.split())


@given(ANY_TEXT, ANY_TEXT)
def test_any_names_keep_the_page_whole(model: str, note: str) -> None:
    """With any model and note the page has the same elements in the same order."""
    report = builders.report([builders.evaluation(model or "x")], notes=[note or "x"])
    usual = builders.report([builders.evaluation("x")], notes=["x"])

    page = Page(markdown.render(report, limit_bytes=LIMIT), inside="li")
    expected = Page(markdown.render(usual, limit_bytes=LIMIT), inside="li")
    assert expected.elements == page.elements
    assert plain(note or "x") == page.found


@pytest.mark.parametrize("limit", [LIMIT, 65_536, 20_000])
@pytest.mark.parametrize(
    "report", [large(), large(models=120, metrics=10, iterations=3)], ids=["models", "curves"]
)
def test_large_report_fits_and_says_what_is_left_out(report: Report, limit: int) -> None:
    """Within any budget the page is whole, and says so where it is shown in part."""
    text = markdown.render(report, limit_bytes=limit)

    assert len(text.encode()) <= limit
    assert text.count("<details>") == text.count("</details>")
    assert ("**Shortened to fit: " in text) == (len(text) < len(_whole(report)))
    assert "organisation/model-" in text
    assert text.endswith("helm-wandb-action 1.2.3</sub>\n")


def _whole(report: Report) -> str:
    return markdown.render(report, limit_bytes=1 << 40)


@pytest.mark.parametrize("limit", [0, 1, 150, 400, 1_500])
def test_tiny_budget_is_kept(limit: int) -> None:
    """Where there is hardly any room, there is a sentence or nothing, never too much."""
    text = markdown.render(REPORTS["curve"], limit_bytes=limit)

    assert len(text.encode()) <= limit
    assert text == "" or text.startswith("## \u2139\ufe0f mymodel: 16\xa0metrics")


def test_least_text_says_where_the_rest_is() -> None:
    """Where no table fits, the headline stands with the place of all the rest."""
    assert markdown.render(REPORTS["curve"], limit_bytes=100) == (
        "## \u2139\ufe0f mymodel: 16\xa0metrics, no baseline yet\n\n"
        "The report JSON has all of it.\n"
    )


def test_links_of_sinks_are_shown() -> None:
    """Where a sink put its part is one click away."""
    report = builders.report([builders.evaluation()])
    linked = markdown.render(
        replace(report, links={"W&B": "https://wandb.ai/me/project"}), limit_bytes=LIMIT
    )

    assert "yet\n\n[W&#38;B](<https://wandb.ai/me/project>)\n" in linked


@pytest.mark.parametrize(
    ("limit", "shown", "more"),
    [
        (LIMIT, 2_000, ""),
        (50_000, 500, "1500 more problems are in the log."),
        (120, 0, "2000 more"),
    ],
)
def test_a_run_without_a_report_says_why(limit: int, shown: int, more: str) -> None:
    """Where nothing could be read, the page has the reasons, as many as fit, and counts them."""
    problems = [f"runs/{at}: stats.json cannot be read" for at in range(2_000)]
    text = markdown.render_unread(problems, builders.report([]).provenance, limit_bytes=limit)

    assert text.startswith("## ❌ No results\n")
    assert len(text.encode()) <= limit
    assert shown == text.count("stats.json")
    assert more in text


def test_one_problem_that_is_left_out_is_counted() -> None:
    """Where not even the only reason fits, the log has it."""
    text = markdown.render_unread(["x" * 3_000], builders.report([]).provenance, limit_bytes=200)

    assert "\n1 more problem is in the log.\n" in text


def test_a_hostile_problem_is_text() -> None:
    """A reason quotes artifacts, and stands as one item whatever it holds."""
    problem = "</details>\n- @octocat #1 ::error::x"
    text = markdown.render_unread([problem], builders.report([]).provenance, limit_bytes=LIMIT)
    page = Page(text, inside="li")

    assert ["h2", "ul", "li", "p", "code"] == page.elements
    assert plain(problem) == page.found


@given(st.integers(min_value=-5, max_value=70_000))
def test_any_budget_is_kept(limit: int) -> None:
    """No budget is exceeded, whatever it is."""
    assert len(markdown.render(REPORTS["hostile"], limit_bytes=limit).encode()) <= max(limit, 0)


def test_name_in_origin_is_code() -> None:
    """The branch's name is shown and does nothing."""
    page = Page(markdown.render(REPORTS["hostile"], limit_bytes=LIMIT), inside="code")

    assert plain(Name("branch/`a|b`")) in page.found
