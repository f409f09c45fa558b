"""Parts of both shells."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from msgspec.structs import replace

from helm_wandb import outputs
from helm_wandb.comparing.helm_metrics import CORE_METRICS
from helm_wandb.errors import ArtifactError, InputError
from helm_wandb.model import (
    LOCAL_TRACK,
    Comparison,
    Config,
    EvalEntry,
    Gate,
    Place,
    Provenance,
    Receipt,
    Status,
)
from helm_wandb.outputs import OutputOptions
from helm_wandb.pipeline import Outcome
from helm_wandb.runner import log as logs
from helm_wandb.runner import wandb_key
from helm_wandb.runner.context import RunContext
from helm_wandb.runner.event import Event, parse_event
from helm_wandb.sinks import deliver
from helm_wandb.sinks.terminal import Terminal
from helm_wandb.text.redaction import NO_SECRETS
from tests import builders, events
from tests.builders import report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helm_wandb.model import Report

KEY = "0123456789abcdef" * 3


def context(event: Event | None = None, **environ: str) -> RunContext:
    """The surroundings of a run with these variables and without secrets."""
    return RunContext(event=event or Event(), environ=environ, redactor=NO_SECRETS)


def config(base_url: str | None = None, entity: str | None = None) -> Config:
    """A config with this W&B server and entity."""
    return builders.config(
        project="test", entity=entity, base_url=base_url, leaderboard_metrics=CORE_METRICS
    )


@pytest.mark.parametrize(
    ("given", "own", "variable", "expected"),
    [
        ("http://input", "http://config", "http://variable", "http://input"),
        (None, "http://config", "http://variable", "http://config"),
        (None, None, "http://variable", "http://variable"),
        (None, None, " ", None),
        (None, None, " http://variable/\n", "http://variable"),
        ("http://input/", "http://config", "", "http://input"),
        (None, "http://config//", "", "http://config"),
        (None, "https://host/wandb/", "", "https://host/wandb"),
    ],
)
def test_one_base_url(
    given: str | None, own: str | None, variable: str, expected: str | None
) -> None:
    """The input goes before the config, the config before the environment, no slash at the end."""
    found = outputs.choose_server(config(own), {"WANDB_BASE_URL": variable}, given=given)

    assert expected == found.base_url


def test_a_variable_without_url_is_an_input_error() -> None:
    """If WANDB_BASE_URL is no URL, the error names it, exit 2."""
    with pytest.raises(InputError, match="WANDB_BASE_URL: 'x' isn't the URL of a server"):
        outputs.choose_server(config(), {"WANDB_BASE_URL": "x"})


def test_a_password_in_a_variable_is_refused_and_not_shown() -> None:
    """WANDB_BASE_URL with a password is an input error that does not repeat it."""
    with pytest.raises(InputError) as caught:
        outputs.choose_server(config(), {"WANDB_BASE_URL": "http://user:s3cret@host"})

    assert str(caught.value) == (
        "WANDB_BASE_URL: 'http://***@host' (with a user name or password: remove it) isn't the URL "
        "of a server; fix it or unset it"
    )


@pytest.mark.parametrize(
    ("own", "variable", "expected"),
    [
        ("config", "variable", "config"),
        (None, " variable\n", "variable"),
        (None, "  ", None),
        (None, None, None),
        ("config", "not/allowed", "config"),
    ],
)
def test_one_entity(own: str | None, variable: str | None, expected: str | None) -> None:
    """The config's entity goes before WANDB_ENTITY; a blank one is none."""
    environ = {} if variable is None else {"WANDB_ENTITY": variable}

    assert expected == outputs.choose_server(config(entity=own), environ).entity


@pytest.mark.parametrize("refused", "/\\#?%:")
def test_an_entity_that_is_none_is_an_input_error(refused: str) -> None:
    """If characters would lead elsewhere in a URL, the error names the variable, exit 2."""
    with pytest.raises(InputError) as caught:
        outputs.choose_server(config(), {"WANDB_ENTITY": f"te{refused}am"})

    name = f"te{refused}am"
    expected = f"WANDB_ENTITY: {name!r} isn't an entity: it may not contain any of / \\ # ? % :"
    assert (2, expected) == (caught.value.exit_code, str(caught.value))


def test_all_else_of_the_config_stays() -> None:
    """Without variables and input the config is as it was."""
    assert config("http://config", "team") == outputs.choose_server(
        config("http://config", "team"), {}
    )


@pytest.mark.parametrize("key", [None, ""])
def test_without_a_key_there_is_no_project(key: str | None) -> None:
    """Without a key W&B gets no request, on any event and host."""
    opened = outputs.open_project(
        config("http://stranger"),
        key,
        context(events.event("pull_request_target")),
        tracks=frozenset(),
        trusted_url=None,
    )
    with opened as project:
        assert project is None


NO_PROJECT = """
import sys
from helm_wandb import outputs
from helm_wandb.outputs import OutputOptions
from helm_wandb.pipeline import Outcome
from helm_wandb.runner import log as logs
from helm_wandb.runner import wandb_key
from tests.test_outputs import config, context
before = set(sys.modules)
rest = {"tracks": frozenset(), "trusted_url": None}
with outputs.open_project(config(), None, context(), **rest):
    print(sorted(sys.modules.keys() - before), "wandb" in sys.modules)
"""


def test_without_a_key_nothing_of_wandb_is_loaded(root: Path) -> None:
    """Without a key neither the SDK nor its callers are loaded."""
    done = subprocess.run(
        [sys.executable, "-c", NO_PROJECT],
        check=True,
        capture_output=True,
        text=True,
        cwd=root,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(root)},
    )

    assert "[] False\n" == done.stdout


@pytest.mark.parametrize("event", ["pull_request_target", "workflow_run"])
def test_the_key_goes_to_no_strangers_host(event: str) -> None:
    """If a checkout may be a stranger's, a host that its config names is refused, exit 2."""
    opened = outputs.open_project(
        config("https://stranger.example"),
        KEY,
        context(events.event(event)),
        tracks=frozenset(),
        trusted_url=None,
    )
    with (
        pytest.raises(InputError, match=r"^base_url 'https://stranger\.example': on ") as caught,
        opened,
    ):
        pass

    assert KEY not in str(caught.value)


def test_a_project_has_the_server_the_name_and_the_tracks() -> None:
    """The project is that of the config; before the first request no network is needed."""
    tracks = frozenset({"branch/main", "local"})
    opened = outputs.open_project(
        config("http://127.0.0.1:1", "team"),
        KEY,
        context(),
        tracks=tracks,
        trusted_url=None,
    )
    with opened as project:
        assert project is not None
        assert ("test", tracks, "http://127.0.0.1:1") == (
            project.name,
            project.tracks,
            project.session.base_url,
        )


def test_without_base_url_the_server_is_the_sdks_own() -> None:
    """A config that names no server means the one that the SDK takes."""
    opened = outputs.open_project(config(), KEY, context(), tracks=frozenset(), trusted_url=None)
    with opened as project:
        assert project is not None
        assert wandb_key.DEFAULT_BASE_URL == project.session.base_url


@pytest.mark.parametrize(
    ("mode", "evals", "is_requested"),
    [
        ("", True, True),
        (" Online\n", True, True),
        ("offline", True, False),
        ("dryrun", True, False),
        ("disabled", True, False),
        ("disabled", False, True),
        ("offline", False, False),
    ],
)
def test_the_mode_decides_whether_wandb_is_used(
    mode: str,
    evals: bool,  # noqa: FBT001 -- a case
    is_requested: bool,  # noqa: FBT001 -- its outcome
) -> None:
    """Offline and disabled have no project; only a ranking of the project alone is still read."""
    entry = EvalEntry(source="file", fields={}, path="$.evals[0]", place=Place("config.yaml", 1, 1))
    wanted = replace(config("http://127.0.0.1:1"), evals=(entry,) if evals else ())
    opened = outputs.open_project(
        wanted,
        KEY,
        context(WANDB_MODE=mode),
        tracks=frozenset(),
        trusted_url=None,
    )
    with opened as project:
        assert is_requested == (project is not None)


@pytest.mark.parametrize("key", [KEY, None])
def test_a_mode_that_is_none_is_an_input_error(key: str | None) -> None:
    """For an unknown word the error lists W&B's own, exit 2, with or without a key."""
    opened = outputs.open_project(
        config(),
        key,
        context(WANDB_MODE="of-line"),
        tracks=frozenset(),
        trusted_url=None,
    )
    with pytest.raises(InputError) as caught, opened:
        pass

    expected = "WANDB_MODE: 'of-line' is invalid; use online, offline, or disabled, or unset it"
    assert (2, expected) == (caught.value.exit_code, str(caught.value))


def test_disabled_records_nothing_and_says_so() -> None:
    """With WANDB_MODE=disabled the W&B sink is skipped, and its receipt says why."""
    options = OutputOptions(
        context=context(WANDB_MODE="disabled"),
        config=config(),
        report=None,
        records=True,
        summary_only=False,
    )
    (sink,) = outputs.create_sinks(options)

    assert sink.deliver(report([])) == Receipt(
        sink="W&B",
        status=Status.SKIPPED,
        reason="nothing was recorded, because WANDB_MODE is disabled",
    )


def options(environ: Mapping[str, str], *, html: str | None = None, records: bool) -> OutputOptions:
    """The options of a run that prints its report, with a report file if it records in W&B."""
    return OutputOptions(
        context=context(parse_event(environ, {}), **environ),
        config=config(),
        report="r.json" if records else None,
        html=html,
        records=records,
        summary_only=False,
        terminal=Terminal(stream=StringIO()),
    )


@pytest.mark.parametrize(
    ("records", "environ", "names"),
    [
        (
            True,
            {"GITHUB_STEP_SUMMARY": "s.md"},
            ["report", "terminal", "W&B", "job summary", "report"],
        ),
        (False, {}, ["terminal"]),
    ],
)
def test_sinks_in_their_order(
    records: bool,  # noqa: FBT001 -- a row of the table
    environ: dict[str, str],
    names: list[str],
) -> None:
    """The report file is first and last, and W&B comes before the texts that link to it."""
    found = outputs.create_sinks(options(environ, records=records))

    assert names == [sink.name for sink in found]
    assert not Path("r.json").exists()


@dataclass(frozen=True)
class HeadlineFile:
    """A new output, in a separate module."""

    name: ClassVar[str] = "headline"
    path: Path

    def deliver(self, report: Report) -> Receipt:
        """Write the headline."""
        self.path.write_text(report.headline)
        return Receipt(sink=self.name, status=Status.DONE)


def test_a_new_output_needs_a_module_and_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An output added by CONTRIBUTING's recipe is written, and its receipt is among the others."""
    path = tmp_path / "headline.txt"
    monkeypatch.setattr(outputs, "OUTPUTS", (*outputs.OUTPUTS, lambda _: HeadlineFile(path)))
    sinks = outputs.create_sinks(options({}, records=False))
    receipts = deliver(report([]), sinks, redactor=NO_SECRETS)[1]

    assert report([]).headline == path.read_text()
    assert ["terminal", "headline"] == [receipt.sink for receipt in receipts]


def outcome(*receipts: Receipt) -> Outcome:
    """An outcome with one fault and these receipts."""
    return Outcome(report=None, receipts=receipts, faults=(ArtifactError("no file"),), exit_code=3)


def receipt(sink: str, status: Status, reason: str | None = None) -> Receipt:
    """A receipt."""
    code = 5 if status is Status.FAILED else 0
    return Receipt(sink=sink, status=status, reason=reason, exit_code=code)


def test_terminal_shows_faults_and_failures_as_errors_and_wandb_last() -> None:
    """Errors go to standard error, the rest to standard output, the way to sync at its end."""
    output, errors = StringIO(), StringIO()
    result = outcome(
        receipt("W&B", Status.DONE, "sync it"),
        receipt("terminal", Status.DONE),
        receipt("job summary", Status.FAILED, "disk full"),
        receipt("report", Status.DONE, "written to x"),
    )
    outputs.log_outcome(result, logs.Log(logs.TerminalLog(output, errors)))

    assert "report: written to x\nW&B: sync it\n" == output.getvalue()
    assert "error: no file\nerror: job summary: disk full\n" == errors.getvalue()


REASONS = ("a.EM of m regressed", "b.EM of m regressed")


def gated(gate: Gate | None, *comparisons: Comparison) -> Outcome:
    """An outcome with a report of this gate."""
    result = builders.report([builders.evaluation()], gate=gate, comparisons=comparisons)
    return Outcome(report=result, receipts=(), faults=(), exit_code=0)


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        (None, ""),
        (Gate(closed=False, reasons=()), ""),
        (
            Gate(closed=True, reasons=REASONS),
            "error{}the job fails: a.EM of m regressed; b.EM of m regressed",
        ),
        (
            Gate(closed=False, reasons=REASONS[:1], accepted_by="ok"),
            "notice{}The job passes (label ok), although a.EM of m regressed",
        ),
        (
            Gate(closed=False, reasons=REASONS[:1]),
            "warning{}a.EM of m regressed. This doesn't fail the job (fail-on: never)",
        ),
    ],
)
def test_the_gate_is_one_annotation(gate: Gate | None, expected: str) -> None:
    """A closed gate is an error, an accepted one a notice, one without effect a warning."""
    workflow, output, errors = StringIO(), StringIO(), StringIO()
    outputs.log_outcome(gated(gate), logs.Log(logs.WorkflowLog(workflow)))
    outputs.log_outcome(gated(gate), logs.Log(logs.TerminalLog(output, errors)))

    command = f"::{expected.format(' title=helm-wandb-action::')}\n" if expected else ""
    assert command == workflow.getvalue()
    spoken = f"{expected.format(': ')}\n" if expected else ""
    assert spoken.removeprefix("notice: ") == output.getvalue() + errors.getvalue()


@pytest.mark.parametrize(
    ("exit_code", "has_unknown_names", "expected"),
    [
        (0, False, ". With --fail-on regression, the exit code is 4"),
        (5, False, ". With --fail-on regression, the exit code is 4"),
        (3, False, ""),
        (0, True, ". With --fail-on regression, the exit code is 2"),
    ],
)
def test_the_exit_code_with_fail_on_is_the_true_one(
    exit_code: int, expected: str, *, has_unknown_names: bool
) -> None:
    """On the command line, a result that would fail says the exit code, if it would be another."""
    errors = StringIO()
    result = Outcome(
        report=builders.report(
            [builders.evaluation()],
            gate=Gate(closed=False, reasons=REASONS[:1]),
            provenance=Provenance(tool_version="1.2.3", track=LOCAL_TRACK),
        ),
        receipts=(),
        faults=(),
        exit_code=exit_code,
        has_unknown_names=has_unknown_names,
    )
    outputs.log_outcome(result, logs.Log(logs.TerminalLog(StringIO(), errors)))

    assert f"warning: {REASONS[0]}{expected}" in errors.getvalue().splitlines()


def test_a_message_names_its_output_once() -> None:
    """A sentence that begins with the output's name gets no second one."""
    errors = StringIO()
    receipts = tuple(
        Receipt(sink="W&B", status=Status.FAILED, exit_code=5, reason=reason)
        for reason in ("W&B at https://x refuses it", "no file")
    )
    result = Outcome(report=None, receipts=receipts, faults=(), exit_code=5)
    outputs.log_outcome(result, logs.Log(logs.TerminalLog(StringIO(), errors)))

    assert "error: W&B at https://x refuses it\nerror: W&B: no file\n" == errors.getvalue()


def test_many_reasons_of_the_gate_are_one_annotation() -> None:
    """Five are shown, and how many more there are."""
    errors = StringIO()
    reasons = tuple(f"{letter}.EM of m regressed" for letter in "abcdefgh")
    outputs.log_outcome(
        gated(Gate(closed=True, reasons=reasons)), logs.Log(logs.TerminalLog(StringIO(), errors))
    )

    assert errors.getvalue().endswith("e.EM of m regressed; and 3 more, which are in the report\n")


def test_a_missing_baseline_is_a_warning_where_one_is_expected() -> None:
    """It says why there is none; where this run has no models, or there is one, nothing is."""
    why = "There is no baseline. Nobody made one."
    nobody = Outcome(report=builders.report([]), receipts=(), faults=(), exit_code=0)
    without, errors = StringIO(), StringIO()
    for result in (gated(None), replace(nobody, missing_baseline=why)):
        outputs.log_outcome(result, logs.Log(logs.TerminalLog(StringIO(), without)))
    outputs.log_outcome(
        replace(gated(None), missing_baseline=why), logs.Log(logs.TerminalLog(StringIO(), errors))
    )

    assert "" == without.getvalue()
    assert f"warning: {why}\n" == errors.getvalue()


def test_a_failed_sink_may_be_a_warning() -> None:
    """If failed outputs do not fail the run, they are warnings."""
    errors = StringIO()
    result = outcome(replace(receipt("W&B", Status.FAILED, "gone"), exit_code=0))
    outputs.log_outcome(result, logs.Log(logs.TerminalLog(StringIO(), errors)))

    assert "error: no file\nwarning: W&B: gone\n" == errors.getvalue()


def test_an_entity_is_refused_as_in_a_config(root: Path) -> None:
    """WANDB_ENTITY may hold just what the config's entity may."""
    schema = json.loads((root / "schema/config.schema.json").read_text())
    refused = outputs.REFUSED_IN_NAMES.pattern.strip("[]")

    assert f"^[^{refused}]*$" == schema["properties"]["entity"]["pattern"]
