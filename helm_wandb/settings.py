"""The action's inputs, as the runner gives them → Settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from helm_wandb import wandb_key
from helm_wandb.errors import InputError
from helm_wandb.gate import GatePolicy
from helm_wandb.urls import is_server_url

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
_NOT_YET = ("artifact", "wandb")
_TODAY = {"from-report": ("",)}
"""What this version can do; a gate that would never close must not be accepted silently."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Valid inputs."""

    config: str
    wandb_key: str | None = field(repr=False)
    """None in print-only mode without one."""
    print_only: bool
    summary_only: bool
    wandb_base_url: str | None
    sink_errors_fail: bool
    report: str
    baseline: str | None
    """The path of a report JSON."""
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
            raise InputError("\n".join(problems))
        return cls(
            config=inputs["config"],
            wandb_key=key or None,
            print_only=inputs["print-only"] == "true" or not key,
            summary_only=inputs["summary-only"] == "true",
            wandb_base_url=inputs["wandb-base-url"] or None,
            sink_errors_fail=inputs["on-sink-error"] == "fail",
            report=inputs["report"],
            baseline=None if inputs["baseline"] in _BASELINES else inputs["baseline"],
            gate=GatePolicy(
                on_regression=inputs["fail-on"] == "regression",
                on_missing_baseline=inputs["on-missing-baseline"] == "fail",
                accept_label=inputs["accept-label"] or None,
            ),
        )


def _input(environ: Mapping[str, str], name: str) -> str:
    """The input's value; the runner keeps hyphens in the variable's name."""
    value = environ.get(f"INPUT_{name.upper()}", "").strip() or INPUT_DEFAULTS[name]
    words = _BASELINES if name == "baseline" else ()
    known = (*_CHOICES.get(name, ()), *_TODAY.get(name, ()), *words)
    return value.lower() if value.lower() in known else value


def _problems(inputs: Mapping[str, str], *, key: str) -> list[str]:
    problems = [
        f"input {name}: {inputs[name]!r} is none of {', '.join(choices)}"
        for name, choices in _CHOICES.items()
        if inputs[name] not in choices
    ]
    problems += [
        f"input {name}: {inputs[name]!r} is not supported in this version; leave it out"
        for name, values in _TODAY.items()
        if inputs[name] not in values and inputs[name] in _CHOICES.get(name, (inputs[name],))
    ]
    if inputs["baseline"] in _NOT_YET:
        problems.append(
            f"input baseline: {inputs['baseline']!r} is not supported in this version; give the "
            "path of a report JSON, or leave it out"
        )
    if inputs["wandb-base-url"] and not is_server_url(inputs["wandb-base-url"]):
        problems.append(
            f"input wandb-base-url: {inputs['wandb-base-url']!r} is no URL of a server, as "
            "https://wandb.example.com is"
        )
    if inputs["report"].startswith("/") or ".." in inputs["report"].split("/"):
        problems.append(
            f"input report: {inputs['report']!r} leaves the workspace; give a path relative to it"
        )
    if not inputs["config"]:
        problems.append("input config: give the path of the YAML config, from the workspace")
    if key and inputs["print-only"] != "true":
        problems += _key_problems(key)
    if inputs["print-only"] == "false" and not key:
        problems.append(
            "input print-only: false needs a W&B key: set wandb-api-key to a secret, as in "
            "wandb-api-key: ${{ secrets.WANDB_API_KEY }}. Pull requests from forks have no "
            "secrets: print-only: auto serves them too"
        )
    return problems


def _key_problems(key: str) -> list[str]:
    try:
        wandb_key.checked(key, "input wandb-api-key")
    except InputError as error:
        return [str(error)]
    return []


def secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The keys in the environment, right or wrong, that must show nowhere."""
    found = (environ.get(name, "").strip() for name in ("INPUT_WANDB-API-KEY", "WANDB_API_KEY"))
    return tuple(dict.fromkeys(key for key in found if key))
