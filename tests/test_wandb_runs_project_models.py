"""The models that a W&B project holds."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from helm_wandb.model import Evaluation, Origin, Provenance, Score, ScoreKey
from helm_wandb.wandb_runs import project_models, run_record
from helm_wandb.wandb_runs.layout_names import MARK
from helm_wandb.wandb_runs.project_models import WandbProject, evaluation
from helm_wandb.wandb_runs.run_record import Latest, LatestScore, Record
from helm_wandb.wandb_runs.sdk.messages import RemoteRun
from helm_wandb.wandb_runs.sdk.session import Session
from helm_wandb.wandb_runs.sink import WandbRuns
from tests import builders
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from pathlib import Path

if TYPE_CHECKING:
    from collections.abc import Mapping

ORIGIN = Origin(source="wandb", suite=None, token_per_iteration=None)


def run(
    summary: Mapping[str, object],
    *,
    config: Mapping[str, object] | None = None,
    group: str | None = "alpha",
) -> RemoteRun:
    """A summary run of the model alpha, as it is read from W&B."""
    return RemoteRun(
        id="helm-1",
        group=group,
        state="finished",
        config=config or {},
        summary=summary,
        url="https://wandb.example/team/llm/runs/helm-1",
    )


def recorded(
    iteration: int = 2000, tokens: float | None = 8.4, /, **scores: LatestScore
) -> dict[str, str]:
    """The record of a run in whose name `mmlu__EM` stands for mmlu.EM."""
    named = {name.replace("__", "."): score for name, score in scores.items()}
    latest = Latest(iteration=iteration, tokens_billions=tokens, scores=named)
    return {MARK: run_record.to_text(Record(writer="w", latest=latest))}


def values(found: Evaluation | None) -> dict[str, float]:
    """The scores' values by their names; empty if there is no evaluation."""
    return {str(key): score.value for key, score in found.scores.items()} if found else {}


def test_the_record_goes_before_the_summary() -> None:
    """W&B's own summary mixes iterations; what the record says of the greatest one counts."""
    record = recorded(mmlu__EM=LatestScore(value=0.5, lower_is_better=False, partial="over 1 of 2"))
    summary = {
        **record,
        "mmlu": {"EM": 0.1},
        "boolq": {"EM": 0.9},
        "iteration": 1000,
        "tokens_billions": 4.2,
        "_step": 7,
    }
    score = Score(value=0.5, n=None, lower_is_better=False, subjects={}, partial="over 1 of 2")

    assert evaluation(run(summary)) == Evaluation(
        model="alpha",
        iteration=2000,
        tokens_billions=8.4,
        origin=ORIGIN,
        scores={ScoreKey("mmlu", "EM"): score},
        missing={},
    )


def test_a_run_of_the_ancestor_is_a_model() -> None:
    """Data-Juicer's summary runs name the model by their group, the iteration by W&B's step."""
    summary = {"mmlu": {"EM": 0.3}, "bbq": {"ECE (10-bin)": 0.1}, "_step": 1000, "_runtime": 3.5}

    assert evaluation(run(summary)) == Evaluation(
        model="alpha",
        iteration=1000,
        tokens_billions=None,
        origin=ORIGIN,
        scores={
            ScoreKey("mmlu", "EM"): Score(value=0.3, n=None, lower_is_better=False, subjects={}),
            ScoreKey("bbq", "ECE (10-bin)"): Score(
                value=0.1, n=None, lower_is_better=True, subjects={}
            ),
        },
        missing={},
    )


def test_logged_values_go_before_wandbs_step() -> None:
    """An iteration that was logged counts, and so do the tokens."""
    found = evaluation(run({"mmlu.EM": 0.3, "iteration": 2000.0, "tokens_billions": 8, "_step": 3}))

    assert found is not None
    assert (2000, 8.0) == (found.iteration, found.tokens_billions)


def test_without_an_iteration_it_is_the_first() -> None:
    """A run that says nothing of its iteration is of iteration 0."""
    found = evaluation(run({"mmlu": {"EM": 0.3}, "iteration": "NaN"}))

    assert found is not None
    assert 0 == found.iteration


@pytest.mark.parametrize("iteration", [-1, 1e300, 10**400, 2.0**63])
def test_an_iteration_that_no_report_could_hold_is_none(iteration: float) -> None:
    """What is compared with 0 to 2**63 is as if it were not there; W&B's step then counts."""
    found = evaluation(run({"mmlu": {"EM": 0.3}, "iteration": iteration, "_step": 7}))

    assert found is not None
    assert 7 == found.iteration


def test_a_benchmarks_own_name_is_read() -> None:
    """What is kept under another name, as W&B has a use for it, is read by its own."""
    summary = {
        "benchmark _step": {"EM": 0.25},
        "benchmark a%2Eb": {"EM": 0.5},
        "x" * 1001: {"EM": 1},
    }
    found = evaluation(run(summary))

    assert found is not None
    assert {("_step", "EM"), ("a.b", "EM")} == {(key.benchmark, key.metric) for key in found.scores}


def test_the_configs_name_goes_before_the_group() -> None:
    """W&B cuts the names of groups; the config holds a model's in full."""
    found = evaluation(run({"mmlu.EM": 0.3}, config={"model": "alpha" * 40}, group="alpha~"))

    assert found is not None
    assert "alpha" * 40 == found.model


@pytest.mark.parametrize(
    "config",
    [
        {"model": ""},
        {"model": None},
        {"model": {"a": 1}},
        {"model": "a" * 1001},
        {"model": "\ud800"},
    ],
)
def test_a_run_of_no_model_is_none(config: dict[str, object]) -> None:
    """A run whose config names something else than a model has none."""
    assert None is evaluation(run({"mmlu.EM": 0.3}, config=config))


@pytest.mark.parametrize("group", [None, ""])
def test_a_run_without_any_name_is_none(group: str | None) -> None:
    """Neither model nor group: the scores belong to nobody."""
    assert None is evaluation(run({"mmlu.EM": 0.3}, group=group))


@pytest.mark.parametrize(
    "cell",
    ["NaN", "Infinity", True, None, math.nan, math.inf, -math.inf, [0.5], [], {}, "0.5"],
)
def test_a_cell_that_is_no_score_costs_itself_only(cell: object) -> None:
    """A value that is no finite number is as if it were not there; all others are read."""
    nested = {"mmlu": {"EM": cell, "F1": 0.5}, "boolq": {"EM": 0.25}}
    flat = {"mmlu.EM": cell, "mmlu.F1": 0.5, "boolq.EM": 0.25}

    expected = {"mmlu.F1": 0.5, "boolq.EM": 0.25}
    assert [expected, expected] == [values(evaluation(run(stored))) for stored in (nested, flat)]


@pytest.mark.parametrize(
    "summary",
    [
        {},
        {"iteration": 3, "_step": 3},
        {"mmlu": 0.5},
        {"mmlu": {"": 0.5}},
        {"": {"EM": 0.5}},
        {"_mmlu": {"EM": 0.5}},
        {"mmlu": {"EM": {"last": 0.5}}},
        {"mmlu": {"EM": "NaN"}},
        {MARK: "not a record"},
        recorded(),
        recorded(nodot=LatestScore(value=0.5)),
    ],
)
def test_a_run_without_a_score_is_no_model(summary: dict[str, object]) -> None:
    """What holds no number under the name of a benchmark's metric is not ranked."""
    assert None is evaluation(run(summary))


def test_a_record_without_scores_leaves_the_summary() -> None:
    """A record of a run that is not a model's says nothing of scores, so the summary does."""
    record = {MARK: run_record.to_text(Record(writer="w"))}

    assert {"mmlu.EM": 0.5} == values(evaluation(run({**record, "mmlu": {"EM": 0.5}})))


NAMES = st.sampled_from(["mmlu", "mmlu.EM", "EM", "a.b.c", ".", "", "_step", "iteration", MARK])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["NaN", '{"writer":"w"}', '{"writer":"w","latest":{"iteration":1}}']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(NAMES | st.text(max_size=5), JSON), st.dictionaries(NAMES, JSON))
@example({"mmlu": {"EM": 2**1000}}, {})
def test_whatever_a_run_holds_is_a_model_or_none(
    summary: dict[str, Any], config: dict[str, Any]
) -> None:
    """No summary and no config of anybody can stop a run; what comes out are finite scores."""
    stored = json.loads(json.dumps([summary, config]))
    found = evaluation(run(stored[0], config=stored[1]))

    assert all(map(math.isfinite, values(found).values()))


@pytest.mark.parametrize("name", ["mmlu.EM", "iteration", "tokens_billions"])
def test_an_integer_that_no_float_holds_is_no_score(name: str) -> None:
    """JSON has integers of any size; one that is too great for a score costs itself only."""
    assert {"boolq.EM": 0.5} == values(evaluation(run({"boolq.EM": 0.5, name: 10**400})))


def test_the_tracks_are_named_in_words() -> None:
    """The words name the tracks that have nothing."""
    session = Session(base_url="http://127.0.0.1:1", api_key=API_KEY, entity=None)
    tracks = frozenset({"local", "branch/main"})

    assert (
        "track branch/main or track local"
        == WandbProject(session=session, name="llm", tracks=tracks).tracks_in_words
    )


@pytest.mark.enable_socket
def test_a_project_is_its_tracks_summary_runs() -> None:
    """The ranked tracks' models and the ancestor's are read; others' and details are not."""
    summary = {"mmlu": {"EM": 0.5}}
    runs: dict[str, dict[str, Any]] = {
        "main": {"tags": ["evaluate", "summary"], "config": {"track": "branch/main"}},
        "pull": {"tags": ["evaluate", "summary"], "config": {"track": "pr/7"}},
        "ancestor": {"tags": ["evaluate", "summary"]},
        "detail": {"tags": ["evaluate", "detail"], "config": {"track": "branch/main"}},
        "empty": {"tags": ["summary"], "summary": {"loss": 1.5}},
        "odd": {"tags": ["summary"], "config": {"track": {"branch/main": 1}}},
    }
    with (
        WandbServer() as server,
        Session(base_url=server.url, api_key=API_KEY, entity=None) as session,
    ):
        for name, what in runs.items():
            server.add_run("llm", name, group=name, **{"summary": summary, **what})
        project = WandbProject(session=session, name="llm", tracks=frozenset({"branch/main"}))
        found = project.read()
        absent = WandbProject(session=session, name="none", tracks=frozenset()).read()
        unknown = server.unknown

    assert [] == unknown
    assert ["ancestor", "main"] == sorted(one.model for one in found)
    assert () == absent


@pytest.mark.enable_socket
def test_a_track_is_its_own_summary_runs() -> None:
    """With commit and workflow run; what has no track is of no branch, so the ancestor's is not."""
    tags, summary = ["evaluate", "summary"], {"mmlu": {"EM": 0.5}}
    known: dict[str, object] = {
        "track": "branch/main",
        "commit": "4be1c02",
        "run_url": "https://x/runs/3",
    }
    configs: dict[str, dict[str, object]] = {
        "known": known,
        "unsure": {"track": "branch/main", "commit": 3, "run_url": ""},
        "unasked": known,
        "pull": {**known, "track": "pr/7"},
        "ancestor": {},
    }
    with (
        WandbServer() as server,
        Session(base_url=server.url, api_key=API_KEY, entity=None) as session,
    ):
        for name, config in configs.items():
            server.add_run("llm", name, group=name, tags=tags, config=config, summary=summary)
        server.add_run("llm", "empty", tags=tags, config=known, summary={"loss": 1.5})
        project = WandbProject(session=session, name="llm", tracks=frozenset())
        found = project.recorded("branch/main", configs.keys() - {"unasked"})
        absent = project.recorded("branch/none", configs)
        unknown = server.unknown

    assert [] == unknown
    assert () == absent
    assert {
        ("known", "4be1c02", "https://x/runs/3"),
        ("unsure", None, None),
    } == {(one.model, one.commit, one.run_url) for one in found}


@pytest.mark.enable_socket
def test_a_tracks_reports_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All iterations come with subjects and instances, of the requested track."""
    main = Provenance(tool_version="1", track="branch/main", commit="4be1c02")
    recorded = [builders.measured("a/b", 1), builders.measured("a/b", 2), builders.measured("c")]
    other = builders.measured("a/b", 2, {"mmlu.EM": builders.right(10)})
    config = builders.config()
    with (
        WandbServer() as server,
        Session(base_url=server.url, api_key=API_KEY, entity=None) as session,
    ):
        project = WandbProject(session=session, name="llm", tracks=frozenset())
        sink = WandbRuns(config=config, summary_only=True, folder=tmp_path, project=project)
        sink.deliver(builders.report(recorded, provenance=main))
        sink.deliver(builders.report([other], provenance=replace(main, track="pr/7")))
        (found,) = project.recorded("branch/main", {"a/b"})
        whole = project.read_reports(found.reports)
        monkeypatch.setattr(project_models, "REPORT_LIMIT_BYTES", 100)
        too_large = project.read_reports(found.reports)

    assert [("team/llm/helm-report-a-b:v0", tuple(recorded[:2]))] == [
        (one.artifact, one.evaluations) for one in whole
    ]
    assert ["4be1c02"] == [one.commit for one in found.reports]
    assert [] == too_large
    assert [None] == [score.instances for score in found.summary.scores.values()]
