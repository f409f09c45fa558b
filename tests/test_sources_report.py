"""Reports of other jobs → evaluations, and a matrix whose jobs come together."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from msgspec.structs import replace

from helm_wandb import cli, config
from helm_wandb.errors import ArtifactError
from helm_wandb.harness.entry import ReadOptions
from helm_wandb.model import EvalEntry, Place
from helm_wandb.report import to_json
from helm_wandb.sources import report as source
from helm_wandb.sources.report import read
from helm_wandb.system import paths
from tests import builders
from tests.test_cli import helm, write_config

if TYPE_CHECKING:
    from helm_wandb.model import Evaluation


def spec(glob: str) -> EvalEntry:
    """An entry of `evals` that reads what the glob matches."""
    return EvalEntry(
        source="report",
        fields={"path": glob},
        path="$.evals[0]",
        place=Place("config.yaml", 3, 5),
    )


def write_report(path: Path, *evaluations: Evaluation) -> Path:
    """A file that holds the report of the evaluations."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_json(builders.report(evaluations)))
    return path


def refusal(glob: str, folder: Path) -> str:
    """Return the error of a glob that could not be read."""
    with pytest.raises(ArtifactError) as caught:
        read(spec(glob), ReadOptions(folder=folder))
    return str(caught.value)


# What is read


def test_evaluations_come_in_the_order_of_the_files(tmp_path: Path) -> None:
    """All that the reports hold is there as it was written, its origin too."""
    one, two, three = (
        builders.evaluation(model, source=origin)
        for model, origin in (("c", "helm"), ("b", "file"), ("a", "report"))
    )
    write_report(tmp_path / "reports/job-2.json", three)
    write_report(tmp_path / "reports/job-1.json", one, two)
    (tmp_path / "reports/notes.txt").write_text("no report")
    found = read(spec("reports/*.json"), ReadOptions(folder=tmp_path))

    assert (one, two, three) == found.evaluations
    assert () == found.faults
    assert ("reports/*.json matches 2 reports.",) == found.notes


@pytest.mark.parametrize(
    ("clusters", "rule", "count"),
    [(("a", "a"), "x", 0), (("0", "1"), "x", 1), (("0", "1"), "instance", 0)],
)
def test_a_rule_that_the_report_knows_no_clusters_of_is_noted(
    clusters: tuple[str, str], rule: str, count: int, tmp_path: Path
) -> None:
    """A report has the clusters of the run that wrote it, and no texts to search for others."""
    columns = replace(builders.instances([0.0, 1.0]), id=("0", "1"), cluster=clusters)
    write_report(tmp_path / "a.json", builders.measured(values={"mmlu.EM": columns}))
    options = ReadOptions(folder=tmp_path, clusters={"mmlu": rule, "raft": rule})

    notes = read(spec("a.json"), options).notes
    assert count == len(notes)
    assert all(f"compare.clusters: '{rule}' is in no sample of mmlu" in note for note in notes)


@pytest.mark.parametrize(
    ("glob", "count"),
    [
        ("a.json", 1),
        ("*.json", 1),
        ("reports/job-?/report.json", 2),
        ("reports/**/*.json", 3),
        ("**/report.json", 2),
        ("**", 4),
        ("reports/job-[1]/*", 1),
    ],
)
def test_globs_are_those_of_a_shell(glob: str, count: int, tmp_path: Path) -> None:
    """`**` stands for any folders; folders themselves and hidden ones are passed over."""
    for name in ("a", "reports/b", "reports/job-1/report", "reports/job-2/report", ".git/c"):
        write_report(tmp_path / f"{name}.json", builders.evaluation(name))
    (tmp_path / "reports/folder.json").mkdir()

    assert count == len(read(spec(glob), ReadOptions(folder=tmp_path)).evaluations)


def test_absolute_path_is_read(tmp_path: Path) -> None:
    """On the command line a report may lie anywhere."""
    path = write_report(tmp_path / "report.json", builders.evaluation())

    assert 1 == len(read(spec(str(path)), ReadOptions(folder=tmp_path / "elsewhere")).evaluations)


def test_report_that_cannot_be_read_spoils_no_other(tmp_path: Path) -> None:
    """A truncated file among others is reported with its name and what is wrong."""
    whole = write_report(tmp_path / "a.json", builders.evaluation())
    (tmp_path / "b.json").write_bytes(whole.read_bytes()[:100])
    found = read(spec("*.json"), ReadOptions(folder=tmp_path))

    assert 1 == len(found.evaluations)
    (fault,) = found.faults
    assert fault.startswith("config.yaml:3:5: b.json cannot be read as a report: $: it cannot be")
    assert ("*.json matches 2 reports, 1 of which cannot be read.",) == found.notes


# Errors if nothing is there


def test_all_reports_unreadable_are_reported(tmp_path: Path) -> None:
    """If no file is a report, each is named."""
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "b.json").write_text('{"schema_version": 2}')
    lines = refusal("*.json", tmp_path).splitlines()

    assert ["config.yaml:3:5: a.json", "config.yaml:3:5: b.json"] == [line[:23] for line in lines]


def test_a_glob_for_a_shell_has_conflicts(tmp_path: Path) -> None:
    """An unexpanded variable is reported as one."""
    assert "A leading ~ and $NAME are not expanded here" in refusal("~/reports/*.json", tmp_path)


def test_reports_without_evaluations_are_reported(tmp_path: Path) -> None:
    """A report that holds nothing is nothing to go on with."""
    write_report(tmp_path / "a.json")

    assert "config.yaml:3:5: no evaluations in a.json" == refusal("*.json", tmp_path)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux's /proc")
def test_report_that_may_not_be_read_has_conflicts(tmp_path: Path) -> None:
    """The system's reason is shown."""
    (tmp_path / "a.json").symlink_to("/proc/self/mem")

    assert (
        "config.yaml:3:5: a.json cannot be read as a report: Input/output error. "
        "Run the job that wrote it again, or remove it."
    ) == refusal("a.json", tmp_path)


def test_report_that_is_too_large_has_conflicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file beyond the limit is not read to its end."""
    write_report(tmp_path / "a.json", builders.evaluation())
    monkeypatch.setattr(source, "LIMIT_BYTES", 100)

    assert "larger than 0 MiB" in refusal("a.json", tmp_path)


HOW = (
    " In a workflow, actions/download-artifact brings the reports of other jobs: with "
    "`path: reports`, a `pattern` that their artifacts' names match, and `merge-multiple: true`, "
    "which puts all files into that one folder."
)


def test_glob_that_matches_nothing_says_where_it_looked(tmp_path: Path) -> None:
    """The pattern, the folder, what is there, and how the reports get there are named."""
    start = f"config.yaml:3:5: no file matches 'reports/*.json' in {tmp_path}."

    assert f"{start} There is no folder reports.{HOW}" == refusal("reports/*.json", tmp_path)
    (tmp_path / "reports").mkdir()
    assert f"{start} The folder reports has no .json file in it.{HOW}" == refusal(
        "reports/*.json", tmp_path
    )


def test_reports_in_separate_folders_are_found_out(tmp_path: Path) -> None:
    """Without `merge-multiple` each artifact has its own folder: the fitting glob is named."""
    for at in range(12):
        write_report(tmp_path / f"reports/job-{at:02}/report.json", builders.evaluation())
    names = ", ".join(f"reports/job-{at:02}/report.json" for at in range(10))

    assert (f"There are {names} and 2 more: is 'reports/**/*.json' meant?") in refusal(
        "reports/*.json", tmp_path
    )
    assert "is 'reports/**/*.json' meant?" in refusal("reports", tmp_path)


def test_a_search_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is named with the glob, and in the hint for one that matches nothing."""
    monkeypatch.setattr(paths, "ENTRIES", 10)
    for at in range(12):
        write_report(tmp_path / f"reports/job-{at:02}/report.json", builders.evaluation())

    assert (
        "config.yaml:3:5: 'reports/**/*.json' is searched in more than 10 files and folders, and "
        "no further. Begin it with the folder of the reports, such as reports/*.json"
    ) == refusal("reports/**/*.json", tmp_path)
    assert " The folder reports has more than 10 files and folders in it. In" in refusal(
        "reports", tmp_path
    )


def test_other_names_are_reported(tmp_path: Path) -> None:
    """A pattern without a folder is answered with the files next to it only."""
    write_report(tmp_path / "job.json", builders.evaluation())
    write_report(tmp_path / "deep/job.json", builders.evaluation())

    assert "There are job.json: is '*.json' meant?" in refusal("report-*.json", tmp_path)


def test_a_pattern_that_is_misread_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A URL is one, a path of the runner's host is another in the container, and a glob is none."""
    url = "no file matches 'https://example.com/*.json'. It is a URL, and only files of this mach"
    assert url in refusal("https://example.com/*.json", tmp_path)
    assert refusal("/nowhere/x/*.json", tmp_path).endswith(
        "no file matches '/nowhere/x/*.json'. Check the path."
    )

    monkeypatch.setattr(paths, "WORKSPACE", tmp_path)
    in_container = "It is an absolute path: inside the action's container only the workspace"
    assert in_container in refusal("/home/runner/_work/x/x/reports/*.json", tmp_path)


# A matrix


def run(root: Path, *entries: dict[str, Any], report: str) -> tuple[int, dict[str, Any]]:
    """The exit code of a run with these entries in the current folder, and its report."""
    name = write_config(Path.cwd(), *entries)
    code = cli.main(["--print-only", "--config", name, "--report", report], root=root)
    combined: dict[str, Any] = json.loads((Path.cwd() / report).read_bytes())
    return code, combined


def fan_in(root: Path, *entries: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Return the same of a run that reads the reports of matrix jobs with one entry each."""
    for at, entry in enumerate(entries):
        code, _ = run(root, entry, report=f"reports/report-{at}.json")
        assert code == 0
    jobs = {"eval_type": "helm", "source": "report", "path": "reports/*.json"}
    return run(root, jobs, report="all.json")


def conflicts(combined: dict[str, Any]) -> list[str]:
    """Return the conflicts between the matrix jobs, without the places of the two readings."""
    return [note.partition(": ")[2] for note in combined["notes"] if " has two " in note]


@pytest.mark.parametrize(
    ("trees", "has_conflicts"),
    [
        ([helm("models", "model-zoo"), helm("full16", "v1.0.0"), helm("lite", "v1.0.0")], False),
        (
            [
                helm("candidate", "nightly"),
                helm("models", "model-zoo"),
                helm("baseline", "nightly"),
            ],
            True,
        ),
    ],
    ids=["subjects that complete each other", "values that contradict each other"],
)
def test_fan_in_is_what_one_run_would_have_reported(
    trees: list[dict[str, Any]], workspace: Path, root: Path, *, has_conflicts: bool
) -> None:
    """Reports of matrix jobs make the evaluations, ranking and conflicts of reading all trees."""
    assert workspace.is_dir()
    code, at_once = run(root, *trees, report="at-once.json")
    code_of_jobs, combined = fan_in(root, *trees)

    assert at_once["evaluations"] == combined["evaluations"]
    assert at_once["leaderboard"] == combined["leaderboard"]
    assert conflicts(at_once) == conflicts(combined)
    assert has_conflicts == bool(conflicts(combined))
    assert (3 if has_conflicts else 0) == code == code_of_jobs


SUBJECTS = ("abstract_algebra", "college_chemistry", "us_foreign_policy")


def share(tree: Path, at: int, of: int) -> None:
    """Leave of a suite what a matrix job would have written that evaluates each `of`-th benchmark.

    Of MMLU it evaluates one subject; HELM then writes no table over subjects.
    """
    suite = tree / "runs/model-zoo"
    paths = sorted(path for path in (suite / "groups").glob("*.json") if path.stem != "mmlu")
    for path in paths:
        if path not in paths[at::of]:
            path.unlink()
    tables = json.loads((suite / "groups/mmlu.json").read_bytes())
    kept = [table for table in tables if table["name"] == f"mmlu_subject:{SUBJECTS[at]}"]
    (suite / "groups/mmlu.json").write_text(json.dumps(kept))
    evaluated = {"mmlu", *(path.stem for path in paths[at::of])}
    runs = json.loads((suite / "run_specs.json").read_bytes())
    left = [
        run
        for run in runs
        if evaluated & set(run["groups"])
        if run["scenario_spec"]["args"].get("subject") in {None, SUBJECTS[at]}
    ]
    (suite / "run_specs.json").write_text(json.dumps(left))
    for run in runs:
        if run not in left:
            shutil.rmtree(suite / run["name"])


def without_last_digits(value: Any) -> Any:
    """The value, with numbers to 12 places."""
    if isinstance(value, dict):
        return {key: without_last_digits(one) for key, one in sorted(value.items())}
    return round(value, 12) if isinstance(value, float) else value


def test_jobs_of_one_suite_make_the_suite(workspace: Path, helm_trees: Path, root: Path) -> None:
    """A suite whose subjects and benchmarks are shared by three jobs is whole again after them."""
    for at in range(3):
        job = workspace / f"job-{at}"
        shutil.copytree(helm_trees / "models", job, symlinks=True)
        share(job, at, 3)
    entries = [{**helm("models", "model-zoo"), "helm_output_dir": f"job-{at}"} for at in range(3)]
    code, whole = run(root, helm("models", "model-zoo"), report="whole.json")
    code_of_jobs, combined = fan_in(root, *entries)
    _, at_once = run(root, *entries, report="at-once.json")

    assert (0, 0, []) == (code, code_of_jobs, conflicts(combined))
    assert at_once["evaluations"] == combined["evaluations"]
    assert at_once["leaderboard"] == combined["leaderboard"]
    for one, expected in zip(combined["evaluations"], whole["evaluations"], strict=True):
        assert without_last_digits(expected["scores"]) == without_last_digits(one["scores"])
        assert expected["missing"].keys() == one["missing"].keys()


# The documented workflow


@pytest.fixture
def matrix(root: Path) -> dict[str, Any]:
    """examples/matrix.yml."""
    workflow: dict[str, Any] = yaml.safe_load((root / "examples/matrix.yml").read_text())
    return workflow


def test_documented_workflow_names_inputs_that_there_are(
    matrix: dict[str, Any], root: Path
) -> None:
    """Each step with this action gives inputs that action.yml declares, as strings."""
    inputs = yaml.safe_load((root / "action.yml").read_text())["inputs"]
    steps = [step for job in matrix["jobs"].values() for step in job["steps"]]
    given = [step["with"] for step in steps if "helm-wandb-action" in step.get("uses", "")]

    assert 2 == len(given)
    assert all(set(one) <= set(inputs) for one in given)
    assert all(isinstance(value, str | bool) for one in given for value in one.values())


def test_documented_configs_are_valid(root: Path) -> None:
    """The configs that the workflow's comments show are accepted."""
    text = (root / "examples/matrix.yml").read_text()
    schema = json.loads((root / "schema/config.schema.json").read_bytes())
    blocks = re.findall(r"^# (evals/\w+\.yaml):\n((?:#   .*\n)+)", text, re.MULTILINE)
    configs = {
        name: config.parse(
            re.sub("^#   ", "", block, flags=re.MULTILINE).encode(), file=name, schema=schema
        )
        for name, block in blocks
    }

    assert ["evals/shard.yaml", "evals/all.yaml"] == list(configs)
    (entry,) = configs["evals/all.yaml"].evals
    assert ("report", "reports/*.json") == (entry.source, entry.fields["path"])
    assert all(f"config: {name}" in text for name in configs)
