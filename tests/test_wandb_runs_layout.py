"""What a run says of itself besides its scores: outcome of the comparison, and links."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from helm_wandb.model import Provenance, Verdict
from helm_wandb.wandb_runs import changes, layout, run_record
from helm_wandb.wandb_runs.changes import StoredRun
from helm_wandb.wandb_runs.layout_names import MARK, OUTCOME
from tests import builders
from tests.builders import comparison, delta, evaluation
from tests.wandb_builders import Desk, summary_run
from tests.wandb_server import WandbServer

if TYPE_CHECKING:
    from pathlib import Path

    from helm_wandb.model import Comparison

WORSE = delta("mmlu.EM", 0.5, 0.25, Verdict.REGRESSED)
BETTER = delta("raft.EM", 0.5, 0.75, Verdict.IMPROVED)
INCONCLUSIVE = delta("quac.F1", 0.5, 0.5, Verdict.INCONCLUSIVE)
MEAN = delta(None, 0.5, 0.4375, Verdict.INCONCLUSIVE)
RUN_URL = "https://github.test/owner/repo/actions/runs/7"


def plans(
    *comparisons: Comparison, provenance: Provenance | None = None
) -> tuple[layout.RunPlan, ...]:
    """The runs of a report of two models with these comparisons."""
    entries = [evaluation(name, 1, {"mmlu.EM": 0.25}) for name in ("alpha", "beta")]
    report = builders.report(entries, comparisons=comparisons, provenance=provenance)
    return layout.plans(report, summary_only=False, leaderboard=True)


@pytest.mark.parametrize(
    ("comparisons", "expected"),
    [
        ([comparison(WORSE, BETTER, INCONCLUSIVE, overall=MEAN)], ("regressed", 1, 1, -0.0625)),
        ([comparison(BETTER, BETTER)], ("improved", 0, 2, None)),
        ([comparison(INCONCLUSIVE, overall=MEAN)], ("inconclusive", 0, 0, -0.0625)),
        ([comparison()], ("untestable", 0, 0, None)),
        (
            [comparison(WORSE, overall=MEAN), comparison(BETTER, origin="other.json")],
            ("regressed", 1, 1, -0.0625),
        ),
        (
            [
                comparison(INCONCLUSIVE, overall=MEAN),
                comparison(INCONCLUSIVE, overall=MEAN, origin="other.json"),
            ],
            ("inconclusive", 0, 0, None),
        ),
        ([comparison(WORSE, model="beta")], None),
        ([], None),
    ],
)
def test_summary_run_says_how_its_models_comparison_ended(
    comparisons: list[Comparison], expected: tuple[object, ...] | None
) -> None:
    """Verdict, numbers and the mean's change are of this model; each baseline has its mean."""
    summary, *_ = plans(*comparisons)

    assert (dict(zip(OUTCOME, expected, strict=True)) if expected else {}) == summary.outcome


def test_other_runs_have_no_outcome() -> None:
    """An automation fires once for a model."""
    alpha, *others = plans(comparison(WORSE))

    assert alpha.outcome
    assert [{}] * 4 == [one.outcome for one in others]


@pytest.mark.parametrize(
    ("provenance", "expected"),
    [
        (Provenance(tool_version="1"), ""),
        (Provenance(tool_version="1", pull_request=7), ""),
        (Provenance(tool_version="1", run_url=RUN_URL), f"[workflow run]({RUN_URL})"),
        (
            Provenance(tool_version="1", run_url=RUN_URL, pull_request=3),
            f"[pull request 3](https://github.test/owner/repo/pull/3), [workflow run]({RUN_URL})",
        ),
    ],
)
def test_notes_link_what_is_known(provenance: Provenance, expected: str) -> None:
    """All runs have the same."""
    assert {expected} == {one.notes for one in plans(provenance=provenance)}


def test_type_is_of_the_kind_of_run_and_not_of_its_name() -> None:
    """A model may have the leaderboard's name."""
    entries = [evaluation("leaderboard", 1, {"leaderboard.EM": 0.25})]
    runs = layout.plans(builders.report(entries), summary_only=False, leaderboard=True)

    assert ["evaluate", "evaluate", "leaderboard"] == [one.job_type for one in runs]


def test_outcome_does_not_stay_if_nothing_is_compared_any_more() -> None:
    """W&B would keep the values, so they are replaced, once."""
    (before, *_), (now, *_) = plans(comparison(WORSE)), plans()
    first = changes.writing(before, StoredRun(), writer="a")
    record = run_record.from_summary({MARK: changes.final_mark(first)})
    gone = changes.writing(now, StoredRun(record=record), writer="b")
    settled = run_record.from_summary({MARK: changes.final_mark(gone)})
    again = changes.writing(now, StoredRun(record=settled), writer="c")

    assert before.outcome.items() <= first.summary.items()
    assert dict.fromkeys(OUTCOME).items() <= gone.summary.items()
    assert set() == set(OUTCOME) & again.summary.keys()
    assert not changes.is_recorded(now, record)
    assert changes.is_recorded(now, settled)


@pytest.mark.enable_socket
def test_outcome_arrives_and_goes(tmp_path: Path, helm_trees: Path) -> None:
    """The real pair's is in the summary run, and leaves it with the comparison."""
    with WandbServer() as server:
        user = Desk(folder=tmp_path / "desk", base_url=server.url)

        def recorded(tree: str, *flags: str) -> dict[str, object]:
            entry = {"eval_type": "helm", "helm_suite_name": "nightly", "model_name": "alpha"}
            user.configure({**entry, "helm_output_dir": str(helm_trees / tree)})
            done = user.write("--summary-only", *flags)
            run = summary_run(server, "alpha")

            assert 0 == done.exit_code, done.stderr
            return {key: run.summary.get(key) for key in OUTCOME} if run else {}

        assert {} == recorded("baseline", "--print-only", "--report", "base.json")
        compared = recorded("candidate", "--baseline", "base.json")
        alone = recorded("candidate")
        unknown = server.unknown

    assert ("regressed", 1, 1) == tuple(compared[key] for key in OUTCOME[:3])
    assert isinstance(compared["mean_change"], float)
    assert 0 < abs(compared["mean_change"]) < 1
    assert dict.fromkeys(OUTCOME) == alone
    assert [] == unknown
