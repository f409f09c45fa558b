"""The command against a W&B server: what it records; again, at once with others, interrupted."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb.errors import SinkError
from helm_wandb.wandb_runs.layout_names import MARK, run_id
from helm_wandb.wandb_runs.project_models import WandbProject
from helm_wandb.wandb_runs.sdk.messages import ReadHistories
from helm_wandb.wandb_runs.sdk.session import Session
from helm_wandb.wandb_runs.sink import WandbRuns
from tests import builders
from tests.builders import evaluation, report
from tests.wandb_builders import (
    PROJECT,
    Desk,
    Done,
    board,
    command_of,
    curve,
    holds,
    own,
    scores,
    summary_id,
    summary_run,
)
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.wandb_server import Run


pytestmark = pytest.mark.enable_socket

PUSH = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REF_NAME": "main",
    "GITHUB_REF_TYPE": "branch",
    "GITHUB_REPOSITORY": "owner/repo",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_RUN_ID": "7",
    "GITHUB_SERVER_URL": "https://github.test",
    "GITHUB_SHA": "c0ffee",
}
MAIN = "branch/main"


@pytest.fixture
def server() -> Iterator[WandbServer]:
    """A server that got only requests that it knows."""
    with WandbServer() as served:
        yield served

    assert [] == served.unknown


@pytest.fixture
def desk(server: WandbServer, tmp_path: Path) -> Desk:
    """A user of the server."""
    return Desk(folder=tmp_path / "desk", base_url=server.url)


def record(desk: Desk, *entries: Mapping[str, Any], **keys: Any) -> Done:
    """What came of the command with these entries; it must have gone well."""
    desk.configure(*entries, **keys)
    done = desk.write()

    assert (0, "") == (done.exit_code, done.stderr)
    return done


def alpha(server: WandbServer, track: str = "local") -> dict[int, dict[str, Any]]:
    """The curve of the model alpha."""
    return curve(summary_run(server, "alpha", track))


def rows_of(server: WandbServer) -> dict[str, int]:
    """How many rows each run has."""
    return {run.id: len(run.rows) for run in server.runs(PROJECT).values()}


def mean_of(server: WandbServer, track: str = "local") -> dict[str, float | None]:
    """Model → overall score, as the recorded leaderboard shows it."""
    return {row["model"]: row["mean"] for row in board(server, track)}


# What is recorded


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WandbServer]:
    """A server that holds what a push to main recorded: two models and their leaderboard."""
    with WandbServer() as server:
        desk = Desk(folder=tmp_path_factory.mktemp("pushed"), base_url=server.url)
        desk.configure(
            scores("alpha", 2000, mmlu=0.5, raft=0.0) | {"token_num": 8},
            scores("alpha", 1000, mmlu=0.25, raft=0.125) | {"token_num": 4},
            scores("org/beta", 10, mmlu=0.75, quac=0.5),
            leaderboard=True,
        )
        done = desk.write(**PUSH)

        assert (0, "") == (done.exit_code, done.stderr)
        assert f"7 runs are in {server.url}/team/{PROJECT}" in done.stdout
        yield server

        assert [] == server.unknown


def test_runs_are_grouped_named_tagged_and_numbered(pushed: WandbServer) -> None:
    """Group, name, tags and id of each run are those of the contract, and all runs are finished."""
    expected = {
        run_id(MAIN, group, name): (group, name, ("evaluate", tag, MAIN), "finished")
        for group, name, tag in (
            ("alpha", "summary", "summary"),
            ("alpha", "mmlu", "detail"),
            ("alpha", "raft", "detail"),
            ("org/beta", "summary", "summary"),
            ("org/beta", "mmlu", "detail"),
            ("org/beta", "quac", "detail"),
            ("leaderboard", "leaderboard", "leaderboard"),
        )
    }

    assert expected == {
        run.id: (run.group, run.display_name, run.tags, run.state)
        for run in pushed.runs(PROJECT).values()
    }


def test_runs_have_their_type_and_a_link_to_the_workflow_run(pushed: WandbServer) -> None:
    """People filter and group by the type, and get from a run to what wrote it."""
    link = "[workflow run](https://github.test/owner/repo/actions/runs/7)"

    assert {("leaderboard", "leaderboard", link)} | {
        (group, "evaluate", link) for group in ("alpha", "org/beta")
    } == {(run.group, run.job_type, run.notes) for run in pushed.runs(PROJECT).values()}


def test_rows_are_served_by_dotted_names(pushed: WandbServer) -> None:
    """What was logged nested comes back as `mmlu.EM`, by ascending iteration."""
    wanted = summary_id("alpha", MAIN)
    with Session(base_url=pushed.url, api_key=API_KEY, entity=None) as session:
        (rows,) = session.ask(ReadHistories(project=PROJECT, run_ids=(wanted,))).values()

    assert [
        {"mmlu.EM": 0.25, "raft.EM": 0.125, "iteration": 1000, "tokens_billions": 4},
        {"mmlu.EM": 0.5, "raft.EM": 0, "iteration": 2000, "tokens_billions": 8},
    ] == [own(row) for row in rows]


def test_summary_has_each_metric_at_its_latest_iteration(pushed: WandbServer) -> None:
    """Nested, so that W&B shows it as `mmlu.EM`."""
    run = pushed.runs(PROJECT)[summary_id("alpha", MAIN)]

    assert {
        "mmlu": {"EM": 0.5},
        "raft": {"EM": 0},
        "iteration": 2000,
        "tokens_billions": 8,
    } == own(run.summary)


def sdk_config(server: WandbServer, wanted: str) -> dict[str, Any]:
    """What the SDK itself keeps in a run's config: its axes and charts."""
    sent = [
        json.loads(request.variables["config"])["_wandb"]["value"]
        for request in server.requests
        if request.operation == "UpsertBucket"
        and request.run == wanted
        and "config" in request.variables
    ]
    last: dict[str, Any] = sent[-1]
    return last


@pytest.mark.parametrize(
    ("model", "expected"), [("alpha", "tokens_billions"), ("org/beta", "iteration")]
)
def test_metrics_are_drawn_over_tokens_or_iterations(
    pushed: WandbServer, model: str, expected: str
) -> None:
    """The x-axis is tokens where all rows know them, else the iteration."""
    metrics = sdk_config(pushed, summary_id(model, MAIN))["m"]
    # By W&B's own numbers: 1 is a metric's name, 5 the place of its axis, counted from 1.
    axes = {metric["1"]: metrics[metric["5"] - 1]["1"] for metric in metrics if "5" in metric}

    assert {expected} == set(axes.values())
    assert "mmlu.EM" in axes


def test_config_names_model_and_provenance(pushed: WandbServer) -> None:
    """Model, source, tokens, track, commit, ref, workflow run and tool version are there."""
    config = dict(pushed.runs(PROJECT)[summary_id("alpha", MAIN)].config)

    assert config.pop("tool_version")
    assert {
        "model": "alpha",
        "source": "file",
        "token_num": [4, 8],
        "track": MAIN,
        "commit": "c0ffee",
        "ref": "refs/heads/main",
        "run_url": "https://github.test/owner/repo/actions/runs/7",
        "attempt": 2,
    } == config


def test_report_of_each_model_is_an_artifact(pushed: WandbServer) -> None:
    """It holds the model's evaluations, and is found by its part of the track, and its commit."""
    (version,) = pushed.artifacts(PROJECT)["helm-report-alpha"]
    report = json.loads(version.files["helm-wandb-report.json"])

    (listed,) = json.loads(pushed.runs(PROJECT)[summary_id("alpha", MAIN)].summary[MARK])["reports"]

    part = f"part-of-branch-main-{listed['part']}"
    assert {part, "branch-main", "c0ffee", "latest"} == set(version.aliases)
    assert (["mmlu.EM", "raft.EM"], "c0ffee") == (listed["scores"], listed["commit"])
    assert ("helm-report", "COMMITTED") == (version.type, version.state)
    assert [("alpha", 1000), ("alpha", 2000)] == [
        (entry["model"], entry["iteration"]) for entry in report["evaluations"]
    ]


def test_leaderboard_is_a_table(pushed: WandbServer) -> None:
    """Every model has a row with its rank, mean and metrics."""
    expected = [("org/beta", 1, 0.75, 0.75, None), ("alpha", 2, 0.5, 0.5, 0.0)]

    assert expected == [
        (row["model"], row["rank"], row["mean"], row["mmlu.EM"], row["raft.EM"])
        for row in board(pushed, MAIN)
    ]


def test_each_metric_is_a_chart(pushed: WandbServer) -> None:
    """There are bars of the overall score and of each metric, and their data is in the run."""
    leaderboard = run_id(MAIN, "leaderboard", "leaderboard")
    charts = sdk_config(pushed, leaderboard)["visualize"]
    run = pushed.runs(PROJECT)[leaderboard]
    keys = {"overall", "mmlu EM", "raft EM", "quac F1"}

    assert keys == set(charts)
    assert {run.summary[f"{key}_table"]["path"] for key in keys} < set(run.files)


# The same again, and what has changed


SECOND = scores("changed", 2, mmlu=0.5)
SAME = [scores("same", 1, mmlu=0.25, raft=0.5), scores("same", 2, mmlu=0.5)]
COMMANDS = (
    [
        *SAME,
        scores("new", 1, mmlu=0.25),
        scores("older", 2, mmlu=0.5),
        *[scores("changed", 1, mmlu=0.25), SECOND],
        scores("last", 1, mmlu=0.25),
        scores("back", 1, mmlu=0.25),
        scores("apart", 1, mmlu=0.25),
    ],
    [
        *SAME,
        *[scores("new", 1, mmlu=0.25), scores("new", 2, mmlu=0.5)],
        scores("older", 1, mmlu=0.25),
        *[scores("changed", 1, mmlu=0.375), SECOND],
        scores("last", 1, mmlu=0.375),
        scores("back", 1, mmlu=0.5),
        scores("apart", 1, raft=0.5),
    ],
    [
        *SAME,
        *[scores("changed", 1, mmlu=0.375), SECOND],
        scores("back", 1, mmlu=0.25),
    ],
)
"""What three commands record, one after another: each model is a case."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """A server after those commands, and after the third once more."""

    server: WandbServer
    before: Mapping[str, object]
    """Everything that it held after the three."""
    last: Done
    """The third command, once more."""
    last_operations: Sequence[str]
    waiting: Sequence[str]
    """Offline copies at the end."""

    def run(self, model: str) -> Run:
        """The model's summary run."""
        run = summary_run(self.server, model)
        assert run is not None
        return run


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """What came of the commands."""
    with WandbServer() as server:
        desk = Desk(folder=tmp_path_factory.mktemp("story"), base_url=server.url)
        for entries in COMMANDS:
            record(desk, *entries, leaderboard=True)
        before, count = holds(server), len(server.requests)
        last = record(desk, *COMMANDS[-1], leaderboard=True)
        yield Story(
            server=server,
            before=before,
            last=last,
            last_operations=[request.operation for request in server.requests[count:]],
            waiting=[*desk.copies()],
        )

        assert [] == server.unknown


def test_same_results_again_are_only_looked_at(story: Story) -> None:
    """The second time only runs are read, without the SDK, and all that W&B holds is as before."""
    assert story.before == holds(story.server)
    assert {"Runs"} == set(story.last_operations)
    assert "(8 unchanged)" in story.last.stdout
    assert [] == story.waiting


def test_new_iteration_is_added(story: Story) -> None:
    """Its row comes after the others, which stay; the summary is the new one's."""
    run = story.run("new")

    assert {1: {"mmlu.EM": 0.25}, 2: {"mmlu.EM": 0.5}} == curve(run)
    assert 2 == len(run.rows)
    assert {"mmlu": {"EM": 0.5}, "iteration": 2} == own(run.summary)


def test_older_iteration_is_added_too(story: Story) -> None:
    """An iteration before those that are there is stored, and the summary stays the greatest's."""
    run = story.run("older")

    assert {1: {"mmlu.EM": 0.25}, 2: {"mmlu.EM": 0.5}} == curve(run)
    assert {"mmlu": {"EM": 0.5}, "iteration": 2} == own(run.summary)


def test_changed_value_of_an_old_iteration_is_what_readers_get(story: Story) -> None:
    """The newest row of an iteration wins, and the summary keeps the latest iteration's value."""
    run = story.run("changed")

    assert {1: {"mmlu.EM": 0.375}, 2: {"mmlu.EM": 0.5}} == curve(run)
    assert 3 == len(run.rows)
    assert {"mmlu": {"EM": 0.5}, "iteration": 2} == own(run.summary)


def test_changed_value_of_the_last_iteration_is_ranked(story: Story) -> None:
    """The leaderboard has the new value, also in one that a later run of other models records."""
    ranked = {row["model"]: row["mmlu.EM"] for row in board(story.server)}

    assert 0.375 == ranked["last"]


def test_value_that_is_taken_back_is_what_readers_get(story: Story) -> None:
    """A value that changes and changes back is a third row, not one that is known already."""
    run = story.run("back")

    assert {1: {"mmlu.EM": 0.25}} == curve(run)
    assert 3 == len(run.rows)


def test_metrics_of_two_jobs_stand_side_by_side(story: Story) -> None:
    """Two jobs with different benchmarks of one iteration take nothing from each other."""
    run = story.run("apart")

    assert {1: {"mmlu.EM": 0.25, "raft.EM": 0.5}} == curve(run)
    assert {"mmlu": {"EM": 0.25}, "raft": {"EM": 0.5}, "iteration": 1} == own(run.summary)


@pytest.mark.full
def test_part_of_what_is_there_again_adds_nothing(server: WandbServer, desk: Desk) -> None:
    """A job that measured one of two benchmarks leaves all as it is when it runs again."""
    record(desk, scores("alpha", 1, mmlu=0.25))
    record(desk, scores("alpha", 1, raft=0.5))
    before = holds(server)
    record(desk, scores("alpha", 1, raft=0.5))

    assert before == holds(server)


def test_new_commit_updates_the_provenance(server: WandbServer, desk: Desk) -> None:
    """The same results of another commit add no row, and all runs name the commit."""
    desk.configure(scores("alpha", 1, mmlu=0.25), leaderboard=True)
    first = desk.write(**PUSH)
    before = {run.id: run.rows for run in server.runs(PROJECT).values()}
    second = desk.write(**PUSH | {"GITHUB_SHA": "beef", "GITHUB_RUN_ID": "8"})

    assert (0, 0) == (first.exit_code, second.exit_code)
    assert before == {run.id: run.rows for run in server.runs(PROJECT).values()}
    assert {("beef", "https://github.test/owner/repo/actions/runs/8", "finished")} == {
        (run.config["commit"], run.config["run_url"], run.state)
        for run in server.runs(PROJECT).values()
    }
    assert "beef" in server.artifacts(PROJECT)["helm-report-alpha"][-1].aliases
    assert {1: {"mmlu.EM": 0.25}} == alpha(server, MAIN)


@pytest.mark.parametrize("operation", ["CreateArtifact", "CommitArtifact"])
def test_report_that_is_lost_is_noticed_though_an_older_one_has_its_alias(
    server: WandbServer, desk: Desk, operation: str
) -> None:
    """W&B takes the report of a commit, and doesn't keep it: the record doesn't list it."""
    desk.configure(scores("alpha", 1, mmlu=0.25))
    desk.write("--summary-only", **PUSH)
    server.fault(operation, times=1, lose=True)
    lost = desk.write("--summary-only", **PUSH | {"GITHUB_SHA": "beef"})
    run = server.runs(PROJECT)[summary_id("alpha", MAIN)]

    assert 5 == lost.exit_code
    assert "run again to send it" in lost.stdout
    assert ["c0ffee"] == [one["commit"] for one in json.loads(run.summary[MARK])["reports"]]


REQUESTS_OF_A_DETAIL_RUN = {
    "Run": 2,  # what it holds before, and after
    "RunResumeStatus": 1,
    "UpsertBucket": 2,
    "file_stream": 2,
    "CreateRunFiles": 1,
}


def test_detail_runs_share_the_reservation_of_their_model(server: WandbServer, desk: Desk) -> None:
    """A file is reserved among those of the summary run, and each other run needs 8 requests."""
    desk.configure(scores("alpha", 1, mmlu=0.25, raft=0.5))
    done = desk.write()
    requests = Counter((request.run, request.operation) for request in server.requests)
    reserved = Counter(
        file.partition("/")[0]
        for request in server.requests
        if request.operation == "CreateRunFiles"
        for file in request.variables["files"]
    )

    assert (0, "") == (done.exit_code, done.stderr)
    assert {"helm_wandb": 1} == reserved
    for benchmark in ("mmlu", "raft"):
        detail = run_id("local", "alpha", benchmark)
        assert REQUESTS_OF_A_DETAIL_RUN == {
            operation: number for (run, operation), number in requests.items() if run == detail
        }


def test_summary_only_writes_no_detail_run(server: WandbServer, desk: Desk) -> None:
    """With `--summary-only` there is the summary run alone."""
    desk.configure(scores("alpha", 1, mmlu=0.25))
    done = desk.write("--summary-only")

    assert (0, [summary_id("alpha")]) == (done.exit_code, [*server.runs(PROJECT)])


MODELS = [
    "org/model",
    "a|b*c",
    "x" * 300,
    "../../x",
    "\N{ROBOT FACE}",
    "한국어 모델",
    "a:b;c,d#e?f'g%h\\i",
    "summary",
    "leaderboard",
    "-rf",
]


def test_models_of_any_name_arrive(server: WandbServer, desk: Desk) -> None:
    """Their runs, reports and ranks are there, and the second time nothing is added."""
    entries = [scores(model, 1, mmlu=place / 16) for place, model in enumerate(MODELS)]
    record(desk, *entries, leaderboard=True)
    before = holds(server)
    record(desk, *entries, leaderboard=True)

    expected = {model: place / 16 for place, model in enumerate(MODELS)}
    assert expected == {model: curve(summary_run(server, model))[1]["mmlu.EM"] for model in MODELS}
    assert expected == mean_of(server)
    assert len(MODELS) == len(server.artifacts(PROJECT))
    assert before == holds(server)


def test_without_time_nothing_is_begun(server: WandbServer, tmp_path: Path) -> None:
    """If writing can't end in time, the fault comes before a run is created."""
    config = builders.config(base_url=server.url)
    with Session(base_url=server.url, api_key=API_KEY, entity=None) as session:
        sink = WandbRuns(
            config=config,
            summary_only=True,
            folder=tmp_path,
            project=WandbProject(session=session, name=PROJECT, tracks=frozenset()),
            writing_seconds=1.0,
        )
        with pytest.raises(SinkError, match="no time left to begin"):
            sink.deliver(report([evaluation("alpha", 1, {"mmlu.EM": 0.5})]))

    assert {} == server.runs(PROJECT)


# The leaderboard


def ancestor(server: WandbServer, model: str, summary: Mapping[str, Any], **what: Any) -> None:
    """Have a summary run as Data-Juicer's wandb_writer.py left it."""
    tags = ("evaluate", "summary")
    run = f"{model}-summary".replace("/", "-")
    server.add_run(
        PROJECT,
        run,
        display_name="summary",
        tags=what.pop("tags", tags),
        group=model,
        summary={"_step": 1000, **summary},
        **what,
    )


def test_model_without_a_metric_keeps_its_others(server: WandbServer, desk: Desk) -> None:
    """It is listed unranked with its own cells, and the others are ranked."""
    ancestor(server, "old", {"mmlu": {"EM": 0.125}})
    entries = [scores("alpha", 1, mmlu=0.5, raft=0.25), scores("beta", 1, mmlu=0.25, raft=0.25)]
    record(desk, *entries, leaderboard=True)
    (old,) = (row for row in board(server) if row["model"] == "old")

    assert (None, 0.125, None) == (old["rank"], old["mmlu.EM"], old["raft.EM"])
    assert "raft.EM" in old["unranked"]
    assert [("alpha", 1), ("beta", 2)] == [
        (row["model"], row["rank"]) for row in board(server) if row["rank"]
    ]


@pytest.mark.full
def test_config_with_a_leaderboard_alone_ranks_the_project(server: WandbServer, desk: Desk) -> None:
    """Without evals the models of the project are ranked, and the ranking is recorded."""
    ancestor(server, "old", {"mmlu": {"EM": 0.125}})
    record(desk, scores("alpha", 1, mmlu=0.5))
    done = record(desk, leaderboard=True)

    assert {"alpha": 0.5, "old": 0.125} == mean_of(server)
    assert "old" in done.stdout
    before = holds(server)
    record(desk, leaderboard=True)
    assert before == holds(server)


HOSTILE: dict[str, dict[str, Any]] = {
    "texts": {"mmlu": {"EM": "0.9"}, "note": "a text", "iteration": "many"},
    "nothing": {},
    "null": {"mmlu": None, "_step": None},
    "lists": {"mmlu": [1, 2], "raft": {"EM": [0.5]}},
    "deep": {"mmlu": {"EM": {"EM": {"EM": 0.5}}}},
    "infinite": {"mmlu": {"EM": float("inf")}},
    "not-a-number": {"mmlu": {"EM": float("nan")}},
    "NaN-text": {"mmlu": {"EM": "NaN"}},
    "true": {"mmlu": {"EM": True}},
    "keys": {"": {"": 0.5}, ".": 0.5, "a.": 0.5, ".b": {"c": 1}, "mmlu": {"": 0.5}},
    "record": {MARK: "{", "mmlu": {"EM": "x"}},
    "records": {MARK: {"writer": 1}},
    "foreign-record": {MARK: '{"writer": "x", "latest": {"iteration": "one", "scores": {}}}'},
    "huge": {"iteration": 1e400, "mmlu": {"EM": "x"}},
    "long": {"text": "x" * 100_000},
    "markup": {"<script>": {"alert": "x"}, "`rm`|x": "y"},
}


ODD: tuple[dict[str, Any], ...] = (
    {"iteration": 10**400, "mmlu": {"EM": 0.5}},
    {"iteration": -3, "mmlu": {"EM": 0.5}},
    {"iteration": 1.5, "mmlu": {"EM": 0.5}},
    {"tokens_billions": -1, "mmlu": {"EM": 0.5}},
    {"mmlu": {"EM": 10**400}},
    {"mmlu": {"EM": 1e308}},
    {"mmlu": {"EM": -0.5}},
    {"mmlu.EM": 0.5, "mmlu": {"EM": 0.5}},
)


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, float | None]]:
    """Means of a leaderboard in a project that others, the ancestor and odd programs wrote to."""
    with WandbServer() as server:
        desk = Desk(folder=tmp_path_factory.mktemp("ranked"), base_url=server.url)
        ancestor(server, "old", {"mmlu": {"EM": 0.125}})
        ancestor(server, "excluded", {"mmlu": {"EM": 0.25}})
        ancestor(server, "rival", {"mmlu": {"EM": 0.9}}, config={"track": "pr/9"})
        ancestor(server, "main", {"mmlu": {"EM": 0.7}}, config={"track": "branch/main"})
        for number, summary in enumerate([*HOSTILE.values(), *ODD]):
            ancestor(server, f"odd-{number}", summary)
        record(desk, scores("alpha", 1, mmlu=0.25), leaderboard=True)
        entries = [scores("beta", 1, mmlu=0.5), scores("own-excluded", 1, mmlu=0.75)]
        record(desk, *entries, leaderboard=True, excluded_models=["excluded", "own-excluded"])

        assert {"old": 1000, "alpha": 1, "beta": 1}.items() <= {
            row["model"]: row["iteration"] for row in board(server)
        }.items()
        yield mean_of(server)

        assert [] == server.unknown


def test_leaderboard_is_of_all_that_the_project_holds(ranked: dict[str, float | None]) -> None:
    """Models of two configs in sequence and of the ancestor's runs are all ranked."""
    assert {"beta": 0.5, "alpha": 0.25, "old": 0.125, "main": 0.7}.items() <= ranked.items()


def test_excluded_models_are_not_ranked(ranked: dict[str, float | None]) -> None:
    """Neither a model of this run nor one of the project's is shown that was excluded."""
    assert set() == {"excluded", "own-excluded"} & ranked.keys()


def test_other_tracks_are_not_ranked(ranked: dict[str, float | None]) -> None:
    """What a pull request recorded does not enter the leaderboard of others."""
    assert "rival" not in ranked


def test_summaries_without_readable_scores_are_not_ranked(ranked: dict[str, float | None]) -> None:
    """Runs in the project that hold no score that can be read get no mean, and cost nothing."""
    unreadable = {f"odd-{number}" for number in range(len(HOSTILE))}

    assert {None} >= {ranked.get(model) for model in unreadable}


def test_foreign_run_under_our_id_is_taken_over(server: WandbServer, desk: Desk) -> None:
    """A run of our id without our record, with odd rows, is written to, and its rows stay."""
    rows: list[dict[str, Any]] = [
        {"iteration": "one", "mmlu": "x"},
        {"loss": 1},
        {"iteration": 10**400, "mmlu": {"EM": 10**400}},
        {"iteration": 1, "mmlu": {"EM": 0.5}},
    ]
    server.add_run(PROJECT, summary_id("alpha"), rows=rows, summary={"mmlu": 3}, state="crashed")
    record(desk, scores("alpha", 1, mmlu=0.5), scores("alpha", 2, mmlu=0.75))

    run = summary_run(server, "alpha")
    assert run is not None
    assert ("finished", 5) == (run.state, len(run.rows))
    assert {"EM": 0.75} == run.summary["mmlu"]


# Offline and online


def test_waiting_recordings_are_sent_along(server: WandbServer, desk: Desk, tmp_path: Path) -> None:
    """An online run sends the rows that were recorded offline here, and sets the copies aside."""
    offline = Desk(folder=tmp_path / "desk", base_url=server.url, api_key=None)
    record(offline, scores("alpha", 1, mmlu=0.25))
    assert 2 == len(desk.waiting())
    record(desk, scores("alpha", 2, mmlu=0.5))

    assert {1: {"mmlu.EM": 0.25}, 2: {"mmlu.EM": 0.5}} == alpha(server)
    assert {} == desk.copies()
    assert 2 == len([*(desk.work / "wandb" / "superseded").glob("offline-run-*")])


def shape(server: WandbServer) -> dict[str, Any]:
    """What the runs of a server are, less times, writers and reports."""
    return {
        run.id: (
            run.display_name,
            run.group,
            run.tags,
            run.config,
            [own(row) for row in run.rows],
            own(run.summary),
            run.state,
        )
        for run in server.runs(PROJECT).values()
        if run.group != "leaderboard"
    }


def test_synced_recording_is_as_if_recorded_online(
    server: WandbServer, desk: Desk, tmp_path: Path
) -> None:
    """`wandb sync` brings the same runs as an online run, which then adds no row to them."""
    entries = [scores("alpha", 1, mmlu=0.25, raft=0.5), scores("alpha", 2, mmlu=0.5)]
    offline = Desk(folder=tmp_path / "offline", base_url=server.url, api_key=None)
    done = record(offline, *entries, leaderboard=True)
    copy = Desk(folder=tmp_path / "offline", base_url=server.url)
    sync = copy.shell(command_of(done.stdout))
    synced = shape(server)
    counts = rows_of(server)
    record(desk, *entries, leaderboard=True)
    added = {run: count - counts[run] for run, count in rows_of(server).items()}
    with WandbServer() as other:
        online = Desk(folder=tmp_path / "online", base_url=other.url)
        record(online, *entries, leaderboard=True)

        assert 0 == sync.exit_code, sync.stderr
        assert shape(other) == synced
    assert {0} == set(added.values())


@pytest.mark.full
def test_synced_twice_and_recorded_again_doubles_nothing(
    server: WandbServer, desk: Desk, tmp_path: Path
) -> None:
    """Rows that W&B has from elsewhere are not sent again from a copy that waits here."""
    entries = [scores("alpha", 1, mmlu=0.25)]
    offline = Desk(folder=tmp_path / "desk", base_url=server.url, api_key=None)
    record(offline, *entries)
    elsewhere = Desk(folder=tmp_path / "elsewhere", base_url=server.url)
    record(elsewhere, *entries)
    counts = rows_of(server)
    record(desk, *entries)

    assert counts == rows_of(server)
    assert {} == desk.copies()


# The key, and what is left behind


def traces(desk: Desk, *outputs: str) -> list[str]:
    """Where the key shows."""
    return desk.with_key() + [output for output in outputs if API_KEY in output]


def test_key_is_nowhere_after_a_good_run(server: WandbServer, desk: Desk) -> None:
    """No file of the user and no output holds it, and nothing is left running or lying about."""
    desk.configure(scores("alpha", 1, mmlu=0.25), leaderboard=True)
    done = desk.write("--report", "report.json", **PUSH)

    assert 0 == done.exit_code
    assert 3 == len(server.runs(PROJECT))
    assert ([], [], []) == (
        traces(desk, done.stdout, done.stderr),
        desk.processes(),
        desk.scratch(),
    )


@pytest.mark.parametrize("body", ["{key}", '{{"errors": [{{"message": "no {key}, no"}}]}}'])
@pytest.mark.parametrize("match", ["Viewer", "UpsertBucket", "file_stream", "upload", "Runs"])
@pytest.mark.full
def test_key_is_nowhere_when_the_server_says_it(
    server: WandbServer, desk: Desk, match: str, body: str
) -> None:
    """A server that repeats the key in its error gets it into no output and no file."""
    server.fault(match, status=400, body=body.format(key=API_KEY))
    desk.configure(scores("alpha", 1, mmlu=0.25), leaderboard=True)
    done = desk.write("--report", "report.json", **PUSH)

    assert 5 == done.exit_code
    assert ([], [], []) == (
        traces(desk, done.stdout, done.stderr),
        desk.processes(),
        desk.scratch(),
    )
