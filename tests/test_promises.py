"""What one file promises of another."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from helm_wandb import action, cli
from helm_wandb.pipeline import Outcome
from helm_wandb.settings import INPUT_DEFAULTS, Settings
from helm_wandb.sources import SOURCES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def action_yml(root: Path) -> dict[str, Any]:
    """The action's metadata."""
    metadata: dict[str, Any] = yaml.safe_load((root / "action.yml").read_text())
    return metadata


def table_rows(root: Path, heading: str) -> list[str]:
    """The first cells of the README's table under a heading, without their backticks."""
    text = (root / "README.md").read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)


def test_inputs_are_those_of_the_settings(action_yml: dict[str, Any]) -> None:
    """action.yml and the settings know the same inputs, with the same defaults."""
    defaults = {name: told.get("default", "") for name, told in action_yml["inputs"].items()}

    assert {**INPUT_DEFAULTS, "github-token": "${{ github.token }}"} == defaults


def test_outputs_are_those_of_the_action(action_yml: dict[str, Any]) -> None:
    """action.yml declares just the outputs that the action writes."""
    nothing = Outcome(report=None, receipts=(), faults=(), exit_code=0)
    settings = Settings.from_environ({"INPUT_CONFIG": "config.yaml"})

    assert list(action_yml["outputs"]) == list(action.outputs(nothing, settings))


def test_readme_lists_inputs_and_outputs(action_yml: dict[str, Any], root: Path) -> None:
    """The README's tables have a row for each input and output, in the order of action.yml."""
    assert list(action_yml["inputs"]) == table_rows(root, "Inputs")
    assert list(action_yml["outputs"]) == table_rows(root, "Outputs")


def test_readme_tells_the_defaults(action_yml: dict[str, Any], root: Path) -> None:
    """The README's table of inputs has the defaults of action.yml, in both languages."""
    defaults = {name: told["default"] for name, told in action_yml["inputs"].items()}

    for name in ("README.md", "README.ko.md"):
        told = re.findall(
            r"^\| `([a-z-]+)` \| (?:`([^`]+)` )?\| \S", (root / name).read_text(), re.MULTILINE
        )
        assert defaults == dict(told)


def test_readme_shows_the_help(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's block of the command line is what --help prints."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")

    assert cli.parser().format_help() in (root / "README.md").read_text()


def test_sources_are_those_of_the_schema(root: Path) -> None:
    """The schema's choice of sources is the table of sources."""
    schema = json.loads((root / "schema/config.schema.json").read_text())

    assert list(SOURCES) == schema["$defs"]["eval"]["properties"]["source"]["enum"]


def test_lock_files_name_versions_and_no_host(root: Path) -> None:
    """Every requirement is pinned with hashes; no index or URL stands in a lock file."""
    for name in ("runtime", "development"):
        text = (root / f"requirements/{name}.txt").read_text()

        assert "://" not in text
        pinned = re.findall(r"^[a-z0-9-]+==\S+( ; .*)? \\$", text, re.MULTILINE)
        assert len(pinned) == len(re.findall(r"^[a-z]", text, re.MULTILINE))


def test_the_lock_has_every_dependency(root: Path) -> None:
    """Each dependency that pyproject.toml names is in the lock of the image."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    lock = (root / "requirements/runtime.txt").read_text()

    assert [] == [
        name for name in project["dependencies"] if f"\n{name.lower()}==" not in f"\n{lock}"
    ]
