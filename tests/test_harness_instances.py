"""Columns of instances."""

from __future__ import annotations

from helm_wandb.harness.instances import ColumnPool
from tests import builders


def test_models_share_the_columns_of_their_questions() -> None:
    """Columns that are equal are one object, and each model's values stay its own."""
    pool = ColumnPool()
    one, other = (pool.share(builders.instances(values)) for values in ([1.0, 0.0], [0.0, 0.0]))

    assert one.id is other.id
    assert one.input is other.input
    assert builders.instances([0.0, 0.0]) == other
