"""The commands about configs: `schema`, `validate` and `init`, each argv → exit code."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from helm_wandb import __version__, flags, pipeline, sources
from helm_wandb.comparing.evaluations import group_values
from helm_wandb.config.first_config import first_config
from helm_wandb.errors import ArtifactError, ConfigError, InputError, UserError
from helm_wandb.model import FirstEntry, Provenance
from helm_wandb.runner.log import Log
from helm_wandb.sinks import print_text
from helm_wandb.system import paths
from helm_wandb.system.files import write_new
from helm_wandb.text.safe_text import Name, plain
from helm_wandb.text.words import join_truncated


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
            return _init(arguments, log, root, command)


def parser(command: str) -> ArgumentParser:
    """Return the parser of the commands and their arguments."""
    root = ArgumentParser(prog=flags.program(command), description="Write and check configs.")
    commands = root.add_subparsers(dest="command", required=True)
    init = commands.add_parser(
        "init",
        help="write a first config for the output of HELM, lm-eval or Inspect, or a report",
        description=(
            "Write a first config, with metrics that the output of HELM, lm-eval or Inspect, or a "
            "report JSON, has."
        ),
    )
    init.add_argument(
        "folder",
        nargs="?",
        type=flags.path,
        default="benchmark_output",
        help=(
            "folder that helm-run, lm_eval or inspect wrote, a .tar, .tar.gz or .zip of it, a log "
            "of Inspect, or a report JSON; default: benchmark_output"
        ),
    )
    init.add_argument("--suite", metavar="NAME", help="suite of HELM to use if there are several")
    init.add_argument(
        "--output",
        type=flags.path,
        default="helm-wandb.yaml",
        metavar="FILE",
        help="path of the new config",
    )
    commands.add_parser(
        "schema",
        help="print the JSON Schema of configs",
        description="Print the JSON Schema of configs, by which editors complete and check them.",
    )
    validate = commands.add_parser(
        "validate",
        help="check configs",
        description="Report every problem of the configs, but don't look at the evaluation output.",
    )
    validate.add_argument("files", nargs="+", type=flags.path, metavar="FILE")
    return root


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
            log.message("info", f"{name}: valid. The evaluation output was not checked.")
    return faults


def _init(arguments: Namespace, log: Log, root: Path, command: str) -> int:
    paths.refuse_absent(arguments.folder, Path())
    entries = sources.first_entries(Path(arguments.folder), shown_as=arguments.folder)
    text = first_config(_choose_entry(entries, arguments))
    unranked = list(_unranked(text, arguments.output, root))
    try:
        write_new(Path(arguments.output), text.encode())
    except FileExistsError as error:
        raise InputError(
            f"{arguments.output} already exists: give another name with --output"
        ) from error
    except OSError as error:
        why = f"{error.filename}: {error.strerror}"
        raise InputError(f"--output: {arguments.output} cannot be written: {why}") from error
    for reason in unranked:
        log.message("warning", reason)
    log.message("notice", f"Wrote {arguments.output}. Set `project` in it, then run:")
    log.message("notice", f"  {command} --config {arguments.output} --print-only")
    return 0


def _unranked(text: str, name: str, root: Path) -> Iterator[str]:
    """Yield which models a run of the config would not rank, and why.

    name: the file that the config is going to be. Raises UserError if it could not be run.
    """
    try:
        config = pipeline.parse_config(text.encode(), name=name, root=root)
    except ConfigError as error:
        raise InputError(
            f"{name} is not written, because it would not be valid:", *error.lines
        ) from error
    plan = pipeline.Plan(folder=Path(), provenance=Provenance(tool_version=__version__))
    outcome = pipeline.run(config, plan, sinks=[])
    if outcome.report is None:
        faults = (line for fault in outcome.faults for line in fault.lines)
        raise ArtifactError(f"{name} is not written, because a run with it would fail:", *faults)
    ranking = outcome.report.leaderboard
    models = group_values((row.unranked, row.model) for row in ranking.rows if row.unranked)
    for why, names in models.items():
        yield f"{plain(Name(join_truncated(names)))}: not ranked: {plain(why)}"
    if not ranking.ranking_metrics:
        yield from (f"{plain(Name(str(key)))}: {why}" for key, why in ranking.left_out.items())


def _choose_entry(entries: Sequence[FirstEntry], arguments: Namespace) -> FirstEntry:
    if arguments.suite is None:
        return entries[0]
    for one in entries:
        if arguments.suite in {one.name, f"runs/{one.name}", f"releases/{one.name}"}:
            return one
    names = ", ".join(one.name for one in entries if one.name)
    raise InputError(
        f"--suite: {arguments.folder} has no suite {arguments.suite!r}. There are: {names}."
        if names
        else f"--suite: {arguments.folder} has no suites, as only HELM's output has. Leave it out."
    )
