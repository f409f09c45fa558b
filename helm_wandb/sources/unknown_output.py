"""What is at a path that no source can read, and what to give instead."""

from __future__ import annotations

from pathlib import Path

import msgspec

from helm_wandb.errors import ArtifactError
from helm_wandb.harness.files import Files
from helm_wandb.harness.output import open_output
from helm_wandb.system import files
from helm_wandb.text.safe_text import plain
from helm_wandb.text.words import join_truncated, shorten

_GIVE = (
    "Give the folder that helm-run, lm_eval or inspect wrote, a .tar, .tar.gz or .zip of it, a log "
    "of Inspect, or a report JSON."
)
_HEAD_BYTES = 1 << 12
_LARGEST_JSON_BYTES = 1 << 26
_NAMES_SHOWN = 10
_BEGINNING = 40


def describe_unknown(path: Path, *, shown_as: str) -> str:
    """Return what is at the path, and what to give; shown_as: the path in messages."""
    try:
        with open_output(path, shown_as=shown_as) as output:
            names = [_with_slash(name, output) for name in output.names("")]
    except ArtifactError:
        what = f"is {_kind(path)}"
    else:
        listed = join_truncated(names, _NAMES_SHOWN)
        what = f"holds no output of HELM, lm-eval or Inspect, only {listed}"
        what = what if names else "is empty"
    return plain(f"{shown_as}: {what}. {_GIVE}")


def _with_slash(name: str, output: Files) -> str:
    return f"{name}/" if output.is_folder(name) else name


def _kind(path: Path) -> str:
    """Return what the file looks like."""
    data = files.content(path, at_most=_LARGEST_JSON_BYTES)
    if not data.strip():
        return "an empty file"
    if data.lstrip()[:1] in {b"{", b"["}:
        return _kind_of_json(data)
    try:
        words = data[:_HEAD_BYTES].decode().split()
    except UnicodeDecodeError:
        return "a file of an unknown format"
    return f"a text that begins with {shorten(' '.join(words), _BEGINNING)!r}"


def _kind_of_json(data: bytes) -> str:
    try:
        msgspec.json.decode(data, type=msgspec.Raw)
    except (ValueError, RecursionError) as error:
        return f"JSON that was cut short or is damaged ({error})"
    return "JSON, but neither a log of Inspect nor a report of this tool"
