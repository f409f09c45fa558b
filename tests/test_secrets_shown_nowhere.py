"""Servers that repeat the key or the token they were sent: nothing that a run writes shows it.

Each answer holds it in all the forms at once that servers and proxies give it; all outputs, all
files of the workspace and of the temporary folder are searched for any eight characters of it.
"""

from __future__ import annotations

import base64
import html
import json
import re
import tempfile
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.github_server.answers import Answer
from tests.leaks import leaking_files, shown
from tests.test_pull_requests_end_to_end import NAME, week
from tests.wandb_server import WandbServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.test_pull_requests_end_to_end import Week

__all__ = ["week"]
pytestmark = pytest.mark.enable_socket

KEY = "wandb_v1_Qx7LmB2kTzR9aVf4YpWc_8sHgJdN3eUo6iXl0tPqZrEwCbMyKvSa5OuGhFn1DjTk"
SECRET_OF_KEY = KEY.removeprefix("wandb_v1_")
TOKEN = "ghs_Zr8KqW2mXv5TnB7yLp3CdF9hJs4GgAe6RtU1"  # noqa: S105 -- of a server of the test
SECRET_OF_TOKEN = TOKEN.removeprefix("ghs_")
HEADER = base64.b64encode(f"api:{KEY}".encode()).decode().rstrip("=")
REFUSED = re.compile(r"::error title=helm-wandb-action::W&B at .*\*\*\*")
FORMS: dict[str, Callable[[str, str], str]] = {
    "the header, cut": lambda _, header: f"{header[:40]}…",
    "the header": lambda _, header: header,
    "plain": lambda secret, _: secret,
    "base64 without padding": lambda _, header: header.rsplit(maxsplit=1)[-1].rstrip("="),
    "in a URL": lambda _, header: quote(header, safe=""),
    "in lower case": lambda _, header: header.lower(),
    "in JSON": lambda secret, _: "".join(f"\\u{ord(one):04x}" for one in secret),
    "in Python": lambda _, header: repr({"Authorization": header.encode()}),
    "in Go": lambda _, header: f"map[Authorization:[{json.dumps(header)}]]",
    "in HTML": lambda _, header: html.escape(header.replace("=", "&#61;")),
    "folded": lambda _, header: f"{header[:30]}\r\n {header[30:]}",
    "hexadecimal": lambda secret, _: secret.encode().hex(),
    "of git": lambda secret, _: base64.b64encode(f"x-access-token:{secret}".encode()).decode(),
    "the middle": lambda secret, _: f"…{secret[12:30]}…",
}
"""The secret, and the header that it was sent in → what the server makes of them."""


def repeated(authorization: str, form: str = "") -> str:
    """All forms of what a header holds, or just one."""
    word = authorization.rsplit(maxsplit=1)[-1]
    is_basic = authorization.startswith("Basic ")
    secret = base64.b64decode(word).decode().partition(":")[2] if is_basic else word
    forms = [FORMS[form]] if form else FORMS.values()
    return " | ".join(one(secret, authorization) for one in forms)


def as_error(authorization: str) -> dict[str, Any]:
    """As W&B's GraphQL answers."""
    return {"errors": [{"message": repeated(authorization)}], "data": None}


def as_refusal(authorization: str) -> dict[str, Any]:
    """As GitHub answers."""
    return {"message": repeated(authorization), "documentation_url": repeated(authorization)}


def as_comment(authorization: str) -> dict[str, Any]:
    """As GitHub answers when it has stored a comment."""
    words = repeated(authorization)
    url = f"https://github.test/{quote(words)}"
    return {"id": 1, "html_url": url, "body": words, "user": {"login": words}}


@pytest.fixture
def desk(week: Week, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Week:
    """The week's machine, whose home and temporary folders are searched too."""
    for name in ("HOME", "TMPDIR"):
        folder = tmp_path / name.lower()
        folder.mkdir()
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    week.server.seed.token(TOKEN)
    return week


def assert_shown_nowhere(secret: str, week: Week, printed: str) -> None:
    """Nothing of it is printed, but to be masked, nor in any file or comment."""
    lines = [line for line in printed.splitlines() if not line.startswith("::add-mask::")]
    comments = [text for number in (7, 8) for text in week.comments(number)]

    assert [] == shown(secret, "\n".join(lines))
    assert [] == shown(secret, "\n".join(comments))
    assert [] == leaking_files(secret, week.folder)


def pull(week: Week, **inputs: str) -> dict[str, Any]:
    """What came of the pull request's run, with a page and this token."""
    given = {"INPUT_HTML": "page.html", "INPUT_GITHUB-TOKEN": TOKEN, **inputs}
    return week.pull(**given)


def with_wandb(server: WandbServer, **inputs: str) -> dict[str, str]:
    """Inputs that name the server and its key."""
    return {"INPUT_WANDB-API-KEY": KEY, "INPUT_WANDB-BASE-URL": server.url, **inputs}


def test_a_key_that_wandb_refuses_and_repeats(
    desk: Week, capfd: pytest.CaptureFixture[str]
) -> None:
    """The reason why W&B has no baseline is in comment, summary, page and report, without it."""
    with WandbServer(api_key=KEY) as server:
        server.fault("Viewer", status=401, body=as_error)
        inputs = with_wandb(server, **{"INPUT_PRINT-ONLY": "true", "INPUT_BASELINE": "wandb"})
        done = pull(desk, **inputs)

    assert 0 == done["exit code"]
    (comment,) = desk.comments(7)
    for text in (comment, done["summary"], (desk.folder / "page.html").read_text()):
        assert "W&amp;B could not be searched" in text.replace("&#38;", "&amp;")
        assert "***" in text.replace("&#42;", "*")
    assert_shown_nowhere(SECRET_OF_KEY, desk, "".join(capfd.readouterr()))


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        ("file_stream", {"status": 400, "body": as_error}),
        pytest.param("upload", {"status": 403, "body": as_error}, marks=pytest.mark.full),
        pytest.param("UpsertBucket", {"status": 400, "body": repeated}, marks=pytest.mark.full),
        pytest.param("RunFiles", {"status": 200, "body": as_error}, marks=pytest.mark.full),
        pytest.param("Runs", {"status": 403, "body": as_error}, marks=pytest.mark.full),
    ],
)
def test_a_key_that_wandb_repeats_in_errors_and_data(
    operation: str, fault: dict[str, Any], desk: Week, capfd: pytest.CaptureFixture[str]
) -> None:
    """Errors, the entity and the models that W&B has are shown without it, and kept offline so."""
    with WandbServer(api_key=KEY, entity=HEADER) as server:
        server.add_run(
            "test",
            "theirs",
            group=f"model-{HEADER}",
            tags=["summary"],
            config={"track": "branch/main", "model": f"model-{KEY}"},
            summary={"mmlu": {"EM": 0.5}, KEY[:30]: {"EM": 0.5}},
        )
        server.fault(operation, **fault)
        done = pull(desk, **with_wandb(server, **{"INPUT_PRINT-ONLY": "false"}))

    assert 5 == done["exit code"]
    printed = "".join(capfd.readouterr())
    assert REFUSED.search(printed)
    assert [*desk.folder.glob("wandb/offline-run-*")]
    assert_shown_nowhere(SECRET_OF_KEY, desk, printed)


@pytest.mark.parametrize(
    "form", ["", *(pytest.param(form, marks=pytest.mark.full) for form in FORMS)]
)
def test_a_token_that_github_repeats(
    form: str, desk: Week, capfd: pytest.CaptureFixture[str]
) -> None:
    """In errors of the artifacts and the comment, alone and among all others."""
    desk.push()
    body = lambda header: {"message": repeated(header, form)}  # noqa: E731 -- of one form
    desk.server.fault("GET", "*/actions/artifacts", answer=Answer(status=422, body=body))
    first = pull(desk)
    desk.server.fault("PATCH", "*/issues/comments/*", answer=Answer(status=422, body=as_refusal))
    done = pull(desk, GITHUB_RUN_ID="950", INPUT_BASELINE="none")

    assert (0, 5) == (first["exit code"], done["exit code"])
    assert "***" in first["summary"].replace("&#42;", "*")
    assert_shown_nowhere(SECRET_OF_TOKEN, desk, "".join(capfd.readouterr()))


def test_a_token_in_the_links_that_github_gives(
    desk: Week, capfd: pytest.CaptureFixture[str]
) -> None:
    """The URL of the comment is an output and in the report, without it."""
    answer = Answer(status=201, body=as_comment)
    desk.server.fault("POST", f"*/{NAME}/issues/7/comments", answer=answer)
    done = pull(desk)

    assert "***" in done["comment-url"]
    assert_shown_nowhere(SECRET_OF_TOKEN, desk, "".join(capfd.readouterr()))


def test_the_runner_masks_what_headers_hold(desk: Week, capfd: pytest.CaptureFixture[str]) -> None:
    """The first commands to the runner mask both secrets, and their base64."""
    pull(desk, **{"INPUT_WANDB-API-KEY": KEY, "INPUT_PRINT-ONLY": "true"})
    printed = capfd.readouterr().out.splitlines()
    masks = [line for line in printed if line.startswith("::add-mask::")]
    git = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode().rstrip("=")

    assert masks == printed[: len(masks)]
    assert {KEY, HEADER, TOKEN, git} <= {line.removeprefix("::add-mask::") for line in masks}
