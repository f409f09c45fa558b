"""`python -m release.version 1.2.3`: whether this tree is that version → its release notes."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from helm_wandb import __version__

_VERSION = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*)){2}", re.ASCII)
"""Three numbers: a tag is no place for anything that a shell or a registry reads otherwise."""


def notes(version: str, root: Path) -> str:
    """The CHANGELOG's section of the version.

    root: the folder of pyproject.toml and CHANGELOG.md.
    Raises ValueError, a line for each thing that does not fit the version.
    """
    if not _VERSION.fullmatch(version):
        message = f"{version!r} is no version: give three numbers, as in 1.2.3"
        raise ValueError(message)
    declared = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    places = {"pyproject.toml": declared, "helm_wandb/__init__.py": __version__}
    problems = [
        f"{place}: the version is {found}, and {version} is to be released: change it there"
        for place, found in places.items()
        if found != version
    ]
    section = _section((root / "CHANGELOG.md").read_text(), version)
    if not section:
        problems.append(
            f"CHANGELOG.md: nothing stands under `## {version} - YYYY-MM-DD`: make that the "
            "heading of what is under `## Unreleased`"
        )
    if problems:
        raise ValueError("\n".join(problems))
    return section


def _section(changelog: str, version: str) -> str:
    """Text under the version's heading; empty if there is no such heading."""
    heading = rf"^## {re.escape(version)} - [0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$"
    found = re.search(rf"{heading}\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    return f"{found[1].strip()}\n" if found and found[1].strip() else ""


def main(version: str, root: Path) -> int:
    """Print the notes; 1 with the problems on standard error where there are any."""
    try:
        sys.stdout.write(notes(version, root))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path()))
