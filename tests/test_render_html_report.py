"""The report as a page of its own."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from helm_wandb.render import html_report
from tests import builders
from tests.golden_reports import COMPARED, REPORTS

if TYPE_CHECKING:
    from collections.abc import Callable

VOID = {"meta"}
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


@pytest.mark.parametrize("name", ["compared", "curve"])
def test_page_is_as_it_was(name: str, golden: Callable[[str, str], None]) -> None:
    """Verdict, tables and plots stand where they stood."""
    golden(f"{name}.html", html_report.render(REPORTS[name]))


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
    (policy,) = (told for _, told in Page(text).attributes if told.startswith("default-src"))
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
