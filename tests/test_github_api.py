"""Requests of the client to GitHub, and its results."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import threading
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import structs

from helm_wandb.errors import InputError
from helm_wandb.github_api.connection import ANSWER_LIMIT_BYTES
from helm_wandb.github_api.messages import (
    Account,
    Artifact,
    Cause,
    Comment,
    Commit,
    CommitRef,
    GithubError,
)
from helm_wandb.github_api.repository import MOST_PAGES
from helm_wandb.runner.context import RunContext
from helm_wandb.runner.event import parse_event
from helm_wandb.runner.repository import open_repository
from helm_wandb.text.redaction import NO_SECRETS
from tests.github_clients import (
    BASE,
    HEAD,
    LOGIN,
    NUMBER,
    REPOSITORY,
    Clock,
    client,
    connect,
    furnish,
)
from tests.github_server import TOKEN, GithubServer, answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from helm_wandb.github_api.repository import Repository

pytestmark = pytest.mark.enable_socket

BRANCH = "feature/ä #1"
ZIP = b"PK" + b"0123456789" * 20_000
LIMIT = 1_000_000
NO_PROBLEM: list[object] = []


@pytest.fixture
def server() -> Iterator[GithubServer]:
    """A server with a repository and a pull request."""
    with GithubServer() as found:
        furnish(found)
        yield found

        assert NO_PROBLEM == found.violations
        assert NO_PROBLEM == found.leaks


@pytest.fixture
def github(server: GithubServer) -> Iterator[Repository]:
    """The repository as the product sees it."""
    with closing(client(server)) as found:
        yield found


def nothing() -> None:
    """No comment is there already."""


def stored(server: GithubServer, content: bytes = ZIP, **run: Any) -> Artifact:
    """Have an artifact; what the client is to say of it."""
    run_id = server.seed.run(REPOSITORY, head_sha=HEAD, **run)
    made = server.seed.artifact(REPOSITORY, run_id, "report", content)
    return Artifact(id=made, name="report", size_bytes=len(content), is_expired=False)


@contextmanager
def opened(environ: Mapping[str, str]) -> Iterator[Repository]:
    """The repository of a workflow with these variables."""
    context = RunContext(event=parse_event(environ, {}), environ=environ, redactor=NO_SECRETS)
    with open_repository(context, TOKEN, budget_seconds=60) as repository:
        assert repository is not None
        yield repository


def open_address(api_url: str) -> None:
    """Open the repository at this GITHUB_API_URL."""
    with opened({"GITHUB_API_URL": api_url, "GITHUB_REPOSITORY": REPOSITORY}):
        pass


def cause_of(call: Callable[[], object]) -> Cause:
    """Why it fails."""
    with pytest.raises(GithubError) as caught:
        call()
    return caught.value.cause


def test_comments_are_read_on_all_pages(server: GithubServer, github: Repository) -> None:
    """250 comments come in three requests, the oldest first, with author, text and link."""
    ids = server.seed.comments(REPOSITORY, NUMBER, count=250)
    found = list(github.comments(NUMBER))

    assert ids == [comment.id for comment in found]
    assert 3 == len(server.requests)
    assert found[0].url.endswith(f"/{REPOSITORY}/pull/{NUMBER}#issuecomment-{ids[0]}")
    assert ("somebody", "Comment 250") == (found[-1].author, found[-1].body)


def test_comments_are_read_no_further_than_wanted(server: GithubServer, github: Repository) -> None:
    """The second page is requested when the first is used up."""
    server.seed.comments(REPOSITORY, NUMBER, count=150)
    next(github.comments(NUMBER))

    assert 1 == len(server.requests)


def test_comment_is_created_edited_and_deleted(server: GithubServer, github: Repository) -> None:
    """Each write is one request, and gives the comment as GitHub stored it."""
    created = github.create_comment(NUMBER, "one", unless=nothing)
    edited = github.edit_comment(created.id, "two")
    held = [comment.body for comment in server.comments(REPOSITORY, NUMBER)]
    github.delete_comment(created.id)

    assert (LOGIN, "one", "two") == (created.author, created.body, edited.body)
    assert ["two"] == held
    assert [] == server.comments(REPOSITORY, NUMBER)
    assert ["POST", "PATCH", "DELETE"] == [one.method for one in server.requests]


def test_deleting_what_is_gone_is_no_fault(github: Repository) -> None:
    """Somebody else may have deleted the comment."""
    github.delete_comment(4711)


def test_deleting_asks_for_githubs_own_answer(server: GithubServer, github: Repository) -> None:
    """A proxy's page with status 200 deleted nothing."""
    server.fault("DELETE", answer=answers.NOT_JSON)

    assert Cause.UNREADABLE is cause_of(lambda: github.delete_comment(1))


def test_comment_that_was_stored_is_found_instead_of_posted_again(
    server: GithubServer, github: Repository
) -> None:
    """After a lost answer, the caller looks for the comment first."""
    server.fault("POST", drop=True, times=1)
    found = Comment(id=1, user=Account(LOGIN), body="one", url="https://example.com")

    assert found == github.create_comment(NUMBER, "one", unless=lambda: found)
    assert 1 == len(server.writes)


def test_comment_of_a_deleted_account_has_no_author(
    server: GithubServer, github: Repository
) -> None:
    """An author that GitHub does not name is nobody, and a missing text is empty."""
    gone = {"id": 5, "html_url": "https://example.com", "user": None, "body": None}
    server.fault("GET", answer=answers.Answer(status=200, body=[gone]))

    (found,) = github.comments(NUMBER)

    assert ("", "") == (found.author, found.text)


def test_login_is_requested_once(server: GithubServer, github: Repository) -> None:
    """GraphQL has the token's login, and `GET /user` is never requested."""
    assert [LOGIN, LOGIN] == [github.login(), github.login()]
    assert ["/graphql"] == [one.path for one in server.requests]


@pytest.mark.parametrize(
    "answer",
    [answers.GRAPHQL_ERROR, answers.MISSING_PERMISSION, answers.NOT_JSON],
    ids=["error", "403", "page"],
)
def test_login_is_the_workflows_where_graphql_is_refused(
    server: GithubServer, github: Repository, answer: answers.Answer
) -> None:
    """Only a workflow's own token is refused there."""
    server.fault("POST", "/graphql", answer=answer)

    assert LOGIN == github.login()


def test_login_of_a_wrong_token_is_a_fault(server: GithubServer) -> None:
    """401 is not taken for the workflow's own token."""
    unknown = "ghs_of_nobody"
    with closing(client(server, token=unknown)) as github:
        assert Cause.UNAUTHORIZED is cause_of(github.login)


def test_default_branch(server: GithubServer, github: Repository) -> None:
    """It is the repository's own word, in one request."""
    server.seed.repository(REPOSITORY, default_branch="trunk")

    assert "trunk" == github.default_branch()
    assert 1 == len(server.requests)


def test_pull_request_of_an_own_branch(server: GithubServer, github: Repository) -> None:
    """Number, head, base and labels, in one request."""
    furnish(server, labels=("accepted", "evals"))

    found = github.pull_request(NUMBER)

    assert (NUMBER, HEAD, "main") == (found.number, found.head.sha, found.base.ref)
    assert {"accepted", "evals"} == found.label_names
    assert ("me", True) == (found.head_owner, found.is_own)
    assert 1 == len(server.requests)


def test_pull_request_of_a_fork(server: GithubServer, github: Repository) -> None:
    """It has its head's owner, and is not of this repository."""
    furnish(server, head_repository="you/models")
    found = github.pull_request(NUMBER)

    assert ("you", False) == (found.head_owner, found.is_own)


def test_open_pull_requests_of_a_branch(server: GithubServer, github: Repository) -> None:
    """Those of this owner's branch that are open, whatever letters its name holds."""
    for number, state, branch in ((7, "open", BRANCH), (8, "closed", BRANCH), (9, "open", "x")):
        server.seed.pull_request(REPOSITORY, number, head_sha=HEAD, state=state, head_branch=branch)
    server.seed.pull_request(
        REPOSITORY, 10, head_sha=HEAD, head_branch=BRANCH, head_repository="you/models"
    )

    assert [7] == [one.number for one in github.open_pull_requests(owner="me", branch=BRANCH)]
    assert [10] == [one.number for one in github.open_pull_requests(owner="you", branch=BRANCH)]


def test_pull_requests_of_others_are_left_out(server: GithubServer, github: Repository) -> None:
    """Pull requests of others are dropped if a server ignores the filter."""
    side = {"ref": "change", "sha": HEAD, "repo": {"id": 1, "owner": {"login": "Me"}}}
    listed = {"number": NUMBER, "head": side, "base": side}
    server.fault("GET", answer=answers.Answer(status=200, body=[listed]))

    assert 1 == len(github.open_pull_requests(owner="me", branch="change"))
    assert () == github.open_pull_requests(owner="me", branch="other")
    assert () == github.open_pull_requests(owner="you", branch="change")


def test_pull_request_whose_fork_is_gone(server: GithubServer, github: Repository) -> None:
    """The head's owner is unknown then, and the head is not ours."""
    side = {"ref": "change", "sha": HEAD, "repo": None}
    base = {"ref": "main", "sha": BASE, "repo": {"id": 1, "owner": {"login": "me"}}}
    body = {"number": NUMBER, "head": side, "base": base}
    server.fault("GET", answer=answers.Answer(status=200, body=body))
    found = github.pull_request(NUMBER)

    assert (None, False) == (found.head_owner, found.is_own)


def test_commit_has_its_parents(server: GithubServer, github: Repository) -> None:
    """A merge has two, in their order."""
    merge = "d" * 40
    server.seed.commit(REPOSITORY, merge, parents=[BASE, HEAD])

    assert Commit(merge, (CommitRef(BASE), CommitRef(HEAD))) == github.commit(merge)
    assert 1 == len(server.requests)


def test_merge_base_is_where_two_parted(server: GithubServer, github: Repository) -> None:
    """The base branch went on; the pull request began at its first commit."""
    server.seed.commit(REPOSITORY, "e" * 40, parents=[BASE], branch=BRANCH)

    assert BASE == github.merge_base(BRANCH, HEAD)
    assert 1 == len(server.requests)


def test_old_name_of_a_branch_leads_to_the_present_one(
    server: GithubServer, github: Repository
) -> None:
    """Slashes and other signs of a name are part of it."""
    server.seed.branch(REPOSITORY, "a/b #1", HEAD)
    server.seed.rename_branch(REPOSITORY, "a/b #1", "c/d?")

    assert ["c/d?", "c/d?"] == [github.branch_name(name) for name in ("a/b #1", "c/d?")]
    with pytest.raises(GithubError, match="read branch c: GitHub returned HTTP 404"):
        github.branch_name("c")


def test_ancestors_are_read_page_by_page(server: GithubServer, github: Repository) -> None:
    """The commit itself comes first; 150 take two requests."""
    shas = [f"{number:040x}" for number in range(1, 151)]
    server.seed.repository(REPOSITORY)
    server.seed.history(REPOSITORY, shas)

    assert shas[::-1] == list(github.ancestors(shas[-1]))
    assert 2 == len(server.requests)


def test_artifacts_name_their_runs(server: GithubServer, github: Repository) -> None:
    """The newest first, those of forks labelled, expired and other ones left out."""
    own = stored(server, b"1")
    fork = stored(server, b"22", head_repository="you/models", head_branch="change")
    run_id = server.seed.run(REPOSITORY, head_sha=HEAD)
    server.seed.artifact(REPOSITORY, run_id, "report", b"", expired=True)
    server.seed.artifact(REPOSITORY, run_id, "other", b"")

    assert [(fork.id, "change", False), (own.id, "main", True)] == [
        (one.id, one.run.head_branch, one.run.is_own) for one in github.artifacts("report")
    ]
    assert 1 == len(server.requests)


@pytest.mark.parametrize("run", [None, {"id": 1}, {"head_sha": HEAD}])
def test_artifact_without_a_run_is_left_out(
    server: GithubServer, github: Repository, run: object
) -> None:
    """An artifact without run and commit is left out."""
    caught = {"id": 1, "name": "report", "size_in_bytes": 1, "expired": False, "workflow_run": run}
    server.fault("GET", answer=answers.Answer(status=200, body={"artifacts": [caught]}))

    assert [] == list(github.artifacts("report"))


@pytest.mark.parametrize(("repository", "is_own"), [(None, True), ("you/models", False)])
def test_workflow_run(
    server: GithubServer, github: Repository, repository: str | None, *, is_own: bool
) -> None:
    """A run has its commit, branch and event, and says whether it is a fork's."""
    run_id = server.seed.run(
        REPOSITORY,
        head_sha=HEAD,
        number=3,
        event="pull_request",
        head_branch="change",
        head_repository=repository,
    )
    found = github.workflow_run(run_id)

    assert (run_id, 3, "pull_request", "change", HEAD, is_own) == (
        found.id,
        found.number,
        found.event,
        found.head_branch,
        found.head_sha,
        found.is_own,
    )
    assert 1 == len(server.requests)


def test_download_leaves_the_token_at_githubs_door(
    server: GithubServer, github: Repository
) -> None:
    """The zip comes from another host, which is sent no token."""
    assert ZIP == github.download(stored(server), limit_bytes=LIMIT)
    assert [True, False] == [one.authorization is not None for one in server.requests]
    assert ["api", "storage"] == [one.listener for one in server.requests]


def test_download_of_a_larger_artifact_is_not_begun(
    server: GithubServer, github: Repository
) -> None:
    """An artifact that is too large by GitHub's number is not requested."""
    artifact = stored(server)

    assert Cause.UNREADABLE is cause_of(lambda: github.download(artifact, limit_bytes=len(ZIP) - 1))
    assert [] == server.requests


def test_download_ends_at_the_limit(server: GithubServer, github: Repository) -> None:
    """A file that is larger than GitHub said is read no further."""
    artifact = stored(server)
    lying = structs.replace(artifact, size_bytes=1)

    with pytest.raises(GithubError, match="larger than 1000 bytes"):
        github.download(lying, limit_bytes=1000)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (answers.Answer(status=404), Cause.NOT_FOUND),
        (answers.Answer(status=410), Cause.INVALID),
        (answers.Answer(status=503), Cause.SERVER),
        (answers.Answer(status=302, headers={"Location": "#again"}), Cause.UNREADABLE),
        (answers.Answer(status=302, headers={"Location": "ftp://localhost/x"}), Cause.UNREADABLE),
        (answers.Answer(status=304), Cause.UNREADABLE),
    ],
)
def test_download_that_the_api_refuses(
    server: GithubServer, github: Repository, answer: answers.Answer, cause: Cause
) -> None:
    """Refusals have their cause; redirects end, and lead to http or https only."""
    artifact = stored(server)
    server.fault("GET", "/repos/*/zip", answer=answer)

    assert cause is cause_of(lambda: github.download(artifact, limit_bytes=LIMIT))


def test_download_that_the_storage_refuses(server: GithubServer, github: Repository) -> None:
    """A refusal there is none of the token's permissions, and its link is not repeated."""
    artifact = stored(server)
    server.fault("GET", "/artifacts/*", answer=answers.Answer(status=403))

    with pytest.raises(GithubError, match="HTTP 403 from GitHub's file storage") as caught:
        github.download(artifact, limit_bytes=LIMIT)

    assert Cause.UNREADABLE is caught.value.cause
    assert "localhost" not in str(caught.value)


def test_token_is_not_sent_to_another_port(server: GithubServer, github: Repository) -> None:
    """Another port of the API's host is another server."""
    artifact = stored(server)
    with GithubServer(is_checked=False) as other:
        away = answers.Answer(status=302, headers={"Location": f"{other.url}/file"})
        server.fault("GET", "/repos/*/zip", answer=away)
        cause = cause_of(lambda: github.download(artifact, limit_bytes=LIMIT))

        assert [None] == [one.authorization for one in other.requests]
    assert Cause.UNREADABLE is cause


def test_download_is_tried_again(server: GithubServer, github: Repository) -> None:
    """A connection that is dropped at the storage, once, and a fault of it, once."""
    artifact = stored(server)
    server.fault("GET", "/artifacts/*", drop=True, times=1)
    server.fault("GET", "/artifacts/*", answer=answers.BAD_GATEWAY, times=1)

    assert ZIP == github.download(artifact, limit_bytes=LIMIT)


def test_download_that_breaks_off_is_no_zip(server: GithubServer, github: Repository) -> None:
    """Fewer bytes than were promised are not taken for the whole."""
    artifact = stored(server)
    server.fault("GET", "/artifacts/*", answer=answers.HUGE_ZIP)

    assert Cause.NETWORK is cause_of(lambda: github.download(artifact, limit_bytes=LIMIT))


def test_enterprise_server(server: GithubServer) -> None:
    """Under `/api/v3`, next to GraphQL, pages and downloads work as at github.com."""
    server.seed.comments(REPOSITORY, NUMBER, count=150)
    options: dict[str, Any] = {
        "api_url": server.enterprise_url,
        "graphql_url": f"{server.url}/api/graphql",
    }
    with closing(client(server, **options)) as github:
        assert LOGIN == github.login()
        assert 150 == len(list(github.comments(NUMBER)))
        assert ZIP == github.download(stored(server), limit_bytes=LIMIT)


def test_token_shows_nowhere(github: Repository) -> None:
    """Whoever prints the client prints no secret."""
    assert TOKEN not in repr(github)


def test_refusal_that_repeats_the_token_does_not_show_it(
    server: GithubServer, github: Repository
) -> None:
    """A proxy may quote what it was sent."""
    echo = {"message": f"no access with token {TOKEN}\nat all"}
    server.fault(answer=answers.Answer(status=403, body=echo))

    with pytest.raises(GithubError, match=r"no access with token \*\*\*\?at all"):
        github.default_branch()


def test_redirect_to_another_host_is_not_followed(server: GithubServer, github: Repository) -> None:
    """The token goes to the API's host and to no other."""
    away = {"Location": "http://127.0.0.1:1/repos/x"}
    server.fault(answer=answers.Answer(status=301, headers=away))

    assert Cause.UNREADABLE is cause_of(github.default_branch)


@pytest.mark.parametrize("bad", ["", "with space", "line\nbreak", "ünknown"])
def test_what_cannot_be_a_token_is_not_sent(server: GithubServer, bad: str) -> None:
    """The error says that the token is wrong, without repeating it."""
    with closing(client(server, token=bad)) as github:
        with pytest.raises(GithubError, match="is empty or has invalid") as caught:
            github.default_branch()

        assert Cause.UNAUTHORIZED is caught.value.cause
        assert Cause.UNAUTHORIZED is cause_of(
            lambda: github.download(stored(server), limit_bytes=LIMIT)
        )
    assert [] == server.requests


def test_address_that_is_none_is_an_input_error() -> None:
    """GITHUB_API_URL is checked before the first request."""
    with pytest.raises(InputError, match="GITHUB_API_URL: 'nowhere' isn't the URL"):
        open_address("nowhere")


def test_password_in_the_address_is_not_shown() -> None:
    """GITHUB_API_URL with a password is refused, and the password is not repeated."""
    with pytest.raises(InputError, match=r"GITHUB_API_URL: 'https://\*\*\*@host' ") as caught:
        open_address("https://user:s3cret@host")

    assert "s3cret" not in str(caught.value)


READINGS: dict[str, Callable[[Repository], object]] = {
    "default_branch": lambda github: github.default_branch(),
    "comments": lambda github: list(github.comments(1)),
    "create_comment": lambda github: github.create_comment(1, "text", unless=nothing),
    "edit_comment": lambda github: github.edit_comment(1, "text"),
    "pull_request": lambda github: github.pull_request(1),
    "open_pull_requests": lambda github: github.open_pull_requests(owner="me", branch="x"),
    "commit": lambda github: github.commit(HEAD),
    "merge_base": lambda github: github.merge_base("main", HEAD),
    "ancestors": lambda github: list(github.ancestors(HEAD)),
    "branch_name": lambda github: github.branch_name("main"),
    "artifacts": lambda github: list(github.artifacts("report")),
    "workflow_run": lambda github: github.workflow_run(1),
}
"""Each call whose answer is read."""
ODD = {
    "empty": "",
    "null": "null",
    "an object": "{}",
    "of numbers": "[1]",
    "cut": '[{"id": 1',
    "deep": "[" * 100_000,
    "wrong types": json.dumps({"id": "1", "number": True, "sha": 5, "artifacts": {}}),
}


@pytest.mark.parametrize("call", READINGS.values(), ids=READINGS)
@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_answers_that_are_not_githubs_are_faults(
    server: GithubServer, github: Repository, call: Callable[[Repository], object], text: str
) -> None:
    """Whatever comes back, it is one fault, that is not tried again, and never a crash."""
    server.fault(answer=answers.Answer(status=200, body=text))

    assert Cause.UNREADABLE is cause_of(lambda: call(github))
    assert 1 == len(server.requests)


HUGE = b" " * (ANSWER_LIMIT_BYTES + 1)
GZIP = {"Content-Encoding": "gzip"}


@pytest.mark.parametrize(
    "answer",
    [
        answers.Answer(status=200, body=HUGE),
        answers.Answer(status=403, body=HUGE),
        answers.Answer(status=200, body=gzip.compress(4 * HUGE, 1), headers=GZIP),
    ],
    ids=["plain", "refusal", "packed"],
)
def test_answers_have_a_size_limit(
    server: GithubServer, github: Repository, answer: answers.Answer
) -> None:
    """An answer is read up to 32 MiB, unpacked; then it is a fault without a retry."""
    server.fault(answer=answer)

    with pytest.raises(GithubError, match="larger than 32 MiB") as caught:
        github.default_branch()

    assert Cause.UNREADABLE is caught.value.cause
    assert 1 == len(server.requests)


def test_lists_without_an_end_end(server: GithubServer, github: Repository) -> None:
    """If a list's pages lead in a circle, a hundred are read."""
    again = {"Link": f'<{server.url}/repos/{REPOSITORY}/issues/1/comments?page=2>; rel="next"'}
    server.fault(answer=answers.Answer(status=200, body=[], headers=again))

    with pytest.raises(GithubError, match="it has more than 100 pages"):
        list(github.comments(1))

    assert MOST_PAGES == len(server.requests)


@pytest.mark.parametrize("text", ["[]", "null", '{"message": 5}', "[" * 100_000, "<html>"])
def test_refusals_in_any_words_are_faults(
    server: GithubServer, github: Repository, text: str
) -> None:
    """Without words that can be read, the status must do."""
    server.fault(answer=answers.Answer(status=403, body=text))

    with pytest.raises(GithubError, match=r"GitHub returned HTTP 403$"):
        github.default_branch()


def test_budget_is_of_all_calls_together(server: GithubServer) -> None:
    """One call's waits reduce the budget of the next; without budget no request is sent."""
    clock = Clock()
    with closing(client(server, clock)) as github:
        server.fault(answer=answers.too_many_requests(80), times=1)
        github.default_branch()
        server.fault(answer=answers.too_many_requests(80), times=1)
        cause = cause_of(github.default_branch)
        clock.pass_by(1000)
        github.default_branch()
        server.before("GET", "*", lambda: clock.pass_by(1000))
        github.default_branch()
        met = len(server.requests)

        with pytest.raises(GithubError, match="the time limit for GitHub"):
            github.default_branch()

    assert Cause.LIMITED is cause
    assert met == len(server.requests)


def test_a_budget_that_is_used_up_ends_a_request(server: GithubServer) -> None:
    """A request is not waited for longer than what is left."""
    server.fault(hang=True)
    with closing(client(server, budget_seconds=0.2)) as github:
        cause = cause_of(github.default_branch)

    assert Cause.NETWORK is cause


def test_answer_that_drips_is_not_waited_for() -> None:
    """Bytes that come one by one keep no request alive beyond its time."""
    with dripping() as url:
        options: dict[str, Any] = {"budget_seconds": 1.0, "timeout_seconds": 0.5}
        with closing(connect(TOKEN, REPOSITORY, api_url=url, **options)) as github:
            cause = cause_of(github.default_branch)

    assert Cause.NETWORK is cause


@contextmanager
def dripping() -> Iterator[str]:
    """The URL of a server whose answers come slowly, and never end."""
    stopping = threading.Event()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not stopping.wait(0.05):
                connection.sendall(b" ")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stopping.set()
            thread.join()


def test_proxy_of_the_environment_is_used(
    server: GithubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that only the proxy knows is reached through it."""
    monkeypatch.setenv("http_proxy", server.url)
    with closing(client(server, api_url="http://github.invalid")) as github:
        assert "main" == github.default_branch()


def test_proxy_is_not_used_where_the_environment_says_so(
    server: GithubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_PROXY keeps a host from it."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "localhost")
    with closing(client(server)) as github:
        assert "main" == github.default_branch()


def test_proxy_that_fails_is_a_fault_without_its_password(
    server: GithubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its address stays unsaid."""
    monkeypatch.setenv("http_proxy", "http://user:hidden@127.0.0.1:1")
    with (
        closing(client(server)) as github,
        pytest.raises(GithubError, match="the proxy didn't forward the request") as caught,
    ):
        github.default_branch()

    assert "hidden" not in str(caught.value)


def test_login_of_netrc_is_not_sent(
    server: GithubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the token's place, nor to where artifacts are stored."""
    (tmp_path / "netrc").write_text("machine localhost login me password hidden\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with closing(client(server)) as github:
        github.download(stored(server), limit_bytes=LIMIT)
        github.default_branch()

    assert [f"token {TOKEN}", None, f"token {TOKEN}"] == [
        one.authorization for one in server.requests
    ]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a key and a self-signed certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


class _Secure(BaseHTTPRequestHandler):
    """An Enterprise server of which there is little."""

    def do_GET(self) -> None:
        """A repository; an artifact that is said to be at a host without encryption."""
        if self.path.endswith("/zip"):
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/artifact")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"default_branch": "secure"}')

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def secure_url(certificate: Path) -> Iterator[str]:
    """The URL of a server whose certificate nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with HTTPServer(("127.0.0.1", 0), _Secure) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_certificate_that_is_not_trusted_is_a_fault_at_once(secure_url: str) -> None:
    """No retry helps; the variable that does is named."""
    clock = Clock()
    with (
        closing(connect(TOKEN, REPOSITORY, api_url=secure_url, sleep=clock.sleep)) as github,
        pytest.raises(GithubError, match="REQUESTS_CA_BUNDLE"),
    ):
        github.default_branch()

    assert [] == clock.waits


def test_certificates_of_ones_own_are_trusted(
    secure_url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the argument, or by the variable that requests knows."""
    given = str(certificate)
    with closing(connect(TOKEN, REPOSITORY, api_url=secure_url, certificates=given)) as github:
        assert "secure" == github.default_branch()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", given)
    with closing(connect(TOKEN, REPOSITORY, api_url=secure_url)) as github:
        assert "secure" == github.default_branch()


@pytest.mark.parametrize(
    ("variables", "is_trusted"),
    [
        ({"SSL_CERT_FILE": "own"}, True),
        ({"SSL_CERT_FILE": "own", "REQUESTS_CA_BUNDLE": "other"}, False),
        ({"SSL_CERT_FILE": "own", "CURL_CA_BUNDLE": "other"}, False),
        ({}, False),
    ],
)
def test_certificates_of_the_environment(
    secure_url: str, certificate: Path, variables: dict[str, str], *, is_trusted: bool
) -> None:
    """SSL_CERT_FILE counts where no variable is set that requests reads by itself."""
    environ = {
        "GITHUB_API_URL": secure_url,
        "GITHUB_REPOSITORY": REPOSITORY,
        **{name: str(certificate) for name in variables},
    }
    with opened(environ) as github:
        if is_trusted:
            assert "secure" == github.default_branch()
        else:
            assert Cause.NETWORK is cause_of(github.default_branch)


def test_repository_of_a_workflow(server: GithubServer) -> None:
    """Its name and addresses are the runner's variables."""
    environ = {
        "GITHUB_API_URL": server.enterprise_url,
        "GITHUB_GRAPHQL_URL": f"{server.url}/api/graphql",
        "GITHUB_REPOSITORY": REPOSITORY,
    }
    with opened(environ) as github:
        assert ("main", LOGIN) == (github.default_branch(), github.login())


def test_addresses_are_githubs_own_without_variables() -> None:
    """As on github.com, where the runner sets just these."""
    with opened({"GITHUB_REPOSITORY": REPOSITORY}) as found:
        assert "https://api.github.com" == found.connection.api_url
        assert "https://api.github.com/graphql" == found.graphql_url


def test_download_without_encryption_is_refused(secure_url: str, certificate: Path) -> None:
    """From https a redirect to http is not followed."""
    given = str(certificate)
    artifact = Artifact(id=1, name="report", size_bytes=1, is_expired=False)
    with (
        closing(connect(TOKEN, REPOSITORY, api_url=secure_url, certificates=given)) as github,
        pytest.raises(GithubError, match="a redirect to what is not https"),
    ):
        github.download(artifact, limit_bytes=LIMIT)


def test_closing_what_was_not_used_is_no_fault() -> None:
    """A client that sent no request has nothing to close."""
    connect(TOKEN, REPOSITORY).close()
