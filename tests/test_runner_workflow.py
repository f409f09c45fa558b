"""The runner's protocol: what we write, read back by the runner's own rules."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helm_wandb.errors import Problem
from helm_wandb.model import Place
from helm_wandb.runner.workflow import command, literal, output_lines, problem_commands
from helm_wandb.text.visible import visible, visible_lines

COMMANDS = ("error", "warning", "notice", "stop-commands", "add-mask", "debug", "group")
TOKEN = "5ecret"  # noqa: S105 -- of a log that is nobody's
UNESCAPED = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}
TEXT = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    st.text(alphabet=":%,=02351AaDC\r\n #[]error"),
    st.sampled_from(["::error::x", "\n::error::x", "##[error]x", "%0A::error::", "%250A", "\r\n"]),
)


@dataclass
class Command:
    """The commands that the runner understood."""

    name: str
    message: str
    properties: dict[str, str] = field(default_factory=dict)


@dataclass
class Runner:
    """Reads a log as Runner.Worker/ActionCommandManager.cs does."""

    seen: list[Command] = field(default_factory=list)
    stopped_by: str | None = None

    def read(self, log: str) -> list[Command]:
        """The commands of a log, line by line; CR and LF both end a line."""
        for line in re.split(r"\r\n|\r|\n", log):
            found = self._parsed(line)
            if found is None:
                continue
            if self.stopped_by is not None:
                if found.name == self.stopped_by:
                    self.stopped_by = None
            elif found.name == "stop-commands":
                self.stopped_by = found.message
            else:
                self.seen.append(found)
        return self.seen

    def _parsed(self, line: str) -> Command | None:
        return self._second_version(line.lstrip()) or self._first_version(line)

    def _second_version(self, line: str) -> Command | None:
        """`::name key=value,…::message`, at the start of a line."""
        head, separator, message = line[2:].partition("::")
        name, _, joined = head.partition(" ")
        if not line.startswith("::") or not separator or name not in (*COMMANDS, self.stopped_by):
            return None
        pairs = [pair.partition("=") for pair in joined.split(",") if "=" in pair]
        properties = {key.strip(): _unescaped(value) for key, _, value in pairs}
        return Command(name, _unescaped(message, but="%3A %2C"), properties)

    def _first_version(self, line: str) -> Command | None:
        """`##[name …]message`, anywhere in a line."""
        found = re.search(r"##\[([^ \]]+)[^\]]*\](.*)", line)
        if not found or found.group(1) not in (*COMMANDS, self.stopped_by):
            return None
        return Command(found.group(1), found.group(2))


def _unescaped(text: str, *, but: str = "") -> str:
    for escape, char in UNESCAPED.items():
        text = text if escape in but.split() else text.replace(escape, char)
    return text


@given(TEXT, TEXT, TEXT)
def test_runner_reads_back_just_what_was_said(message: str, title: str, file: str) -> None:
    """Any message and properties come out of the runner's parser, each character visible."""
    line = command("error", message, title=title, file=file, line=3)

    properties = {"title": visible(title), "file": visible(file)}
    expected = Command("error", visible_lines(message), properties | {"line": "3"})
    assert Runner().read(line) == [expected]


def test_commands_and_literals_hold_no_escape_sequence() -> None:
    """ESC, its one-byte form, direction marks and other line ends do nothing in a log."""
    hostile = "a\x1b[31m\x9b1m\u202eb\rc\u2028d\x85e"
    harmless = "a?[31m?1m?b?c?d?e"

    assert f"::error title={harmless}::{harmless}" == command("error", hostile, title=hostile)
    assert harmless == literal(hostile, token=TOKEN).splitlines()[1]


def test_command_without_properties_is_read_back() -> None:
    """A bare command has no properties and its message."""
    assert [Command("notice", "done: 100%")] == Runner().read(command("notice", "done: 100%"))


def test_long_message_is_cut_to_what_an_annotation_holds() -> None:
    """The first 4,000 characters are shown; GitHub keeps 4,096."""
    (found,) = Runner().read(command("error", "%" * 5_000))

    assert found.message == "%" * 4_000


@given(st.text(st.characters(categories=["Cs", "Ll"])))
def test_lone_surrogates_can_be_written(text: str) -> None:
    """Lone surrogates of a file name or YAML get into the log as `?`."""
    text_shown = command("error", text, title=text)
    text_shown += literal(text, token=TOKEN)
    text_shown += output_lines({"verdict": text}, delimiter="d")

    assert text_shown == text_shown.encode().decode()


@given(TEXT)
def test_literal_text_holds_no_command(text: str) -> None:
    """Nothing inside can give a command or end the silence, and the next command is heard."""
    log = literal(text, token=TOKEN) + command("notice", "heard")

    assert Runner().read(log) == [Command("notice", "heard")]


@pytest.mark.parametrize("text", ["", "x", "x\n", "x\r", "::error::x", "\n::stop-commands::y"])
def test_literal_ends_on_a_separate_line(text: str) -> None:
    """Also where the text has no line end, commands are on again afterwards."""
    assert literal(text, token=TOKEN).splitlines()[-1] == f"::{TOKEN}::"


def _problems(count: int) -> list[Problem]:
    return [
        Problem(Place("a,b:c.yaml", at, 5), f"$.evals[{at}]", "is wrong\nis bad")
        for at in range(1, count + 1)
    ]


def _annotations(count: int) -> list[Command]:
    return Runner().read("\n".join(problem_commands(_problems(count), title="tool")))


@pytest.mark.parametrize(("count", "shown"), [(0, 0), (1, 1), (9, 9), (10, 10), (11, 10), (99, 10)])
def test_no_more_annotations_than_github_shows(count: int, shown: int) -> None:
    """Up to ten problems are an annotation each; more never make more than ten."""
    assert shown == len(_annotations(count))


def test_tenth_annotation_counts_the_rest() -> None:
    """Nine of eleven problems are annotations, and the tenth says that two more are in the log."""
    assert (
        Command("error", "2 more are in the log of this step", {"title": "tool"})
        == (_annotations(11)[-1])
    )


def test_annotation_stands_on_its_line() -> None:
    """A problem's annotation has its file, line, column and path."""
    place = {"file": "a,b:c.yaml", "line": "1", "col": "5", "title": "tool"}

    assert [Command("error", "$.evals[1]: is wrong?is bad", place)] == _annotations(1)


def _read_outputs(text: str) -> dict[str, str]:
    """The outputs as Runner.Worker/FileCommandManager.cs reads them: heredocs, lines end in LF."""
    outputs: dict[str, str] = {}
    lines = iter(text.split("\n")[:-1])
    for line in lines:
        name, arrow, delimiter = line.partition("<<")
        assert arrow
        assert name
        assert delimiter
        value = []
        while (part := next(lines)) != delimiter:
            value.append(part)
        outputs[name] = "\n".join(value)
    return outputs


@given(st.dictionaries(st.sampled_from(["report-path", "verdict", "leaderboard"]), TEXT))
def test_outputs_are_read_back(outputs: dict[str, str]) -> None:
    """Any values, empty or of many lines, come out of the file as they went in."""
    assert outputs == _read_outputs(output_lines(outputs, delimiter="5ecret"))


def test_output_cannot_make_another_output() -> None:
    """A value in the form of an output is only a value."""
    outputs = {"leaderboard": "x\nverdict=improved\nverdict<<y\nimproved\ny", "verdict": ""}

    assert outputs == _read_outputs(output_lines(outputs, delimiter="5ecret"))
