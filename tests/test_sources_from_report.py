"""The report of an untrusted run, as it is published by a trusted one."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helm_wandb import model
from helm_wandb.errors import InputError
from helm_wandb.model import Gate, Provenance, Reading, Verdict
from helm_wandb.report import from_json, to_json
from helm_wandb.sources import report as source
from helm_wandb.sources.report import from_report
from helm_wandb.system import paths
from tests import builders

if TYPE_CHECKING:
    from pathlib import Path

ALPHA = builders.measured("alpha", 3, fingerprint={"max_train_instances": 5})
EVIL = "https://evil.example"
NOTE = (
    "The evaluations are those of their.json, which another run wrote; everything else is "
    "recomputed."
)


def forged() -> dict[str, object]:
    """A report that says everything that its author would like."""
    improved = builders.delta("mmlu.EM", 0.1, 0.9, Verdict.IMPROVED, within=(0.7, 0.9), n=100)
    made = builders.report(
        [ALPHA],
        notes=[f"see {EVIL}"],
        provenance=Provenance(tool_version="9", track="branch/main", run_url=EVIL, commit=EVIL),
        comparisons=[builders.comparison(improved, origin=EVIL)],
        gate=Gate(closed=False, reasons=(), accepted_by=EVIL),
    )
    return {
        **json.loads(to_json(made)),
        "links": {"wandb": EVIL},
        "headline": EVIL,
        "verdict": "improved",
    }


def refusal(content: bytes | None, folder: Path, name: str = "their.json") -> str:
    """Why a file is refused, which is an error of the input."""
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        from_report(name, folder=folder)
    assert 2 == caught.value.exit_code
    return str(caught.value)


def test_only_the_evaluations_are_kept(tmp_path: Path) -> None:
    """No verdict, headline, link, rank, note, gate, comparison or provenance gets through."""
    (tmp_path / "their.json").write_text(json.dumps(forged()))
    found = from_report("their.json", folder=tmp_path)

    assert Reading(evaluations=(ALPHA,), notes=(NOTE,)) == found
    assert EVIL not in repr(found)


def test_a_report_goes_through_unchanged(tmp_path: Path) -> None:
    """Instances, fingerprints and iterations are those that the other run wrote."""
    evaluations = [ALPHA, builders.evaluation("beta", 7, missing={"raft.EM": "not run"})]
    (tmp_path / "their.json").write_bytes(to_json(builders.report(evaluations)))

    assert tuple(evaluations) == from_report("their.json", folder=tmp_path).evaluations


WRONG = {
    "empty": (b"", "$: it cannot be read as JSON: Input data was truncated"),
    "not JSON": (b"<html>", "$: it cannot be read as JSON"),
    "not UTF-8": (
        b'{"schema_version": 1, "evaluations": [], "\xff": 1}',
        "$: it cannot be read as JSON",
    ),
    "another version": (b'{"schema_version": 2}', "$.schema_version: this is 2, and 1 is what can"),
    "no evaluations": (b'{"schema_version": 1}', "$: object missing required field `evaluations`"),
    "deep": (b'{"schema_version": 1, "a": ' + b"[" * 100_000, "$: it is nested more deeply"),
    "twice": (
        b'{"schema_version": 1, "evaluations": [], "evaluations": []}',
        '$: the key "evaluations" is in one object twice',
    ),
}


@pytest.mark.parametrize(("content", "why"), WRONG.values(), ids=WRONG)
def test_what_is_no_report_ends_with_2(content: bytes, why: str, tmp_path: Path) -> None:
    """What is wrong, with its JSON path, under the input's name."""
    assert refusal(content, tmp_path).startswith(
        f"input from-report: their.json isn't a report of this tool: {why}"
    )


def test_a_report_of_nothing_is_refused(tmp_path: Path) -> None:
    """There would be nothing to publish."""
    nothing = json.dumps({**forged(), "evaluations": []}).encode()

    assert (
        "input from-report: their.json holds no evaluation: there is nothing to publish"
    ) == refusal(nothing, tmp_path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """The name and the folder are in the error."""
    assert (
        "input from-report: their.json cannot be read: No such file or directory. It is looked "
        f"for in {tmp_path}."
    ) == refusal(None, tmp_path)


def test_an_absolute_path_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the container only the workspace exists."""
    monkeypatch.setattr(paths, "WORKSPACE", tmp_path)
    message = refusal(None, tmp_path, "/home/runner/their.json")

    assert message.startswith("input from-report: /home/runner/their.json cannot be read: No such")
    assert message.endswith("Give the path relative to the workspace.")


def test_a_file_beyond_measure_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before it fills the memory."""
    monkeypatch.setattr(source, "LIMIT_BYTES", 1 << 20)

    assert refusal(b" " * (1 << 20) + b"{}", tmp_path) == (
        "input from-report: their.json isn't a report of this tool: it is larger than 1 MiB, the "
        "limit for a report: write the evaluations to several reports. Give a file that --report "
        "or the action wrote."
    )


def test_what_would_be_waited_for_is_not_read(tmp_path: Path) -> None:
    """A FIFO has no writer, and a device no end."""
    os.mkfifo(tmp_path / "their.json")
    (tmp_path / "endless.json").symlink_to("/dev/zero")

    for name in ("their.json", "endless.json"):
        assert "isn't a report of this tool: it is not a regular file" in refusal(
            None, tmp_path, name
        )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["model", "iteration", "scores", "mmlu.EM", "value", "instances"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@given(st.lists(JSON, max_size=2))
def test_whatever_it_holds_only_evaluations_or_an_error_come(evaluations: list[object]) -> None:
    """Nothing that somebody writes there ends the run otherwise."""
    data = json.dumps({"schema_version": 1, "evaluations": evaluations}).encode()
    found: tuple[model.Evaluation, ...] = ()
    with suppress(ValueError):
        found = from_json(data)

    assert all(isinstance(one, model.Evaluation) for one in found)
