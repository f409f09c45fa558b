"""How a browser is found, and what comes of asking it for the impossible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.browser import BrowserError, executable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.browser import Browser


def _program(path: Path) -> str:
    path.touch(mode=0o755)
    return str(path)


def test_named_browser_goes_first(tmp_path: Path) -> None:
    """CHROME_PATH goes before what is on PATH, and there Chrome before Chromium."""
    chrome, chromium = (_program(tmp_path / name) for name in ("google-chrome", "chromium"))
    environ = {"PATH": str(tmp_path)}

    assert chrome == executable(environ)
    assert chromium == executable({**environ, "CHROME_PATH": chromium})


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({"CHROME_PATH": "/nowhere/chrome"}, "/nowhere/chrome doesn't exist"),
        ({}, "google-chrome, chromium, chromium-browser don't exist"),
    ],
)
def test_missing_browser_is_reported(tmp_path: Path, environ: dict[str, str], missing: str) -> None:
    """No test passes because there was nothing to look with."""
    with pytest.raises(BrowserError, match=missing):
        executable({"PATH": str(tmp_path), **environ})


def test_fault_ends_the_test_and_not_the_browser(browser: Browser, tmp_path: Path) -> None:
    """A missing page is an error; the next one is still shown."""
    page = tmp_path / "page.html"
    with pytest.raises(BrowserError, match="ERR_FILE_NOT_FOUND"):
        browser.page(page)
    page.write_text("<!doctype html><title>there</title>")

    assert ("there",) == browser.page(page, {"evaluate": "document.title"}).values
