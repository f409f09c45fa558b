"""The action, from the runner's environment to exit code, outputs, summary and log."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from helm_wandb import action
from helm_wandb.sinks.report_file import ReportFile
from helm_wandb.wandb_runs import offline_recording
from helm_wandb.wandb_runs.offline_recording import Seal
from tests import events
from tests.wandb_server import API_KEY, WandbServer

from .conftest import ROOT
from .test_cli import bug, file, files_with, helm, server, write_config

__all__ = ["server"]


@pytest.fixture
def runner(workspace: Path) -> dict[str, str]:
    """The runner's variables: empty command files, and a config to read."""
    for name in ("output", "summary.md"):
        (workspace / name).touch()
    write_config(workspace, helm("baseline", "nightly"))
    return {
        "INPUT_CONFIG": "config.yaml",
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REF": "refs/pull/42/merge",
        "GITHUB_REF_NAME": "42/merge",
        "GITHUB_SHA": "9c3d5f1" + "0" * 33,
        "GITHUB_OUTPUT": str(workspace / "output"),
        "GITHUB_STEP_SUMMARY": str(workspace / "summary.md"),
    }


def outputs(runner: dict[str, str]) -> dict[str, str]:
    """The outputs, read as the runner reads them."""
    text = Path(runner["GITHUB_OUTPUT"]).read_text()
    found = re.findall(r"^(.+?)<<(.+)\n((?:.*\n)*?)\2\n", text, re.MULTILINE)
    return {name: value.removesuffix("\n") for name, _, value in found}


def test_without_a_key_it_prints_only(
    runner: dict[str, str], workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a fork: leaderboard in log and summary, all outputs set, no W&B folder, exit 0."""
    assert 0 == action.main(runner, root=root)

    assert "acme/assistant" in capsys.readouterr().out
    assert "<code>acme/assistant</code>" in (workspace / "summary.md").read_text()
    assert not (workspace / "wandb").exists()
    found = outputs(runner)
    rows = json.loads(found.pop("leaderboard"))
    assert [(1, "acme/assistant")] == [(row["rank"], row["model"]) for row in rows]
    assert {
        "report-path": "helm-wandb-report.json",
        "verdict": "no_baseline",
        "regressions": "0",
        "improvements": "0",
        "print-only": "true",
        "baseline": "",
        "wandb-url": "",
        "comment-url": "",
    } == found


def test_the_report_knows_the_pull_request(
    runner: dict[str, str], workspace: Path, root: Path
) -> None:
    """Commit, ref and track of the workflow run are in the report's provenance."""
    action.main(runner, root=root)

    provenance = json.loads((workspace / "helm-wandb-report.json").read_text())["provenance"]
    assert ("pr/42", 42, "9c3d5f1" + "0" * 33, "refs/pull/42/head") == tuple(
        provenance[key] for key in ("track", "pull_request", "commit", "ref")
    )


def test_the_event_has_the_commit_of_the_scores(
    runner: dict[str, str], workspace: Path, root: Path
) -> None:
    """On pull_request_target the pull request and its head come from the event's payload."""
    event = {"pull_request": events.as_json(events.pull_request(7, head="head"))}
    (workspace / "event.json").write_text(json.dumps(event))
    about = {
        "GITHUB_EVENT_NAME": "pull_request_target",
        "GITHUB_EVENT_PATH": str(workspace / "event.json"),
        "GITHUB_REF": "refs/heads/main",
    }

    assert 0 == action.main({**runner, **about}, root=root)

    provenance = json.loads((workspace / "helm-wandb-report.json").read_text())["provenance"]
    assert ("pr/7", "head") == (provenance["track"], provenance["commit"])


def test_an_unreadable_event_is_a_warning(
    runner: dict[str, str], workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a readable event the run goes on, and says so."""
    (workspace / "event.json").write_text("{bad")
    broken = {"GITHUB_EVENT_PATH": str(workspace / "event.json")}

    assert 0 == action.main({**runner, **broken}, root=root)
    assert "::warning title=helm-wandb-action::the event at " in capsys.readouterr().out


@pytest.mark.parametrize(("choice", "code"), [("fail", 5), ("warn", 0)])
def test_outputs_that_cannot_be_written(
    choice: str, code: int, runner: dict[str, str], workspace: Path, root: Path
) -> None:
    """A runner's file that doesn't exist is a failed output; the summary is still written."""
    broken = {"GITHUB_OUTPUT": "/nowhere/output", "INPUT_ON-SINK-ERROR": choice}

    assert code == action.main({**runner, **broken}, root=root)
    assert (workspace / "summary.md").read_text()


def test_a_bug_stays_an_error_where_sinks_only_warn(
    runner: dict[str, str],
    root: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """on-sink-error: warn forgives what the world did, not what we did."""
    monkeypatch.setattr(ReportFile, "deliver", bug)

    assert 1 == action.main({**runner, "INPUT_ON-SINK-ERROR": "warn"}, root=root)
    assert "::error title=helm-wandb-action::report: a bug" in capsys.readouterr().out


def test_a_badge_is_written(runner: dict[str, str], workspace: Path, root: Path) -> None:
    """The input names the file of the badge."""
    assert 0 == action.main({**runner, "INPUT_BADGE": "out/badge.json"}, root=root)
    assert 1 == json.loads((workspace / "out/badge.json").read_text())["schemaVersion"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REPORT", "/home/runner/_work/x.json"),
        ("REPORT", "../x.json"),
        ("WANDB-BASE-URL", "garbage"),
        ("FROM-REPORT", "report.json"),
        ("HTML", "/home/runner/_work/x.html"),
        ("BADGE", "../badge.json"),
        ("BASELINE", "/home/runner/_work/base.json"),
        ("CONFIG", "/home/runner/_work/x.yaml"),
    ],
)
def test_inputs_that_could_not_be_honoured_are_exit_2(
    name: str,
    value: str,
    runner: dict[str, str],
    root: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An input that would lose or ignore something is refused with its name."""
    assert 2 == action.main({**runner, f"INPUT_{name}": value}, root=root)
    assert value in capsys.readouterr().out


def test_names_cannot_give_commands_to_the_runner(
    runner: dict[str, str], workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All that quotes an artifact stands between the stop token and its end."""
    name = "::error::owned ##[error]owned"
    entry: dict[str, Any] = {"eval_type": "helm", "source": "file", "model_name": name}
    write_config(workspace, {**entry, "eval_result": {"mmlu": {"EM": 0.5}}})

    assert 0 == action.main(runner, root=root)

    obeyed, quoted, token = [], [], ""
    for line in capsys.readouterr().out.splitlines():
        if not token:
            obeyed.append(line)
            token = line.partition("::stop-commands::")[2]
        elif line == f"::{token}::":
            token = ""
        else:
            quoted.append(line)
    assert any("owned" in line for line in quoted)
    assert not any("owned" in line for line in obeyed)
    assert "" == token


def test_config_errors_are_annotations_on_their_lines(
    runner: dict[str, str], workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each problem becomes an annotation with file, line and column; the exit code is 2."""
    (workspace / "config.yaml").write_text("project: test\nleaderbord: true\nevals: []\n")

    assert 2 == action.main(runner, root=root)

    commands = [line for line in capsys.readouterr().out.splitlines() if "::error" in line]
    assert commands[0].startswith(
        "::error file=config.yaml,line=2,col=1,title=helm-wandb-action::$.leaderbord: "
    )
    assert 2 == len(commands)


def test_wrong_inputs_are_reported_together(
    runner: dict[str, str], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two wrong inputs are one error annotation that names both, exit 2."""
    wrong = {"INPUT_COMMENT": "always", "INPUT_PRINT-ONLY": "maybe"}

    assert 2 == action.main({**runner, **wrong}, root=root)

    (line,) = capsys.readouterr().out.splitlines()
    assert "input comment: " in line
    assert "%0Ainput print-only: " in line or "%0Ainput comment: " in line


def test_ranking_only_the_project_is_a_notice_in_a_fork(
    runner: dict[str, str], workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A config without evals has nothing to print without a key: a notice, and exit 0."""
    (workspace / "config.yaml").write_text("project: test\nleaderboard: true\n")

    assert 0 == action.main(runner, root=root)
    assert capsys.readouterr().out.startswith("::notice title=helm-wandb-action::")


def test_unreadable_artifacts_are_exit_3_with_outputs(
    runner: dict[str, str], workspace: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """If nothing could be read, the error names the place."""
    write_config(workspace, helm("nowhere", "nightly"))

    assert 3 == action.main(runner, root=root)
    assert "helm_output_dir 'demo/helm/nowhere' doesn't exist" in capsys.readouterr().out
    assert "" == outputs(runner)["report-path"]


@pytest.mark.parametrize("case", [("fail", 5, "error"), ("warn", 0, "warning")])
def test_a_failed_sink_fails_or_warns(
    case: tuple[str, int, str],
    runner: dict[str, str],
    root: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """on-sink-error decides the exit code; others are written, the failure is reported."""
    choice, code, level = case
    inputs = {"INPUT_REPORT": "demo", "INPUT_ON-SINK-ERROR": choice}

    assert code == action.main({**runner, **inputs}, root=root)

    printed = capsys.readouterr().out
    assert f"::{level} title=helm-wandb-action::report: demo: the report cannot be" in printed
    assert "acme/assistant" in printed


@pytest.fixture
def online(runner: dict[str, str], server: WandbServer) -> dict[str, str]:
    """The runner's variables for a workflow with a key for this server."""
    return {**runner, "INPUT_WANDB-API-KEY": API_KEY, "INPUT_WANDB-BASE-URL": server.url}


@pytest.mark.enable_socket
def test_with_a_key_the_runs_are_in_wandb(
    online: dict[str, str],
    server: WandbServer,
    workspace: Path,
    root: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """All runs of the report are in the project, the outputs lead there, nothing is kept here."""
    assert 0 == action.main(online, root=root)

    names = {run.display_name for run in server.runs("test").values()}
    report = json.loads((workspace / "helm-wandb-report.json").read_text())
    benchmarks = {key.partition(".")[0] for key in report["evaluations"][0]["scores"]}
    assert {"summary", *benchmarks} == names
    url = f"{server.url}/team/test"
    found = outputs(online)
    assert ("false", url) == (found["print-only"], found["wandb-url"])
    assert {"W&B": url} == report["links"]
    assert url in (workspace / "summary.md").read_text()
    assert not (workspace / "wandb").exists()
    printed = capfd.readouterr()
    assert f"::notice title=helm-wandb-action::W&B: {len(names)} runs are in {url}" in printed.out
    assert "" == printed.err


@pytest.mark.enable_socket
@pytest.mark.parametrize("place", ["INPUT_WANDB-API-KEY", "WANDB_API_KEY"])
def test_the_key_is_masked_first_and_shown_nowhere(
    place: str, online: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    """The first line lets the runner hide the key; no other line and no file holds it."""
    environ = {**online, "INPUT_WANDB-API-KEY": "", place: API_KEY}

    assert 0 == action.main(environ, root=ROOT)

    first, _, rest = capfd.readouterr().out.partition("\n")
    assert f"::add-mask::{API_KEY}" == first
    assert API_KEY not in rest
    assert [] == files_with(API_KEY, Path())


@pytest.mark.parametrize("key", ["hunter2", f"{API_KEY} x", "hunter2\nhunter3"])
def test_a_wrong_key_is_masked_too_and_exit_2(
    key: str, runner: dict[str, str], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong key may be another secret: it is masked, line by line, and not repeated."""
    assert 2 == action.main({**runner, "INPUT_WANDB-API-KEY": key}, root=root)

    *masks, output = capsys.readouterr().out.splitlines()
    secrets = key.splitlines()
    assert [f"::add-mask::{secret}" for secret in secrets] == masks[: len(secrets)]
    assert "::error title=helm-wandb-action::input wandb-api-key: this isn't a W&B key" in output
    assert not [secret for secret in secrets if secret in output]


@pytest.mark.enable_socket
def test_print_only_asks_wandb_nothing(
    online: dict[str, str], server: WandbServer, workspace: Path, root: Path
) -> None:
    """print-only: true with a key and evaluations leaves W&B alone, a leaderboard included."""
    write_config(workspace, helm("baseline", "nightly"), leaderboard=True)

    assert 0 == action.main({**online, "INPUT_PRINT-ONLY": "true"}, root=root)
    assert [] == server.requests
    assert ("true", "") == (outputs(online)["print-only"], outputs(online)["wandb-url"])


@pytest.mark.enable_socket
@pytest.mark.parametrize("print_only", ["true", "auto"])
def test_a_project_alone_is_ranked(
    print_only: str, online: dict[str, str], server: WandbServer, workspace: Path, root: Path
) -> None:
    """A config without evals ranks the project's models, of the default branch and no other."""
    event = {"repository": {"default_branch": "trunk"}}
    (workspace / "event.json").write_text(json.dumps(event))
    write_config(workspace, leaderboard=True)
    for model, track in (("a", "branch/trunk"), ("b", "branch/main"), ("c", "pr/42")):
        server.add_run(
            "test",
            f"helm-{model}",
            group=model,
            tags=["summary"],
            config={"track": track},
            summary={"mmlu": {"EM": 0.5}},
        )
    inputs = {
        "INPUT_PRINT-ONLY": print_only,
        "GITHUB_EVENT_PATH": str(workspace / "event.json"),
    }

    assert 0 == action.main({**online, **inputs}, root=root)

    rows = json.loads(outputs(online)["leaderboard"])
    assert [(1, "a")] == [(row["rank"], row["model"]) for row in rows]
    writes = server.operations()["UpsertBucket"]
    assert (print_only == "true") == (writes == 0)


@pytest.mark.enable_socket
@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run"])
def test_a_strangers_config_gets_no_key(
    event: str,
    online: dict[str, str],
    server: WandbServer,
    root: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On events with secrets and a stranger's checkout, the config's host hears nothing, exit 2."""
    write_config(Path(), helm("baseline", "nightly"), base_url=server.url)
    inputs = {"GITHUB_EVENT_NAME": event, "INPUT_WANDB-BASE-URL": ""}

    assert 2 == action.main({**online, **inputs}, root=root)
    assert [] == server.requests
    message = "the W&B key isn't sent to a host that the config or an earlier step names"
    assert message in capsys.readouterr().out


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "slash",
    ["", "/"],
)
def test_the_workflows_own_host_gets_the_key(
    slash: str, online: dict[str, str], server: WandbServer, workspace: Path, root: Path
) -> None:
    """The input wandb-base-url is trusted on every event, with or without a slash at its end."""
    write_config(workspace, file("a", mmlu={"EM": 0.5}), base_url="https://stranger.example")
    inputs = {
        "GITHUB_EVENT_NAME": "pull_request_target",
        "INPUT_WANDB-BASE-URL": f"{server.url}{slash}",
    }

    assert 0 == action.main({**online, **inputs}, root=root)
    assert server.runs("test")


@pytest.mark.enable_socket
@pytest.mark.parametrize("case", [("fail", 5, "error"), ("warn", 0, "warning")])
def test_where_wandb_fails_a_copy_is_kept(
    case: tuple[str, int, str],
    online: dict[str, str],
    server: WandbServer,
    root: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The others are served, a sealed copy is here, and on-sink-error decides the code."""
    choice, code, level = case
    server.fault("UpsertBucket", status=403, body={"errors": [{"message": "read-only"}]})
    write_config(Path(), file("a", mmlu={"EM": 0.5}))

    environ = {**online, "INPUT_ON-SINK-ERROR": choice, "GITHUB_RUN_ID": "7"}
    assert code == action.main(environ, root=root)

    printed = capsys.readouterr().out
    assert f"::{level} title=helm-wandb-action::W&B at {server.url} refuses" in printed
    assert "read-only" in printed
    assert f"WANDB_BASE_URL={server.url} wandb sync" in printed
    copies = list(Path("wandb").glob("offline-run-*"))
    seal = Seal(workflow_run="7", key=API_KEY)
    assert 2 == len(copies)
    assert ["test"] * 2 == [
        offline_recording.read(copy, f"helm-{copy.name[-20:]}", seal)[0].project.rpartition("/")[2]
        for copy in copies
    ]
    assert "" == outputs(online)["wandb-url"]
    assert "helm-wandb-report.json" == outputs(online)["report-path"]


@pytest.mark.enable_socket
def test_another_jobs_metric_stays_in_the_summary(
    online: dict[str, str], server: WandbServer, workspace: Path, root: Path
) -> None:
    """Two jobs with a metric each of one benchmark both find theirs in W&B's own summary."""
    for metric, value in (("EM", 0.25), ("F1", 0.5)):
        write_config(workspace, file("a", mmlu={metric: value}))
        assert 0 == action.main({**online, "INPUT_SUMMARY-ONLY": "true"}, root=root)

    (run,) = server.runs("test").values()
    assert {"EM": 0.25, "F1": 0.5} == run.summary["mmlu"]
