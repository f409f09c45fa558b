"""The report JSON on standard output."""

from __future__ import annotations

import json
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from msgspec.structs import replace

from helm_wandb.report import to_json
from helm_wandb.sinks.json_output import JsonOutput
from tests import builders
from tests.golden_reports import REPORTS
from tests.test_runner_workflow import Runner

NAMES = ("“모델”", "a−b…", "\U0001f999", "##[error]x", "###[error]x", "\\##[error]x", "#[", "\x7f")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp949", "utf-16"])
@pytest.mark.parametrize("name", NAMES)
def test_any_stream_gets_the_same_report(name: str, encoding: str) -> None:
    """Names in any script are read back as they were, whatever the stream's encoding."""
    raw = BytesIO()
    stream = TextIOWrapper(raw, encoding=encoding)
    content = builders.report([builders.evaluation(name)])
    JsonOutput(stream).deliver(content)

    assert json.loads(to_json(content)) == json.loads(raw.getvalue().decode(encoding))


@pytest.mark.parametrize("name", NAMES)
def test_no_line_is_a_command_to_the_runner(name: str) -> None:
    """GitHub's runner, which takes `##[error]` anywhere in a line, finds none."""
    stream = StringIO()
    JsonOutput(stream).deliver(builders.report([builders.evaluation(name)]))

    assert [] == Runner().read(stream.getvalue())


def test_the_report_is_printed_as_it_is_written() -> None:
    """What is plain ASCII is the report file to the byte, with one line end."""
    report = replace(REPORTS["models"], headline="4 models")
    stream = StringIO()
    JsonOutput(stream).deliver(report)

    assert to_json(report).decode() == stream.getvalue()
