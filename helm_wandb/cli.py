"""The command `python wandb_writer.py`: argv → exit code."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from helm_wandb import __version__, compare_command, config_commands, flags, outputs, pipeline
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
       %(prog)s compare BEFORE AFTER [options]
       %(prog)s {init,validate,schema} [-h] ...
"""
_EPILOG = """\
The W&B key is WANDB_API_KEY, or the one that `wandb login` saved. Without a
key, runs are recorded offline in ./wandb.

examples:
  {0} compare main/ pr/
  {0} init benchmark_output
  {0} validate helm-wandb.yaml
  {0} --config helm-wandb.yaml --print-only
  {0} --config helm-wandb.yaml --print-only --json | jq .leaderboard
  {0} --config helm-wandb.yaml --baseline main.json --fail-on regression
"""
_DETAILED = ("baseline", "json", "report", "html", "comment")
"""Flags that need per-instance scores."""
_CONFIG_COMMANDS = ("init", "validate", "schema")
_COMPARE = "compare"
COMMANDS = (_COMPARE, *_CONFIG_COMMANDS)
"""The commands; anything else is a run with a config."""


def main(argv: Sequence[str], *, root: Path, command: str = _COMMAND) -> int:
    """Return the exit code of the command; see README, "Exit codes".

    root: the folder with this tool's `schema/`. command: what the user typed to call it.
    """
    redactor = Redactor(find_secrets(os.environ))
    event = read_event(os.environ)
    name = argv[0] if argv and not argv[0].startswith("-") else None
    if name in _CONFIG_COMMANDS:
        log = logs.choose_log(event, redactor)
        run = partial(config_commands.run, argv, root=root, log=log, command=command)
        return logs.run_guarded(log, run)
    arguments = _parse(name, argv, command)
    log = logs.choose_log(event, redactor, quiet=arguments.quiet, output_is_taken=arguments.json)
    context = RunContext(event=event, environ=os.environ, redactor=redactor)
    return logs.run_guarded(log, partial(_main, arguments, root, context, log))


def _parse(name: str | None, argv: Sequence[str], command: str) -> Namespace:
    """Return the arguments of a run: of the command that argv names, or of one with a config."""
    if name == _COMPARE:
        return compare_command.parser(command).parse_args(argv[1:])
    if name is not None:
        parser(command).error(_no_command(name))
    return parser(command).parse_args(argv)


def _no_command(name: str) -> str:
    # Imported here: what a small run does without would take a tenth of its time.
    from difflib import get_close_matches  # noqa: PLC0415

    nearest = get_close_matches(name, COMMANDS, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else "a run takes its config as --config FILE"
    return f"unknown command {name!r}: {hint}"


def _main(arguments: Namespace, root: Path, context: RunContext, log: logs.Log) -> int:
    if context.event.fault:
        log.message("warning", context.event.fault)
    outcome = (_compare if "before" in arguments else _run)(arguments, root, context)
    outputs.log_outcome(outcome, log)
    is_compared = "before" in arguments and not context.event.summary_file
    if is_compared and (hint := compare_command.hint(arguments, outcome)):
        log.message("info", hint)
    return outcome.exit_code


def parser(command: str = _COMMAND) -> ArgumentParser:
    """Return the parser of a run's flags; command: what the user typed to call it."""
    own = ArgumentParser(
        prog=flags.program(command),
        usage=_USAGE,
        description=(
            "Compare and rank evaluations of HELM, lm-eval and Inspect, and record them in W&B."
        ),
        epilog=_EPILOG.format(command),
        formatter_class=RawDescriptionHelpFormatter,
    )
    add_file = partial(own.add_argument, type=flags.path, metavar="FILE")
    add_file("--config", required=True, help="YAML config")
    own.add_argument(
        "--print-only",
        action="store_true",
        help="print the results; write nothing to W&B, and make no network calls",
    )
    own.add_argument(
        "--summary-only",
        action="store_true",
        help="skip the per-benchmark runs in W&B; write only the summary runs",
    )
    flags.add_files(own)
    add_file("--baseline", help="report JSON to compare with")
    flags.add_fail_on(own, "is below its floor")
    own.add_argument(
        "--on-missing-baseline",
        choices=("warn", "fail"),
        default="warn",
        help="fail: exit 4 if there is no baseline, or it lacks a model of this run",
    )
    flags.add_printed(own)
    own.add_argument("--version", action="version", version=__version__)
    return own


def _compare(arguments: Namespace, root: Path, context: RunContext) -> Outcome:
    before, after = compare_command.open_sides(arguments, root)
    plan = pipeline.Plan(
        folder=Path(),
        provenance=context.event.provenance(),
        baseline=compare_command.find_baseline(before, after, progress_bar(sys.stderr)),
        gate_policy=GatePolicy(on_regression=arguments.fail_on == "regression"),
        with_details=True,
        keeps_answers=_keeps_answers(arguments),
        redactor=context.redactor,
        progress=progress_bar(sys.stderr),
    )
    options = replace(
        _output_options(arguments, after.config, context),
        inputs=(before.name, after.name),
        entries=before.config.evals,
    )
    outcome = pipeline.run(after.config, plan, outputs.create_sinks(options))
    return compare_command.explain(arguments, outcome)


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
            gate_policy=GatePolicy(
                on_regression=arguments.fail_on == "regression",
                on_missing_baseline=arguments.on_missing_baseline == "fail",
            ),
            with_details=records or any(map(vars(arguments).get, _DETAILED)),
            keeps_answers=records or _keeps_answers(arguments),
            redactor=context.redactor,
            progress=progress_bar(sys.stderr),
        )
        options = replace(
            _output_options(arguments, config, context),
            records=records,
            summary_only=arguments.summary_only,
            project=project,
            wandb_key=key,
            wandb_command=_wandb_command(),
            inputs=tuple(filter(None, (arguments.config, arguments.baseline))),
        )
        return pipeline.run(config, plan, outputs.create_sinks(options))


def _keeps_answers(arguments: Namespace) -> bool:
    return bool(arguments.json or arguments.report)


def _output_options(
    arguments: Namespace, config: Config, context: RunContext
) -> outputs.OutputOptions:
    """Return the outputs that every run can have."""
    return outputs.OutputOptions(
        context=context,
        config=config,
        report=arguments.report,
        html=arguments.html,
        badge=arguments.badge,
        comment_file=arguments.comment,
        terminal=None if arguments.json or arguments.quiet else _terminal(context.event),
        json=JsonOutput(sys.stdout) if arguments.json else None,
    )


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
    import shutil  # noqa: PLC0415 -- as above

    return "wandb" if shutil.which("wandb") else start.call("-P", "-m", "wandb")


def _terminal(event: Event) -> Terminal:
    if event.in_workflow:
        import secrets  # noqa: PLC0415 -- as above

        return Terminal(stream=sys.stdout, literal_token=secrets.token_hex(16))
    if sys.stdout is None or not sys.stdout.isatty():
        return Terminal(stream=sys.stdout)
    width = os.get_terminal_size(sys.stdout.fileno()).columns
    return Terminal(stream=sys.stdout, width=width or None, colour="NO_COLOR" not in os.environ)
