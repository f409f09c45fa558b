"""The command `python wandb_writer.py`: argv → exit code."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from helm_wandb import __version__, config_commands, outputs, pipeline
from helm_wandb.comparing.gate import GatePolicy
from helm_wandb.model import LOCAL_TRACK, Config, Evaluation
from helm_wandb.runner import log as logs
from helm_wandb.runner import wandb_key
from helm_wandb.runner.context import RunContext
from helm_wandb.runner.event import Event, read_event
from helm_wandb.runner.inputs import BaselineChoice
from helm_wandb.runner.settings import find_secrets
from helm_wandb.sinks.json_output import JsonOutput
from helm_wandb.sinks.terminal import Terminal
from helm_wandb.system import start
from helm_wandb.system.progress import progress_bar
from helm_wandb.text.redaction import Redactor

if TYPE_CHECKING:
    from helm_wandb.baselines import BaselineResult
    from helm_wandb.pipeline import Outcome


_COMMAND = "python wandb_writer.py"
_USAGE = """\
%(prog)s --config FILE [options]
       %(prog)s {init,validate,schema} [-h] ...
"""
_EPILOG = """\
The W&B key is WANDB_API_KEY, or the one that `wandb login` saved. Without a
key, runs are recorded offline in ./wandb.

examples:
  {0} init benchmark_output
  {0} validate helm-wandb.yaml
  {0} --config helm-wandb.yaml --print-only
  {0} --config helm-wandb.yaml --print-only --json | jq .leaderboard
  {0} --config helm-wandb.yaml --baseline main.json --fail-on regression
"""
_DETAILED = ("baseline", "json", "report", "html", "comment")
"""Flags that need per-instance scores."""
COMMANDS = ("init", "validate", "schema")
"""The commands about configs; anything else is a run."""


def main(argv: Sequence[str], *, root: Path, command: str = _COMMAND) -> int:
    """Return the exit code of the command; see README, "Exit codes".

    root: the folder with this tool's `schema/`. command: what the user typed to call it.
    """
    redactor = Redactor(find_secrets(os.environ))
    event = read_event(os.environ)
    if argv and argv[0] in COMMANDS:
        log = logs.choose_log(event, redactor)
        run = partial(config_commands.run, argv, root=root, log=log, command=command)
        return logs.run_guarded(log, run)
    if argv and not argv[0].startswith("-"):
        parser(command).error(_no_command(argv[0]))
    arguments = parser(command).parse_args(argv)
    log = logs.choose_log(event, redactor, quiet=arguments.quiet, output_is_taken=arguments.json)
    return logs.run_guarded(log, partial(_main, arguments, root, event, log, redactor))


def _no_command(name: str) -> str:
    nearest = get_close_matches(name, COMMANDS, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else "a run takes its config as --config FILE"
    return f"unknown command {name!r}: {hint}"


def _main(arguments: Namespace, root: Path, event: Event, log: logs.Log, redactor: Redactor) -> int:
    if event.fault:
        log.message("warning", event.fault)
    context = RunContext(event=event, environ=os.environ, redactor=redactor)
    outcome = _run(arguments, root, context)
    outputs.log_outcome(outcome, log)
    return outcome.exit_code


def parser(command: str = _COMMAND) -> ArgumentParser:
    """Return the parser of a run's flags; command: what the user typed to call it."""
    flags = ArgumentParser(
        prog=command,
        usage=_USAGE,
        description="Compare and rank evaluations of HELM and lm-eval, and record them in W&B.",
        epilog=_EPILOG.format(command),
        formatter_class=RawDescriptionHelpFormatter,
    )
    add_file = partial(flags.add_argument, type=config_commands.path, metavar="FILE")
    add_file("--config", required=True, help="YAML config")
    flags.add_argument(
        "--print-only",
        action="store_true",
        help="print the results; write nothing to W&B, and make no network calls",
    )
    flags.add_argument(
        "--summary-only",
        action="store_true",
        help="skip the per-benchmark runs in W&B; write only the summary runs",
    )
    add_file("--report", help="write the report as JSON")
    add_file("--html", help="write an HTML report")
    add_file("--badge", help="write a badge as JSON for shields.io's endpoint")
    add_file("--comment", help="write the pull request comment as Markdown")
    add_file("--baseline", help="report JSON to compare with")
    _add_gate_flags(flags)
    flags.add_argument(
        "--json", action="store_true", help="print the report as JSON; messages go to stderr"
    )
    flags.add_argument("--quiet", action="store_true", help="print errors and warnings only")
    flags.add_argument("--version", action="version", version=__version__)
    return flags


def _add_gate_flags(flags: ArgumentParser) -> None:
    flags.add_argument(
        "--fail-on",
        choices=("never", "regression"),
        default="never",
        help="regression: exit 4 if a score regressed, is below its floor, or lost data",
    )
    flags.add_argument(
        "--on-missing-baseline",
        choices=("warn", "fail"),
        default="warn",
        help="fail: exit 4 if there is no baseline, or it lacks a model of this run",
    )


def _gate_policy(arguments: Namespace) -> GatePolicy:
    return GatePolicy(
        on_regression=arguments.fail_on == "regression",
        on_missing_baseline=arguments.on_missing_baseline == "fail",
    )


def _run(arguments: Namespace, root: Path, context: RunContext) -> Outcome:
    config = pipeline.load_config(arguments.config, folder=Path(), root=root)
    uses_wandb = not arguments.print_only or not config.evals
    if uses_wandb:
        config = outputs.choose_server(config, os.environ)
    baseline = _baseline(arguments.baseline)
    records = not arguments.print_only
    key = _key(config) if uses_wandb else None
    with outputs.open_project(
        config,
        key,
        context,
        tracks=context.event.ranked_tracks | {LOCAL_TRACK},
        trusted_url=os.environ.get("WANDB_BASE_URL", "").strip().rstrip("/"),
    ) as project:
        plan = pipeline.Plan(
            folder=Path(),
            provenance=context.event.provenance(),
            project=project,
            baseline=baseline,
            gate_policy=_gate_policy(arguments),
            with_details=records or any(map(vars(arguments).get, _DETAILED)),
            keeps_answers=records or bool(arguments.json or arguments.report),
            redactor=context.redactor,
            progress=progress_bar(sys.stderr),
        )
        options = outputs.OutputOptions(
            context=context,
            config=config,
            report=arguments.report,
            html=arguments.html,
            badge=arguments.badge,
            comment_file=arguments.comment,
            records=records,
            summary_only=arguments.summary_only,
            terminal=None if arguments.json or arguments.quiet else _terminal(context.event),
            project=project,
            wandb_key=key,
            wandb_command=_wandb_command(),
            json=JsonOutput(sys.stdout) if arguments.json else None,
        )
        return pipeline.run(config, plan, outputs.create_sinks(options))


def _baseline(name: str | None) -> Callable[[Sequence[Evaluation]], BaselineResult] | None:
    if name is None:
        return None
    # Imported here: without a baseline print-only never pays for it.
    from helm_wandb import baselines  # noqa: PLC0415

    file = baselines.read_baseline_file(name, folder=Path(), named_by="--baseline")
    request = baselines.BaselineRequest(choice=BaselineChoice.FILE, file=file)
    return partial(baselines.resolve, request=request)


def _key(config: Config) -> str | None:
    return wandb_key.find_key(os.environ, config.base_url or wandb_key.DEFAULT_BASE_URL)


def _wandb_command() -> str:
    """Return how the user's shell calls W&B's command, which may be in this environment only."""
    # With -P, Python imports nothing from the working folder.
    return "wandb" if shutil.which("wandb") else start.call("-P", "-m", "wandb")


def _terminal(event: Event) -> Terminal:
    if event.in_workflow:
        return Terminal(stream=sys.stdout, literal_token=secrets.token_hex(16))
    if sys.stdout is None or not sys.stdout.isatty():
        return Terminal(stream=sys.stdout)
    width = os.get_terminal_size(sys.stdout.fileno()).columns
    return Terminal(stream=sys.stdout, width=width or None, colour="NO_COLOR" not in os.environ)
