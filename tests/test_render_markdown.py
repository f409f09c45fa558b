"""The report as GitHub Markdown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helm_wandb.render import markdown
from helm_wandb.render.safe_text import Name, plain
from tests import builders
from tests.golden_reports import REPORTS, large
from tests.test_render_safe_text import ANY_TEXT, Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from helm_wandb.model import Report

LIMIT = 1_048_576


@pytest.mark.parametrize("name", REPORTS)
def test_markdown_golden(name: str, golden: Callable[[str, str], None]) -> None:
    """The job summary looks as in the golden file."""
    golden(f"{name}.md", markdown.render(REPORTS[name], limit_bytes=LIMIT))


def _elements(text: str) -> set[str]:
    return set(Page(text, inside="p").elements)


@pytest.mark.parametrize("name", REPORTS)
def test_page_has_no_element_of_a_name(name: str) -> None:
    """No report makes a link, an image, a rule or any element that is not the template's."""
    text = markdown.render(REPORTS[name], limit_bytes=LIMIT)

    ours = "h2 h3 p ul li table thead tbody tr th td code details summary"
    assert _elements(text) <= set(ours.split())


@settings(max_examples=40, deadline=None)
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
    assert ("Shown in part: at most" in text) == (len(text) < len(_whole(report)))
    assert "organisation/model-000" in text
    assert text.endswith("helm-wandb-action 1.2.3\n")


def _whole(report: Report) -> str:
    return markdown.render(report, limit_bytes=1 << 40)


@pytest.mark.parametrize("limit", [0, 1, 150, 400, 1_500])
def test_tiny_budget_is_kept(limit: int) -> None:
    """Where there is hardly any room, there is a sentence or nothing, never too much."""
    text = markdown.render(REPORTS["curve"], limit_bytes=limit)

    assert len(text.encode()) <= limit
    assert text == "" or text.startswith("## HELM evaluations: 1 model")


def test_least_text_says_where_the_rest_is() -> None:
    """Where no table fits, the headline stands with the place of all the rest."""
    assert markdown.render(REPORTS["curve"], limit_bytes=200) == (
        "## HELM evaluations: 1 model, 16 metrics, 6 iterations; no baseline to compare with\n\n"
        "The rest does not fit; the report JSON has all.\n"
    )


def test_links_of_sinks_are_shown() -> None:
    """Where a sink put its part is one click away."""
    report = builders.report([builders.evaluation()])
    linked = markdown.render(
        replace(report, links={"W&B": "https://wandb.ai/me/project"}), limit_bytes=LIMIT
    )

    assert "Recorded in [W&#38;B](<https://wandb.ai/me/project>).\n" in linked


@settings(deadline=None)
@given(st.integers(min_value=-5, max_value=70_000))
def test_any_budget_is_kept(limit: int) -> None:
    """No budget is exceeded, whatever it is."""
    assert len(markdown.render(REPORTS["hostile"], limit_bytes=limit).encode()) <= max(limit, 0)


def test_name_in_origin_is_code() -> None:
    """The branch's name is shown and does nothing."""
    page = Page(markdown.render(REPORTS["hostile"], limit_bytes=LIMIT), inside="code")

    assert plain(Name("branch/`a|b`")) in page.found
