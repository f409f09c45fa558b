"""Runs found without the SDK: the same as it finds, or none if anything is unusual."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from wandb.util import api_to_app_url

from helm_wandb.system.budget import Budget
from helm_wandb.wandb_runs.sdk import direct_reader
from helm_wandb.wandb_runs.sdk.direct_reader import DirectReader, pages_url
from helm_wandb.wandb_runs.sdk.messages import Connect, FindRuns, RemoteRun
from helm_wandb.wandb_runs.sdk.service import Service
from helm_wandb.wandb_runs.sdk.session import Session
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.enable_socket

PROJECT = "llm"
SECONDS = 60.0
ALL = FindRuns(project=PROJECT, filters={})
SUMMARIES = FindRuns(project=PROJECT, filters={"tags": {"$in": ["summary"]}})
PAGES = 201
"""One more run than a page has."""


@pytest.fixture
def server() -> Iterator[WandbServer]:
    """A server that holds a run, and got only requests that it knows."""
    with WandbServer() as served:
        served.add_run(PROJECT, "helm-1")
        yield served

        assert [] == served.unknown


def reader(server: WandbServer, **what: Any) -> DirectReader:
    """One of the key's owner."""
    given: dict[str, Any] = {
        "base_url": server.url,
        "api_key": API_KEY,
        "entity": None,
        "environ": {},
    }
    return DirectReader(**(given | what))


def find(reader: DirectReader, request: FindRuns = ALL) -> tuple[RemoteRun, ...] | None:
    """What it finds, with time enough."""
    return reader.find(request, Budget(SECONDS))


@pytest.fixture(scope="module")
def full() -> Iterator[WandbServer]:
    """A server with runs of all kinds, more than fit on a page."""
    with WandbServer() as served:
        for number in range(PAGES):
            served.add_run(PROJECT, f"run-{number}", group="g", tags=["evaluate"])
        served.add_run(
            PROJECT,
            "helm-1",
            group="alpha",
            tags=["summary"],
            config={"model": "alpha", "track": None, "list": [1]},
            summary={"mmlu": {"EM": 0.5}, "infinite": float("inf"), "big": 10**400, "text": "\t"},
            state="crashed",
        )
        served.add_run(PROJECT, "helm-2", tags=["summary"], summary={"x": float("-inf")})
        yield served

        assert [] == served.unknown


@pytest.mark.parametrize("entity", [None, "team"])
@pytest.mark.parametrize("request_", [ALL, SUMMARIES], ids=["all", "summaries"])
def test_runs_are_those_that_the_sdk_finds(
    full: WandbServer, request_: FindRuns, entity: str | None
) -> None:
    """Each with its config, its summary and its URL, whatever they hold."""
    with Service() as service:
        connect = Connect(base_url=full.url, api_key=API_KEY, entity=entity, seconds=SECONDS)
        service.ask(connect, seconds=SECONDS)
        expected = service.ask(request_, seconds=SECONDS)

    assert {2, PAGES + 2} >= {len(expected)}
    assert expected == find(reader(full, entity=entity), request_)


def test_one_request_is_enough_if_the_entity_is_known(server: WandbServer) -> None:
    """Without it the key's own entity is looked up, once."""
    known, unknown = reader(server, entity="team"), reader(server)
    for each in (known, known, unknown, unknown):
        find(each)

    operations = [request.operation for request in server.requests]
    assert ["Runs", "Runs", "GetDefaultEntity", "Runs", "Runs"] == operations


FAULTS: dict[str, dict[str, Any]] = {
    "401": {"status": 401},
    "500 once": {"status": 500, "times": 1},
    "redirect": {"status": 302, "headers": {"Location": "http://127.0.0.1:9/graphql"}},
    "no JSON": {"status": 200, "body": "<html>"},
    "errors": {"status": 200, "body": {"data": {"project": None}, "errors": [{"message": "no"}]}},
    "no data": {"status": 200, "body": {"data": None}},
    "other data": {"status": 200, "body": {"data": {"project": {"runs": []}}}},
    "deep data": {"status": 200, "body": "[" * 100_000},
    "dropped": {"drop": True},
    "never": {"hang": True},
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("match", ["GetDefaultEntity", "Runs"])
def test_what_is_unusual_is_left_to_the_sdk(
    server: WandbServer, monkeypatch: pytest.MonkeyPatch, match: str, fault: str
) -> None:
    """From then on, all else is left to it as well, so that nothing is waited for twice."""
    monkeypatch.setattr(direct_reader, "_SECONDS", 0.5 if fault == "never" else SECONDS)
    server.fault(match, **FAULTS[fault])
    one = reader(server)

    assert None is find(one)
    server.clear_faults()
    before = len(server.requests)
    assert None is find(one)
    assert before == len(server.requests)


RUN = {"node": {"name": "x", "state": "finished", "config": "{}", "summaryMetrics": "{}"}}


@pytest.mark.parametrize(
    "node", [{"config": "[]"}, {"config": "{"}, {"summaryMetrics": "3"}, {"name": None}]
)
def test_run_that_cannot_be_read_is_left_to_the_sdk(
    server: WandbServer, node: dict[str, Any]
) -> None:
    """So is the whole answer, of which a part would be wrong."""
    page = {"edges": [{"node": RUN["node"] | node}], "pageInfo": {"hasNextPage": False}}
    body = {"data": {"project": {"runs": page}}}
    server.fault("Runs", status=200, body=body)

    assert None is find(reader(server))


def test_large_answer_is_left_to_the_sdk(
    server: WandbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose process has a limit to its memory; here, an answer is read up to a size."""
    size = 10_000
    monkeypatch.setattr(direct_reader, "_ANSWER_LIMIT_BYTES", size)

    assert 1 == len(find(reader(server)) or ())
    server.add_run(PROJECT, "large", summary={"text": "x" * size})
    assert None is find(reader(server))


def test_pages_without_an_end_are_left_to_the_sdk(server: WandbServer) -> None:
    """More runs than were requested are not read."""
    server.fault("Runs", endless=True)

    assert None is find(reader(server), replace(ALL, most=5))
    assert 6 == server.operations()["Runs"]


def test_project_that_does_not_exist_is_left_to_the_sdk(server: WandbServer) -> None:
    """It has to be written to anyway."""
    assert None is find(reader(server), replace(ALL, project="new"))


def test_key_goes_to_no_other_server(server: WandbServer) -> None:
    """A redirect is not followed."""
    with WandbServer() as other:
        other.add_run(PROJECT, "helm-1")
        server.fault(status=307, headers={"Location": f"{other.url}/graphql"})

        assert None is find(reader(server))
        assert [] == other.requests


@pytest.mark.parametrize(
    "name",
    [
        "WANDB_HTTP_PROXY",
        "WANDB_HTTPS_PROXY",
        "WANDB_INSECURE_DISABLE_SSL",
        "WANDB_X_EXTRA_HTTP_HEADERS",
    ],
)
def test_ways_that_only_the_sdk_knows_are_left_to_it(server: WandbServer, name: str) -> None:
    """Nothing is sent past a proxy that the user set for W&B."""
    assert None is find(reader(server, environ={name: "x"}))
    assert [] == server.requests


def test_certificates_that_cannot_be_read_are_left_to_the_sdk(server: WandbServer) -> None:
    """It names the file."""
    assert None is find(reader(server, environ={"SSL_CERT_FILE": "/nowhere"}))


@pytest.mark.parametrize(
    "base_url",
    [
        "https://api.forge.coreweave.com",
        "https://forge.coreweave.com",
        "https://api.wandb.ai",
        "https://api.wandb.test",
        "https://api.wandb.example.com",
        "https://api.example.com:8080",
        "https://wandb.example.com",
        "http://127.0.0.1:8080",
        "http://[::1]:8080/wandb",
        "https://example.com/api.wandb.ai",
    ],
)
def test_pages_are_where_the_sdk_links_to(base_url: str) -> None:
    """The server of the pages follows from that of the API."""
    assert api_to_app_url(base_url) == pages_url(base_url)


def session(server: WandbServer) -> Session:
    """One of the key's owner."""
    return Session(base_url=server.url, api_key=API_KEY, entity=None)


def test_session_asks_without_the_sdk(server: WandbServer) -> None:
    """No process is started for what can be found so."""
    with session(server) as one:
        assert ["helm-1"] == [run.id for run in one.ask(ALL)]

        assert not one._service.running  # noqa: SLF001 -- nothing else shows it
    assert 0 == server.operations()["Viewer"]


def test_session_asks_the_sdk_for_what_is_unusual(server: WandbServer) -> None:
    """It tries again, so that a fault that passes is not noticed."""
    server.fault("Runs", status=500, times=2)
    with session(server) as one:
        assert ["helm-1"] == [run.id for run in one.ask(ALL)]

    assert 3 == server.operations()["Runs"]


def test_session_without_time_asks_nothing(server: WandbServer) -> None:
    """The time for an offline copy is left."""
    with Session(base_url=server.url, api_key=API_KEY, entity=None, budget=Budget(1.0)) as one:
        assert None is one._find(ALL)  # noqa: SLF001 -- the SDK would say the same

    assert [] == server.requests


def test_secrets_are_removed_from_what_is_found(server: WandbServer) -> None:
    """A server may repeat the key in its answer."""
    server.add_run(PROJECT, "helm-1", config={"model": API_KEY}, summary={"text": API_KEY})
    with session(server) as one:
        (run,) = one.ask(ALL)

    assert ("***", "***") == (run.config["model"], run.summary["text"])
