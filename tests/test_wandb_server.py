"""The tests' own W&B server, against the real SDK and against plain HTTP."""

from __future__ import annotations

import base64
import http.client
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import wandb

from tests.waiting import until
from tests.wandb_server import API_KEY, WandbServer, graphql, run_filters
from tests.wandb_server.runs import RunRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.enable_socket

VIEWER = "query Viewer { viewer { entity } }"
UPSERT = """
mutation UpsertBucket($entity: String, $name: String) {
  upsertBucket(input: {entityName: $entity, modelName: "llm", name: $name}) { inserted }
}
"""
# Nothing that a test does not ask for: fewer requests, and nothing of this machine.
LEAN: dict[str, Any] = {
    "console": "off",
    "silent": True,
    "x_disable_stats": True,
    "x_disable_machine_info": True,
    "x_save_requirements": False,
    "disable_git": True,
    "disable_code": True,
    "init_timeout": 20,
    "finish_timeout": 20,
}


@pytest.fixture
def server() -> Iterator[WandbServer]:
    """A server that got only requests that it knows."""
    with WandbServer() as served:
        yield served

    assert [] == served.unknown


@pytest.fixture(autouse=True)
def sdk(server: WandbServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The SDK without settings of this machine and without a trace in it.

    It ends before the server: else it would wait for it with what a failed test left.
    """
    del server
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    for name in ("CACHE", "CONFIG", "DATA", "ARTIFACT"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    yield
    wandb.teardown()


def settings(server: WandbServer, folder: Path, **changed: Any) -> wandb.Settings:
    """The settings of a run that goes to the server."""
    return wandb.Settings(
        **LEAN
        | {"mode": "online", "api_key": API_KEY, "base_url": server.url, "root_dir": str(folder)}
        | changed
    )


def begin(server: WandbServer, folder: Path, run: str = "helm-1", **what: Any) -> wandb.Run:
    """A run of the SDK in the project llm."""
    return wandb.init(
        entity="team",
        project="llm",
        id=run,
        reinit="create_new",
        settings=settings(server, folder),
        **what,
    )


def public(server: WandbServer) -> wandb.Api:
    """The SDK's reading side."""
    return wandb.Api(overrides={"base_url": server.url}, api_key=API_KEY, timeout=60)


def send(
    server: WandbServer, method: str, path: str, body: bytes = b"", *, key: str = API_KEY
) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body of a plain request."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=60)
    authorization = "Basic " + base64.b64encode(f"api:{key}".encode()).decode()
    try:
        connection.request(method, path, body, {"Authorization": authorization})
        response = connection.getresponse()
        return response.status, dict(response.headers), response.read()
    finally:
        connection.close()


def ask(
    server: WandbServer, query: str = VIEWER, *, key: str = API_KEY, **variables: Any
) -> tuple[int, Any]:
    """Status and answer of a GraphQL request."""
    document = json.dumps({"query": query, "variables": variables}).encode()
    status, _, body = send(server, "POST", "/graphql", document, key=key)
    return status, json.loads(body)


def stream(server: WandbServer, run: str, body: Mapping[str, Any]) -> int:
    """The status of a request to a run's file stream."""
    path = f"/files/team/llm/{run}/file_stream"
    return send(server, "POST", path, json.dumps(body).encode())[0]


def history(offset: int, *steps: int) -> dict[str, Any]:
    """A file stream's body with a row of each step."""
    content = [json.dumps({"_step": step}) for step in steps]
    return {"files": {"wandb-history.jsonl": {"offset": offset, "content": content}}}


def artifact(name: str, text: str) -> wandb.Artifact:
    """An artifact of the type report with one file."""
    made = wandb.Artifact(name, "report", metadata={"commit": "c0ffee"})
    with made.new_file("report.json") as file:
        file.write(text)
    return made


def test_run_arrives_whole(server: WandbServer, tmp_path: Path) -> None:
    """Config, tags, group, name, rows, summary and the end of a run are there as they were sent."""
    what = {"name": "alpha", "group": "pr-7", "job_type": "detail", "notes": "a note"}
    run = begin(server, tmp_path, tags=["candidate", "detail"], config={"model": "alpha"}, **what)
    for iteration in (0, 10):
        run.log({"mmlu": {"EM": iteration / 100}, "iteration": iteration})
    run.summary["digest"] = "d1"
    run.finish()

    arrived = server.runs("llm")["helm-1"]
    assert ("alpha", "pr-7", "detail", "a note") == (
        arrived.display_name,
        arrived.group,
        arrived.job_type,
        arrived.notes,
    )
    assert (("candidate", "detail"), {"model": "alpha"}) == (arrived.tags, arrived.config)
    assert [(0, {"EM": 0.0}, 0), (1, {"EM": 0.1}, 10)] == [
        (row["_step"], row["mmlu"], row["iteration"]) for row in arrived.rows
    ]
    assert ({"EM": 0.1}, 10, "d1") == tuple(
        arrived.summary[key] for key in ("mmlu", "iteration", "digest")
    )
    assert ("finished", 0) == (arrived.state, arrived.exit_code)
    assert "config.yaml" in arrived.files


def test_used_artifact_is_read_back(server: WandbServer, tmp_path: Path) -> None:
    """By the SDK's run and by its API, an artifact of another project too; each is used once."""
    model = server.add_artifact("models", "alpha", "model", aliases=["prod"])
    with begin(server, tmp_path) as run:
        first = run.log_artifact(artifact("report", "one")).wait()
        for _ in range(2):
            run.use_artifact("team/models/alpha:prod")
    api = wandb.Api({"base_url": server.url}, api_key=API_KEY)
    read = api.run("team/llm/helm-1")
    read.use_artifact(first)

    assert ["team/models/alpha:v0", "team/llm/report:v0"] == [
        one.source_qualified_name for one in read.used_artifacts()
    ]
    assert (model, first.id) == server.runs("llm")["helm-1"].used_artifacts


def test_failed_run_is_failed(server: WandbServer, tmp_path: Path) -> None:
    """A run that ends with another exit code than 0 has failed."""
    begin(server, tmp_path).finish(exit_code=3)

    arrived = server.runs("llm")["helm-1"]
    assert ("failed", 3) == (arrived.state, arrived.exit_code)


def test_resumed_run_appends(server: WandbServer, tmp_path: Path) -> None:
    """A run that is resumed goes on after its last step, and keeps config, tags and summary."""
    first = begin(server, tmp_path, tags=["detail"], config={"model": "alpha"})
    first.log({"iteration": 0})
    first.summary["digest"] = "d1"
    first.finish()
    second = begin(server, tmp_path, resume="allow")
    assert server.runs("llm")["helm-1"].state == "running"
    second.log({"iteration": 10})
    second.finish()

    arrived = server.runs("llm")["helm-1"]
    assert [(0, 0), (1, 10)] == [(row["_step"], row["iteration"]) for row in arrived.rows]
    assert (("detail",), {"model": "alpha"}) == (arrived.tags, arrived.config)
    assert ("d1", 10) == (arrived.summary["digest"], arrived.summary["iteration"])
    assert "finished" == arrived.state


def test_row_sent_again_stands_once(server: WandbServer) -> None:
    """What a request to the file stream holds replaces what stands at its offset."""
    server.add_run("llm", "helm-1", rows=[{"_step": 0}, {"_step": 1}])

    assert 200 == stream(server, "helm-1", history(1, 1, 2))
    assert 200 == stream(server, "helm-1", history(1, 1, 2))
    assert [0, 1, 2] == [row["_step"] for row in server.runs("llm")["helm-1"].rows]


def test_file_stream_of_no_run_is_refused(server: WandbServer) -> None:
    """The file stream of a run that was never made is 404."""
    assert 404 == stream(server, "helm-1", history(0, 0))


def test_runs_are_paged_and_filtered(server: WandbServer) -> None:
    """131 runs come in pages of 50, and tags, names and config choose among them."""
    for number in range(131):
        server.add_run(
            "llm",
            f"run-{number}",
            tags=["detail", "even" if number % 2 == 0 else "odd"],
            config={"model": f"m{number % 3}"},
            summary={"mmlu": {"EM": number}},
        )
    api = public(server)

    assert [f"run-{number}" for number in range(131)] == [
        run.id for run in api.runs("team/llm", lazy=False)
    ]
    assert 3 == server.operations()["Runs"]
    assert 65 == len(api.runs("team/llm", filters={"tags": "odd"}, lazy=False))
    assert ["run-3", "run-7"] == [
        run.id
        for run in api.runs("team/llm", filters={"name": {"$in": ["run-7", "run-3"]}}, lazy=False)
    ]
    assert ["run-130", "run-127"] == [
        run.id
        for run in api.runs(
            "team/llm",
            filters={"$and": [{"config.model": "m1"}, {"summary_metrics.mmlu.EM": {"$gt": 125}}]},
            order="-summary_metrics.mmlu.EM",
            lazy=False,
        )
    ]


def test_run_of_another_program_is_read(server: WandbServer) -> None:
    """Name, group, config and summary of a run that was added come back through wandb.Api."""
    server.add_run(
        "llm",
        "llm-alpha",
        display_name="alpha",
        group="alpha",
        tags=["detail"],
        config={"model": "alpha"},
        summary={"mmlu": {"EM": 0.5}},
        state="crashed",
    )
    run = public(server).run("team/llm/llm-alpha")

    assert ("alpha", "alpha", ["detail"], "crashed") == (run.name, run.group, run.tags, run.state)
    assert ({"model": "alpha"}, {"EM": 0.5}) == (run.config, dict(run.summary["mmlu"]))


def test_what_does_not_exist_is_reported(server: WandbServer) -> None:
    """A project and a run that do not exist are null, which the SDK reports as an error."""
    server.add_run("llm", "helm-1")
    api = public(server)

    with pytest.raises(ValueError, match="Could not find project"):
        list(api.runs("team/none", lazy=False))
    with pytest.raises(wandb.errors.CommError, match="Could not find run"):
        api.run("team/llm/none")


def test_history_is_scanned(server: WandbServer) -> None:
    """A scan yields all rows with nested metrics flat; with keys, the rows that hold them all."""
    rows = [{"iteration": step, "mmlu": {"EM": step / 10}} for step in range(5)]
    server.add_run("llm", "helm-1", rows=[*rows, {"iteration": 5}])
    run = public(server).run("team/llm/helm-1")

    assert [
        {"_step": step, "iteration": step} | ({"mmlu.EM": step / 10} if step < 5 else {})
        for step in range(6)
    ] == list(run.scan_history(page_size=2))
    assert [{"_step": step, "iteration": step, "mmlu.EM": step / 10} for step in range(5)] == list(
        run.scan_history(keys=["iteration", "mmlu.EM"], page_size=2)
    )


def test_config_is_changed_through_api(server: WandbServer) -> None:
    """`run.update()` changes config, tags and summary, and leaves the run finished."""
    server.add_run("llm", "helm-1", config={"model": "alpha"}, tags=["detail"])
    run = public(server).run("team/llm/helm-1")
    run.config["track"] = "main"
    run.tags.append("baseline")
    run.summary["digest"] = "d2"
    run.update()

    changed = server.runs("llm")["helm-1"]
    assert {"model": "alpha", "track": "main"} == changed.config
    assert ("detail", "baseline") == changed.tags
    assert ({"digest": "d2"}, "finished") == (changed.summary, changed.state)


def test_file_of_run_is_fetched(server: WandbServer, tmp_path: Path) -> None:
    """The files of a run are listed, and one that is fetched is as it arrived."""
    begin(server, tmp_path, config={"model": "alpha"}).finish()
    run = public(server).run("team/llm/helm-1")
    fetched = run.file("config.yaml").download(root=str(tmp_path))

    arrived = server.runs("llm")["helm-1"].files
    assert set(arrived) == {file.name for file in run.files()}
    assert arrived["config.yaml"].decode() == fetched.read()
    fetched.close()


def test_file_of_run_is_uploaded_dated_and_deleted(server: WandbServer, tmp_path: Path) -> None:
    """What wandb.Api stores is listed by a pattern with the time of the server's clock."""
    server.add_run("llm", "helm-1")
    run = public(server).run("team/llm/helm-1")
    for name in ("one.txt", "two.md", "three.txt"):
        (tmp_path / name).write_text(name)
        run.upload_file(str(tmp_path / name), root=str(tmp_path))
        server.pass_time(60)
    one, three = run.files(pattern="%.txt")
    times = [datetime.fromisoformat(file.updated_at) for file in (one, three)]

    assert 120 <= (times[1] - times[0]).total_seconds()
    one.delete()
    assert {"two.md", "three.txt"} == set(server.runs("llm")["helm-1"].files)


def test_file_is_listed_late(tmp_path: Path) -> None:
    """With `listing_seconds` a file is stored, and for so long in no list."""
    (tmp_path / "one.txt").write_text("1")
    with WandbServer(listing_seconds=30) as server:
        server.add_run("llm", "helm-1")
        run = public(server).run("team/llm/helm-1")
        with pytest.raises(wandb.errors.CommError, match="out of range"):
            run.upload_file(str(tmp_path / "one.txt"), root=str(tmp_path))

        assert ["one.txt"] == list(server.runs("llm")["helm-1"].files)
        assert [] == list(run.files())
        server.pass_time(31)
        assert ["one.txt"] == [file.name for file in run.files()]


def test_run_that_was_only_made_is_begun(server: WandbServer, tmp_path: Path) -> None:
    """A run that wandb.Api made is no run to resume: its config, name and tags are the first's."""
    public(server).create_run(run_id="helm-1", project="llm", entity="team")
    run = begin(server, tmp_path, resume="allow", name="alpha", tags=["detail"])
    run.log({"iteration": 0})
    run.finish()

    arrived = server.runs("llm")["helm-1"]
    assert ("alpha", ("detail",), "finished") == (arrived.display_name, arrived.tags, arrived.state)
    assert [0] == [row["_step"] for row in arrived.rows]


def test_alert_is_remembered(server: WandbServer, tmp_path: Path) -> None:
    """An alert is taken, and its title and text are in the request."""
    run = begin(server, tmp_path)
    run.alert("Worse", "mmlu.EM fell")
    run.finish()

    (alert,) = (r for r in server.requests if r.operation == "NotifyScriptableRunAlert")
    assert ("helm-1", "Worse", "mmlu.EM fell") == (
        alert.run,
        alert.variables["title"],
        alert.variables["text"],
    )


def test_projects_and_viewer_are_reported(server: WandbServer) -> None:
    """wandb.Api says whose key it is, and the projects that hold something."""
    server.add_run("llm", "helm-1")
    server.add_run("other", "helm-1")
    api = public(server)

    assert "team" == api.viewer.entity
    assert ["llm", "other"] == [project.name for project in api.projects("team")]


def test_table_and_plot_arrive(server: WandbServer, tmp_path: Path) -> None:
    """A table is an artifact and a file of the run, and a plot shows such a table."""
    run = begin(server, tmp_path)
    table = wandb.Table(columns=["model", "EM"], data=[["alpha", 0.5]])
    run.log({"scores": table, "bars": wandb.plot.bar(table, "model", "EM", title="EM")})
    run.finish()

    (version,) = server.artifacts("llm")["run-helm-1-scores"]
    content = json.loads(version.files["scores.table.json"])
    arrived = server.runs("llm")["helm-1"]
    assert (["model", "EM"], [["alpha", 0.5]]) == (content["columns"], content["data"])
    assert "table-file" == arrived.summary["bars_table"]["_type"]
    assert arrived.rows[0]["scores"]["path"] in arrived.files


def test_artifact_arrives_and_is_fetched(server: WandbServer, tmp_path: Path) -> None:
    """An artifact is found by its alias and its number, and its file is as it was."""
    run = begin(server, tmp_path)
    run.log_artifact(artifact("report", "[1]"), aliases=["pr-7"])
    run.finish()
    api = public(server)
    found = api.artifact("team/llm/report:pr-7")

    assert ("v0", {"commit": "c0ffee"}) == (found.version, found.metadata)
    assert {"pr-7", "latest"} == set(api.artifact("team/llm/report:v0").aliases)
    assert "[1]" == (Path(found.download(str(tmp_path / "all"))) / "report.json").read_text()


def test_one_file_of_artifact_is_fetched(server: WandbServer, tmp_path: Path) -> None:
    """One file is fetched by the URL that the SDK makes of its digest."""
    run = begin(server, tmp_path)
    run.log_artifact(artifact("report", "[1]"))
    run.finish()
    entry = public(server).artifact("team/llm/report:latest").get_entry("report.json")
    fetched = entry.download(str(tmp_path / "one"), skip_cache=True)

    assert "[1]" == Path(fetched).read_text()


def test_alias_moves_to_the_newer_version(server: WandbServer, tmp_path: Path) -> None:
    """An alias is with one version; content that is there already makes no version."""
    run = begin(server, tmp_path)
    for text, alias in (("[1]", "pr-7"), ("[2]", "pr-7"), ("[1]", "main")):
        run.log_artifact(artifact("report", text), aliases=[alias]).wait()
    run.finish()

    versions = server.artifacts("llm")["report"]
    assert [["latest", "main"], ["pr-7"]] == [sorted(version.aliases) for version in versions]
    assert ["[1]", "[2]"] == [version.files["report.json"].decode() for version in versions]
    assert {("COMMITTED", "helm-1")} == {(version.state, version.run) for version in versions}


def test_alias_is_added_and_removed_later(server: WandbServer, tmp_path: Path) -> None:
    """An alias that is added to or taken from a version through wandb.Api is so."""
    run = begin(server, tmp_path)
    run.log_artifact(artifact("report", "[1]"), aliases=["pr-7"])
    run.finish()
    found = public(server).artifact("team/llm/report:latest")
    found.aliases.append("main")
    found.aliases.remove("pr-7")
    found.save()

    (version,) = server.artifacts("llm")["report"]
    assert {"latest", "main"} == set(version.aliases)
    assert "v0" == public(server).artifact("team/llm/report:main").version


def test_missing_artifact_is_said(server: WandbServer) -> None:
    """An artifact that does not exist is an error of the SDK."""
    server.add_run("llm", "helm-1")

    with pytest.raises(wandb.errors.CommError, match="report:main"):
        public(server).artifact("team/llm/report:main")


def test_offline_run_is_synced(server: WandbServer, tmp_path: Path) -> None:
    """A run that was recorded offline arrives by `wandb sync`."""
    offline = settings(server, tmp_path, mode="offline")
    run = wandb.init(
        entity="team", project="llm", id="helm-1", config={"model": "alpha"}, settings=offline
    )
    run.log({"iteration": 10})
    run.finish()
    wandb.teardown()
    (folder,) = tmp_path.glob("wandb/offline-run-*")
    environment = os.environ | {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": API_KEY}
    command = [str(Path(sys.executable).parent / "wandb"), "sync", str(folder)]
    subprocess.run(command, check=True, capture_output=True, env=environment)

    arrived = server.runs("llm")["helm-1"]
    assert ({"model": "alpha"}, "finished") == (arrived.config, arrived.state)
    assert [10] == [row["iteration"] for row in arrived.rows]


def test_fault_answers_its_status_so_many_times(server: WandbServer) -> None:
    """Two requests after the first are refused with the header and the body that were set."""
    server.fault("View*", status=429, times=2, after=1, headers={"Retry-After": "1"}, body="slow")
    answers = [
        send(server, "POST", "/graphql", json.dumps({"query": VIEWER}).encode()) for _ in range(4)
    ]

    assert [200, 429, 429, 200] == [status for status, _, _ in answers]
    assert ("1", b"slow") == (answers[1][1]["Retry-After"], answers[1][2])
    assert [200, 429, 429, 200] == [request.status for request in server.requests]


def test_fault_lasts_until_it_is_cleared(server: WandbServer) -> None:
    """Without `times` a fault lasts, and `clear_faults` ends it."""
    server.fault("*", status=500)

    assert [500, 500] == [ask(server)[0] for _ in range(2)]
    server.clear_faults()
    assert (200, {"data": {"viewer": {"entity": "team"}}}) == ask(server)


def test_fault_is_about_one_run(server: WandbServer) -> None:
    """A fault with `run` lets the requests of other runs pass, and those that name no run."""
    server.add_run("llm", "helm-1")
    server.add_run("llm", "helm-2")
    server.fault("*", run="helm-1", status=500)

    assert [500, 200] == [stream(server, run, {}) for run in ("helm-1", "helm-2")]
    assert [500, 200] == [ask(server, UPSERT, name=run)[0] for run in ("helm-1", "helm-2")]
    assert 200 == ask(server)[0]


def test_dropped_connection_is_closed(server: WandbServer) -> None:
    """A request that is dropped has no answer."""
    server.fault("Viewer", drop=True, times=1)

    with pytest.raises(http.client.RemoteDisconnected):
        ask(server)
    assert 200 == ask(server)[0]
    assert ["drop", 200] == [request.status for request in server.requests]


def test_lost_request_is_answered_and_not_kept(server: WandbServer, tmp_path: Path) -> None:
    """Rows and files that are lost leave the SDK content and the run without them."""
    server.fault("file_stream", lose=True)
    server.fault("upload", lose=True)
    run = begin(server, tmp_path)
    run.log({"iteration": 0})
    run.finish()

    arrived = server.runs("llm")["helm-1"]
    assert ((), {}, "running") == (arrived.rows, arrived.files, arrived.state)
    assert {"lost"} == {
        request.status
        for request in server.requests
        if request.operation in {"file_stream", "upload"}
    }


def test_lost_run_is_answered_as_made(server: WandbServer) -> None:
    """An UpsertBucket that is lost answers that the run was inserted, and there is none."""
    server.fault("UpsertBucket", lose=True)

    assert (200, {"data": {"upsertBucket": {"inserted": True}}}) == ask(server, UPSERT, name="a")
    assert {} == server.runs("llm")


def test_delay_is_waited(server: WandbServer) -> None:
    """A request with a delay is answered as always, after it."""
    server.fault("Viewer", delay_seconds=0.2)
    began = time.monotonic()

    assert 200 == ask(server)[0]
    assert time.monotonic() - began >= 0.2


def test_hanging_request_ends_with_the_server() -> None:
    """A request that hangs gets no answer, and its connection ends when the server stops."""
    with ThreadPoolExecutor(1) as pool:
        with WandbServer() as server:
            server.fault("Viewer", hang=True)
            waiting = pool.submit(ask, server)
            while not server.requests:
                time.sleep(0.01)
            assert not waiting.done()
        with pytest.raises(http.client.RemoteDisconnected):
            waiting.result()


def test_seventy_connections_are_served_at_once() -> None:
    """Seventy requests are with the server before the first of them is answered."""
    with ThreadPoolExecutor(70) as pool, WandbServer() as server:
        server.fault("Viewer", hang=True)
        waiting = [pool.submit(ask, server) for _ in range(70)]
        until(lambda: len(server.requests) == 70)

        assert 70 == len(server.requests)
        assert not any(request.done() for request in waiting)


def test_wrong_key_is_refused(server: WandbServer) -> None:
    """A wrong key is 401 for GraphQL and the file stream, and an error of wandb.Api."""
    wrong = "x" * 40
    path = "/files/team/llm/helm-1/file_stream"

    assert 401 == ask(server, key=wrong)[0]
    assert 401 == send(server, "POST", path, b"{}", key=wrong)[0]
    with pytest.raises(wandb.errors.AuthenticationError):
        wandb.Api(overrides={"base_url": server.url}, api_key=wrong, timeout=60)


def test_entity_of_others_is_refused(server: WandbServer) -> None:
    """Writing to an entity of others is 403, and to one that does not exist 404."""
    server.add_run("llm", "theirs", entity="strangers")

    assert 403 == ask(server, UPSERT, entity="strangers", name="ours")[0]
    assert 404 == ask(server, UPSERT, entity="nobody", name="ours")[0]
    assert ["theirs"] == list(server.runs("llm", entity="strangers"))


def test_sdk_gives_up_on_an_unknown_entity(server: WandbServer, tmp_path: Path) -> None:
    """The SDK says to its user at once that the entity was not found."""
    with pytest.raises(wandb.errors.CommError, match="entity nobody not found"):
        wandb.init(entity="nobody", project="llm", settings=settings(server, tmp_path))


def test_what_is_not_known_is_loud() -> None:
    """A field that nobody implemented is 400 in W&B's words, and stays in `unknown`."""
    with WandbServer() as server:
        status, answer = ask(server, "query Q($a: Int) { viewer { shoeSize } }", a=1)
        send(server, "GET", "/elsewhere")

        assert 400 == status
        assert 'Cannot query field "shoeSize" on type "User"' in answer["errors"][0]["message"]
        assert [("Q", {"a": 1}), ("GET /elsewhere", {})] == [
            (unknown.operation, unknown.variables) for unknown in server.unknown
        ]


def test_program_serves_by_itself() -> None:
    """`python -m tests.wandb_server` prints its URL and serves."""
    command = [sys.executable, "-m", "tests.wandb_server", "--entity", "lab"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            address = program.stdout.readline().strip().removeprefix("http://")
            connection = http.client.HTTPConnection(address, timeout=60)
            connection.request("POST", "/graphql", json.dumps({"query": VIEWER}))

            assert 401 == connection.getresponse().status
            connection.close()
        finally:
            program.terminate()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "{ first: run(name: $a) { id } second: run(name: $b) { id } }",
            [{"id": "x"}, {"id": "y"}],
        ),
        ("{ run(name: $a) { ...F } } fragment F on Run { id kind }", [{"id": "x", "kind": 1}]),
        ("{ run(name: $a) { ... on Run { id } ... on Sweep { kind } } }", [{"id": "x"}]),
        (
            "{ run(name: $a) { part { one } ... { part { two } } } }",
            [{"part": {"one": 1, "two": 2}}],
        ),
        ("{ run(name: $a) { id @skip(if: true) kind @include(if: $yes) } }", [{"kind": 1}]),
        ("{ run(name: $c) { id } }", [None]),
        ("{ runs { edges { id } } }", [{"edges": [{"id": "x"}, {"id": "y"}]}]),
        ("{ whole }", [{"any": {"thing": 1}}]),
    ],
    ids=["alias", "fragment", "inline", "merged", "directive", "null", "list", "scalar"],
)
def test_answer_is_cut_to_the_query(query: str, expected: list[Any]) -> None:
    """Aliases, arguments, fragments and directives give what GraphQL says that they give."""
    part = {"one": 1, "two": 2}
    runs = {name: {"__typename": "Run", "id": name, "kind": 1, "part": part} for name in ("x", "y")}
    root = {
        "run": lambda arguments: runs.get(arguments["name"]),
        "runs": {"edges": list(runs.values())},
        "whole": {"any": {"thing": 1}},
    }
    head = "query Q($a: String, $b: String, $c: String, $yes: Boolean = true) "
    operation = graphql.read(head + query, {"a": "x", "b": "y"})

    assert expected == list(operation.answer(root).values())


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"tags": "b"}, True),
        ({"tags": {"$in": ["c"]}}, False),
        ({"tags": {"$nin": ["c"]}}, True),
        ({"display_name": {"$regex": "^al"}}, True),
        ({"$or": [{"state": "failed"}, {"group": "pr-7"}]}, True),
        ({"$nor": [{"group": "pr-7"}]}, False),
        ({"config.model.value": "alpha"}, True),
        ({"config.none": {"$exists": False}}, True),
        ({"summary_metrics.loss": {"$gte": 0.5, "$lt": 0.6}}, True),
        ({"summary_metrics.none": {"$gt": 0}}, False),
        ({"config.model": {"$ne": "alpha"}}, False),
    ],
)
def test_filters_choose_as_mongodb(condition: dict[str, Any], expected: bool) -> None:  # noqa: FBT001 -- a case's outcome
    """Each operator and each kind of key decides as in MongoDB."""
    run = RunRecord(entity="team", project="llm", id="helm-1", display_name="alpha", group="pr-7")
    run.tags, run.summary = ["a", "b"], {"loss": 0.5}
    run.config = {"model": {"value": "alpha"}}

    assert expected is run_filters.matches(run, condition)
