"""The runs of a summarized suite whose list of specs and folders don't agree."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from .test_sources_helm import TREES, Tree, copied, read_spec, read_tree, spec
from .test_sources_helm_instances import detailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SUITE = "runs/model-zoo"


def keep_specs(suite: Path, is_kept: Callable[[str], bool]) -> None:
    """Remove specs from HELM's list."""
    path = suite / "run_specs.json"
    specs = json.loads(path.read_text())
    path.write_text(json.dumps([one for one in specs if is_kept(one["name"])]))


def copy_benchmark(tree: Path, benchmark: str, target: Path) -> None:
    """Copy a suite of this benchmark alone, as one matrix job would have summarized it."""
    copy = target.parent / benchmark
    shutil.copytree(tree, copy, ignore=_other_than(benchmark))
    keep_specs(copy / SUITE, lambda name: name.startswith(benchmark))
    shutil.copytree(copy, target, dirs_exist_ok=True)


def _other_than(benchmark: str) -> Callable[[str, list[str]], list[str]]:
    return lambda folder, names: [
        name
        for name in names
        if (":" in name or folder.endswith("groups")) and not name.startswith(benchmark)
    ]


def test_suites_copied_into_one_folder_are_one(helm_trees: Path, tmp_path: Path) -> None:
    """If one list of specs replaced another, the runs' own specs say whose rows are whose."""
    for benchmark in ("boolq", "mmlu"):
        copy_benchmark(helm_trees / "models", benchmark, tmp_path / "both")
    reading = read_spec(spec("both", "model-zoo"), tmp_path, with_details=True)

    assert () == reading.faults
    assert [] == [note for note in reading.notes if "summarize" in note]
    assert [
        (one.model, {key: one.scores[key] for key in one.scores if key.benchmark != "mmlu"})
        for one in reading.evaluations
    ] == [
        (one.model, {key: one.scores[key] for key in one.scores if key.benchmark == "boolq"})
        for one in detailed(helm_trees, "models", "model-zoo")
    ]
    assert all({"boolq.EM", "mmlu.EM"} == set(map(str, one.scores)) for one in reading.evaluations)


def test_rows_that_only_tables_name_are_noted(helm_trees: Path, tmp_path: Path) -> None:
    """Without the runs' own specs, a row's label may be another name of a model that is there."""
    for benchmark in ("boolq", "mmlu"):
        copy_benchmark(helm_trees / "models", benchmark, tmp_path / "both")
    for run in (tmp_path / "both" / SUITE).glob("boolq:*"):
        shutil.rmtree(run)
    reading = read_spec(spec("both", "model-zoo"), tmp_path)

    assert 7 == len(reading.evaluations)
    assert (
        "Models 'Alpha (13B)', 'Alpha (7B)', 'Beta | Large *v1*' have runs neither in "
        "run_specs.json nor in a run folder. They are listed by their labels in HELM's tables, "
        "and may be the same as others here. Copy the run folders too."
    ) in reading.notes


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: f"{tree.name}-{tree.suite}")
def test_a_list_that_lacks_runs_changes_nothing(
    tree: Tree, helm_trees: Path, tmp_path: Path
) -> None:
    """Each version of HELM names a row's runs somewhere in the benchmark's tables."""
    suite = (copied(helm_trees, tree.name, tmp_path) / tree.groups).parent
    listed = {one["name"] for one in json.loads((suite / "run_specs.json").read_text())}
    keep_specs(suite, lambda name: sorted(listed).index(name) % 2 == 0)
    reading = read_spec(spec(tree.name, tree.suite), tmp_path)

    assert read_tree(helm_trees, tree.name, tree.suite) == reading.evaluations


def test_runs_that_were_not_summarized_are_noted(helm_trees: Path, tmp_path: Path) -> None:
    """A run that no table has counts for nothing; the note says how to include it."""
    suite = copied(helm_trees, "models", tmp_path) / SUITE
    copy = shutil.copytree(next(suite.glob("boolq*")), suite / "boolq:model=new")
    settings = json.loads((copy / "run_spec.json").read_text())
    settings["name"] = "boolq:model=new"
    (copy / "run_spec.json").write_text(json.dumps(settings))
    reading = read_spec(spec("models", "model-zoo"), tmp_path)

    assert read_tree(helm_trees, "models", "model-zoo") == reading.evaluations
    assert (
        "models/runs/model-zoo has 1 finished run that HELM's tables lack: boolq:model=new. "
        "Run helm-summarize again to include all."
    ) in reading.notes


def test_renamed_folders_keep_their_instances(helm_trees: Path, tmp_path: Path) -> None:
    """Some storages refuse the colon in HELM's names; each folder still names its run."""
    suite = copied(helm_trees, "models", tmp_path) / SUITE
    for run in suite.glob("*:*"):
        run.rename(run.with_name(run.name.replace(":", "-")))
    reading = read_spec(spec("models", "model-zoo"), tmp_path, with_details=True)

    assert detailed(helm_trees, "models", "model-zoo") == reading.evaluations
    assert () == reading.faults
