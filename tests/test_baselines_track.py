"""Baselines in a track of W&B, written by the jobs of one workflow or of several."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from helm_wandb.baselines import BaselineMatch, partners
from helm_wandb.baselines.track import search_track
from helm_wandb.model import Evaluation, Provenance, ScoreKey
from helm_wandb.wandb_runs import project_models
from helm_wandb.wandb_runs.layout_names import MARK, run_id
from helm_wandb.wandb_runs.project_models import WandbProject
from helm_wandb.wandb_runs.sdk.session import Session
from helm_wandb.wandb_runs.sink import WandbRuns
from tests import builders
from tests.conftest import ROOT
from tests.waiting import LIMIT_SECONDS
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.enable_socket

MMLU, RAFT = "mmlu.EM", "raft.EM"
CONFIG = builders.config()


@dataclass(frozen=True)
class Track:
    """The track of main in a project."""

    server: WandbServer
    project: WandbProject
    folder: Path

    def write(self, *evaluations: Evaluation, commit: str, run: int = 1) -> None:
        """Write the results of a job."""
        url = f"https://github.test/org/evals/actions/runs/{run}"
        provenance = Provenance(tool_version="1", track="branch/main", commit=commit, run_url=url)
        sink = WandbRuns(config=CONFIG, summary_only=True, folder=self.folder, project=self.project)
        sink.deliver(builders.report(evaluations, provenance=provenance))

    def search(self, *candidates: Evaluation, own_runs: Sequence[int] = ()) -> list[BaselineMatch]:
        """Return all baselines that a job finds."""
        found = list(search_track("main", candidates, self.project, own_runs=own_runs))
        return [one for one in found if isinstance(one, BaselineMatch)]


@pytest.fixture
def track(tmp_path: Path) -> Iterator[Track]:
    """A track without runs."""
    with (
        WandbServer() as server,
        Session(base_url=server.url, api_key=API_KEY, entity=None) as session,
    ):
        yield Track(server, WandbProject(session=session, name="llm", tracks=frozenset()), tmp_path)

        assert [] == server.unknown


def of(key: str, right: int = 50, iteration: int = 1) -> Evaluation:
    """A job's evaluation of one benchmark."""
    return builders.measured("alpha", iteration, {key: builders.right(right)})


def both(mmlu: int = 50, raft: int = 50) -> Evaluation:
    """An evaluation of both benchmarks."""
    values = {MMLU: builders.right(mmlu), RAFT: builders.right(raft)}
    return builders.measured("alpha", 1, values)


def shown(matches: Sequence[BaselineMatch]) -> list[tuple[str | None, dict[str, float]]]:
    """Each baseline's commit and scores."""
    return [
        (one.commit, {str(key): score.value for key, score in evaluation.scores.items()})
        for one in matches
        for evaluation in one.evaluations
    ]


def test_reports_of_two_jobs_are_one_baseline(track: Track) -> None:
    """A pull request that evaluates both benchmarks has one comparison, question by question."""
    track.write(of(MMLU, 60), commit="c1")
    track.write(of(RAFT, 70), commit="c1")
    matches = track.search(both())

    assert [("c1", {RAFT: 0.7, MMLU: 0.6})] == shown(matches)
    (partner,) = partners([both()], *matches)
    assert all(score.instances for score in partner.baseline.scores.values())


def test_only_reports_of_compared_benchmarks_are_named(track: Track) -> None:
    """A run's lineage has what it was compared with, not the rest of the commit."""
    track.write(of(MMLU, 60), commit="c1")
    track.write(of(RAFT, 70), commit="c1")
    mmlu, raft = (f"team/llm/helm-report-alpha:v{number}" for number in (0, 1))

    assert [{mmlu}, {raft}, {mmlu, raft}] == [
        set(partner.baseline_label.artifacts)
        for candidate in (of(MMLU), of(RAFT), both())
        for partner in partners([candidate], *track.search(candidate))
    ]


def test_a_job_that_runs_again_replaces_its_report(track: Track) -> None:
    """It changes nothing of the other job's."""
    track.write(of(MMLU, 60), commit="c1")
    track.write(of(RAFT, 70), commit="c1")
    track.write(of(MMLU, 55), commit="c1")

    assert [("c1", {MMLU: 0.55, RAFT: 0.7})] == shown(track.search(both()))


def test_until_a_job_has_ended_its_last_report_serves(track: Track) -> None:
    """While main is evaluated, a pull request's benchmarks have the baselines that there are."""
    for commit, right in (("c1", 60), ("c2", 65)):
        track.write(of(MMLU, right), commit=commit)
        if commit == "c1":
            track.write(of(RAFT, 70), commit=commit)
    matches = track.search(both())

    assert [("c2", {MMLU: 0.65}), ("c1", {RAFT: 0.7})] == shown(matches)


def test_older_reports_are_read_on_demand(track: Track) -> None:
    """If the newest commit has a baseline for everything, no other report is read."""
    track.write(of(RAFT), commit="c1")
    track.write(of(MMLU), commit="c2")
    before = len(track.server.requests)
    search = search_track("main", [of(MMLU)], track.project, own_runs=())
    next(search)
    first = len(track.server.requests)
    next(search)

    assert before < first < len(track.server.requests)


def test_a_matrix_over_checkpoints_keeps_each(track: Track) -> None:
    """Each job's checkpoint is compared with the same one."""
    track.write(of(MMLU, 60, 2000), commit="c1")
    track.write(of(MMLU, 50, 1000), commit="c1")
    matches = track.search(of(MMLU))

    assert {(1000, 0.5), (2000, 0.6)} == {
        (one.iteration, score.value)
        for match in matches
        for one in match.evaluations
        for score in one.scores.values()
    }
    track.write(of(MMLU, 70, 3000), commit="c2")
    assert [("c2", {MMLU: 0.7})] == shown(track.search(of(MMLU)))


def with_subject(name: str, value: float) -> Evaluation:
    """A job's evaluation of one subject."""
    return builders.evaluation("alpha", 1, {MMLU: value}, subjects={MMLU: {name: value}})


def test_jobs_with_other_subjects_find_their_own(track: Track) -> None:
    """One job over all subjects is compared with both reports, a job of the matrix with its own."""
    track.write(with_subject("law", 0.25), commit="c1")
    track.write(with_subject("art", 0.75), commit="c1")
    matches = track.search(with_subject("law", 0.5))
    (partner,) = partners([with_subject("law", 0.5)], *matches)
    whole = matches[0].evaluations[0].scores[ScoreKey.parse(MMLU)]

    assert (0.5, {"law", "art"}) == (whole.value, set(whole.subjects))
    assert "track branch/main in W&B, one job's report" == partner.baseline_label.origin
    assert [0.25] == [score.value for score in partner.baseline.scores.values()]


def test_a_run_is_not_its_own_baseline(track: Track) -> None:
    """If one job of the run has ended, the next is compared with the last reports of other runs."""
    track.write(both(60, 70), commit="c1", run=1)
    track.write(of(MMLU, 40), commit="c2", run=2)

    assert [("c1", {MMLU: 0.6, RAFT: 0.7})] == shown(track.search(both(), own_runs=[2]))
    assert [] == track.search(both(), own_runs=[1, 2])


def test_a_report_without_an_alias_of_its_part_is_read(track: Track) -> None:
    """A record that lists no report leaves the track's alias, which older versions wrote alone."""
    track.write(of(MMLU, 60), commit="c1")
    name = run_id("branch/main", "alpha", "summary")
    run = track.server.runs("llm")[name]
    summary = {key: value for key, value in run.summary.items() if key != MARK}
    track.server.add_run(
        "llm", name, group="alpha", tags=run.tags, config=run.config, summary=summary
    )
    (match,) = track.search(of(MMLU))

    assert "c1" == match.commit
    assert all(score.instances for score in match.evaluations[0].scores.values())


def test_an_unreadable_report_leaves_the_summary(
    track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Models of one commit are one baseline, without per-instance scores."""
    track.write(of(MMLU, 60), replace(of(MMLU), model="beta"), commit="c1")
    sizes = [
        len(file)
        for versions in track.server.artifacts("llm").values()
        for one in versions
        for file in one.files.values()
    ]
    monkeypatch.setattr(project_models, "REPORT_LIMIT_BYTES", min(sizes) - 1)
    (match,) = track.search(of(MMLU), replace(of(MMLU), model="beta"))

    assert ("c1", {"alpha", "beta"}) == (match.commit, {one.model for one in match.evaluations})
    assert [None, None] == [
        score.instances for one in match.evaluations for score in one.scores.values()
    ]


def begin_job(
    folder: Path, server: WandbServer, tree: Path, benchmarks: Sequence[str], **environ: str
) -> subprocess.Popen[str]:
    """Start the action in a folder, on HELM's output of some benchmarks."""
    folder.mkdir()
    (folder / "trees").symlink_to(tree.parent)
    entry = {
        "eval_type": "helm",
        "helm_output_dir": f"trees/{tree.name}",
        "helm_suite_name": "nightly",
        "benchmarks": [{"name": name, "metrics": ["EM"]} for name in benchmarks],
    }
    (folder / "config.yaml").write_text(json.dumps({"project": "llm", "evals": [entry]}))
    base = {"ref": "main", "sha": "c1", "repo": {"full_name": "org/evals"}}
    change = {"number": 7, "base": base, "head": {**base, "ref": "change", "sha": "c2"}}
    payload = {"repository": {"default_branch": "main"}, "pull_request": change}
    (folder / "event.json").write_text(json.dumps(payload))
    return subprocess.Popen(
        [sys.executable, "-E", str(ROOT / "entrypoint.py")],
        cwd=folder,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_PATH": "event.json",
            "GITHUB_REPOSITORY": "org/evals",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_SERVER_URL": "https://github.test",
            "INPUT_BASELINE": "wandb",
            "INPUT_COMMENT": "off",
            "INPUT_CONFIG": "config.yaml",
            "INPUT_SUMMARY-ONLY": "true",
            "INPUT_WANDB-API-KEY": API_KEY,
            "INPUT_WANDB-BASE-URL": server.url,
            **environ,
        },
        stdout=subprocess.PIPE,
        text=True,
    )


def test_jobs_at_once_are_one_baseline_of_a_pull_request(tmp_path: Path, helm_trees: Path) -> None:
    """Two jobs of main split the benchmarks; one that runs again writes no report."""
    push = {
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_REF_NAME": "main",
        "GITHUB_REF_TYPE": "branch",
        "GITHUB_RUN_ID": "1",
        "GITHUB_SHA": "c1",
    }
    pull = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_RUN_ID": "2", "GITHUB_SHA": "m2"}
    main, change = helm_trees / "baseline", helm_trees / "candidate"
    with WandbServer() as server:
        jobs = [
            begin_job(tmp_path / name, server, main, [name], **push) for name in ("boolq", "mmlu")
        ]
        printed = [job.communicate(timeout=LIMIT_SECONDS)[0] for job in jobs]
        again = begin_job(tmp_path / "again", server, main, ["boolq"], **push)
        printed.append(again.communicate(timeout=LIMIT_SECONDS)[0])
        (written,) = server.artifacts("llm").values()
        job = begin_job(tmp_path / "pull", server, change, ["boolq", "mmlu"], **pull)
        printed.append(job.communicate(timeout=LIMIT_SECONDS)[0])
        unknown = server.unknown
    report: dict[str, Any] = json.loads((tmp_path / "pull/helm-wandb-report.json").read_text())
    (comparison,) = report["comparisons"]

    assert [0] * 4 == [one.returncode for one in (*jobs, again, job)], printed
    assert (2, []) == (len(written), unknown)
    assert ("track branch/main in W&B", "c1") == (
        comparison["baseline"]["origin"],
        comparison["baseline"]["commit"],
    )
    assert {"boolq.EM": "regressed", "mmlu.EM": "improved"} == {
        delta["metric"]: delta["verdict"] for delta in comparison["deltas"]
    }
