"""The HTML report."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser
from importlib import resources
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from helm_wandb.model import ScoreKey
from helm_wandb.render.html import html_report, plots
from tests import builders
from tests.contrast import contrast
from tests.golden_reports import COMPARED, REPORTS

if TYPE_CHECKING:
    from collections.abc import Callable

STYLE = resources.files("helm_wandb.render").joinpath("templates/report.css").read_text("utf-8")
SCHEMES = {
    name: dict(re.findall(r"--(\w+): (#\w{6});", rules))
    for name, rules in zip(
        ("light", "dark"), re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL), strict=True
    )
}
VOID = {"meta", "wbr"}
EVENT = re.compile(r"on[a-z]+")


class Page(HTMLParser):
    """A page as a browser takes it apart."""

    def __init__(self, text: str) -> None:
        """Read the page; refuse one whose elements are not balanced."""
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)

        assert [] == self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count an element."""
        self.elements[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count an element that is closed where it begins."""
        self.elements[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """Close what was opened last."""
        assert tag == self._open.pop()

    def handle_data(self, data: str) -> None:
        """Keep what is shown."""
        self.text += data


def test_page_is_as_it_was(golden: Callable[[str, str], None]) -> None:
    """Verdict, tables and plots stand where they stood."""
    golden("compared.html", html_report.render(REPORTS["compared"]))


def test_curves_are_as_they_were(golden: Callable[[str, str], None]) -> None:
    """The curve of each metric is drawn as it was."""
    text = html_report.render(REPORTS["curve"])
    golden("curve.html", text[text.index("<h2>Curves") : text.index("<h2>All scores")])


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_page_needs_nothing_else(name: str) -> None:
    """No element of it loads anything, and no attribute runs anything."""
    page = Page(html_report.render(REPORTS[name]))

    assert (1, 1) == (page.elements["script"], page.elements["style"])
    assert not {"img", "iframe", "link", "object", "embed", "base", "form"} & page.elements.keys()
    assert not [
        key for key, _ in page.attributes if key in {"src", "style"} or EVENT.fullmatch(key)
    ]


def test_hostile_names_make_no_element() -> None:
    """Every element of a page of hostile names is one of the template's, and they are shown."""
    page = Page(html_report.render(COMPARED["compared_hostile"]))
    template = Page(html_report.render(COMPARED["compared"]))

    assert page.elements.keys() <= template.elements.keys()
    for name in ("a|b`c", "@octocat fixes #1", "</details><!--", "模型-七十亿参数"):
        assert name in page.text
    assert "\u202e" not in page.text


def test_its_policy_allows_its_own_script_only() -> None:
    """The digests in the policy are those of the page's one script and one style."""
    text = html_report.render(REPORTS["curve"])
    (policy,) = (result for _, result in Page(text).attributes if result.startswith("default-src"))
    for element, directive in (("script", "script-src"), ("style", "style-src")):
        (content,) = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()

        assert f"{directive} 'sha256-{digest}'" in policy


def test_only_web_pages_are_linked() -> None:
    """A link is to http or https; whatever else a browser would run is left out."""
    report = replace(
        REPORTS["curve"],
        links={"W&B": "https://wandb.example/team", "bad": "javascript:alert(1)"},
        provenance=replace(
            builders.report([]).provenance, run_url="https://github.example/o/r/actions/runs/1"
        ),
    )
    links = [value for name, value in Page(html_report.render(report)).attributes if name == "href"]

    assert ["https://wandb.example/team", "https://github.example/o/r/actions/runs/1"] == links


def test_scores_are_of_all_models() -> None:
    """Models of the project are listed with the run's own, at their latest iteration."""
    table = html_report.scores(REPORTS["project"])

    assert ["Metric", "beta|`x`", "alpha", "gamma"] == [column.label for column in table.columns]
    assert (
        ("mmlu.EM", "40.0", "45.0", "70.0"),
        ("raft.EM", "60.0", "50.0", "–"),
    ) == table.rows


def test_many_models_are_rows() -> None:
    """A table is never wider than 24 models."""
    models = [builders.evaluation(f"m{at:02}") for at in range(25)]

    assert 25 == len(html_report.scores(builders.report(models[:24])).columns)
    assert 2 == len(html_report.scores(builders.report(models)).columns)


def test_scores_hold_what_is_not_ranked() -> None:
    """Metrics and models that the leaderboard does not show have their place in the table."""
    report = builders.report(
        [builders.evaluation("alpha", scores={"x.toxic": 0.1}, lower=["x.toxic"])],
        metrics=[ScoreKey.parse("mmlu.EM")],
    )
    table = html_report.scores(replace(report, leaderboard=replace(report.leaderboard, rows=())))

    assert ["Metric", "alpha"] == [column.label for column in table.columns]
    assert (("x.toxic ↓", "10.0"),) == table.rows


def test_every_row_has_a_head_and_every_table_a_caption() -> None:
    """Whoever hears a table hears what it is, and of what each cell is."""
    page = Page(html_report.render(COMPARED["compared"]))

    assert page.elements["table"] == page.elements["caption"] == page.elements["thead"]
    scopes = Counter(value for name, value in page.attributes if name == "scope")
    assert scopes["row"] + page.elements["thead"] == page.elements["tr"]
    assert scopes["row"] + scopes["col"] == page.elements["th"]


def test_changes_of_many_models_are_in_the_tables() -> None:
    """Of 14 models twelve have a plot, and the page says so."""
    (one,) = COMPARED["compared"].comparisons
    many = tuple(replace(one, model=f"m{at}") for at in range(14))
    page = html_report.render(replace(COMPARED["compared"], comparisons=many))

    assert 12 == page.count(": other changes, in points.")
    assert "(first 12 of 14 models)" in page


def test_colour_repeats_a_mark() -> None:
    """What is red or green says so; a name that begins like a mark gets no colour."""
    report = builders.report([builders.evaluation("▼ regressed")])

    assert ["short regressed", "short regressed", "short improved"] == re.findall(
        r'<td class="(short \w+ed)">[▼▲] ', html_report.render(COMPARED["compared"])
    )
    assert " regressed" not in re.findall(r'class="([^"]*)"', html_report.render(report))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_words_can_be_read(scheme: str) -> None:
    """Text has the contrast of WCAG 2.2 AA on the page and on the heads of tables."""
    colours = SCHEMES[scheme]
    words = ("text", "quiet", "link", "bad", "good")

    assert [] == [
        (word, ground)
        for word in words
        for ground in ("page", "band")
        if contrast(colours[word], colours[ground]) < 4.5
    ]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_lines_can_be_seen(scheme: str) -> None:
    """A curve has the contrast that WCAG 2.2 asks of shapes, and there is one for each series."""
    colours = SCHEMES[scheme]
    lines = [colour for name, colour in colours.items() if re.fullmatch(r"s\d", name)]

    assert plots.SERIES_SHOWN == len(set(lines))
    assert [] == [line for line in lines if contrast(line, colours["page"]) < 3]
