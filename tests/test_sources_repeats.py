"""`repeats` in an entry: further runs of its checkpoint, as outputs, suites or reports."""

from __future__ import annotations

import shutil
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from msgspec.structs import replace

from helm_wandb import sources
from helm_wandb.errors import ArtifactError
from helm_wandb.harness.entry import ReadOptions
from helm_wandb.model import EvalEntry, Place, Reading, ScoreKey
from helm_wandb.sources.helm.entry import HelmEval
from tests.harness_builders import unpack
from tests.lm_eval_builders import write_run
from tests.test_comparing_end_to_end import comparison
from tests.test_sources_lm_eval_end_to_end import lm_eval, run

if TYPE_CHECKING:
    from pathlib import Path

KEY = ScoreKey("quiz", "acc,none")


REPEATS = Place("config.yaml", 5, 14)


def entry_of(*repeats: str, **fields: Any) -> EvalEntry:
    """Return an entry whose own output is `main`."""
    return EvalEntry(
        source="lm_eval",
        fields={"lm_eval_output_dir": "main", "repeats": list(repeats), **fields},
        path="$.evals[0]",
        place=Place("config.yaml", 3, 5),
        places={"repeats": REPEATS},
    )


def read(folder: Path, *repeats: str, **fields: Any) -> Reading:
    """Return the reading of an entry whose own output is `main`."""
    options = ReadOptions(folder=folder, with_details=True)
    return sources.read(entry_of(*repeats, **fields), options)


def write(folder: Path, name: str, values: list[int], **changes: Any) -> None:
    """Write a run with these answers."""
    write_run(folder / name, {"quiz": values}, **changes)


def test_a_score_is_the_mean_over_all_runs(tmp_path: Path) -> None:
    """The entry's own output counts once, also if a glob matches it."""
    for name, values in (
        ("main", [1, 1, 1, 0]),
        ("seed-1", [1, 0, 1, 0]),
        ("seed-2", [1, 0, 0, 0]),
    ):
        write(tmp_path, name, values)
    reading = read(tmp_path, "seed-*", "m*", "./seed-1")
    (score,) = (one.scores[KEY] for one in reading.evaluations)
    assert ((), 0.5) == (reading.faults, score.value)
    assert score.repeats is not None
    assert (0.75, 0.5, 0.25) == score.repeats.values


def test_the_own_output_counts_once_whatever_the_other_keys_hold(tmp_path: Path) -> None:
    """Only its path may be written in several ways."""
    for name, values in (("main", [1, 1]), ("more", [0, 0])):
        write(tmp_path, name, values)
    reading = read(tmp_path, "./m*", lm_eval_output_dir="./main/", model_name="acme//toy")
    (score,) = (one.scores[KEY] for one in reading.evaluations)
    assert score.repeats is not None
    assert (1.0, 0.0) == score.repeats.values


def test_the_name_of_a_repeat_may_hold_its_seed(tmp_path: Path) -> None:
    """If the names differ in nothing else, they are runs of one model; a note has both."""
    write(tmp_path, "main", [1, 1], model="acme/toy-seed1")
    write(tmp_path, "other", [0, 0], model="acme/toy-seed2")
    reading = read(tmp_path, "other")
    (one,) = reading.evaluations
    assert ("acme/toy-seed1", 0.5) == (one.model, one.scores[KEY].value)
    names = "'other' has 'acme/toy-seed2', not 'acme/toy-seed1'"
    assert [
        (
            "config.yaml:5:14: repeats: averaged as acme/toy-seed1, although the outputs name "
            f"other models: {names}. Check that all are one checkpoint."
        )
    ] == list(reading.notes)


def test_another_model_is_no_repeat(tmp_path: Path) -> None:
    """The message names both; also if only a number, which may be a size, is another one."""
    write(tmp_path, "main", [1, 1], model="acme/toy-7b")
    write(tmp_path, "other", [0, 0], model="acme/toy-13b")
    reading = read(tmp_path, "other")
    assert [1.0] == [one.scores[KEY].value for one in reading.evaluations]
    assert [
        (
            "config.yaml:5:14: repeats: 'other' has only acme/toy-13b at iteration 0, and not "
            "acme/toy-7b at iteration 0. Its scores are those of 'main' alone. If these are runs "
            "of one checkpoint, record all under one model_name."
        )
    ] == list(reading.faults)


def test_under_a_model_name_runs_may_have_any_name(tmp_path: Path) -> None:
    """The entry says that they are one checkpoint, and a note has the other names."""
    for name in ("main", "same", "other"):
        write(tmp_path, name, [1, 1], model="rival/b" if name == "other" else "acme/a")
    reading = read(tmp_path, "same", "other", model_name="mine")
    (score,) = (one.scores[KEY] for one in reading.evaluations)
    assert score.repeats is not None
    assert (3, ()) == (len(score.repeats.values), reading.faults)
    (note,) = reading.notes
    assert "averaged as mine, although" in note
    assert ": 'other' has 'rival/b', not 'acme/a'." in note


def test_another_checkpoint_is_no_repeat(tmp_path: Path) -> None:
    """Its answers are left out, and the message says of which iteration they should be."""
    write(tmp_path, "main", [1, 1], model="acme/toy@step1000")
    write(tmp_path, "other", [0, 0], model="acme/toy@step2000")
    reading = read(tmp_path, "other")
    assert [1.0] == [one.scores[KEY].value for one in reading.evaluations]
    (fault,) = reading.faults
    assert fault == (
        "config.yaml:5:14: repeats: 'other' has only acme/toy at iteration 2000, and not acme/toy "
        "at iteration 1000. Its scores are those of 'main' alone."
    )


def few_shots(results: dict[str, Any]) -> None:
    """Change the settings of a run."""
    results["n-shot"] = {"quiz": 5}


def test_no_iteration_is_averaged_over_other_settings(tmp_path: Path) -> None:
    """Settings are read for the latest iterations, and hold for the older ones too."""
    for iteration in range(1, 5):
        model = f"acme/toy@step{iteration}"
        time = f"2026-01-01T10-00-0{iteration}.000000"
        write(tmp_path, "main", [1, 1], model=model, time=time)
        write(tmp_path, "same", [0, 0], model=model, time=time)
        write(tmp_path, "other", [0, 0], model=model, time=time, change=few_shots)
    assert [0.5] * 4 == [one.scores[KEY].value for one in read(tmp_path, "same").evaluations]
    assert [1.0] * 4 == [one.scores[KEY].value for one in read(tmp_path, "other").evaluations]


def test_the_runs_that_have_a_checkpoint_are_averaged(tmp_path: Path) -> None:
    """The message says how many they are."""
    write(tmp_path, "main", [1, 1], model="acme/toy@step1000")
    write(tmp_path, "more", [0, 0], model="acme/toy@step1000")
    write(tmp_path, "other", [0, 0], model="acme/toy@step2000")
    reading = read(tmp_path, "more", "other")
    assert [0.5] == [one.scores[KEY].value for one in reading.evaluations]
    (fault,) = reading.faults
    assert fault.endswith("Its scores are the mean over 2 runs.")


def test_a_repeat_that_cannot_be_read_is_a_fault_and_the_others_count(tmp_path: Path) -> None:
    """What matches nothing is one, too."""
    write(tmp_path, "main", [1, 1])
    write(tmp_path, "one", [0, 0])
    (tmp_path / "two").mkdir()
    reading = read(tmp_path, "one", "two", "three*")
    assert [0.5] == [one.scores[KEY].value for one in reading.evaluations]
    assert 2 == len(reading.faults)
    assert all(fault.startswith("config.yaml:5:14: repeats: ") for fault in reading.faults)
    assert "nothing matches 'three*'" in reading.faults[0] + reading.faults[1]


def test_an_error_of_a_repeat_has_one_place_and_its_path(tmp_path: Path) -> None:
    """The place is the key's, also if the entry's own key is read from another output."""
    write(tmp_path, "main", [1, 1])
    (tmp_path / "two").mkdir()
    own = Place("config.yaml", 4, 22)
    entry = replace(entry_of("two"), places={"lm_eval_output_dir": own, "repeats": REPEATS})
    (fault,) = sources.read(entry, ReadOptions(folder=tmp_path)).faults
    assert fault.startswith("config.yaml:5:14: repeats: ")
    assert 1 == fault.count("config.yaml")
    assert "two" in fault


def test_the_suite_of_a_repeat_is_named_by_its_path(tmp_path: Path) -> None:
    """HELM's own message names the suite only."""
    unpack("repeats", tmp_path)
    (tmp_path / "helm/runs/seed-9").mkdir()
    suites = sorted(path.name for path in (tmp_path / "helm/runs").iterdir())
    fields: dict[str, Any] = {"helm_output_dir": "helm", "helm_suite_name": suites[0]}
    benchmarks = [{"name": "custom", "metrics": ["exact_match"]}]
    fields |= {"benchmarks": benchmarks, "repeats": ["helm/runs/seed-9"]}
    entry = replace(entry_of(), source="helm", fields=fields)
    (fault,) = sources.read(entry, ReadOptions(folder=tmp_path)).faults
    assert fault.startswith(
        "config.yaml:5:14: repeats: helm/runs/seed-9: suite 'seed-9' holds no finished run."
    )


def test_a_search_without_end_has_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A glob that begins with `**` looks at the whole workspace."""
    monkeypatch.setattr("helm_wandb.system.paths.ENTRIES", 3)
    for name in ("main", "one", "two", "three", "four"):
        write(tmp_path, name, [1, 1])
    (fault,) = read(tmp_path, "**").faults
    assert fault == (
        "config.yaml:5:14: repeats: '**' is searched in more than 3 files and folders, and no "
        "further. Begin it with the folder of the runs, such as runs/seed-*"
    )


def test_more_runs_than_fit_the_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says how many are the most."""
    monkeypatch.setattr("helm_wandb.sources.repeats.outputs.MOST", 1)
    for name in ("main", "one", "two"):
        write(tmp_path, name, [1, 1])
    with pytest.raises(
        ArtifactError, match="repeats: 2 outputs match, and at most 1 can be averaged"
    ):
        read(tmp_path, "one", "two")


def test_a_further_run_takes_little_memory(tmp_path: Path) -> None:
    """It keeps its values; the questions are those of the first run."""
    runs = [f"run-{seed}" for seed in range(8)]
    for seed, name in enumerate(("main", *runs)):
        write(tmp_path, name, [int(number % 10 < seed) for number in range(1000)])
    peaks = []
    for count in (2, 8):
        tracemalloc.start()
        read(tmp_path, *runs[:count])
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / (6 * 1000) < 150


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("out/runs/seed-2", {"helm_output_dir": "out", "helm_suite_name": "runs/seed-2"}),
        ("out/releases/v1", {"helm_output_dir": "out", "helm_suite_name": "releases/v1"}),
        ("other", {"helm_output_dir": "other", "helm_suite_name": "main"}),
        ("other.tar.gz", {"helm_output_dir": "other.tar.gz", "helm_suite_name": "main"}),
    ],
)
def test_a_repeat_of_helm_is_another_output_or_another_suite(
    name: str, changed: dict[str, str]
) -> None:
    """A folder in `runs` is a suite of the output above it, and one in `releases` a release."""
    fields = {"helm_output_dir": "out", "helm_suite_name": "main"}
    assert changed == HelmEval.with_output(fields, name)


@pytest.mark.parametrize("own", ["main", "runs/main", "/runs/main/", "latest"])
def test_a_suite_counts_once_however_it_is_named(
    own: str, helm_trees: Path, tmp_path: Path
) -> None:
    """HELM links `runs/latest` to the newest suite, and a glob matches both."""
    shutil.copytree(helm_trees / "baseline", tmp_path / "out")
    (suite,) = (tmp_path / "out/runs").iterdir()
    suite.rename(suite.with_name("main"))
    shutil.copytree(suite.with_name("main"), suite.with_name("second"))
    suite.with_name("latest").symlink_to("main")
    entry = EvalEntry(
        source="helm",
        fields={"helm_output_dir": "out", "helm_suite_name": own, "repeats": ["out/runs/*"]},
        path="$.evals[0]",
        place=Place("config.yaml", 3, 5),
    )
    reading = sources.read(entry, ReadOptions(folder=tmp_path, with_details=True))
    assert () == reading.faults
    scores = [score for one in reading.evaluations for score in one.scores.values()]
    assert scores
    assert {2} == {len(one.repeats.values) for one in scores if one.repeats}


def test_globs_of_the_own_output_alone_are_a_fault(tmp_path: Path) -> None:
    """A typo in one would else leave a single run without a word."""
    write(tmp_path, "main", [1, 1])
    (fault,) = read(tmp_path, "./ma*").faults
    assert fault.endswith(
        "repeats: only the entry's own output matches, 'main'. Name other runs' too."
    )


def test_a_part_of_the_own_output_is_no_further_run(tmp_path: Path) -> None:
    """The own output's newest run may be that one, and would count twice."""
    for name in ("main/seed-1", "main/seed-2"):
        write(tmp_path, name, [1, 1])
    reading = read(tmp_path, "main/seed-1")
    assert [None] == [one.scores[KEY].repeats for one in reading.evaluations]
    (fault,) = reading.faults
    assert "'main/seed-1' is inside the entry's own output, 'main'" in fault


def test_what_holds_the_own_output_is_no_further_run(tmp_path: Path) -> None:
    """Its newest run may be the entry's own, and would count twice."""
    for name in ("main/seed-1", "main/seed-2"):
        write(tmp_path, name, [1, 1])
    reading = read(tmp_path, "main", lm_eval_output_dir="main/seed-1")
    assert [None] == [one.scores[KEY].repeats for one in reading.evaluations]
    (fault,) = reading.faults
    assert "'main' contains the entry's own output, 'main/seed-1', which would count" in fault


def test_a_part_of_another_repeat_is_no_further_run(tmp_path: Path) -> None:
    """Of two outputs that are one inside the other, only the outer one counts."""
    for name in ("main", "more/seed-1"):
        write(tmp_path, name, [1, 1])
    reading = read(tmp_path, "more/*", "more")
    (score,) = (one.scores[KEY] for one in reading.evaluations)
    assert score.repeats is not None
    assert 2 == len(score.repeats.values)
    (fault,) = reading.faults
    assert "'more/seed-1' is inside 'more', which is named too, and may be counted" in fault


def test_a_report_that_the_own_path_matches_is_no_further_run(workspace: Path) -> None:
    """The entry has read it already."""
    write(workspace, "main", [1, 1])
    run(lm_eval("main"), "--report", "main-0.json")
    reports = {"eval_type": "lm_eval", "source": "report", "path": "main-*.json"}
    report = run({**reports, "repeats": ["main-0.json"]})
    assert 3 == report["exit code"]
    (evaluation,) = report["evaluations"]
    assert "repeats" not in evaluation["scores"][str(KEY)]


def write_noisy(folder: Path, name: str, *, seed: int, drop: float = 0.0) -> None:
    """Write a run of 200 questions, half of which each run answers by chance."""
    chances = np.array([0.95, 0.5 - drop, 0.5, 0.05] * 50)
    right = np.random.default_rng(seed).random(200) < chances
    write(folder, name, [int(one) for one in right])


def test_a_change_between_means_of_runs_is_compared_end_to_end(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reports can be repeats as outputs can, and the page says how many runs there are."""
    for seed in range(4):
        write_noisy(workspace, f"main-{seed}", seed=seed)
        write_noisy(workspace, f"pr-{seed}", seed=10 + seed, drop=0.45)
        run(lm_eval(f"main-{seed}"), "--report", f"main-{seed}.json")
    reports = {"eval_type": "lm_eval", "source": "report", "path": "main-0.json"}
    (evaluation,) = run({**reports, "repeats": ["main-*.json"]}, "--report", "main.json")[
        "evaluations"
    ]
    assert 4 == len(evaluation["scores"][KEY]["repeats"]["values"])
    capsys.readouterr()
    report = run(lm_eval("pr-0", repeats=["pr-*"]), "--baseline", "main.json")
    (delta,) = comparison(report)["deltas"]
    assert ("regressed", [4, 4]) == (delta["verdict"], delta["runs"])
    assert any(item["flaky"] for item in delta["items"])
    page = " ".join(capsys.readouterr().out.split())
    assert "the noise between runs of one checkpoint (4 here and 4 in the baseline)" in page
