"""The import contracts of pyproject.toml, whatever modules the package gets."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

BREAKING = {
    "comparing/new.py": "import os",
    "render/new.py": "from helm_wandb import pipeline",
    "sinks/new.py": "from helm_wandb.sinks import terminal",
    "sources/new.py": "from helm_wandb.sources import file",
    "system/new.py": "from helm_wandb.system import newer",
    "system/newer.py": "from helm_wandb.system import new",
}
CONTRACTS = [
    "Imports go down only",
    "No package has a circle",
    "The core touches nothing outside",
    "Sources know nothing of each other",
    "Outputs know nothing of each other",
]


@pytest.fixture(scope="module")
def verdicts(root: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what import-linter says of the package with some more modules."""
    copy = tmp_path_factory.mktemp("package")
    shutil.copytree(root / "helm_wandb", copy / "helm_wandb")
    for name, line in BREAKING.items():
        (copy / "helm_wandb" / name).write_text(f"{line}\n")
    (copy / "tests").mkdir()
    for name in ("pyproject.toml", "tests/__init__.py", "tests/import_contracts.py"):
        shutil.copy(root / name, copy / name)
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as lint; lint()",
    ]
    done = subprocess.run(
        [*command, "--no-cache"], cwd=copy, capture_output=True, text=True, check=False
    )
    return done.stdout


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_new_module_is_under_contract(contract: str, verdicts: str) -> None:
    """A module that breaks a contract is noticed without being listed anywhere."""
    assert f"{contract} BROKEN" in verdicts


def test_the_core_opens_no_file(root: Path) -> None:
    """No module of the core opens a file by a builtin or by a module that it may import."""
    core = ("comparing", "render", "report", "text")
    files = [path for name in core for path in (root / "helm_wandb" / name).rglob("*.py")]
    calls = [
        (path.name, ast.unparse(node))
        for path in files
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func)
        in {"open", "io.open", "io.open_code", "io.FileIO", "codecs.open"}
    ]

    assert files
    assert [] == calls


def test_the_import_is_named(verdicts: str) -> None:
    """The message says which module imports what."""
    assert "helm_wandb.comparing.new -> os is not allowed" in verdicts
