"""A week of a repository: main is evaluated, then pull requests, a fork's, and its comment."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from operator import methodcaller
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb import action
from helm_wandb.runner.inputs import INPUTS
from tests.conftest import ROOT
from tests.github_server import TOKEN, GithubServer
from tests.inspect_builders import log, write_eval
from tests.lm_eval_builders import write_run
from tests.repository_in_memory import packed
from tests.test_action import outputs
from tests.test_cli import helm, write_config
from tests.wandb_server import API_KEY, WandbServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.enable_socket

NAME = "org/evals"
FIRST, BASE, HEAD, MERGE, FORKED, FORK_MERGE, SQUASHED = (digit * 40 for digit in "1234567")
FORK_TOKEN = "a-token-that-only-reads"  # noqa: S105 -- of a server that is gone with the test
OWN: dict[str, Any] = {"head_sha": HEAD, "head_branch": "change", "merge_sha": MERGE}
STRANGERS: dict[str, Any] = {
    "head_sha": FORKED,
    "head_branch": "change",
    "head_repository": "stranger/evals",
    "merge_sha": FORK_MERGE,
}
REPOSITORY = {"default_branch": "main", "full_name": NAME}


@dataclass(frozen=True)
class Week:
    """A repository, and the machine of its one runner."""

    server: GithubServer
    folder: Path

    def run(
        self, event: str, tree: str | None, sha: str, *, payload: dict[str, Any] | str, **more: str
    ) -> dict[str, Any]:
        """What a workflow's run came to: exit code, outputs, summary and report.

        tree: the HELM output that its earlier steps left; None: there is none.
        """
        done = self.broken(event, sha, payload, tree=tree, **more)
        report = json.loads((self.folder / "helm-wandb-report.json").read_text())
        return {**done, "report": report}

    def broken(
        self,
        event: str,
        sha: str,
        payload: dict[str, Any] | str,
        *,
        tree: str | None = None,
        **more: str,
    ) -> dict[str, Any]:
        """Run the action; return its exit code, summary and outputs."""
        for name in ("output", "summary.md"):
            (self.folder / name).write_text("")
        text = (
            payload
            if isinstance(payload, str)
            else json.dumps({"repository": REPOSITORY, **payload})
        )
        (self.folder / "event.json").write_text(text)
        if tree:
            write_config(self.folder, helm(tree, "nightly"))
        environ = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.server.url,
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": "event.json",
            "GITHUB_GRAPHQL_URL": f"{self.server.url}/graphql",
            "GITHUB_JOB": "evaluate",
            "GITHUB_OUTPUT": "output",
            "GITHUB_REF_NAME": "main",
            "GITHUB_REF_TYPE": "branch",
            "GITHUB_REPOSITORY": NAME,
            "GITHUB_REPOSITORY_OWNER": "org",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_RUN_ID": "900",
            "GITHUB_SERVER_URL": "https://github.test",
            "GITHUB_SHA": sha,
            "GITHUB_STEP_SUMMARY": "summary.md",
            "GITHUB_WORKFLOW": "Evaluate",
            "INPUT_CONFIG": "config.yaml" if tree else "",
            "INPUT_GITHUB-TOKEN": TOKEN,
            **more,
        }
        code = action.main(environ, root=ROOT)
        return {
            "exit code": code,
            "summary": (self.folder / "summary.md").read_text(),
            **outputs({"GITHUB_OUTPUT": str(self.folder / "output")}),
        }

    def push(self, sha: str = BASE) -> dict[str, Any]:
        """Evaluate main, and keep the report as the workflow's artifact."""
        done = self.run("push", "baseline", sha, payload={"before": FIRST})
        self.keep_report(sha)
        return done

    def keep_report(
        self, sha: str, *, expired: bool = False, name: str = "helm-wandb-report"
    ) -> None:
        """Upload the report of a commit as the workflow's artifact."""
        run = self.server.seed.run(NAME, head_sha=sha, number=1893)
        report = (self.folder / "helm-wandb-report.json").read_bytes()
        self.server.seed.artifact(
            NAME,
            run,
            name,
            packed({"helm-wandb-report.json": report}),
            expired=expired,
        )

    def pull(
        self, tree: str = "candidate", *, event: str | None = None, **more: str
    ) -> dict[str, Any]:
        """Evaluate the pull request of a branch.

        event: the runner's file, where it is not what GitHub sends.
        """
        payload = pull_request(7, HEAD, NAME) if event is None else event
        return self.run("pull_request", tree, MERGE, payload=payload, **more)

    def fork(self) -> dict[str, Any]:
        """Evaluate the pull request of a fork, whose token only reads."""
        payload = pull_request(8, FORKED, "stranger/evals")
        read_only = {"INPUT_GITHUB-TOKEN": FORK_TOKEN}
        return self.run("pull_request", "candidate", FORK_MERGE, payload=payload, **read_only)

    def merged(
        self, merged_by: str, *, event: str = "pull_request", sha: str = SQUASHED, **more: str
    ) -> dict[str, Any]:
        """Evaluate the pull request as it is closed; merged_by: what the payload names."""
        payload = pull_request(7, HEAD, NAME)
        payload["pull_request"] |= {
            "merged_at": "2026-01-02T00:00:00Z",
            "merge_commit_sha": merged_by,
        }
        return self.run(event, "candidate", sha, payload=payload, GITHUB_RUN_ID="960", **more)

    def follow_up(self, *, run: Any = None, **more: str) -> dict[str, Any]:
        """Publish what the fork's run left, in a workflow of the default branch.

        run: fields of the evaluated run, if it isn't the fork's.
        """
        report = (self.folder / "helm-wandb-report.json").read_bytes()
        (self.folder / "theirs.json").write_bytes(report)
        other = {
            "id": 901,
            "run_number": 1,
            "repository": _repository(NAME),
            "event": "pull_request",
            "head_sha": FORKED,
            "head_branch": "change",
            "head_repository": _repository("stranger/evals"),
            **(run or {}),
        }
        given = {"INPUT_FROM-REPORT": "theirs.json", "GITHUB_RUN_ID": "902", **more}
        return self.run("workflow_run", None, BASE, payload={"workflow_run": other}, **given)

    def comments(self, number: int) -> list[str]:
        """The texts in a pull request's conversation."""
        return [comment.body for comment in self.server.comments(NAME, number)]


def pull_request(number: int, head: str, repository: str) -> dict[str, Any]:
    """The payload of its event."""
    return {
        "pull_request": {
            "number": number,
            "base": {"ref": "main", "sha": FIRST, "repo": _repository(NAME)},
            "head": {"ref": "change", "sha": head, "repo": _repository(repository)},
            "labels": [],
        }
    }


def _repository(name: str) -> dict[str, Any]:
    owner = name.partition("/")[0]
    return {"id": sum(owner.encode()), "full_name": name, "owner": {"login": owner}}


@pytest.fixture
def week(workspace: Path) -> Iterator[Week]:
    """A repository with main, an own pull request, and one of a fork."""
    with GithubServer() as server:
        seed = server.seed
        seed.repository(NAME)
        seed.history(NAME, [FIRST, BASE])
        seed.commit(NAME, HEAD, parents=[FIRST], branch="change")
        seed.commit(NAME, MERGE, parents=[BASE, HEAD])
        seed.pull_request(NAME, 7, **OWN)
        seed.repository("stranger/evals", fork_of=NAME)
        seed.commit("stranger/evals", FORKED, parents=[BASE], branch="change")
        seed.commit(NAME, FORK_MERGE, parents=[BASE, FORKED])
        seed.pull_request(NAME, 8, **STRANGERS)
        seed.token(FORK_TOKEN, permissions={"pull-requests": "read", "actions": "read"})
        yield Week(server, workspace)

        assert [] == server.violations
        assert [] == server.leaks


def deltas(done: dict[str, Any]) -> dict[str, tuple[str, float]]:
    """Metric → verdict and difference, of a run's one comparison."""
    (comparison,) = done["report"]["comparisons"]
    return {one["metric"]: (one["verdict"], one["delta"]) for one in comparison["deltas"]}


def test_the_first_push_says_how_to_get_a_baseline(
    week: Week, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing baseline is reported once, and is no fault."""
    done = week.push()

    assert (0, "no_baseline") == (done["exit code"], done["verdict"])
    assert "There is no baseline." in done["summary"]
    assert 1 == capsys.readouterr().out.count("::warning")


def test_a_pull_request_with_every_output(week: Week) -> None:
    """The comment links the saved view in W&B; the badge and the HTML report are written.

    The run in W&B uses the evaluated model's artifact, and the report that it was compared with.
    """
    with WandbServer() as server:
        model = server.add_artifact("models", "assistant", "model")
        in_wandb = {
            "INPUT_WANDB-API-KEY": API_KEY,
            "INPUT_WANDB-BASE-URL": server.url,
            "INPUT_SUMMARY-ONLY": "true",
        }
        week.run("push", "baseline", BASE, payload={"before": FIRST}, **in_wandb)
        ((baseline,),) = server.artifacts("test").values()
        done = week.pull(
            **in_wandb,
            **{
                "GITHUB_RUN_ID": "901",
                "INPUT_BASELINE": "wandb",
                "INPUT_WANDB-MODEL-ARTIFACT": "team/models/assistant:latest",
                "INPUT_WANDB-VIEW": "true",
                "INPUT_BADGE": "badge.json",
                "INPUT_HTML": "report.html",
            },
        )
        (view,) = server.views("test")
        (pushed, pulled) = server.runs("test").values()
        assert [] == server.unknown
    (comment,) = week.comments(7)
    badge = json.loads((week.folder / "badge.json").read_text())
    filters = json.loads(view.spec)["section"]["runSets"][0]["filters"]["filters"]

    assert (0, f"{server.url}/team/test?nw=helmwandbaction") == (
        done["exit code"],
        done["wandb-url"],
    )
    # As entities, which a browser shows as they were.
    assert "nw=helmwandbaction" in html.unescape(comment)
    assert ["branch/main"] == filters[0]["value"]
    assert ((), {model, baseline.id}) == (pushed.used_artifacts, set(pulled.used_artifacts))
    assert "regressed" == pulled.summary["verdict"] == done["verdict"]
    assert ("acme/assistant", "red") == (badge["label"], badge["color"])
    assert "<!doctype html>" in (week.folder / "report.html").read_text()


EVERY_INPUT = {
    "config": "config.yaml",
    "wandb-api-key": API_KEY,
    "wandb-model-artifact": "team/models/assistant:latest",
    "wandb-view": "true",
    "github-token": TOKEN,
    "print-only": "false",
    "summary-only": "false",
    "comment": "update",
    "comment-key": "assistant",
    "baseline": "auto",
    "baseline-artifact": "helm-wandb-report",
    "on-missing-baseline": "fail",
    "fail-on": "regression",
    "accept-label": "accepted",
    "on-sink-error": "fail",
    "report": "helm-wandb-report.json",
    "html": "report.html",
    "badge": "badge.json",
}


def write_exam(folder: Path, *, law: int, arc: int, missed: int) -> None:
    """Write lm-eval's output for the model of the HELM trees: a task, and a group of two.

    law, arc: how many of 100 questions are answered right.
    missed: how many of these this run answers wrong.
    """

    def answers(right: int) -> list[int]:
        return [int(missed <= at < right) for at in range(100)]

    tasks = {"arc": answers(arc), "exam_law": answers(law), "exam_art": answers(70)}

    def change(results: dict[str, Any]) -> None:
        mean = (sum(tasks["exam_law"]) + sum(tasks["exam_art"])) / 200
        results["results"]["exam"] = {"acc,none": mean, "acc_stderr,none": "N/A"}
        results["group_subtasks"] = {"exam": ["exam_law", "exam_art"]}

    write_run(folder, tasks, model="acme/assistant", change=change)


def write_evaluations(folder: Path, tree: str, *, law: int, arc: int) -> None:
    """Write three runs of lm-eval, and the config that reads them and a tree of HELM's."""
    for name, missed in (("first", 0), ("second", 1), ("third", 1)):
        write_exam(folder / "exam" / name, law=law, arc=arc, missed=missed)
    exam = {
        "eval_type": "lm_eval",
        "lm_eval_output_dir": "exam/first",
        "repeats": ["exam/*"],
        "benchmarks": [{"name": name, "metrics": ["acc"]} for name in ("arc", "exam")],
    }
    write_config(
        folder,
        helm(tree, "nightly"),
        exam,
        leaderboard=True,
        leaderboard_metrics=["mmlu.EM", "boolq.EM"],
        compare={
            "baseline_reports": 2,
            "min_effect": "1pp",
            "floor": {"hellaswag.EM": 0.5},
            "warn_only": ["arc"],
        },
    )


def write_with_every_input(week: Week, server: WandbServer) -> dict[str, Any]:
    """Evaluate two commits of main, then the pull request; return what that came to."""
    given = {f"INPUT_{name.upper()}": value for name, value in EVERY_INPUT.items()}
    given["INPUT_WANDB-BASE-URL"] = server.url
    assert given.keys() == {f"INPUT_{one.name.upper()}" for one in INPUTS} - {"INPUT_FROM-REPORT"}
    write_evaluations(week.folder, "baseline", law=60, arc=80)
    # The first one has no baseline; for speed, it doesn't write to W&B either.
    first = {"INPUT_ON-MISSING-BASELINE": "warn", "INPUT_PRINT-ONLY": "true"}
    for at, (commit, more) in enumerate([(FIRST, first), (BASE, {})]):
        run = given | more | {"GITHUB_RUN_ID": str(801 + at)}
        assert 0 == week.run("push", None, commit, payload={"before": FIRST}, **run)["exit code"]
        week.keep_report(commit)
    write_evaluations(week.folder, "candidate", law=40, arc=60)
    payload = pull_request(7, HEAD, NAME)
    payload["pull_request"]["labels"] = [{"name": "accepted"}]
    return week.run("pull_request", None, MERGE, payload=payload, **given)


def test_a_pull_request_with_every_input(week: Week, golden: Callable[[str, str], None]) -> None:
    """Two harnesses, repeats, subjects, an accepted regression, and a model of the project.

    All that is written: the comment, outputs, files, and what W&B holds, read back.
    """
    week.server.seed.pull_request(NAME, 7, **OWN, labels=["accepted"])
    with WandbServer() as server:
        model = server.add_artifact("models", "assistant", "model")
        server.add_run(
            "test",
            "rival",
            group="acme/rival",
            tags=["evaluate", "summary"],
            config={"model": "acme/rival", "track": "branch/main"},
            summary={"mmlu": {"EM": 0.6}, "boolq": {"EM": 0.65}, "iteration": 0},
        )
        done = write_with_every_input(week, server)
        runs = {
            run.display_name: run
            for run in server.runs("test").values()
            if run.config["track"] == "pr/7"
        }
        (reports,) = server.artifacts("test").values()
        assert [] == server.unknown
    (comment,) = week.comments(7)
    body = re.sub(r"http://localhost:\d+", "https://github.test", comment)
    golden("comment_with_every_input.md", body.replace(html.escape(server.url), "https://w.test"))
    summary = runs["summary"]
    table = json.loads(
        runs["leaderboard"].files[runs["leaderboard"].summary["leaderboard"]["path"]]
    )

    assert (0, "regressed", "3", "1", f"{server.url}/team/test?nw=helmwandbaction") == tuple(
        done[name] for name in ("exit code", "verdict", "regressions", "improvements", "wandb-url")
    )
    assert {"arc", "boolq", "exam", "leaderboard", "summary"} <= runs.keys()
    assert ("regressed", 3, 1) == tuple(
        summary.summary[name] for name in ("verdict", "regressions", "improvements")
    )
    assert (model,) == summary.used_artifacts
    assert [["branch-main"], ["pr-7"]] == [
        [alias for alias in one.aliases if alias in {"branch-main", "pr-7"}] for one in reports
    ]
    assert ["acme/rival", "acme/assistant"] == [row[1] for row in table["data"]]
    assert "red" == json.loads((week.folder / "badge.json").read_text())["color"]
    assert "boolq" in (week.folder / "report.html").read_text()


def test_the_report_of_main_hands_its_history_on(week: Week) -> None:
    """Each push to main adds a point to the report before; the comment shows them as a trend."""
    first = week.run("push", "baseline", FIRST, payload={"before": "0" * 40})
    week.keep_report(FIRST)
    second = week.push()
    pulled = week.pull()
    (comment,) = week.comments(7)
    counts = [
        {len(one["points"]) for one in done["report"]["history"]}
        for done in (first, second, pulled)
    ]
    (boolq,) = [one for one in pulled["report"]["history"] if one["metric"] == "boolq.EM"]

    assert [{1}, {2}, {3}] == counts
    assert [FIRST, BASE, HEAD] == [point["commit"] for point in boolq["points"]]
    assert all(point["standard_error"] > 0 for point in boolq["points"])
    assert "over the last 3 runs" in comment


def test_a_forks_report_adds_nothing_to_the_history(week: Week) -> None:
    """The run that publishes it takes the history of main, and recomputes the last point."""
    week.push()
    week.fork()
    path = week.folder / "helm-wandb-report.json"
    forged = json.loads(path.read_text())
    forged["history"] = [{**one, "points": one["points"] * 5} for one in forged["history"]]
    path.write_text(json.dumps(forged))
    done = week.follow_up()

    assert {2} == {len(one["points"]) for one in done["report"]["history"]}


def test_the_pull_request_is_compared_with_main(week: Week) -> None:
    """The baseline is the report of the commit that it was merged with; the comment says so."""
    week.push()
    done = week.pull()

    assert (0, "regressed", "1", "1") == tuple(
        done[name] for name in ("exit code", "verdict", "regressions", "improvements")
    )
    assert "main@2222222" == done["baseline"]
    assert "artifact of run 1893, of the base commit" in done["summary"]
    (comment,) = week.server.comments(NAME, 7)
    assert f"main&#64;<!-- -->2222222</code>](<https://github.test/{NAME}/commit/{BASE}>)" in (
        comment.body
    )
    assert done["comment-url"].endswith(f"/pull/7#issuecomment-{comment.id}")


def write_lm_eval(folder: Path, values: list[int]) -> None:
    """Write lm-eval's output, in place of what is there."""
    write_run(folder / "m", {"arc": values})


def write_inspect(folder: Path, values: list[int]) -> None:
    """Write a log of Inspect, in place of what is there."""
    write_eval(folder, log(values, task="arc"))


@pytest.mark.parametrize(
    ("harness", "key", "write", "metric", "question"),
    [
        (
            *("lm_eval", "lm_eval_output_dir", write_lm_eval),
            *("arc.acc,none", "Passage 0. Is 0 an even number?"),
        ),
        (
            *("inspect", "inspect_log_dir", write_inspect),
            *("arc.match.accuracy", "Story 0. What is 0 + 1?"),
        ),
    ],
)
def test_output_of_other_harnesses_is_compared_with_main(  # noqa: PLR0913, PLR0917 -- rows of one table
    week: Week,
    harness: str,
    key: str,
    write: Callable[[Path, list[int]], None],
    metric: str,
    question: str,
) -> None:
    """The comment has the regression of a task and the questions that it lost; the job fails."""
    given = {"INPUT_CONFIG": "config.yaml", "INPUT_FAIL-ON": "regression"}
    write_config(week.folder, {"eval_type": harness, key: "evaluated"})
    write(week.folder / "evaluated", [1] * 200)
    week.run("push", None, BASE, payload={"before": FIRST}, **given)
    week.keep_report(BASE)
    write(week.folder / "evaluated", [0] * 40 + [1] * 160)
    done = week.run("pull_request", None, MERGE, payload=pull_request(7, HEAD, NAME), **given)

    assert (4, "regressed", "main@2222222") == (
        done["exit code"],
        done["verdict"],
        done["baseline"],
    )
    assert {metric: ("regressed", -0.2)} == {
        name: (verdict, round(delta, 9)) for name, (verdict, delta) in deltas(done).items()
    }
    (comment,) = week.comments(7)
    assert "arc" in comment
    assert question in comment


def test_a_baseline_is_the_mean_of_the_last_reports(week: Week) -> None:
    """An expired report and one with other settings are passed over; the comment names the rest."""
    commits = [digit * 40 for digit in "abcde"]
    merge = "f" * 40
    week.server.seed.history(NAME, commits)
    week.server.seed.commit(NAME, merge, parents=[commits[-1], HEAD])
    week.server.seed.pull_request(NAME, 7, **{**OWN, "merge_sha": merge})
    entry = {"eval_type": "lm_eval", "lm_eval_output_dir": "results"}
    write_config(week.folder, entry, compare={"baseline_reports": 3})
    given = {"INPUT_CONFIG": "config.yaml"}
    for at, (commit, gained) in enumerate(zip(commits, (1, 3, 9, 9, 4), strict=True)):
        # Of its last questions, main answers all; the pull request only every second pair.
        values = [int(number % 4 < 2 or number >= 200 - gained) for number in range(200)]
        shots = {"n-shot": {"arc": 5 if at == 3 else 0}}
        change = methodcaller("update", shots)
        write_run(week.folder / "results/m", {"arc": values}, change=change)
        week.run("push", None, commit, payload={"before": FIRST}, **given)
        week.keep_report(commit, expired=at == 2)
    write_run(week.folder / "results/m", {"arc": [int(number % 4 < 2) for number in range(200)]})
    done = week.run("pull_request", None, merge, payload=pull_request(7, HEAD, NAME), **given)
    (one,) = done["report"]["comparisons"]
    (delta,) = one["deltas"]

    assert one["baseline"]["origin"].endswith("; averaged with bbbbbbb, aaaaaaa")
    assert (101 + 102 + 102) / 600 == pytest.approx(delta["baseline"])
    assert (200, 0, 2) == (delta["n"], delta["better"], delta["worse"])
    (comment,) = week.comments(7)
    assert "averaged with bbbbbbb, aaaaaaa" in comment.replace("<!-- -->", "")
    assert "50.8 → 50.0 | −3.1 to +0.7 | 2 worse" in comment.replace("\N{NO-BREAK SPACE}", " ")


def test_the_comment_is_kept_up_to_date(week: Week) -> None:
    """The same results write nothing; other ones change the one comment; no second is there."""
    week.push()
    week.pull()
    first = week.comments(7)
    writes = len(week.server.writes)
    week.pull()

    assert (first, writes) == (week.comments(7), len(week.server.writes))
    week.pull("baseline", GITHUB_RUN_ID="950")
    (second,) = week.comments(7)
    assert second != first[0]
    assert "no regression" in second


def test_a_fork_has_its_changes_in_the_summary(
    week: Week, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a token that only reads: the same deltas, exit 0, a notice, and no comment."""
    week.push()
    own = week.pull()
    capsys.readouterr()
    done = week.fork()

    assert (0, deltas(own)) == (done["exit code"], deltas(done))
    assert "| ▼\N{NO-BREAK SPACE}−13.0" in done["summary"]
    assert [] == week.comments(8)
    assert "::notice title=helm-wandb-action::pull request comment: " in capsys.readouterr().out


def test_the_job_fails_in_a_fork_as_well(week: Week) -> None:
    """A comment that can't be posted doesn't change the exit code."""
    week.push()

    assert 4 == week.pull(**{"INPUT_FAIL-ON": "regression"})["exit code"]


def test_the_follow_up_posts_the_forks_comment(week: Week) -> None:
    """The trusted workflow recomputes everything and comments on the fork's pull request."""
    week.push()
    fork = week.fork()
    done = week.follow_up()

    assert (0, deltas(fork)) == (done["exit code"], deltas(done))
    (body,) = week.comments(8)
    assert "boolq −13.0\xa0pp, hellaswag +15.0\xa0pp" in body
    assert "main@2222222" in body.replace("<!-- -->", "").replace("&#64;", "@")
    assert "pr/8" == done["report"]["provenance"]["track"]


def test_nothing_of_a_forks_report_is_believed(week: Week) -> None:
    """Verdict, links, notes and ranks that the fork wrote are nowhere in what is published."""
    week.push()
    week.fork()
    path = week.folder / "helm-wandb-report.json"
    theirs = json.loads(path.read_text())
    theirs.update(
        verdict="improved",
        headline="OWNED",
        notes=["OWNED"],
        links={"OWNED": "https://evil.test"},
        comparisons=[],
        provenance={**theirs["provenance"], "track": "branch/main", "pull_request": 7},
    )
    path.write_text(json.dumps(theirs))
    done = week.follow_up()

    assert "regressed" == done["verdict"]
    assert [] == week.comments(7)
    (body,) = week.comments(8)
    output = (body, done["summary"], json.dumps(done["report"]))
    assert [] == [text for text in output if "OWNED" in text or "evil.test" in text]


def test_a_label_that_was_set_since_opens_the_gate(week: Week) -> None:
    """A job that is run again has its first run's payload, so the labels come from GitHub's API."""
    week.push()
    inputs = {"INPUT_FAIL-ON": "regression", "INPUT_ACCEPT-LABEL": "accept"}
    first = week.pull(**inputs)
    week.server.seed.pull_request(NAME, 7, **OWN, labels=["accept"])

    assert (4, 0) == (first["exit code"], week.pull(**inputs)["exit code"])


@pytest.mark.parametrize("comment", ["off", "update"])
def test_a_forks_state_is_reported_without_a_comment_too(week: Week, comment: str) -> None:
    """Track and label of the pull request are those that GitHub names, whatever is posted."""
    week.push()
    week.fork()
    week.server.seed.pull_request(NAME, 8, **STRANGERS, labels=["accept"])
    inputs = {"INPUT_FAIL-ON": "regression", "INPUT_ACCEPT-LABEL": "accept"}
    done = week.follow_up(**inputs, INPUT_COMMENT=comment)

    assert (0, "pr/8") == (done["exit code"], done["report"]["provenance"]["track"])
    assert len(week.comments(8)) == (comment == "update")


def test_a_pull_request_that_moved_on_is_reported(
    week: Week, capsys: pytest.CaptureFixture[str]
) -> None:
    """If the fork pushed again meanwhile there is no comment, and a notice says why."""
    week.push()
    week.fork()
    week.server.seed.commit("stranger/evals", "7" * 40, parents=[FORKED], branch="change")
    week.server.seed.pull_request(NAME, 8, **{**STRANGERS, "head_sha": "7" * 40})

    assert 0 == week.follow_up()["exit code"]
    assert [] == week.comments(8)
    assert (
        "::pull request comment: no open pull request has the evaluated commit"
        in capsys.readouterr().out
    )


def test_a_run_that_read_nothing_takes_back_the_comment(week: Week) -> None:
    """What the comment said of an older state goes, and the reason stands there; none is new."""
    week.push()
    week.pull()
    (week.folder / "helm-wandb-report.json").unlink()
    missing = {
        "INPUT_CONFIG": "gone.yaml",
        "INPUT_REPORT": "other.json",
        "GITHUB_RUN_ID": "950",
    }
    broken = week.broken("pull_request", MERGE, pull_request(7, HEAD, NAME), **missing)

    assert (2, "", "") == (broken["exit code"], broken["verdict"], broken["report-path"])
    (body,) = week.comments(7)
    assert "gone.yaml" in body
    assert "regress" not in body
    week.broken("pull_request", FORK_MERGE, pull_request(8, FORKED, "stranger/evals"), **missing)
    assert [] == week.comments(8)


@pytest.mark.parametrize("content", ["", "[]", "null", "[" * 100_000, "{"])
def test_an_event_that_cannot_be_read_is_reported_once(
    week: Week, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run goes on by the variables, and finds its pull request by the ref."""
    week.push()
    capsys.readouterr()
    done = week.pull(event=content, GITHUB_REF="refs/pull/7/merge")

    assert 0 == done["exit code"]
    assert 1 == len(week.comments(7))
    output = capsys.readouterr().out
    assert 1 == output.count("::warning title=helm-wandb-action::the event at event.json cannot be")


def test_a_comment_that_is_off_asks_nothing(week: Week) -> None:
    """With comment: off and baseline: none there is no request to GitHub."""
    done = week.pull(INPUT_COMMENT="off", INPUT_BASELINE="none")

    assert (0, []) == (done["exit code"], week.server.requests)


def test_without_a_token_there_is_the_summary(week: Week) -> None:
    """Without a token, baseline and comment are left out, and a note says why."""
    done = week.pull(**{"INPUT_GITHUB-TOKEN": ""})

    assert (0, "no_baseline") == (done["exit code"], done["verdict"])
    assert "github-token" in done["summary"].replace("<!-- -->", "")
    assert [] == week.server.requests


def test_a_squashed_pull_request_is_compared_with_main_before_it(week: Week) -> None:
    """On `closed`, the commit that squashed it has one parent: main's commit before the merge."""
    week.push()
    week.server.seed.history(NAME, [SQUASHED])
    week.server.seed.pull_request(NAME, 7, **OWN, state="closed", merged=True)
    for event, sha in (("pull_request", SQUASHED), ("pull_request_target", BASE)):
        done = week.merged(SQUASHED, event=event, sha=sha, GITHUB_REF_NAME="main")

        assert (0, "regressed") == (done["exit code"], done["verdict"])
        assert "artifact of run 1893, of the commit before the merge" in done["summary"]


def test_main_was_evaluated_only_since(week: Week) -> None:
    """Main's first report is newer than the commit that the pull request was merged with."""
    week.server.seed.history(NAME, [SQUASHED])
    week.push(SQUASHED)
    summary = week.pull()["summary"].replace("<!-- -->", "")

    assert (
        f"That of main&#64;{SQUASHED[:7]} is newer than the base commit: merge main into the "
        "branch, or rebase it."
    ) in summary
    assert "To get one" not in summary


def test_a_forged_merge_leads_to_no_planted_baseline(week: Week) -> None:
    """A payload that names a fork's commit as the merge finds only what the own main left."""
    week.push()
    stranger = "stranger/evals"
    week.server.seed.commit(stranger, SQUASHED, parents=[FORKED], branch="main")
    run = week.server.seed.run(NAME, head_sha=FORKED, head_repository=stranger, number=1900)
    planted = (week.folder / "helm-wandb-report.json").read_bytes()
    week.server.seed.artifact(NAME, run, "helm-wandb-report", packed({"report.json": planted}))
    done = week.merged(SQUASHED)

    assert "artifact of run 1893, 1 commit behind the commit before the merge" in done["summary"]
    assert "1900" not in done["summary"]


def test_a_finished_comparison_outlives_the_baseline(
    week: Week, capsys: pytest.CaptureFixture[str]
) -> None:
    """If the run on `closed` finds no baseline, the comment keeps the comparison, with a notice."""
    week.push()
    week.pull()
    compared = week.comments(7)
    capsys.readouterr()
    done = week.merged(HEAD, **{"INPUT_BASELINE-ARTIFACT": "another"})

    assert (0, "no_baseline") == (done["exit code"], done["verdict"])
    assert compared == week.comments(7)
    assert "::notice title=helm-wandb-action::pull request comment: this run has no baseline" in (
        capsys.readouterr().out
    )


TWO_USES = {
    "steps of a job": ({}, {}),
    "calls of a reusable workflow": ({"GITHUB_JOB": "called"}, {"GITHUB_JOB": "called"}),
}


@pytest.mark.parametrize("variables", TWO_USES.values(), ids=TWO_USES)
def test_a_second_use_in_a_run_hides_no_regression(
    week: Week, variables: tuple[dict[str, str], dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """GitHub gives both uses one run, attempt, workflow and job: the log names comment-key."""
    week.push()
    first, second = variables
    week.pull(**first)
    red = week.comments(7)
    capsys.readouterr()
    done = week.pull("baseline", **second)

    assert (0, red) == (done["exit code"], week.comments(7))
    assert 1 == capsys.readouterr().out.count("give each its own comment-key")
    week.pull("baseline", **second, **{"INPUT_COMMENT-KEY": "second"})
    assert 2 == len(week.comments(7))
    assert "::warning" not in capsys.readouterr().out


def test_matrix_jobs_with_their_own_names_are_compared_each(week: Week) -> None:
    """Each job finds the artifact that it names, and has its own comment."""
    entry: dict[str, Any] = helm("baseline", "nightly")
    candidate = {**entry, "helm_output_dir": helm("candidate", "nightly")["helm_output_dir"]}
    for benchmark in ("boolq", "imdb"):
        chosen = {"benchmarks": [{"name": benchmark, "metrics": ["EM"]}]}
        given = {
            "INPUT_CONFIG": "config.yaml",
            "INPUT_COMMENT-KEY": benchmark,
            "INPUT_BASELINE-ARTIFACT": f"helm-wandb-report-{benchmark}",
        }
        write_config(week.folder, entry | chosen)
        week.run("push", None, BASE, payload={"before": FIRST}, **given)
        week.keep_report(BASE, name=f"helm-wandb-report-{benchmark}")
        write_config(week.folder, candidate | chosen)
        done = week.run("pull_request", None, MERGE, payload=pull_request(7, HEAD, NAME), **given)

        assert "main@2222222" == done["baseline"]
        assert {f"{benchmark}.EM"} == deltas(done).keys()
    assert 2 == len(week.comments(7))


@pytest.mark.parametrize("named", [[], [8, 9, 11]])
def test_one_head_with_two_pull_requests(week: Week, named: list[int]) -> None:
    """The comment goes where the payload says, if the head is there; else to all with the head.

    8 is a fork's pull request with another head, and 11 is none.
    """
    week.push()
    week.server.seed.branch(NAME, "release", BASE)
    week.server.seed.pull_request(NAME, 9, **OWN, base="release")
    week.pull(INPUT_COMMENT="off")
    run = {
        "head_sha": HEAD,
        "head_repository": _repository(NAME),
        "pull_requests": [{"number": number} for number in named],
    }
    done = week.follow_up(run=run)

    expected = set(named) & {7, 9} or {7, 9}
    assert expected == {number for number in (7, 8, 9) if week.comments(number)}
    assert f"pr/{min(expected)}" == done["report"]["provenance"]["track"]


def test_a_label_accepts_only_what_all_pull_requests_have(week: Week) -> None:
    """Of two pull requests with one head, both need the label that lets the job pass."""
    week.push(FIRST)
    week.pull(INPUT_COMMENT="off")
    run = {"head_sha": HEAD, "head_repository": _repository(NAME)}
    inputs = {"INPUT_FAIL-ON": "regression", "INPUT_ACCEPT-LABEL": "accept"}
    codes = []
    for labels in ([], ["accept"]):
        week.server.seed.pull_request(NAME, 7, **OWN, labels=labels)
        week.server.seed.pull_request(NAME, 9, **OWN, labels=["accept"])
        codes.append(week.follow_up(run=run, **inputs)["exit code"])

    assert [4, 0] == codes


def test_the_run_of_a_comment_is_about_no_pull_request(week: Week) -> None:
    """GitHub files it under main's tip, which is the head of a pull request into a release."""
    week.push()
    week.server.seed.branch(NAME, "release", FIRST)
    tip: dict[str, Any] = {"head_sha": BASE, "head_branch": "main"}
    week.server.seed.pull_request(NAME, 9, **tip, base="release")
    run = {**tip, "event": "issue_comment", "head_repository": _repository(NAME)}
    done = week.follow_up(run={**run, "pull_requests": [{"number": 9}]})

    assert "no_baseline" == done["verdict"]
    assert [] == week.comments(9)
    assert done["report"]["provenance"]["pull_request"] is None
