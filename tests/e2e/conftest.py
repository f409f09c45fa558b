"""What the scenarios share: an engine, the image, runners."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.engine import engine as found_engine
from tests.e2e.image import built_anyhow
from tests.e2e.runner import Runner, prepared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.engine import Engine

_HERE = Path(__file__).parent


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Whether the scenarios are left out: they run only if they are named."""
    paths = (Path(config.invocation_params.dir, one.split("::")[0]) for one in config.args)
    return None if any(path.resolve().is_relative_to(_HERE) for path in paths) else True


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A container engine."""
    with found_engine() as found:
        yield found


@pytest.fixture(scope="session")
def image(engine: Engine) -> Iterator[str]:
    """The name of the action's image."""
    with built_anyhow(engine) as name:
        yield name


@pytest.fixture
def runner(engine: Engine, image: str, tmp_path: Path) -> Runner:
    """A runner with a config that has six iterations."""
    return prepared(Runner(engine=engine, image=image, folder=tmp_path / "runner"))
