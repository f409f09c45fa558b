"""Benchmarks whose names W&B or this tool has a use for: each score arrives by its own name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from helm_wandb.model import Evaluation, Origin, Score, ScoreKey
from helm_wandb.wandb_runs.layout_names import kept_name
from helm_wandb.wandb_runs.project_models import WandbProject
from helm_wandb.wandb_runs.sdk.session import Session
from helm_wandb.wandb_runs.sink import WandbRuns
from tests import test_wandb_runs_sink as runs
from tests.builders import evaluation, report
from tests.wandb_builders import own, rows, summary_run
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from pathlib import Path

TAKEN = (
    *("iteration", "tokens_billions", "_step", "_runtime", "_timestamp", "_wandb", "_own"),
    *("helm_wandb", "changed_items", "summary", "summary (benchmark)", "benchmark summary"),
    *("verdict", "regressions", "improvements", "mean_change"),
    *("leaderboard", "mmlu", "line\nend", "50%", 'quo"te', "k*k", "한국어"),
)
KEYS = (
    *(ScoreKey(name, "EM") for name in TAKEN),
    *(ScoreKey("a.b", "c"), ScoreKey("mmlu", "_step"), ScoreKey("mmlu", "match.accuracy,mode")),
)
SCORES = {key: (at + 1) / 64 for at, key in enumerate(KEYS)}
CONFIG = replace(runs.CONFIG, leaderboard_metrics=KEYS)
ENTRY = Evaluation(
    model="leaderboard",
    iteration=5,
    tokens_billions=2.0,
    origin=Origin(source="file", suite=None, token_per_iteration=None),
    scores={
        key: Score(value=value, n=None, lower_is_better=None, subjects={})
        for key, value in SCORES.items()
    },
    missing={},
)
EXPECTED: dict[str, dict[str, float]] = {}
"""What W&B holds: the name of a benchmark → metric → value."""
for _key, _value in SCORES.items():
    EXPECTED.setdefault(kept_name(_key.benchmark), {})[_key.metric] = _value
FLAT = {f"{name}.{metric}": value for name, of in EXPECTED.items() for metric, value in of.items()}
TRACK = "branch/main"
AXES = {"iteration": 5, "tokens_billions": 2}


@pytest.mark.enable_socket
def test_every_score_arrives_by_its_own_name(tmp_path: Path) -> None:
    """Row, summary, detail runs and charts have all; a reader gets the benchmarks' names."""
    with (
        WandbServer() as server,
        Session(base_url=server.url, api_key=API_KEY, entity="team") as session,
    ):
        project = WandbProject(session=session, name="llm", tracks=frozenset({TRACK}))
        sink = WandbRuns(config=CONFIG, summary_only=False, folder=tmp_path, project=project)
        first = sink.deliver(report([ENTRY], metrics=KEYS))
        second = sink.deliver(report([ENTRY], metrics=KEYS))
        (found,) = project.read()
        held = server.runs("llm")
        unknown = server.unknown
    run = summary_run(server, "leaderboard", TRACK)
    of_details = [own(row) for one in held.values() if "detail" in one.tags for row in one.rows]
    details = {next(iter(row.keys() - AXES.keys())): row for row in of_details}
    board = next(one for one in held.values() if "leaderboard" in one.tags)

    assert run is not None
    assert [EXPECTED | AXES] == rows(run)
    assert EXPECTED | AXES == own(run.summary)
    assert {name: {name: of} | AXES for name, of in EXPECTED.items()} == details
    assert len(KEYS) + 1 == sum(key.endswith("_table") for key in own(board.rows[0]))
    assert SCORES == {key: score.value for key, score in found.scores.items()}
    assert (2 + len(EXPECTED), ()) == (len(held), first.warnings)
    assert f"({len(held)} unchanged)" in (second.reason or "")
    assert [] == unknown


def test_every_score_is_recorded_offline(tmp_path: Path) -> None:
    """W&B's own reader finds all of them in the folder, by the same names."""
    config = replace(CONFIG, leaderboard=False)
    sink = WandbRuns(config=config, summary_only=True, folder=tmp_path)
    sink.deliver(report([ENTRY], metrics=KEYS))
    run = runs.runs(tmp_path)["leaderboard", "summary"]

    assert (FLAT | AXES,) == run.rows
    assert EXPECTED | AXES == runs.summary_of(run)


@pytest.mark.full
def test_a_score_that_wandb_cannot_hold_is_named(tmp_path: Path) -> None:
    """Scores that share a name are reported, except the first: three, then their count."""
    subjects = {
        "mmlu.b.c.d.e.f": {"a": 0.5},
        "mmlu.c.d.e.f": {"a.b": 0.5},
        "mmlu.d.e.f": {"a.b.c": 0.5},
        "mmlu.e.f": {"a.b.c.d": 0.5},
        "mmlu.f": {"a.b.c.d.e": 0.5},
    }
    entry = evaluation("alpha", 1, dict.fromkeys(subjects, 0.5), subjects=subjects)
    config = replace(CONFIG, leaderboard=False)
    receipt = WandbRuns(config=config, summary_only=False, folder=tmp_path).deliver(report([entry]))
    why = "because another score has the same name in W&B, a.b.c.d.e.f; the report has both"

    assert [
        f"alpha: mmlu: 'c.d.e.f' of 'a.b' is not recorded, {why}",
        f"alpha: mmlu: 'd.e.f' of 'a.b.c' is not recorded, {why}",
        f"alpha: mmlu: 'e.f' of 'a.b.c.d' is not recorded, {why}",
        "1 more scores are not recorded, for similar reasons",
    ] == list(receipt.warnings)
