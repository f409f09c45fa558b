"""Instances of two sides → pairs."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from helm_wandb.comparing.pairing import LARGEST, LEAST_SHARE, average_metrics
from helm_wandb.comparing.statistics import PairedStratum
from helm_wandb.model import SCORE_COLUMNS, Instances
from tests import builders

FIVE = builders.instances([1.0, 0.0, 1.0, 0.0, 1.0])


def turned(instances: Instances) -> Instances:
    """Return the instances in the opposite order, without answers."""
    return Instances(**{name: getattr(instances, name)[::-1] for name in SCORE_COLUMNS})


def values(candidate: Instances, baseline: Instances) -> list[tuple[float, float]]:
    """The pairs of values."""
    strata = builders.pair_instances(candidate, baseline).strata
    return [pair for one in strata for pair in zip(one.candidate, one.baseline, strict=True)]


def test_the_same_questions_are_pairs() -> None:
    """Each instance is paired with the one of its stratum, id and trial, whatever their order."""
    other = turned(replace(FIVE, value=(0.0, 0.1, 0.2, 0.3, 0.4)))
    found = builders.pair_instances(FIVE, other)

    assert (
        PairedStratum(
            candidate=tuple(FIVE.value),
            baseline=(0.0, 0.1, 0.2, 0.3, 0.4),
            cluster=("id0", "id1", "id2", "id3", "id4"),
        ),
    ) == found.strata
    assert (5, 5, 5, 1.0) == (found.matched, found.candidate, found.baseline, found.share)


@pytest.mark.parametrize(
    ("column", "value"), [("stratum", "b"), ("id", "id9"), ("trial", 1), ("input", "f" * 8)]
)
def test_another_question_is_no_pair(column: str, value: object) -> None:
    """What differs in stratum, id, trial or text is not the same question."""
    other = replace(FIVE, **{column: (value, *getattr(FIVE, column)[1:])})
    found = builders.pair_instances(FIVE, other)

    assert (4, 0.8) == (found.matched, found.share)
    assert [(0.0, 0.0), (1.0, 1.0), (0.0, 0.0), (1.0, 1.0)] == values(FIVE, other)


@pytest.mark.parametrize("known", [FIVE.input, (None,) * 5])
def test_an_unknown_text_may_be_any(known: tuple[str | None, ...]) -> None:
    """If no file held a text, stratum, id and trial must do."""
    unknown = replace(FIVE, input=(None,) * 5)

    assert 5 == builders.pair_instances(unknown, replace(FIVE, input=known)).matched
    assert 5 == builders.pair_instances(replace(FIVE, input=known), unknown).matched


def test_strata_stay_apart() -> None:
    """One id in two strata is two questions, and each stratum has its own pairs."""
    two = builders.instances({"a": [1.0, 0.0], "b": [0.5]})
    found = builders.pair_instances(two, turned(two))

    assert [2, 1] == [len(one.candidate) for one in found.strata]


def test_trials_are_separate_pairs() -> None:
    """The second trial of a question is paired with the second trial."""
    trials = replace(FIVE, id=("id0",) * 5, trial=(0, 1, 2, 3, 4), input=("0" * 8,) * 5)

    assert [(1.0, 1.0), (0.0, 0.0)] * 2 + [(1.0, 1.0)] == values(trials, turned(trials))


def test_clusters_are_the_candidates() -> None:
    """Clusters are those of the candidate, whose config defines them."""
    here, there = replace(FIVE, cluster=("a",) * 5), replace(FIVE, cluster=("b",) * 5)

    assert ("a",) * 5 == builders.pair_instances(here, there).strata[0].cluster


def test_an_id_that_stands_twice_invents_no_difference() -> None:
    """If a file holds a place twice, the first is paired with the first."""
    twice = replace(FIVE, id=("id0",) * 5, input=("0" * 8,) * 5)

    assert [(1.0, 1.0), (0.0, 0.0)] * 2 + [(1.0, 1.0)] == values(twice, twice)
    assert 1.0 == builders.pair_instances(twice, twice).share


@pytest.mark.parametrize(("here", "there"), [(10, 9), (9, 10), (10, 10), (100, 5)])
def test_the_share_is_of_the_larger_side(here: int, there: int) -> None:
    """Whichever side has more, the share is of its number."""
    found = builders.pair_instances(
        builders.instances([1.0] * here), builders.instances([1.0] * there)
    )

    assert min(here, there) / max(here, there) == found.share
    assert (found.share >= LEAST_SHARE) == ((here, there) != (100, 5))


def test_nothing_in_common_is_no_stratum() -> None:
    """Without a pair there is no stratum, and the share is 0."""
    found = builders.pair_instances(FIVE, replace(FIVE, stratum=("other",) * 5))

    assert ((), 0, 0.0, True) == (found.strata, found.matched, found.share, found.is_testable)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(LARGEST, True), (-LARGEST, True), (1e61, False), (-1e308, False), (math.nan, False)],
)
def test_values_without_measure_are_not_testable(value: float, *, expected: bool) -> None:
    """Numbers whose fourth power overflows are reported, whichever side has them."""
    other = replace(FIVE, value=(0.0, 0.0, value, 0.0, 0.0))

    assert [expected, expected] == [
        builders.pair_instances(FIVE, other).is_testable,
        builders.pair_instances(other, FIVE).is_testable,
    ]


ROWS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.sampled_from(["id0", "id1", "id2"]),
        st.integers(0, 1),
        st.none() | st.sampled_from(["0" * 8, "f" * 8]),
        st.sampled_from("xy"),
        st.sampled_from([0.0, 0.5, 1.0]),
    ),
    min_size=1,
    max_size=8,
)


def columns(rows: list[tuple[object, ...]]) -> Instances:
    """Instances of rows."""
    return Instances(**dict(zip(SCORE_COLUMNS, zip(*rows, strict=True), strict=True)))


@given(ROWS, ROWS)
def test_pairs_are_mutual(here: list[tuple[object, ...]], there: list[tuple[object, ...]]) -> None:
    """Sides swapped are pairs swapped, no row is used twice, and all rows meet themselves."""
    one, other = columns(here), columns(there)
    found = values(one, other)

    assert sorted(found) == sorted((b, a) for a, b in values(other, one))
    assert len(found) <= min(len(here), len(there))
    assert sorted((value, value) for value in one.value) == sorted(values(one, one))


def test_metrics_are_averaged_by_question() -> None:
    """Each question has the mean of its metrics; the aggregate is the mean of their aggregates."""
    strata = {"a": [1.0, 0.0, 1.0], "b": [0.0]}
    whole, part = builders.instances(strata), builders.instances({"a": [1.0, 0.5]})
    none = [replace(one, value=(0.0,) * len(one.value)) for one in (whole, part)]
    metrics = [builders.pair_instances(whole, none[0]), builders.pair_instances(part, none[1])]

    averaged = average_metrics(metrics)

    assert [3, 1] == [len(stratum.candidate) for stratum in averaged]
    assert pytest.approx((whole.mean() + part.mean()) / 2) == (
        sum(sum(stratum.candidate) / len(stratum.candidate) for stratum in averaged) / 2
    )
    assert average_metrics(metrics[:1]) == metrics[0].strata
