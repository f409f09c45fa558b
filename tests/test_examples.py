"""The workflows to copy: what they hand to the action, and what they say of each other."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from helm_wandb import config
from helm_wandb.runner.settings import Settings
from tests.builders import INPUT_DEFAULTS

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted(path.name for path in (ROOT / "examples").glob("*.yml"))
ACTION = "org/helm-wandb-action@main"
EXPRESSION = re.compile(r"\$\{\{ *([^}]*?) *\}\}")
A_KEY = "0123456789" * 4


@dataclass(frozen=True, slots=True)
class Step:
    """A step, and what it inherits."""

    job: dict[str, Any]
    content: dict[str, Any]

    @property
    def inputs(self) -> dict[str, str]:
        """What it hands to its action."""
        inputs: dict[str, str] = self.content.get("with", {})
        return inputs


@cache
def text_of(name: str) -> str:
    """An example, as it is copied."""
    return (ROOT / "examples" / name).read_text()


@cache
def workflow(name: str) -> dict[str, Any]:
    """An example, decoded."""
    # YAML 1.1 takes `on` for true.
    loaded: dict[Any, Any] = yaml.safe_load(text_of(name))
    return {"on": loaded.pop(True), **loaded}


def steps(name: str, action: str = "") -> list[Step]:
    """An example's steps, of one action if it is named."""
    return [
        Step(job, step)
        for job in workflow(name)["jobs"].values()
        for step in job["steps"]
        if step.get("uses", "").startswith(action)
    ]


def filled(value: str, matrix: dict[str, Any]) -> str:
    """The value with some word in place of each expression, and the matrix's own in its place."""

    def word(found: re.Match[str]) -> str:
        if found[1].startswith("secrets."):
            return A_KEY
        return str(matrix.get(found[1].removeprefix("matrix."), "word"))

    return EXPRESSION.sub(word, value)


def combinations(job: dict[str, Any]) -> list[dict[str, Any]]:
    """The values that the job's matrix of one dimension gives, or one without any."""
    matrix = job.get("strategy", {}).get("matrix", {})
    return [{key: value} for key, values in matrix.items() for value in values] or [{}]


def embedded_configs(name: str) -> dict[str, bytes]:
    """File name → config, of those that the example's comment shows."""
    shown = re.findall(r"^# (\S+\.yaml):\n((?:#   .*\n)+)", text_of(name), re.MULTILINE)
    return {file: re.sub(r"(?m)^#   ", "", lines).encode() for file, lines in shown}


def condition(step: Step) -> str:
    """When a step runs: where it or its job does."""
    return f"{step.job.get('if', '')} {step.content.get('if', '')}"


def test_all_examples_are_found() -> None:
    """The examples are those that the README speaks of."""
    expected = {
        "badge.yml",
        "enterprise-self-hosted.yml",
        "fork-comment.yml",
        "fork-evaluate.yml",
        "inspect.yml",
        "lm-eval.yml",
        "matrix.yml",
        "monorepo.yml",
        "nightly.yml",
        "pull-request.yml",
    }

    assert expected == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_inputs_are_those_of_the_action(name: str) -> None:
    """Each example uses the action, and gives it inputs that action.yml declares."""
    declared = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
    used = steps(name, ACTION)

    assert used
    assert set() == {key for step in used for key in step.inputs} - set(declared)


@pytest.mark.parametrize("name", EXAMPLES)
def test_inputs_are_accepted(name: str) -> None:
    """The settings take what each example hands to the action."""
    given = [
        {key: filled(str(value), matrix) for key, value in step.inputs.items()}
        for step in steps(name, ACTION)
        for matrix in combinations(step.job)
    ]
    accepted = [
        Settings.from_environ({f"INPUT_{key.upper()}": value for key, value in inputs.items()})
        for inputs in given
    ]

    assert [inputs.get("config") for inputs in given] == [one.config for one in accepted]


@pytest.mark.parametrize("name", EXAMPLES)
def test_inputs_are_strings(name: str) -> None:
    """No input is a word that YAML takes for a boolean: `off` would arrive as `false`."""
    given = [value for step in steps(name, ACTION) for value in step.inputs.values()]

    assert all(isinstance(value, str) for value in given)


@pytest.mark.parametrize("name", EXAMPLES)
def test_configs_are_shown_and_valid(name: str) -> None:
    """The comment of each example shows every config that it names, and each of them is valid."""
    schema = json.loads((ROOT / "schema/config.schema.json").read_text())
    shown = embedded_configs(name)
    named = {
        filled(step.inputs["config"], matrix)
        for step in steps(name, ACTION)
        for matrix in combinations(step.job)
    }
    parsed = [config.parse(data, file=file, schema=schema) for file, data in shown.items()]

    assert named == set(shown)
    assert all(one.evals for one in parsed)


@pytest.mark.parametrize("name", EXAMPLES)
def test_permissions_are_named(name: str) -> None:
    """Nothing is permitted to all jobs; each job names what it needs, with a time limit."""
    jobs = workflow(name)["jobs"].values()

    assert workflow(name)["permissions"] == {}
    assert all(job["permissions"]["contents"] for job in jobs)
    assert all(job["timeout-minutes"] for job in jobs)


@pytest.mark.parametrize("name", EXAMPLES)
def test_models_run_where_nothing_can_be_pushed(name: str) -> None:
    """A job that checks the repository out, or uses the action, can only read its contents."""
    used = [*steps(name, "actions/checkout@"), *steps(name, ACTION)]

    assert {"read"} == {step.job["permissions"]["contents"] for step in used}


@pytest.mark.parametrize("name", EXAMPLES)
def test_permissions_fit_what_is_done(name: str) -> None:
    """A job may comment where its action does, and read artifacts where its baseline is one."""
    for step in steps(name, ACTION):
        inputs = {**INPUT_DEFAULTS, **step.inputs}
        permitted = step.job["permissions"]

        assert (inputs["comment"] != "off") == (permitted.get("pull-requests") == "write")
        assert (inputs["baseline"] in ("auto", "artifact")) == (permitted.get("actions") == "read")


@pytest.mark.parametrize("name", EXAMPLES)
def test_checkouts_keep_no_token(name: str) -> None:
    """No checkout leaves the token on the disk, or takes another commit than the event's."""
    given = [step.content["with"] for step in steps(name, "actions/checkout@")]

    assert all(inputs == {"persist-credentials": False} for inputs in given)


def test_no_example_is_of_pull_request_target() -> None:
    """No example runs on pull_request_target, whose checkout is a trap; one is privileged."""
    triggers = {name: set(workflow(name)["on"]) for name in EXAMPLES}

    assert not any("pull_request_target" in events for events in triggers.values())
    assert [name for name, events in triggers.items() if "workflow_run" in events] == [
        "fork-comment.yml"
    ]


def test_the_fork_has_nothing_to_steal() -> None:
    """The half that runs a fork's code has no secret, and no permission but to read."""
    (job,) = workflow("fork-evaluate.yml")["jobs"].values()

    assert "secrets." not in text_of("fork-evaluate.yml")
    assert {"contents": "read"} == job["permissions"]


def test_the_halves_of_the_fork_fit() -> None:
    """The half that comments waits for the other, and publishes the very report it uploads."""
    (upload,) = steps("fork-evaluate.yml", "actions/upload-artifact@")
    (evaluates,) = steps("fork-evaluate.yml", ACTION)
    (download,) = steps("fork-comment.yml", "actions/download-artifact@")
    (comments,) = steps("fork-comment.yml", ACTION)
    run = workflow("fork-comment.yml")["on"]["workflow_run"]

    assert [workflow("fork-evaluate.yml")["name"]] == run["workflows"]
    assert upload.inputs["name"] == download.inputs["name"]
    assert evaluates.inputs["report"] == upload.inputs["path"]
    assert f"{download.inputs['path']}/{upload.inputs['path']}" == comments.inputs["from-report"]


def test_the_fork_is_not_a_baseline() -> None:
    """A fork's report has another name than any report that others are compared with."""
    (upload,) = steps("fork-evaluate.yml", "actions/upload-artifact@")

    assert not upload.inputs["name"].startswith(INPUT_DEFAULTS["baseline-artifact"])


def test_the_privileged_half_runs_nothing_of_the_fork() -> None:
    """The half that comments runs no commands, and the action alone reads the fork's report."""
    (download,) = steps("fork-comment.yml", "actions/download-artifact@")

    assert not any("run" in step.content for step in steps("fork-comment.yml"))
    assert download.inputs["path"] == "untrusted"


@pytest.mark.parametrize(
    "name", ["badge.yml", "matrix.yml", "monorepo.yml", "nightly.yml", "pull-request.yml"]
)
def test_baselines_are_uploaded_where_they_are_looked_for(name: str) -> None:
    """The last upload has the name of the baseline of the same job, and its report."""
    upload = steps(name, "actions/upload-artifact@")[-1]
    action = steps(name, ACTION)[-1]
    baseline = action.inputs.get("baseline-artifact", INPUT_DEFAULTS["baseline-artifact"])

    assert baseline == upload.inputs["name"]
    assert f"${{{{ steps.{action.content['id']}.outputs.report-path }}}}" == upload.inputs["path"]


@pytest.mark.parametrize("name", ["matrix.yml", "monorepo.yml", "pull-request.yml"])
def test_pull_requests_upload_no_baseline(name: str) -> None:
    """Where pull requests are evaluated too, only a push uploads what others are compared with."""
    upload = steps(name, "actions/upload-artifact@")[-1]

    assert "github.event_name == 'push'" in condition(upload)


def test_the_matrix_jobs_reach_the_last_job() -> None:
    """What the jobs of the matrix upload is what the last job downloads, where its config reads."""
    matrix_upload, _ = steps("matrix.yml", "actions/upload-artifact@")
    (download,) = steps("matrix.yml", "actions/download-artifact@")
    matrix_job, _ = steps("matrix.yml", ACTION)
    names = [matrix_upload.inputs[key] for key in ("name", "path")]
    (entry,) = yaml.safe_load(embedded_configs("matrix.yml")["evals/all.yaml"])["evals"]

    assert filled(names[0], {"shard": "*"}) == download.inputs["pattern"]
    assert matrix_job.inputs["report"] == names[1]
    assert Path(entry["path"]).parent == Path(download.inputs["path"])
    assert Path(filled(names[1], {"shard": 7})).match(Path(entry["path"]).name)


def test_the_badge_is_the_file_that_is_published() -> None:
    """The second job downloads and pushes the badge that the action writes."""
    (action,) = steps("badge.yml", ACTION)
    upload = steps("badge.yml", "actions/upload-artifact@")[0]
    (download,) = steps("badge.yml", "actions/download-artifact@")
    push = workflow("badge.yml")["jobs"]["publish"]["steps"][-1]["run"]

    assert action.inputs["badge"] == upload.inputs["path"]
    assert upload.inputs["name"] == download.inputs["name"]
    assert f"git add {action.inputs['badge']}\n" in push


def test_the_models_are_kept_apart() -> None:
    """In a monorepo each model has a separate comment key, baseline and config."""
    (step,) = steps("monorepo.yml", ACTION)
    keys = ("comment-key", "baseline-artifact", "config")
    models = combinations(step.job)

    assert all(
        len({filled(step.inputs[key], matrix) for matrix in models}) == len(models) for key in keys
    )


def test_the_key_goes_where_the_workflow_says() -> None:
    """The example with a W&B server of one's own names it in the workflow, not in the config."""
    (step,) = steps("enterprise-self-hosted.yml", ACTION)
    shown = embedded_configs("enterprise-self-hosted.yml")["evals/helm.yaml"]

    assert "https://wandb.example.com" == step.inputs["wandb-base-url"]
    assert "base_url" not in yaml.safe_load(shown)
