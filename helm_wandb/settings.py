"""The action's inputs, as the runner gives them → Settings."""

from __future__ import annotations

import os.path
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from helm_wandb import wandb_key
from helm_wandb.errors import InputError
from helm_wandb.gate import GatePolicy
from helm_wandb.urls import is_server_url, shown_url

if TYPE_CHECKING:
    from collections.abc import Mapping

INPUT_DEFAULTS = {
    "config": "",
    "wandb-api-key": "",
    "wandb-base-url": "",
    "github-token": "",
    "print-only": "auto",
    "summary-only": "false",
    "comment": "update",
    "comment-key": "",
    "baseline": "auto",
    "baseline-artifact": "helm-wandb-report",
    "on-missing-baseline": "warn",
    "fail-on": "never",
    "accept-label": "",
    "on-sink-error": "fail",
    "report": "helm-wandb-report.json",
    "html": "",
    "from-report": "",
}
"""Input → the value it has when the workflow gives none; the same as in action.yml."""

_CHOICES = {
    "print-only": ("auto", "true", "false"),
    "summary-only": ("true", "false"),
    "comment": ("update", "recreate", "on-change", "on-regression", "off"),
    "on-missing-baseline": ("warn", "fail"),
    "fail-on": ("never", "regression"),
    "on-sink-error": ("fail", "warn"),
}
_BASELINES = ("auto", "none", "artifact", "wandb")
"""Words; anything else is a path."""


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
        inputs = {name: _input(environ, name) for name in INPUT_DEFAULTS}
        key = inputs["wandb-api-key"] or environ.get("WANDB_API_KEY", "").strip()
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


def _input(environ: Mapping[str, str], name: str) -> str:
    """The input's value; the runner keeps hyphens in the variable's name."""
    value = environ.get(f"INPUT_{name.upper()}", "").strip() or INPUT_DEFAULTS[name]
    words = _BASELINES if name == "baseline" else ()
    known = (*_CHOICES.get(name, ()), *words)
    return value.lower() if value.lower() in known else value


def _problems(inputs: Mapping[str, str], *, key: str) -> list[str]:
    problems = [
        f"input {name}: {inputs[name]!r} is none of {', '.join(choices)}"
        for name, choices in _CHOICES.items()
        if inputs[name] not in choices
    ]
    if inputs["wandb-base-url"] and not is_server_url(inputs["wandb-base-url"]):
        shown = shown_url(inputs["wandb-base-url"])
        problems.append(
            f"input wandb-base-url: {shown} is no URL of a server, as https://wandb.example.com is"
        )
    problems += [
        f"input {name}: {inputs[name]!r} leaves the workspace; give a path relative to it"
        for name in ("report", "html")
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
    for name in ("config", "from-report", "baseline", "report", "html"):
        path = inputs[name]
        if not path or (name == "baseline" and path in _BASELINES):
            continue
        other = taken.setdefault(os.path.normpath(path), name)
        if other != name and name in ("report", "html"):
            problems.append(f"input {name}: it is the path of {other}, too; give another one")
    return problems


def _key_problems(key: str) -> list[str]:
    try:
        wandb_key.checked(key, "input wandb-api-key")
    except InputError as error:
        return [str(error)]
    return []


def secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The keys and tokens in the environment, right or wrong, that must show nowhere."""
    names = ("INPUT_WANDB-API-KEY", "WANDB_API_KEY", "INPUT_GITHUB-TOKEN")
    found = (environ.get(name, "").strip() for name in names)
    return tuple(dict.fromkeys(key for key in found if key))
