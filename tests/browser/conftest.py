"""What the tests in a browser share: one that is started once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator

_HERE = Path(__file__).parent


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Whether these tests are left out: they run only if they are named."""
    paths = (Path(config.invocation_params.dir, one.split("::")[0]) for one in config.args)
    return None if any(path.resolve().is_relative_to(_HERE) for path in paths) else True


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser."""
    with Browser(os.environ) as started:
        yield started
