"""Flags that several commands have."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, ArgumentTypeError
from functools import partial
from pathlib import PurePath


def program(command: str) -> str:
    """Return `python wandb_writer.py`, the command without the folders that it was typed with.

    command: what the user typed, as a shell has it.
    """
    return " ".join(PurePath(word).name for word in shlex.split(command))


def path(text: str) -> str:
    """Return the path; raise ArgumentTypeError if it is empty, as `"$UNSET"` is."""
    if not text.strip():
        raise ArgumentTypeError("it is empty: give a path, or leave the flag out")
    return text


def add_files(flags: ArgumentParser) -> None:
    """Add the files that a run writes."""
    add = partial(flags.add_argument, type=path, metavar="FILE")
    add("--report", help="write the report as JSON")
    add("--html", help="write an HTML report")
    add("--badge", help="write a badge as JSON for shields.io's endpoint")
    add("--comment", help="write the pull request comment as Markdown")


def add_fail_on(flags: ArgumentParser, *causes: str) -> None:
    """Add the flag that lets a score change the exit code; causes: what else a score may do."""
    flags.add_argument(
        "--fail-on",
        choices=("never", "regression"),
        default="never",
        help=f"regression: exit 4 if a score {', '.join(['regressed', *causes])}, or lost data",
    )


def add_printed(flags: ArgumentParser) -> None:
    """Add the flags for what is printed."""
    flags.add_argument(
        "--json", action="store_true", help="print the report as JSON; messages go to stderr"
    )
    flags.add_argument("--quiet", action="store_true", help="print errors and warnings only")
