"""The table of docs/comparison.md: what each result does, as the command line runs it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from helm_wandb import cli
from helm_wandb.model import Evaluation
from helm_wandb.report import to_json
from tests import builders
from tests.conftest import ROOT

_ROW = re.compile(r"^\| (?P<result>[^|]+) \| (?P<never>[^|]+, [^|]+) \| (?P<regression>[^|]+) \|$")
_LEVELS = {"error": "error", "warning": "warning", None: "nothing"}


def _evaluation(model: str = "alpha", *, boolq: int = 70, of: int = 100, **more: Any) -> Evaluation:
    """Two benchmarks, of which imdb is always the same."""
    values = {"boolq.EM": builders.right(boolq, of), "imdb.EM": builders.right(80)}
    return builders.measured(model, values=values, **more)


def _without(evaluation: Evaluation, **fields: Any) -> Evaluation:
    """The evaluation with these fields of its score of boolq."""
    scores = dict(evaluation.scores)
    key = next(iter(scores))
    return replace(evaluation, scores={**scores, key: replace(scores[key], **fields)})


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a row of the table is about, as files and flags."""

    candidate: Evaluation | Sequence[Evaluation] | dict[str, Any] = field(
        default_factory=_evaluation
    )
    """One evaluation or several, or an entry of `evals`."""
    baseline: Evaluation | None = field(default_factory=_evaluation)
    compare: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    flags: Sequence[str] = ()


def _small_drops(right: int) -> Evaluation:
    """16 benchmarks, none of which can be flagged by itself."""
    values = {f"b{at}.EM": builders.right(right) for at in range(16)}
    return builders.measured(values=values)


def _over_subjects(model: str, *subjects: str) -> Evaluation:
    """A score over so many subjects."""
    parts = {"boolq.EM": dict.fromkeys(subjects, 0.7)}
    return builders.evaluation(model, scores={"boolq.EM": 0.7}, subjects=parts)


ONE = _evaluation()
SCORES = {"boolq": {"EM": None}, "imdb": {"EM": 0.8}}
FILE = {"eval_type": "helm", "source": "file", "model_name": "alpha", "eval_result": SCORES}
FAIL = ("--on-missing-baseline", "fail")
ROWS = {
    "nothing changed": Row(),
    "a score regressed": Row(candidate=_evaluation(boolq=40)),
    "the mean over the benchmarks regressed": Row(
        candidate=_small_drops(67), baseline=_small_drops(70)
    ),
    "a score under `warn_only` regressed": Row(
        candidate=_evaluation(boolq=40), compare={"warn_only": ["boolq"]}
    ),
    "a score is below its floor": Row(compare={"floor": {"boolq.EM": 0.9}}),
    "a score with a floor is missing": Row(
        candidate=FILE, baseline=None, compare={"floor": {"boolq.EM": 0.5}}
    ),
    "a score with a floor covers only a part of the subjects": Row(
        candidate=[_over_subjects("alpha", "a"), _over_subjects("beta", "a", "b")],
        baseline=None,
        compare={"floor": {"boolq.EM": 0.5}},
    ),
    "fewer than 90% of the baseline's instances are left": Row(candidate=_evaluation(of=86)),
    "some instances are missing, and at least 90% are left": Row(candidate=_evaluation(of=98)),
    "this run has no per-instance scores": Row(candidate=_without(ONE, instances=None)),
    "the baseline has no per-instance scores": Row(baseline=_without(ONE, instances=None)),
    "a benchmark of the baseline that the config names is missing": Row(candidate=FILE),
    "a benchmark of the baseline isn't evaluated": Row(
        candidate=builders.measured(values={"imdb.EM": builders.right(80)})
    ),
    "the settings differ": Row(
        candidate=_evaluation(fingerprint={"shots": 0}),
        baseline=_evaluation(fingerprint={"shots": 5}),
    ),
    "a metric has no known direction": Row(candidate=_without(ONE, lower_is_better=None)),
    "the baseline doesn't have the model (renamed, or new)": Row(candidate=_evaluation("beta")),
    "the baseline doesn't have the model, with `on-missing-baseline: fail`": Row(
        candidate=_evaluation("beta"), flags=FAIL
    ),
    "there is no baseline": Row(baseline=None),
    "there is no baseline, with `on-missing-baseline: fail`": Row(baseline=None, flags=FAIL),
    "a name under `compare` or `leaderboard_metrics` is in no evaluation": Row(
        compare={"lower_is_better": ["boolq.Em"]}, config={"leaderboard_metrics": ["bolq.EM"]}
    ),
    "`min_effect` is 0.5 or more for scores within 0–1": Row(compare={"min_effect": 1}),
    "a floor is outside 0–1 for right and wrong answers": Row(compare={"floor": {"boolq.EM": 30}}),
}


def table() -> Iterator[tuple[str, str, str]]:
    """Each row of the table in the docs: the result, and both cells."""
    text = (ROOT / "docs/comparison.md").read_text("utf-8")
    section = text.partition("## When the job fails")[2].partition("\n## ")[0]
    for line in section.splitlines():
        if match := _ROW.match(line):
            yield match["result"], match["never"], match["regression"]


def test_every_row_is_run() -> None:
    """The table in the docs has just the rows that are run here."""
    assert list(ROWS) == [result for result, _, _ in table()]


@pytest.mark.parametrize(
    ("result", "fail_on", "expected"),
    [
        (result, fail_on, cell)
        for result, *cells in table()
        for fail_on, cell in zip(("never", "regression"), cells, strict=True)
    ],
)
def test_each_row_is_as_the_docs_say(  # noqa: PLR0913, PLR0917 -- fixtures, by their names
    result: str,
    fail_on: str,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The comment's heading, the log and the exit code are those of the table."""
    monkeypatch.chdir(tmp_path)
    arguments = _write(ROWS[result])

    code = cli.main([*arguments, "--fail-on", fail_on], root=ROOT)

    path = Path("comment.md")
    heading = path.read_text("utf-8").split()[1] if path.exists() else "no comment"
    lines = capsys.readouterr().err.splitlines()
    levels = [level for level in ("error", "warning") if any(x.startswith(level) for x in lines)]
    assert expected == f"{heading}, {_LEVELS[next(iter(levels), None)]}, {code}"


def _write(row: Row) -> list[str]:
    """Write the row's files into the working folder, and return the arguments of the command."""
    entry = row.candidate
    if not isinstance(entry, dict):
        several = [entry] if isinstance(entry, Evaluation) else entry
        Path("run.json").write_bytes(to_json(builders.report(several)))
        entry = {"eval_type": "helm", "source": "report", "path": "run.json"}
    config = {"project": "p", "evals": [entry], "compare": row.compare, **row.config}
    Path("config.yaml").write_text(json.dumps(config))
    arguments = ["--config", "config.yaml", "--print-only", "--comment", "comment.md", *row.flags]
    if row.baseline is None:
        return arguments
    Path("base.json").write_bytes(to_json(builders.report([row.baseline])))
    return [*arguments, "--baseline", "base.json"]
