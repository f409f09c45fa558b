"""Recording in W&B by the SDK that is in the image."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.e2e.tls import Authority
from tests.waiting import until
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.e2e.runner import Runner, Step

pytestmark = pytest.mark.enable_socket
PROJECT = "helm-evaluations"
_TMP = "/tmp"  # noqa: S108 -- of the container
RUNS = {"summary", "mmlu", "boolq", "imdb", "hellaswag", "narrative_qa"}


@pytest.fixture
def server() -> Iterator[WandbServer]:
    """A W&B server that knows all requests that it gets."""
    with WandbServer() as found:
        yield found

        assert () == tuple(found.unknown)


def recorded(
    runner: Runner,
    url: str,
    *options: str,
    environ: Mapping[str, str] | None = None,
) -> Step:
    """A step that records in the server at the URL, which is on the loopback."""
    return runner.of(secrets=(API_KEY,)).step(
        *options,
        network="host",
        environ=environ,
        config="config.yaml",
        wandb_api_key=API_KEY,
        wandb_base_url=url,
    )


def names(server: WandbServer) -> set[str]:
    """The names of the runs that the server has."""
    return {run.display_name for run in server.runs(PROJECT).values()}


def test_runs_arrive(runner: Runner, server: WandbServer) -> None:
    """Every run is in W&B, nothing was left to compile, and nothing lies in the workspace."""
    step = recorded(runner, server.url)
    found = {path.name for path in runner.workspace.iterdir()}

    assert 0 == step.exit_code, step.log
    assert names(server) == RUNS
    assert f"{server.url}/team/{PROJECT}" == step.outputs["wandb-url"]
    assert "false" == step.outputs["print-only"]
    assert () == step.changes
    assert {"checkpoints", "config.yaml", "helm-wandb-report.json"} == found
    assert [] == runner.left_by_root()


def test_home_stays_empty(runner: Runner, server: WandbServer) -> None:
    """The SDK leaves no settings, cache or key in the home folder or in RUNNER_TEMP."""
    recorded(runner, server.url)
    kept = {"_github_home", "_github_workflow", "_runner_file_commands"}

    assert [] == list(runner.home.iterdir())
    assert kept == {path.name for path in runner.temp.iterdir()}


def test_the_key_is_printed_only_to_be_masked(runner: Runner, server: WandbServer) -> None:
    """The key stands in no line of the log but in the command that hides it."""
    step = recorded(runner, server.url)

    assert [f"::add-mask::{API_KEY}"] == [line for line in step.printed if API_KEY in line]
    assert API_KEY not in step.summary
    assert API_KEY not in (runner.workspace / "helm-wandb-report.json").read_text(encoding="utf-8")


def test_what_does_not_arrive_is_kept(runner: Runner, server: WandbServer) -> None:
    """Of runs that are refused a copy is in the workspace, the runner's user's to delete."""
    server.fault("file_stream", status=400)
    step = recorded(runner, server.url)

    assert 5 == step.exit_code
    assert list(runner.workspace.glob("wandb/offline-run-*/run-*.wandb"))
    assert [] == runner.left_by_root()
    assert () == step.changes


def test_what_was_kept_is_sent_along_and_stays_the_users(
    runner: Runner, server: WandbServer
) -> None:
    """A step with a key sends an earlier offline recording; nothing of it becomes root's."""
    offline = {"WANDB_MODE": "offline"}
    first = runner.step(config="config.yaml", wandb_api_key=API_KEY, environ=offline)
    second = recorded(runner, server.url)

    assert (0, 0) == (first.exit_code, second.exit_code), second.log
    assert names(server) == RUNS
    assert [] == runner.left_by_root()


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_users_own_authority_is_trusted(
    runner: Runner, server: WandbServer, tmp_path: Path, variable: str
) -> None:
    """A W&B server is reached whose certificate only an authority of the user's has signed."""
    authority = Authority(tmp_path)
    (runner.workspace / "authority.pem").write_bytes(authority.certificate)
    with authority.before(server.url) as url:
        step = recorded(runner, url, environ={variable: "/github/workspace/authority.pem"})

    assert 0 == step.exit_code, step.log
    assert names(server) == RUNS


def test_the_systems_authorities_are_trusted(
    runner: Runner, server: WandbServer, tmp_path: Path
) -> None:
    """Without a variable the SDK's Go process trusts what Debian's ca-certificates list."""
    authority = Authority(tmp_path)
    path = tmp_path / "system.pem"
    path.write_bytes(authority.certificate)
    with authority.before(server.url) as url:
        step = recorded(runner, url, *("-v", f"{path}:/etc/ssl/certs/ca-certificates.crt"))

    assert 0 == step.exit_code, step.log
    assert names(server) == RUNS


@pytest.mark.parametrize(("number", "exit_code"), [("TERM", 143), ("INT", 130)])
def test_a_signal_ends_the_container(
    runner: Runner, server: WandbServer, number: str, exit_code: int
) -> None:
    """Process 1 ends in the middle of a request to W&B, and says what was written."""
    server.fault("file_stream", hang=True)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(recorded, runner, server.url)
        until(lambda: server.operations()["file_stream"] > 0 or running.done())
        (container,) = runner.engine.ask(
            "ps", "--quiet", "--filter", "name=helm-wandb-e2e-"
        ).split()
        runner.engine.ask("kill", "--signal", number, container)
        step = running.result()
    said = (f"stopped by SIG{number}:", "  written: report (helm-wandb-report.json), terminal")

    assert exit_code == step.exit_code, step.log
    assert said == step.printed[step.printed.index(said[0]) :][:2]
    assert [] == runner.left_by_root()


def test_a_full_tmp_hinders_nothing(runner: Runner, server: WandbServer) -> None:
    """If /tmp has no room, temporary files lie in the workspace for as long as they are needed."""
    step = recorded(runner, server.url, "--tmpfs", f"{_TMP}:size=64k")
    found = {path.name for path in runner.workspace.iterdir()}

    assert 0 == step.exit_code, step.log
    assert names(server) == RUNS
    assert {"checkpoints", "config.yaml", "helm-wandb-report.json"} == found


def test_a_tmp_that_fills_up_is_named_and_a_copy_is_kept(
    runner: Runner, server: WandbServer
) -> None:
    """The message says which folder is full and what to do, and the workspace has the runs."""
    results = {f"b{number}": {"EM": 0.5} for number in range(100)}
    entry = {"eval_type": "helm", "source": "file", "model_name": "m", "eval_result": results}
    config = json.dumps({"project": PROJECT, "evals": [entry]})
    (runner.workspace / "config.yaml").write_text(config, encoding="utf-8")
    step = recorded(runner, server.url, "--tmpfs", f"{_TMP}:size=1200k")

    assert 5 == step.exit_code, step.log
    (message,) = (one.message for one in step.annotations if one.kind == "error")
    assert "no space left on device" in message.lower()
    assert "Free space in $TMPDIR (default /tmp)." in message
    assert list(runner.workspace.glob("wandb/offline-run-*/run-*.wandb"))
    assert [] == runner.left_by_root()
