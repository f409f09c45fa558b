"""Baselines in files, their partners, and the notes about models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from helm_wandb.baselines import BaselineMatch, partners, read_baseline_file, steps
from helm_wandb.baselines.notes import extra_model_notes, unmatched_models
from helm_wandb.comparing.gate import describe_unmatched
from helm_wandb.errors import InputError
from helm_wandb.model import Baseline, Provenance, UnmatchedModels
from helm_wandb.report import to_json
from helm_wandb.sources import report as sources_report
from tests import builders

if TYPE_CHECKING:
    from pathlib import Path

MAIN = Provenance(tool_version="1", track="branch/main", commit="4be1c02", ref="refs/heads/main")
REPORT = builders.report([builders.measured("a", 1), builders.measured("b")], provenance=MAIN)


def found(*places: tuple[str, int]) -> BaselineMatch:
    """A baseline with these models and iterations."""
    return BaselineMatch(
        origin="base.json", evaluations=tuple(builders.evaluation(*p) for p in places)
    )


def places(*candidates: tuple[str, int], baseline: BaselineMatch) -> list[tuple[str, int, int]]:
    """Model, its iteration, and the baseline's, of each partner."""
    return [
        (one.candidate.model, one.candidate.iteration, one.baseline.iteration)
        for one in partners([builders.evaluation(*place) for place in candidates], baseline)
    ]


def problem(name: str, folder: Path) -> str:
    """The error about a file that is no baseline."""
    with pytest.raises(InputError) as caught:
        read_baseline_file(name, folder=folder, named_by="--baseline")
    assert 2 == caught.value.exit_code
    return str(caught.value)


def test_a_report_is_a_baseline(tmp_path: Path) -> None:
    """Evaluations, instances included, come from the file, with the state that they are of."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/base.json").write_bytes(to_json(REPORT))

    assert BaselineMatch(
        origin="out/base.json",
        evaluations=REPORT.evaluations,
        ref="refs/heads/main",
        commit="4be1c02",
    ) == read_baseline_file("out/base.json", folder=tmp_path, named_by="--baseline")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x.json", "--baseline: x.json cannot be read: No such file or directory. It is looked "),
        ("/x.json", "--baseline: /x.json cannot be read: No such file or directory."),
        (".", "--baseline: . cannot be read: Is a directory. Give a file that --report"),
        ("x\0.json", "--baseline: x\0.json isn't a report of this tool: embedded null byte"),
        ("x" * 300, f"--baseline: {'x' * 300} cannot be read: File name too long. It is looked"),
    ],
)
def test_a_missing_file_is_an_error(name: str, expected: str, tmp_path: Path) -> None:
    """The flag, the name, the reason and the folder are in the error."""
    message = problem(name, tmp_path)

    assert expected == message[: len(expected)]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "$: it cannot be read as JSON: Input data was truncated"),
        (b"{}", "$: object missing required field `schema_version`"),
        (b'{"schema_version": 2}', "$.schema_version: this is 2, and 1 is what can be read here"),
        (b'{"schema_version": 1, "evaluations": 1}', "$.evaluations: expected `array`, got `int`"),
    ],
)
def test_a_file_that_is_no_report_is_an_error(content: bytes, why: str, tmp_path: Path) -> None:
    """The error has the JSON path, and says what to give instead."""
    (tmp_path / "base.json").write_bytes(content)
    message = problem("base.json", tmp_path)

    assert message.startswith(f"--baseline: base.json isn't a report of this tool: {why}")
    assert message.endswith(". Give a file that --report or the action wrote.")


def test_a_file_without_measure_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file over the limit is refused before it fills the memory."""
    (tmp_path / "base.json").write_bytes(to_json(REPORT))
    monkeypatch.setattr(sources_report, "LIMIT_BYTES", 100)

    assert problem("base.json", tmp_path).startswith(
        "--baseline: base.json isn't a report of this tool: it is larger than "
    )


@pytest.mark.parametrize(
    "provenance", [{}, {"ref": None, "commit": None}, {"ref": 1}, 1, None, [[]]]
)
def test_a_baseline_that_does_not_say_whose_it_is(provenance: object, tmp_path: Path) -> None:
    """A report without provenance, or with one of nonsense, is still a baseline."""
    written = {**json.loads(to_json(REPORT)), "provenance": provenance}
    (tmp_path / "base.json").write_text(json.dumps(written))
    baseline = read_baseline_file("base.json", folder=tmp_path, named_by="--baseline")

    assert (None, None, 2) == (baseline.ref, baseline.commit, len(baseline.evaluations))


def test_a_partner_is_the_same_model_at_the_same_iteration() -> None:
    """The latest iteration is compared with the same one, if the baseline has it."""
    baseline = found(("a", 3000), ("a", 1000), ("a", 2000), ("b", 0))

    assert [("a", 2000, 2000)] == places(("a", 1000), ("a", 2000), baseline=baseline)
    assert [("a", 3000, 3000), ("b", 0, 0)] == places(("b", 0), ("a", 3000), baseline=baseline)


def test_without_that_iteration_the_greatest_is_the_partner() -> None:
    """Another checkpoint is compared with the baseline's latest one."""
    baseline = found(("a", 1000), ("a", 3000), ("a", 2000))

    assert [("a", 4000, 3000)] == places(("a", 4000), baseline=baseline)
    assert [("a", 500, 3000)] == places(("a", 500), baseline=baseline)


def test_a_partner_says_where_it_was_found() -> None:
    """Origin, ref and commit are the baseline's, model and iteration the evaluation's."""
    baseline = replace(found(("a", 7)), ref="refs/heads/main", commit="4be1c02")
    (one,) = partners([builders.evaluation("a", 8)], baseline)

    assert (
        Baseline(
            origin="base.json", model="a", iteration=7, ref="refs/heads/main", commit="4be1c02"
        )
        == one.baseline_label
    )


def test_models_that_the_baseline_lacks_are_reported() -> None:
    """A new model has no partner, and the note names it and those that are there."""
    candidates = [builders.evaluation(model) for model in ("a", "new", "renamed")]
    baseline = found(("a", 0), ("old", 0))

    assert [("a", 0, 0)] == places(("a", 0), ("new", 0), ("renamed", 0), baseline=baseline)
    assert UnmatchedModels(
        models=("new", "renamed"), baseline_models=("a", "old"), origin="base.json"
    ) == unmatched_models(candidates, [baseline])
    assert ("Only in the baseline (base.json): old.",) == extra_model_notes(candidates, [baseline])
    same = [found(("a", 3))]
    assert (None, ()) == (
        unmatched_models(candidates[:1], same),
        extra_model_notes(candidates[:1], same),
    )
    assert (None, ()) == (unmatched_models(candidates, []), extra_model_notes(candidates, []))


def test_a_baseline_without_models_is_reported() -> None:
    """An empty baseline has nobody's partner."""
    assert UnmatchedModels(
        models=("a",), baseline_models=(), origin="base.json"
    ) == unmatched_models([builders.evaluation("a")], [found()])


def test_many_models_make_a_short_note() -> None:
    """If there are hundreds of models, some are named and the others counted."""
    many = [builders.evaluation(f"m{at:03}") for at in range(500)]
    baseline = found(*((f"b{at:03}", 0) for at in range(500)))
    unmatched = unmatched_models(many, [baseline])
    (extra,) = extra_model_notes(many, [baseline])

    assert unmatched
    assert 2 == describe_unmatched(unmatched).count("and 497 more")
    assert 1 == extra.count("and 490 more")


def test_nobody_has_no_partners() -> None:
    """Without candidates there are no partners, no notes and no steps."""
    nothing = (unmatched_models([], [found()]), extra_model_notes([], [found()]))

    assert (None, ()) == nothing
    assert ((), ()) == (partners([], found(("a", 0))), steps([]))


def test_steps_are_the_last_iteration_and_the_previous_one() -> None:
    """Each model with several iterations makes one step, of the two greatest."""
    order = [("b", 0), ("a", 10), ("a", 9), ("a", 100), ("c", 1), ("c", 2)]
    made = steps([builders.evaluation(*place) for place in order])

    assert [("a", 100, 10), ("c", 2, 1)] == [
        (one.candidate.model, one.candidate.iteration, one.baseline.iteration) for one in made
    ]
    assert Baseline(origin="this run", model="a", iteration=10) == made[0].baseline_label
