"""GitHub's JSON → its objects; anything else raises GithubError."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from helm_wandb.github_api.faults import unreadable

T = TypeVar("T")


def decode(text: str, kind: type[T], *, what: str) -> T:
    """Return the JSON as this kind of object.

    what: the request, in words. Raises GithubError of UNREADABLE.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except (ValueError, RecursionError) as error:
        raise unreadable(what, why=str(error)) from error


class _Refusal(msgspec.Struct, frozen=True):
    message: str = ""


def refusal_message(text: str | bytes) -> str:
    """Return what a refusal says; nothing if it is not GitHub's."""
    try:
        return msgspec.json.decode(text, type=_Refusal).message
    except (ValueError, RecursionError):
        return ""
