"""The W&B sink against the real SDK, offline; what it wrote is read back with its own tool."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from helm_wandb.errors import SinkError
from helm_wandb.model import Config, Provenance, ScoreKey, Status
from helm_wandb.wandb_runs import layout
from helm_wandb.wandb_runs.layout_names import MARK, run_id
from helm_wandb.wandb_runs.sink import WandbRuns
from tests import builders
from tests.builders import evaluation, report

if TYPE_CHECKING:
    from helm_wandb.model import Receipt, Report

WANDB = Path(sys.executable).parent / "wandb"
METRICS = tuple(map(ScoreKey.parse, ("mmlu.EM", "raft.EM", "quac.F1")))
CONFIG = builders.config(entity="team", leaderboard=True, leaderboard_metrics=METRICS)
PROVENANCE = Provenance(
    tool_version="1.2.3",
    track="pr/7",
    commit="c0ffee",
    ref="refs/pull/7/merge",
    pull_request=7,
    run_url="https://example.test/runs/1",
    attempt=2,
)
SUBJECTS = {"mmlu.EM": {"anatomy": 0.25, "us.law": 0.75}}


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as its log on the disk has it."""

    folder: Path
    record: dict[str, Any]
    axes: dict[str, str]
    rows: tuple[dict[str, Any], ...]
    steps: tuple[int, ...]
    charts: dict[str, Any]

    @property
    def config(self) -> dict[str, Any]:
        """The run's config, without what the SDK keeps for itself."""
        return _own(self.record["config"]["update"])


def read(log: Path) -> Run:
    """What `wandb leet inspect` finds in a run's log."""
    command = [str(WANDB), "leet", "inspect", "--json", str(log)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    records = [json.loads(line) for line in text.splitlines()]
    found = {
        kind: [r[kind] for r in records if r["type"] == kind]
        for kind in ("metric", "history", "config")
    }
    charts: dict[str, Any] = {}
    for config in found["config"]:
        charts |= config["update"]
    return Run(
        folder=log.parent,
        record=next(record["run"] for record in records if record["type"] == "run"),
        axes={metric["name"]: metric["step_metric"] for metric in found["metric"]},
        rows=tuple(_own(row["item"]) for row in found["history"]),
        steps=tuple(row["step"]["num"] for row in found["history"]),
        charts=charts,
    )


def _own(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if not key.startswith("_") and key != MARK}


def summary_of(run: Run) -> dict[str, Any]:
    """The run's summary, nested as W&B keeps it."""
    command = [str(WANDB), "leet", "inspect", "--summary", "--json", str(run.folder)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return _own(json.loads(text)["summary"])


def logs(folder: Path) -> list[Path]:
    """The logs that `wandb sync wandb/offline-run-*-helm-*` would send."""
    return sorted(folder.glob("wandb/offline-run-*-helm-*/*.wandb"))


def runs(folder: Path) -> dict[tuple[str, str], Run]:
    """All runs of a folder by their group and name."""
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(read, logs(folder)))
    named = {(run.record["run_group"], run.record["display_name"]): run for run in found}

    assert len(found) == len(named)
    return named


def deliver(
    folder: Path, content: Report, *, config: Config = CONFIG, summary_only: bool = False
) -> Receipt:
    """Record a report as the command does."""
    sink = WandbRuns(config=config, summary_only=summary_only, folder=folder)
    return sink.deliver(content)


def just(*iterations: tuple[int, float], provenance: Provenance = PROVENANCE) -> Report:
    """A report of one model with `mmlu.EM` at some iterations."""
    entries = [evaluation("alpha", number, {"mmlu.EM": value}) for number, value in iterations]
    return report(entries, metrics=METRICS, provenance=provenance)


def record_summary(folder: Path, content: Report, **changes: Any) -> Receipt:
    """Record the summary run alone."""
    config = replace(CONFIG, leaderboard=False, **changes)
    return deliver(folder, content, config=config, summary_only=True)


def mark_sent(folder: Path) -> None:
    """Leave next to each log what `wandb sync` leaves when it has sent it."""
    for log in logs(folder):
        log.with_name(f"{log.name}.synced").touch()


def content_of_reports() -> Report:
    """Three models: one with tokens, one with tokens in part, one from the config itself."""
    entries = [
        evaluation(
            "alpha",
            2000,
            {"mmlu.EM": 0.6},
            tokens_billions=8.0,
            token_per_iteration=0.004,
            subjects={"mmlu.EM": {"anatomy": 0.5, "us.law": 0.7}},
        ),
        evaluation(
            "alpha",
            1000,
            {"mmlu.EM": 0.5, "raft.EM": 0.125},
            tokens_billions=4.0,
            token_per_iteration=0.004,
            subjects=SUBJECTS,
        ),
        evaluation("beta", 10, {"mmlu.EM": 0.4, "raft.EM": 0.3, "quac.F1": 1 / 3}),
        evaluation("beta", 20, {"mmlu.EM": 0.45, "raft.EM": 0.35}, tokens_billions=3.5, suite="b"),
        evaluation(
            "gamma",
            0,
            {"mmlu.EM": 0.7, "raft.EM": 0.0},
            source="file",
            suite=None,
            tokens_billions=12,
        ),
    ]
    return report(entries, metrics=METRICS, provenance=PROVENANCE)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Run]:
    """The runs of the three models and their leaderboard."""
    folder = tmp_path_factory.mktemp("recorded")
    receipt = deliver(folder, content_of_reports())

    assert Status.DONE == receipt.status
    return runs(folder)


def table_of(run: Run, key: str) -> dict[str, Any]:
    """A table's file in the run's own folder."""
    loaded: dict[str, Any] = json.loads(
        (run.folder / "files" / run.rows[0][f"{key}.path"]).read_text()
    )
    return loaded


def test_each_model_has_a_summary_run_and_a_run_per_benchmark(
    recorded: dict[tuple[str, str], Run],
) -> None:
    """Groups are the models, names `summary` and the benchmarks; there is one leaderboard."""
    expected = {
        ("alpha", "summary"),
        ("alpha", "mmlu"),
        ("alpha", "raft"),
        ("beta", "summary"),
        ("beta", "mmlu"),
        ("beta", "raft"),
        ("beta", "quac"),
        ("gamma", "summary"),
        ("gamma", "mmlu"),
        ("gamma", "raft"),
        ("leaderboard", "leaderboard"),
    }

    assert expected == set(recorded)


def test_summary_rows_ascend_and_leave_out_what_is_missing(
    recorded: dict[tuple[str, str], Run],
) -> None:
    """Rows hold exactly the report's values by ascending iteration; a missing metric has no key."""
    expected = (
        {"mmlu.EM": 0.5, "raft.EM": 0.125, "iteration": 1000, "tokens_billions": 4},
        {"mmlu.EM": 0.6, "iteration": 2000, "tokens_billions": 8},
    )

    assert expected == recorded["alpha", "summary"].rows


def test_tokens_that_are_unknown_are_left_out(recorded: dict[tuple[str, str], Run]) -> None:
    """A row of an iteration without a token count has no such key."""
    expected = (
        {"mmlu.EM": 0.4, "raft.EM": 0.3, "quac.F1": 1 / 3, "iteration": 10},
        {"mmlu.EM": 0.45, "raft.EM": 0.35, "iteration": 20, "tokens_billions": 3.5},
    )

    assert expected == recorded["beta", "summary"].rows


def test_a_value_of_zero_is_recorded(recorded: dict[tuple[str, str], Run]) -> None:
    """Zero is a score, not a missing one."""
    expected = ({"mmlu.EM": 0.7, "raft.EM": 0, "iteration": 0, "tokens_billions": 12},)

    assert expected == recorded["gamma", "summary"].rows


def test_metrics_are_nested_below_their_benchmark(recorded: dict[tuple[str, str], Run]) -> None:
    """The summary holds `mmlu: {EM: …}` and no dotted key."""
    expected = {
        "mmlu": {"EM": 0.6},
        "raft": {"EM": 0.125},
        "iteration": 2000,
        "tokens_billions": 8,
    }

    assert expected == summary_of(recorded["alpha", "summary"])


@pytest.mark.parametrize(
    ("model", "axis"),
    [("alpha", "tokens_billions"), ("beta", "iteration"), ("gamma", "tokens_billions")],
)
def test_the_axis_is_tokens_only_where_all_iterations_know_them(
    recorded: dict[tuple[str, str], Run], model: str, axis: str
) -> None:
    """Every metric is drawn over tokens, or over the iteration where one token count is unknown."""
    axes = recorded[model, "summary"].axes

    assert {axis} == set(axes.values())
    assert {"mmlu.EM", "raft.EM"} <= set(axes)


def test_detail_rows_hold_subjects(recorded: dict[tuple[str, str], Run]) -> None:
    """A detail run's rows are benchmark, subject, metric, with the same axes."""
    run = recorded["alpha", "mmlu"]
    expected = (
        {"mmlu.anatomy.EM": 0.25, "mmlu.us.law.EM": 0.75, "iteration": 1000, "tokens_billions": 4},
        {"mmlu.anatomy.EM": 0.5, "mmlu.us.law.EM": 0.7, "iteration": 2000, "tokens_billions": 8},
    )

    assert expected == run.rows
    assert {"mmlu.anatomy.EM": "tokens_billions", "mmlu.us.law.EM": "tokens_billions"} == run.axes


def test_detail_rows_without_subjects_hold_the_metric(recorded: dict[tuple[str, str], Run]) -> None:
    """A benchmark without subjects has its metric itself, and no row where it is missing."""
    expected = ({"raft.EM": 0.125, "iteration": 1000, "tokens_billions": 4},)

    assert expected == recorded["alpha", "raft"].rows


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        (("alpha", "summary"), "summary"),
        (("alpha", "mmlu"), "detail"),
        (("leaderboard",) * 2, "leaderboard"),
    ],
)
def test_tags_name_kind_and_track(
    recorded: dict[tuple[str, str], Run], name: tuple[str, str], tag: str
) -> None:
    """Tags are `evaluate`, the kind of run, and the track."""
    assert ["evaluate", tag, "pr/7"] == recorded[name].record["tags"]


@pytest.mark.parametrize("name", [("alpha", "summary"), ("alpha", "mmlu"), ("leaderboard",) * 2])
def test_the_id_is_that_of_track_model_and_name(
    recorded: dict[tuple[str, str], Run], name: tuple[str, str]
) -> None:
    """Each run's id is `run_id(track, model, run name)`, below the entity and project."""
    record = recorded[name].record

    assert run_id("pr/7", *name) == record["run_id"]
    assert ("llm", "team") == (record["project"], record["entity"])


def test_the_config_says_where_results_come_from(recorded: dict[tuple[str, str], Run]) -> None:
    """A HELM model's run holds model, suite, track, provenance and tokens per iteration."""
    expected = {
        "model": "alpha",
        "source": "helm",
        "suite": "nightly",
        "token_per_iteration": 0.004,
        "track": "pr/7",
        "commit": "c0ffee",
        "ref": "refs/pull/7/merge",
        "pull_request": 7,
        "run_url": "https://example.test/runs/1",
        "attempt": 2,
        "tool_version": "1.2.3",
    }

    assert expected == recorded["alpha", "summary"].config
    assert expected == recorded["alpha", "mmlu"].config


def test_the_config_of_scores_in_a_file_has_the_token_number(
    recorded: dict[tuple[str, str], Run],
) -> None:
    """`token_num` is the tokens of a model of source `file`; what is unknown has no key."""
    config = recorded["gamma", "summary"].config

    assert ("file", 12) == (config["source"], config["token_num"])
    assert not {"suite", "token_per_iteration"} & set(config)


def test_several_suites_of_a_model_are_listed(recorded: dict[tuple[str, str], Run]) -> None:
    """A model whose iterations come from two suites names both."""
    assert ["nightly", "b"] == recorded["beta", "summary"].config["suite"]


def test_the_leaderboard_table_has_every_model(recorded: dict[tuple[str, str], Run]) -> None:
    """The table holds the report's leaderboard: ranks, means, every metric, reasons."""
    table = table_of(recorded["leaderboard", "leaderboard"], "leaderboard")
    board = content_of_reports().leaderboard
    expected_columns = [
        *("rank", "model", "iteration", "tokens_billions", "mean", "mean_win_rate"),
        *("mmlu.EM", "raft.EM", "unranked"),
    ]
    expected = [
        [
            *(row.rank, row.model, row.iteration, row.tokens_billions, row.mean, row.mean_win_rate),
            *(row.scores[key] for key in METRICS[:2]),
            row.unranked,
        ]
        for row in board.rows
    ]

    assert expected_columns == table["columns"]
    assert expected == table["data"]
    assert {"alpha", "beta", "gamma"} == {row[1] for row in table["data"]}


def test_a_bar_chart_shows_the_models_that_have_the_metric(
    recorded: dict[tuple[str, str], Run],
) -> None:
    """Each metric of the leaderboard has its bars, of the models that have it alone."""
    run = recorded["leaderboard", "leaderboard"]
    charts = {key.removeprefix("_wandb.visualize.") for key in run.charts}

    assert {"overall", "mmlu EM", "raft EM"} == charts
    assert [["gamma", 0.0], ["beta", 0.35]] == sorted(
        table_of(run, "raft EM_table")["data"], reverse=True
    )


def test_a_bar_chart_is_labelled_by_model_and_titled_by_metric(
    recorded: dict[tuple[str, str], Run],
) -> None:
    """The chart draws the metric's column by model under the metric's own name."""
    panel = recorded["leaderboard", "leaderboard"].charts["_wandb.visualize.mmlu EM"][
        "panel_config"
    ]

    assert {"label": "model", "value": "mmlu.EM"} == panel["fieldSettings"]
    assert "mmlu.EM" == panel["stringSettings"]["title"]
    assert "wandb/bar/v0" == panel["panelDefId"]


def test_tables_are_complete_in_the_run_folder(recorded: dict[tuple[str, str], Run]) -> None:
    """No table refers to an artifact, whose files the SDK would keep in the home folder."""
    row = recorded["leaderboard", "leaderboard"].rows[0]

    assert [] == [key for key in row if "artifact" in key]


HOSTILE = (
    "org/model",
    "a|b*c",
    "x" * 300,
    "../../x",
    "line\nbreak",
    "\N{ROBOT FACE}",
    "한국어 모델",
    "a:b;c,d#e?f'g%h\\i",
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Summary runs by the model of their config."""
    folder = tmp_path_factory.mktemp("hostile")
    scores = {"k*k.E M": 0.5, "한.x.y": 0.25}
    entries = [evaluation(model, 1, scores) for model in HOSTILE]
    track = Provenance(tool_version="1", track="branch/" + "t" * 300)
    metrics = [ScoreKey.parse(key) for key in scores]
    deliver(folder, report(entries, metrics=metrics, provenance=track), summary_only=True)
    found = runs(folder)
    board = found.pop(("leaderboard", "leaderboard"))

    assert sorted(HOSTILE) == sorted(row[1] for row in table_of(board, "leaderboard")["data"])
    return {run.config["model"]: run for run in found.values()}


@pytest.mark.parametrize("model", HOSTILE)
def test_any_name_of_a_model_is_recorded(hostile: dict[str, Run], model: str) -> None:
    """A model with a hostile name has its run, with its rows, in the requested folder."""
    run = hostile[model]

    assert ({"k*k.E M": 0.5, "한.x.y": 0.25, "iteration": 1},) == run.rows
    assert run_id("branch/" + "t" * 300, model, "summary") == run.record["run_id"]
    assert "wandb" == run.folder.parent.name


@pytest.mark.parametrize("model", HOSTILE)
def test_the_group_is_the_model_as_far_as_it_fits(hostile: dict[str, Run], model: str) -> None:
    """The group is the model's name, shortened to 128 characters if it is longer."""
    group = hostile[model].record["run_group"]

    assert len(group) <= 128
    assert group == model or (len(model) > 128 and group.startswith(model[:100]))


def test_a_long_track_is_a_tag_of_64_characters(hostile: dict[str, Run]) -> None:
    """Two long tracks with a common start stay distinct; the config holds the track in full."""
    run = hostile["org/model"]
    tag = run.record["tags"][2]

    assert 64 == len(tag)
    assert "branch/" + "t" * 300 == run.config["track"]
    assert tag != layout.shortened("branch/" + "t" * 301, 64)


def test_run_ids_are_stable() -> None:
    """An id never changes from release to release, since W&B's runs are found by it."""
    assert "helm-7eecd47f04c80bea8817" == run_id("branch/main", "org/model", "summary")


def test_a_benchmark_named_as_our_own_runs_has_its_own_id() -> None:
    """No benchmark, whatever its name, writes into the summary run or another benchmark's."""
    benchmarks = ("summary", "summary (benchmark)", "benchmark summary", "leaderboard")
    entry = evaluation("leaderboard", 1, {f"{name}.EM": 0.5 for name in benchmarks})
    plans = layout.plans(report([entry]), summary_only=False, leaderboard=True)

    assert [
        "summary",
        "benchmark benchmark summary",
        "benchmark leaderboard",
        "benchmark summary",
        "summary (benchmark)",
        "leaderboard",
    ] == [plan.name for plan in plans]
    assert 6 == len({plan.id for plan in plans})


def test_subjects_that_share_a_name_are_recorded_or_reported() -> None:
    """A subject named as a metric is recorded; of two scores of one name the first is."""
    subjects = {
        "b.EM": {"us": 0.1, "EM": 0.2, "F1": 0.3},
        "b.law.EM": {"us": 0.4},
        "b.EM2": {"us.law": 0.5},
    }
    scores = dict.fromkeys(("b.EM", "b.law.EM", "b.F1", "b.EM2"), 0.5)
    other = {"b.EM": {"us.law": 0.6}, "b.law.EM": {"us": 0.7}}
    entries = [
        evaluation("alpha", 1, scores, subjects=subjects),
        evaluation("alpha", 2, dict.fromkeys(other, 0.5), subjects=other),
    ]
    plan = layout.plans(report(entries), summary_only=False, leaderboard=False)[-1]

    assert [
        {
            "b.us.EM": 0.1,
            "b.EM.EM": 0.2,
            "b.F1.EM": 0.3,
            "b.us.law.EM2": 0.5,
            "b.us.law.EM": 0.4,
            "b.F1": 0.5,
            "iteration": 1,
        },
        {"b.us.law.EM": 0.6, "iteration": 2},
    ] == list(plan.rows)
    (lost,) = plan.unrecorded
    assert lost == (
        "alpha: b: 'law.EM' of 'us' is not recorded, because another score has the same name in "
        "W&B, us.law.EM; the report has both"
    )


def test_a_model_without_scores_has_no_run() -> None:
    """Of a model whose every score is missing nothing is recorded."""
    nothing = replace(evaluation("beta", 1), scores={})
    content = report([evaluation("alpha", 1), nothing])
    plans = layout.plans(content, summary_only=False, leaderboard=False)

    assert {"alpha"} == {plan.group for plan in plans}


def test_without_a_ranking_there_is_no_overall_chart() -> None:
    """Models without a common metric have the table, each metric's bars, and no overall ones."""
    entries = [evaluation("alpha", 1, {"mmlu.EM": 0.5}), evaluation("beta", 1, {"raft.EM": 0.5})]
    plans = layout.plans(report(entries), summary_only=True, leaderboard=True)

    assert ["leaderboard", "mmlu EM", "raft EM"] == [table.key for table in plans[-1].tables]


@pytest.mark.full
def test_without_an_entity_the_key_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of a config without entity has none, so that `wandb sync` takes the user's own."""
    monkeypatch.delenv("WANDB_ENTITY", raising=False)
    record_summary(tmp_path, just((1, 0.1)), entity=None)
    (run,) = runs(tmp_path).values()

    assert "entity" not in run.record


def test_summary_only_leaves_out_detail_runs(tmp_path: Path) -> None:
    """With `summary_only` and without leaderboard, each model has one run."""
    receipt = record_summary(tmp_path, just((1, 0.5)))

    assert {("alpha", "summary")} == set(runs(tmp_path))
    assert (receipt.reason or "").startswith("1 run is recorded offline")


def test_without_scores_nothing_is_recorded(tmp_path: Path) -> None:
    """A report without evaluations is skipped, and says so."""
    receipt = deliver(tmp_path, report([]))

    assert Status.SKIPPED == receipt.status
    assert [] == list(tmp_path.iterdir())


def test_the_same_results_add_no_folder(tmp_path: Path) -> None:
    """A second recording writes nothing, also where only the commit and the run changed."""
    deliver(tmp_path, content_of_reports())
    before = sorted(tmp_path.rglob("*"))
    later = replace(PROVENANCE, commit="beef", run_url="https://example.test/runs/2", attempt=3)
    receipt = deliver(tmp_path, replace(content_of_reports(), provenance=later))

    assert before == sorted(tmp_path.rglob("*"))
    assert "11 runs are recorded" in (receipt.reason or "")
    assert "(11 unchanged)" in (receipt.reason or "")


def test_changed_results_replace_what_waits_to_be_sent(tmp_path: Path) -> None:
    """One folder is left to send: with new and changed rows and those that only the old one had."""
    record_summary(tmp_path, just((1, 0.1), (2, 0.2)))
    old = logs(tmp_path)[0].parent
    record_summary(tmp_path, just((2, 0.25), (3, 0.3)))
    (run,) = runs(tmp_path).values()
    expected = (
        {"mmlu.EM": 0.1, "iteration": 1},
        {"mmlu.EM": 0.25, "iteration": 2},
        {"mmlu.EM": 0.3, "iteration": 3},
    )

    assert expected == run.rows
    assert (tmp_path / "wandb" / "superseded" / old.name / logs(tmp_path)[0].name).exists()


def test_after_sending_only_new_and_changed_rows_are_written(tmp_path: Path) -> None:
    """Sent rows are not repeated, W&B's row numbers go on, and the summary is that of all rows."""
    record_summary(tmp_path, just((1, 0.1), (2, 0.2)))
    mark_sent(tmp_path)
    sent = logs(tmp_path)
    record_summary(tmp_path, just((1, 0.15)))
    (log,) = set(logs(tmp_path)) - set(sent)
    run = read(log)

    assert ({"mmlu.EM": 0.15, "iteration": 1},) == run.rows
    assert (2,) == run.steps
    assert {"mmlu": {"EM": 0.2}, "iteration": 2} == summary_of(run)


@pytest.mark.full
def test_results_that_were_sent_are_not_written_again(tmp_path: Path) -> None:
    """After `wandb sync` the same results, or fewer iterations of them, add no folder."""
    deliver(tmp_path, just((1, 0.1), (2, 0.2)))
    mark_sent(tmp_path)
    before = logs(tmp_path)
    deliver(tmp_path, just((1, 0.1), (2, 0.2)))
    record_summary(tmp_path, just((2, 0.2)))

    assert before == logs(tmp_path)


@pytest.mark.full
def test_a_change_that_is_taken_back_before_it_was_sent_is_not_sent(tmp_path: Path) -> None:
    """If W&B has the results of now, what waits with others is moved aside, nothing is added."""
    deliver(tmp_path, just((1, 0.1)))
    mark_sent(tmp_path)
    sent = logs(tmp_path)
    deliver(tmp_path, just((1, 0.2)))
    deliver(tmp_path, just((1, 0.1)))

    assert sent == logs(tmp_path)


@pytest.mark.full
def test_many_recordings_in_a_second_are_all_kept(tmp_path: Path) -> None:
    """Every superseded folder is moved aside under a unique name."""
    for value in range(6):
        record_summary(tmp_path, just((1, value / 10)))

    assert 1 == len(logs(tmp_path))
    assert 5 == len(list((tmp_path / "wandb" / "superseded").iterdir()))


@pytest.mark.full
def test_a_changed_leaderboard_replaces_the_old_one(tmp_path: Path) -> None:
    """Of two unsent leaderboards the newer is left to send."""
    deliver(tmp_path, just((1, 0.1)), summary_only=True)
    deliver(tmp_path, just((1, 0.2)), summary_only=True)
    board = runs(tmp_path)["leaderboard", "leaderboard"]

    assert [[1, 0.2]] == [[row[0], row[4]] for row in table_of(board, "leaderboard")["data"]]


def test_an_interrupted_recording_is_replaced(tmp_path: Path) -> None:
    """A run folder that says nothing of what it holds is moved aside, and the run rewritten."""
    record_summary(tmp_path, just((1, 0.1)))
    (log,) = logs(tmp_path)
    (log.parent / "helm-recording.json").write_text("{")
    record_summary(tmp_path, just((1, 0.1)))
    (run,) = runs(tmp_path).values()

    assert ({"mmlu.EM": 0.1, "iteration": 1},) == run.rows
    assert log.parent.name != run.folder.name
    assert (tmp_path / "wandb" / "superseded" / log.parent.name).is_dir()


@pytest.mark.full
def test_another_project_keeps_its_own_recording(tmp_path: Path) -> None:
    """The same results for two projects are two folders, and each is recorded once."""
    for _ in range(2):
        record_summary(tmp_path, just((1, 0.1)), project="one")
        record_summary(tmp_path, just((1, 0.1)), project="two")

    assert ["one", "two"] == sorted(read(log).record["project"] for log in logs(tmp_path))


def shell(command: str, folder: Path) -> str:
    """What a command prints that a user copies into a shell."""
    path = f"{WANDB.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        check=True,
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    return done.stderr


def test_the_command_of_the_receipt_sends_the_runs(tmp_path: Path) -> None:
    """The receipt's command is one that wandb accepts, and names exactly what is left to send."""
    url = "http://127.0.0.1:9"
    record_summary(tmp_path, just((1, 0.1)), base_url=url)
    receipt = record_summary(tmp_path, just((1, 0.2)), base_url=url)
    command = (receipt.reason or "").split("`")[1]

    assert f"WANDB_BASE_URL={url} wandb sync {tmp_path}/wandb/offline-run-*-helm-*" == command
    assert "Would sync 1 run(s)" in shell(f"{command} --dry-run", tmp_path)
    assert "Would sync 1 run(s)" in shell("wandb sync --include-online --dry-run", tmp_path)


EVIL = {
    "WANDB_API_KEY": "not a key",
    "WANDB_BASE_URL": "not a url",
    "WANDB_CONFIG_PATHS": "nowhere.yaml",
    "WANDB_DIR": "/nowhere",
    "WANDB_JOB_TYPE": "evil",
    "WANDB_LAUNCH": "true",
    "WANDB_MODE": "nonsense",
    "WANDB_NAME": "evil",
    "WANDB_NOTES": "evil",
    "WANDB_PROJECT": "evil",
    "WANDB_RESUME": "must",
    "WANDB_RUN_GROUP": "evil",
    "WANDB_RUN_ID": "evil",
    "WANDB_SILENT": "false",
    "WANDB_SWEEP_ID": "evil",
    "WANDB_TAGS": "evil,worse",
}


def test_variables_of_the_environment_do_not_derail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's W&B variables change nothing of a run, and are there again afterwards."""
    for name, value in EVIL.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    record_summary(tmp_path, just((1, 0.1)))
    ((group_and_name, run),) = runs_unimpeded(tmp_path, monkeypatch).items()

    assert ("alpha", "summary") == group_and_name
    assert {"project", "run_group", "run_id", "tags", "display_name", "entity"} <= set(run.record)
    assert "sweep_id" not in run.record
    assert ("evaluate", "[workflow run](") == (run.record["job_type"], run.record["notes"][:15])
    assert "evil" not in json.dumps(run.record)
    assert before == {**os.environ, **EVIL}


def runs_unimpeded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], Run]:
    """Read runs back without the variables that would stop the reading tool too."""
    with monkeypatch.context() as patch:
        for name in EVIL:
            patch.delenv(name)
        return runs(folder)


def test_nothing_is_printed_and_nothing_is_left_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """No output, no key, no table outside the runs: at home the SDK leaves its own log alone."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    deliver(tmp_path / "work", content_of_reports())

    assert ("", "") == capfd.readouterr()
    assert [] == [
        path for path in home.rglob("*") if path.is_file() and ".cache/wandb/logs" not in str(path)
    ]


@pytest.mark.enable_socket
def test_no_network_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the SDK nor its service connects to W&B's host or to a proxy."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, url)
        deliver(tmp_path, just((1, 0.1)), config=replace(CONFIG, base_url=url))
        server.settimeout(0.5)

        with pytest.raises(TimeoutError):
            server.accept()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    """Where `wandb` is a file, the error names it and what to do, and nothing goes to /tmp."""
    (tmp_path / "wandb").write_text("in the way")

    with pytest.raises(SinkError) as caught:
        record_summary(tmp_path, just((1, 0.1)))

    assert str(caught.value) == (
        f"{tmp_path / 'wandb'}: the W&B runs could not be written: Not a directory. Run in a "
        "folder that can be written to and has space left."
    )


@pytest.mark.parametrize("changes", [{"project": "team/llm"}, {"base_url": "https://app.wandb.ai"}])
def test_what_wandb_refuses_is_explained(tmp_path: Path, changes: dict[str, str]) -> None:
    """The message about a project or host that the SDK refuses names the config's keys to check."""
    with pytest.raises(SinkError) as caught:
        record_summary(tmp_path, just((1, 0.1)), **changes)

    assert "W&B refused to record the runs" in str(caught.value)
    assert "Check `project`, `entity` and `base_url` in the config." in str(caught.value)


def test_a_second_try_writes_only_what_the_first_did_not(tmp_path: Path) -> None:
    """Runs that are there stay as they are, and the one that is not is written."""
    config = replace(CONFIG, leaderboard=False)
    deliver(tmp_path, just((1, 0.1)), config=config)
    lost, kept = logs(tmp_path)
    lost.parent.rename(tmp_path / "elsewhere")
    receipt = deliver(tmp_path, just((1, 0.1)), config=config)

    assert {lost.name, kept.name} == {log.name for log in logs(tmp_path)}
    assert kept in logs(tmp_path)
    assert "(1 unchanged)" in (receipt.reason or "")


def test_wandb_is_not_imported_to_start_up() -> None:
    """Importing the sink does not import wandb."""
    code = "import sys, helm_wandb.wandb_runs.sink; print('wandb' in sys.modules)"
    command = [sys.executable, "-c", code]
    root = Path(__file__).parent.parent
    done = subprocess.run(command, check=True, cwd=root, capture_output=True, text=True)

    assert "False\n" == done.stdout
