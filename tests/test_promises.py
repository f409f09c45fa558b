"""What one file promises of another."""

from __future__ import annotations

import json
import re
import tomllib
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from helm_wandb import action, cli
from helm_wandb.pipeline import Outcome
from helm_wandb.runner.inputs import INPUTS, declare, inputs_of
from helm_wandb.runner.settings import Settings, find_secrets
from helm_wandb.sources import SOURCES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from helm_wandb.runner.inputs import Input


@pytest.fixture
def action_yml(root: Path) -> dict[str, Any]:
    """The action's metadata."""
    metadata: dict[str, Any] = yaml.safe_load((root / "action.yml").read_text())
    return metadata


def undocumented(rows: Sequence[Input], root: Path) -> list[str]:
    """The inputs that a document lacks, or has with another default, description or order."""
    metadata = yaml.safe_load((root / "action.yml").read_text())["inputs"]
    shown = {"action.yml": [(name, one["default"]) for name, one in metadata.items()]}
    for name in ("README.md", "README.ko.md"):
        pattern = r"^\| `([a-z-]+)` \| (?:`([^`]+)` )?\| \S"
        shown[name] = re.findall(pattern, (root / name).read_text(), re.MULTILINE)
    return [
        f"{document}: {row.name if row else one[0]}"
        for document, inputs in shown.items()
        for row, one in zip_longest(rows, inputs)
        if row is None or one != (row.name, row.expression or row.default)
    ]


def table_rows(root: Path, heading: str) -> list[str]:
    """The first cells of the README's table under a heading, without their backticks."""
    text = (root / "README.md").read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)


def test_inputs_are_those_of_the_table(action_yml: dict[str, Any], root: Path) -> None:
    """action.yml and both READMEs have the table's inputs, with their defaults and in order."""
    assert [] == undocumented(INPUTS, root)
    assert [one.description for one in INPUTS] == [
        one["description"] for one in action_yml["inputs"].values()
    ]


class _MoreSettings(Settings, frozen=True, kw_only=True):
    """The table with another row, added by CONTRIBUTING's recipe."""

    chat_token: str | None = declare("Token of a chat.", is_secret=True, variable="CHAT_TOKEN")


def test_a_row_is_all_that_a_new_input_needs(root: Path) -> None:
    """A new row is read, hidden, masked, and missed in action.yml and the READMEs."""
    rows = inputs_of(_MoreSettings)
    environ = {"NETRC": "/nowhere", "INPUT_CONFIG": "c.yaml", "INPUT_CHAT-TOKEN": "given"}
    settings = _MoreSettings.from_environ(environ)

    assert "given" == settings.chat_token
    assert "given" not in repr(settings)
    assert ("given", "own") == find_secrets({**environ, "CHAT_TOKEN": "own"}, rows)
    assert [f"{name}: chat-token" for name in ("action.yml", "README.md", "README.ko.md")] == (
        undocumented(rows, root)
    )


def test_inputs_that_hold_secrets_are_flagged() -> None:
    """An input whose name says that it is a key, a token, or a password is a secret one."""
    words = re.compile("(?<!comment-)key$|token|secret|password|credential")
    names = {one.name for one in INPUTS if words.search(one.name)}

    assert names == {one.name for one in INPUTS if one.is_secret}


def test_outputs_are_those_of_the_action(action_yml: dict[str, Any]) -> None:
    """action.yml declares just the outputs that the action writes."""
    nothing = Outcome(report=None, receipts=(), faults=(), exit_code=0)
    settings = Settings.from_environ({"INPUT_CONFIG": "config.yaml"})

    assert list(action_yml["outputs"]) == list(action.step_outputs(nothing, settings))


def typing_of(one: Input) -> dict[str, Any]:
    """The input's type for typed workflows; a path may stand in the place of a word."""
    if one.is_flag:
        return {"type": "boolean"}
    if one.choices and not one.is_path:
        return {"type": "enum", "allowed-values": [str(choice) for choice in one.choices]}
    return {"type": "string"}


def test_types_are_those_of_the_table(action_yml: dict[str, Any], root: Path) -> None:
    """action-types.yml has the type of each input, with its choices, and of each output."""
    types = yaml.safe_load((root / "action-types.yml").read_text())
    outputs = types["outputs"]
    declared = {name for name in outputs if outputs[name]["type"] != "string"}

    assert {one.name: typing_of(one) for one in INPUTS} == types["inputs"]
    assert list(action_yml["outputs"]) == list(outputs)
    assert {"regressions", "improvements", "print-only"} == declared


def test_readme_lists_inputs_and_outputs(action_yml: dict[str, Any], root: Path) -> None:
    """The README's tables have a row for each input and output, in the order of action.yml."""
    assert list(action_yml["inputs"]) == table_rows(root, "Inputs")
    assert list(action_yml["outputs"]) == table_rows(root, "Outputs")


def test_readme_describes_the_inputs_as_the_table(root: Path) -> None:
    """The README explains each input in the words of action.yml, which can have no `: `."""
    shown = re.findall(
        r"^\| `[a-z-]+` \| (?:`[^`]+` )?\| (\S.*) \|$",
        (root / "README.md").read_text(),
        re.MULTILINE,
    )
    plain = [words.replace("`", "").replace(": ", " - ") for words in shown]

    assert [one.description for one in INPUTS] == plain


def test_help_is_documented(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The options' block in docs/command-line.md is what --help prints."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")

    assert cli.parser().format_help() in (root / "docs/command-line.md").read_text()


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

    names = [name.partition(";")[0].replace(".", "-").lower() for name in project["dependencies"]]

    assert [] == [name for name in names if f"\n{name}==" not in f"\n{lock}"]


def test_the_marketplace_shows_the_whole_description(root: Path) -> None:
    """GitHub refuses a description of more than 125 characters."""
    assert 125 >= len(yaml.safe_load((root / "action.yml").read_text())["description"])
