"""Messages of a run, on a terminal and in a workflow's log."""

from __future__ import annotations

import re
from io import BytesIO, StringIO, TextIOWrapper

import pytest

from helm_wandb.errors import ArtifactError, ConfigError, InputError, Problem, SinkError
from helm_wandb.model import Place
from helm_wandb.runner import log as logs
from helm_wandb.runner.event import parse_event
from helm_wandb.text.redaction import NO_SECRETS, Redactor

HOSTILE = "a\x1b[31m\n::error::owned\n##[error]owned"


def test_terminal_shows_nothing_invisible() -> None:
    """Escape sequences in a message cannot act on the user's terminal."""
    errors = StringIO()
    logs.TerminalLog(StringIO(), errors).message("error", HOSTILE)

    assert "error: a?[31m?::error::owned?##[error]owned\n" == errors.getvalue()


def test_what_the_terminal_cannot_show_is_replaced() -> None:
    """A terminal of another encoding gets a question mark, and no traceback."""
    raw = BytesIO()
    errors = TextIOWrapper(raw, encoding="ascii", write_through=True)
    logs.TerminalLog(StringIO(), errors).message("error", "모델")

    assert b"error: ??\n" == raw.getvalue()


def test_config_problems_annotate_their_lines_and_stand_in_the_log() -> None:
    """Each problem is an annotation, and a line of the log where commands are switched off."""
    output = StringIO()
    problem = Problem(Place("a.yaml", 2, 5), "$.x", "is wrong")
    logs.WorkflowLog(output).fault(ConfigError([problem]))
    command, stop, line, start = output.getvalue().splitlines()

    assert "::error file=a.yaml,line=2,col=5,title=helm-wandb-action::$.x: is wrong" == command
    assert "a.yaml:2:5: $.x: is wrong" == line
    assert f"::{stop.removeprefix('::stop-commands::')}::" == start


@pytest.mark.parametrize("error", [ArtifactError(HOSTILE), SinkError(HOSTILE)])
def test_messages_give_the_runner_one_command(error: ArtifactError | SinkError) -> None:
    """Whatever an error quotes is within its own annotation."""
    output = StringIO()
    logs.WorkflowLog(output).fault(error)

    expected = "::error title=helm-wandb-action::a?[31m?::error::owned?##[error]owned\n"
    assert expected == output.getvalue()


def test_only_our_own_lines_are_lines_of_an_error() -> None:
    """Each problem has its line; a line break that one quotes makes no other line."""
    error = InputError("input a: bad", "input b: x\nerror: owned")
    output, errors = StringIO(), StringIO()
    logs.WorkflowLog(output).fault(error)
    logs.TerminalLog(None, errors).fault(error)

    annotation = "::error title=helm-wandb-action::input a: bad%0Ainput b: x?error: owned\n"
    assert annotation == output.getvalue()
    assert "error: input a: bad\nerror: input b: x?error: owned\n" == errors.getvalue()


def test_a_traceback_holds_no_escape_sequence() -> None:
    """An exception's words cannot act on a terminal, nor on one that shows the log later."""
    output, errors = StringIO(), StringIO()
    logs.WorkflowLog(output).listing("Traceback\n  KeyError: \x1b[2J\x9b2J\n")
    logs.TerminalLog(None, errors).listing("Traceback\n  KeyError: \x1b[2J\x9b2J\n")

    assert "\nTraceback\n  KeyError: ?[2J?2J\n" in output.getvalue()
    assert "Traceback\n  KeyError: ?[2J?2J\n" == errors.getvalue()


def test_a_bug_is_shown_with_its_traceback_disabled() -> None:
    """The traceback stands between stop-commands and its end, then comes the sentence."""
    output = StringIO()
    nothing: dict[str, str] = {}
    try:
        nothing[HOSTILE]
    except KeyError:
        logs.log_bug(logs.Log(logs.WorkflowLog(output)))
    found = re.fullmatch(
        r"::stop-commands::(\w+)\n(Traceback.*)::\1::\n(::error .*)\n", output.getvalue(), re.DOTALL
    )

    assert found is not None
    assert "please report it" in found.group(3)


@pytest.mark.parametrize(
    ("secrets", "expected"),
    [
        ((), ""),
        (("k1",), "::add-mask::k1\n"),
        (("k1", "k2"), "::add-mask::k1\n::add-mask::k2\n"),
        (("line 1\nline 2\r\nline 3",), "".join(f"::add-mask::line {n}\n" for n in (1, 2, 3))),
        (("50%0A::x",), "::add-mask::50%250A::x\n"),
        (("line 1\n\nline 3",), "::add-mask::line 1\n::add-mask::line 3\n"),
    ],
)
def test_secrets_are_masked_line_by_line(secrets: tuple[str, ...], expected: str) -> None:
    """The runner masks single lines, so each line of a secret is masked, escaped."""
    output = StringIO()
    logs.WorkflowLog(output).mask(secrets)

    assert expected == output.getvalue()


def test_a_quiet_log_shows_what_is_wrong() -> None:
    """Faults, errors, warnings and tracebacks are shown; notices and information are not."""
    errors = StringIO()
    quiet = logs.Log(logs.TerminalLog(errors, errors), is_quiet=True)
    quiet.fault(ArtifactError("no file"))
    for level in ("info", "notice", "warning", "error"):
        quiet.message(level, "x")
    quiet.listing("Traceback\n")

    assert "error: no file\nwarning: x\nerror: x\nTraceback\n" == errors.getvalue()


def test_a_log_shows_no_secret() -> None:
    """Messages, problems of a config, other faults and tracebacks are shown without it."""
    key = "8d3f0c61b7e94a25d0f7c3e1a6b95824ec17f03d"
    output = StringIO()
    log = logs.Log(logs.TerminalLog(output, output), Redactor((key,)))
    log.message("notice", f"W&B: {key}")
    log.fault(ConfigError([Problem(Place(key, 2, 5), f"$.{key}", f"{key} is wrong")]))
    log.fault(ArtifactError(f"{key} is gone"))
    log.listing(f"ValueError: {key.upper()}\n")

    expected = (
        "W&B: ***\nerror: ***:2:5: $.***: *** is wrong\nerror: *** is gone\nValueError: ***\n"
    )
    assert expected == output.getvalue()


@pytest.mark.parametrize("quiet", [False, True])
@pytest.mark.parametrize("output_is_taken", [False, True])
@pytest.mark.parametrize("environ", [{}, {"GITHUB_ACTIONS": "true"}])
def test_the_log_leaves_alone_what_is_taken(
    environ: dict[str, str],
    *,
    quiet: bool,
    output_is_taken: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A notice goes to standard output, to standard error where that is taken, or nowhere."""
    logs.choose_log(
        parse_event(environ, {}), NO_SECRETS, quiet=quiet, output_is_taken=output_is_taken
    ).message("notice", "done")
    result = "::notice title=helm-wandb-action::done\n" if environ else "done\n"
    expected = ("", "") if quiet else ("", result) if output_is_taken else (result, "")

    assert expected == capsys.readouterr()


@pytest.mark.parametrize(
    ("environ", "kind"),
    [
        ({}, logs.TerminalLog),
        ({"GITHUB_ACTIONS": "false"}, logs.TerminalLog),
        ({"GITHUB_ACTIONS": "true"}, logs.WorkflowLog),
    ],
)
def test_the_log_is_that_of_the_place(environ: dict[str, str], kind: type) -> None:
    """In a workflow the runner is spoken to, elsewhere a person."""
    log = logs.choose_log(parse_event(environ, {}), NO_SECRETS)

    assert isinstance(log.place, kind)
