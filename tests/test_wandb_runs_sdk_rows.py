"""How W&B stores the values of a row."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from helm_wandb.wandb_runs import changes
from helm_wandb.wandb_runs.sdk.rows import nest

LAW = {"mmlu.law.EM": "law"}


def test_a_metric_is_stored_under_its_benchmark() -> None:
    """Only the first dot parts a name; the x-axes have none."""
    row = {"mmlu.EM": 0.5, "task.scorer.accuracy": 1, "iteration": 7}

    assert {"mmlu": {"EM": 0.5}, "task": {"scorer.accuracy": 1}, "iteration": 7} == nest(row, {})


def test_a_subject_is_a_level() -> None:
    """A benchmark's subjects hold their metrics, whatever dots the metrics' names have."""
    row = {"mmlu.law.EM": 0.5, "mmlu.a.b.c.d": 1}

    assert {"mmlu": {"law": {"EM": 0.5}, "a.b": {"c.d": 1}}} == nest(
        row, {**LAW, "mmlu.a.b.c.d": "a.b"}
    )


def test_a_metric_with_a_subjects_name_keeps_its_value() -> None:
    """The subject's metrics are then stored next to it, under the same names."""
    row = {"mmlu.law.EM": 0.5, "mmlu.law": 1}

    assert {"mmlu": {"law.EM": 0.5, "law": 1}} == nest(row, LAW)


WORDS = st.sampled_from(["", "a", "b", "a.b"])


@given(
    st.dictionaries(st.lists(WORDS, min_size=1, max_size=3).map(".".join), st.floats(0, 1)),
    st.dictionaries(st.lists(WORDS, min_size=1, max_size=3).map(".".join), WORDS),
)
def test_names_stay_whatever_they_are(row: dict[str, float], subjects: dict[str, str]) -> None:
    """A stored row has the row's names and values, also if a damaged file has odd subjects."""
    fitting = {
        name: subject
        for name, subject in subjects.items()
        if name.partition(".")[2].startswith(f"{subject}.")
    }
    nest(row, subjects)

    assert row == changes.flatten(nest(row, fitting))
