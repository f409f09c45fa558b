"""The metrics that are chosen of a benchmark if a config names none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from helm_wandb.harness.files import Limits
from helm_wandb.harness.folder import Folder
from helm_wandb.sources.helm import layout
from helm_wandb.sources.helm.metric_choice import choose_metrics
from helm_wandb.sources.helm.runs import Runs

from .test_config_commands import write_raw_suite
from .test_sources_helm import read_spec, spec


@pytest.fixture
def tree(helm_trees: Path, tmp_path: Path) -> Path:
    """A copy of summarized output, to be changed."""
    return Path(shutil.copytree(helm_trees / "checkpoints_us", tmp_path / "out"))


def chosen(tree: Path) -> tuple[str, ...]:
    """Return the metrics that are chosen of boolq."""
    suite = layout.suite_named("toy-us", Folder(tree, shown_as="out", limits=Limits()))

    assert suite is not None
    return choose_metrics("boolq", suite, Runs(suite))


def test_the_main_metric_is_chosen(tree: Path) -> None:
    """The column of the metric that the schema calls the main one is enough."""
    assert ("EM",) == chosen(tree)


def test_columns_without_numbers_are_not_chosen(tree: Path) -> None:
    """If the main metric has no number, all that have some and an order are chosen, each once."""
    path = tree / "runs/toy-us/groups/boolq.json"
    (table,) = json.loads(path.read_text())
    names = [header["value"] for header in table["header"]]
    for row in table["rows"]:
        del row[names.index("EM")]["value"]
    table["header"].append(table["header"][names.index("ECE (10-bin)")])
    for row in table["rows"]:
        row.append(row[names.index("ECE (10-bin)")])
    path.write_text(json.dumps([table]))

    found = chosen(tree)
    assert "ECE (10-bin)" in found
    assert len(set(found)) == len(found)
    assert not {"EM", "# eval", "# train"} & set(found)


def names_of_scores(folder: Path, suite: str) -> list[set[str]]:
    """Return the names of each model's scores, read without naming any."""
    found = read_spec(spec(".", suite), folder).evaluations
    return [set(map(str, one.scores)) for one in found]


def test_without_core_benchmarks_all_main_metrics_are_read(tmp_path: Path) -> None:
    """A board of other benchmarks is read by default; dots in their names become underscores."""
    benchmarks = {"medec": ("medec_error_flag_accuracy", "test"), "unitxt_x.y": ("accuracy", "")}
    write_raw_suite(tmp_path, benchmarks)
    reading = read_spec(spec(".", "raw"), tmp_path)

    assert [{"medec.medec_error_flag_accuracy", "unitxt_x_y.accuracy"}] * 2 == [
        set(map(str, one.scores)) for one in reading.evaluations
    ]
    assert () == reading.faults
    (note,) = reading.notes
    assert "Suite raw has none of HELM's 16 core metrics" in note


def test_one_core_benchmark_makes_the_core_metrics_the_default(tmp_path: Path) -> None:
    """Others are read only if the config names them."""
    write_raw_suite(
        tmp_path,
        {"medec": ("medec_error_flag_accuracy", "test"), "imdb": ("quasi_exact_match", "valid")},
    )

    assert [{"imdb.EM"}] * 2 == names_of_scores(tmp_path, "raw")


def test_a_benchmark_that_cannot_be_read_costs_no_other(tmp_path: Path) -> None:
    """Its files are reported, and its main metric is missing with the reason."""
    write_raw_suite(
        tmp_path,
        {"medec": ("medec_error_flag_accuracy", "test"), "medbullets": ("exact_match", "test")},
    )
    for path in tmp_path.glob("runs/raw/medec*/stats.json"):
        path.write_text("{")
    reading = read_spec(spec(".", "raw"), tmp_path)

    assert [{"medbullets.EM"}] * 2 == [set(map(str, one.scores)) for one in reading.evaluations]
    assert 2 == len(reading.faults)
    assert all(len(one.missing) == 1 for one in reading.evaluations)


def test_metrics_to_minimize_are_chosen_last(tmp_path: Path) -> None:
    """Of a benchmark that no schema knows, an error rate is taken if nothing else is there."""
    benchmarks = {"speech": ("wer_score", "test"), "other": ("wer_score", "test")}
    write_raw_suite(tmp_path, benchmarks)
    for path in tmp_path.glob("runs/raw/other*/stats.json"):
        stats = json.loads(path.read_text())
        stats += [{"name": {"name": "x_score", "split": "test"}, "count": 1, "sum": 0.5}]
        path.write_text(json.dumps(stats))

    assert [{"other.x_score", "speech.wer_score"}] * 2 == names_of_scores(tmp_path, "raw")


def test_a_groups_name_in_a_config_is_unique(tmp_path: Path) -> None:
    """Of two groups that a config would name alike, it means the one that has this name."""
    write_raw_suite(tmp_path, {"a.b": ("x_score", "test"), "a_b": ("y_score", "test")})

    assert [{"a_b.y_score"}] * 2 == names_of_scores(tmp_path, "raw")


def test_a_table_is_found_by_the_groups_name(tmp_path: Path) -> None:
    """HELM's file has the dots that the benchmark's name in a config can't have."""
    write_raw_suite(tmp_path, {"unitxt_x.y": ("accuracy", "")})
    runs = sorted(tmp_path.glob("runs/raw/unitxt*"))
    head = [{"value": "Model"}, {"value": "Acc", "lower_is_better": False}]
    rows = [
        [{"value": "any", "run_spec_names": [run_spec["name"]]}, {"value": 0.125}]
        for run_spec in (json.loads((run / "run_spec.json").read_text()) for run in runs)
    ]
    table = {"title": "", "name": "unitxt_x.y", "header": head, "rows": rows, "links": []}
    groups = tmp_path / "runs/raw/groups"
    groups.mkdir()
    (groups / "unitxt_x.y.json").write_text(json.dumps([table]))
    found = read_spec(spec(".", "raw"), tmp_path).evaluations

    assert [("unitxt_x_y.Acc", 0.125)] * 2 == [
        (str(key), score.value) for one in found for key, score in one.scores.items()
    ]
