"""The start of the shells."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helm_wandb.system import start
from tests.conftest import ROOT

PYTHON = os.path.relpath(sys.executable, ROOT)
INSTALLED = """
import sys
from helm_wandb.__main__ import command

sys.argv[0] = "/usr/bin/helm-wandb"
command()
"""
SHELLS = [["wandb_writer.py", "--version"], ["-m", "helm_wandb", "--version"], ["entrypoint.py"]]


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_missing_packages_are_named_with_the_command_that_installs_them(
    shell: list[str], root: Path
) -> None:
    """Without its packages each shell ends with 2 and says how to install them."""
    done = subprocess.run(
        [sys.executable, "-S", "-E", *shell], check=False, capture_output=True, text=True, cwd=root
    )

    assert 2 == done.returncode
    assert "the Python package " in done.stderr
    assert "pip install --no-deps --require-hashes -r requirements/runtime.txt" in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_modules_of_ours_are_a_bug(root: Path) -> None:
    """If a module of this package is missing, the traceback is shown."""
    code = "from helm_wandb.system import start; start.load('helm_wandb.gone')"
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=root
    )

    assert "ModuleNotFoundError: No module named 'helm_wandb.gone'" in done.stderr


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (["python", "wandb_writer.py"], "python wandb_writer.py"),
        (["python", "-m", "helm_wandb"], "python -m helm_wandb"),
        (["python", "-c", INSTALLED], "helm-wandb"),
        ([PYTHON, "wandb_writer.py"], f"{PYTHON} wandb_writer.py"),
        ([PYTHON, "./wandb_writer.py"], f"{PYTHON} ./wandb_writer.py"),
        ([PYTHON, "-E", "-m", "helm_wandb"], f"{PYTHON} -m helm_wandb"),
        ([PYTHON, "-c", INSTALLED], "helm-wandb"),
    ],
    ids=str,
)
def test_texts_name_the_command_as_it_was_called(call: list[str], name: str, root: Path) -> None:
    """Examples have the script, the module, or the installed command; usage lacks the folders."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for arguments in (["--help"], ["init", "--help"], ["vaildate"]):
        done = subprocess.run(
            [*call, *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=root,
            env={**os.environ, "COLUMNS": "200", "PATH": path},
        )

        words = [Path(word).name for word in name.split()]
        assert (done.stdout + done.stderr).startswith(f"usage: {' '.join(words)} ")
        assert (f"\n  {name} compare main/ pr/\n" in done.stdout) == (arguments == ["--help"])


def test_a_path_of_python_is_quoted_for_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell reads the line as the words that were typed."""
    monkeypatch.setattr(sys, "orig_argv", ["my env/bin/python", "a tool.py"])

    assert "'my env/bin/python' 'a tool.py'" == start.call("a tool.py")
