"""What all tests share: real HELM output, golden files, no network."""

from __future__ import annotations

import signal
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"
GOLDEN = Path(__file__).parent / "golden"

# A property fails by a change, and not by chance or because the machine is busy: the same examples
# each time, no deadline, and data may come slowly.
_CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", _CALM, max_examples=20, derandomize=True)
settings.register_profile("full", _CALM, max_examples=100, derandomize=True)
settings.load_profile("quick")


def pytest_configure() -> None:
    """Let the tests' processes get Ctrl-C, which a shell's background jobs ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`."""
    parser.addoption("--update-golden", action="store_true", help="write the golden files")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no core is left with one at the end."""
    items.sort(key=lambda item: "wandb" not in item.path.name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tables that tests recorded as the property `table`."""
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            if name == "table":
                terminalreporter.write_line(text)


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's own folder."""
    return ROOT


@pytest.fixture(scope="session")
def helm_trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every tree of real HELM output, unpacked under its own name."""
    folder = tmp_path_factory.mktemp("helm")
    for archive in sorted((DATA / "helm").glob("*.tar.gz")):
        with tarfile.open(archive) as tree:
            # Python 3.11.2, Debian's, knows no filter; the archives are our own.
            tree.extraction_filter = getattr(tarfile, "data_filter", None)
            tree.extractall(folder)  # noqa: S202
    return folder


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """A check that a text equals tests/golden/NAME; --update-golden writes it."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

        assert path.read_text(encoding="utf-8") == text

    return check


@pytest.fixture
def workspace(helm_trees: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of a run: the example configs, and the trees that they read."""
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "helm").symlink_to(helm_trees)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path
