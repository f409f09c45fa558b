"""HELM output → Evaluations, on trees that the real helm-run and helm-summarize wrote."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from helm_wandb.comparing.helm_metrics import CORE_METRICS
from helm_wandb.errors import ArtifactError, ConfigError
from helm_wandb.harness.entry import ReadOptions
from helm_wandb.model import Evaluation, Place, Reading, ScoreKey
from helm_wandb.sources.helm.entry import HelmEval
from helm_wandb.sources.helm.reader import read
from helm_wandb.system import paths

from .conftest import DATA
from .limits import calls_at_most

if TYPE_CHECKING:
    from collections.abc import Mapping

LABELS_OF_MODELS = {
    "Alpha (7B)": ("toyorg/alpha-7b", 0),
    "Alpha (13B)": ("toyorg/alpha-13b", 0),
    "Beta | Large *v1*": ("otherlab/beta-large", 0),
    "otherlab/gamma-small": ("otherlab/gamma-small", 0),
}


@dataclass(frozen=True)
class Tree:
    """A tree of HELM output, and the model and iteration that each row label of it means."""

    name: str
    suite: str
    groups: str
    models: dict[str, tuple[str, int]]


TREES = [
    Tree(
        "checkpoints",
        "toyproj-toyllama",
        "runs/toyproj-toyllama/groups",
        {f"toyproj-llama/{n}000": ("mymodel/toyproj-llama", n * 1000) for n in range(1, 7)},
    ),
    Tree(
        "checkpoints_us",
        "toy-us",
        "runs/toy-us/groups",
        {f"mymodel/ckpt_{n}000": ("mymodel", n * 1000) for n in range(1, 8)},
    ),
    Tree("models", "model-zoo", "runs/model-zoo/groups", LABELS_OF_MODELS),
    Tree(
        "full16",
        "v1.0.0",
        "runs/v1.0.0/groups",
        {"Alpha (13B)": ("toyorg/alpha-13b", 0), "toyorg/delta_v2": ("toyorg/delta_v2", 0)},
    ),
    Tree(
        "old",
        "toyproj-toyllama",
        "runs/toyproj-toyllama/groups",
        {f"mymodel/toyproj-llama/{n}": ("mymodel/toyproj-llama", n) for n in (1000, 3000, 5000)},
    ),
    Tree("baseline", "nightly", "runs/nightly/groups", {"acme/assistant": ("acme/assistant", 0)}),
    Tree("candidate", "nightly", "runs/nightly/groups", {"acme/assistant": ("acme/assistant", 0)}),
    Tree("lite", "v1.0.0", "releases/v1.0.0/groups", LABELS_OF_MODELS),
    Tree("lite", "v1.0.0-mean", "releases/v1.0.0-mean/groups", LABELS_OF_MODELS),
]


def spec(output: str | Path, suite: str, **changes: Any) -> HelmEval:
    """An entry of `evals` that asks for the core metrics of a suite."""
    fields: dict[str, Any] = {
        "place": Place("config.yaml", 3, 5),
        "path": "$.evals[0]",
        "output_dir": str(output),
        "helm_suite_name": suite,
    }
    return HelmEval(**{**fields, **changes})


def read_spec(
    entry: HelmEval,
    folder: Path,
    *,
    with_details: bool = False,
    clusters: Mapping[str, str] | None = None,
) -> Reading:
    """Return the reading of an entry."""
    options = ReadOptions(folder=folder, with_details=with_details, clusters=clusters or {})
    return read(entry, options)


def read_tree(helm_trees: Path, name: str, suite: str, **changes: Any) -> tuple[Evaluation, ...]:
    """The evaluations of a tree."""
    return read_spec(spec(name, suite, **changes), helm_trees).evaluations


def copied(helm_trees: Path, name: str, folder: Path) -> Path:
    """A copy of a tree, to be damaged."""
    return Path(shutil.copytree(helm_trees / name, folder / name, symlinks=True))


def cells(tree: Tree, helm_trees: Path) -> dict[tuple[str, int, str], float]:
    """Return HELM's own cells, read without our code: first table, first such column."""
    found = {}
    for key in CORE_METRICS:
        path = helm_trees / tree.name / tree.groups / f"{key.benchmark}.json"
        if not path.exists():
            continue
        table = json.loads(path.read_text())[0]
        column = [header["value"] for header in table["header"]].index(key.metric)
        for row in table["rows"]:
            if "value" in row[column]:
                found[(*tree.models[row[0]["value"]], str(key))] = row[column]["value"]
    return found


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: f"{tree.name}-{tree.suite}")
def test_values_are_helms_own_cells(tree: Tree, helm_trees: Path) -> None:
    """Every value of every model and iteration is the cell that HELM shows, and none is lost."""
    evaluations = read_tree(helm_trees, tree.name, tree.suite)
    values = {
        (one.model, one.iteration, str(key)): score.value
        for one in evaluations
        for key, score in one.scores.items()
        if (helm_trees / tree.name / tree.groups / f"{key.benchmark}.json").exists()
    }

    assert cells(tree, helm_trees) == values


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: f"{tree.name}-{tree.suite}")
def test_what_is_requested_is_read_or_missing(tree: Tree, helm_trees: Path) -> None:
    """Each of the entry's metrics is either a score or missing with a reason."""
    for one in read_tree(helm_trees, tree.name, tree.suite):
        assert set(CORE_METRICS) == one.scores.keys() | one.missing.keys()
        assert not one.scores.keys() & one.missing.keys()
        assert all(one.missing.values())


def test_subjects_are_the_cells_of_their_tables(helm_trees: Path) -> None:
    """A benchmark's subjects hold the values of HELM's own tables of them."""
    tables = json.loads(
        (helm_trees / "checkpoints/runs/toyproj-toyllama/groups/mmlu.json").read_text()
    )
    expected = {table["title"]: table["rows"][5][1]["value"] for table in tables[1:]}
    last = read_tree(helm_trees, "checkpoints", "toyproj-toyllama")[-1]
    subjects = last.scores[ScoreKey("mmlu", "EM")].subjects

    assert expected == {title: subject.value for title, subject in subjects.items()}


def test_a_metric_other_than_the_main_one_can_be_named(helm_trees: Path) -> None:
    """`EM (Robustness)` and columns where lower is better are read with their direction."""
    keys = (ScoreKey("boolq", "EM (Robustness)"), ScoreKey("boolq", "ECE (10-bin)"))
    (first, *_) = read_tree(helm_trees, "checkpoints", "toyproj-toyllama", score_keys=keys)

    assert [(0.5, False), (0.5315528293643975, True)] == [
        (first.scores[key].value, first.scores[key].lower_is_better) for key in keys
    ]


def test_tokens_follow_from_the_iteration(helm_trees: Path) -> None:
    """An iteration found in the model's id times token_per_iteration gives the tokens."""
    found = read_tree(
        helm_trees,
        "checkpoints_us",
        "toy-us",
        model_name="toy",
        token_per_iteration=0.5,
    )

    assert [("toy", n * 1000, n * 500.0) for n in range(1, 8)] == [
        (one.model, one.iteration, one.tokens_billions) for one in found
    ]


def test_tokens_of_a_default_iteration_are_unknown(helm_trees: Path) -> None:
    """If the iteration is only the default, the tokens are None, never 0."""
    (one,) = read_tree(
        helm_trees, "baseline", "nightly", default_iteration=7, token_per_iteration=2.0
    )

    assert (7, None) == (one.iteration, one.tokens_billions)


def test_the_reasons_of_missing_scores_say_why(helm_trees: Path) -> None:
    """No table, no column, no row and no value have different reasons."""
    keys = (
        ScoreKey("quac", "F1"),
        ScoreKey("boolq", "F1"),
        ScoreKey("boolq", "Toxic fraction"),
        ScoreKey("boolq", "EM"),
    )
    (one,) = read_tree(helm_trees, "baseline", "nightly", score_keys=keys)

    assert {
        "quac.F1": "not run in this suite",
        "boolq.F1": "HELM's table has no column 'F1'; it has: ECE (10-bin), EM (Fairness), "
        "Toxic fraction, Denoised inference time (s), EM, EM (Robustness), Stereotypes (race), "
        "Stereotypes (gender), Representation (race), Representation (gender)",
        "boolq.Toxic fraction": "HELM's cell has no value: 1 matching runs, but no matching "
        "metrics",
    } == {str(key): why for key, why in one.missing.items()}


def test_benchmarks_that_do_not_exist_are_noted_next_to_those_that_are(helm_trees: Path) -> None:
    """Whoever asks for benchmarks by name learns which ones the suite has."""
    keys = (ScoreKey("quac", "F1"), ScoreKey("boolq", "EM"))

    (note,) = read_spec(spec("baseline", "nightly", score_keys=keys), helm_trees).notes

    assert (
        "Suite nightly has no run of quac. It has: boolq, hellaswag, imdb, mmlu, narrative_qa, "
        "natural_qa_openbook_longans."
    ) == note


def test_a_model_without_a_row_misses_the_benchmark(helm_trees: Path, tmp_path: Path) -> None:
    """A model that a benchmark was not run for keeps its other scores."""
    tree = copied(helm_trees, "models", tmp_path)
    path = tree / "runs/model-zoo/groups/boolq.json"
    tables = json.loads(path.read_text())
    tables[0]["rows"] = tables[0]["rows"][:3]
    path.write_text(json.dumps(tables))
    found = {one.model: one for one in read_spec(spec(tree, "model-zoo"), tmp_path).evaluations}

    boolq = ScoreKey("boolq", "EM")
    assert "not run for this model" == found["otherlab/gamma-small"].missing[boolq]
    assert 0.65 == found["toyorg/alpha-7b"].scores[boolq].value


def test_two_models_with_one_label_stay_two(helm_trees: Path, tmp_path: Path) -> None:
    """Rows that share a display name belong to the models of their run specs."""
    tree = copied(helm_trees, "models", tmp_path)
    for path in (tree / "runs/model-zoo/groups").glob("*.json"):
        path.write_text(path.read_text().replace("Alpha (13B)", "Alpha (7B)"))

    assert (
        read_tree(helm_trees, "models", "model-zoo")
        == read_spec(spec("models", "model-zoo"), tmp_path).evaluations
    )


def test_label_of_an_old_aggregate_is_resolved_by_the_links(
    helm_trees: Path, tmp_path: Path
) -> None:
    """HELM 0.2.4 names no runs in aggregates: labels are resolved through the other tables."""
    tree = copied(helm_trees, "old", tmp_path)
    for path in (tree / "runs/toyproj-toyllama/groups").glob("*.json"):
        tables = json.loads(path.read_text())
        for row in (row for table in tables for row in table["rows"]):
            row[0]["value"] = "Toy Llama"
        path.write_text(json.dumps(tables))

    assert (
        read_tree(helm_trees, "old", "toyproj-toyllama")
        == read_spec(spec(tree, "toyproj-toyllama"), tmp_path).evaluations
    )


def test_identity_comes_from_the_runs_own_file_where_the_list_is_absent(
    helm_trees: Path, tmp_path: Path
) -> None:
    """Without run_specs.json each run's run_spec.json names the model."""
    tree = copied(helm_trees, "checkpoints", tmp_path)
    (tree / "runs/toyproj-toyllama/run_specs.json").unlink()

    assert (
        read_tree(helm_trees, "checkpoints", "toyproj-toyllama")
        == read_spec(spec(tree, "toyproj-toyllama"), tmp_path).evaluations
    )


def test_runs_of_a_release_are_found_in_their_suites(helm_trees: Path, tmp_path: Path) -> None:
    """A release without run_specs.json still knows its models by the specs of its runs."""
    tree = copied(helm_trees, "lite", tmp_path)
    (tree / "releases/v1.0.0/run_specs.json").unlink()

    assert (
        read_tree(helm_trees, "lite", "v1.0.0")
        == read_spec(spec(tree, "v1.0.0"), tmp_path).evaluations
    )


def test_tables_with_one_title_are_distinguished_by_name(helm_trees: Path, tmp_path: Path) -> None:
    """Subjects whose titles repeat are called by their tables' names; none is lost."""
    tree = copied(helm_trees, "baseline", tmp_path)
    path = tree / "runs/nightly/groups/mmlu.json"
    tables = json.loads(path.read_text())
    for table in tables[1:]:
        table["title"] = "subject"
    path.write_text(json.dumps(tables))
    (one,) = read_spec(spec(tree, "nightly"), tmp_path).evaluations

    assert [
        "mmlu_subject:anatomy",
        "mmlu_subject:econometrics",
        "mmlu_subject:philosophy",
    ] == list(one.scores[ScoreKey("mmlu", "EM")].subjects)


def test_models_of_the_suite_that_are_not_meant_are_noted(helm_trees: Path) -> None:
    """If model_name picks one of several models, the others are named."""
    entry = spec("models", "model-zoo", model_name="toyorg/alpha-7b")
    (note,) = read_spec(entry, helm_trees).notes

    assert (
        "Suite model-zoo also has 'otherlab/beta-large', 'otherlab/gamma-small', "
        "'toyorg/alpha-13b': not recorded as 'toyorg/alpha-7b'."
    ) == note


def test_bare_nan_is_a_missing_score(helm_trees: Path, tmp_path: Path) -> None:
    """A NaN that old HELM wrote costs that one score, with the reason."""
    tree = copied(helm_trees, "old", tmp_path)
    path = tree / "runs/toyproj-toyllama/groups/boolq.json"
    path.write_text(path.read_text().replace('"value": 0.6,', '"value": NaN,'))
    found = read_spec(spec(tree, "toyproj-toyllama"), tmp_path).evaluations

    boolq = ScoreKey("boolq", "EM")
    assert {3000: "HELM wrote nan for it"} == {
        one.iteration: one.missing[boolq] for one in found if boolq in one.missing
    }
    assert 8 == len(found[0].scores)


def test_rows_of_one_model_that_differ_in_a_setting_are_not_guessed(
    helm_trees: Path, tmp_path: Path
) -> None:
    """Two rows of one model, as in HELM's ablations, make a missing score, not the last one's."""
    tree = copied(helm_trees, "baseline", tmp_path)
    path = tree / "runs/nightly/groups/boolq.json"
    tables = json.loads(path.read_text())
    row = tables[0]["rows"][0]
    tables[0]["rows"] = [row, [{**row[0], "value": "acme/assistant [num_shots: 0]"}, *row[1:]]]
    path.write_text(json.dumps(tables))
    (one,) = read_spec(spec(tree, "nightly"), tmp_path).evaluations

    assert (
        "unknown which of 2 rows of HELM's table is meant: "
        "acme/assistant, acme/assistant [num_shots: 0]"
    ) == one.missing[ScoreKey("boolq", "EM")]


def test_the_first_of_two_columns_with_one_label_is_the_main_metric(
    helm_trees: Path, tmp_path: Path
) -> None:
    """With --auto-generate-schema EM occurs twice; the first is the benchmark's main metric."""
    tree = copied(helm_trees, "baseline", tmp_path)
    path = tree / "runs/nightly/groups/boolq.json"
    path.write_text(path.read_text().replace("ECE (10-bin)", "EM"))
    (one,) = read_spec(spec(tree, "nightly"), tmp_path).evaluations

    assert 0.73 == one.scores[ScoreKey("boolq", "EM")].value


def test_sub_splits_are_no_subjects(helm_trees: Path, tmp_path: Path) -> None:
    """HELM repeats sub-split tables under one name; they are not parts of the benchmark."""
    tree = copied(helm_trees, "baseline", tmp_path)
    path = tree / "runs/nightly/groups/boolq.json"
    tables = json.loads(path.read_text())
    split = {**tables[0], "title": "X (sub-split: toxic)", "name": "boolq:sub_split=toxic"}
    path.write_text(json.dumps([*tables, split, split]))
    (one,) = read_spec(spec(tree, "nightly"), tmp_path).evaluations

    assert ["only_contrast: False"] == list(one.scores[ScoreKey("boolq", "EM")].subjects)


def test_an_unreadable_table_costs_its_benchmark_only(helm_trees: Path, tmp_path: Path) -> None:
    """A file that was cut short is reported as a fault and a reason; the others are read."""
    tree = copied(helm_trees, "baseline", tmp_path)
    path = tree / "runs/nightly/groups/boolq.json"
    path.write_bytes(path.read_bytes()[:5000])
    reading = read_spec(spec("baseline", "nightly"), tmp_path)
    (one,), (fault,) = reading.evaluations, reading.faults

    assert 5 == len(one.scores)
    assert one.missing[ScoreKey("boolq", "EM")] == fault
    assert fault.startswith("baseline/runs/nightly/groups/boolq.json: unexpected content: ")


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[1]", b"[" * 100_000, b'[{"title": 1}]', b"\xff\xfe[]", b"nul"],
)
def test_files_of_another_kind_are_reported_by_name(
    content: bytes, helm_trees: Path, tmp_path: Path
) -> None:
    """Whatever a table's file holds, the fault names the file and nothing is raised."""
    tree = copied(helm_trees, "baseline", tmp_path)
    path = tree / "runs/nightly/groups/boolq.json"
    path.write_bytes(content)

    (fault,) = read_spec(spec(tree, "nightly"), tmp_path).faults

    assert fault.startswith(f"{path}: unexpected content: ")


def test_absent_output_folder(tmp_path: Path) -> None:
    """A missing folder is reported with the config's line and where it was looked for."""
    with pytest.raises(ArtifactError) as raised:
        read_spec(spec("nowhere", "nightly"), tmp_path)

    assert (
        "config.yaml:3:5: helm_output_dir 'nowhere' doesn't exist. It is looked for in "
        f"{tmp_path}. Did the step that evaluates write it there?"
    ) == str(raised.value)


def test_absolute_host_path_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path of the runner's host cannot be there in the container, and the message says so."""
    monkeypatch.setattr(paths, "WORKSPACE", tmp_path)

    with pytest.raises(ArtifactError, match="only the workspace exists, as /github/workspace"):
        read_spec(spec("/home/runner/_work/x/helm", "nightly"), tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("out/*", "It is a glob, and one name is needed"),
        ("s3://bucket/helm.tar.gz", "It is a URL, and only files of this machine are read"),
        ("/nowhere/helm", "Did the step that evaluates write it there?"),
    ],
)
def test_an_output_folder_that_is_none_is_explained(
    name: str, expected: str, tmp_path: Path
) -> None:
    """A glob and a URL are reported as such; outside a workflow nothing is said of containers."""
    with pytest.raises(ArtifactError) as raised:
        read_spec(spec(name, "nightly"), tmp_path)

    problem = f"config.yaml:3:5: helm_output_dir {name!r} doesn't exist. {expected}"
    assert str(raised.value).startswith(problem)


@pytest.mark.parametrize("name", ["nightly", "releases/lite-like", "runs/v1.0.0"])
def test_unknown_suite_lists_what_is_there(name: str, helm_trees: Path) -> None:
    """A misspelt suite, or one in the other folder, is answered with those that exist."""
    with pytest.raises(ArtifactError) as raised:
        read_spec(spec("lite", name), helm_trees)

    assert (
        f"config.yaml:3:5: no suite or release {name!r} in 'lite'. There are: runs/lite-like, "
        "releases/v1.0.0, releases/v1.0.0-mean."
    ) == str(raised.value)


def test_the_case_of_names_is_corrected(helm_trees: Path) -> None:
    """Each benchmark's metrics are listed once, and the entries that are meant are written out."""
    named = ("MMLU.em", "boolq.em", "boolq.exact_match", "boolq.Em")
    with pytest.raises(ArtifactError) as raised:
        read_tree(helm_trees, "baseline", "nightly", score_keys=tuple(map(ScoreKey.parse, named)))

    message = str(raised.value)
    meant = "[{name: mmlu, metrics: [EM]}, {name: boolq, metrics: [EM]}]"
    assert message.endswith(f" Did you mean {meant}? Name them under benchmarks.")
    assert 1 == message.count("The metrics of boolq are: EM, ")
    assert 1 == message.count("The metrics of mmlu are: EM, ")
    keys = tuple(map(ScoreKey.parse, ("mmlu.EM", "BoolQ.EM")))
    (note,) = read_spec(spec("baseline", "nightly", score_keys=keys), helm_trees).notes
    assert note.endswith(" Did you mean boolq?")


def test_metrics_of_runs_without_tables_are_named() -> None:
    """If a metric doesn't exist, those are named that the runs have and that can be scores."""
    archive = DATA / "cases/init-unknown-group/out.tar.gz"
    named = ScoreKey("medication_qa", "Rating")
    with pytest.raises(ArtifactError) as raised:
        read_spec(spec(archive, "TEST", score_keys=(named,)), DATA)

    there = "rouge_1, rouge_2, rouge_l, medication_qa_accuracy"
    assert f"The metrics of medication_qa are: {there}. Name them under" in str(raised.value)


@pytest.mark.parametrize(
    ("tree", "listed", "name"),
    [
        ("baseline", "runs/nightly", "nightly"),
        ("lite", "releases/v1.0.0", "v1.0.0"),
        ("unsummarized", "runs/2026-01-15/", "2026-01-15"),
    ],
)
def test_a_suite_may_be_named_as_the_message_lists_it(
    tree: str, listed: str, name: str, helm_trees: Path
) -> None:
    """`runs/nightly` is the suite nightly, and recorded under that name."""
    found = read_tree(helm_trees, tree, listed)

    assert found == read_tree(helm_trees, tree, name)
    assert {name} == {one.origin.suite for one in found}


def test_a_folder_above_helms_output_is_reported(tmp_path: Path) -> None:
    """If the folder that is meant is one below, it is named; so is one above."""
    (tmp_path / "output/helm/runs/nightly").mkdir(parents=True)
    for given, meant in (("output", "output/helm"), ("output/helm/runs", "output/helm")):
        with pytest.raises(ArtifactError, match=rf"suite in it\. .*: give {meant}[.,]"):
            read_spec(spec(given, "nightly"), tmp_path)


@pytest.mark.parametrize("name", ["~/helm", "$HOME/helm"])
def test_a_folder_for_a_shell_is_reported(name: str, tmp_path: Path) -> None:
    """An unexpanded variable is reported as one."""
    with pytest.raises(ArtifactError, match=r"doesn't exist\. A leading ~ and \$NAME are not exp"):
        read_spec(spec(name, "nightly"), tmp_path)


def test_folder_without_suites(tmp_path: Path) -> None:
    """A folder that is no HELM output is reported as such."""
    (tmp_path / "output").mkdir()
    with pytest.raises(ArtifactError, match="has neither runs/ nor releases/"):
        read_spec(spec("output", "nightly"), tmp_path)


def test_suite_without_a_finished_run(tmp_path: Path) -> None:
    """A suite whose runs all crashed is reported as such."""
    (tmp_path / "output/runs/nightly/boolq:model=x").mkdir(parents=True)
    with pytest.raises(ArtifactError, match="suite 'nightly' holds no finished run"):
        read_spec(spec("output", "nightly"), tmp_path)


def test_release_without_tables(tmp_path: Path) -> None:
    """A release whose helm-summarize crashed is not said to be missing."""
    (tmp_path / "output/releases/v1").mkdir(parents=True)
    with pytest.raises(ArtifactError, match=r"release 'v1' has no tables in groups/"):
        read_spec(spec("output", "v1"), tmp_path)


def test_nothing_of_what_was_requested(helm_trees: Path) -> None:
    """A suite with none of the entry's benchmarks is an error that lists those it has."""
    with pytest.raises(ArtifactError) as raised:
        read_tree(helm_trees, "checkpoints_us", "toy-us", score_keys=(ScoreKey("gsm", "EM"),))

    assert (
        "config.yaml:3:5: suite 'toy-us' has none of the metrics named (gsm.EM). Its benchmarks "
        "are: boolq, mmlu. Name them under benchmarks."
    ) == str(raised.value)


@pytest.mark.parametrize(
    ("tree", "suite", "metrics"),
    [
        ("checkpoints_us", "toy-us", "EM, "),
        (
            "unsummarized",
            "2026-01-15",
            "EM, exact_match, ",
        ),
    ],
)
def test_a_misspelt_metric_lists_those_of_its_benchmark(
    tree: str, suite: str, metrics: str, helm_trees: Path
) -> None:
    """If a benchmark lacks the metric, its metrics are listed, the nearest first."""
    with pytest.raises(ArtifactError) as raised:
        read_tree(helm_trees, tree, suite, score_keys=(ScoreKey("mmlu", "EMM"),))

    assert str(raised.value).startswith(
        f"config.yaml:3:5: suite {suite!r} has none of the metrics named (mmlu.EMM). "
        f"The metrics of mmlu are: {metrics}"
    )


def test_metrics_without_number_are_compared_up_to_a_number(
    helm_trees: Path, tmp_path: Path
) -> None:
    """A table of 5,000 columns does not multiply the work of finding the nearest name."""
    tree = copied(helm_trees, "checkpoints_us", tmp_path)
    path = tree / "runs/toy-us/groups/mmlu.json"
    tables = json.loads(path.read_text())
    for table in tables:
        table["header"] += [{"value": f"{number} {'abc' * 30}"} for number in range(5_000)]
    path.write_text(json.dumps(tables))

    with calls_at_most(250_000), pytest.raises(ArtifactError, match="metrics of mmlu are: "):
        read_tree(tmp_path, "checkpoints_us", "toy-us", score_keys=(ScoreKey("mmlu", "acb" * 30),))


def test_a_name_without_measure_is_refused(helm_trees: Path, tmp_path: Path) -> None:
    """A model's name that would fill outputs and comments is shown shortened."""
    tree = copied(helm_trees, "baseline", tmp_path)
    path = tree / "runs/nightly/run_specs.json"
    path.write_text(path.read_text().replace("acme/assistant", "x" * 1_001))
    with pytest.raises(ArtifactError) as raised:
        read_spec(spec(tree, "nightly"), tmp_path)

    assert str(raised.value).startswith(
        "config.yaml:3:5: a model of suite 'nightly' has a name of 1,001 characters, "
        f"'{'x' * 40}'…; at most 1,000 are allowed. "
    )


def test_models_beyond_the_named_benchmarks_count_as_families(
    helm_trees: Path, tmp_path: Path
) -> None:
    """A model's scores are not taken for another's because that one lacks the benchmark."""
    tree = copied(helm_trees, "models", tmp_path)
    path = tree / "runs/model-zoo/groups/boolq.json"
    tables = json.loads(path.read_text())
    tables[0]["rows"] = tables[0]["rows"][:1]
    path.write_text(json.dumps(tables))

    with pytest.raises(ConfigError, match="several models and none is called 'gamma'"):
        read_spec(
            spec(tree, "model-zoo", model_name="gamma", score_keys=(ScoreKey("boolq", "EM"),)),
            tmp_path,
        )


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: f"{tree.name}-{tree.suite}")
def test_an_archive_is_as_good_as_its_folder(tree: Tree, helm_trees: Path) -> None:
    """A packed tree gives the same evaluations, per-instance scores included."""
    archive = DATA / "helm" / f"{tree.name}.tar.gz"
    packed = read_spec(spec(archive, tree.suite), Path(), with_details=True)
    unpacked = read_spec(spec(tree.name, tree.suite), helm_trees, with_details=True)

    def comparable(reading: Reading) -> list[tuple[object, ...]]:
        return [
            (one.model, one.iteration, key, score.value, score.n, score.instances)
            for one in reading.evaluations
            for key, score in one.scores.items()
        ]

    assert comparable(unpacked) == comparable(packed)


def test_what_is_no_archive_is_reported_with_the_configs_line(tmp_path: Path) -> None:
    """A file that is neither a folder nor an archive is an error at the key that names it."""
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ArtifactError, match=r"^config.yaml:3:5: helm_output_dir: notes.txt: "):
        read_spec(spec("notes.txt", "nightly"), tmp_path)


def test_a_file_without_tables_has_no_scores(helm_trees: Path, tmp_path: Path) -> None:
    """A group file with an empty list costs its benchmark."""
    tree = copied(helm_trees, "baseline", tmp_path)
    (tree / "runs/nightly/groups/boolq.json").write_text("[]")
    (one,) = read_spec(spec(tree, "nightly"), tmp_path).evaluations

    assert ScoreKey("boolq", "EM") in one.missing


def test_rows_shorter_than_the_head_and_cells_of_text_are_missing(
    helm_trees: Path, tmp_path: Path
) -> None:
    """A table that somebody edited by hand costs the scores that it lacks, with the reason."""
    tree = copied(helm_trees, "baseline", tmp_path)
    groups = tree / "runs/nightly/groups"
    short, text = (json.loads((groups / f"{b}.json").read_text()) for b in ("boolq", "imdb"))
    short[0]["rows"][0] = short[0]["rows"][0][:1]
    text[0]["rows"][0][1]["value"] = "high"
    (groups / "boolq.json").write_text(json.dumps(short))
    (groups / "imdb.json").write_text(json.dumps(text))
    (one,) = read_spec(spec(tree, "nightly"), tmp_path).evaluations

    assert [
        "HELM's row is shorter than the table's header",
        "HELM's cell holds text: high",
    ] == [one.missing[ScoreKey(benchmark, "EM")] for benchmark in ("boolq", "imdb")]
