"""The surroundings of a run, which its parts share."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from helm_wandb.runner.event import Event
from helm_wandb.text.redaction import Redactor


class RunContext(Struct, frozen=True, kw_only=True):
    """The event, the environment, and the secrets that may not show."""

    event: Event
    environ: Mapping[str, str]
    redactor: Redactor
    """Removes secrets from what a server answers, and from what is delivered."""
