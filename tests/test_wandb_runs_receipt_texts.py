"""What is said of runs that were refused: the SDK's words, short and once."""

from __future__ import annotations

from pathlib import Path

import pytest

from helm_wandb.wandb_runs import receipt_texts
from helm_wandb.wandb_runs.sdk.messages import Cause, Fault

URL = "http://127.0.0.1:9"
REFUSED = f'Post "{URL}/graphql": dial tcp 127.0.0.1:9: connect: connection refused'


@pytest.mark.parametrize(
    ("cause", "detail", "words"),
    [
        (
            Cause.NETWORK,
            f"POST {URL}/graphql giving up after 5 attempt(s): {REFUSED} while retrying: {REFUSED}",
            "cannot be reached (after 5 attempts: connection refused)",
        ),
        (
            Cause.NETWORK,
            f'POST {URL}/graphql giving up after 3 attempt(s): Post "{URL}/graphql": EOF',
            "cannot be reached (after 3 attempts: the connection was closed)",
        ),
        (
            Cause.SERVER,
            (
                f"filestream: error making HTTP request: POST {URL}/files giving up after 5 "
                "attempt(s) while retrying: HTTP 500: sorry. got response: <nil>"
            ),
            "returned a server error (HTTP 5xx) (after 5 attempts: HTTP 500: sorry)",
        ),
        (
            Cause.ACCESS,
            (
                f"filestream: fatal error: failed to upload: 403 Forbidden url={URL}: "
                '{"errors":[{"message":"permission denied"}]}'
            ),
            "refuses the entity or project (HTTP 403 or 404) (permission denied)",
        ),
        (Cause.KEY, "user is not logged in", "does not accept the key (HTTP 401)"),
        (Cause.LOST, "", "did not store the data"),
        (Cause.LOST, "two words", "did not store the data (two words)"),
    ],
)
def test_details_are_short(cause: Cause, detail: str, words: str) -> None:
    """What the SDK says twice, or around an answer, is said once; what is no news is left out."""
    sentence = receipt_texts.describe_fault(Fault(cause, detail), URL)

    assert sentence.startswith(f"W&B at {URL} {words}. ")


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ("dial tcp: lookup w.example on 10.0.0.1:53: no such host", "there is no host w.example"),
        ("proxyconnect tcp: dial tcp: connection refused", "the proxy: connection refused"),
        (
            "tls: failed to verify certificate: x509: it has expired",
            "certificate: it has expired",
        ),
        ("context deadline exceeded (Client.Timeout exceeded)", "no answer in time"),
        (
            "read tcp 1.1.1.1:1->2.2.2.2:2: read: connection reset by peer",
            "the connection was closed",
        ),
        (f"filestream: failed to upload: 404 Not Found url={URL}/x", "HTTP 404 Not Found"),
        (
            "file transfer: upload: failed to upload: status: 500 Error: body: EOF",
            "HTTP 500 Error",
        ),
        (f"POST {URL} giving up: HTTP 500: sorry", "HTTP 500: sorry"),
        ("Could not find run <Run team/llm/helm-1 (not found)>", "there is no run team/llm/helm-1"),
        ("run helm-1 is in use", "run helm-1 is in use"),
    ],
)
def test_words_of_the_sdk_are_plain(detail: str, words: str) -> None:
    """Nobody has to know Go; what isn't known stays as it is."""
    assert words == receipt_texts.shorten_detail(detail)


def test_a_full_disk_is_reported() -> None:
    """The system's own number of an error is left out."""
    fault = Fault(Cause.DISK, "[Errno 28] No space left on device: '/tmp/x'")

    assert receipt_texts.offline(fault, Path()).startswith(
        "wandb: the W&B runs could not be written: No space left on device: '/tmp/x'. Run in "
    )
