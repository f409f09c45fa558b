"""The reports of which golden files show each form."""

from __future__ import annotations

from helm_wandb.helm_metrics import CORE_METRICS
from helm_wandb.model import Provenance, Report, ScoreKey
from tests import builders

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


REPORTS = {
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
        notes=["- @octocat: see #1, :tada: www.example.com </summary>", "1. ::error::x"],
        provenance=Provenance(tool_version="1.2.3", track="branch/`a|b`", commit="@#$|<>&"),
    ),
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
