"""The pull request's comment, written to a GitHub for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.runner import REPOSITORY
from tests.github_server import TOKEN, GithubServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.runner import Runner

pytestmark = pytest.mark.enable_socket
READ_ONLY = "ghs_" + "f0rk" * 9
BASELINE = {"baseline": "none"}


@pytest.fixture
def github() -> Iterator[GithubServer]:
    """A GitHub with the pull request of the runner's event."""
    with GithubServer() as server:
        server.seed.repository(REPOSITORY)
        server.seed.pull_request(REPOSITORY, 1, head_sha="a" * 40, head_branch="feature")
        server.seed.comments(REPOSITORY, 1, count=120)
        server.seed.token(READ_ONLY, permissions={"pull-requests": "read", "contents": "read"})
        yield server

        assert [] == list(server.violations)


def on(runner: Runner, github: GithubServer, token: str) -> Runner:
    """The runner of a job of that GitHub."""
    urls = {
        "GITHUB_API_URL": github.url,
        "GITHUB_GRAPHQL_URL": f"{github.url}/graphql",
        "GITHUB_SERVER_URL": github.url,
    }
    return runner.of(token=token, github=urls, inputs=BASELINE)


def test_one_comment_is_kept_up_to_date(runner: Runner, github: GithubServer) -> None:
    """The first run posts a comment, the second one updates the very same."""
    job = on(runner, github, TOKEN)
    before = len(github.comments(REPOSITORY, 1))
    first = job.step(network="host", config="config.yaml")
    posted = github.comments(REPOSITORY, 1)[before:]
    second = job.step(network="host", config="config.yaml")
    kept = github.comments(REPOSITORY, 1)[before:]

    assert (0, 0) == (first.exit_code, second.exit_code), second.log
    assert 1 == len(posted) == len(kept)
    assert posted[0].id == kept[0].id
    assert "toyproj-llama" in kept[0].body
    assert str(kept[0].id) in first.outputs["comment-url"]
    assert first.outputs["comment-url"] == second.outputs["comment-url"]
    assert [f"::add-mask::{TOKEN}"] == [line for line in first.printed if TOKEN in line]
    assert () == second.changes


def test_forks_job_passes_without_a_comment(runner: Runner, github: GithubServer) -> None:
    """A token that may not write makes the comment a notice, and the job still passes."""
    before = github.comments(REPOSITORY, 1)
    step = on(runner, github, READ_ONLY).step(network="host", config="config.yaml")

    assert 0 == step.exit_code, step.log
    assert before == github.comments(REPOSITORY, 1)
    assert any("comment" in one.message for one in step.annotations if one.kind == "notice")
    assert "" == step.outputs["comment-url"]


def test_comment_of_a_forks_report(runner: Runner, github: GithubServer) -> None:
    """A workflow_run job finds the pull request by the head of the run, and comments there."""
    runner.step(config="config.yaml", report="fork.json")
    itself = runner.event["repository"]
    head = {"head_sha": "a" * 40, "head_branch": "feature", "event": "pull_request"}
    event = {
        "action": "completed",
        "repository": itself,
        "workflow_run": {
            **head,
            "id": 5,
            "run_number": 1,
            "repository": itself,
            "head_repository": itself,
        },
    }
    job = on(runner, github, TOKEN)
    variables = {**job.github, "GITHUB_EVENT_NAME": "workflow_run", "GITHUB_REF": "refs/heads/main"}
    step = job.of(github=variables, event=event).step(
        network="host", config="config.yaml", from_report="fork.json"
    )

    assert 0 == step.exit_code, step.log
    assert "toyproj-llama" in github.comments(REPOSITORY, 1)[-1].body
