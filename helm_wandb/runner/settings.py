"""The action's inputs, as the runner gives them → Settings."""

from __future__ import annotations

import os.path
import re
from collections.abc import Mapping, Sequence
from typing import Self

from helm_wandb.comparing.gate import GatePolicy
from helm_wandb.errors import InputError
from helm_wandb.runner import known_secrets, wandb_key
from helm_wandb.runner.inputs import INPUTS, Input, Inputs, inputs_of
from helm_wandb.system.urls import is_server_url, shown_url

_ARTIFACT = re.compile(r"([^/\\#?%:\r\n]{1,128}/){2}[^/:\r\n]{1,128}:[^/:\r\n]{1,128}")
"""`entity/project/name:alias`, without what W&B refuses in each."""
_MISPLACED = re.compile(r"(?:local-|wandb_v[0-9]_|gh[a-z]_|github_pat_)[A-Za-z0-9_-]{20,}")
_MISPLACED_IN_PATH = re.compile("[0-9a-f]{40}")
"""A W&B key of the old form. In other inputs, such as `comment-key`, a commit looks the same."""


class Settings(Inputs, frozen=True, kw_only=True):
    """Valid inputs."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Return the settings of the variables INPUT_*.

        Raises InputError naming every input that is wrong.
        """
        rows = inputs_of(cls)
        texts = {row.name: _value(environ, row) for row in rows}
        problems = _problems(texts, rows)
        if problems:
            raise InputError(*problems)
        values = {row.name.replace("-", "_"): row.value(texts[row.name]) for row in rows}
        return cls(**values)  # type: ignore[arg-type] # the table has each field's type

    @property
    def is_print_only(self) -> bool:
        """Whether nothing is written to W&B."""
        return self.print_only == "true" or not self.wandb_api_key or self.from_report is not None

    @property
    def sink_errors_fail(self) -> bool:
        """Whether an output that can't be written fails the job."""
        return self.on_sink_error == "fail"

    @property
    def gate(self) -> GatePolicy:
        """The gate, without the labels, which only the event has."""
        return GatePolicy(
            on_regression=self.fail_on == "regression",
            # If no baseline is wanted, none is missing.
            on_missing_baseline=self.on_missing_baseline == "fail" and self.baseline != "none",
            accept_label=self.accept_label,
        )


def _value(environ: Mapping[str, str], one: Input) -> str:
    """Return the input's value, without the spaces around it, or its default."""
    value = _given(environ, one) or environ.get(one.variable, "").strip() or one.default
    return value.lower() if value.lower() in one.choices else value


def _given(environ: Mapping[str, str], one: Input) -> str:
    """Return what the workflow gives; the runner keeps hyphens in the variable's name."""
    return environ.get(f"INPUT_{one.name.upper()}", "").strip()


def _problems(inputs: Mapping[str, str], rows: Sequence[Input]) -> list[str]:
    key = inputs["wandb-api-key"]
    problems = [
        f"input {one.name}: invalid value {inputs[one.name]!r}; use one of {', '.join(one.choices)}"
        for one in rows
        if one.choices and not one.is_path and inputs[one.name] not in one.choices
    ]
    if inputs["wandb-base-url"] and not is_server_url(inputs["wandb-base-url"]):
        shown = shown_url(inputs["wandb-base-url"])
        problems.append(
            f"input wandb-base-url: {shown} isn't the URL of a server, such as "
            "https://wandb.example.com"
        )
    artifact = inputs["wandb-model-artifact"]
    if artifact and not _ARTIFACT.fullmatch(artifact):
        problems.append(
            f"input wandb-model-artifact: {artifact!r} isn't the name of an artifact; give "
            "entity/project/name:alias, such as acme/llm/assistant:v3"
        )
    problems += [
        f"input {one.name}: {inputs[one.name]!r} leaves the workspace; give a path relative to it"
        for one in rows
        if one.is_written and _leaves_workspace(inputs[one.name])
    ]
    problems += _overwritten_paths(inputs, rows)
    if not inputs["config"] and not inputs["from-report"]:
        problems.append("input config: give the path of the YAML config, relative to the workspace")
    if inputs["from-report"] and inputs["print-only"] == "false":
        problems.append(
            "input from-report: a report of an untrusted run is never written to W&B; leave "
            "print-only out"
        )
    if key and inputs["print-only"] != "true":
        problems += _key_problems(key)
    if inputs["print-only"] == "false" and not key:
        problems.append(
            "input print-only: false needs a W&B key: set wandb-api-key to a secret, as in "
            "wandb-api-key: ${{ secrets.WANDB_API_KEY }}. Pull requests from forks have no "
            "secrets: print-only: auto works for them too"
        )
    return problems


def _leaves_workspace(path: str) -> bool:
    return path.startswith("/") or ".." in path.split("/")


def _overwritten_paths(inputs: Mapping[str, str], rows: Sequence[Input]) -> list[str]:
    """Return the outputs that would replace a file that was read or written before."""
    owners: dict[str, str] = {}
    problems = []
    paths = [row for row in rows if row.is_path and inputs[row.name] not in ("", *row.choices)]
    for row in sorted(paths, key=lambda row: row.is_written):
        owner = owners.setdefault(os.path.normpath(inputs[row.name]), row.name)
        if owner != row.name and row.is_written:
            problems.append(f"input {row.name}: it is the path of {owner}, too; give another one")
    return problems


def _key_problems(key: str) -> list[str]:
    try:
        wandb_key.check_key(key, "input wandb-api-key")
    except InputError as error:
        return [str(error)]
    return []


def find_secrets(environ: Mapping[str, str], inputs: Sequence[Input] = INPUTS) -> tuple[str, ...]:
    """Return each secret of a run once: keys, tokens and passwords, whether valid or not.

    These are in the secret inputs, in other inputs by mistake, in the environment, and where
    `wandb login` left them.
    """
    given = [_given(environ, one) for one in inputs if one.is_secret or _is_misplaced(environ, one)]
    variables = [environ.get(one.variable, "").strip() for one in inputs if one.is_secret]
    secrets = (
        *given,
        *variables,
        *known_secrets.secret_variables(environ),
        *wandb_key.login_keys(environ),
    )
    # Each line of a secret by itself too: a message may quote one.
    parts = (part for one in secrets for part in (one, *one.splitlines()))
    return tuple(dict.fromkeys(filter(str.strip, parts)))


def _is_misplaced(environ: Mapping[str, str], one: Input) -> bool:
    """Whether the input looks like a key or a token, so that no message may quote it."""
    value = _given(environ, one)
    in_path = one.is_path and _MISPLACED_IN_PATH.fullmatch(value)
    return bool(in_path or _MISPLACED.fullmatch(value))
