"""The tests' own GitHub, against the real PyGithub and against plain HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.github_builders import COMMENTS, HEAD, NAME, SHAS, ask, client, fetch, fill
from tests.github_server import TOKEN, GithubServer
from tests.github_server.seed import zipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from github.Repository import Repository

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def server() -> Iterator[GithubServer]:
    """A GitHub with a repository; requests and answers are as GitHub describes them."""
    with GithubServer() as served:
        fill(served)
        yield served

    assert [] == served.violations


@pytest.fixture
def repository(server: GithubServer) -> Iterator[Repository]:
    """The repository by PyGithub."""
    with client(server.url) as opened:
        yield opened.get_repo(NAME)


@pytest.mark.parametrize("address", ["url", "enterprise_url"])
def test_comment_is_written_edited_and_deleted(server: GithubServer, address: str) -> None:
    """PyGithub writes, edits and deletes a comment, whether or not the API is under /api/v3."""
    url = getattr(server, address)
    with client(url) as opened:
        issue = opened.get_repo(NAME).get_issue(7)
        comment = issue.create_comment("first")
        comment.edit("second")
        kept = server.comments(NAME, 7)
        comment.delete()

    assert ["second"] == [one.body for one in kept]
    assert "github-actions[bot]" == comment.user.login
    assert f"{url}/repos/{NAME}/issues/comments/{kept[0].id}" == comment.url
    assert [] == server.comments(NAME, 7)
    assert ["POST", "PATCH", "DELETE"] == [request.method for request in server.writes]


def test_edited_comment_says_when(server: GithubServer, repository: Repository) -> None:
    """An edit changes a comment's second date and leaves its first."""
    made = "2020-01-01T00:00:00Z"
    old = server.seed.comment(NAME, 7, "old", created_at=made)

    repository.get_issue(7).get_comment(old).edit("new")

    kept = server.comments(NAME, 7)[0]
    assert made == kept.created_at
    assert made < kept.updated_at


def test_comments_come_page_by_page(server: GithubServer, repository: Repository) -> None:
    """250 comments are three pages of a hundred, the oldest first."""
    ids = server.seed.comments(NAME, 7, count=250)

    read = list(repository.get_issue(7).get_comments())

    assert ids == [comment.id for comment in read]
    pages = [dict(request.query) for request in server.requests if request.path == COMMENTS]
    assert [None, "2", "3"] == [page.get("page") for page in pages]


@pytest.mark.parametrize(
    ("query", "count", "names"),
    [
        ("", 30, ["next", "last"]),
        ("?per_page=1000", 100, ["next", "last"]),
        ("?per_page=100&page=2", 20, ["prev", "first"]),
        ("?per_page=0&page=9", 0, ["prev", "first"]),
    ],
)
def test_page_holds_30_by_default_and_100_at_most(
    server: GithubServer, query: str, count: int, names: list[str]
) -> None:
    """The size of a page and its links are GitHub's."""
    server.seed.comments(NAME, 7, count=120)

    answered = ask(server, "GET", COMMENTS + query)

    assert count == len(answered.json())
    links = answered.headers["Link"].split(", ")
    assert names == [link.partition('rel="')[2].rstrip('"') for link in links]


def test_single_page_has_no_links(server: GithubServer) -> None:
    """If one page has everything, there is no Link."""
    assert "Link" not in ask(server, "GET", COMMENTS).headers


def test_addresses_are_those_that_the_client_used(server: GithubServer) -> None:
    """Links and URLs hold the host of the request, and its /api/v3."""
    server.seed.comments(NAME, 7, count=40)

    answered = ask(server, "GET", f"/api/v3{COMMENTS}", Host="github.test:8080")

    start = f"http://github.test:8080/api/v3/repos/{NAME}/issues/"
    assert answered.headers["Link"].startswith(f"<{start}7/comments?page=2>")
    assert answered.json()[0]["url"].startswith(f"{start}comments/")
    assert answered.json()[0]["html_url"].startswith(f"http://github.test:8080/{NAME}/pull/7#")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("x" * 65_537, "Body is too long (maximum is 65536 characters)"),
        (" \n", "Body can't be blank"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_comment_that_github_refuses(
    server: GithubServer, method: str, body: str, words: str
) -> None:
    """A comment that is too long or blank is answered 422 with GitHub's words."""
    old = server.seed.comment(NAME, 7, "old")
    path = COMMENTS if method == "POST" else f"/repos/{NAME}/issues/comments/{old}"

    answered = ask(server, method, path, {"body": body})

    assert (422, words) == (answered.status, answered.json()["errors"][0]["message"])
    assert ["old"] == [comment.body for comment in server.comments(NAME, 7)]


def test_longest_comment_is_taken(server: GithubServer) -> None:
    """65,536 characters are allowed, however many bytes they are."""
    assert 201 == ask(server, "POST", COMMENTS, {"body": "…" * 65_536}).status


def test_locked_conversation_takes_no_comment(server: GithubServer) -> None:
    """A locked conversation is answered 403 with GitHub's words."""
    server.seed.pull_request(NAME, 7, head_sha=HEAD, locked=True)

    answered = ask(server, "POST", COMMENTS, {"body": "late"})

    assert 403 == answered.status
    assert "Unable to create comment because issue is locked." == answered.message
    assert [] == server.comments(NAME, 7)


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_deleted_comment_is_gone(server: GithubServer, method: str) -> None:
    """What was deleted is answered 404."""
    path = f"/repos/{NAME}/issues/comments/{server.seed.comment(NAME, 7, 'old')}"

    assert 204 == ask(server, "DELETE", path).status
    body = {"body": "new"} if method == "PATCH" else None
    assert 404 == ask(server, method, path, body).status


def test_writers_at_the_same_time_lose_nothing(server: GithubServer) -> None:
    """Comments of twenty jobs at once are all kept, each with its own id."""
    with ThreadPoolExecutor(20) as jobs:
        list(jobs.map(lambda n: ask(server, "POST", COMMENTS, {"body": f"{n}"}), range(20)))

    kept = server.comments(NAME, 7)
    assert {str(number) for number in range(20)} == {comment.body for comment in kept}
    assert 20 == len({comment.id for comment in kept})


@pytest.mark.parametrize(
    ("permissions", "method", "path", "status"),
    [
        ({"pull-requests": "write"}, "POST", COMMENTS, 201),
        ({"issues": "write"}, "POST", COMMENTS, 201),
        ({"pull-requests": "read", "contents": "write"}, "POST", COMMENTS, 403),
        ({}, "GET", COMMENTS, 200),
        ({}, "GET", f"/repos/{NAME}/actions/artifacts", 200),
        ({"contents": "read"}, "GET", f"/repos/{NAME}/actions/artifacts/1001/zip", 403),
        ({"actions": "read"}, "GET", f"/repos/{NAME}/actions/artifacts/1001/zip", 404),
    ],
)
def test_token_may_what_its_permissions_say(
    server: GithubServer, permissions: Mapping[str, str], method: str, path: str, status: int
) -> None:
    """Writes and downloads want a permission; a public repository is read without."""
    server.seed.token("other", permissions=permissions)
    body = {"body": "new"} if method == "POST" else None

    answered = ask(server, method, path, body, token="other")  # noqa: S106 -- a test's own

    assert status == answered.status
    if status == 403:
        assert "Resource not accessible by integration" == answered.message


@pytest.mark.parametrize(
    ("token", "repositories", "path", "status"),
    [
        ("other", ["secret/name"], "/repos/secret/name", 200),
        ("other", ["secret/name"], "/repos/secret/name/issues/1/comments", 200),
        ("other", ["secret/name"], "/repos/secret/name/commits", 403),
        ("other", [NAME], "/repos/secret/name", 404),
        (None, [], "/repos/secret/name", 404),
        (None, [], f"/repos/{NAME}", 200),
        ("wrong", [], f"/repos/{NAME}", 401),
        (None, [], "/user", 401),
        (None, [], "/repos/owner/none", 404),
    ],
)
def test_private_repository_is_seen_by_its_own_tokens(
    server: GithubServer, token: str | None, repositories: list[str], path: str, status: int
) -> None:
    """To others a private repository doesn't exist; an unknown token is refused."""
    server.seed.repository("secret/name", private=True)
    server.seed.pull_request("secret/name", 1, head_sha=HEAD)
    server.seed.token("other", permissions={"issues": "read"}, repositories=repositories)

    assert status == ask(server, "GET", path, token=token).status


@pytest.mark.parametrize("token", [None, "elsewhere"])
def test_writing_wants_a_token_of_the_repository(server: GithubServer, token: str | None) -> None:
    """Without a token a write is answered 401, with that of another repository 403."""
    server.seed.token("elsewhere", repositories=["another/name"])

    answered = ask(server, "POST", COMMENTS, {"body": "new"}, token=token)

    assert (403 if token else 401) == answered.status
    assert [] == server.comments(NAME, 7)


def test_workflow_token_learns_its_login_from_graphql_alone(server: GithubServer) -> None:
    """GET /user is for persons; the viewer is for all."""
    server.seed.token("person", login="octavia")
    with client(server.url, "person") as opened:
        assert "octavia" == opened.get_user().login
    with client(server.enterprise_url) as opened:
        _, answer = opened.requester.graphql_query("query { viewer { login } }", {})

    assert {"data": {"viewer": {"login": "github-actions[bot]"}}} == answer
    assert 403 == ask(server, "GET", "/user").status
    assert (
        401 == ask(server, "POST", "/graphql", {"query": "{ viewer { login } }"}, token="").status
    )


def test_rate_limit_is_reported(server: GithubServer) -> None:
    """Every answer says what is left, as GET /rate_limit does."""
    answered = ask(server, "GET", "/rate_limit")

    assert str(answered.json()["rate"]["remaining"]) == answered.headers["X-RateLimit-Remaining"]


def test_pull_request_of_a_fork(repository: Repository) -> None:
    """A pull request says where its head is, and where it goes."""
    pull = repository.get_pull(7)

    assert ("fork/name", "fork:change", HEAD) == (
        pull.head.repo.full_name,
        pull.head.label,
        pull.head.sha,
    )
    assert (NAME, "main", SHAS["d"]) == (pull.base.repo.full_name, pull.base.ref, pull.base.sha)
    assert ["slow"] == [label.name for label in pull.labels]


def test_issue_of_a_pull_request(server: GithubServer, repository: Repository) -> None:
    """A pull request is an issue too."""
    server.seed.comment(NAME, 7, "first")

    issue = repository.get_issue(7)

    assert (7, 1, f"/repos/{NAME}/pulls/7") == (
        issue.number,
        issue.comments,
        urlsplit(issue.pull_request.url if issue.pull_request else "").path,
    )


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [8, 7]),
        ({"direction": "asc"}, [7, 8]),
        ({"sort": "updated"}, [7, 8]),
        ({"state": "closed"}, [9]),
        ({"state": "all"}, [9, 8, 7]),
        ({"head": "fork:change"}, [7]),
        ({"head": "owner:change"}, []),
        ({"head": "change"}, [8, 7]),
        ({"base": "release"}, []),
    ],
)
def test_pull_requests_are_filtered(
    server: GithubServer, repository: Repository, query: dict[str, str], numbers: list[int]
) -> None:
    """State, head and base filter; a head without an owner does not, as at GitHub."""
    server.seed.pull_request(NAME, 9, head_sha=SHAS["c"], state="closed", merged=True)

    assert numbers == [pull.number for pull in repository.get_pulls(**query)]


@pytest.mark.parametrize(
    ("start", "letters"),
    [
        ("main", "dcba"),
        ("own", "ecba"),
        (HEAD, "fba"),
        ("refs/pull/7/head", "fba"),
        ("bbbbbbb", "ba"),
    ],
)
def test_commits_come_newest_first(repository: Repository, start: str, letters: str) -> None:
    """Commits are those that lead to a branch, a sha or a pull request."""
    assert letters == "".join(commit.sha[0] for commit in repository.get_commits(sha=start))


def test_branch_may_move(server: GithubServer, repository: Repository) -> None:
    """A branch that is seeded again ends elsewhere; its name may hold slashes."""
    for letter in "ab":
        server.seed.branch(NAME, "release/1", SHAS[letter])

    assert SHAS["b"] == repository.get_commit("release/1").sha


def test_merge_commit_leads_to_both_sides(server: GithubServer, repository: Repository) -> None:
    """What a workflow of a pull request evaluates has the base as its first parent."""
    merge = "9" * 40
    server.seed.commit(NAME, merge, parents=[SHAS["d"], HEAD])
    server.seed.pull_request(NAME, 7, head_sha=HEAD, merge_sha=merge)

    commit = repository.get_commit("refs/pull/7/merge")

    assert [merge, SHAS["d"], HEAD] == [commit.sha, *(parent.sha for parent in commit.parents)]
    assert "9dfcba" == "".join(one.sha[0] for one in repository.get_commits(sha=merge))


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/commits?sha=none", 404, "Not Found"),
        ("/commits/none", 422, "No commit found for SHA: none"),
        ("/commits/feature/none", 422, "No commit found for SHA: feature/none"),
        (f"/commits/{'1' * 40}/pulls", 422, f"No commit found for SHA: {'1' * 40}"),
        ("/compare/main...none", 404, "Not Found"),
        ("/compare/main", 404, "Not Found"),
        ("/branches/none", 404, "Branch not found"),
        ("/pulls/70", 404, "Not Found"),
        ("/issues/70/comments", 404, "Not Found"),
        ("/actions/runs/70", 404, "Not Found"),
        ("/actions/artifacts/70", 404, "Not Found"),
    ],
)
def test_what_does_not_exist(server: GithubServer, path: str, status: int, words: str) -> None:
    """A missing object has GitHub's status and words."""
    answered = ask(server, "GET", f"/repos/{NAME}{path}")

    assert (status, words) == (answered.status, answered.message)


def test_empty_repository_has_no_commits(server: GithubServer) -> None:
    """Without a commit GitHub answers 409."""
    server.seed.repository("owner/empty")

    assert 409 == ask(server, "GET", "/repos/owner/empty/commits").status


def test_pull_requests_of_a_commit_leave_out_forks(repository: Repository) -> None:
    """A commit of our own branch names its pull request, one of a fork and one of main none."""
    numbers = {
        letter: [pull.number for pull in repository.get_commit(SHAS[letter]).get_pulls()]
        for letter in "efb"
    }

    assert {"e": [8], "f": [], "b": []} == numbers


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        ("main", HEAD, ("b", "diverged", 1, 2)),
        ("main", "fork:change", ("b", "diverged", 1, 2)),
        (SHAS["a"], "main", ("a", "ahead", 3, 0)),
        ("main", SHAS["a"], ("a", "behind", 0, 3)),
        ("main", "owner:main", ("d", "identical", 0, 0)),
    ],
)
def test_comparison(
    repository: Repository, base: str, head: str, expected: tuple[str, str, int, int]
) -> None:
    """Two commits are compared by where they parted."""
    compared = repository.compare(base, head)

    parted = compared.merge_base_commit.sha[0]
    assert expected == (parted, compared.status, compared.ahead_by, compared.behind_by)


def test_branch_is_found_by_its_old_name(server: GithubServer, repository: Repository) -> None:
    """After a rename GitHub leads from the old name to the new one, which PyGithub follows."""
    server.seed.branch(NAME, "old/name", SHAS["e"])
    server.seed.rename_branch(NAME, "old/name", "new/name")
    server.seed.rename_branch(NAME, "main", "trunk")

    assert "new/name" == repository.get_branch("old/name").name
    assert SHAS["d"] == repository.get_branch("main").commit.sha
    assert 301 == ask(server, "GET", f"/repos/{NAME}/branches/main").status
    assert "trunk" == ask(server, "GET", f"/repos/{NAME}").json()["default_branch"]


def test_comparison_says_what_is_new_oldest_first(repository: Repository) -> None:
    """The commits of a comparison are those of the head alone, in the order of their making."""
    commits = repository.compare(SHAS["a"], "main").commits

    assert "bcd" == "".join(commit.sha[0] for commit in commits)


def test_strangers_are_not_compared(server: GithubServer) -> None:
    """Commits without a common ancestor are answered 404."""
    server.seed.commit(NAME, "9" * 40)

    answered = ask(server, "GET", f"/repos/{NAME}/compare/main...{'9' * 40}")

    assert (404, "No common ancestor between main and " + "9" * 40 + ".") == (
        answered.status,
        answered.message,
    )


def test_parent_comes_before_its_child(server: GithubServer) -> None:
    """A seeded commit knows its parents, as the order is that of their making."""
    with pytest.raises(KeyError):
        server.seed.commit(NAME, "9" * 40, parents=["8" * 40])


@pytest.mark.parametrize(
    ("query", "events"),
    [
        ({}, ["pull_request", "schedule", "push"]),
        ({"branch": "main"}, ["schedule", "push"]),
        ({"event": "push"}, ["push"]),
        ({"status": "failure"}, ["schedule"]),
        ({"head_sha": HEAD}, ["pull_request"]),
    ],
)
def test_runs_are_filtered(
    server: GithubServer, repository: Repository, query: dict[str, Any], events: list[str]
) -> None:
    """Branch, event, status and head filter the runs, the newest first."""
    server.seed.run(NAME, head_sha=SHAS["a"])
    server.seed.run(NAME, head_sha=SHAS["b"], event="schedule", conclusion="failure")
    server.seed.run(
        NAME,
        head_sha=HEAD,
        event="pull_request",
        head_branch="change",
        head_repository="fork/name",
    )

    assert events == [run.event for run in repository.get_workflow_runs(**query)]


def test_run_of_a_fork(server: GithubServer, repository: Repository) -> None:
    """A run says whose its head is."""
    run_id = server.seed.run(NAME, head_sha=HEAD, number=12, head_repository="fork/name")

    run = repository.get_workflow_run(run_id)

    assert (12, "fork/name", NAME) == (
        run.run_number,
        run.head_repository.full_name,
        run.repository.full_name,
    )


def test_artifacts_come_by_name_newest_first(server: GithubServer, repository: Repository) -> None:
    """Artifacts are listed with those that have expired, and with their runs."""
    run = server.seed.run(NAME, head_sha=SHAS["a"])
    other = server.seed.run(NAME, head_sha=SHAS["b"])
    old = server.seed.artifact(NAME, run, "report", b"12345", expired=True)
    new = server.seed.artifact(NAME, other, "report")
    log = server.seed.artifact(NAME, run, "log")

    named = list(repository.get_artifacts(name="report"))

    assert [(new, False), (old, True)] == [(one.id, one.expired) for one in named]
    assert (5, run, SHAS["a"]) == (
        named[1].size_in_bytes,
        named[1].workflow_run.id,
        named[1].workflow_run.head_sha,
    )
    assert [log, old] == [one.id for one in repository.get_workflow_run(run).get_artifacts()]
    assert "log" == repository.get_artifact(log).name


def test_artifact_is_fetched_elsewhere(server: GithubServer) -> None:
    """The zip is behind a redirect to another host, which wants a signature and no token."""
    content = zipped({"report.json": "{}"})
    run = server.seed.run(NAME, head_sha=SHAS["a"])
    artifact = server.seed.artifact(NAME, run, "report", content)

    redirect = ask(server, "GET", f"/repos/{NAME}/actions/artifacts/{artifact}/zip")
    fetched = fetch("GET", redirect.headers["Location"])
    refused = fetch("GET", redirect.headers["Location"], None, {"Authorization": f"Bearer {TOKEN}"})

    assert (302, b"") == (redirect.status, redirect.body)
    assert urlsplit(server.url).hostname != urlsplit(redirect.headers["Location"]).hostname
    assert (200, content) == (fetched.status, fetched.body)
    assert 400 == refused.status
    assert [f"Bearer {TOKEN}"] == [request.authorization for request in server.leaks]


@pytest.mark.parametrize(("path", "status"), [("/artifacts/{}.zip", 403), ("/other", 404)])
def test_storage_hands_out_what_is_signed(server: GithubServer, path: str, status: int) -> None:
    """Without a signature, or for what is none of its files, the storage refuses."""
    run = server.seed.run(NAME, head_sha=SHAS["a"])
    artifact = server.seed.artifact(NAME, run, "report")
    redirect = ask(server, "GET", f"/repos/{NAME}/actions/artifacts/{artifact}/zip")
    storage = urlsplit(redirect.headers["Location"])

    assert status == fetch("GET", f"http://{storage.netloc}{path.format(artifact)}").status


def test_expired_artifact_is_not_fetched(server: GithubServer) -> None:
    """An expired artifact is answered 410."""
    run = server.seed.run(NAME, head_sha=SHAS["a"])
    artifact = server.seed.artifact(NAME, run, "report", expired=True)

    assert 410 == ask(server, "GET", f"/repos/{NAME}/actions/artifacts/{artifact}/zip").status
