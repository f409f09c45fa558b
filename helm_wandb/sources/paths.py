"""The files that a user names, and where they were looked for."""

from __future__ import annotations

from helm_wandb.errors import ABSOLUTE_PATH

NOT_EXPANDED = "A leading ~ and $NAME are not expanded here: write the whole path."


def hint(name: str) -> str | None:
    """Why a file of this name may well be somewhere else; None where nothing tells that."""
    if name.startswith("/"):
        return ABSOLUTE_PATH
    return NOT_EXPANDED if is_unexpanded(name) else None


def is_unexpanded(name: str) -> bool:
    """Whether a shell would have made another name of it."""
    return name.startswith("~") or "$" in name
