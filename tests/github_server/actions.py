"""Runs of workflows, and the artifacts that they left behind."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from tests.github_server.answers import RefusedError
from tests.github_server.identity import node_id, number_of
from tests.github_server.pages import paged
from tests.github_server.people import person
from tests.github_server.repositories import minimal_repository, repository_page, repository_url
from tests.github_server.storage import signed_path
from tests.github_server.transport import Reply, as_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.github_server.calls import Call
    from tests.github_server.state import Artifact, WorkflowRun

RUN_URLS = {
    "jobs_url": "/jobs",
    "logs_url": "/logs",
    "cancel_url": "/cancel",
    "rerun_url": "/rerun",
    "artifacts_url": "/artifacts",
}


def read_runs(call: Call) -> Reply:
    """GET /repos/OWNER/REPO/actions/runs, the newest first."""
    wanted = call.query
    runs = [
        run
        for run in _newest_first(call.repository.runs.values())
        if wanted.get("branch") in {run.head_branch, None}
        and wanted.get("event") in {run.event, None}
        and wanted.get("status") in {run.status, run.conclusion, None}
        and wanted.get("head_sha") in {run.head_sha, None}
    ]
    return paged(call, runs, lambda run: run_node(call, run), under="workflow_runs")


def read_run(call: Call) -> Reply:
    """GET /repos/OWNER/REPO/actions/runs/ID."""
    return as_json(run_node(call, call.repository.run(call.number("run_id"))))


def read_artifacts(call: Call) -> Reply:
    """GET /repos/OWNER/REPO/actions/artifacts, the newest first, also those that have expired."""
    return _artifacts(call, call.repository.artifacts.values())


def read_artifact(call: Call) -> Reply:
    """GET /repos/OWNER/REPO/actions/artifacts/ID."""
    artifact = call.repository.artifact(call.number("artifact_id"))
    return as_json(artifact_node(call, artifact))


def read_artifacts_of_run(call: Call) -> Reply:
    """GET /repos/OWNER/REPO/actions/runs/ID/artifacts."""
    run = call.repository.run(call.number("run_id"))
    artifacts = call.repository.artifacts.values()
    return _artifacts(call, [artifact for artifact in artifacts if artifact.run_id == run.id])


def download(call: Call) -> Reply:
    """GET /repos/OWNER/REPO/actions/artifacts/ID/zip: a redirect to where the zip is."""
    artifact = call.repository.artifact(call.number("artifact_id"))
    if artifact.expired:
        raise RefusedError(410, "Artifact has expired")
    return Reply(status=302, headers={"Location": call.storage_url + signed_path(artifact)})


def _artifacts(call: Call, artifacts: Iterable[Artifact]) -> Reply:
    name = call.query.get("name")
    wanted = [one for one in _newest_first(artifacts) if name in {one.name, None}]
    return paged(call, wanted, lambda one: artifact_node(call, one), under="artifacts")


def _newest_first(things: Iterable[Any]) -> list[Any]:
    return sorted(things, key=lambda thing: thing.id, reverse=True)


def artifact_node(call: Call, artifact: Artifact) -> dict[str, Any]:
    """An artifact as GitHub returns it."""
    url = f"{repository_url(call.repository, call.base_url)}/actions/artifacts/{artifact.id}"
    run = call.repository.run(artifact.run_id)
    return {
        "id": artifact.id,
        "node_id": node_id("Artifact", artifact.id),
        "name": artifact.name,
        "size_in_bytes": len(artifact.content),
        "url": url,
        "archive_download_url": f"{url}/zip",
        "expired": artifact.expired,
        "digest": "sha256:" + hashlib.sha256(artifact.content).hexdigest(),
        "created_at": artifact.created_at,
        "expires_at": artifact.created_at,
        "updated_at": artifact.created_at,
        "workflow_run": {
            "id": run.id,
            "repository_id": call.repository.id,
            "head_repository_id": number_of(run.head_repository),
            "head_branch": run.head_branch,
            "head_sha": run.head_sha,
        },
    }


def run_node(call: Call, run: WorkflowRun) -> dict[str, Any]:
    """A workflow's run as GitHub returns it."""
    repository = repository_url(call.repository, call.base_url)
    url = f"{repository}/actions/runs/{run.id}"
    workflow_id = number_of(run.workflow)
    head = call.state.repository(run.head_repository)
    return {
        "id": run.id,
        "node_id": node_id("WorkflowRun", run.id),
        "name": run.workflow,
        "display_title": run.workflow,
        "path": f".github/workflows/{run.workflow}.yml",
        "workflow_id": workflow_id,
        "workflow_url": f"{repository}/actions/workflows/{workflow_id}",
        "run_number": run.number,
        "run_attempt": 1,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "head_branch": run.head_branch,
        "head_sha": run.head_sha,
        "head_commit": None,
        "head_repository": minimal_repository(head, call.base_url),
        "repository": minimal_repository(call.repository, call.base_url),
        "actor": person(head.owner, call.base_url),
        "pull_requests": [],
        "url": url,
        "html_url": f"{repository_page(call.repository, call.base_url)}/actions/runs/{run.id}",
        "check_suite_url": f"{repository}/check-suites/{run.id}",
        "created_at": run.created_at,
        "updated_at": run.created_at,
        "run_started_at": run.created_at,
        **{name: url + path for name, path in RUN_URLS.items()},
    }
