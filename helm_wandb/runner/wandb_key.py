"""The W&B key: its place, its form, and the hosts that may receive it."""

from __future__ import annotations

import netrc
import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from helm_wandb.errors import InputError
from helm_wandb.runner.event import Event

DEFAULT_BASE_URL = "https://api.forge.coreweave.com"
"""The SDK's default server (wandb 0.31.0, sdk/lib/urls.py)."""
_FORMER_HOST = "api.wandb.ai"
"""The service's former host, under which `wandb login` left keys until 0.30."""
_KEY_LENGTH = 40
_KEY = re.compile(r"[\w-]+(?:\.[\w-]+\.[\w-]+)?", re.ASCII)
"""Letters, digits, `_` and `-`, or, for an internal client, the three parts of a JWT."""


def find_key(environ: Mapping[str, str], base_url: str) -> str | None:
    """Return WANDB_API_KEY, else the key that `wandb login` left for the server's host.

    Raises InputError if it is no key.
    """
    key = environ.get("WANDB_API_KEY", "").strip()
    if key:
        return check_key(key, "WANDB_API_KEY")
    path = _netrc_path(environ)
    password = _netrc_password(path, base_url)
    return check_key(password, str(path)) if password else None


def check_key(key: str, place: str) -> str:
    """Return the key; raises InputError, without repeating it, if W&B's SDK would refuse it."""
    _, dash, secret = key.partition("-")
    length = len(secret if dash else key)
    if not _KEY.fullmatch(key):
        raise InputError(
            f"{place}: this isn't a W&B key: it has characters other than a-z, A-Z, 0-9, _ and -"
        )
    if "." not in key and length < _KEY_LENGTH:
        counted = " after its first '-'" if dash else ""
        raise InputError(
            f"{place}: this isn't a W&B key: it has {length} characters{counted}; keys "
            f"have at least {_KEY_LENGTH}. Copy the whole key from the user settings of W&B"
        )
    return key


def refuse_foreign_host(event: Event, base_url: str, *, trusted_url: str | None) -> None:
    """Raise InputError if the key would go to a host that an untrusted checkout named.

    trusted_url: the server that the workflow's author named, in the workflow itself.
    """
    own = (trusted_url, DEFAULT_BASE_URL, f"https://{_FORMER_HOST}")
    if not event.rules.is_privileged or base_url in own:
        return
    raise InputError(
        f"base_url {base_url!r}: on {event.name} events the W&B key isn't sent to a host that "
        "the config or an earlier step names, because an outsider may control both. Name the host "
        "in the workflow, as the action's input wandb-base-url"
    )


def login_keys(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return all keys that `wandb login` left, of any server."""
    entries = _netrc_entries(_netrc_path(environ))
    passwords = (password for _, _, password in entries.values())
    return tuple(
        one for one in passwords if one and _KEY.fullmatch(one) and len(one) >= _KEY_LENGTH
    )


def _netrc_path(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("NETRC") or os.path.expanduser("~/.netrc"))  # noqa: PTH111 -- no error


def _netrc_entries(path: Path) -> Mapping[str, tuple[str, str, str]]:
    """Return host → login, account, password; nothing if there is no such file."""
    try:
        return netrc.netrc(str(path)).hosts
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return {}


def _netrc_password(path: Path, base_url: str) -> str | None:
    """Return the password of the server's entry; None if there is no such file or entry."""
    entries = _netrc_entries(path)
    former = [_FORMER_HOST] if base_url == DEFAULT_BASE_URL else []
    # Only the host's entry: a `default` entry is for every host.
    for host in (urlsplit(base_url).netloc, *former):
        if host in entries and host != "default":
            return entries[host][2] or None
    return None
