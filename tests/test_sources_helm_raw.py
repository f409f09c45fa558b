"""Runs that were never summarized: scores computed as HELM's tables compute them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from helm_wandb.comparing.evaluations import merge
from helm_wandb.harness.json_files import read_json
from helm_wandb.model import Evaluation, Score, ScoreKey
from helm_wandb.sources.helm import layout
from helm_wandb.sources.helm.formats import Table
from helm_wandb.sources.helm.output import open_output
from helm_wandb.sources.helm.raw import RunStats, score_of_runs
from helm_wandb.sources.helm.runs import Runs
from helm_wandb.sources.helm.scores import scores_by_model

from .test_sources_helm import TREES, Tree, copied, read_spec, read_tree, spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from helm_wandb.harness.files import Files


def compared(tree: Tree, files: Files) -> Iterator[tuple[str, str, str, float, Score | str | None]]:
    """Model, benchmark, column, HELM's cell, and what is computed from the runs."""
    suite = layout.find_suite(spec(tree.name, tree.suite), files)
    runs = Runs(suite)
    for benchmark in sorted(runs.benchmarks & set(suite.benchmarks())):
        path = suite.table(benchmark)
        assert path is not None
        tables = read_json(files, path, tuple[Table, ...])
        columns = list(dict.fromkeys(header.value for header in tables[0].header[1:]))
        cells = scores_by_model(tables, benchmark, columns, model_of_run=runs.model_of)
        for model, of_model in cells.items():
            own = runs.counted(benchmark, model)
            for column, cell in of_model.items():
                if isinstance(cell, Score):
                    selectors = runs.board.selectors(benchmark, column)
                    names = frozenset(name for one in selectors for name in one.names)
                    stats = RunStats(files, names)
                    raw = score_of_runs(own, column, benchmark, board=runs.board, stats=stats)
                    yield model, benchmark, column, cell.value, raw


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: f"{tree.name}-{tree.suite}")
def test_raw_equals_table(tree: Tree, helm_trees: Path) -> None:
    """Every column of every benchmark, computed from the runs, is HELM's cell to 1e-9."""
    with open_output(helm_trees / tree.name, shown_as=tree.name) as files:
        found = list(compared(tree, files))

    assert len(found) > 10
    assert [] == [
        (model, benchmark, column, cell, raw)
        for model, benchmark, column, cell, raw in found
        if not isinstance(raw, Score) or abs(raw.value - cell) > 1e-9
    ]


SUITES = [tree for tree in TREES if tree.groups.startswith("runs")]


@pytest.mark.parametrize("tree", SUITES, ids=lambda tree: f"{tree.name}-{tree.suite}")
def test_raw_subjects_are_those_of_the_tables(tree: Tree, helm_trees: Path, tmp_path: Path) -> None:
    """A tree without its tables gives the same evaluations, subjects and directions included."""
    with_tables = read_tree(helm_trees, tree.name, tree.suite)
    copy = copied(helm_trees, tree.name, tmp_path)
    suite = (copy / tree.groups).parent
    shutil.rmtree(suite / "groups")
    for name in ("run_specs.json", "schema.json"):
        (suite / name).unlink(missing_ok=True)
    raw = read_spec(spec(copy, tree.suite), tmp_path).evaluations

    def summaries(evaluations: Iterable[Evaluation]) -> list[tuple[object, ...]]:
        return [
            (
                *(one.model, one.iteration, key, round(score.value, 9), score.lower_is_better),
                *((name, round(part.value, 9)) for name, part in score.subjects.items()),
            )
            for one in evaluations
            for key, score in sorted(one.scores.items())
        ]

    assert summaries(with_tables) == summaries(raw)


def test_an_unsummarized_suite_is_read(helm_trees: Path) -> None:
    """A suite that helm-summarize never touched has the scores of its runs."""
    found = read_tree(helm_trees, "unsummarized", "2026-01-15")

    assert [
        ("simple/model1", ["boolq.EM", "imdb.EM", "mmlu.EM", "narrative_qa.F1"]),
        ("toyorg/alpha-7b", ["boolq.EM", "imdb.EM", "mmlu.EM", "narrative_qa.F1"]),
    ] == [(one.model, sorted(map(str, one.scores))) for one in found]


def test_a_metric_that_no_schema_explains_must_be_named(helm_trees: Path, tmp_path: Path) -> None:
    """If EM may be one of several statistics that differ, each can be named instead."""
    copy = copied(helm_trees, "unsummarized", tmp_path)
    for path in (copy / "runs/2026-01-15").glob("simple_mcqa*/stats.json"):
        stats = json.loads(path.read_text())
        for stat in stats:
            if stat["name"]["name"] == "quasi_exact_match":
                stat["sum"] = 0.125
        path.write_text(json.dumps(stats))
    keys = (ScoreKey("simple_mcqa", "EM"), ScoreKey("simple_mcqa", "quasi_exact_match"))
    (one, *_) = read_spec(spec(copy, "2026-01-15", score_keys=keys), tmp_path).evaluations

    assert {"simple_mcqa.quasi_exact_match": 0.125} == {
        str(key): score.value for key, score in one.scores.items()
    }
    assert "and their values differ; name one of these" in one.missing[keys[0]]


def test_a_renamed_benchmark_is_found_with_a_note(helm_trees: Path) -> None:
    """summarization_xsum, which HELM calls otherwise today, is found under the new name."""
    reading = read_spec(spec("full16", "v1.0.0"), helm_trees)

    assert (
        "summarization_xsum was found as summarization_xsum_sampled, its newer name in HELM.",
        (
            "HELM wrote no tables of summarization_xsum_sampled, unknown to the schema it "
            "summarized with: computed from the runs."
        ),
    ) == reading.notes
    assert all(
        ScoreKey("summarization_xsum", "ROUGE-2") in one.scores for one in reading.evaluations
    )


def test_a_crashed_run_is_passed_over(helm_trees: Path, tmp_path: Path) -> None:
    """A run folder without stats.json is no run; the model has the subjects of the others."""
    copy = copied(helm_trees, "unsummarized", tmp_path)
    runs = copy / "runs/2026-01-15"
    crashed = next(path for path in runs.iterdir() if path.name.startswith("boolq"))
    (crashed / "stats.json").unlink()
    found = read_spec(spec(copy, "2026-01-15"), tmp_path).evaluations

    assert 1 == sum(ScoreKey("boolq", "EM") in one.scores for one in found)


def test_a_statistic_that_runs_lack_is_answered_with_those_they_have(helm_trees: Path) -> None:
    """Those of the nearest names come first, and the reason is the same for all models."""
    key = ScoreKey("boolq", "quasi_prefix_match")
    keys = (key, ScoreKey("boolq", "EM"))
    entry = spec("unsummarized", "2026-01-15", score_keys=keys)
    reasons = {one.missing[key] for one in read_spec(entry, helm_trees).evaluations if one.missing}
    expected = (
        "none of its runs has a statistic for 'quasi_prefix_match'; there are: "
        "quasi_prefix_exact_match, quasi_exact_match, prefix_exact_match, exact_match, EM"
    )

    assert {expected} == reasons


def test_a_run_of_no_instances_has_no_statistic(helm_trees: Path, tmp_path: Path) -> None:
    """An empty stats.json costs the benchmark, with the reason."""
    copy = copied(helm_trees, "unsummarized", tmp_path)
    for run in (copy / "runs/2026-01-15").glob("boolq*"):
        (run / "stats.json").write_text("[]")
    (one, *_) = read_spec(spec(copy, "2026-01-15"), tmp_path).evaluations

    assert "none of its runs has a statistic for 'EM'" == one.missing[ScoreKey("boolq", "EM")]


def test_fewer_subjects_than_others_are_partial(helm_trees: Path, tmp_path: Path) -> None:
    """The aggregate of a model that was run on fewer subjects is partial."""
    copy = copied(helm_trees, "models", tmp_path)
    suite = copy / "runs/model-zoo"
    shutil.rmtree(suite / "groups")
    (suite / "run_specs.json").unlink()
    shutil.rmtree(next(suite.glob("mmlu:subject=abstract_algebra*alpha-7b")))
    found = merge(read_spec(spec(copy, "model-zoo"), tmp_path).evaluations).evaluations

    mmlu = ScoreKey("mmlu", "EM")
    assert {"toyorg/alpha-7b": "over 2 of 3 subjects"} == {
        one.model: one.scores[mmlu].partial for one in found if one.scores[mmlu].partial
    }


def test_runs_of_ablations_do_not_count_for_the_benchmark(helm_trees: Path, tmp_path: Path) -> None:
    """A run that is also in a separate group, as HELM's ablations are, stays out of others."""
    copy = copied(helm_trees, "unsummarized", tmp_path)
    for path in (copy / "runs/2026-01-15").glob("boolq*/run_spec.json"):
        run_spec = json.loads(path.read_text())
        run_spec["groups"].append("ablation_prompts")
        path.write_text(json.dumps(run_spec))
    (one, *_) = read_spec(spec(copy, "2026-01-15"), tmp_path).evaluations

    assert ScoreKey("boolq", "EM") in one.missing


def test_an_unreadable_run_spec_costs_its_run_only(helm_trees: Path, tmp_path: Path) -> None:
    """A run whose spec was cut short is reported as a fault; the others are read."""
    copy = copied(helm_trees, "unsummarized", tmp_path)
    broken = next((copy / "runs/2026-01-15").glob("boolq*")) / "run_spec.json"
    broken.write_text("{")
    reading = read_spec(spec("unsummarized", "2026-01-15"), tmp_path)

    assert 1 == sum(ScoreKey("boolq", "EM") in one.scores for one in reading.evaluations)
    assert [True] == ["run_spec.json: unexpected content" in fault for fault in reading.faults]


def test_a_number_that_is_not_finite_is_a_missing_score(helm_trees: Path, tmp_path: Path) -> None:
    """NaN in a run's statistics makes no score of it, and the reason says so."""
    copy = copied(helm_trees, "unsummarized", tmp_path)
    for path in (copy / "runs/2026-01-15").glob("boolq*/stats.json"):
        stats = json.loads(path.read_text())
        for stat in stats:
            if stat["name"]["name"] == "quasi_exact_match":
                stat["sum"] = float("nan")
        path.write_text(json.dumps(stats))
    (one, *_) = read_spec(spec(copy, "2026-01-15"), tmp_path).evaluations

    why = "HELM wrote a number for it that is not finite"
    assert why == one.missing[ScoreKey("boolq", "EM")]


def test_a_run_of_no_known_model_is_no_models(helm_trees: Path, tmp_path: Path) -> None:
    """A run whose spec names no model makes no evaluation of a model without a name."""
    copy = copied(helm_trees, "unsummarized", tmp_path)
    path = next((copy / "runs/2026-01-15").glob("boolq*")) / "run_spec.json"
    run_spec = json.loads(path.read_text())
    run_spec["adapter_spec"].update(model="", model_deployment="")
    path.write_text(json.dumps(run_spec))
    found = read_spec(spec(copy, "2026-01-15"), tmp_path).evaluations

    assert ["simple/model1", "toyorg/alpha-7b"] == [one.model for one in found]


def test_a_run_that_is_there_twice_counts_once(helm_trees: Path, tmp_path: Path) -> None:
    """A backup copy of a run's folder replaces nothing, and is reported."""
    copy = copied(helm_trees, "unsummarized", tmp_path)
    run = next((copy / "runs/2026-01-15").glob("boolq*model1"))
    backup = shutil.copytree(run, run.with_name(f"{run.name}.bak"))
    (backup / "stats.json").write_text("[]")
    reading = read_spec(spec("unsummarized", "2026-01-15"), tmp_path)

    assert read_tree(helm_trees, "unsummarized", "2026-01-15") == reading.evaluations
    assert [f"{backup.name}: holds the same run as" in fault for fault in reading.faults] == [True]
