"""A Report → the parts that a Markdown page shows, from all to almost nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from helm_wandb.model import Report
from helm_wandb.render import changed_instances, deltas, sentences, tables

if TYPE_CHECKING:
    from helm_wandb.render.charts import Chart
    from helm_wandb.render.tables import Table

_REASONS = 10
_FEW_REASONS = 3
"""The gate's reasons, at most; regressions are in the first table too."""
_ITEMS = 10
"""Instances of a flagged delta that are shown."""
_FEWER_ITEMS = (3, 1, 0)
"""Instances if there is no room for so many; nothing else is left out before them."""
_LONGEST_COUNTED = 300
"""Characters of a cell that count; longer names are cut."""
_AROUND_A_CELL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The parts of a page, in their order."""

    sentences: tuple[str, ...]
    first: tuple[Table, ...]
    """Tables of what changed."""
    items: tuple[Table, ...] = ()
    """Which instances, the worst first."""
    board: Table | None
    rest: tuple[Table, ...]
    """Other deltas."""
    details: tuple[Table, ...]
    """Scores, and what is missing."""
    notes: tuple[str, ...]
    ranking_rule: str
    """Sentence on how the ranks are made; empty without a leaderboard."""
    legend: tuple[str, ...]
    """Sentences on how to read the tables of deltas."""
    charts: tuple[Chart, ...] = ()
    """The first that is given up: the tables have their numbers."""
    left_out: str = ""
    """Sentence on how much is left out; empty if nothing is."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """All of them."""
        board = () if self.board is None else (self.board,)
        return (*self.first, *self.items, *board, *self.rest, *self.details)

    @property
    def least_bytes(self) -> int:
        """Return a lower bound of the page's size, which is cheap before it is rendered."""
        cells = (cell for table in self.tables for row in table.rows for cell in row)
        drawn = sum(len(chart.diagram) for chart in self.charts)
        return drawn + sum(min(len(cell), _LONGEST_COUNTED) + _AROUND_A_CELL for cell in cells)


@dataclass(frozen=True, slots=True)
class _Rung:
    """The size of a page."""

    changed: int | None
    """Rows of what changed."""
    others: int | None
    """Rows of each other table, and tables, and notes."""


_RUNGS = (
    *(_Rung(None, others) for others in (500, 200, 100, 50, 20, 10, 5)),
    *(_Rung(changed, 20) for changed in (5_000, 2_000, 1_000, 500, 200, 100)),
    *(_Rung(changed, 5) for changed in (100, 50, 20)),
    *(_Rung(changed, 0) for changed in (100, 20, 5, 1, 0)),
)
"""From what changed and the first rows of all else, to what changed alone, to none of it."""


def pages(report: Report, charts: Sequence[Chart] = ()) -> Iterator[Page]:
    """Yield pages that show less and less, and say what they omit; charts on the first only."""
    whole = Page(
        sentences=tuple(sentences.summary_sentences(report, limit=_REASONS)),
        first=tuple(deltas.first_tables(report)),
        items=_rows(changed_instances.changed(report), _ITEMS),
        board=deltas.leaderboard(report),
        rest=tuple(deltas.other_tables(report)),
        details=tuple(tables.details(report)),
        notes=report.notes,
        ranking_rule=tables.ranking_rule(report),
        legend=tuple(sentences.legend(report)),
    )
    if charts:
        yield replace(whole, charts=tuple(charts))
    yield whole
    for limit in _FEWER_ITEMS:
        page = replace(whole, items=_rows(whole.items, limit))
        if page != whole:
            yield replace(page, left_out=_left_out(whole, page))
    brief = replace(whole, sentences=tuple(sentences.summary_sentences(report, limit=_FEW_REASONS)))
    for rung in _RUNGS:
        page = _cut(whole if rung.others else brief, rung)
        if page != whole:
            yield page


def _cut(whole: Page, rung: _Rung) -> Page:
    others = rung.others
    page = Page(
        sentences=whole.sentences if rung.changed != 0 else whole.sentences[:1],
        first=_rows(whole.first, rung.changed),
        board=tables.cut(whole.board, others) if whole.board and others != 0 else None,
        rest=_rows(whole.rest[:others], others),
        details=_rows(whole.details[:others], others),
        notes=whole.notes[:others],
        ranking_rule=whole.ranking_rule if others != 0 else "",
        legend=whole.legend if others != 0 else (),
    )
    return replace(page, left_out=_left_out(whole, page))


def _rows(whole: Sequence[Table], limit: int | None) -> tuple[Table, ...]:
    """The tables with so many rows at most; none where it is 0."""
    return () if limit == 0 else tuple(tables.cut(table, limit) for table in whole)


def _left_out(whole: Page, page: Page) -> str:
    """`480 of 530 rows, 2 of 7 tables`."""
    counts = (
        (_row_count(whole), _row_count(page), "rows"),
        (len(whole.tables), len(page.tables), "tables"),
        (len(whole.notes), len(page.notes), "notes"),
    )
    return ", ".join(
        f"{all_ - shown} of {all_} {noun}" for all_, shown, noun in counts if shown < all_
    )


def _row_count(page: Page) -> int:
    return sum(len(table.rows) for table in page.tables)
