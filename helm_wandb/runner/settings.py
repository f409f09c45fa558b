"""The action's inputs, as the runner gives them → Settings."""

from __future__ import annotations

import os.path
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from helm_wandb.comparing.gate import GatePolicy
from helm_wandb.errors import InputError
from helm_wandb.runner import known_secrets, wandb_key
from helm_wandb.runner.inputs import INPUTS
from helm_wandb.text.urls import is_server_url, shown_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helm_wandb.runner.inputs import Input

_WRITTEN = ("report", "html")
"""Inputs with the path of a file that is written."""
_MISPLACED = re.compile(r"(?:local-|wandb_v[0-9]_|gh[a-z]_|github_pat_)[A-Za-z0-9_-]{20,}")
_MISPLACED_IN_PATH = re.compile("[0-9a-f]{40}")
"""A W&B key of the old form. In other inputs, such as `comment-key`, a commit looks the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Valid inputs."""

    config: str | None
    """None where a report is published, and nothing is asked of it."""
    wandb_key: str | None = field(repr=False)
    """None in print-only mode without one."""
    print_only: bool
    summary_only: bool
    wandb_base_url: str | None
    sink_errors_fail: bool
    report: str
    html: str | None
    """Where the page of its own is written."""
    from_report: str | None
    """The path of an untrusted run's report, which is published instead of evaluations."""
    github_token: str | None = field(repr=False)
    comment: str
    """When the pull request comment is written, one of the input's choices."""
    comment_key: str
    """Empty where workflow and job are the key."""
    baseline: str
    """`auto`, `none`, `artifact`, `wandb`, or the path of a report JSON."""
    baseline_artifact: str
    gate: GatePolicy
    """Without the labels, which only the event tells."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """The settings of the variables INPUT_*.

        Raises InputError naming every input that is wrong.
        """
        inputs = {one.name: _value(environ, one) for one in INPUTS}
        key = inputs["wandb-api-key"]
        problems = _problems(inputs, key=key)
        if problems:
            raise InputError(*problems)
        return cls(
            config=inputs["config"] or None,
            wandb_key=key or None,
            print_only=inputs["print-only"] == "true" or not key or bool(inputs["from-report"]),
            summary_only=inputs["summary-only"] == "true",
            wandb_base_url=inputs["wandb-base-url"] or None,
            sink_errors_fail=inputs["on-sink-error"] == "fail",
            report=inputs["report"],
            html=inputs["html"] or None,
            from_report=inputs["from-report"] or None,
            github_token=inputs["github-token"] or None,
            comment=inputs["comment"],
            comment_key=inputs["comment-key"],
            baseline=inputs["baseline"],
            baseline_artifact=inputs["baseline-artifact"],
            gate=GatePolicy(
                on_regression=inputs["fail-on"] == "regression",
                # Where none was wanted none is missing.
                on_missing_baseline=inputs["on-missing-baseline"] == "fail"
                and inputs["baseline"] != "none",
                accept_label=inputs["accept-label"] or None,
            ),
        )


def _value(environ: Mapping[str, str], one: Input) -> str:
    """Return the input's value, without the spaces around it, or its default."""
    value = _given(environ, one) or environ.get(one.variable, "").strip() or one.default
    return value.lower() if value.lower() in one.choices else value


def _given(environ: Mapping[str, str], one: Input) -> str:
    """Return what the workflow gives; the runner keeps hyphens in the variable's name."""
    return environ.get(f"INPUT_{one.name.upper()}", "").strip()


def _problems(inputs: Mapping[str, str], *, key: str) -> list[str]:
    problems = [
        f"input {one.name}: {inputs[one.name]!r} is none of {', '.join(one.choices)}"
        for one in INPUTS
        if one.choices and not one.is_path and inputs[one.name] not in one.choices
    ]
    if inputs["wandb-base-url"] and not is_server_url(inputs["wandb-base-url"]):
        shown = shown_url(inputs["wandb-base-url"])
        problems.append(
            f"input wandb-base-url: {shown} is no URL of a server, as https://wandb.example.com is"
        )
    problems += [
        f"input {name}: {inputs[name]!r} leaves the workspace; give a path relative to it"
        for name in _WRITTEN
        if inputs[name].startswith("/") or ".." in inputs[name].split("/")
    ]
    problems += _overwriting(inputs)
    if not inputs["config"] and not inputs["from-report"]:
        problems.append("input config: give the path of the YAML config, from the workspace")
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
            "secrets: print-only: auto serves them too"
        )
    return problems


def _overwriting(inputs: Mapping[str, str]) -> list[str]:
    """What would be written over something that was read, or written, before."""
    taken: dict[str, str] = {}
    problems = []
    paths = [one for one in INPUTS if one.is_path and inputs[one.name] not in ("", *one.choices)]
    for name in sorted((one.name for one in paths), key=_WRITTEN.__contains__):
        other = taken.setdefault(os.path.normpath(inputs[name]), name)
        if other != name and name in _WRITTEN:
            problems.append(f"input {name}: it is the path of {other}, too; give another one")
    return problems


def _key_problems(key: str) -> list[str]:
    try:
        wandb_key.checked(key, "input wandb-api-key")
    except InputError as error:
        return [str(error)]
    return []


def secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return each secret of a run once: keys, tokens and passwords, whether valid or not.

    Those of the secret inputs, those put into other inputs by mistake, and those that the
    environment and `wandb login` hold.
    """
    inputs = [
        _given(environ, one) for one in INPUTS if one.is_secret or _is_misplaced(environ, one)
    ]
    variables = [environ.get(one.variable, "").strip() for one in INPUTS if one.is_secret]
    found = (*inputs, *variables, *known_secrets.of_environ(environ), *wandb_key.logins(environ))
    # Each line of a secret by itself too: a message may quote one.
    parts = (part for one in found for part in (one, *one.splitlines()))
    return tuple(dict.fromkeys(filter(str.strip, parts)))


def _is_misplaced(environ: Mapping[str, str], one: Input) -> bool:
    """Whether the input looks like a key or a token, so that no message may quote it."""
    value = _given(environ, one)
    in_path = one.is_path and _MISPLACED_IN_PATH.fullmatch(value)
    return bool(in_path or _MISPLACED.fullmatch(value))
