"""The HTML report as it is looked at, listened to and used."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from helm_wandb.model import ScoreKey
from helm_wandb.render.html import html_report
from tests import builders
from tests.golden_reports import COMPARED, REPORTS, large
from tests.test_render_changed_instances import SHOWN as ITEMS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from helm_wandb.model import Report
    from tests.browser.browser import Browser, Seen

    Open = Callable[..., Seen]

PAGES = {**REPORTS, "items": ITEMS}
SHOWN = (
    "compared",
    "items",
    "compared_accepted",
    "curve",
    "history",
    "models",
    "project",
    "missing",
    "unranked",
)
HOSTILE = ("hostile", "compared_hostile")
OUTSIDE = """[...document.querySelectorAll("svg text")].filter((text) => {
  const own = text.getBoundingClientRect(), all = text.closest("figure").getBoundingClientRect();
  return own.left < all.left - 1 || own.right > all.right + 1 || own.height < 11;
}).map((text) => text.textContent)"""
"""Words of a plot that are cut off, or too small to be read."""
EACH_COLUMN = """[...document.querySelectorAll("th > button")].flatMap((button) => {
  const head = button.parentElement, table = head.closest("table");
  const column = () => [...table.tBodies[0].rows].map((row) =>
    row.cells[head.cellIndex].textContent.trim());
  const sorted = () => {
    button.click();
    return [head.getAttribute("aria-sort"), head.classList.contains("number"), column()];
  };
  const before = column();
  return [[before, sorted()], [before, sorted()]];
})"""
"""For each column of each table: its cells, and how and to what they are sorted, both ways."""


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Open:
    """A way to open a report's page."""

    def of(report: Report, *todo: dict[str, Any], **look: float) -> Seen:
        path = tmp_path / "report.html"
        path.write_text(html_report.render(report), encoding="utf-8")
        return browser.page(path, *todo, **look)

    return of


@pytest.mark.parametrize("width", [1400, 900, 390])
@pytest.mark.parametrize("name", [*SHOWN, *HOSTILE])
def test_page_fits_its_window(opened: Open, name: str, width: int) -> None:
    """Nothing sticks out of a wide window or a phone's, and the words of plots can be read."""
    sideways = "document.documentElement.scrollWidth"
    seen = opened(PAGES[name], {"evaluate": sideways}, {"evaluate": OUTSIDE}, width=width)

    assert (width, []) == seen.values


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", SHOWN)
def test_page_shuts_nobody_out(opened: Open, name: str, *, dark: bool) -> None:
    """An independent checker finds no barrier: contrast, headings, heads, names, the keyboard."""
    unfold = {"evaluate": 'for (const one of document.querySelectorAll("details")) one.open = true'}
    seen = opened(PAGES[name], unfold, {"barriers": "html"}, dark=dark, width=390)

    assert [] == seen.values[-1]


@pytest.mark.parametrize("name", [*SHOWN, *HOSTILE])
def test_page_is_quiet(opened: Open, name: str) -> None:
    """No request leaves it, no script of it fails, and it says nothing to the console."""
    seen = opened(PAGES[name])

    assert ((), ()) == (seen.console, seen.errors)
    assert 1 == len(seen.requests)


def test_names_run_nothing(opened: Open) -> None:
    """Markup in names, reasons and links is shown as its characters."""
    attack = '"><img src=x onerror=document.title=1><script>document.title=2</script><svg/onload=1>'
    name = f"{attack}.{attack}"
    report = builders.report(
        [builders.evaluation(attack, at, {name: 0.5}, missing={"a.b": attack}) for at in (1, 2)],
        comparisons=[replace(COMPARED["compared"].comparisons[0], model=attack)],
        notes=[attack],
    )
    count = {"evaluate": "[document.images.length, document.scripts.length]"}
    shown = {"evaluate": f"document.body.textContent.includes({attack!r})"}
    seen = opened(replace(report, links={attack: f"https://x/{attack}"}), count, shown)

    assert ([0, 1], True) == seen.values
    assert ((), (), 1) == (seen.console, seen.errors, len(seen.requests))


def test_policy_stops_what_is_smuggled_in(browser: Browser, tmp_path: Path) -> None:
    """A script, a handler and an image that somehow came into the page do nothing."""
    smuggled = (
        '<script>document.title = "ran"</script><img src="https://elsewhere.invalid/x"'
        """ onerror="document.title = 'ran'"><style>main { display: none }</style>"""
    )
    path = tmp_path / "report.html"
    text = html_report.render(REPORTS["curve"])
    path.write_text(text.replace("</main>", f"{smuggled}</main>"))
    display = "getComputedStyle(document.querySelector('main')).display"
    seen = browser.page(path, {"evaluate": "document.title"}, {"evaluate": display})

    assert (REPORTS["curve"].headline, "block") == seen.values
    assert 4 == sum("Content Security Policy" in line for line in seen.console)
    assert ("forbidden https://elsewhere.invalid/x",) == seen.requests[1:]


def _place(cell: str, *, numeric: bool) -> float | str:
    if not numeric:
        return cell
    found = re.match(r"(?:[▼▲]\s)?([±+−]?)<?([\d.]+(?:e-?\d+)?)", cell)
    assert found, cell
    return float(found[2]) * (-1 if found[1] == "−" else 1)


@pytest.mark.parametrize("name", ["compared", "items", "models", "project", "left_out"])
def test_every_column_sorts_both_ways(opened: Open, name: str) -> None:
    """Its values go up, or down, the unknown ones stay last, and no row is lost."""
    (found,) = opened(PAGES[name], {"evaluate": EACH_COLUMN}).values

    for before, (order, numeric, cells) in found:
        known = [cell for cell in cells if cell != "–"]
        assert sorted(before) == sorted(cells)
        assert cells == known + ["–"] * (len(cells) - len(known))
        if numeric:
            places = [_place(cell, numeric=True) for cell in known]
            assert places == sorted(places, reverse=order == "descending")
    assert {"ascending", "descending"} == {order for _, (order, _, _) in found}


def test_changes_sort_by_their_signs(opened: Open) -> None:
    """A drop by 13 points is less than none, which is less than a rise by 4."""
    changed = 'document.querySelector("table")'
    text = "row.cells[0].textContent.replaceAll('\\u00a0', ' ')"
    cells = {"evaluate": f"[...{changed}.tBodies[0].rows].map((row) => {text})"}
    head = {"click": "table th:nth-child(1) > button"}
    seen = opened(COMPARED["compared"], head, cells, head, cells)

    expected = ["▲ +15.0 pp", "▼ +4.3 pp", "▼ −13.0 pp"]
    assert (expected, expected[::-1]) == seen.values


def test_names_sort_by_their_numbers(opened: Open) -> None:
    """Model 9 stands before model 10, whatever their names begin with."""
    models = ["m10", "m9", "7b-x", "alpha"]
    report = builders.report([builders.evaluation(model) for model in models])
    column = "[...document.querySelector('tbody').rows].map((row) => row.cells[1].textContent)"
    head = {"click": "table th:nth-child(2) > button"}
    seen = opened(report, head, {"evaluate": column})

    assert ["7b-x", "alpha", "m9", "m10"] == seen.values[-1]


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_heads_obey_the_keyboard(opened: Open, key: str) -> None:
    """A head is reached by Tab, sorts by Enter and Space, and keeps the focus."""
    head = "document.activeElement.parentElement"
    seen = opened(
        REPORTS["models"],
        {"press": "Tab"},
        {"press": "Tab"},
        {"evaluate": f"{head}.ariaSort"},
        {"press": key},
        {"evaluate": f"[{head}.textContent, {head}.ariaSort]"},
        {"press": key},
        {"evaluate": f"[{head}.textContent, {head}.ariaSort]"},
    )

    assert ("ascending", ["Rank", "descending"], ["Rank", "ascending"]) == seen.values


def test_large_page_is_usable(opened: Open) -> None:
    """With 500 models and 60 metrics it is small, and can be sorted."""
    report = large(models=500, metrics=60)
    size_bytes = len(html_report.render(report).encode())
    sorting = """(() => {
      const button = [...document.querySelectorAll("th > button")].at(-1);
      button.click();
      return button.parentElement.ariaSort;
    })()"""
    seen = opened(report, {"evaluate": sorting})

    assert size_bytes < 4_000_000
    assert ("ascending",) == seen.values
    assert 500 == len(report.leaderboard.rows)
    assert ScoreKey.parse("benchmark_59.metric_59") in report.leaderboard.metrics
