"""Comparing, from HELM's own files to exit code, report, terminal, summary and outputs."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from helm_wandb import action, cli
from helm_wandb.comparing import statistics
from tests.conftest import ROOT

from .test_action import outputs, runner
from .test_cli import file, helm, write_config
from .test_sources_helm_fingerprint import rewrite_specs, without_newer_fields

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["runner"]

UNMARKED = {"mmlu.EM", "imdb.EM", "narrative_qa.F1", "natural_qa_openbook_longans.F1"}
SCHEMA = Draft202012Validator(json.loads((ROOT / "schema/report.schema.json").read_bytes()))
NUMBER = r"[−+±][\d.]+"


@pytest.fixture
def trees(workspace: Path, helm_trees: Path) -> Path:
    """The workspace with copies of the two trees, which may be altered, and the baselines."""
    (workspace / "demo/helm").unlink()
    for name in ("baseline", "candidate"):
        shutil.copytree(helm_trees / name, workspace / "demo/helm" / name)
        run(name, "--report", f"{name}.json")
    return workspace


def run(tree: str, *arguments: str, **keys: Any) -> dict[str, Any]:
    """The valid report of a tree's evaluation, and the exit code in it."""
    config = write_config(Path(), helm(tree, "nightly"), **keys)
    given = arguments if "--report" in arguments else ("--report", "report.json", *arguments)
    code = cli.main(["--print-only", "--config", config, *given], root=ROOT)
    report: dict[str, Any] = json.loads(Path(given[given.index("--report") + 1]).read_text())
    assert [] == [error.message for error in SCHEMA.iter_errors(report)]
    return {**report, "exit code": code}


def against(tree: str, baseline: str, *arguments: str, **keys: Any) -> dict[str, Any]:
    """The report of a tree compared with the other's, where the job may fail."""
    flags = ("--baseline", f"{baseline}.json", "--fail-on", "regression")
    return run(tree, *flags, *arguments, **keys)


def comparison(report: dict[str, Any]) -> dict[str, Any]:
    """The only comparison of a report."""
    (found,) = report["comparisons"]
    assert isinstance(found, dict)
    return found


def verdicts(report: dict[str, Any]) -> dict[str, str]:
    """Metric → verdict."""
    return {delta["metric"]: delta["verdict"] for delta in comparison(report)["deltas"]}


def marked(report: dict[str, Any]) -> dict[str, str]:
    """Verdicts of the flagged metrics."""
    return {
        metric: verdict
        for metric, verdict in verdicts(report).items()
        if verdict in ("regressed", "improved")
    }


def runs(tree: str, name: str) -> list[Path]:
    """The folders of a tree's runs that begin with a name."""
    found = sorted(Path("demo/helm", tree, "runs/nightly").glob(f"{name}*"))
    assert found
    return [path for path in found if path.is_dir()]


def edited(path: Path, edit: Callable[[str], str]) -> None:
    """Rewrite a file, which must change."""
    before = path.read_text()
    path.write_text(edit(before))
    assert before != path.read_text()


# Show 3: what changed, in all places


def test_boolq_regressed_and_hellaswag_improved(trees: Path) -> None:
    """Of the real pair one is red, one is green, and the others are not flagged."""
    report = against("candidate", "baseline")

    assert {"boolq.EM": "regressed", "hellaswag.EM": "improved"} == marked(report)
    assert UNMARKED == verdicts(report).keys() - marked(report).keys()
    assert ("regressed", {}) == (report["verdict"], comparison(report)["not_comparable"])
    assert report["headline"].startswith(
        "❌ acme/assistant: boolq −13.0 pp, hellaswag +15.0 pp, 4 inc"
    )
    assert (trees / "report.json").exists()


@pytest.mark.usefixtures("trees")
def test_numbers_of_the_pair_are_those_of_helms_files() -> None:
    """Differences and counts are recomputed from per_instance_stats.json without code of ours."""
    values = {}
    for tree in ("baseline", "candidate"):
        (run,) = runs(tree, "boolq")
        values[tree] = {
            entry["instance_id"]: stat["mean"]
            for entry in json.loads((run / "per_instance_stats.json").read_text())
            for stat in entry["stats"]
            if stat["name"]["name"] == "quasi_exact_match"
        }
    changes = [values["candidate"][one] - values["baseline"][one] for one in values["baseline"]]
    found = {one["metric"]: one for one in comparison(against("candidate", "baseline"))["deltas"]}
    boolq = found["boolq.EM"]

    assert (0.73, 0.6, 100) == (boolq["baseline"], boolq["candidate"], boolq["n"])
    assert sum(changes) / len(changes) == pytest.approx(boolq["delta"])
    assert (sum(one > 0 for one in changes), sum(one < 0 for one in changes)) == (
        boolq["better"],
        boolq["worse"],
    )
    assert boolq["p"] <= boolq["p_adjusted"] < 0.05
    assert boolq["interval"]["low"] < boolq["delta"] < boolq["interval"]["high"] < 0


def test_report_terminal_and_summary_agree(
    trees: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The numbers of each delta and its interval are the report's, in the log and the summary."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(trees / "summary.md"))
    capsys.readouterr()
    report = against("candidate", "baseline")
    printed = capsys.readouterr().out
    summary = (trees / "summary.md").read_text()

    for one in comparison(report)["deltas"]:
        shown = [
            f"{100 * value:+.1f}".replace("-", "−").replace("+0.0", "±0.0").replace("−0.0", "±0.0")
            for value in (one["delta"], one["interval"]["low"], one["interval"]["high"])
        ]
        (line,) = [
            line
            for line in printed.splitlines()
            if one["metric"] in re.split("  +", line)[:2] and " to " in line
        ]
        escaped = one["metric"].replace("_", "&#95;")
        (row,) = [
            line
            for line in summary.splitlines()
            if f"| <code>{escaped}</code> |" in line and "to" in line
        ]
        assert shown == re.findall(NUMBER, line)
        assert shown == re.findall(NUMBER, row)
        assert ("▼" in line) == ("▼" in row) == (one["verdict"] == "regressed")
    for text in (printed, summary):
        assert text.index("boolq.EM") < text.index("hellaswag.EM")
        assert "another training run would differ by more" in text


# Show 4: what else may be different


@pytest.mark.usefixtures("trees")
def test_one_altered_text_is_one_pair_less() -> None:
    """An instance with another text is left out, reported, and changes no verdict."""
    edited(
        runs("candidate", "boolq")[0] / "scenario_state.json",
        lambda text: re.sub(r'"text": "', '"text": "Altered: ', text, count=1),
    )
    report = against("candidate", "baseline")
    (boolq,) = [one for one in comparison(report)["deltas"] if one["metric"] == "boolq.EM"]

    assert (99, "change over the 99 instances that both have; 1 left out") == (
        boolq["n"],
        boolq["why"],
    )
    assert {"boolq.EM": "regressed", "hellaswag.EM": "improved"} == marked(report)


@pytest.mark.usefixtures("trees")
def test_many_altered_texts_are_other_questions() -> None:
    """From eleven of a hundred on the benchmark is not comparable; the others are as before."""
    state = runs("candidate", "boolq")[0] / "scenario_state.json"
    states = json.loads(state.read_text())
    for one in states["request_states"][:11]:
        one["instance"]["input"]["text"] += " altered"
    state.write_text(json.dumps(states))
    report = against("candidate", "baseline")

    assert {
        "boolq.EM": "only 89 of 100 instances are the same questions on both sides; compared as "
        "unpaired samples, they differ by −26.1 to +0.1 pp (95% interval)"
    } == comparison(report)["not_comparable"]
    assert {"hellaswag.EM": "improved"} == marked(report)
    assert 0 == report["exit code"]


@pytest.mark.usefixtures("trees")
def test_texts_of_instances_json_are_compared_alike() -> None:
    """helm-summarize's smaller file has the same texts: the pair is the same, but for one."""
    (run,) = runs("candidate", "boolq")
    states = json.loads((run / "scenario_state.json").read_text())["request_states"]
    instances = {one["instance"]["id"]: one["instance"] for one in states}
    next(iter(instances.values()))["input"]["text"] = "altered"
    (run / "instances.json").write_text(json.dumps(list(instances.values())))
    report = against("candidate", "baseline")
    counts = {one["metric"]: one["n"] for one in comparison(report)["deltas"]}

    assert (99, 100) == (counts["boolq.EM"], counts["hellaswag.EM"])
    assert {"boolq.EM": "regressed", "hellaswag.EM": "improved"} == marked(report)


@pytest.mark.usefixtures("trees")
def test_an_upgrade_of_helm_changes_no_delta() -> None:
    """Settings that an older HELM didn't write yet are no difference."""
    unchanged = against("candidate", "baseline")
    rewrite_specs(Path("demo/helm/candidate"), without_newer_fields)

    assert comparison(unchanged) == comparison(against("candidate", "baseline"))


@pytest.mark.usefixtures("trees")
def test_other_examples_in_the_prompt_are_reported() -> None:
    """With another number of examples nothing of the run is compared, and it says which numbers."""
    suite, five = Path("demo/helm/candidate/runs/nightly"), '"max_train_instances": 5'
    for path in (suite / "run_specs.json", *suite.glob("*/run_spec.json")):
        path.write_text(path.read_text().replace(five, five.replace("5", "2")))
    report = against("candidate", "baseline")
    apart = comparison(report)["not_comparable"]

    assert {"2-shot here, 5-shot there"} == set(apart.values())
    assert "boolq.EM" in apart
    assert {} == {
        metric: verdict for metric, verdict in marked(report).items() if metric != "hellaswag.EM"
    }
    assert 0 == report["exit code"]


@pytest.mark.usefixtures("trees")
def test_a_missing_benchmark_is_reported() -> None:
    """What this run has no more is listed with the reason, and does not count as regressed."""
    for run in runs("candidate", "boolq"):
        shutil.rmtree(run)
    suite = Path("demo/helm/candidate/runs/nightly")
    (suite / "groups/boolq.json").unlink()
    specs = json.loads((suite / "run_specs.json").read_text())
    kept = [one for one in specs if not one["name"].startswith("boolq")]
    (suite / "run_specs.json").write_text(json.dumps(kept))
    report = against("candidate", "baseline")

    assert {"boolq.EM": "only the baseline has it; in the candidate: not run in this suite"} == (
        comparison(report)["not_comparable"]
    )
    assert {"hellaswag.EM": "improved"} == marked(report)
    assert (0, "improved") == (report["exit code"], report["verdict"])


def test_a_new_benchmark_is_reported(trees: Path) -> None:
    """What the baseline lacks is listed, with the baseline's own reason."""
    report = json.loads((trees / "baseline.json").read_text())
    (one,) = report["evaluations"]
    del one["scores"]["boolq.EM"]
    one["missing"]["boolq.EM"] = "no table"
    (trees / "baseline.json").write_text(json.dumps(report))
    found = against("candidate", "baseline")

    assert {"boolq.EM": "only the candidate has it; in the baseline: no table"} == (
        comparison(found)["not_comparable"]
    )
    assert {"hellaswag.EM": "improved"} == marked(found)


@pytest.mark.usefixtures("trees")
@pytest.mark.parametrize("side", ["candidate", "baseline"])
def test_without_per_instance_files_nothing_is_flagged(side: str) -> None:
    """Without them on either side nothing is tested; that this run lacks them fails the job."""
    for path in Path("demo/helm", side).rglob("per_instance_stats.json"):
        path.unlink()
    if side == "baseline":
        run("baseline", "--report", "baseline.json")
    report = against("candidate", "baseline")

    assert {"untestable"} == set(verdicts(report).values())
    code = 4 if side == "candidate" else 0
    assert ("untestable", code) == (report["verdict"], report["exit code"])
    found = {one["metric"]: one for one in comparison(report)["deltas"]}
    assert -0.13 == pytest.approx(found["boolq.EM"]["delta"])
    where = "here" if side == "candidate" else "there"
    assert f"no per-instance scores {where}: " in found["boolq.EM"]["why"]
    assert "per_instance_stats.json doesn't exist" in found["boolq.EM"]["why"]
    assert comparison(report)["overall"] is None


@pytest.mark.usefixtures("trees")
def test_one_benchmark_without_per_instance_files() -> None:
    """The others are tested as before, by fewer tests."""
    (runs("candidate", "imdb")[0] / "per_instance_stats.json").unlink()
    report = against("candidate", "baseline")

    assert "untestable" == verdicts(report)["imdb.EM"]
    assert {"boolq.EM": "regressed", "hellaswag.EM": "improved"} == marked(report)


# Show 5: exit codes


@pytest.mark.usefixtures("trees")
@pytest.mark.parametrize(
    ("tree", "baseline", "code", "sentence"),
    [
        ("candidate", "baseline", 4, "Failed: boolq.EM of acme/assistant regressed."),
        (
            "baseline",
            "candidate",
            4,
            "Failed: hellaswag.EM of acme/assistant regressed",
        ),
        (
            "baseline",
            "baseline",
            0,
            "no regression, 4 inconclusive (detectable from 3.6–10.1 pp), 2 no",
        ),
        (
            "candidate",
            "candidate",
            0,
            "no regression, 4 inconclusive (detectable from 3.6–10.1 pp), 2 no",
        ),
    ],
)
def test_the_job_fails_for_regressions(
    tree: str,
    baseline: str,
    code: int,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit 4 for the pair and for its sides swapped, 0 for a side against itself."""
    assert code == against(tree, baseline)["exit code"]
    assert sentence in capsys.readouterr().out


def test_changes_within_noise_pass(trees: Path) -> None:
    """If some answers flip in both directions, nothing is flagged, and the job passes."""
    report = json.loads((trees / "baseline.json").read_text())
    for score in report["evaluations"][0]["scores"].values():
        columns = score["instances"]["value"]
        up, down = columns.index(0.0), columns.index(1.0)
        columns[up], columns[down] = 1.0, 0.0
    (trees / "noise.json").write_text(json.dumps(report))
    found = against("baseline", "noise")

    assert {} == marked(found)
    assert {(1, 1)} == {(one["better"], one["worse"]) for one in comparison(found)["deltas"]}
    assert 0 == found["exit code"]


@pytest.mark.usefixtures("trees")
def test_the_gate_is_open_where_nobody_asks(capsys: pytest.CaptureFixture[str]) -> None:
    """Without --fail-on the regression is reported and the exit code is 0."""
    assert 0 == run("candidate", "--baseline", "baseline.json")["exit code"]
    assert "Doesn't fail (--fail-on never): boolq.EM" in capsys.readouterr().out


@pytest.mark.usefixtures("trees")
@pytest.mark.parametrize(
    ("compare", "code"),
    [
        ({"min_effect": 0.2}, 0),
        ({"min_effect": {"default": 0.01, "boolq.EM": 0.2}}, 0),
        ({"min_effect": {"default": 0.2, "boolq.EM": 0.01}}, 4),
        ({"alpha": 0.0001}, 0),
        ({"lower_is_better": ["boolq.EM"]}, 0),
        ({"lower_is_better": ["boolq.EM", "hellaswag.EM"]}, 4),
        ({"lower_is_better": ["boolq.EM"], "floor": {"boolq.EM": 0.5}}, 4),
        ({"min_effect": 0.2, "floor": {"boolq.EM": 0.6}}, 0),
        ({"min_effect": 0.2, "floor": {"boolq.EM": 0.61}}, 4),
        ({"min_effect": 0.2, "floor": {"raft.EM": 0.1}}, 4),
    ],
    ids=json.dumps,
)
def test_the_config_says_what_is_red(compare: dict[str, Any], code: int) -> None:
    """alpha, min_effect, directions and floors of the config decide the exit code."""
    assert code == against("candidate", "baseline", compare=compare)["exit code"]


@pytest.mark.usefixtures("trees")
def test_floors_need_no_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    """A floor closes the gate of a run that is compared with nothing."""
    report = run("candidate", "--fail-on", "regression", compare={"floor": {"boolq.EM": 0.65}})

    assert (4, "no_baseline") == (report["exit code"], report["verdict"])
    assert "boolq.EM of acme/assistant is 0.6, below its floor of 0.65" in capsys.readouterr().out


def test_unreadable_evaluations_go_before_the_gate(trees: Path) -> None:
    """With an entry that cannot be read and a regression, 3 is the smaller."""
    config = write_config(trees, helm("candidate", "nightly"), helm("nowhere", "nightly"))
    flags = ["--baseline", "baseline.json", "--fail-on", "regression"]

    assert 3 == cli.main(["--print-only", "--config", config, *flags], root=ROOT)


def test_the_gate_goes_before_a_failed_sink(trees: Path) -> None:
    """With a report that cannot be written and a regression, 4 is the smaller."""
    config = write_config(trees, helm("candidate", "nightly"))
    flags = ["--baseline", "baseline.json", "--fail-on", "regression", "--report", "demo"]

    assert 4 == cli.main(["--print-only", "--config", config, *flags], root=ROOT)


@pytest.mark.parametrize("content", [None, "{}", "[", '{"schema_version": 1, "evaluations": 1}'])
def test_a_wrong_baseline_is_exit_2(
    content: str | None, trees: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is no report is refused before anything is read, and the flag is named."""
    if content is not None:
        (trees / "x.json").write_text(content)
    config = write_config(trees, helm("candidate", "nightly"))
    flags = ["--print-only", "--config", config, "--baseline", "x.json"]

    assert 2 == cli.main(flags, root=ROOT)
    assert "--baseline: x.json" in capsys.readouterr().err


def test_scores_in_configs_are_better_when_higher(workspace: Path) -> None:
    """A drop of a score in a file has a direction, and without instances it fails nothing."""
    scores = {"mmlu": {"EM": 0.5}, "civil_comments": {"Toxic fraction": 0.1}}
    for name, value in (("before", 0.9), ("after", 0.1)):
        config = write_config(workspace, file("m", 0, **{**scores, "mmlu": {"EM": value}}))
        flags = ["--print-only", "--config", config, "--report", f"{name}.json"]
        baseline = ["--baseline", "before.json", "--fail-on", "regression"]
        assert 0 == cli.main([*flags, *(baseline if name == "after" else [])], root=ROOT)
    found = json.loads((workspace / "after.json").read_text())

    assert "untestable" == found["verdict"]
    assert {"mmlu.EM": False, "civil_comments.Toxic fraction": True} == {
        one["metric"]: one["lower_is_better"] for one in comparison(found)["deltas"]
    }


def test_checkpoints_have_steps(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last of six checkpoints is compared with the previous one, and never fails the job."""
    config = write_config(workspace, helm("checkpoints", "toyproj-toyllama"))
    flags = ["--config", config, "--report", "r.json", "--fail-on", "regression"]

    assert 0 == cli.main(["--print-only", *flags], root=ROOT)
    report = json.loads((workspace / "r.json").read_text())
    (step,) = report["steps"]
    assert (6000, 5000, "this run") == (
        step["iteration"],
        step["baseline"]["iteration"],
        step["baseline"]["origin"],
    )
    assert ([], "no_baseline") == (report["comparisons"], report["verdict"])
    assert "since iteration 5000: mean +7.2 pp, 5 inconclusive" in capsys.readouterr().out


def test_steps_are_a_separate_family(workspace: Path) -> None:
    """Holm counts the deltas against the baseline, and apart from them those of the steps."""
    config = write_config(workspace, helm("checkpoints", "toyproj-toyllama"))
    flags = ["--print-only", "--config", config, "--report"]
    assert 0 == cli.main([*flags, "base.json"], root=ROOT)
    assert 0 == cli.main([*flags, "r.json", "--baseline", "base.json"], root=ROOT)
    report = json.loads((workspace / "r.json").read_text())

    for family in ("comparisons", "steps"):
        (comparison,) = report[family]
        mean = comparison["overall"]
        tested = [one for one in comparison["deltas"] if one["p"] is not None]
        means, deltas = statistics.adjusted_families([mean["p"]], [one["p"] for one in tested])
        assert [one["p_adjusted"] for one in tested] == pytest.approx(deltas)
        assert pytest.approx(means[0]) == mean["p_adjusted"]
        assert len(tested) > 1


# The action


@pytest.fixture
def compared(runner: dict[str, str], trees: Path) -> dict[str, str]:
    """What the runner gives a workflow that compares the candidate with the baseline."""
    write_config(trees, helm("candidate", "nightly"))
    return {**runner, "INPUT_BASELINE": "baseline.json", "INPUT_FAIL-ON": "regression"}


def test_the_action_reports_the_verdict(compared: dict[str, str], trees: Path) -> None:
    """Verdict, counts and baseline are outputs, and the summary has the marks."""
    assert 4 == action.main(compared, root=ROOT)
    found = outputs(compared)

    assert ("regressed", "1", "1", "baseline.json") == tuple(
        found[name] for name in ("verdict", "regressions", "improvements", "baseline")
    )
    assert "| ▼\N{NO-BREAK SPACE}−13.0" in (trees / "summary.md").read_text()


def test_the_baselines_own_state_is_its_name(compared: dict[str, str], trees: Path) -> None:
    """If the baseline's report says ref and commit, output and headline name them, visibly."""
    report = json.loads((trees / "baseline.json").read_text())
    report["provenance"].update(ref="refs/heads/release/1.0\x9b", commit="4be1c02" + "0" * 33)
    (trees / "baseline.json").write_text(json.dumps(report))

    assert 4 == action.main(compared, root=ROOT)
    assert "release/1.0?@4be1c02" == outputs(compared)["baseline"]
    shown = html.unescape((trees / "summary.md").read_text()).replace("<!-- -->", "")
    assert "Compared with <code>release/1.0?@4be1c02" in shown


def test_a_hostile_baseline_gives_no_commands(
    compared: dict[str, str], trees: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A baseline's ref and metrics cannot speak to the runner, nor write another output."""
    name = "x\n::error::owned\nverdict<<E\nimproved\nE\n</details>"
    report = json.loads((trees / "baseline.json").read_text())
    report["provenance"].update(ref=name, commit=name)
    report["evaluations"][0]["scores"][f"{name}.EM"] = report["evaluations"][0]["scores"].pop(
        "imdb.EM"
    )
    (trees / "baseline.json").write_text(json.dumps(report))

    assert 4 == action.main(compared, root=ROOT)
    token = ""
    for line in capsys.readouterr().out.splitlines():
        if line.startswith("::stop-commands::"):
            token = line.removeprefix("::stop-commands::")
        elif line == f"::{token}::":
            token = ""
        is_warning = line.startswith("::warning title=helm-wandb-action::doesn't fail the job: ")
        assert token or "owned" not in line or is_warning
    assert "regressed" == outputs(compared)["verdict"]
    assert "</details>\n::error" not in (trees / "summary.md").read_text()


def labelled(compared: dict[str, str], *labels: str) -> dict[str, str]:
    """Return the environment on a pull request with labels."""
    sides = {"head": {"sha": "b" * 40, "ref": "change"}, "base": {"sha": "a" * 40, "ref": "main"}}
    names = [{"name": label} for label in labels]
    event = {"pull_request": {"number": 42, "labels": names, **sides}}
    Path("event.json").write_text(json.dumps(event))
    return {**compared, "GITHUB_EVENT_PATH": "event.json", "INPUT_ACCEPT-LABEL": "Accept-It"}


@pytest.mark.parametrize(
    ("labels", "code", "sentence"),
    [
        (("bug", "accept-it"), 0, "The job passed despite the ❌ (label accept-it): b"),
        (("bug",), 4, "The job failed: boolq.EM of acme/assistant regressed."),
    ],
)
def test_a_label_accepts_the_regression(
    labels: tuple[str, ...],
    code: int,
    sentence: str,
    compared: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the label, in whatever case, exit 0 and the sentence; the verdict stays regressed."""
    environ = labelled(compared, *labels)

    assert code == action.main(environ, root=ROOT)
    assert sentence in capsys.readouterr().out
    assert "regressed" == outputs(environ)["verdict"]


@pytest.mark.parametrize(
    ("baseline", "choice", "code"),
    [("none", "fail", 0), ("auto", "fail", 4), ("", "fail", 4), ("auto", "warn", 0)],
)
def test_a_missing_baseline_fails_if_the_flag_says_so(
    baseline: str,
    choice: str,
    code: int,
    compared: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """on-missing-baseline: fail is exit 4, but where none is wanted none is missing."""
    inputs = {"INPUT_BASELINE": baseline, "INPUT_ON-MISSING-BASELINE": choice}

    assert code == action.main({**compared, **inputs}, root=ROOT)
    assert (
        "The job failed: there is no baseline to compare with." in (capsys.readouterr().out)
    ) == (code == 4)
    assert ("no_baseline", "0", "0", "") == tuple(
        outputs(compared)[name] for name in ("verdict", "regressions", "improvements", "baseline")
    )


def test_a_baseline_of_other_models_is_missing(compared: dict[str, str], trees: Path) -> None:
    """If the report has none of this run's models, the job fails with the names of both sides."""
    text = (trees / "baseline.json").read_text()
    (trees / "baseline.json").write_text(text.replace("acme/assistant", "acme/other"))

    assert 4 == action.main({**compared, "INPUT_ON-MISSING-BASELINE": "fail"}, root=ROOT)
    gate = json.loads((trees / "helm-wandb-report.json").read_text())["gate"]
    assert [
        "acme/assistant isn't in the baseline (baseline.json), which has only acme/other"
    ] == gate["reasons"]


def test_a_wrong_baseline_of_the_action_is_exit_2(
    compared: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A path that doesn't exist is an error that names the input, and outputs are written."""
    assert 2 == action.main({**compared, "INPUT_BASELINE": "nowhere.json"}, root=ROOT)
    assert "::error title=helm-wandb-action::input baseline: nowhere.json cannot be read: " in (
        capsys.readouterr().out
    )
    assert "" == outputs(compared)["verdict"]


@pytest.mark.parametrize("choice", ["fail", "warn"])
def test_the_gate_of_the_action_goes_before_failed_sinks(
    choice: str, compared: dict[str, str]
) -> None:
    """Exit 4 is the smaller one next to a failed sink and outputs that cannot be written."""
    inputs = {"INPUT_REPORT": "demo", "INPUT_ON-SINK-ERROR": choice, "GITHUB_OUTPUT": "/nowhere/x"}

    assert 4 == action.main({**compared, **inputs}, root=ROOT)
