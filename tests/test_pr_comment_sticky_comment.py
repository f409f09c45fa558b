"""The pull request's comment, at a server that keeps what is written to it."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from helm_wandb.errors import SinkError
from helm_wandb.github_api.messages import Cause, GithubError
from helm_wandb.model import Gate, Provenance, Receipt, Status, Verdict
from helm_wandb.pr_comment.comment_marker import marker_key
from helm_wandb.pr_comment.sticky_comment import NoPullRequest
from helm_wandb.render.comment import LIMIT_BYTES
from helm_wandb.runner.inputs import CommentMode
from tests.github_clients import (
    BASE,
    HEAD,
    KEY,
    LOGIN,
    NUMBER,
    REPOSITORY,
    bodies,
    client,
    furnish,
    marked,
    marker,
    request_lines,
    saying,
    sink,
)
from tests.github_server import TOKEN, GithubServer, answers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from helm_wandb.github_api.repository import Repository
    from helm_wandb.model import Report
    from helm_wandb.pr_comment.comment_marker import Marker

pytestmark = pytest.mark.enable_socket

COMMENTS = f"/repos/{REPOSITORY}/issues/{NUMBER}/comments"
NEXT = "c" * 40
"""The pull request's head, after another push."""
UNKNOWN = "ghs_of_nobody"
PERSONAL = "ghp_of_a_person"
NO_PROBLEM: list[object] = []


@pytest.fixture
def server() -> Iterator[GithubServer]:
    """A server with an empty conversation."""
    with GithubServer() as found:
        furnish(found)
        yield found

        assert NO_PROBLEM == found.violations


@pytest.fixture
def github(server: GithubServer) -> Iterator[Repository]:
    """The repository as the product sees it."""
    with closing(client(server)) as found:
        yield found


def ours(server: GithubServer, body: str) -> int:
    """Have a comment that an earlier run of ours wrote; its id."""
    return server.seed.comment(REPOSITORY, NUMBER, body, author=LOGIN)


def writes(server: GithubServer) -> list[str]:
    """The methods of what was written so far."""
    return [one.method for one in server.writes]


def test_first_run_creates(server: GithubServer, github: Repository) -> None:
    """If we have no comment, one is posted, and the receipt has its link."""
    receipt = sink(github).deliver(saying())

    assert [marked("first")] == bodies(server)
    assert Status.DONE is receipt.status
    assert receipt.url
    assert receipt.url.endswith(f"/pull/{NUMBER}#issuecomment-1001")


def test_first_run_asks_three_times(server: GithubServer, github: Repository) -> None:
    """It lists, posts, and lists again for other jobs' comments; PyGithub requests no more."""
    sink(github).deliver(saying())

    assert [f"GET {COMMENTS}", f"POST {COMMENTS}", f"GET {COMMENTS}"] == request_lines(server)


def test_second_run_updates(server: GithubServer, github: Repository) -> None:
    """The comment of the first run gets the second's text."""
    sink(github).deliver(saying())
    receipt = sink(github, "second", marker=marker(2)).deliver(saying())

    assert [marked("second", 2)] == bodies(server)
    assert ["POST", "PATCH"] == writes(server)
    assert Status.DONE is receipt.status


def test_unchanged_text_writes_nothing(server: GithubServer, github: Repository) -> None:
    """A further run with the same text leaves the comment as it is, its marker included."""
    body = marked("first\r\n")
    ours(server, body)
    receipt = sink(github, "first\n\n", marker=marker(2)).deliver(saying())

    assert [] == writes(server)
    assert [body] == bodies(server)
    assert (Status.DONE, "the comment is up to date") == (receipt.status, receipt.reason)
    assert receipt.url


def test_update_asks_three_times(server: GithubServer, github: Repository) -> None:
    """It lists, requests its login, and edits."""
    ours(server, marked("first"))
    sink(github, "second").deliver(saying())

    assert 3 == len(server.requests)


def test_ours_is_found_on_the_third_page(server: GithubServer, github: Repository) -> None:
    """Among 250 comments, ours on page 3 is updated, and none is posted."""
    server.seed.comments(REPOSITORY, NUMBER, count=220)
    ours(server, marked("first"))
    server.seed.comments(REPOSITORY, NUMBER, count=29)
    sink(github, "second").deliver(saying())

    assert ["PATCH"] == writes(server)
    assert marked("second") == bodies(server)[220]
    assert 250 == len(bodies(server))
    assert 3 == request_lines(server).count(f"GET {COMMENTS}")


def test_pasted_marker_of_a_stranger_is_ignored(server: GithubServer, github: Repository) -> None:
    """A comment of somebody else with our marker is neither edited nor deleted."""
    server.seed.comment(REPOSITORY, NUMBER, marked("trap"), author="mallory")
    receipt = sink(github).deliver(saying())

    assert [marked("trap"), marked("first")] == bodies(server)
    assert Status.DONE is receipt.status


def test_own_comment_that_only_quotes_the_marker_is_not_it(
    server: GithubServer, github: Repository
) -> None:
    """The marker counts at the very beginning only."""
    ours(server, f"> {marked('quoted')}")
    sink(github).deliver(saying())

    assert marked("first") == bodies(server)[1]


def test_another_key_is_another_comment(server: GithubServer, github: Repository) -> None:
    """Two keys keep two comments side by side."""
    ours(server, marked("other", key="ffffffff"))
    sink(github).deliver(saying())

    assert [marked("other", key="ffffffff"), marked("first")] == bodies(server)


@pytest.mark.parametrize(
    "theirs", [marked("theirs", 2), marked("theirs", 2, head=NEXT)], ids=["same head", "next head"]
)
def test_jobs_that_post_at_the_same_moment_end_with_one(
    server: GithubServer, github: Repository, theirs: str
) -> None:
    """Another job posts just before we do: its comment is older, stays, and gets our text."""
    server.before("POST", COMMENTS, lambda: ours(server, theirs))
    receipt = sink(github, "ours").deliver(saying())

    assert [marked("ours")] == bodies(server)
    assert ["POST", "DELETE", "PATCH"] == writes(server)
    assert Status.DONE is receipt.status


def test_race_is_won_by_the_newer_state(server: GithubServer, github: Repository) -> None:
    """The other job's comment stays as it is where it is of the pull request's present head."""
    theirs = marked("theirs", 2, head=NEXT)

    def another_job() -> None:
        push(server)
        ours(server, theirs)

    server.before("POST", COMMENTS, another_job)
    receipt = sink(github, "ours").deliver(saying())

    assert [theirs] == bodies(server)
    assert Status.SKIPPED is receipt.status
    assert receipt.reason
    assert "newer state" in receipt.reason


def push(server: GithubServer) -> None:
    """Let the pull request have another head."""
    server.seed.pull_request(REPOSITORY, NUMBER, head_sha=NEXT)


def test_two_real_jobs_end_with_one_comment(server: GithubServer) -> None:
    """Two clients that have both seen an empty conversation leave one comment."""
    both = threading.Barrier(2)
    server.before("POST", COMMENTS, both.wait, times=2)
    receipts: list[Receipt] = []

    def job(number: int) -> None:
        with closing(client(server)) as github:
            receipts.append(sink(github, "text", marker=marker(number)).deliver(saying()))

    threads = [threading.Thread(target=job, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 == len(bodies(server))
    assert [Status.DONE] * 2 == [receipt.status for receipt in receipts]


def test_duplicates_of_an_earlier_race_are_deleted(
    server: GithubServer, github: Repository
) -> None:
    """If we have several comments, the oldest is updated and the others are deleted."""
    for text in ("one", "two", "three"):
        ours(server, marked(text))
    sink(github, "now").deliver(saying())

    assert [marked("now")] == bodies(server)


def test_duplicates_are_deleted_though_the_text_is_the_same(
    server: GithubServer, github: Repository
) -> None:
    """An unchanged text does not keep the others."""
    for text in ("one", "two"):
        ours(server, marked(text))
    sink(github, "one").deliver(saying())

    assert [marked("one")] == bodies(server)
    assert ["DELETE"] == writes(server)


def test_comment_deleted_before_it_is_edited_is_posted_again(
    server: GithubServer, github: Repository
) -> None:
    """Somebody deletes ours between our look and our edit."""
    comment = ours(server, marked("first"))
    with closing(client(server)) as somebody:
        server.before("PATCH", "*", lambda: somebody.delete_comment(comment))
        receipt = sink(github, "second").deliver(saying())

    assert [marked("second")] == bodies(server)
    assert Status.DONE is receipt.status


def test_recreate_posts_at_the_end(server: GithubServer, github: Repository) -> None:
    """The old ones are deleted, the new one is the conversation's last."""
    ours(server, marked("old"))
    ours(server, marked("duplicate"))
    server.seed.comments(REPOSITORY, NUMBER, count=1)
    sink(github, "old", mode=CommentMode.RECREATE).deliver(saying())

    assert ["Comment 1", marked("old")] == bodies(server)
    assert ["POST", "DELETE", "DELETE"] == writes(server)


def test_recreate_after_a_lost_answer_takes_no_old_comment_for_the_new(
    server: GithubServer, github: Repository
) -> None:
    """An old comment with the very same text does not stand in for one that was never stored."""
    ours(server, marked("same"))
    server.seed.comments(REPOSITORY, NUMBER, count=1)
    server.fault("POST", COMMENTS, drop=True, times=1)
    sink(github, "same", mode=CommentMode.RECREATE).deliver(saying())

    assert ["Comment 1", marked("same")] == bodies(server)


def test_comment_is_not_posted_again_where_it_cannot_be_looked_for(
    server: GithubServer, github: Repository
) -> None:
    """After a lost answer and five looks in vain it is given up; a second comment is worse."""
    server.fault("POST", COMMENTS, drop=True, served=True, times=1)
    server.fault("GET", COMMENTS, answer=answers.Answer(status=500), after=1)
    with pytest.raises(SinkError, match=r"HTTP 500 \(Server Error\); it was tried 5 times"):
        sink(github).deliver(saying())

    assert ["POST"] == writes(server)
    assert 6 == request_lines(server).count(f"GET {COMMENTS}")


def test_recreate_twice_at_the_same_moment_ends_with_one(
    server: GithubServer, github: Repository
) -> None:
    """The oldest of the new comments stays."""
    ours(server, marked("old"))
    server.before("POST", COMMENTS, lambda: ours(server, marked("theirs", 2)))
    sink(github, "ours", mode=CommentMode.RECREATE).deliver(saying())

    assert [marked("ours")] == bodies(server)


@pytest.mark.parametrize(
    ("mode", "verdicts"),
    [
        (CommentMode.UPDATE, set(Verdict)),
        (CommentMode.RECREATE, set(Verdict)),
        (CommentMode.ON_CHANGE, {Verdict.REGRESSED, Verdict.IMPROVED}),
        (CommentMode.ON_REGRESSION, {Verdict.REGRESSED}),
        (CommentMode.OFF, set()),
    ],
)
def test_modes_say_when_to_post(
    server: GithubServer, github: Repository, mode: CommentMode, verdicts: set[Verdict]
) -> None:
    """Each mode posts on its own verdicts; else the receipt says why it does not."""
    posted = set()
    for verdict in Verdict:
        key = marker_key(workflow="", job="", comment_key=verdict)
        receipt = sink(github, mode=mode, marker=marker(key=key)).deliver(saying(verdict))
        if receipt.status is Status.DONE:
            posted.add(verdict)
        else:
            assert receipt.reason
            assert 0 == receipt.exit_code

    assert verdicts == posted
    assert len(verdicts) == len(bodies(server))


@pytest.mark.parametrize("mode", [CommentMode.ON_CHANGE, CommentMode.ON_REGRESSION])
def test_a_failed_job_has_its_comment_in_quiet_modes(
    server: GithubServer, github: Repository, mode: CommentMode
) -> None:
    """A floor fails the job without a regression, and the comment says so."""
    closed = replace(saying(Verdict.NO_CHANGE), gate=Gate(closed=True, reasons=("below",)))

    assert Status.DONE is sink(github, mode=mode).deliver(closed).status
    assert 1 == len(bodies(server))


@pytest.mark.parametrize("mode", [CommentMode.ON_CHANGE, CommentMode.ON_REGRESSION])
def test_comment_that_is_there_is_updated_in_quiet_modes(
    server: GithubServer, github: Repository, mode: CommentMode
) -> None:
    """An old red comment does not stay red when all is well again."""
    ours(server, marked("red"))
    sink(github, "green", mode=mode).deliver(saying(Verdict.NO_CHANGE))

    assert [marked("green")] == bodies(server)


def test_off_asks_nothing(server: GithubServer, github: Repository) -> None:
    """Without a comment to write GitHub is left in peace."""
    sink(github, mode=CommentMode.OFF).deliver(saying(Verdict.REGRESSED))

    assert [] == server.requests


@pytest.mark.parametrize(
    "theirs",
    [marked("newer", 1, head=NEXT), marked("newer", 9, head=BASE)],
    ids=["present head", "later run"],
)
def test_newer_comment_is_not_overwritten(
    server: GithubServer, github: Repository, theirs: str
) -> None:
    """The pull request moved on, and the comment is of its present head, or of a later run."""
    push(server)
    ours(server, theirs)
    receipt = sink(github, "old", marker=marker(2)).deliver(saying(Verdict.REGRESSED))

    assert [theirs] == bodies(server)
    assert Status.SKIPPED is receipt.status
    assert receipt.url
    assert receipt.reason
    assert "newer state" in receipt.reason
    assert [] == writes(server)


@pytest.mark.parametrize(
    ("head", "theirs"),
    [
        (NEXT, marked("older", 1, head=BASE)),
        (HEAD, marked("older", 9, head=BASE)),
        (NEXT, marked("same head", 9, head=HEAD)),
        (NEXT, f"<!-- helm-wandb-action v1 key={KEY} -->\nof an early version"),
    ],
    ids=["older run", "ours is the head", "same head", "unknown run"],
)
def test_older_comment_is_overwritten(
    server: GithubServer, github: Repository, head: str, theirs: str
) -> None:
    """Results of an older head go over still older ones, and those of the present head always."""
    server.seed.pull_request(REPOSITORY, NUMBER, head_sha=head)
    ours(server, theirs)
    sink(github, "ours", marker=marker(2)).deliver(saying())

    assert [marked("ours", 2)] == bodies(server)


def test_comparison_of_the_commit_is_kept_by_a_run_without_baseline(
    server: GithubServer, github: Repository
) -> None:
    """After a merge, or if the artifact has expired, the finished comparison stays."""
    theirs = marked("compared")
    ours(server, theirs)
    receipt = sink(github, "no baseline", marker=marker(2)).deliver(saying(Verdict.NO_BASELINE))

    assert [theirs] == bodies(server)
    assert (Status.SKIPPED, True) == (receipt.status, bool(receipt.url))
    assert receipt.reason
    assert receipt.reason.startswith("this run has no baseline; the comment has a comparison")


@pytest.mark.parametrize(
    ("theirs", "verdict"),
    [
        (marked("x", head=BASE), Verdict.NO_BASELINE),
        (marked("x", verdict=Verdict.NO_BASELINE), Verdict.NO_BASELINE),
        (marked("x", verdict=None), Verdict.NO_BASELINE),
        (marked("x", verdict=Verdict.REGRESSED, is_red=True), Verdict.UNTESTABLE),
    ],
    ids=["another commit's", "without baseline too", "unread", "both compare"],
)
def test_other_comments_are_replaced_by_a_run_without_baseline(
    server: GithubServer, github: Repository, theirs: str, verdict: Verdict
) -> None:
    """A comment that shows no comparison of this commit does not stay."""
    ours(server, theirs)
    sink(github, "ours", marker=marker(2)).deliver(saying(verdict))

    assert [marked("ours", 2, verdict=verdict)] == bodies(server)


RED = saying(Verdict.REGRESSED)
CLOSED = replace(saying(Verdict.NO_BASELINE), gate=Gate(closed=True, reasons=("below its floor",)))


@pytest.mark.parametrize("red", [RED, CLOSED], ids=["regression", "closed gate"])
@pytest.mark.parametrize("mode", [CommentMode.UPDATE, CommentMode.RECREATE])
@pytest.mark.parametrize("second", [RED, saying()], ids=["red", "green"])
def test_red_comment_of_the_same_run_stays(
    server: GithubServer, github: Repository, red: Report, second: Report, mode: CommentMode
) -> None:
    """A second use of the action in a run hides no failure, and says how to get two comments."""
    sink(github, "first").deliver(red)
    (body,) = bodies(server)
    receipt = sink(github, "second", mode=mode).deliver(second)

    assert [body] == bodies(server)
    assert Status.SKIPPED is receipt.status
    (warning,) = receipt.warnings
    assert "give each its own comment-key" in warning


def test_run_that_read_nothing_hides_no_failure_of_the_same_run(
    server: GithubServer, github: Repository
) -> None:
    """A second use without anything to show leaves the first one's failure, too."""
    sink(github, "first").deliver(RED)
    receipt = sink(github).deliver_unread(["gone"], Provenance(tool_version="1"))

    assert "first" in bodies(server)[0]
    assert 1 == len(receipt.warnings)


@pytest.mark.parametrize("mode", [CommentMode.UPDATE, CommentMode.RECREATE])
def test_second_use_of_a_run_replaces_a_green_comment_with_a_warning(
    server: GithubServer, github: Repository, mode: CommentMode
) -> None:
    """The last results are shown, or the failure, and the log names the input to set."""
    sink(github, "first").deliver(saying())
    receipt = sink(github, "second", mode=mode).deliver(RED)

    assert [marked("second", verdict=Verdict.REGRESSED, is_red=True)] == bodies(server)
    assert (Status.DONE, 1) == (receipt.status, len(receipt.warnings))


@pytest.mark.parametrize(
    "second",
    [marker(2), marker(1, attempt=2), marker(0, attempt=0)],
    ids=["run", "attempt", "none"],
)
def test_another_run_replaces_a_red_comment(
    server: GithubServer, github: Repository, second: Marker
) -> None:
    """A new run or attempt, or one without a number, is no second use of the same run."""
    sink(github, "first", marker=replace(second, run_id=second.run_id and 1, attempt=0)).deliver(
        RED
    )
    receipt = sink(github, "second", marker=second).deliver(saying())

    assert ["second"] == [body.splitlines()[-1] for body in bodies(server)]
    assert () == receipt.warnings


def test_same_text_of_the_same_run_is_no_conflict(server: GithubServer, github: Repository) -> None:
    """If nothing is lost there is no warning."""
    sink(github, "same").deliver(RED)
    receipt = sink(github, "same").deliver(RED)

    assert (Status.DONE, ()) == (receipt.status, receipt.warnings)
    assert 1 == len(bodies(server))


def test_pasted_marker_of_a_stranger_keeps_no_failure_off(
    server: GithubServer, github: Repository
) -> None:
    """A stranger's comment with the marker of this run is not the first use of it."""
    theirs = marked("all is well", verdict=Verdict.REGRESSED, is_red=True)
    server.seed.comment(REPOSITORY, NUMBER, theirs, author="mallory")
    receipt = sink(github, "ours").deliver(RED)

    assert [theirs, marked("ours", verdict=Verdict.REGRESSED, is_red=True)] == bodies(server)
    assert () == receipt.warnings


def test_race_within_a_run_keeps_the_failure(server: GithubServer, github: Repository) -> None:
    """Another job of this run posts its regression just before we post: it stays, ours goes."""
    theirs = marked("theirs", verdict=Verdict.REGRESSED, is_red=True)
    server.before("POST", COMMENTS, lambda: ours(server, theirs))
    receipt = sink(github, "ours").deliver(saying())

    assert [theirs] == bodies(server)
    assert (Status.SKIPPED, 1) == (receipt.status, len(receipt.warnings))


def test_text_gets_all_bytes_but_the_markers(server: GithubServer, github: Repository) -> None:
    """The renderer gets the bytes that are left, and GitHub accepts a body of just the limit."""
    room: list[int] = []

    def render(_: object, limit_bytes: int) -> str:
        room.append(limit_bytes)
        return "x" * limit_bytes

    sink(github, render=render).deliver(saying())

    assert [LIMIT_BYTES - len(marked(""))] == room
    assert [LIMIT_BYTES] == [len(body) for body in bodies(server)]


def test_text_that_is_too_long_is_our_bug(github: Repository) -> None:
    """GitHub's refusal of what we wrote is a failure, in its own words."""
    with pytest.raises(SinkError, match=r"HTTP 422 \(Validation Failed\)\. Please report"):
        sink(github, "x" * (LIMIT_BYTES + 1)).deliver(saying())


def test_locked_conversation_is_skipped(server: GithubServer, github: Repository) -> None:
    """If nobody may comment, the job does not fail."""
    furnish(server, locked=True)
    receipt = sink(github).deliver(saying())

    assert (Status.SKIPPED, 0) == (receipt.status, receipt.exit_code)
    assert receipt.reason
    assert receipt.reason.startswith("The conversation of the pull request is locked")


def test_missing_permission_is_named_with_its_yaml(
    server: GithubServer, github: Repository
) -> None:
    """Skipped, with the line to add."""
    server.seed.token(TOKEN, permissions={"contents": "read"})
    receipt = sink(github).deliver(saying())

    assert (Status.SKIPPED, 0) == (receipt.status, receipt.exit_code)
    assert receipt.reason
    assert receipt.reason.endswith("`pull-requests: write` under `permissions:` of the job")
    assert "HTTP 403 (Resource not accessible by integration)" in receipt.reason


def test_repository_that_the_token_does_not_see_is_a_missing_permission(
    server: GithubServer, github: Repository
) -> None:
    """A private repository answers 404 to a token without rights."""
    server.seed.repository(REPOSITORY, private=True)
    server.seed.token(TOKEN, repositories=["me/others"])
    receipt = sink(github).deliver(saying())

    assert Status.SKIPPED is receipt.status
    assert receipt.reason
    assert "HTTP 404" in receipt.reason
    assert "pull-requests: write" in receipt.reason


def test_fork_is_pointed_to_the_two_workflows(server: GithubServer, github: Repository) -> None:
    """In a fork's run no permission helps: other words."""
    furnish(server, head_repository="you/models")
    server.seed.token(TOKEN, permissions={"pull-requests": "read", "contents": "read"})
    receipt = sink(github, has_limited_token=True).deliver(saying())

    assert (Status.SKIPPED, 0) == (receipt.status, receipt.exit_code)
    assert receipt.reason
    assert "A second workflow, on workflow_run" in receipt.reason
    assert "permissions:" not in receipt.reason


def test_wrong_token_is_a_failure(server: GithubServer) -> None:
    """The error says that GitHub does not know the token, without repeating it."""
    with (
        closing(client(server, token=UNKNOWN)) as github,
        pytest.raises(
            SinkError, match=r"HTTP 401 \(Bad credentials\)\. The token is wrong"
        ) as caught,
    ):
        sink(github).deliver(saying())

    assert UNKNOWN not in str(caught.value)


def test_token_of_a_person_finds_its_own(server: GithubServer) -> None:
    """With another token than the workflow's, the comments of its owner are ours."""
    server.seed.token(PERSONAL, login="Robot")
    server.seed.comment(REPOSITORY, NUMBER, marked("the workflow's"), author=LOGIN)
    server.seed.comment(REPOSITORY, NUMBER, marked("mine"), author="robot")
    with closing(client(server, token=PERSONAL)) as github:
        sink(github, "new").deliver(saying())

    assert [marked("the workflow's"), marked("new")] == bodies(server)


def test_sink_shows_no_token(github: Repository) -> None:
    """Whoever prints the sink prints no secret."""
    assert TOKEN not in repr(sink(github))


@pytest.mark.parametrize(
    ("cause", "words"),
    [(Cause.FORBIDDEN, "pull-requests: write"), (Cause.NOT_FOUND, "pull-requests: write")],
)
def test_pull_request_that_may_not_be_looked_for_is_skipped(cause: Cause, words: str) -> None:
    """Without the permission to ask which pull request it is, the permission is named."""
    receipt = NoPullRequest(GithubError(cause, "GitHub said no")).deliver(saying())

    assert (Status.SKIPPED, 0) == (receipt.status, receipt.exit_code)
    assert receipt.reason
    assert words in receipt.reason


def test_pull_request_that_cannot_be_looked_for_is_a_failure() -> None:
    """If GitHub does not answer, the receipt says why there is no comment."""
    with pytest.raises(SinkError, match=r"GitHub is away\. Run again later"):
        NoPullRequest(GithubError(Cause.SERVER, "GitHub is away")).deliver(saying())
