"""What goes wrong with the tests' own GitHub: on demand, and against GitHub's description."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import github
import pytest

from tests.github_builders import COMMENTS, HEAD, NAME, SHAS, ask, client, fetch, fill
from tests.github_server import TOKEN, Answer, GithubServer, answers
from tests.github_server.api import response_violations
from tests.github_server.cut_description import cut
from tests.github_server.description import FILE
from tests.github_server.transport import Incoming, Reply, as_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

pytestmark = pytest.mark.enable_socket

NEW = {"body": "new"}


@pytest.fixture
def server() -> Iterator[GithubServer]:
    """A GitHub that checks nothing."""
    with GithubServer(is_checked=False) as served:
        fill(served)
        yield served


def bodies(server: GithubServer) -> list[str]:
    """The texts of the comments as they stand now."""
    return [comment.body for comment in server.comments(NAME, 7)]


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (answers.BAD_CREDENTIALS, 401, "Bad credentials"),
        (answers.MISSING_PERMISSION, 403, "Resource not accessible by integration"),
        (answers.SECONDARY_LIMIT, 403, "You have exceeded a secondary rate limit"),
        (answers.PRIMARY_LIMIT, 403, "API rate limit exceeded"),
        (answers.too_many_requests(1), 429, "You have exceeded a secondary rate limit"),
        (Answer(status=404), 404, "Not Found"),
        (Answer(status=409), 409, "Conflict"),
        (Answer(status=422), 422, "Validation Failed"),
        (Answer(status=500), 500, "Server Error"),
        (answers.BAD_GATEWAY, 502, "<html>"),
        (Answer(status=503, body={"message": "No server is available"}), 503, "No server"),
        (answers.NOT_JSON, 200, "<html>"),
    ],
)
def test_fault_is_answered_instead(
    server: GithubServer, answer: Answer, status: int, words: str
) -> None:
    """The answer of a fault comes, and nothing is written."""
    server.fault("POST", "/repos/*/comments", answer=answer)

    answered = ask(server, "POST", COMMENTS, NEW)

    assert status == answered.status
    assert words in answered.body.decode()
    assert [] == bodies(server)
    assert [status] == [request.status for request in server.writes]


def test_limits_say_when_to_come_again_or_do_not(server: GithubServer) -> None:
    """A secondary limit has no Retry-After, 429 has one, and the primary has its reset."""
    seen = []
    limits = (
        answers.SECONDARY_LIMIT,
        answers.too_many_requests(7),
        answers.PRIMARY_LIMIT,
    )
    for answer in limits:
        server.fault(answer=answer, times=1)
        headers = ask(server, "GET", COMMENTS).headers
        seen.append((headers.get("Retry-After"), headers["X-RateLimit-Remaining"]))
        assert float(headers["X-RateLimit-Reset"]) > time.time()

    assert [(None, "4999"), ("7", "4999"), (None, "0")] == seen


def test_fault_happens_so_often_and_after_so_many(server: GithubServer) -> None:
    """A fault passes `after` requests and meets `times`; others are not counted."""
    server.fault("POST", COMMENTS, answer=Answer(status=503), after=1, times=2)

    statuses = [ask(server, "POST", COMMENTS, NEW).status for _ in range(4)]
    others = ask(server, "GET", COMMENTS).status

    assert ([201, 503, 503, 201], 200) == (statuses, others)


def test_faults_meet_the_path_without_its_prefix(server: GithubServer) -> None:
    """A fault of a path holds under /api/v3 too, and is over when it is cleared."""
    server.fault("GET", "/repos/*", answer=Answer(status=500))

    assert 500 == ask(server, "GET", f"/api/v3{COMMENTS}").status
    server.clear_faults()
    assert 200 == ask(server, "GET", f"/api/v3{COMMENTS}").status


@pytest.mark.parametrize(("served", "expected"), [(False, []), (True, ["new"])])
def test_connection_is_dropped_before_or_after_the_write(
    server: GithubServer, *, served: bool, expected: list[str]
) -> None:
    """A dropped connection leaves it open whether the comment was written."""
    server.fault("POST", COMMENTS, drop=True, served=served)

    with pytest.raises(http.client.RemoteDisconnected):
        ask(server, "POST", COMMENTS, NEW)

    assert expected == bodies(server)
    assert ["drop"] == [request.status for request in server.writes]


def test_write_happens_behind_a_bad_gateway(server: GithubServer) -> None:
    """With `served` the write is done, whatever is answered."""
    server.fault("POST", COMMENTS, answer=answers.BAD_GATEWAY, served=True, times=1)

    assert 502 == ask(server, "POST", COMMENTS, NEW).status
    assert ["new"] == bodies(server)


def test_client_may_go_away(server: GithubServer, capfd: pytest.CaptureFixture[str]) -> None:
    """A client that waits no longer is no fault of the server; its request is carried out."""
    server.seed.comments(NAME, 7, count=100)
    server.fault("GET", COMMENTS, delay_seconds=0.3)
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=0.1)
    connection.request("GET", f"{COMMENTS}?per_page=100")
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()

    server.stop()

    assert "" == capfd.readouterr().err
    assert [200] == [request.status for request in server.requests]


@pytest.mark.parametrize("served", [False, True])
def test_slow_answer_comes_late(server: GithubServer, *, served: bool) -> None:
    """A delay is waited for, and the answer is the usual one."""
    server.fault("POST", COMMENTS, delay_seconds=0.2, served=served)
    began = time.monotonic()

    answered = ask(server, "POST", COMMENTS, NEW)

    assert 0.2 <= time.monotonic() - began
    assert (201, ["new"]) == (answered.status, bodies(server))


def test_hanging_request_never_ends(server: GithubServer) -> None:
    """A request that hangs has no answer, is remembered, and does not keep the server alive."""
    server.fault("GET", "/user", hang=True)
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=0.2)
    connection.request("GET", "/user")

    with pytest.raises(TimeoutError):
        connection.getresponse()

    connection.close()
    assert ["hang"] == [request.status for request in server.requests]


def test_unanswered_request_is_remembered(server: GithubServer) -> None:
    """A request is in the list from its coming; its status is unknown until it is answered."""
    seen: list[object] = []
    server.before("GET", COMMENTS, lambda: seen.extend(one.status for one in server.requests))

    ask(server, "GET", COMMENTS)

    assert ([None], [200]) == (seen, [request.status for request in server.requests])


def test_another_job_comes_in_between(server: GithubServer) -> None:
    """A hook does its work before the request is served, and once by default."""
    server.before("POST", COMMENTS, lambda: server.seed.comment(NAME, 7, "of another job"))

    for _ in range(2):
        ask(server, "POST", COMMENTS, NEW)

    assert ["of another job", "new", "new"] == bodies(server)


def test_zip_lies_about_its_size(server: GithubServer) -> None:
    """A storage may claim a size that never comes."""
    run = server.seed.run(NAME, head_sha=SHAS["a"])
    artifact = server.seed.artifact(NAME, run, "report")
    server.fault("GET", "/artifacts/*.zip", answer=answers.HUGE_ZIP)
    redirect = ask(server, "GET", f"/repos/{NAME}/actions/artifacts/{artifact}/zip")

    with urllib.request.urlopen(redirect.headers["Location"]) as response:  # noqa: S310 -- http
        size, begun = response.headers["Content-Length"], response.read(100)

    assert (10**12, b"PK\x03\x04") == (int(size), begun)


def test_answer_may_end_early(server: GithubServer) -> None:
    """What is shorter than it claims ends with the connection."""
    server.fault(answer=Answer(status=200, body=b"[{", headers={"Content-Length": "100"}))

    with pytest.raises(http.client.IncompleteRead) as caught:
        ask(server, "GET", COMMENTS)

    assert b"[{" == caught.value.partial


def test_graphql_fails_with_status_200(server: GithubServer) -> None:
    """An error of GraphQL is in the body."""
    server.fault("POST", "/graphql", answer=answers.GRAPHQL_ERROR)

    with client(server.url) as opened, pytest.raises(github.GithubException) as caught:
        opened.requester.graphql_query("query { viewer { login } }", {})

    assert "Resource not accessible by integration" in str(caught.value)


def test_requests_are_remembered_with_their_token(server: GithubServer) -> None:
    """A request shows its token, query and body; its token is in no message of a failed test."""
    ask(server, "POST", f"/api/v3{COMMENTS}?x=1", NEW)

    request = server.requests[0]

    assert ("api", COMMENTS, (("x", "1"),)) == (request.listener, request.path, request.query)
    assert (f"Bearer {TOKEN}", NEW) == (request.authorization, request.json())
    assert TOKEN not in repr(request)


@pytest.mark.parametrize(
    ("method", "path", "content", "status", "reason"),
    [
        ("GET", f"/repos/{NAME}/pulls?state=opne", None, 200, "'opne' is not one of"),
        ("GET", f"/repos/{NAME}/pulls?author=me", None, 200, "unknown parameter: author"),
        ("GET", f"/repos/{NAME}/pulls/seven", None, 404, "pull_number"),
        ("GET", "/nowhere", None, 404, "nobody implemented this"),
        ("POST", COMMENTS, {"text": "new"}, 422, "$: 'body' is a required property"),
        ("POST", COMMENTS, {"body": 1}, 422, "$.body: 1 is not of type 'string'"),
        ("POST", COMMENTS, ["new"], 422, "is not of type 'object'"),
        ("POST", COMMENTS, b"{", 400, "Request body"),
        ("POST", "/graphql", {"query": "{ viewer { name } }"}, 200, "Cannot query field 'name'"),
    ],
)
def test_request_that_github_does_not_describe(
    method: str, path: str, content: Any, status: int, reason: str
) -> None:
    """A request that GitHub's description does not allow is a violation, however it is answered."""
    with GithubServer() as server:
        fill(server)
        answered = ask(server, method, path, content)

    assert status == answered.status
    assert ["request"] == [violation.of for violation in server.violations]
    assert reason in server.violations[0].reason


def test_request_is_checked_also_if_it_fails() -> None:
    """A fault excuses its own answer, and not the request."""
    with GithubServer() as server:
        server.fault(answer=answers.NOT_JSON)
        ask(server, "POST", COMMENTS, NEW)
        correct = server.violations
        ask(server, "POST", COMMENTS, {})

    assert ([], 1) == (correct, len(server.violations))


@pytest.mark.parametrize(
    ("method", "path", "reply", "reason"),
    [
        ("GET", COMMENTS, as_json([{"id": "one"}]), "$[0]: 'node_id' is a required property"),
        ("GET", COMMENTS, as_json([], 201), "Unknown response http status: 201"),
        ("GET", COMMENTS, as_json({"message": 1}, 401), "$.message: 1 is not of type 'string'"),
        ("GET", "/user", Reply(status=200, body=b"me"), "Failed to deserialize"),
    ],
)
def test_answer_that_github_does_not_describe(
    method: str, path: str, reply: Reply, reason: str
) -> None:
    """An answer of this server that GitHub would not give is a violation."""
    found = response_violations(Incoming(method=method, path=path), reply)

    assert ["response"] == [violation.of for violation in found]
    assert reason in found[0].reason


def test_description_holds_what_is_needed() -> None:
    """Nothing more can be cut from the description that is here."""
    description = json.loads(FILE.read_text(encoding="utf-8"))

    assert description == cut(description)


def test_description_is_cut_by_a_program(tmp_path: Path) -> None:
    """The program writes the file that is here."""
    written = tmp_path / "openapi.json"
    command = [sys.executable, "-m", "tests.github_server.cut_description"]
    subprocess.run([*command, FILE, written], check=True)

    assert FILE.read_bytes() == written.read_bytes()


# What the scenario has something to say about.
PATHS = ("/user", "/rate_limit")
SCENARIO: Mapping[str, Any] = {
    "seed": [
        {"repository": {"full_name": NAME}},
        {"pull_request": {"repository": NAME, "number": 7, "head_sha": HEAD}},
        {"run": {"repository": NAME, "id": 5, "head_sha": HEAD}},
        {"artifact": {"repository": NAME, "run_id": 5, "name": "log", "files": {"a.txt": "a"}}},
    ],
    "faults": [
        {"method": "POST", "path": "*/comments", "answer": "SECONDARY_LIMIT", "times": 1},
        {"path": "/user", "answer": {"status": 503}},
        {"path": "/rate_limit", "delay_seconds": 0.1},
    ],
}


def test_separate_server_plays_a_scenario(tmp_path: Path) -> None:
    """A server in another process is filled from a file, and reports what came of it."""
    file = tmp_path / "scenario.json"
    file.write_text(json.dumps(SCENARIO), encoding="utf-8")
    command = [sys.executable, "-m", "tests.github_server", "--host", "0.0.0.0"]  # noqa: S104
    with subprocess.Popen(
        [*command, "--scenario", file], stdout=subprocess.PIPE, text=True
    ) as program:
        try:
            assert program.stdout is not None
            url, token = (program.stdout.readline().strip() for _ in range(2))
            bearer = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            body = json.dumps(NEW).encode()
            writes = [fetch("POST", url + COMMENTS, body, bearer).status for _ in range(2)]
            reads = [fetch("GET", url + path, None, bearer).status for path in PATHS]
            artifacts = fetch("GET", f"{url}/repos/{NAME}/actions/artifacts").json()["artifacts"]
            state = fetch("GET", f"{url}/_state").json()
        finally:
            program.terminate()

    assert ([403, 201], [503, 200]) == (writes, reads)
    assert [("log", 5)] == [(one["name"], one["workflow_run"]["id"]) for one in artifacts]
    assert ["new"] == [comment["body"] for comment in state["comments"][NAME]]
    assert [403, 201] == [one["status"] for one in state["requests"] if one["method"] == "POST"]
    assert [] == state["violations"]
