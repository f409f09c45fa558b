"""The intervals keep their promises, by simulation; `make bench` prints the full table."""

from __future__ import annotations

import math

from bench.intervals_simulation import ALPHA, Scenario, simulate, table
from tests.rows import parametrize_rows

RUNS = 200
SCENARIOS = (
    Scenario("independent items", (30,), 0.03),
    Scenario("independent items", (30,), 0.06),
    Scenario("independent items", (60,), 0.3),
    Scenario("independent items", (200,), 0.06),
    Scenario("independent items", (300,), 0.12),
    Scenario("passages of 8", (40,), 0.2, passage=8),
    Scenario("passages of 8", (200,), 0.2, passage=8),
    Scenario("11 tasks", (10,) * 11, 0.02),
    Scenario("6 tasks", (20,) * 6, 0.3),
    Scenario("unequal strata", (20, 50, 100), 0.1),
    Scenario("independent items", (100,), 0.1, kind="continuous"),
    Scenario("independent items", (100,), 0.4, kind="continuous"),
    Scenario("independent items", (30,), 1.0, kind="continuous"),
    Scenario("passages of 8", (80,), 1.0, kind="continuous", passage=8),
    Scenario("4 tasks", (10,) * 4, 1.0, kind="continuous"),
    Scenario("rare large gains", (30,), 0.1, kind="lopsided"),
    Scenario("rare large gains", (100,), 0.02, kind="lopsided"),
    Scenario("rare large gains, 20% lose", (100,), 0.02, kind="lopsided", losing=0.2),
    Scenario("rare large gains, passages of 8", (400,), 0.04, kind="lopsided", passage=8),
    Scenario("not paired", (100,), 1.0, accuracy=0.97),
    Scenario("not paired", (100,), 1.0, accuracy=0.6),
)


def error(share: float) -> float:
    """Three standard errors of a share over the runs."""
    return 3 * math.sqrt(share * (1 - share) / RUNS)


@parametrize_rows("scenario", SCENARIOS, quick=SCENARIOS[::5])
def test_promises_hold(scenario: Scenario) -> None:
    """Flagged in at most 6% of runs, covered in 93%, a detectable effect flagged in 75% or more.

    Each within three standard errors of so few runs. With few clusters that all change, the
    detectable effect is too cautious: it is flagged in up to 98%.
    """
    row = simulate(scenario, RUNS)

    assert row.marked <= ALPHA + 0.01 + error(ALPHA + 0.01)
    assert row.covered >= 0.93 - error(0.93)
    if row.found is not None:
        assert 0.75 - error(0.75) <= row.found <= 0.98
    if row.covered_drop is not None:
        assert row.covered_drop >= 0.93 - error(0.93)


def test_a_row_is_the_same_each_time() -> None:
    """The same scenario gives the same row: the simulation is seeded."""
    assert simulate(SCENARIOS[0], 20) == simulate(SCENARIOS[0], 20)


def test_the_table_shows_every_row() -> None:
    """One line a row, an unknown MDE as a dash."""
    few = simulate(SCENARIOS[5], 20)
    shown = table([few])

    assert shown.row_count == 1
    assert list(shown.columns[8].cells) == ["–" if few.mde is None else f"{few.mde:.1%}"]
