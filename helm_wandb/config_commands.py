"""The commands about configs: `schema`, `validate` and `init`, each argv → exit code."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from helm_wandb import pipeline, sources
from helm_wandb.config.first_config import first_config
from helm_wandb.errors import ArtifactError, InputError, UserError
from helm_wandb.model import FirstEntry
from helm_wandb.sinks import print_text
from helm_wandb.system import paths
from helm_wandb.system.files import write_new

if TYPE_CHECKING:
    from helm_wandb.runner.log import Log


def run(argv: Sequence[str], *, root: Path, log: Log, command: str) -> int:
    """Return the exit code of the command that argv names.

    root: the folder that holds this tool's `schema/`. command: what the user typed before argv.
    Raises UserError.
    """
    arguments = parser(command).parse_args(argv)
    match arguments.command:
        case "schema":
            return _schema(root)
        case "validate":
            return _validate(arguments.files, root, log)
        case _:
            return _init(arguments, log, command)


def parser(command: str) -> ArgumentParser:
    """Return the parser of the commands and their arguments."""
    flags = ArgumentParser(prog=command, description="Write and check configs.")
    commands = flags.add_subparsers(dest="command", required=True)
    init = commands.add_parser("init", help="write a first config for HELM output")
    init.add_argument(
        "folder",
        nargs="?",
        type=path,
        default="benchmark_output",
        help="folder that helm-run wrote, or a .tar, .tar.gz or .zip of it",
    )
    init.add_argument("--suite", metavar="NAME", help="suite to use if there are several")
    init.add_argument(
        "--output",
        type=path,
        default="helm-wandb.yaml",
        metavar="FILE",
        help="path of the new config",
    )
    commands.add_parser("schema", help="print the JSON Schema of configs")
    validate = commands.add_parser("validate", help="check configs")
    validate.add_argument("files", nargs="+", type=path, metavar="FILE")
    return flags


def path(text: str) -> str:
    """Return the path; raise ArgumentTypeError if it is empty, as `"$UNSET"` is."""
    if not text.strip():
        raise ArgumentTypeError("it is empty: give a path, or leave the flag out")
    return text


def _schema(root: Path) -> int:
    text = (root / "schema" / "config.schema.json").read_text("utf-8")
    print_text("schema", sys.stdout, text)
    return 0


def _validate(files: Sequence[str], root: Path, log: Log) -> int:
    faults = 0
    for name in files:
        try:
            pipeline.load_config(name, folder=Path(), root=root)
        except UserError as error:
            log.fault(error)
            faults = error.exit_code
        else:
            log.message("info", f"{name}: valid")
    return faults


def _init(arguments: Namespace, log: Log, command: str) -> int:
    if not os.path.lexists(arguments.folder):
        hint = paths.hint(arguments.folder, Path())
        raise ArtifactError(f"{arguments.folder}: is not there. {hint}".rstrip())
    entries = sources.first_entries(Path(arguments.folder), shown_as=arguments.folder)
    text = first_config(_choose_entry(entries, arguments).yaml)
    try:
        write_new(Path(arguments.output), text.encode())
    except FileExistsError as error:
        raise InputError(
            f"{arguments.output} is there already: give another name with --output"
        ) from error
    except OSError as error:
        why = f"{error.filename}: {error.strerror}"
        raise InputError(f"--output: {arguments.output} cannot be written: {why}") from error
    log.message("notice", f"Wrote {arguments.output}. Set `project` in it, then run:")
    log.message("notice", f"  {command} --config {arguments.output} --print-only")
    return 0


def _choose_entry(entries: Sequence[FirstEntry], arguments: Namespace) -> FirstEntry:
    if arguments.suite is None:
        return entries[0]
    for one in entries:
        if one.name == arguments.suite:
            return one
    names = ", ".join(one.name for one in entries)
    raise InputError(
        f"--suite: {arguments.folder} has no suite {arguments.suite!r}. There are: {names}."
    )
