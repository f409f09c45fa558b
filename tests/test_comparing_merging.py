"""Scores of several matrix jobs as one score."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from helm_wandb.comparing.evaluations import merge
from helm_wandb.model import Evaluation, Instances, Score, ScoreKey, SubjectScore
from tests import builders

MMLU = ScoreKey("mmlu", "EM")
SUBJECTS = ("anatomy", "botany", "chemistry", "drama", "ethics")
VALUES = st.floats(-1e6, 1e6)


def columns(rows: list[tuple[str, str, float]]) -> Instances:
    """Instances of stratum, id and value."""
    stratum, identity, value = zip(*rows, strict=True)
    none = (None,) * len(rows)
    trial = (0,) * len(rows)
    return Instances(
        stratum=stratum, id=identity, trial=trial, input=none, cluster=identity, value=value
    )


def score(
    subjects: dict[str, float], counts: dict[str, int] | None = None, **changes: Any
) -> Score:
    """A score over subjects, as HELM computes it, and the number of their instances."""
    counts = counts or {}
    fields: dict[str, Any] = {
        "value": fsum(subjects.values()) / len(subjects) if subjects else 0.5,
        "n": sum(counts.values()) if counts else None,
        "lower_is_better": False,
        "subjects": {
            name: SubjectScore(value=value, n=counts.get(name)) for name, value in subjects.items()
        },
    }
    return Score(**{**fields, **changes})


def job(of: Score | None, **changes: Any) -> Evaluation:
    """A job with this score of MMLU."""
    scores = {} if of is None else {MMLU: of}
    return replace(builders.evaluation(**changes), scores=scores)


def merged(*scores: Score) -> Score:
    """The jobs' scores as one, without conflict."""
    found = merge(map(job, scores))
    assert found.conflicts == ()
    return found.evaluations[0].scores[MMLU]


def conflict(*scores: Score) -> str:
    """Return the conflict of two readings, of which the first is kept."""
    found = merge(map(job, scores))
    assert found.evaluations[0].scores[MMLU] == scores[0]
    (conflict,) = found.conflicts
    return conflict.removeprefix("alpha at iteration 0 has ")


# Jobs that any matrix could have: each evaluated some subjects of the same truth


@dataclass(frozen=True)
class Truth:
    """What every job would find, had it evaluated all."""

    values: dict[str, list[float]]
    """Subject → the values of its instances."""
    with_counts: bool
    with_instances: bool
    partial: str | None

    def job(self, subjects: list[str]) -> Score:
        """The score of a job that evaluated some subjects."""
        rows = [
            (f"mmlu:subject={name}", f"id{at}", value)
            for name in subjects
            for at, value in enumerate(self.values[name])
        ]
        means = {name: fsum(self.values[name]) / len(self.values[name]) for name in subjects}
        found = score(
            means,
            {name: len(self.values[name]) for name in subjects} if self.with_counts else None,
            partial=self.partial,
            fingerprint={
                "max_train_instances": "5",
                "scenario subject": subjects[0] if len(subjects) == 1 else sorted(subjects),
            },
        )
        if self.with_instances:
            return replace(found, instances=columns(sorted(rows)))
        return replace(found, no_instances="the files were not kept")


TRUTHS = st.builds(
    Truth,
    values=st.fixed_dictionaries({name: st.lists(VALUES, min_size=1) for name in SUBJECTS}),
    with_counts=st.booleans(),
    with_instances=st.booleans(),
    partial=st.none() | st.just("3 subjects are missing"),
)
SHARES = st.lists(st.sampled_from(SUBJECTS), min_size=1, unique=True).map(sorted)


@given(TRUTHS, st.lists(SHARES, min_size=1, max_size=6), st.randoms())
def test_order_of_jobs_changes_nothing(truth: Truth, shares: list[list[str]], random: Any) -> None:
    """However jobs overlap and are ordered, they become one score, the same to the last digit."""
    jobs = [truth.job(share) for share in shares]
    shuffled = random.sample(jobs, len(jobs))

    assert merged(*jobs) == merged(*shuffled)


@given(TRUTHS, SHARES, SHARES, SHARES)
def test_grouping_of_jobs_changes_nothing(
    truth: Truth, first: list[str], second: list[str], third: list[str]
) -> None:
    """Merging what was merged already comes to the same as merging all at once."""
    a, b, c = (truth.job(share) for share in (first, second, third))
    at_once = merged(a, b, c)

    assert at_once == merged(merged(a, b), c)
    assert at_once == merged(a, merged(b, c))
    assert at_once == merged(at_once, at_once, b)


@given(TRUTHS, st.lists(SHARES, min_size=1, max_size=6))
def test_union_is_what_one_job_would_have_found(truth: Truth, shares: list[list[str]]) -> None:
    """Of jobs that evaluated parts comes the score of a job that evaluated all of them."""
    jobs = [truth.job(share) for share in shares]
    together = truth.job(sorted({name for share in shares for name in share}))

    assert together == replace(merged(*jobs), partial=together.partial)


@given(
    st.lists(
        st.builds(
            lambda truth, share, changes: replace(truth.job(share), **changes),
            st.just(
                Truth(
                    values={name: [1.0] for name in SUBJECTS},
                    with_counts=True,
                    with_instances=True,
                    partial=None,
                )
            ),
            SHARES,
            st.fixed_dictionaries(
                {},
                optional={
                    "partial": st.none() | st.sampled_from(["few", "fewer"]),
                    "fingerprint": st.none(),
                    "instances": st.none(),
                    "no_instances": st.sampled_from(["lost", "not kept"]),
                    "lower_is_better": st.none(),
                },
            ),
        ),
        min_size=1,
        max_size=5,
    ),
    st.randoms(),
)
def test_order_changes_nothing_where_jobs_know_more_or_less(jobs: list[Score], random: Any) -> None:
    """What only some readings know is the same in any order."""
    shuffled = random.sample(jobs, len(jobs))

    assert merged(*jobs) == merged(*shuffled)


# What becomes of each field


def test_score_of_jobs_is_the_mean_over_their_subjects() -> None:
    """Jobs weigh by their subjects, not by themselves or their instances."""
    first = score({"anatomy": 0.1, "botany": 0.2}, n=300)
    later = score({"chemistry": 0.6}, n=100)

    assert merged(first, later).value == pytest.approx(0.3, abs=1e-15)
    assert ["anatomy", "botany", "chemistry"] == list(merged(later, first).subjects)


def test_value_of_equal_scores_is_helms_own() -> None:
    """A score that is there twice keeps its value, though our mean's last digit differs."""
    own = score({"anatomy": 0.1, "botany": 0.2, "chemistry": 0.6}, value=0.30000000000000004)

    assert own == merged(own, own)
    assert own.value == merged(own, replace(own, no_instances="not kept")).value


def test_instances_are_counted_by_subject() -> None:
    """What two jobs share counts once; if one subject is not counted, the sum is unknown."""
    first = score({"anatomy": 0.5, "botany": 0.5}, {"anatomy": 10, "botany": 11})
    later = score({"botany": 0.5, "chemistry": 0.5}, {"botany": 11, "chemistry": 12})

    assert 33 == merged(first, later).n
    assert merged(first, score({"drama": 0.5}, n=7)).n is None


def test_known_counts_complete_unknown_ones() -> None:
    """The same score, once with and once without its counts, has them."""
    known = score({"anatomy": 0.5}, {"anatomy": 10})
    unknown = score({"anatomy": 0.5})

    assert known == merged(known, unknown) == merged(unknown, known)


def test_subjects_complete_a_score_without_them() -> None:
    """The same value is merged where only one reading names the subjects."""
    whole, alone = score({"anatomy": 0.25, "botany": 0.75}), score({})

    assert whole == merged(whole, alone) == merged(alone, whole)


def test_partial_scores_of_jobs_are_judged_again_by_all_that_was_read() -> None:
    """Jobs that complete each other are whole; who lacks what others have is partial."""
    jobs = [score({name: 0.5}, partial="over 1 of 3 subjects") for name in SUBJECTS[:2]]
    whole = builders.evaluation("whole")
    key = next(iter(whole.scores))
    both = [replace(whole, scores={key: job}) for job in jobs]
    other = replace(builders.evaluation("other"), scores={key: score({SUBJECTS[0]: 0.25})})
    without_subjects = replace(builders.evaluation("paper"), scores={key: score({})})
    found = merge([*both, other, without_subjects]).evaluations

    assert {"whole": None, "other": "over 1 of 2 subjects", "paper": None} == {
        one.model: one.scores[key].partial for one in found
    }


def test_fields_of_subjects_are_listed() -> None:
    """What HELM sets by subject differs between jobs as it does between runs of one job."""
    jobs = [
        score(
            {name: 0.5},
            fingerprint={"scenario subject": name, "instructions": f"on {name}", "method": "joint"},
        )
        for name in SUBJECTS[:2]
    ]

    assert {
        "scenario subject": ["anatomy", "botany"],
        "instructions": ["on anatomy", "on botany"],
        "method": "joint",
    } == merged(*jobs).fingerprint


def test_instances_of_some_subjects_only_are_dropped() -> None:
    """If a job has no instances, those of the others are not those of the score."""
    rows = [("mmlu:subject=anatomy", "id1", 1.0)]
    first = score({"anatomy": 1.0}, instances=columns(rows))
    later = score({"botany": 0.5}, no_instances="no per_instance_stats.json")
    found = merged(first, later)

    assert found.instances is None
    assert "not every matrix job has the per-instance data of its subjects" == found.no_instances


def test_mean_of_huge_values_is_one() -> None:
    """Values whose sum is beyond all floats have a mean that is none."""
    assert 1.5e308 == merged(score({"anatomy": 1.5e308}), score({"botany": 1.5e308})).value


def test_mean_over_strata_is_unweighted() -> None:
    """A stratum of one instance weighs as much as one of three."""
    rows = [("a", "id1", 1.0), ("b", "id1", 0.0), ("b", "id2", 0.0), ("b", "id3", 0.3)]

    assert 0.55 == columns(rows).mean()


# What cannot be merged is reported, and the first one kept


def test_two_values_of_a_subject_are_reported() -> None:
    """Each of the first few subjects is named with both values, the others are counted."""
    first = score(dict.fromkeys(SUBJECTS, 0.5))
    later = score({**dict.fromkeys(SUBJECTS, 0.25), "ethics": 0.5})

    assert (
        "two values of mmlu.EM in 'anatomy': 0.5 (kept) and 0.25. "
        "Give each subject in one matrix job only, and in one entry of evals; further runs of it, "
        "such as other seeds, belong under its key repeats."
    ) == conflict(first, score({"anatomy": 0.25, "zoology": 0.5}))
    assert (
        "two values of mmlu.EM in 'anatomy': 0.5 (kept) and 0.25, in 'botany': 0.5 (kept) and "
        "0.25, in 'chemistry': 0.5 (kept) and 0.25, and in 1 more. "
        "Give each subject in one matrix job only, and in one entry of evals; further runs of it, "
        "such as other seeds, belong under its key repeats."
    ) == conflict(first, later)


def test_two_counts_of_a_subject_are_reported() -> None:
    """The same value over other instances is not the same score."""
    first, later = (score({"anatomy": 0.5}, {"anatomy": n}) for n in (100, 200))

    assert (
        "two values of mmlu.EM in 'anatomy': 0.5 (n = 100) (kept) and 0.5 (n = 200). "
        "Give each subject in one matrix job only, and in one entry of evals; further runs of it, "
        "such as other seeds, belong under its key repeats."
    ) == conflict(first, later)


def test_value_that_is_no_mean_cannot_be_merged() -> None:
    """A score that is not the mean over its subjects is joined with no other subject."""
    assert (
        "two values of mmlu.EM: 0.9 (kept) and 0.5, which are not both the unweighted mean over "
        "their subjects, so they can't be merged. Evaluate all of its subjects in one matrix job, "
        "or name the subjects instead of it."
    ) == conflict(score({"anatomy": 0.5}, value=0.9), score({"botany": 0.5}))


def test_score_without_subjects_cannot_be_merged() -> None:
    """Which subjects a value is over must be known before others are added."""
    assert (
        "two values of mmlu.EM: 0.9 (kept) and 0.5. Give each score in one entry of evals only; "
        "further runs of it, such as other seeds, belong under its key repeats."
    ) == conflict(score({}, value=0.9), score({"botany": 0.5}))


def test_two_directions_are_reported() -> None:
    """Lower cannot be better in one job and worse in another."""
    assert (
        "two directions of mmlu.EM: better when higher (kept) and better when lower. "
        "Set it under compare.lower_is_better in all matrix jobs' configs, or in none."
    ) == conflict(score({"anatomy": 0.5}), score({"botany": 0.5}, lower_is_better=True))
    assert "better when lower (kept)" in conflict(
        score({"anatomy": 0.5}, lower_is_better=True), score({"botany": 0.5})
    )


def test_jobs_with_other_settings_are_reported() -> None:
    """Subjects with 5 examples and subjects with none make no score together."""
    first = {**{f"field {at}": "a" for at in range(4)}, "max_train_instances": "5"}
    later = {**dict.fromkeys(first, "b"), "max_train_instances": "0"}

    assert (
        "two settings of mmlu.EM: 5-shot (kept) and 0-shot. Evaluate all subjects in the same way."
    ) == conflict(
        score({"anatomy": 0.5}, fingerprint={"max_train_instances": "5"}),
        score({"botany": 0.5}, fingerprint={"max_train_instances": "0"}),
    )
    assert (
        "two settings of mmlu.EM: field 0 a (kept) and field 0 b, field 1 a (kept) and "
        "field 1 b, field 2 a (kept) and field 2 b, and 2 more. "
        "Evaluate all subjects in the same way."
    ) == conflict(
        score({"anatomy": 0.5}, fingerprint=first), score({"botany": 0.5}, fingerprint=later)
    )


@pytest.mark.parametrize(
    ("rows", "which"),
    [
        ([("a", "id1", 0.0), ("a", "id2", 1.0)], "'id1' has 1.0 (kept) and 0.0"),
        ([("a", "id1", 1.0), ("a", "id3", 0.0)], "2 (kept) and 2, not of the same ids"),
        ([("a", "id1", 1.0)], "2 (kept) and 1, not of the same ids"),
    ],
)
def test_other_instances_of_a_subject_are_reported(
    rows: list[tuple[str, str, float]], which: str
) -> None:
    """The same subject with the same value, of other instances, was evaluated twice."""
    first = score({"a": 0.5}, instances=columns([("a", "id1", 1.0), ("a", "id2", 0.0)]))

    assert (
        f"two sets of instances of mmlu.EM in 'a': {which}. "
        "Give each subject in one matrix job only, and in one entry of evals; further runs of it, "
        "such as other seeds, belong under its key repeats."
    ) == conflict(first, score({"a": 0.5}, instances=columns(rows)))


def test_other_inputs_of_a_subject_are_reported() -> None:
    """The same ids with the same values may still be other questions."""
    first = columns([("a", "id1", 0.5)])
    later = replace(first, input=("0123abcd",))

    assert "two sets of instances of mmlu.EM in 'a': 'id1' has other input." in conflict(
        score({"a": 0.5}, instances=first), score({"a": 0.5}, instances=later)
    )


def test_job_that_disagrees_leaves_the_others_whole() -> None:
    """A job that contradicts is left out as a whole; those after it are merged still."""
    first, later = score({"anatomy": 0.5}), score({"botany": 0.25})
    found = merge(map(job, (first, score({"anatomy": 0.1, "drama": 1.0}), later)))

    assert merged(first, later) == found.evaluations[0].scores[MMLU]
    assert 1 == len(found.conflicts)
