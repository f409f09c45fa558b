"""ARCHITECTURE.md is true: its rooms and its files are those of the package."""

from __future__ import annotations

import re

from tests.conftest import ROOT

PACKAGE = ROOT / "helm_wandb"
PAGE = (ROOT / "ARCHITECTURE.md").read_text()


def test_each_room_has_a_paragraph() -> None:
    """Every folder of the package is described, and no other."""
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}

    assert folders == set(re.findall(r"^\*\*`([a-z_]+)/`\*\*", PAGE, re.MULTILINE))


def test_each_file_exists() -> None:
    """Every module that the page names is in the repository, under the folder that it names."""
    named = re.findall(r"`([\w/]+\.py)`", PAGE)
    files = [
        f"/{path.relative_to(ROOT).as_posix()}"
        for path in (*ROOT.glob("*.py"), *ROOT.glob("[!.]*/**/*.py"))
    ]

    assert [] == [name for name in named if not any(f.endswith(f"/{name}") for f in files)]


def test_the_top_level_stays_small() -> None:
    """Next to the rooms there are the shells, the story and the nouns."""
    modules = sorted(path.name for path in PACKAGE.glob("*.py"))

    assert [
        *("__init__.py", "__main__.py", "action.py", "cli.py", "compare_command.py"),
        *("config_commands.py", "errors.py", "flags.py", "model.py", "outputs.py", "pipeline.py"),
    ] == modules
