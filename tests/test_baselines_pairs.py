"""Pairs of models and baselines, chosen for each benchmark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from helm_wandb.baselines import BaselineMatch
from helm_wandb.baselines.notes import baseline_notes
from helm_wandb.baselines.pairs import partners, unmatched_benchmarks
from helm_wandb.comparing import verdicts
from helm_wandb.model import Evaluation, Policy, Verdict
from tests import builders

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helm_wandb.comparing.verdicts import Partner

FIVE, NONE = {"max_train_instances": 5}, {"max_train_instances": 0}
BOTH = {"mmlu.EM": FIVE, "raft.EM": FIVE}


def measured(
    shots: Mapping[str, Mapping[str, object] | None], model: str = "alpha", iteration: int = 0
) -> Evaluation:
    """An evaluation whose scores have these settings."""
    one = builders.measured(model, iteration, {key: builders.right(50) for key in shots})
    scores = {key: replace(score, fingerprint=shots[str(key)]) for key, score in one.scores.items()}
    return replace(one, scores=scores)


def found(at: int, *evaluations: Evaluation) -> BaselineMatch:
    """A baseline so many commits behind."""
    return BaselineMatch(
        origin=f"{at} behind", evaluations=evaluations, ref="main", commit=f"{at}" * 40
    )


def shares(made: tuple[Partner, ...]) -> list[tuple[str, str, list[str], list[str]]]:
    """Model, origin, and the scores on both sides, of each partner."""
    return [
        (
            one.candidate.model,
            one.baseline_label.origin,
            list(map(str, one.candidate.scores)),
            list(map(str, one.baseline.scores)),
        )
        for one in made
    ]


def test_one_baseline_that_has_all_serves_all() -> None:
    """The others are not needed, and both sides stay as they are."""
    candidate = measured(BOTH)
    (only,) = partners([candidate], found(0, measured(BOTH)), found(1, measured(BOTH)))

    assert "0 behind" == only.baseline_label.origin
    assert candidate == only.candidate
    assert frozenset() == unmatched_benchmarks([candidate], [found(0, measured(BOTH))])


def test_each_benchmark_has_the_nearest_baseline_with_the_same_settings() -> None:
    """A benchmark whose settings main changed is compared with an older baseline."""
    near = found(0, measured({"mmlu.EM": FIVE, "raft.EM": NONE}))
    far = found(3, measured(BOTH))

    assert {"raft of alpha"} == unmatched_benchmarks([measured(BOTH)], [near])
    assert frozenset() == unmatched_benchmarks([measured(BOTH)], [near, far])
    assert [
        ("alpha", "0 behind", ["mmlu.EM"], ["mmlu.EM"]),
        ("alpha", "3 behind", ["raft.EM"], ["raft.EM"]),
    ] == shares(partners([measured(BOTH)], near, far))


def test_without_the_same_settings_the_nearest_is_the_baseline() -> None:
    """The comparison explains how the settings differ."""
    near = found(0, measured({"raft.EM": NONE}))
    far = found(1, measured({"raft.EM": {"max_train_instances": 1}}))
    (compared,) = verdicts.compared(partners([measured({"raft.EM": FIVE})], near, far), Policy())

    assert "0 behind" == compared.baseline.origin
    assert ["5-shot here, 0-shot there"] == list(compared.not_comparable.values())


def test_a_benchmark_that_the_nearest_lacks_is_compared_with_another() -> None:
    """If main stopped measuring it, an older run is its baseline."""
    near, far = found(0, measured({"mmlu.EM": FIVE})), found(1, measured({"raft.EM": NONE}))

    assert [
        ("alpha", "0 behind", ["mmlu.EM"], ["mmlu.EM"]),
        ("alpha", "1 behind", ["raft.EM"], ["raft.EM"]),
    ] == shares(partners([measured(BOTH)], near, far))


def test_benchmarks_of_one_side_appear_once() -> None:
    """A new and a lost benchmark appear with the first baseline that is used."""
    candidate = measured({"new.EM": FIVE, "mmlu.EM": FIVE, "raft.EM": FIVE})
    near = found(0, measured({"lost.EM": FIVE, "mmlu.EM": FIVE, "raft.EM": NONE}))
    far = found(1, measured({"lost.EM": FIVE, "mmlu.EM": FIVE, "raft.EM": FIVE}))

    assert [
        ("alpha", "0 behind", ["new.EM", "mmlu.EM"], ["lost.EM", "mmlu.EM"]),
        ("alpha", "1 behind", ["raft.EM"], ["raft.EM"]),
    ] == shares(partners([candidate], near, far))


def test_a_baseline_that_serves_nothing_is_no_partner() -> None:
    """If only the second has the same settings, the nearest is not used."""
    near, far = found(0, measured({"mmlu.EM": NONE})), found(1, measured({"mmlu.EM": FIVE}))

    assert ["1 behind"] == [
        one.baseline_label.origin for one in partners([measured({"mmlu.EM": FIVE})], near, far)
    ]


def test_a_benchmark_that_is_everywhere_new_is_compared_with_the_nearest_model() -> None:
    """Nothing can be compared, and the pair shows what the baseline lacks."""
    made = partners(
        [measured({"new.EM": FIVE})], found(0, measured(BOTH)), found(1, measured(BOTH))
    )

    assert [("alpha", "0 behind", ["new.EM"], ["mmlu.EM", "raft.EM"])] == shares(made)


def test_each_model_has_its_own_baselines() -> None:
    """A model that main began to measure later does not move another's baseline."""
    near, far = (
        found(0, measured(BOTH, "alpha")),
        found(1, measured(BOTH, "beta"), measured(BOTH, "alpha")),
    )
    candidates = [measured(BOTH, "beta"), measured(BOTH, "alpha"), measured(BOTH, "gamma")]

    assert [("alpha", "0 behind"), ("beta", "1 behind")] == [
        (model, origin) for model, origin, *_ in shares(partners(candidates, near, far))
    ]
    assert {"mmlu of gamma", "raft of gamma"} == unmatched_benchmarks(candidates, [near, far])


def test_all_metrics_of_a_benchmark_have_one_baseline() -> None:
    """If one metric's settings differ, the benchmark's do."""
    candidate = measured({"quac.F1": FIVE, "quac.EM": FIVE})
    near = found(0, measured({"quac.F1": FIVE, "quac.EM": NONE}))
    far = found(1, measured({"quac.F1": FIVE, "quac.EM": FIVE}))

    assert [("alpha", "1 behind", ["quac.F1", "quac.EM"], ["quac.F1", "quac.EM"])] == shares(
        partners([candidate], near, far)
    )


def test_other_subjects_are_not_alike() -> None:
    """A run of main that lost a subject is passed over for one that has them all."""
    whole = {"mmlu.EM": {"physics": 0.5, "law": 0.5}}
    candidate = builders.evaluation(subjects=whole)
    near = found(0, builders.evaluation(subjects={"mmlu.EM": {"law": 0.5}}))
    far = found(1, builders.evaluation(subjects=whole))

    assert ["1 behind"] == [one.baseline_label.origin for one in partners([candidate], near, far)]


def test_an_unknown_fingerprint_does_not_forbid() -> None:
    """Scores without recorded settings are compared."""
    near = found(0, measured({"mmlu.EM": None}))

    assert frozenset() == unmatched_benchmarks([measured({"mmlu.EM": FIVE})], [near])


def test_the_iteration_is_sought_in_each_baseline() -> None:
    """The same iteration is chosen if it exists, else the latest."""
    candidate = measured(BOTH, iteration=2)
    near = found(
        0, measured({"mmlu.EM": FIVE}, iteration=1), measured({"mmlu.EM": FIVE}, iteration=3)
    )
    far = found(1, measured(BOTH, iteration=2), measured(BOTH, iteration=3))

    assert [3, 2] == [one.baseline.iteration for one in partners([candidate], near, far)]


def test_two_baselines_of_a_model_are_one_family_of_tests() -> None:
    """Holm's adjustment is over both, and each comparison has the mean over its own part."""
    worse = {key: builders.right(20) for key in BOTH}
    candidate = builders.measured("alpha", 0, worse, fingerprint=FIVE)
    near = found(0, measured({"mmlu.EM": FIVE, "raft.EM": NONE}))
    made = partners([candidate], near, found(1, measured(BOTH)))
    first, second = verdicts.compared(made, Policy())

    deltas = [*first.deltas, *second.deltas]
    assert [Verdict.REGRESSED] * 2 == [delta.verdict for delta in deltas]
    assert all(delta.p_adjusted == 2 * (delta.p or 0) for delta in deltas)
    assert all(one.overall and one.overall.candidate == 0.2 for one in (first, second))


def test_each_baseline_is_named_with_its_benchmarks() -> None:
    """The nearest is the baseline; another is named with its benchmarks."""
    near, far = found(0, measured({"mmlu.EM": FIVE})), found(1, measured(BOTH))

    assert (
        "Baseline: main@0000000, 0 behind.",
        (
            "Baseline of raft of alpha: main@1111111, 1 behind; no nearer one has it with the same "
            "settings."
        ),
    ) == baseline_notes((near, far), partners([measured(BOTH)], near, far))


def test_a_baselines_label_has_what_is_known() -> None:
    """A branch's ref is its name; a file of nobody's is its path."""
    whole = BaselineMatch(origin="a.json", evaluations=(), ref="refs/heads/a/b", commit="4be1c02d3")

    assert "a/b@4be1c02, a.json" == whole.label
    assert "a.json" == replace(whole, ref=None, commit=None).label
