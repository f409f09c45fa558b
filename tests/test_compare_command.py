"""`compare BEFORE AFTER`, by the real command line on real output of HELM and lm-eval."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from helm_wandb import cli

from .conftest import DATA, ROOT
from .harness_builders import unpack
from .inspect_builders import log, write_json
from .lm_eval_builders import write_run

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def sides(workspace: Path, helm_trees: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the outputs `main` and `pr`; no setting of W&B or of GitHub."""
    for name in [name for name in os.environ if name.startswith(("WANDB_", "GITHUB_"))]:
        monkeypatch.delenv(name)
    shutil.copytree(helm_trees / "baseline", workspace / "main")
    shutil.copytree(helm_trees / "candidate", workspace / "pr")
    return workspace


def compare(*arguments: str) -> int:
    """The exit code of the command."""
    return cli.main(["compare", *arguments], root=ROOT)


def report_of(*arguments: str) -> dict[str, Any]:
    """The report of a comparison with exit code 0."""
    assert 0 == compare(*arguments, "--quiet", "--report", "report.json")
    found: dict[str, Any] = json.loads(Path("report.json").read_text())
    return found


def flagged(report: dict[str, Any]) -> dict[str, str]:
    """The verdict on each metric that was flagged."""
    deltas = [delta for one in report["comparisons"] for delta in one["deltas"]]
    return {one["metric"]: one["verdict"] for one in deltas if one["verdict"].endswith("ed")}


def column(comparison: dict[str, Any], name: str) -> dict[str, Any]:
    """A field of each delta, and of the mean's."""
    deltas = [*comparison["deltas"], {**comparison["overall"], "metric": "mean"}]
    return {one["metric"]: one.get(name) for one in deltas}


def edit_specs(suite: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Edit every run spec of a suite, in both places where HELM writes it."""
    for path in suite.rglob("run_spec*.json"):
        content = json.loads(path.read_text())
        for spec in content if isinstance(content, list) else [content]:
            edit(spec)
        path.write_text(json.dumps(content))


@pytest.mark.parametrize("value", ["NaN", "null", "Infinity", '"0.5"'])
def test_a_score_without_a_number_is_lost(
    workspace: Path, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run of lm-eval that computed no number can't pass as one that didn't evaluate it."""
    for name in ("main", "pr"):
        write_run(workspace / name, {"quiz": [1] * 40, "exam": [1] * 40})
    (results,) = (workspace / "pr").glob("results_*")
    written = results.read_text().replace('"acc,none": 1.0', f'"acc,none": {value}', 1)
    results.write_text(written)

    assert 4 == compare("main", "pr", "--fail-on", "regression")
    assert "quiz.acc,none of acme/toy went missing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("exit_code", "arguments"),
    [
        (3, ["compare", "edited.json", "pr"]),
        (3, ["compare", "main", "edited.json"]),
        (2, ["--config", "pr.yaml", "--print-only", "--baseline", "edited.json"]),
        (3, ["--config", "edited.yaml", "--print-only"]),
    ],
)
@pytest.mark.usefixtures("sides")
def test_a_score_that_contradicts_its_instances_is_refused(
    exit_code: int, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody could say which of them is right: file, key and both numbers are named."""
    content = report_of("main", "pr")
    score = content["evaluations"][0]["scores"]["boolq.EM"]
    mean, score["value"] = score["value"], 0.99
    Path("edited.json").write_text(json.dumps(content))
    entries = {"edited": {"source": "report", "path": "edited.json"}}
    entries["pr"] = {"helm_output_dir": "pr", "helm_suite_name": "v1"}
    for name, entry in entries.items():
        config = {"project": "p", "evals": [{"eval_type": "helm", **entry}]}
        Path(f"{name}.yaml").write_text(json.dumps(config))

    assert exit_code == cli.main(arguments, root=ROOT)
    err = capsys.readouterr().err
    place = '$.evaluations[0].scores["boolq.EM"]'
    assert f"{place}: its value 0.99 isn't the mean of its instances, {mean}" in err
    assert "edited.json" in err


@pytest.mark.usefixtures("sides")
def test_no_output_replaces_what_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    """A report that is compared stays; nothing is written before the error."""
    assert 0 == compare("main", "pr", "--quiet", "--report", "base.json")
    before = Path("base.json").read_bytes()
    assert 2 == compare("base.json", "pr", "--html", "./base.json", "--badge", "badge.json")
    assert "./base.json: this run reads it" in capsys.readouterr().err
    assert before == Path("base.json").read_bytes()
    assert not Path("badge.json").exists()


@pytest.mark.usefixtures("sides")
def test_two_outputs_are_two_files(capsys: pytest.CaptureFixture[str]) -> None:
    """The first would be lost; a device can take both."""
    assert 2 == compare("main", "pr", "--html", "x", "--report", "y/../x")
    assert "two outputs would be written to it" in capsys.readouterr().err
    assert 0 == compare("main", "pr", "--quiet", "--html", "/dev/null", "--report", "/dev/null")


def test_an_error_names_no_line_of_a_config(
    sides: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The config that reads a side was never written."""

    def rename(spec: dict[str, Any]) -> None:
        spec["adapter_spec"]["model"] = spec["adapter_spec"]["model_deployment"] = "a" * 1_001

    edit_specs(sides / "pr/runs", rename)

    assert 3 == compare("main", "pr")
    assert "error: pr: a model of suite 'nightly' has a name of 1,001 ch" in capsys.readouterr().err


CHANGED = {"boolq.EM": "regressed", "hellaswag.EM": "improved"}


@pytest.mark.usefixtures("sides")
def test_two_folders_need_nothing_else(
    golden: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """The two outputs are compared as they are; a regression alone changes no exit code."""
    assert 0 == compare("main", "pr/")

    printed = capsys.readouterr()
    golden("compare_command.txt", printed.out)
    assert (
        "warning: boolq.EM of acme/assistant regressed. With --fail-on regression, "
        "the exit code is 4\n"
    ) == printed.err


@pytest.mark.usefixtures("sides")
def test_the_page_speaks_of_no_job_and_no_pull_request() -> None:
    """There is neither, so the files that it writes name neither."""
    assert 0 == compare("main", "pr", "--quiet", "--comment", "c.md", "--html", "page.html")

    for name in ("c.md", "page.html"):
        text = Path(name).read_text().lower()
        assert "boolq" in text
        assert [] == [word for word in ("job", "pull request", "this pr") if word in text]


@pytest.mark.usefixtures("sides")
def test_swapped_sides_swap_the_verdicts() -> None:
    """Either side may be the baseline."""
    assert flagged(report_of("main", "pr")) == CHANGED
    assert {"boolq.EM": "improved", "hellaswag.EM": "regressed"} == flagged(report_of("pr", "main"))


@pytest.mark.usefixtures("sides")
def test_the_report_is_that_of_a_config_and_its_baseline(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same deltas as with a config and --baseline, and a report that the schema accepts."""
    entry = "{eval_type: helm, helm_output_dir: %s, helm_suite_name: nightly}"
    for side in ("main", "pr"):
        Path(f"{side}.yaml").write_text(f"project: p\nevals: [{entry % side}]\n")
    flags = ["--print-only", "--quiet", "--report"]
    assert 0 == cli.main(["--config", "main.yaml", *flags, "main.json"], root=root)
    baseline = ["--baseline", "main.json"]
    assert 0 == cli.main(["--config", "pr.yaml", *flags, "both.json", *baseline], root=root)
    capsys.readouterr()
    assert 0 == compare("main", "pr", "--json")
    printed = json.loads(capsys.readouterr().out)
    schema = json.loads((root / "schema/report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(printed)

    (expected,) = json.loads(Path("both.json").read_text())["comparisons"]
    (found,) = printed["comparisons"]
    for name in ("n", "better", "worse", "verdict", "why"):
        assert column(expected, name) == column(found, name)
    for name in ("delta", "p", "p_adjusted", "mde"):
        assert pytest.approx(column(expected, name)) == column(found, name)


def test_each_side_may_be_a_folder_an_archive_or_a_report(sides: Path) -> None:
    """What a side holds is recognized by itself, in every pair of kinds."""
    for side, tree in (("main", "baseline"), ("pr", "candidate")):
        shutil.copy(DATA / f"helm/{tree}.tar.gz", sides / f"{side}.tar.gz")
        other = "pr" if side == "main" else "main"
        assert 0 == compare(other, side, "--quiet", "--report", f"{side}.json")

    for before in ("main", "main.tar.gz", "main.json"):
        for after in ("pr", "pr.tar.gz", "pr.json"):
            report = report_of(before, after)
            assert flagged(report) == CHANGED
            assert before == report["comparisons"][0]["baseline"]["origin"]


def test_two_suites_of_one_output_are_compared(sides: Path) -> None:
    """A side may be a suite's own folder, also by the name under which HELM links the newest."""
    for side in ("main", "pr"):
        shutil.copytree(sides / side / "runs/nightly", sides / f"output/runs/{side}")
    (sides / "output/runs/latest").symlink_to("pr")
    for after in ("output/runs/pr/", "output/runs/latest"):
        report = report_of("output/runs/main", after)
        assert flagged(report) == CHANGED
        assert ["pr"] == [one["suite"] for one in report["evaluations"]]


def test_of_several_suites_the_shared_one_is_compared(sides: Path) -> None:
    """A note names the others, and how to compare them."""
    shutil.copytree(sides / "pr/runs/nightly", sides / "pr/runs/another")
    report = report_of("main", "pr")

    assert ["nightly"] == [one["suite"] for one in report["evaluations"]]
    assert [
        (
            "pr also has another; its suite nightly is compared. To compare another one, give its "
            "folder, pr/runs/NAME."
        )
    ] == report["notes"]


def test_inspect_is_compared(sides: Path) -> None:
    """A folder of logs against an archive, and a single log against another one."""
    for name in ("before", "after"):
        unpack("inspect", sides, name)
    plain = [str(next(Path(name).glob("*_plain_*"))) for name in ("before", "after")]
    assert [".eval", ".json"] == [Path(name).suffix for name in plain]
    for before, after in (plain, (plain[0], str(DATA / "inspect/after.tar.gz"))):
        (comparison,) = report_of(before, after)["comparisons"]
        (found,) = (one for one in comparison["deltas"] if one["metric"] == "plain.match.accuracy")
        assert (24, 4, 4) == (found["n"], found["worse"], found["better"])


@pytest.mark.usefixtures("sides")
def test_changed_questions_are_listed() -> None:
    """Each flagged metric has its questions, with the texts that the output has."""
    deltas = {one["metric"]: one for one in report_of("main", "pr")["comparisons"][0]["deltas"]}
    boolq = deltas["boolq.EM"]

    assert (15, 2) == (boolq["worse"], boolq["better"])
    assert 17 == len(boolq["items"])
    for item in boolq["items"]:
        assert item["input"]
        assert item["baseline_answer"] != item["answer"]
        expected = (item["baseline_answer"], item["answer"])[item["after"] > item["before"]]
        assert item["reference"].lower() == expected.lower()


@pytest.mark.usefixtures("sides")
def test_a_regression_fails_only_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    """--fail-on regression is exit code 4, and says why without a word on a job."""
    assert 4 == compare("main", "pr", "--fail-on", "regression", "--quiet")
    assert "error: failed: boolq.EM of acme/assistant regressed\n" == capsys.readouterr().err
    assert 0 == compare("main", "pr", "--quiet")


def test_one_model_on_each_side_is_compared_whatever_its_name(
    sides: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A renamed model is compared with the other side's only one, and both names are shown."""

    def rename(spec: dict[str, Any]) -> None:
        spec["adapter_spec"]["model"] = "acme/tuned"
        spec["adapter_spec"]["model_deployment"] = "acme/tuned"

    edit_specs(sides / "pr", rename)
    assert 0 == compare("main", "pr", "--report", "report.json")
    (comparison,) = json.loads(Path("report.json").read_text())["comparisons"]

    assert ("acme/tuned", "acme/assistant") == (
        comparison["model"],
        comparison["baseline"]["model"],
    )
    shown = capsys.readouterr().out
    assert "Each side has one model: acme/tuned is compared with acme/assistant." in shown


@pytest.mark.usefixtures("sides")
def test_several_models_are_compared_by_name(helm_trees: Path) -> None:
    """Of three models against four, the three are compared, each with itself."""
    shutil.copytree(helm_trees / "models", "three")
    for run in Path("three").rglob("*model=otherlab_beta-large*"):
        shutil.rmtree(run)
    (comparison, *others) = report_of("demo/helm/models", "three")["comparisons"]

    names = [comparison["model"], *(one["model"] for one in others)]
    assert "toyorg/alpha-7b" in names
    assert names == [one["baseline"]["model"] for one in (comparison, *others)]


def test_lm_eval_is_compared(sides: Path) -> None:
    """A folder and an archive of lm-eval: the same questions at two iterations of one model."""
    unpack("lm_eval", sides, "after")
    before, after = str(DATA / "lm_eval/before.tar.gz"), "after"
    (comparison,) = report_of(before, after)["comparisons"]

    assert ("acme/toy", 2000, 1000) == (
        comparison["model"],
        comparison["iteration"],
        comparison["baseline"]["iteration"],
    )
    (acc,) = (one for one in comparison["deltas"] if one["metric"] == "parity_group.acc,none")
    assert (40, 11, 8) == (acc["n"], acc["worse"], acc["better"])


def test_two_harnesses_share_no_score(sides: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both sides are named with what they have, and nothing else is printed."""
    unpack("lm_eval", sides, "before")
    assert 3 == compare("before", "pr")

    shown = capsys.readouterr()
    assert "" == shown.out
    assert shown.err.startswith("error: no score is on both sides: before has parity_generated.")
    assert shown.err.endswith(
        "(helm). Evaluate the same benchmarks on both sides, with the same harness.\n"
    )


def test_a_side_with_two_harnesses_says_which_is_compared(
    sides: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Otherwise its output of the other side's harness would seem to be unread."""
    unpack("lm_eval", sides, "before")
    shutil.copytree("before", "pr", dirs_exist_ok=True)
    assert 3 == compare("before", "pr")

    assert capsys.readouterr().err.endswith(
        " (helm). pr also has output of lm_eval, which is not compared: that of helm was taken. To "
        "compare another one, give a folder with only it. Evaluate the same benchmarks on both "
        "sides, with the same harness.\n"
    )


@pytest.mark.usefixtures("sides")
def test_sides_without_a_common_model_name_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    """If a side has several models and none is on the other one, both lists are shown."""
    assert 3 == compare("demo/helm/models", "pr")
    assert (
        "error: no model is on both sides: demo/helm/models has otherlab/beta-large, "
        "otherlab/gamma-small, toyorg/alpha-13b and 1 more; the other side has acme/assistant. "
        "If a side has several models, they are compared by name.\n"
    ) == capsys.readouterr().err


def test_other_settings_are_named(sides: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If every score has other settings, the message says which; the exit code is not 0."""

    def without_examples(spec: dict[str, Any]) -> None:
        spec["adapter_spec"]["max_train_instances"] = 1

    edit_specs(sides / "pr", without_examples)
    assert 3 == compare("main", "pr")

    shown = capsys.readouterr()
    assert "1-shot here, 0-shot there" in shown.out
    (line,) = (line for line in shown.err.splitlines() if "nothing can be compared" in line)
    assert "(here: pr; there: main). " in line
    assert "boolq.EM, imdb.EM, mmlu.EM and 2 more: 1-shot here, 5-shot there; hellas" in line
    assert line.endswith("Evaluate both sides with the same questions and settings.")


@pytest.mark.usefixtures("sides")
def test_the_same_path_twice_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """However it is written."""
    assert 2 == compare("main", "./pr/../main/")
    assert "error: BEFORE and AFTER are both main: give two evaluations\n" == (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("whole", "part"),
    [
        ("two", "two/runs/b"),
        ("two", "two/runs/latest"),
        ("lm_eval", "lm_eval/acme"),
        ("logs", "logs/a"),
    ],
    ids=["HELM", "HELM's link", "lm-eval", "Inspect"],
)
def test_an_evaluation_is_not_compared_with_itself(
    whole: str, part: str, sides: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also if one side is the output, and the other a suite or folder of it."""
    shutil.copytree(sides / "main/runs/nightly", sides / "two/runs/a")
    shutil.copytree(sides / "pr/runs/nightly", sides / "two/runs/b")
    (sides / "two/runs/latest").symlink_to("b")
    write_run(sides / "lm_eval/acme", {"quiz": [1, 0]})
    write_json(sides / "logs/a", log(["C", "I"]))
    for arguments in ((whole, part), (part, whole)):
        assert 2 == compare(*arguments)
        assert (
            f"error: BEFORE and AFTER are both {part}, which is in {whole}: give two evaluations\n"
        ) == capsys.readouterr().err


@pytest.mark.usefixtures("sides")
def test_a_report_may_lie_in_the_other_output() -> None:
    """It is of an earlier state of the output."""
    assert 0 == compare("main", "pr", "--quiet", "--report", "pr/before.json")
    assert 0 == compare("pr/before.json", "pr", "--quiet")


def test_a_side_that_is_no_evaluation_is_explained(
    sides: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing path, an empty folder and another file, each by its name, on either side."""
    (sides / "empty").mkdir()
    (sides / "notes.json").write_text("{}")
    for wrong in ("gone", "empty", "notes.json"):
        for arguments in ((wrong, "pr"), ("main", wrong)):
            assert 3 == compare(*arguments)
            lines = capsys.readouterr().err.splitlines()
            assert lines == [line for line in lines if line.startswith(f"error: {wrong}: ")]


@pytest.mark.parametrize("side", ["main", "pr"])
def test_what_cannot_be_read_is_reported(
    side: str, sides: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A damaged table is exit code 3 on either side; the other benchmarks are compared."""
    (sides / side / "runs/nightly/groups/imdb.json").write_text("{")
    code = compare("main", "pr", "--report", "report.json")
    shown = capsys.readouterr()

    assert (3, True) == (code, f"{side}/runs/nightly/groups/imdb.json" in shown.err)


@pytest.mark.usefixtures("sides")
def test_neither_wandb_nor_github_is_imported() -> None:
    """The command needs no network, so it doesn't wait for the libraries that use it."""
    code = (
        "import sys; from pathlib import Path; from helm_wandb import cli;"
        "cli.main(['compare', 'main', 'pr', '--html', 'page.html'], root=Path(sys.argv[1]));"
        "sys.exit(sorted({'wandb', 'github', 'requests'} & set(sys.modules)) or 0)"
    )
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, str(ROOT)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stderr


@pytest.mark.usefixtures("sides")
@pytest.mark.parametrize("side", ["main", "pr"])
def test_no_output_replaces_a_file_of_a_side(side: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither of BEFORE's nor of AFTER's."""
    stats = next(path for path in Path(side).rglob("*.json") if path.is_file())
    before = stats.read_bytes()
    assert 2 == compare("main", "pr", "--html", str(stats))
    assert f"{stats}: {side} is read as an evaluation" in capsys.readouterr().err
    assert before == stats.read_bytes()
