"""The reports of the golden files, and what these show of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from helm_wandb.comparing.gate import describe_unmatched
from helm_wandb.comparing.helm_metrics import CORE_METRICS
from helm_wandb.model import Gate, Provenance, Report, ScoreKey, UnmatchedModels, Verdict
from tests import builders

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helm_wandb.model import Delta, Evaluation

CORE = tuple(map(str, CORE_METRICS))
NO_TABLE = "no such table in groups/ of the suite"
HOSTILE_NAMES = (
    "a|b`c",
    "@octocat fixes #1",
    "::error::x\n::set-output",
    "</details><!--",
    "\u202egnp.exe",
    "模型-七十亿参数",
    "x" * 320,
)


def _scores(start: float) -> dict[str, float]:
    return {key: (start + 0.037 * at) % 1 for at, key in enumerate(CORE)}


REGRESSION = builders.delta(
    "boolq.EM",
    0.73,
    0.6,
    Verdict.REGRESSED,
    within=(-0.222, -0.051),
    n=100,
    clusters=92,
    mde=0.207,
    changed=(2, 15),
)
TOXICITY = builders.delta(
    "civil_comments.Toxic fraction",
    0.021,
    0.064,
    Verdict.REGRESSED,
    within=(0.031, 0.055),
    n=1000,
    mde=0.014,
    changed=(1, 44),
    lower=True,
)
DELTAS = (
    builders.delta(
        "hellaswag.EM",
        0.55,
        0.7,
        Verdict.IMPROVED,
        within=(0.072, 0.243),
        n=100,
        mde=0.207,
        changed=(16, 1),
    ),
    REGRESSION,
    TOXICITY,
    builders.delta(
        "mmlu.EM",
        0.554,
        0.5719,
        Verdict.INCONCLUSIVE,
        within=(0.002, 0.038),
        n=281,
        mde=0.05,
        changed=(5, 0),
        why="change over the 281 instances that both have; 4 left out",
    ),
    builders.delta(
        "imdb.EM",
        0.8,
        0.8,
        Verdict.NO_CHANGE,
        within=(-0.0018, 0.0018),
        n=20_000,
        mde=0.0004,
        changed=(9, 9),
    ),
    builders.delta("quac.F1", 0.3, 0.35, Verdict.UNTESTABLE, why="no per-instance scores there"),
    builders.delta(
        "wmt.BLEU",
        27.5,
        24.25,
        Verdict.INCONCLUSIVE,
        within=(-7.1, 0.6),
        n=50,
        mde=6.2,
        changed=(9, 20),
    ),
)
OVERALL = builders.delta(None, 0.628, 0.636, Verdict.INCONCLUSIVE, within=(-0.015, 0.031), n=800)
NOT_COMPARABLE = {
    "raft.EM": "5-shot here, 0-shot there",
    "openbookqa.EM": "only the baseline has it; this run: not run in this suite",
}


def _candidate(*iterations: int, model: str = "mymodel") -> list[Evaluation]:
    """What the deltas are of."""
    scores = {str(one.key): one.candidate for one in DELTAS}
    return [builders.evaluation(model, at, scores) for at in iterations]


def _tidings(name: str) -> Delta:
    """A delta whose every text is a stranger's."""
    return builders.delta(
        f"x{name}.{name}",
        0.5,
        0.25,
        Verdict.REGRESSED,
        within=(-0.5, -0.125),
        n=40,
        mde=0.3,
        changed=(0, 10),
        why=name,
    )


COMPARED = {
    "compared": builders.report(
        _candidate(1000, 2000),
        comparisons=[
            builders.comparison(
                *DELTAS,
                model="mymodel",
                iteration=2000,
                against=1500,
                overall=OVERALL,
                not_comparable=NOT_COMPARABLE,
                ref="refs/heads/main",
                commit="4be1c02" + "0" * 33,
            )
        ],
        steps=[
            builders.comparison(
                *DELTAS[3:], model="mymodel", iteration=2000, against=1000, origin="this run"
            )
        ],
        gate=Gate(closed=True, reasons=("boolq.EM of mymodel regressed",)),
        notes=["Only in the baseline (base.json), and not in this run: beta."],
    ),
    "compared_accepted": builders.report(
        [*_candidate(0), *_candidate(0, model="other")],
        comparisons=[
            builders.comparison(REGRESSION, model="mymodel"),
            builders.comparison(TOXICITY, model="other", overall=OVERALL),
        ],
        gate=Gate(closed=False, reasons=("boolq.EM of mymodel regressed",), accepted_by="known"),
    ),
    "compared_not": builders.report(
        _candidate(0),
        comparisons=[builders.comparison(model="mymodel", not_comparable=NOT_COMPARABLE)],
        gate=Gate(closed=False, reasons=("boolq.EM of mymodel is 0.6, below its floor of 0.7",)),
    ),
    "compared_quiet": builders.report(
        _candidate(1, 2),
        steps=[builders.comparison(*DELTAS, model="mymodel", iteration=2, against=1)],
        gate=Gate(closed=False, reasons=()),
    ),
    "compared_hostile": builders.report(
        [builders.evaluation(name, 2) for name in HOSTILE_NAMES],
        comparisons=[
            builders.comparison(
                _tidings(name),
                model=name,
                iteration=2,
                against=1,
                overall=OVERALL,
                not_comparable={"[x](y).z": f"{name} here, {name} there"},
                origin=name,
                ref=name,
                commit=name,
            )
            for name in HOSTILE_NAMES
        ],
        steps=[builders.comparison(_tidings("- @team #2"), model="1. x", iteration=2, against=1)],
        gate=Gate(
            closed=False,
            reasons=tuple(f"[x](y).z of {name} regressed" for name in HOSTILE_NAMES),
            accepted_by="- @octocat\n::error::x",
        ),
        notes=["Only in the baseline (::error::x), and not in this run: #1, </details>."],
        provenance=Provenance(tool_version="1.2.3", track="pr/`a|b`", commit="@#$|<>&"),
    ),
}
"""With deltas made by hand, so that a golden file changes where its form does."""

REPORTS = {
    **COMPARED,
    "curve": builders.report(
        [
            builders.evaluation("mymodel", 1000 * at, _scores(0.05 * at), tokens_billions=4.2 * at)
            for at in range(1, 7)
        ],
        provenance=Provenance(
            tool_version="1.2.3", track="pr/7", commit="0123456789abcdef", pull_request=7
        ),
    ),
    "models": builders.report(
        [
            builders.evaluation("gpt-4-0613", scores=_scores(0.3)),
            builders.evaluation("meta-llama/Llama-2-70b-chat-hf", scores=_scores(0.2)),
            builders.evaluation("mini_3", scores=_scores(0.1)),
            builders.evaluation("mistral-7b-v0.1", scores=_scores(0.3)),
        ]
    ),
    "left_out": builders.report(
        [
            builders.evaluation(
                "alpha",
                scores={"mmlu.EM": 0.41, "x.bits": 12345.6, "y.toxic": 0.1},
                lower=["y.toxic"],
            ),
            builders.evaluation(
                "beta", scores={"mmlu.EM": 0.5, "x.bits": 31.42, "y.toxic": 2e-5}, lower=["y.toxic"]
            ),
        ],
        metrics=[ScoreKey.parse(key) for key in ("mmlu.EM", "x.bits", "y.toxic")],
    ),
    "unranked": builders.report(
        [
            builders.evaluation("alpha", scores={"mmlu.EM": 0.41}),
            builders.evaluation("beta", scores={"raft.EM": 0.5, "imdb.EM": 0.25}),
        ],
        notes=["groups/quac.json: line 3, column 7: a comma is missing. Run helm-summarize again."],
    ),
    "missing": builders.report(
        [
            builders.evaluation("alpha", 1000, {"mmlu.EM": 0.4}, missing={"raft.EM": NO_TABLE}),
            builders.evaluation(
                "alpha",
                2000,
                {"mmlu.EM": 0.45},
                missing={"raft.EM": NO_TABLE, "quac.F1": "the cell holds no number"},
            ),
            builders.evaluation("beta", 0, {"mmlu.EM": 0.5}, missing={"raft.EM": NO_TABLE}),
        ]
    ),
    "project": builders.report(
        [builders.evaluation("alpha", 2000, {"mmlu.EM": 0.45, "raft.EM": 0.5})],
        guests=[
            builders.evaluation("beta|`x`", 1000, {"mmlu.EM": 0.4, "raft.EM": 0.6}),
            builders.evaluation("gamma", 0, {"mmlu.EM": 0.7}),
            builders.evaluation("alpha", 9000, {"mmlu.EM": 0.9}),
        ],
    ),
    "project_only": builders.report(
        [],
        guests=[
            builders.evaluation("beta", 1000, {"mmlu.EM": 0.4, "raft.EM": 0.6}),
            builders.evaluation("gamma", 0, {"mmlu.EM": 0.7}),
        ],
    ),
    "history": builders.report(
        [
            builders.evaluation("alpha", 4000, {"mmlu.EM": 0.45, "x.bits": 31.4}, lower=["x.bits"]),
            builders.evaluation("beta", 4000, {"mmlu.EM": 0.4}),
        ],
        history=[
            builders.history("alpha", "mmlu.EM", (0.38, 0.41, 0.405, 0.45), error=0.0215),
            builders.history("alpha", "x.bits", (33.0, 32.5, 31.4)),
            builders.history("beta", "mmlu.EM", (0.38, 0.4, 0.4, 0.4), error=0.02),
            builders.history("beta", "raft.EM", (0.5, 0.6)),
            builders.history("gone", "mmlu.EM", (0.1, 0.2, 0.3)),
        ],
    ),
    "hostile": builders.report(
        [
            builders.evaluation(
                name,
                scores={"mmlu.EM": 0.3, "<script>.a|b": 0.2},
                missing={"[x](y).z": f"found {name}"} if at < 2 else {},
            )
            for at, name in enumerate(HOSTILE_NAMES)
        ]
        + [builders.evaluation("- @team #2", at) for at in (1, 2)],
        history=[
            builders.history(name, "<script>.a|b", (0.1, 0.3, 0.2), commits=HOSTILE_NAMES[:3])
            for name in HOSTILE_NAMES
        ],
        notes=["- @octocat: see #1, :tada: www.example.com </summary>", "1. ::error::x"],
        provenance=Provenance(tool_version="1.2.3", track="branch/`a|b`", commit="@#$|<>&"),
    ),
}


RUN_URL = "https://github.example/acme/evaluations/actions/runs/1901"
_ON_PULL_REQUEST = Provenance(
    tool_version="1.2.3",
    track="pr/42",
    commit="9c3d5f1" + "a" * 33,
    ref="refs/pull/42/merge",
    pull_request=42,
    run_url=RUN_URL,
    attempt=2,
)


def _commented(report: Report) -> Report:
    """The report as a pull request's run has it when the comment is written."""
    links = {"W&B": "https://wandb.example/acme/evaluations", "pull request comment": RUN_URL}
    return replace(report, provenance=_ON_PULL_REQUEST, links=links)


RENAMED = UnmatchedModels(
    models=("mymodel",), baseline_models=("acme/assistant", "other"), origin="base.json"
)
COMMENTS = {
    "regression": _commented(COMPARED["compared"]),
    "accepted": _commented(COMPARED["compared_accepted"]),
    "improvement": _commented(
        builders.report(
            [*_candidate(0, model="mymodel"), *_candidate(0, model="other")],
            guests=[builders.evaluation("theirs", 9, {str(one.key): 0.5 for one in DELTAS})],
            comparisons=[
                builders.comparison(DELTAS[0], DELTAS[3], model="mymodel", overall=OVERALL),
                builders.comparison(DELTAS[3], DELTAS[4], model="other"),
            ],
            gate=Gate(closed=False, reasons=()),
        )
    ),
    "no_regression": _commented(
        builders.report(
            _candidate(0),
            comparisons=[
                builders.comparison(
                    *DELTAS[3:5], model="mymodel", overall=OVERALL, ref="refs/heads/main"
                )
            ],
            gate=Gate(closed=False, reasons=()),
        )
    ),
    "floor": _commented(
        builders.report(
            _candidate(0),
            comparisons=[builders.comparison(DELTAS[4], model="mymodel")],
            gate=Gate(closed=True, reasons=("boolq.EM of mymodel is 0.6, below its floor of 0.7",)),
        )
    ),
    "untestable": _commented(
        builders.report(
            _candidate(0), comparisons=[builders.comparison(DELTAS[5], model="mymodel")]
        )
    ),
    "not_comparable": _commented(COMPARED["compared_not"]),
    "no_baseline": _commented(REPORTS["models"]),
    "renamed": _commented(
        builders.report(
            _candidate(0),
            not_in_baseline=RENAMED,
            gate=Gate(closed=False, reasons=(), warnings=(describe_unmatched(RENAMED),)),
        )
    ),
    "warn_only": _commented(
        builders.report(
            _candidate(0),
            comparisons=[
                builders.comparison(
                    replace(REGRESSION, warn_only=True), *DELTAS[3:5], overall=OVERALL
                )
            ],
            not_in_baseline=RENAMED,
            gate=Gate(
                closed=False,
                reasons=(),
                warnings=(
                    describe_unmatched(RENAMED),
                    "boolq.EM of mymodel regressed (warn_only)",
                ),
            ),
        )
    ),
    "curve": REPORTS["curve"],
    "project": _commented(REPORTS["project_only"]),
    "missing": _commented(REPORTS["missing"]),
    "hostile": COMPARED["compared_hostile"],
}


def large(*, models: int = 500, metrics: int = 60, iterations: int = 1) -> Report:
    """A report of so many models, metrics and iterations."""
    keys = [f"benchmark_{at:02}.metric_{at:02}" for at in range(metrics)]
    return builders.report(
        [
            builders.evaluation(
                f"organisation/model-{model:03}",
                iteration,
                {key: (model * 7 + at) % 1000 / 1000 for at, key in enumerate(keys)},
                missing={f"missing_{model}.EM": f"no such table of model {model}"},
            )
            for model in range(models)
            for iteration in range(iterations)
        ],
        metrics=[ScoreKey.parse(key) for key in keys],
        notes=[f"groups/{at}.json: cannot be read" for at in range(models)],
    )


TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
"""A table in Markdown."""


def without_tables(markdown: str) -> str:
    """Return a page with one line in place of each table: their contents are in reports.txt."""
    return TABLE.sub("(table)\n", markdown)


def in_sections(texts: Mapping[str, str]) -> str:
    """Return texts as one, each below its name."""
    return "\n".join(f"======== {name}\n\n{text}" for name, text in texts.items())
