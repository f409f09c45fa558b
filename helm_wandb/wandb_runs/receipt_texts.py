"""Sentences about runs in W&B, runs that wait here and refused runs, and what to do."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from helm_wandb.system.files import RefusalError
from helm_wandb.text.words import count_noun, join_truncated, truncate
from helm_wandb.wandb_runs.offline_recording import FOLDERS, Recording
from helm_wandb.wandb_runs.sdk.messages import Cause, Fault

if TYPE_CHECKING:
    from helm_wandb.wandb_runs.layout import RunPlan

_ERRNO = re.compile(r"^\[Errno \d+\] ")
_GIVEN_UP = re.compile(
    r".*giving up after (\d+) attempt\(s\):?(?: while retrying:)? (.+?)(?: while retrying: .*)?"
)
"""The SDK's last words: the last cause, and the previous one once more."""
_ANSWER = re.compile(r'.*\{"errors":\[\{"message":"([^"]+)".*')
_NOISE = re.compile(r'\b(?:Get|Post|Put) "[^"]*": |\. got response: <nil>$')
_PLAIN_WORDS = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"^(?:GET|POST|PUT) [^ ]+ giving up: ", ""),
        (r"\bproxyconnect tcp: ", "the proxy: "),
        (r"\bdial tcp(?: [^ ]+)?: (?:connect: )?", ""),
        (r"\blookup ([^ ]+?)(?: on [^ ]+)?: no such host$", r"there is no host \1"),
        (r"(?:\btls: failed to verify certificate: )?\bx509: ", "certificate: "),
        (r"^context deadline exceeded\b.*", "no answer in time"),
        (r"\b(?:read tcp [^ ]+: )?read: connection reset by peer$", "the connection was closed"),
        (r"^(?:unexpected )?EOF$", "the connection was closed"),
        (
            r"^file(?:stream| transfer: upload): (?:fatal error: )?failed to upload: (?:status: )?",
            "HTTP ",
        ),
        (r"^(HTTP [0-9]{3}[A-Za-z ]*?)(?: url=[^ ]*|: body: (?:\{\}|EOF)?)$", r"\1"),
        (r"^Could not find run <Run ([^ ]+) .*>$", r"there is no run \1"),
    )
)
"""Words of the SDK, which is written in Go, and what they mean."""
_FAULTS = {
    Cause.KEY: "does not accept the key (HTTP 401)",
    Cause.ACCESS: "refuses the entity or project (HTTP 403 or 404)",
    Cause.NETWORK: "cannot be reached",
    Cause.LIMIT: "takes no more requests for now (HTTP 429)",
    Cause.SERVER: "returned a server error (HTTP 5xx)",
    Cause.REFUSED: "refused the data",
    Cause.SIZE: "sent more data than the limit",
    Cause.DISK: "did not get all data: a folder of this machine is full or cannot be written to",
    Cause.ENDED: "did not get all data: the process of W&B's SDK ended",
    Cause.ABSENT: "has no such artifact, or the key may not read it",
    Cause.LOST: "did not store the data",
}
_TO_DO = {
    Cause.KEY: "Make a new key in the user settings of W&B, and put it into the secret.",
    Cause.ACCESS: (
        "Check `entity` and `project` in the config, and that the key's user or team may write "
        "there."
    ),
    Cause.NETWORK: "Check `base_url`, and the network and proxy of this machine.",
    Cause.LIMIT: "Run again later.",
    Cause.SERVER: "Run again later.",
    Cause.REFUSED: "Check `project`, `entity` and `base_url` in the config, and run again.",
    Cause.SIZE: (
        "Check `base_url`; delete runs that nobody needs from the project, or set another "
        "`project`."
    ),
    Cause.DISK: "Free space in $TMPDIR (default /tmp).",
    Cause.ENDED: "Run again, on a machine with more memory if it ends again.",
    Cause.ABSENT: "Check its entity, project, name and alias.",
    Cause.LOST: "Run again: existing data is not sent twice.",
}

_OFFLINE = {
    Cause.DISK: (
        "the W&B runs could not be written",
        "Run in a folder that can be written to and has space left.",
    ),
    Cause.NETWORK: (
        "the W&B runs could not be recorded in time",
        "Run again when this machine is less busy.",
    ),
    Cause.ENDED: (
        "the W&B runs could not be recorded, as the process of W&B's SDK ended",
        _TO_DO[Cause.ENDED],
    ),
}
_REFUSED_OFFLINE = (
    "W&B refused to record the runs",
    "Check `project`, `entity` and `base_url` in the config.",
)


def shorten_detail(detail: str) -> str:
    """Return the SDK's or the system's words plainly, without what the sentence says already."""
    tries = ""
    if given_up := _GIVEN_UP.fullmatch(detail):
        tries = f"after {given_up[1]} attempts: "
        detail = given_up[2]
    if answer := _ANSWER.fullmatch(detail):
        detail = answer[1]
    detail = _NOISE.sub("", _ERRNO.sub("", detail))
    for pattern, words in _PLAIN_WORDS:
        detail = pattern.sub(words, detail)
    return tries + detail


def describe_fault(fault: Fault, base_url: str) -> str:
    """Return a sentence about the server's fault, and another of what to do."""
    # A refused key is refused; "user is not logged in", as W&B says, is of no user of ours.
    detail = "" if fault.cause is Cause.KEY else shorten_detail(fault.detail)
    words = f" ({detail})" if detail else ""
    return f"W&B at {base_url} {_FAULTS[fault.cause]}{words}. {_TO_DO[fault.cause]}"


def offline(fault: Fault, folder: Path) -> str:
    """Return what went wrong with a recording in a folder, and what to do."""
    what, to_do = _OFFLINE.get(fault.cause, _REFUSED_OFFLINE)
    return f"{folder / 'wandb'}: {what}: {shorten_detail(fault.detail)}. {to_do}"


def unwritable(folder: Path, error: OSError) -> str:
    """Return why a folder cannot hold a recording, and what to do."""
    if isinstance(error, RefusalError):
        return f"{error.filename}: the W&B runs could not be written: {error.strerror}"
    return offline(Fault(Cause.DISK, error.strerror or str(error)), folder)


def still_waiting(run_folder: Path, error: OSError) -> str:
    """Return why a superseded recording stays where `wandb sync` finds it, and what to do."""
    return (
        f"{run_folder}: it is superseded, and could not be moved to superseded/: "
        f"{error.filename}: {error.strerror}. Remove it: `wandb sync` would send its rows twice"
    )


def unrecorded(plans: Sequence[RunPlan]) -> tuple[str, ...]:
    """Return which scores W&B cannot hold, and why; one sentence counts the rest."""
    all_ = [reason for plan in plans for reason in plan.unrecorded]
    return truncate(all_, lambda more: f"{more} more scores are not recorded, for similar reasons")


def ignored(recordings: Sequence[Recording], folder: Path) -> tuple[str, ...]:
    """Return which recordings were not used, why, and what to do; one sentence counts the rest."""
    place = folder / "wandb"
    return truncate(
        [_ignored(one, folder) for one in recordings],
        lambda more: f"{place}: {more} more recordings were ignored, for similar reasons",
    )


def _ignored(one: Recording, folder: Path) -> str:
    if not os.path.lexists(one.folder):
        place = folder / "wandb" / "superseded" / one.folder.name
        return f"{place}: ignored and moved here, because {one.fault}. A new recording replaces it"
    return (
        f"{one.folder}: ignored, because {one.fault}. If its results are yours, `wandb sync` sends "
        "them; otherwise remove it"
    )


def carried(recordings: Sequence[Recording]) -> str:
    """Return which earlier recordings' results go with those of this run; empty without any."""
    if not recordings:
        return ""
    names = join_truncated([one.folder.name for one in recordings])
    return f"; including earlier recordings: {names}"


def busy_folder(folder: Path, seconds: float) -> str:
    """Return that others keep recording in a folder, and what to do."""
    return (
        f"{folder / 'wandb'}: other runs have been recording there for {seconds:.0f} seconds, so "
        "this one recorded nothing. Run it again when they have ended"
    )


def stopped_before_sending(runs: int) -> str:
    """Return what W&B has if the run is stopped before it sends anything."""
    return f"Nothing was sent. Run again to send {count_noun(runs, 'run')}"


def stopped_while_sending(runs: int, stored: int, folder: Path) -> str:
    """Return what W&B has if the run is stopped while it sends. stored: runs that it has whole."""
    rest = (
        f"no copy is kept in {folder / 'wandb'}/. Run again: existing data is not sent twice. If "
        "W&B doesn't answer, WANDB_MODE=offline keeps a copy"
    )
    if stored:
        all_ = count_noun(runs, "run")
        return f"It has {stored} of {all_}, and may have some data of the others; {rest}"
    return f"It may have some data of {count_noun(runs, 'run')}; {rest}"


def stopped_after_sending(runs: int) -> str:
    """Return what W&B has if the run is stopped while it completes what it sent."""
    all_ = count_noun(runs, "run")
    return f"It has all data of {all_}. Run again to complete its input artifacts, or its view"


def stopped_while_recording(runs: int, folder: Path) -> str:
    """Return what a folder has if the run is stopped while it records there."""
    return f"No copy of {count_noun(runs, 'run')} is kept in {folder / 'wandb'}/ yet. Run again"


def stopped_with_copy(runs: int, folder: Path, command: str) -> str:
    """Return what a folder has if the run is stopped after it recorded there."""
    return (
        f"A copy of {count_noun(runs, 'run')} is kept in {folder / 'wandb'}/: `{command}` sends it"
    )


def count_runs(number: int) -> str:
    """Return `1 run is`, `2 runs are`."""
    return f"{count_noun(number, 'run')} {'is' if number == 1 else 'are'}"


def sync_command(wandb: str, folder: Path, base_url: str | None) -> str:
    """Return the command that sends what waits in a folder.

    wandb: how a shell calls W&B's command.
    """
    host = f"WANDB_BASE_URL={shlex.quote(base_url)} " if base_url else ""
    return f"{host}{wandb} sync {shlex.quote(str(folder / 'wandb'))}/{FOLDERS}"
