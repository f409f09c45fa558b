"""What a fresh machine installs, today and after newer releases of everything."""

from __future__ import annotations

import errno
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import venv
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from .conftest import ROOT
from .e2e.base_image import OFFICIAL
from .package_index import locked_here, write_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BORROW_PIP = """
import pathlib, sysconfig, venv

def borrow(self, context):
    path = sysconfig.get_path("purelib", "venv", {{"base": context.env_dir}})
    (pathlib.Path(path) / "pip.pth").write_text({folder!r})

venv.EnvBuilder._setup_pip = borrow
"""
SMALL = "mdurl==0.1.2 \\\n"
OTHER = "tenacity==9.2.1 \\\n"


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with the Makefile, and an index that has newer releases of all that is locked."""

    folder: Path
    python: Path

    def lock(self, name: str, text: str) -> None:
        """Lock these packages, as stand-ins."""
        lock = write_index(self.folder / "index", text)
        (self.folder / f"requirements/{name}.txt").write_text(lock)

    def environ(self, **more: str) -> dict[str, str]:
        """Variables of a newcomer, and where pip finds packages."""
        return {
            "HOME": str(self.folder),
            "PATH": f"{self.python.parent}:{os.environ['PATH']}",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": (self.folder / "index").as_uri(),
            **more,
        }

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run make."""
        return subprocess.run(
            ["make", *arguments],  # noqa: S607 -- the system's
            cwd=self.folder,
            env=self.environ(),
            check=False,
            capture_output=True,
            text=True,
        )

    def make_killed_in_pip(self, target: str) -> None:
        """Run make, and kill it and all its processes while pip runs."""
        settings = self.folder / "pip.conf"
        os.mkfifo(settings)
        with subprocess.Popen(
            ["make", target],  # noqa: S607 -- the system's
            cwd=self.folder,
            env=self.environ(PIP_CONFIG_FILE=str(settings)),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            os.close(reader_of(settings, process))
            os.killpg(process.pid, signal.SIGKILL)
        settings.unlink()

    def environments(self) -> list[Path]:
        """All environments in the folder, whole or not."""
        return sorted({path.parent.resolve() for path in self.folder.glob(".venv*/**/pyvenv.cfg")})

    def installed(self) -> dict[str, str]:
        """The packages in .venv, and their versions."""
        return installed(self.folder / ".venv")


def reader_of(fifo: Path, process: subprocess.Popen[bytes]) -> int:
    """Wait until somebody reads the FIFO; return its other end."""
    while process.poll() is None:
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
    message = "make ended before pip began"
    raise AssertionError(message)


def installed(environment: Path) -> dict[str, str]:
    """The packages in an environment, and their versions."""
    (packages,) = environment.glob("lib/python*/site-packages")
    return {
        distribution.name: distribution.version
        for distribution in metadata.distributions(path=[str(packages)])
    }


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python whose new environments borrow this one's pip: to install one takes seconds."""
    folder = tmp_path_factory.mktemp("python")
    (folder / "pip").mkdir()
    spec = importlib.util.find_spec("pip")
    assert spec
    assert spec.origin
    (folder / "pip/pip").symlink_to(Path(spec.origin).parent)
    environment = folder / "environment"
    venv.create(environment, symlinks=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "borrow_pip.py").write_text(BORROW_PIP.format(folder=str(folder / "pip")))
    (packages / "borrow_pip.pth").write_text("import borrow_pip\n")
    return environment / "bin/python3"


def new_project(folder: Path, python: Path) -> Project:
    """A project with two small locks."""
    for name in ("requirements", "helm_wandb"):
        (folder / name).mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copy(ROOT / "requirements/install.py", folder / "requirements")
    project = Project(folder, python)
    project.lock("runtime", SMALL)
    project.lock("development", SMALL + OTHER)
    return project


@pytest.fixture
def project(tmp_path: Path, python: Path) -> Project:
    """A project in which nothing is installed."""
    return new_project(tmp_path, python)


@pytest.fixture(scope="module")
def installed_project(tmp_path_factory: pytest.TempPathFactory, python: Path) -> Project:
    """A project that the tests share: each leaves it with an environment for both locks."""
    return new_project(tmp_path_factory.mktemp("project"), python)


@pytest.fixture
def whole_project(installed_project: Project) -> Project:
    """The shared project, with a whole environment."""
    done = installed_project.make("development")
    assert 0 == done.returncode, done.stderr
    return installed_project


@pytest.mark.parametrize("name", [pytest.param("runtime", marks=pytest.mark.full), "development"])
def test_make_installs_exactly_the_lock(project: Project, name: str) -> None:
    """With a newer release of every locked package in the index, make installs the locked ones."""
    lock = (ROOT / f"requirements/{name}.txt").read_text()
    project.lock(name, lock)

    done = project.make(name)

    assert (0, "No broken requirements found.\n") == (done.returncode, done.stdout)
    assert locked_here(lock) == project.installed()


def test_the_image_installs_exactly_the_lock(project: Project) -> None:
    """With a newer release of every locked package in the index, so does the Dockerfile."""
    lock = (ROOT / "requirements/runtime.txt").read_text()
    project.lock("runtime", lock)
    found = re.search(
        r"^RUN (python -m venv .*?[^\\])$",
        (ROOT / "Dockerfile").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    assert found
    commands = (project.folder / "python", project.folder / "pip")
    for path, words in zip(commands, ("", " -m pip"), strict=True):
        path.write_text(f'#!/bin/sh\nexec {sys.executable}{words} "$@"\n')
        path.chmod(0o700)
    environment = project.folder / "environment"
    run = found[1].replace("/opt/helm-wandb", str(environment))
    run = run.replace("/runtime.txt", f"{project.folder}/requirements/runtime.txt")
    environ = project.environ(PATH=f"{project.folder}:{os.environ['PATH']}")

    subprocess.run(["/bin/sh", "-c", run], env=environ, check=True)

    assert locked_here(lock) == installed(environment)


def test_an_interrupted_installation_is_repaired(project: Project) -> None:
    """If make is killed while it installs, there is no .venv, and the next make builds it."""
    project.make_killed_in_pip("runtime")

    assert not os.path.lexists(project.folder / ".venv")
    assert 1 == len(project.environments())

    done = project.make("runtime")

    assert 0 == done.returncode, done.stderr
    assert {"mdurl": "0.1.2"} == project.installed()
    assert [(project.folder / ".venv").resolve()] == project.environments()


def test_an_update_replaces_the_environment_when_it_is_complete(project: Project) -> None:
    """If the lock changes, .venv stays as it was until the new one is whole, and holds no more."""
    project.make("runtime")
    before = (project.folder / ".venv").resolve()
    project.lock("runtime", OTHER)
    wheel = next((project.folder / "index/tenacity").glob("*-9.2.1-*"))
    wheel.rename(project.folder / wheel.name)

    done = project.make("runtime")

    assert 2 == done.returncode
    assert ".venv is unchanged" in done.stderr
    assert before == (project.folder / ".venv").resolve()

    (project.folder / wheel.name).rename(wheel)
    project.make("runtime")

    assert {"tenacity": "9.2.1"} == project.installed()
    assert not before.exists()


def test_a_whole_environment_is_kept(whole_project: Project) -> None:
    """The development environment serves both locks: nothing is installed a second time."""
    target = (whole_project.folder / ".venv").readlink()

    for arguments in (["development"], ["runtime", f"PYTHON={whole_project.python}"]):
        done = whole_project.make(*arguments)

        assert (0, "") == (done.returncode, done.stderr)
    assert target == (whole_project.folder / ".venv").readlink()


def removed_python(folder: Path) -> None:
    """The Python that .venv was made with is no longer installed."""
    for path in (folder / ".venv/bin").glob("python*"):
        path.unlink()
        path.symlink_to(folder / "removed")


def other_python(folder: Path) -> None:
    """The Python that .venv was made with has been upgraded."""
    path = folder / ".venv/bin/python"
    path.unlink()
    path.write_text("#!/bin/sh\necho cpython-399\n")
    path.chmod(0o700)


def earlier_make(folder: Path) -> None:
    """An earlier version of the Makefile made .venv, a folder with empty stamps."""
    (folder / ".venv").resolve().rename(folder / "moved")
    (folder / ".venv").unlink()
    (folder / "moved").rename(folder / ".venv")
    for name in ("runtime", "development"):
        (folder / ".venv" / f".{name}").write_text("")


@pytest.mark.parametrize(
    "event",
    [
        removed_python,
        pytest.param(other_python, marks=pytest.mark.full),
        pytest.param(earlier_make, marks=pytest.mark.full),
    ],
)
def test_an_environment_that_does_not_work_is_built_again(
    whole_project: Project, event: Callable[[Path], None]
) -> None:
    """If .venv cannot work, or nothing says that it is whole, make builds it again."""
    event(whole_project.folder)

    done = whole_project.make("development")

    assert 0 == done.returncode, done.stderr
    assert {"mdurl": "0.1.2", "tenacity": "9.2.1"} == whole_project.installed()
    assert [(whole_project.folder / ".venv").resolve()] == whole_project.environments()


@pytest.mark.full
def test_a_copied_project_gets_an_environment_of_its_place(
    whole_project: Project, tmp_path: Path
) -> None:
    """A copy of the folder does not use the commands of the original, which it leaves alone."""
    copy = tmp_path / "copy"
    shutil.copytree(whole_project.folder, copy, symlinks=True)
    target = (whole_project.folder / ".venv").readlink()

    done = Project(copy, whole_project.python).make("runtime")

    assert 0 == done.returncode, done.stderr
    assert str(copy) in (copy / ".venv/pyvenv.cfg").read_text()
    assert target == (whole_project.folder / ".venv").readlink()


def test_nothing_is_removed_through_a_link(whole_project: Project, tmp_path: Path) -> None:
    """If .venv is a link to another folder, make replaces or removes only the link."""
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "kept").touch()

    def link() -> None:
        (whole_project.folder / ".venv").unlink()
        (whole_project.folder / ".venv").symlink_to(shared)

    link()
    done = whole_project.make("development")

    assert 0 == done.returncode, done.stderr
    assert {"mdurl": "0.1.2", "tenacity": "9.2.1"} == whole_project.installed()

    link()
    whole_project.make("clean")

    assert [] == whole_project.environments()
    assert ["kept"] == [path.name for path in shared.iterdir()]


def test_another_version_of_python_is_refused(project: Project) -> None:
    """A Python that the packages are not locked for is refused, with the versions that are."""
    script = project.folder / "requirements/install.py"
    text, count = re.subn(
        r"^OLDEST, NEWEST = .*$",
        "OLDEST, NEWEST = (3, 8), (3, 9)",
        script.read_text(),
        flags=re.MULTILINE,
    )
    assert 1 == count
    script.write_text(text)

    done = project.make("runtime")

    assert 2 == done.returncode
    assert "locked for 3.8 to 3.9. Name another one, as in: make PYTHON=python3.9" in done.stderr
    assert not (project.folder / ".venv").exists()


def test_locked_versions_of_python_are_tested() -> None:
    """CI runs the tests with every version of Python that make accepts."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    versions = workflow["jobs"]["test"]["strategy"]["matrix"]["python-version"]
    accepted = re.search(
        r"^OLDEST, NEWEST = \(3, (\d+)\), \(3, (\d+)\)$",
        (ROOT / "requirements/install.py").read_text(),
        re.MULTILINE,
    )
    assert accepted
    oldest, newest = map(int, accepted.groups())

    assert versions == [f"3.{minor}" for minor in range(oldest, newest + 1)]


def test_the_image_is_tested_on_its_base() -> None:
    """The Dockerfile and its tests name the same base image, with a Python that make accepts."""
    base = re.search(r"^ARG BASE_IMAGE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert base
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    versions = workflow["jobs"]["test"]["strategy"]["matrix"]["python-version"]

    assert OFFICIAL == base[1]
    assert OFFICIAL.removeprefix("python:").partition("-")[0] in versions


def test_interrupted_node_modules_are_installed_again(project: Project) -> None:
    """A folder that npm has not completed does not count as installed."""
    (project.folder / "tests/browser/node_modules").mkdir(parents=True)
    (project.folder / "tests/browser/package-lock.json").touch()
    os.utime(project.folder / "tests/browser/package-lock.json", (0, 0))

    assert " ci --prefix tests/browser" in project.make("--dry-run", "browser").stdout


INSTALLERS = re.compile(
    r"^.*(?:\bpip3?\b.* install\b|\bnpx\b|\bpipx\b|\buvx\b|\buv (?:sync|run|tool)\b"
    r"|\bnpm (?:install|i|update)\b|\b(?:cargo|gem|go) install\b|\bcurl\b.*\| *(?:ba)?sh\b).*$",
    re.MULTILINE,
)
EXACT = ("--no-deps", "--require-hashes", "--only-binary")


def texts_with_commands() -> Iterator[tuple[str, str]]:
    """Names and texts of all files whose commands people or machines run; a command is one line."""
    for pattern in (
        *("Makefile", "Dockerfile", ".ci/run", "action.yml", "*.md", "docs/*.md"),
        *("examples/*.yml", ".github/workflows/*.yml", "release/*.sh", "requirements/*.py"),
    ):
        for path in sorted(ROOT.glob(pattern)):
            yield str(path.relative_to(ROOT)), path.read_text().replace("\\\n", " ")


def test_no_resolver_chooses_a_release() -> None:
    """Commands that install take a hashed lock, one release of a harness, or this project."""
    commands = {
        (name, found[0].strip())
        for name, text in texts_with_commands()
        for found in INSTALLERS.finditer(text)
    }
    harnesses = {
        (name, command)
        for name, command in commands
        if re.search(r"install \"?(crfm-helm|lm_eval\S*|inspect-ai)==[\d.]+\"?$", command)
    }
    project = {
        (name, command)
        for name, command in commands
        if re.search(r"git\+https://github\.com/org/helm-wandb-action\b", command)
    }
    locked = commands - harnesses - project

    assert [] == sorted(
        (name, command)
        for name, command in locked
        if not all(option in command for option in EXACT)
    )
    assert {"Dockerfile", "requirements/install.py"} <= {name for name, _ in locked}
    assert 3 == len({command.split(" install ")[1] for _, command in harnesses})
