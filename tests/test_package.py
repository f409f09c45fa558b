"""The project as a package, which is how pre-commit installs it."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest
import yaml

from .conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_folder_of_code_is_a_package() -> None:
    """No folder with modules is forgotten, and the schemas come along."""
    folders = {path.parent for path in (ROOT / "helm_wandb").rglob("*.py")}
    packages = {".".join(folder.relative_to(ROOT).parts) for folder in folders}

    assert packages | {"helm_wandb.schema"} == set(PROJECT["tool"]["setuptools"]["packages"])


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel holds, and nothing else of the project."""
    folder = tmp_path_factory.mktemp("package")
    source = folder / "source"
    source.mkdir()
    for name in ("LICENSE", "README.md", "helm_wandb", "pyproject.toml", "schema"):
        (source / name).symlink_to(ROOT / name)
    build = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "."]
    subprocess.run(
        [sys.executable, "-m", "pip", *build, "--wheel-dir", str(folder)], check=True, cwd=source
    )
    (wheel,) = folder.glob("*.whl")
    with ZipFile(wheel) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def test_installed_command_does_the_main_job(installed: Path, workspace: Path) -> None:
    """From the wheel alone it compares, checks a config, and writes report and page."""
    code = "import sys; from helm_wandb.__main__ import command; sys.exit(command())"
    environ = {**os.environ, "PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"}
    config = "configs/mymodel_example.yaml"
    for arguments in (
        ["compare", "demo/helm/baseline", "demo/helm/candidate"],
        ["validate", config],
        ["--config", config, "--print-only", "--report", "report.json", "--html", "page.html"],
    ):
        done = subprocess.run([sys.executable, "-c", code, *arguments], check=False, env=environ)

        assert 0 == done.returncode
    assert (workspace / "report.json").stat().st_size > 0
    assert "</html>" in (workspace / "page.html").read_text()


def test_hook_calls_the_command() -> None:
    """What pre-commit runs is a command that the package has."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())

    assert hook["entry"].split()[0] in PROJECT["project"]["scripts"]
    assert "helm_wandb.__main__:command" == PROJECT["project"]["scripts"]["helm-wandb"]
