"""What the SDK says of a fault → its cause, and words without the key."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helm_wandb.text.redaction import Redactor
from helm_wandb.wandb_runs import receipt_texts
from helm_wandb.wandb_runs.sdk import faults
from helm_wandb.wandb_runs.sdk.messages import Cause, Fault, ServiceError, Written
from tests.full_disk import files_of_at_most

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KEY = "0123456789abcdef" * 2 + "01234567"
REDACTOR = Redactor((KEY,))
URL = "http://127.0.0.1:8080/graphql"
STREAM = "http://127.0.0.1:8080/files/team/llm/helm-1/file_stream"


class SdkError(Exception):
    """An error as the SDK raises it."""

    def __init__(self, message: str, *, http_status: int | None = None) -> None:
        """http_status: what the SDK's service says of the server's answer; 0 is none."""
        super().__init__(message)
        self.response = Response(http_status)


class Response:
    """What the SDK's service answered."""

    def __init__(self, http_status: int | None) -> None:
        """Carry the status."""
        self.http_status = http_status


def because(error: BaseException, cause: BaseException) -> BaseException:
    """The error, raised from another."""
    error.__cause__ = cause
    return error


def journal(folder: Path, *entries: dict[str, Any] | str) -> Path:
    """A run's folder whose SDK wrote these lines."""
    lines = [entry if isinstance(entry, str) else json.dumps(entry) for entry in entries]
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    (folder / "logs" / "debug-internal.log").write_text("".join(f"{line}\n" for line in lines))
    return folder


def error(msg: str, *, level: str = "ERROR", **more: Any) -> dict[str, Any]:
    """A line of the SDK's own log."""
    return {"time": "2026-01-01T00:00:00Z", "level": level, "msg": msg, **more}


# What the SDK 0.31.0 said of a server that failed so, always and of each kind of request.
SAID = [
    (f"POST {URL} giving up after 5 attempt(s)\nwhile retrying: HTTP 500: sorry", Cause.SERVER),
    (f"POST {URL} giving up after 5 attempt(s)\nwhile retrying: HTTP 503: sorry", Cause.SERVER),
    (f"POST {URL} giving up after 5 attempt(s)\nwhile retrying: HTTP 429: sorry", Cause.LIMIT),
    (f"POST {URL} giving up after 5 attempt(s)\nwhile retrying: HTTP 409: sorry", Cause.REFUSED),
    (f'POST {URL} giving up after 5 attempt(s): Post "{URL}": EOF', Cause.NETWORK),
    (f'Post "{URL}": dial tcp 127.0.0.1:8080: connect: connection refused', Cause.NETWORK),
    (f'Post "{URL}": dial tcp: lookup wandb.example: no such host', Cause.NETWORK),
    (f'Post "{URL}": tls: failed to verify certificate: x509: unknown authority', Cause.NETWORK),
    (f'Post "{URL}": context deadline exceeded', Cause.NETWORK),
    (f'Post "{URL}": read: connection reset by peer', Cause.NETWORK),
    (f'Post "{URL}": proxyconnect tcp: dial tcp: connection refused', Cause.NETWORK),
    ("the service process is busy and did not respond in time.", Cause.NETWORK),
    ('returned error 401: {"errors":[{"message":"user is not logged in"}]}', Cause.KEY),
    ('returned error 403: {"errors":[{"message":"permission denied"}]}', Cause.ACCESS),
    ('returned error 404: {"errors":[{"message":"entity not found"}]}', Cause.ACCESS),
    ('returned error 400: {"errors":[{"message":"invalid name"}]}', Cause.REFUSED),
    (f"filestream: failed to upload: 401 Unauthorized url={STREAM}", Cause.KEY),
    (f"filestream: failed to upload: 404 Not Found url={STREAM}", Cause.ACCESS),
    (f"filestream: failed to upload: 413 Request Entity Too Large url={STREAM}", Cause.REFUSED),
    ("file transfer: upload: failed to upload: status: 403 Forbidden: body: {}", Cause.ACCESS),
    ("file transfer: upload: failed to upload: status: 500 Error: body: EOF", Cause.SERVER),
    ("write /tmp/run-helm-1.wandb: no space left on device", Cause.DISK),
    ("open /tmp/logs/debug.log: read-only file system", Cause.DISK),
    ("write /tmp/run-helm-1.wandb: disk quota exceeded", Cause.DISK),
    (f"POST {URL} giving up: HTTP 500: no space left on device", Cause.SERVER),
    ("run helm-1 is already in use", Cause.REFUSED),
    ("Invalid project name 'a/b'", Cause.REFUSED),
    ("HTTP 200: 500 rows", Cause.REFUSED),
    ("", Cause.REFUSED),
]


@pytest.mark.parametrize(("said", "cause"), SAID)
def test_what_the_sdk_raises_has_a_cause(said: str, cause: Cause) -> None:
    """The SDK's words distinguish key, rights, network, limit and server."""
    assert cause is faults.classify(SdkError(said)).cause


@pytest.mark.parametrize(("said", "cause"), SAID)
def test_what_the_sdk_writes_into_its_log_has_the_same_cause(
    said: str, cause: Cause, tmp_path: Path
) -> None:
    """Faults that the SDK only logs are distinguished in the same way."""
    found = faults.logged_fault(journal(tmp_path, error("sender: failed", error=said)))

    assert found is not None
    assert cause is found.cause


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (400, Cause.REFUSED),
        (401, Cause.KEY),
        (403, Cause.ACCESS),
        (404, Cause.ACCESS),
        (409, Cause.REFUSED),
        (429, Cause.LIMIT),
        (500, Cause.SERVER),
        (504, Cause.SERVER),
        (0, Cause.NETWORK),
        (None, Cause.NETWORK),
    ],
)
def test_a_status_goes_before_the_words(status: int | None, cause: Cause) -> None:
    """If the SDK hands the answer's status on, its words are not searched for one."""
    assert cause is faults.classify(SdkError("timeout", http_status=status)).cause


def test_the_status_of_a_cause_counts() -> None:
    """An error that was raised from another has the other's status, and its own words."""
    chain = because(SdkError("it failed"), SdkError("no", http_status=401))

    assert Fault(Cause.KEY, "it failed") == faults.classify(chain)


def test_the_words_of_a_context_count() -> None:
    """An error that another led to, without `from`, has its cause."""
    found = SdkError("it failed")
    found.__context__ = SdkError("connection refused")

    assert Cause.NETWORK is faults.classify(found).cause


@pytest.mark.parametrize(
    "raised",
    [
        OSError(28, "No space left on device", "/runner/wandb"),
        because(SdkError("it failed"), PermissionError(13, "Permission denied", "/runner/wandb")),
    ],
)
def test_a_fault_of_the_disk_is_reported_as_such(raised: BaseException) -> None:
    """What the local folder refuses is no fault of W&B, and is reported with its path."""
    found = faults.classify(raised)

    assert Cause.DISK is found.cause
    assert found.detail.endswith("'/runner/wandb'")


@pytest.mark.parametrize("raised", [TimeoutError("Timed out"), SdkError("Timed out waiting")])
def test_time_that_is_up_is_the_networks(raised: BaseException) -> None:
    """Python counts a timeout among the faults of the disk; here it is none."""
    assert Cause.NETWORK is faults.classify(raised).cause


@pytest.mark.parametrize(
    "raised",
    [
        ConnectionRefusedError(111, "Connection refused"),
        ConnectionResetError(104, "Connection reset by peer"),
        BrokenPipeError(32, "Broken pipe"),
    ],
)
def test_a_connection_that_breaks_is_no_fault_of_the_disk(raised: OSError) -> None:
    """If the SDK loses its service or the server, the disk isn't blamed."""
    assert Cause.DISK is not faults.classify(because(SdkError("it failed"), raised)).cause


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Failed to verify credentials with http://h:1: not logged in", "not logged in"),
        ("Error initializing run: invalid name", "invalid name"),
        ("invalid\n  name\t", "invalid name"),
        ("the service process is busy and did not respond in time.", "no answer in time"),
        ("", "SdkError"),
    ],
)
def test_words_are_one_line_without_preamble(said: str, expected: str) -> None:
    """Only what says more than the cause does is kept of the SDK's words."""
    assert expected == faults.classify(SdkError(said)).detail


def describe(words: str) -> str:
    """What is shown of a fault with these words."""
    return faults.redact(faults.classify(SdkError(words)), REDACTOR).detail


@given(st.text(max_size=400), st.text(max_size=400))
@example("", "x" * 300)
@example("x" * 280, "")
@example("x" * 299, "y")
def test_the_key_is_nowhere_and_the_words_are_short(before: str, after: str) -> None:
    """The key is removed before a text is cut, so that no part of it is left at the end."""
    words = describe(f"{before}{KEY}{after}")

    assert len(words) <= 300
    assert KEY[:4] not in words.removeprefix(before[:300])


def test_long_words_are_cut_with_a_mark() -> None:
    """What is cut ends in a mark, what just fits does not."""
    assert ["x" * 300, "x" * 299 + "…"] == [describe("x" * length) for length in (300, 301)]


def test_faults_of_runs_are_shown_alike() -> None:
    """The fault of each written run is without the key and short too, the other answers stay."""
    written = Written(run_id="helm-1", fault=Fault(Cause.SERVER, f"{KEY} {'x' * 300}"))
    account = "team"

    assert (Written(run_id="helm-1", fault=Fault(Cause.SERVER, f"*** {'x' * 295}…")), account) == (
        *faults.redact((written,), REDACTOR),
        faults.redact(account, REDACTOR),
    )


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], None),
        ([error("all is well", level="INFO"), error("HTTP 500", level="WARN")], None),
        ([error("api: HTTP error", status=401)], Fault(Cause.KEY, "api: HTTP error")),
        ([error("fatal: HTTP 500", level="ERROR+4")], Fault(Cause.SERVER, "fatal: HTTP 500")),
        ([error("one: HTTP 500"), error("two: HTTP 429")], Fault(Cause.LIMIT, "two: HTTP 429")),
        ([error("one: HTTP 500"), error("giving up")], Fault(Cause.SERVER, "one: HTTP 500")),
        ([error("one"), error("two")], Fault(Cause.REFUSED, "two")),
        (
            [error("HTTP 500"), error("x", error="context canceled")],
            Fault(Cause.SERVER, "HTTP 500"),
        ),
        ([error("upload: context canceled")], None),
        ([{"msg": "HTTP 500"}, {"level": None, "msg": "HTTP 500"}], None),
    ],
)
def test_the_last_fault_of_known_cause_is_the_runs(
    entries: Sequence[dict[str, Any]], expected: Fault | None, tmp_path: Path
) -> None:
    """Of the errors in the log the last counts that says why; what an end cuts off is none."""
    assert expected == faults.logged_fault(journal(tmp_path, *entries))


@pytest.mark.parametrize("content", [None, b"\xff", b"{bad\n"])
def test_a_log_that_cannot_be_read_says_nothing(content: bytes | None, tmp_path: Path) -> None:
    """Without a log, or with a broken one, no fault is made up."""
    if content is not None:
        journal(tmp_path)
        (tmp_path / "logs" / "debug-internal.log").write_bytes(content)

    assert None is faults.logged_fault(tmp_path)


@pytest.mark.parametrize("torn", ['{"level":"ERR', "[]", "panic: runtime error"])
def test_a_torn_line_costs_itself_only(torn: str, tmp_path: Path) -> None:
    """The SDK's service may end in the middle of a line, and leave the lines before it."""
    folder = journal(tmp_path, error("HTTP 500"), torn)

    assert Fault(Cause.SERVER, "HTTP 500") == faults.logged_fault(folder)


def test_the_newest_folder_of_a_run_counts(tmp_path: Path) -> None:
    """A run that was begun twice has two folders; the later one's log counts."""
    folders = [tmp_path / "wandb" / f"run-20260101_00000{n}-helm-1" for n in (2, 1)]
    for age, (folder, said) in enumerate(zip(folders, ("HTTP 500", "HTTP 401"), strict=True)):
        os.utime(journal(folder, error(said)), (age, age))
    journal(tmp_path / "wandb" / "run-20260101_000003-helm-2", error("HTTP 429"))

    assert Fault(Cause.KEY, "HTTP 401") == faults.find_logged_fault(str(tmp_path), "helm-1")


def test_a_run_without_folder_says_nothing(tmp_path: Path) -> None:
    """If the SDK got as far as nowhere there is no log."""
    assert None is faults.find_logged_fault(str(tmp_path), "helm-1")


def test_the_error_carries_the_fault() -> None:
    """Who catches it has cause and words."""
    fault = Fault(Cause.LIMIT, "too many")

    assert (fault, "too many") == (ServiceError(fault).fault, str(ServiceError(fault)))


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_is_reported_with_what_to_do(cause: Cause) -> None:
    """Each cause has a sentence, the words, and what to do.

    Of a refused key the SDK's words say no more than the sentence does.
    """
    describe = receipt_texts.describe_fault(Fault(cause, "words"), "http://h")

    assert "http://h" in describe
    assert ("(words). " in describe) == (cause is not Cause.KEY)
    assert describe.endswith(".")


@pytest.mark.parametrize("cause", [Cause.NETWORK, Cause.REFUSED, Cause.LOST, Cause.ENDED])
def test_a_full_disk_is_blamed_for_what_it_can_explain(cause: Cause, tmp_path: Path) -> None:
    """However the SDK fails where it cannot write, the folder is named, also of single runs."""
    fault = Fault(cause, "no answer within 60 seconds")
    answers = (Written(run_id="a", fault=fault), Written(run_id="b"))
    with files_of_at_most(1000):
        alone = faults.blame_disk(fault, [tmp_path])
        among = faults.blame_disk(answers, [tmp_path])

    assert Cause.DISK is alone.cause
    assert alone.detail.endswith(f"File too large: '{tmp_path}'")
    assert (alone, None) == (among[0].fault, among[1].fault)
    assert fault == faults.blame_disk(fault, [tmp_path])


@pytest.mark.parametrize("cause", [Cause.KEY, Cause.ACCESS, Cause.LIMIT, Cause.SERVER])
def test_a_full_disk_is_not_blamed_for_what_the_server_says(cause: Cause, tmp_path: Path) -> None:
    """A refused key stays one, however full the disk is."""
    with files_of_at_most(1000):
        assert Fault(cause, "") == faults.blame_disk(Fault(cause, ""), [tmp_path])
