"""Verdicts keep their promises, by simulation; `make bench` prints the full tables."""

from __future__ import annotations

from bench.intervals_simulation import (
    Case,
    detect,
    detectable_table,
    report_rows,
    report_table,
    simulate,
    standard_error,
    tables,
)
from tests.rows import parametrize_rows

RUNS = 150
CASES = (
    Case("binary", (60,), churn=0.12),
    Case("lopsided", (60,), gains=3),
    Case("ROUGE", (100,), 0.024),
    Case("F1", (100,)),
    Case("RR@10", (100,)),
    Case("small changes", (20,)),
    Case("ROUGE", (60,)),
    Case("lopsided", (100,), gains=1),
    Case("binary", (200,), churn=0.1, passages=(8,)),
    Case("binary", (20, 50, 100), churn=0.1),
    Case("not paired", (100,), accuracy=0.97),
    Case("F1", (60,), 0.1457),
    Case("small changes", (60,), 0.1059),
    Case("binary", (20, 50, 100, 400), churn=0.03),
    Case("binary", (5, 20, 100, 400), 0.04, churn=0.03),
)


@parametrize_rows("case", CASES, quick=CASES[:3])
def test_requirements_are_met(case: Case) -> None:
    """Few runs without a change are flagged, and enough with one; within three standard errors."""
    row = simulate(case, RUNS)
    error = 3 * standard_error(row.required, RUNS)

    least = 93 if len(case.sizes) == 1 or not case.drop else 85
    assert row.covered >= least - 3 * standard_error(least, RUNS)
    if case.drop:
        assert row.flagged >= row.required - error
    else:
        assert row.flagged <= row.required + error


DETECTABLE = (
    (Case("binary", (100,), churn=0.1), 16),
    (Case("F1", (30,)), 1),
    (Case("ROUGE", (100,)), 16),
    (Case("small changes", (200,), passages=(8,)), 6),
    (Case("binary", (20, 50, 100, 400), churn=0.1), 6),
)


@parametrize_rows("row", DETECTABLE, quick=DETECTABLE[:2])
def test_detectable_effects_are_flagged(row: tuple[Case, int]) -> None:
    """Four in five true drops of the detectable effect, within 10%, are flagged."""
    result = detect(*row, RUNS)

    assert result.met in {"yes", "~"}
    assert 1 == detectable_table([result]).row_count


def test_reports_are_red_if_all_benchmarks_drop() -> None:
    """Sixteen benchmarks that drop by 3 points are red in 80% of the runs, and 5% without one."""
    same, dropped, _ = report_rows(RUNS)

    assert same.regressed <= 5 + 3 * standard_error(5, RUNS)
    assert dropped.regressed >= 80 - 3 * standard_error(80, RUNS)
    assert dropped.by_cells < dropped.regressed
    assert 2 == report_table([same, dropped]).row_count


def test_a_row_is_the_same_each_time() -> None:
    """The simulation is seeded, and each row is in one of the tables."""
    rows = [simulate(case, 10) for case in CASES[:3]]
    again = simulate(CASES[0], 10)

    assert (rows[0].flagged, rows[0].covered) == (again.flagged, again.covered)
    assert [2, 1] == [table.row_count for table in tables(rows)]
