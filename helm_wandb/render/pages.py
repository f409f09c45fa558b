"""A Report → the parts that a Markdown page shows, from all to almost nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from helm_wandb.model import Report
from helm_wandb.render import changed_instances, deltas, sentences, subjects, tables
from helm_wandb.render.history import history_tables
from helm_wandb.render.model_names import without_common_owner

if TYPE_CHECKING:
    from helm_wandb.render.charts import Chart
    from helm_wandb.render.tables import Table

_REASONS = 3
"""Reasons why the job fails, at most; regressions are in the first table too."""
_LONGEST_COUNTED = 300
"""Characters of a cell that count; longer names are cut."""
_AROUND_A_CELL = 3


class Page(Struct, frozen=True, kw_only=True):
    """The parts of a page, in their order."""

    outcome: tuple[str, ...]
    """Whether the job passes, and why."""
    sentences: tuple[str, ...]
    """What changed over all."""
    first: tuple[Table, ...]
    """Tables of what changed."""
    items: tuple[Table, ...]
    """Which questions, the worst first."""
    rest: tuple[Table, ...]
    """Other deltas."""
    board: tuple[Table, ...]
    details: tuple[Table, ...]
    """Scores, and what is missing."""
    notes: tuple[str, ...]
    legend: tuple[str, ...]
    """Sentences on how to read the tables."""
    charts: tuple[Chart, ...] = ()
    """The first that is given up: the tables have their numbers."""
    left_out: str = ""
    """Sentence on how much is left out; empty if nothing is."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """All of them."""
        return (*self.first, *self.items, *self.rest, *self.board, *self.details)

    @property
    def least_bytes(self) -> int:
        """Return a lower bound of the page's size, which is cheap before it is rendered."""
        cells = (cell for table in self.tables for row in table.rows for cell in row)
        drawn = sum(len(chart.diagram) for chart in self.charts)
        return drawn + sum(min(len(cell), _LONGEST_COUNTED) + _AROUND_A_CELL for cell in cells)


_CUTS = (
    *(("details", limit) for limit in (500, 200, 100, 50, 20, 5, 0)),
    *(("notes", limit) for limit in (50, 10)),
    *(("rest", limit) for limit in (500, 200, 100, 50, 20)),
    *(("board", limit) for limit in (200, 100, 50, 20)),
    *(("items", limit) for limit in (5, 3, 1)),
    *(("rest", limit) for limit in (5, 0)),
    *(("items", limit) for limit in (0,)),
    *(("first", limit) for limit in (5_000, 2_000, 1_000, 500, 200, 100, 50, 20)),
    *((part, 0) for part in ("board", "notes", "legend")),
    *(("first", limit) for limit in (5, 1, 0)),
    ("sentences", 0),
    ("outcome", 1),
)
"""What is cut to how much, the least important first; each cut is made after all before it."""


def pages(report: Report, charts: Sequence[Chart] = (), *, items: int) -> Iterator[Page]:
    """Yield pages that show less and less, and say what they omit; charts on the first only.

    items: how many changed questions are shown of each metric.
    """
    outcome = tuple(sentences.outcome(report, limit=_REASONS))
    summary = tuple(sentences.summary_sentences(report))
    legend = sentences.legend(report)
    report = without_common_owner(report)
    ranking = deltas.ranking(report)
    whole = Page(
        outcome=outcome,
        sentences=summary,
        first=tuple(deltas.first_tables(report, is_wide=False)),
        items=_cut(tuple(changed_instances.changed(report)), items),
        rest=(*subjects.by_subject(report), *deltas.other_tables(report, is_wide=False)),
        board=tuple(one for one in ranking if isinstance(one, tables.Table)),
        details=(*history_tables(report), *tables.details(report)),
        notes=sentences.page_notes(report),
        legend=(
            *legend,
            *(one for one in ranking if isinstance(one, str)),
        ),
    )
    if charts:
        yield replace(whole, charts=tuple(charts))
    yield whole
    page = whole
    for part, limit in _CUTS:
        smaller = replace(page, **{part: _cut(getattr(page, part), limit)})
        if smaller != page:
            page = smaller
            yield replace(page, left_out=_left_out(whole, page))


def _cut(part: Sequence[Table | str], limit: int) -> Any:  # noqa: ANN401 -- of the same kind
    """Return so many texts, or so many rows of each table; nothing if it is 0."""
    if not limit:
        return ()
    shown = part[:limit] if any(isinstance(one, str) for one in part) else part
    return tuple(one if isinstance(one, str) else tables.cut(one, limit) for one in shown)


def _left_out(whole: Page, page: Page) -> str:
    """Return `480 of 530 rows, 2 of 7 tables`."""
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
