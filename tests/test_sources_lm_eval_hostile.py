"""lm-eval's output, damaged in every way: only the errors that are promised."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helm_wandb import sources
from helm_wandb.errors import ArtifactError, ConfigError
from helm_wandb.model import EvalEntry, Place
from helm_wandb.render import terminal
from helm_wandb.report import from_json, to_json

from . import builders
from .lm_eval_builders import TIME, read_output, write_run
from .test_sources_helm_hostile import VALUES

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from helm_wandb.model import Reading

NAMES = ("", "../../etc/passwd", "a/b", "a.b", "\n", "g", "t", "acc,none", "\ud800", "x" * 300)


def grouped(results: dict[str, Any]) -> None:
    """Add a group of both tasks, and a group of it."""
    results["results"] |= {
        name: {"alias": name, "acc,none": 0.5, "sample_count": {"acc,none": 4}} for name in "gh"
    }
    results["group_subtasks"] = {"g": ["t", "u"], "h": ["g"]}


def mutated(value: Any, source: random.Random) -> Any:
    """Return JSON with one of its parts replaced, removed or renamed."""
    places = list(_places(value))
    holder, key = source.choice(places)
    match source.randrange(4):
        case 0 if isinstance(holder, dict):
            holder[source.choice(NAMES)] = holder.pop(key)
        case 1:
            del holder[key]
        case _:
            holder[key] = source.choice((*VALUES, *NAMES))
    return value


def _places(value: Any) -> Any:
    if isinstance(value, dict):
        for key, part in value.items():
            yield value, key
            yield from _places(part)
    elif isinstance(value, list):
        for at, part in enumerate(value):
            yield value, at
            yield from _places(part)


def check_reading(folder: Path) -> None:
    """Read the output: either an error that is promised, or a report that can be read again."""
    try:
        reading = read_output("out", folder, clusters={"g": "doc.author.name", "t": "Passage .*"})
    except (ArtifactError, ConfigError):
        return
    fields = {"eval_type": "lm_eval", "lm_eval_output_dir": "out"}
    check_report(reading, fields, folder, places={("t", "0", 0), ("g", "u 1", 0), ("", "", 0)})


def check_report(
    reading: Reading, fields: dict[str, Any], folder: Path, *, places: set[tuple[str, str, int]]
) -> None:
    """Show a reading, read it again from its report, and read the texts of some places."""
    assert reading.evaluations
    report = builders.report(reading.evaluations)
    terminal.render(report, width=120, colour=False)
    assert len(reading.evaluations) == len(from_json(to_json(report)))
    requests = {
        (one.model, one.iteration, key.benchmark): frozenset(places)
        for one in reading.evaluations
        for key in one.scores
    }
    entry = EvalEntry(
        source=fields["eval_type"],
        fields=fields,
        path="$.evals[0]",
        place=Place("config.yaml", 3, 5),
    )
    sources.texts([entry], folder=folder, wanted=requests)


@given(st.randoms(use_true_random=False), st.integers(1, 3))
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_mutated_results_give_clear_errors(
    tmp_path: Path, source: random.Random, times: int
) -> None:
    """Whatever a results file holds, it is read or refused."""
    path = write_run(tmp_path / "out", {"t": [1, 0, 1], "u": [0]}, change=grouped)
    results = json.loads(path.read_text())
    for _ in range(times):
        results = mutated(results, source)
    path.write_text(json.dumps(results))

    check_reading(tmp_path)


@given(st.randoms(use_true_random=False))
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_mutated_samples_give_clear_errors(tmp_path: Path, source: random.Random) -> None:
    """Whatever a line holds, its task has instances or a reason."""
    write_run(tmp_path / "out", {"t": [1, 0, 1], "u": [0]}, change=grouped)
    path = tmp_path / f"out/samples_t_{TIME}.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    mutated(lines, source)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    check_reading(tmp_path)


@given(st.binary(max_size=50), st.integers(0, 3000))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_damaged_bytes_give_clear_errors(tmp_path: Path, data: bytes, at: int) -> None:
    """Bytes in the middle of either file are no traceback."""
    write_run(tmp_path / "out", {"t": [1, 0, 1], "u": [0]}, change=grouped)
    for path in (tmp_path / "out").iterdir():
        content = path.read_bytes()
        path.write_bytes(content[:at] + data + content[at + len(data) :])

    check_reading(tmp_path)


def test_groups_that_hold_themselves_end(tmp_path: Path) -> None:
    """A circle of groups has the tasks that are in it."""

    def change(results: dict[str, Any]) -> None:
        grouped(results)
        results["group_subtasks"] = {"g": ["h", "t", "u"], "h": ["g", "h"]}

    write_run(tmp_path / "out", {"t": [1, 0], "u": [0, 1]}, change=change)
    (one,) = read_output("out", tmp_path).evaluations
    subjects = {str(key): set(score.subjects) for key, score in one.scores.items()}

    assert {"t", "u", "h"} == subjects["g.acc,none"]
    assert {"t", "u", "g"} == subjects["h.acc,none"]


def test_a_disk_full_of_folders_is_not_searched(tmp_path: Path) -> None:
    """The search ends with advice."""
    for number in range(3_001):
        (tmp_path / "out" / str(number)).mkdir(parents=True)

    with pytest.raises(ArtifactError, match="has more than 3,000 folders"):
        read_output("out", tmp_path)


@pytest.mark.parametrize("depth", [8, 9])
def test_folders_without_end_are_not_searched(tmp_path: Path, depth: int) -> None:
    """Results lie at most eight folders down."""
    write_run(tmp_path.joinpath("out", *"abcdefghi"[:depth]), {"t": [1]})
    if depth == 8:
        assert read_output("out", tmp_path).evaluations
    else:
        with pytest.raises(ArtifactError, match="no results_TIME"):
            read_output("out", tmp_path)
