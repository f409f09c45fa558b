"""Columns and subjects of a report, as they are kept."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helm_wandb.model import SubjectScore
from helm_wandb.report.packed import Column, Subjects

NUMBERS = st.lists(st.floats(allow_nan=False)).map(tuple)
TEXTS = st.lists(st.sampled_from(["", "a", "é", "\U0001f600"]) | st.none()).map(tuple)
SUBJECTS = {
    "anatomy": SubjectScore(value=0.25, n=100),
    "botany": SubjectScore(value=-0.0, n=None),
}


def packed(subjects: dict[str, SubjectScore]) -> Subjects:
    """Return the same subjects, packed."""
    return Subjects(
        {name: place for place, name in enumerate(subjects)},
        [subject.value for subject in subjects.values()],
        [subject.n for subject in subjects.values()],
    )


@given(NUMBERS | TEXTS)
def test_a_column_is_the_tuple_that_it_was_made_of(values: tuple[object, ...]) -> None:
    """To its last digit and sign, as often as it is read; equal to the tuple and as long."""
    column = Column(values)

    assert repr(values) == repr(column) == repr(tuple(column))
    assert column == values
    assert (hash(values), len(values)) == (hash(column), len(column))


@given(TEXTS)
def test_equal_neighbours_may_be_kept_once(values: tuple[str | None, ...]) -> None:
    """The values are the same, also next to a column without runs."""
    runs = Column(values, has_runs=True)

    assert values == tuple(runs)
    assert runs == Column(values)
    assert (len(values), all(value in runs for value in values)) == (len(runs), True)


def test_columns_of_other_values_are_not_equal() -> None:
    """Nor is a column whose values are the runs of another."""
    assert Column((0, 3)) != Column((0, 0, 0), has_runs=True)
    assert Column((1,)) != Column((2,))
    assert Column((1,)) != [1]


def test_a_column_is_a_fifth_of_its_values() -> None:
    """A thousand different texts take ten bytes each, and equal ones nothing."""
    assert Column(tuple(f"{at:08x}" for at in range(1_000))).size_bytes < 9_100
    assert Column(("a" * 50,) * 1_000, has_runs=True).size_bytes < 100


def test_subjects_are_the_mapping_that_they_were_made_of() -> None:
    """In its order, equal to it, with its names as a set."""
    subjects = packed(SUBJECTS)

    assert SUBJECTS == subjects
    assert subjects == SUBJECTS
    assert list(SUBJECTS.items()) == list(subjects.items())
    assert SUBJECTS.keys() == subjects.keys()
    assert (2, repr(SUBJECTS)) == (len(subjects), repr(subjects))
    assert packed({**SUBJECTS, "botany": SubjectScore(value=1.0, n=None)}) != subjects
    with pytest.raises(KeyError):
        subjects["zoology"]


@given(st.integers(0, 2**63 - 1) | st.none(), st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_of_subjects_are_kept(count: int | None, value: float) -> None:
    """Any count and value that a report may have."""
    one = SubjectScore(value=value, n=count)

    assert json.dumps([value, count]) == json.dumps(
        [packed({"a": one})["a"].value, packed({"a": one})["a"].n]
    )
