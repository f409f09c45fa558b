"""The W&B key: where it is found, what it looks like, which hosts may be sent it."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wandb.sdk.lib import urls
from wandb.sdk.lib.wbauth import validation

from helm_wandb.errors import InputError
from helm_wandb.runner import wandb_key
from tests import events

if TYPE_CHECKING:
    from pathlib import Path

KEY = "0123456789abcdef" * 2 + "01234567"
OTHER = KEY[::-1]
URL = "https://wandb.example"
JWT = f"{'h' * 10}.{'p' * 10}.{'s' * 10}-{'s' * 40}"


@pytest.fixture
def netrc(tmp_path: Path) -> Path:
    """The path of the file of logins, which does not exist yet."""
    return tmp_path / "netrc"


def found(netrc: Path, base_url: str = URL, *, key: str = "") -> str | None:
    """The key of an environment with this WANDB_API_KEY and this file of logins."""
    return wandb_key.find_key({"WANDB_API_KEY": key, "NETRC": str(netrc)}, base_url)


def entry(host: str, key: str = KEY) -> str:
    """The entry that `wandb login` writes."""
    return f"machine {host}\n  login user\n  password {key}\n"


def refused(key: str) -> str:
    """The error about a wrong key."""
    with pytest.raises(InputError) as caught:
        wandb_key.check_key(key, "WANDB_API_KEY")
    assert 2 == caught.value.exit_code
    return str(caught.value)


def test_the_default_server_is_the_sdks() -> None:
    """The server that is meant where none is named is the one that this SDK takes."""
    assert urls.DEFAULT_BASE_URL == wandb_key.DEFAULT_BASE_URL


def test_the_variable_goes_before_the_login(netrc: Path) -> None:
    """WANDB_API_KEY counts, without the spaces around it, also where a login was left."""
    netrc.write_text(entry("wandb.example", OTHER))

    assert KEY == found(netrc, key=f" {KEY}\n")


def test_a_blank_variable_is_none(netrc: Path) -> None:
    """If WANDB_API_KEY is blank, the login counts."""
    netrc.write_text(entry("wandb.example"))

    assert KEY == found(netrc, key=" \n")


@pytest.mark.parametrize(
    ("host", "base_url", "expected"),
    [
        ("wandb.example", "https://wandb.example", KEY),
        ("wandb.example", "http://wandb.example/wandb", KEY),
        ("wandb.example", "https://wandb.example:8443", None),
        ("wandb.example:8443", "https://wandb.example:8443", KEY),
        ("wandb.example:8443", "https://wandb.example", None),
        ("example", "https://wandb.example", None),
        ("api.wandb.ai", "https://wandb.example", None),
        ("api.forge.coreweave.com", wandb_key.DEFAULT_BASE_URL, KEY),
        ("api.wandb.ai", wandb_key.DEFAULT_BASE_URL, KEY),
        ("api.wandb.ai", "https://api.wandb.ai", KEY),
        ("api.forge.coreweave.com", "https://api.wandb.ai", None),
    ],
)
def test_a_login_is_for_its_host(
    host: str, base_url: str, expected: str | None, netrc: Path
) -> None:
    """A login counts for its own host and port; the former one's for the service's new name."""
    netrc.write_text(entry(host))

    assert expected == found(netrc, base_url)


def test_the_new_name_goes_before_the_former(netrc: Path) -> None:
    """With logins under both names of the service, the one under its present name counts."""
    netrc.write_text(entry("api.wandb.ai", OTHER) + entry("api.forge.coreweave.com"))

    assert KEY == found(netrc, wandb_key.DEFAULT_BASE_URL)


def test_a_login_for_every_host_is_for_none(netrc: Path) -> None:
    """The password of a `default` entry is sent to nobody."""
    netrc.write_text(f"default login user password {KEY}\n")

    assert None is found(netrc)


def test_a_host_named_default_is_one_host(netrc: Path) -> None:
    """A server in a local network may have that name, and is not meant by the entry."""
    netrc.write_text(f"default login user password {KEY}\n")

    assert None is found(netrc, "http://default")


@pytest.mark.parametrize(
    "content",
    [b"", b"machine\n", b"nonsense here\n", b"\xff\xfe\x00", b"machine wandb.example login user\n"],
)
def test_a_file_without_a_login_is_none(content: bytes, netrc: Path) -> None:
    """A file of logins that is broken, or lacks the password, is as good as none."""
    netrc.write_bytes(content)

    assert None is found(netrc)


def test_without_a_file_there_is_no_key(netrc: Path) -> None:
    """Neither variable nor file: there is no key, and that is no error."""
    assert None is found(netrc)


def test_a_folder_is_no_file_of_logins(netrc: Path) -> None:
    """Something else under the file's name is as good as none."""
    netrc.mkdir()

    assert None is found(netrc)


def test_the_file_is_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without NETRC the file is ~/.netrc, where `wandb login` leaves it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text(entry("wandb.example"))
    (tmp_path / ".netrc").chmod(stat.S_IRUSR)

    assert KEY == wandb_key.find_key({}, URL)


def test_a_wrong_login_is_reported_with_its_file(netrc: Path) -> None:
    """A password that is no key is an input error that names the file and not the password."""
    netrc.write_text(entry("wandb.example", "hunter2"))
    with pytest.raises(InputError) as caught:
        found(netrc)

    assert str(caught.value).startswith(f"{netrc}: this isn't a W&B key: it has 7 characters")
    assert "hunter2" not in str(caught.value)


def test_a_wrong_variable_is_not_made_up_for(netrc: Path) -> None:
    """A variable that is no key is an error, even if the file has one."""
    netrc.write_text(entry("wandb.example"))

    with pytest.raises(InputError, match=r"^WANDB_API_KEY: this isn't a W&B key: "):
        found(netrc, key="hunter2")


@pytest.mark.parametrize("key", [KEY, f"{KEY}_x", f"local-{KEY}", f"local-{KEY}-x", JWT])
def test_a_key_is_given_back(key: str) -> None:
    """A plain key, one of a server of one's own with its prefix, and a JWT are keys."""
    assert key == wandb_key.check_key(key, "WANDB_API_KEY")


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (KEY[1:], "it has 39 characters; keys have at least 40"),
        (f"local-{KEY[1:]}", "it has 39 characters after its first '-'; keys have at least 40"),
        ("short-key-1234", "it has 8 characters after its first '-'; keys have at least 40"),
        (f"{KEY}\n{KEY}", "it has characters other than a-z, A-Z, 0-9, _ and -"),
        (f"{KEY}é", "it has characters other than a-z, A-Z, 0-9, _ and -"),
        (f"a.{KEY}", "it has characters other than a-z, A-Z, 0-9, _ and -"),
        (f"a..{KEY}", "it has characters other than a-z, A-Z, 0-9, _ and -"),
        (f"***{KEY}", "it has characters other than a-z, A-Z, 0-9, _ and -"),
    ],
)
def test_what_is_no_key_is_an_error(key: str, why: str) -> None:
    """The error has the place, and no part of the key."""
    message = refused(key)

    assert message.startswith(f"WANDB_API_KEY: this isn't a W&B key: {why}")
    assert KEY[1:] not in message


@given(st.text("abcXYZ019_-.é *", max_size=130))
def test_no_message_holds_the_key(key: str) -> None:
    """Whatever is given for a key, it is given back or refused without being repeated."""
    marked = f"s3cr3t{key}"
    try:
        assert marked == wandb_key.check_key(marked, "here")
    except InputError as error:
        assert "s3cr3t" not in str(error)  # noqa: PT017 -- most keys are none


def is_key(text: str) -> bool:
    """Whether the text passes for a key."""
    try:
        return text == wandb_key.check_key(text, "here")
    except InputError:
        return False


PARTS = st.text("aZ0_-", max_size=3) | st.sampled_from(["local-", KEY, KEY[1:]])


@given(st.lists(PARTS, max_size=4).map("".join).filter(lambda key: not key.endswith("-")))
@example(f"-{KEY}")
@example(f"local-{KEY}-{KEY}")
def test_the_sdk_refuses_the_same_keys(key: str) -> None:
    """A key that passes is one that the SDK accepts, so that a wrong one fails early."""
    assert is_key(key) == (validation.check_api_key(key) is None)


def test_a_prefix_alone_is_no_key() -> None:
    """The part before the dash is not counted, even if it is empty."""
    assert not is_key(f"{KEY}-")


@pytest.mark.parametrize("jwt", [f"{KEY}.{KEY}.{KEY}-s", "h.p.s"])
def test_a_jwt_has_no_least_length(jwt: str) -> None:
    """The SDK takes each JWT; the dashes of one part nothing."""
    assert validation.check_api_key(jwt) is None
    assert is_key(jwt)


PRIVILEGED = ("issue_comment", "pull_request_target", "workflow_run")


@pytest.mark.parametrize("trusted", [None, "", "https://other.example"])
@pytest.mark.parametrize("event", PRIVILEGED)
def test_a_strangers_host_is_refused(event: str, trusted: str | None) -> None:
    """If secrets meet a stranger's checkout, only the workflow itself can name a host."""
    with pytest.raises(InputError) as caught:
        wandb_key.refuse_foreign_host(events.event(event), URL, trusted_url=trusted)

    assert str(caught.value) == (
        f"base_url 'https://wandb.example': on {event} events the W&B key isn't sent to a host "
        "that the config or an earlier step names, because an outsider may control both. Name the "
        "host in the workflow, as the action's input wandb-base-url"
    )


@pytest.mark.parametrize(
    ("event", "base_url", "trusted"),
    [
        *((event, URL, URL) for event in PRIVILEGED),
        *((event, wandb_key.DEFAULT_BASE_URL, None) for event in PRIVILEGED),
        *((event, wandb_key.DEFAULT_BASE_URL, URL) for event in PRIVILEGED),
        ("pull_request", URL, None),
        ("push", URL, None),
        ("", URL, None),
    ],
)
def test_other_hosts_are_sent_the_key(event: str, base_url: str, trusted: str | None) -> None:
    """The workflow's own host and the default one serve on each event, any host on the others."""
    wandb_key.refuse_foreign_host(events.event(event), base_url, trusted_url=trusted)
