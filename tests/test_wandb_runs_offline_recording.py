"""What is believed of the file next to an offline run, and what becomes of planted ones."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from helm_wandb.model import Provenance
from helm_wandb.wandb_runs import offline_recording, run_record
from helm_wandb.wandb_runs.layout_names import run_id
from helm_wandb.wandb_runs.offline_recording import FILE, Contents, Seal, UnusableError
from helm_wandb.wandb_runs.project_models import WandbProject
from helm_wandb.wandb_runs.run_record import Record
from helm_wandb.wandb_runs.sdk.session import Session
from helm_wandb.wandb_runs.sink import WandbRuns
from tests import test_wandb_runs_sink as runs
from tests.builders import evaluation, report
from tests.wandb_builders import rows, summary_run
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from helm_wandb.model import Receipt

RUN = "helm-0123456789abcdef0123"
ROW = {"mmlu.EM": 0.5, "mmlu.anatomy.EM": 1, "iteration": 3, "tokens_billions": 12}
CONTENTS = Contents(
    run=RUN,
    project="team/llm",
    rows=(ROW,),
    subjects={"mmlu.anatomy.EM": "anatomy"},
    steps=2,
    record=run_record.to_text(Record(writer="w", rows={"3": "a" * 20})),
)
SEAL = Seal(workflow_run="7", key="k1")
CONFIG = structs.replace(runs.CONFIG, leaderboard=False, leaderboard_metrics=())


def written(folder: Path, seal: Seal | None = None) -> Path:
    """A folder with a recording."""
    folder.mkdir(exist_ok=True)
    offline_recording.write(folder, CONTENTS, seal)
    return folder


def why(folder: Path, *, run: str = RUN, seal: Seal | None = None) -> str:
    """Why the folder's recording is not used."""
    with pytest.raises(UnusableError) as caught:
        offline_recording.read(folder, run, seal)
    return str(caught.value)


def test_a_recording_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Outside of a workflow with or without a seal, and in a workflow with that workflow's."""
    expected = (CONTENTS, Record(writer="w", rows={"3": "a" * 20}))

    assert expected == offline_recording.read(written(tmp_path), RUN, None)
    assert expected == offline_recording.read(written(tmp_path, SEAL), RUN, None)
    assert expected == offline_recording.read(written(tmp_path, SEAL), RUN, SEAL)


@pytest.mark.parametrize(
    "seal", [None, replace(SEAL, workflow_run="8"), replace(SEAL, key="k2"), replace(SEAL, key="")]
)
def test_what_another_workflow_run_wrote_is_not_used(seal: Seal | None, tmp_path: Path) -> None:
    """A recording without a seal, of another run, or made without the key, counts for nothing."""
    assert "it is not sealed with this workflow run's W&B key" == why(
        written(tmp_path, seal), seal=SEAL
    )


def test_without_a_key_no_seal_fits(tmp_path: Path) -> None:
    """Anybody can make a seal without a key, so that no recording counts in such a workflow."""
    seal = replace(SEAL, key="")

    assert "it is not sealed with this workflow run's W&B key" == why(
        written(tmp_path, seal), seal=seal
    )


def test_a_recording_moved_to_another_run_is_not_used(tmp_path: Path) -> None:
    """The file says which run it is of."""
    reason = why(written(tmp_path, SEAL), run="helm-" + "f" * 20, seal=SEAL)

    assert "its helm-recording.json is damaged: its parts contradict each other" == reason


DEEP = b'{"recording":' + b"[" * 100_000
DAMAGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "$.run": lambda found: found.update(run="../../x"),
    "$.rows": lambda found: found.update(rows={}),
    "$.rows[0]": lambda found: found.update(rows=[3]),
    "$.rows[0][...]": lambda found: found["rows"][0].update({"mmlu.EM": "0.5"}),
    "Expected int": lambda found: found["rows"][0].update({"mmlu.EM": 10**400}),
    "$.subjects[...]": lambda found: found.update(subjects={"mmlu.anatomy.EM": 1}),
    "$.steps": lambda found: found.update(steps=-1),
    "$.record": lambda found: found.update(record={}),
    "unknown field more": lambda found: found.update(more=1),
    "missing required field rows": lambda found: found.pop("rows"),
    "contradict each other": lambda found: found.update(steps=9),
    "parts contradict": lambda found: found["rows"].append(found["rows"][0]),
    "got bool": lambda found: found["rows"][0].update(iteration=True),
    "contradict": lambda found: found["rows"][0].update(iteration=4),
    "parts": lambda found: found.update(record="{"),
}


@pytest.mark.parametrize(("reason", "damage"), DAMAGED.items(), ids=DAMAGED)
def test_a_damaged_recording_is_ignored_with_the_reason(
    reason: str, damage: Callable[[dict[str, Any]], object], tmp_path: Path
) -> None:
    """What is not of the form that this tool writes is named by its JSON path."""
    file = written(tmp_path) / FILE
    content = json.loads(file.read_text())
    damage(content["recording"])
    file.write_text(json.dumps(content))

    assert reason in why(tmp_path)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[1]", b"null", DEEP, b"9" * 5000])
def test_what_is_no_recording_is_ignored(data: bytes, tmp_path: Path) -> None:
    """Other bytes, however deep or long, end in a reason."""
    (tmp_path / FILE).write_bytes(data)

    assert why(tmp_path).startswith("its helm-recording.json is damaged: ")


def test_only_a_regular_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No link, folder, FIFO, large or missing file is a recording."""
    reasons = [why(tmp_path)]
    (tmp_path / FILE).symlink_to(written(tmp_path / "other") / FILE)
    reasons.append(why(tmp_path))
    (tmp_path / FILE).unlink()
    os.mkfifo(tmp_path / FILE)
    reasons.append(why(tmp_path))
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    reasons.append(why(tmp_path))
    (tmp_path / FILE).rmdir()
    monkeypatch.setattr(offline_recording, "_LIMIT_BYTES", 0)
    reasons.append(why(written(tmp_path)))

    assert [
        "it has no helm-recording.json",
        "its helm-recording.json is a link",
        "its helm-recording.json is not a regular file",
        "its helm-recording.json cannot be read: Is a directory",
        "its helm-recording.json is larger than 0 MiB",
    ] == reasons


VALID = json.loads(offline_recording.to_json(CONTENTS, SEAL))
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.sampled_from([10**400, "\ud800", [], {}, [[]], {"a": {"a": {"a": {"a": 1}}}}]),
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid recording with one value replaced, removed or added, or with some bytes changed."""
    content = json.loads(json.dumps(VALID))
    at: Any = content
    while True:
        key = draw(st.sampled_from(list(at) if isinstance(at, dict) else list(range(len(at)))))
        inner = at[key]
        if not (isinstance(inner, dict | list) and inner) or draw(st.booleans()):
            break
        at = inner
    at[key] = draw(ODD)
    data = bytearray(json.dumps(content).encode())
    for _ in range(draw(st.integers(0, 2))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


@given(mutated())
def test_no_recording_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    """Any mutation is refused with a reason or is a recording; its seal fits to none of them."""
    folder = tmp_path_factory.getbasetemp() / "mutated"
    folder.mkdir(exist_ok=True)
    (folder / FILE).write_bytes(data)
    try:
        contents, _ = offline_recording.read(folder, RUN, None)
    except UnusableError:
        contents = CONTENTS

    assert contents.run == RUN
    if json.loads(json.dumps(VALID["recording"])) != _recording_of(data):
        why(folder, seal=SEAL)


def _recording_of(data: bytes) -> object:
    try:
        found: Mapping[str, object] = json.loads(data)
        return found.get("recording")
    except (ValueError, AttributeError):
        return None


# What becomes of planted and damaged ones


def deliver(
    folder: Path,
    iteration: int,
    value: float,
    *,
    seal: Seal | None = None,
    project: WandbProject | None = None,
) -> Receipt:
    """Record the summary run of a model at one iteration."""
    entry = evaluation("alpha", iteration, {"mmlu.EM": value})
    sink = WandbRuns(config=CONFIG, summary_only=True, folder=folder, seal=seal, project=project)
    return sink.deliver(report([entry], provenance=Provenance(tool_version="1")))


def waiting(folder: Path) -> dict[str, list[int]]:
    """The folders that `wandb sync` would send, with the iterations of their rows."""
    return {
        path.name: [
            row["iteration"] for row in json.loads((path / FILE).read_text())["recording"]["rows"]
        ]
        for path in sorted(folder.glob("wandb/offline-run-*-helm-*"))
    }


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of an offline run that says to hold the newest results, as a stranger made it."""
    folder = tmp_path_factory.mktemp("stranger")
    deliver(folder, 9000, 1.0)
    (found,) = folder.glob("wandb/offline-run-*")
    return found


def plant(planted: Path, folder: Path, *, name: str = "") -> None:
    """Put the stranger's folder where offline runs lie."""
    shutil.copytree(planted, folder / "wandb" / (name or planted.name), symlinks=True)


@pytest.mark.full
def test_a_planted_recording_is_not_carried_along_in_a_workflow(
    planted: Path, tmp_path: Path
) -> None:
    """Its rows are in nothing that is recorded, `wandb sync` does not find it, and it is named."""
    plant(planted, tmp_path)
    receipt = deliver(tmp_path, 1, 0.5, seal=SEAL)
    again = deliver(tmp_path, 2, 0.5, seal=SEAL)

    assert [[1, 2]] == list(waiting(tmp_path).values())
    (warning,) = receipt.warnings
    assert warning == (
        f"{tmp_path}/wandb/superseded/{planted.name}: ignored and moved here, because it is not "
        "sealed with this workflow run's W&B key. A new recording replaces it"
    )
    assert () == again.warnings
    assert "; including earlier recordings: offline-run-" in (again.reason or "")


@pytest.mark.full
def test_recordings_of_other_runs_are_named_in_a_workflow(planted: Path, tmp_path: Path) -> None:
    """Whatever else `wandb sync` would send is named, up to three recordings."""
    for at in range(4):
        name = f"offline-run-2026010{at}_000000-{run_id('branch/main', 'beta', 'summary')}"
        plant(planted, tmp_path, name=name)
    (tmp_path / "wandb/offline-run-x-helm-x").mkdir()
    receipt = deliver(tmp_path, 1, 0.5, seal=SEAL)

    assert 4 == len(receipt.warnings)
    assert (
        f"{tmp_path}/wandb: 2 more recordings were ignored, for similar reasons"
        == (receipt.warnings[-1])
    )


def test_a_damaged_recording_is_replaced_and_named(planted: Path, tmp_path: Path) -> None:
    """On the command line it is set aside, and a warning says why and what to do."""
    plant(planted, tmp_path)
    (tmp_path / "wandb" / planted.name / FILE).write_text("{")
    receipt = deliver(tmp_path, 1, 0.5)

    assert [[1]] == list(waiting(tmp_path).values())
    (warning,) = receipt.warnings
    assert warning == (
        f"{tmp_path}/wandb/superseded/{planted.name}: ignored and moved here, because its "
        "helm-recording.json is damaged: Input data was truncated. A new recording replaces it"
    )


def test_what_waits_on_the_command_line_is_carried_along_and_named(
    planted: Path, tmp_path: Path
) -> None:
    """Results that were recorded there before stay, and the receipt says which."""
    plant(planted, tmp_path)
    receipt = deliver(tmp_path, 1, 0.5)

    assert [[1, 9000]] == list(waiting(tmp_path).values())
    assert f"; including earlier recordings: {planted.name}" in (receipt.reason or "")


@pytest.mark.enable_socket
def test_only_recordings_of_the_workflow_run_are_sent_along(planted: Path, tmp_path: Path) -> None:
    """W&B gets what the same run recorded before, and nothing of a stranger's newest result."""
    deliver(tmp_path, 1, 0.5, seal=SEAL)
    (own,) = tmp_path.glob("wandb/offline-run-*")
    plant(planted, tmp_path, name=f"{planted.name}~")
    with (
        WandbServer() as server,
        Session(base_url=server.url, api_key=API_KEY, entity="team") as session,
    ):
        project = WandbProject(session=session, name="llm", tracks=frozenset({"local"}))
        receipt = deliver(tmp_path, 2, 0.25, seal=SEAL, project=project)
        sent = rows(summary_run(server, "alpha"))

    assert [{"mmlu": {"EM": 0.5}, "iteration": 1}, {"mmlu": {"EM": 0.25}, "iteration": 2}] == sent
    assert (receipt.reason or "").endswith(f"; including earlier recordings: {own.name}")
    (warning,) = receipt.warnings
    assert warning.startswith(
        f"{tmp_path}/wandb/{planted.name}~: ignored, because it is not sealed"
    )
    assert [f"{planted.name}~"] == list(waiting(tmp_path))
