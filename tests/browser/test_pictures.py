"""The pictures in docs/pictures, and that they show what is rendered now."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.browser import pictures

if TYPE_CHECKING:
    from tests.browser.browser import Browser

LARGEST_BYTES = 250_000


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    """What the pictures are of."""
    return pictures.sources()


def test_pictures_are_of_what_is_rendered_now(sources: dict[str, str]) -> None:
    """If this fails: look at what has changed, and `make pictures`."""
    assert pictures.digests(sources) == json.loads(pictures.DIGESTS.read_text())


def test_pictures_are_small(sources: dict[str, str]) -> None:
    """Each is there, light and dark, and quickly loaded with the README."""
    paths = [pictures.path_of(name, dark=dark) for name in sources for dark in (False, True)]

    assert [] == [path for path in paths if path.stat().st_size > LARGEST_BYTES]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["comment", "summary"])
def test_markdown_is_drawn_whole(
    browser: Browser, sources: dict[str, str], name: str, *, dark: bool
) -> None:
    """On GitHub's page nothing is left as Markdown, no diagram fails, and nothing is fetched."""
    text = {"evaluate": "document.querySelector('article').innerText"}
    left = {"evaluate": "document.querySelectorAll('code.language-mermaid').length"}
    seen = browser.github(sources[name], text, left, dark=dark)
    shown, undrawn = seen.values

    assert ((), (), 0) == (seen.console, seen.errors, undrawn)
    assert [] == re.findall(r"^.*(?:\*\*|\|[ :-]|```|&#|</).*$", shown, re.MULTILINE)
    assert [] == list(seen.requests)


@pytest.mark.parametrize("name", ["comment", "summary"])
def test_markdown_has_its_tables(browser: Browser, sources: dict[str, str], name: str) -> None:
    """GitHub's sanitizer takes no element out of what is rendered."""
    html = browser.github_html(sources[name])

    assert html.count("<table") == len(re.findall(r"^\| :?--", sources[name], re.MULTILINE))
    assert html.count("<details") == sources[name].count("<details")
    assert html.count("<code") >= sources[name].count("<code")
