"""A Report → text for a terminal or a pipe: the same numbers in both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO
from typing import TYPE_CHECKING

from msgspec.structs import replace

from helm_wandb.model import BaselineNote, Report
from helm_wandb.render import deltas, sentences, tables
from helm_wandb.render.history import history_tables
from helm_wandb.render.model_names import without_common_owner
from helm_wandb.render.tables import Column, Table
from helm_wandb.text.safe_text import plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

_PADDING = 3
"""Between two columns of a terminal's table."""


class LoggedNote(str):
    """A note that the log shows as an error, so that a terminal need not repeat it."""

    __slots__ = ()


def render_piped(report: Report) -> str:
    """The report as lines for a pipe: tables without rules, nothing cut or wrapped.

    Done without rich's console, whose import would be a tenth of a print-only run.
    """
    return "\n".join(render_parts(report))


def render_parts(report: Report) -> tuple[str, str]:
    """Return the lines in two parts: up to the leaderboard, and all below it."""
    top, details = ("\n\n".join(map(_lines, part)) + "\n" for part in _content(report))
    return top, details


def _content(report: Report) -> tuple[list[str | Table], list[str | Table]]:
    """Return the sentences and tables up to the leaderboard, and all below it."""
    verdict = [
        *sentences.outcome(report),
        *sentences.compared_with(report),
        *sentences.summary_sentences(report),
    ]
    legend = sentences.legend(report)
    report = without_common_owner(report)
    notes = [
        f"Note: {note}" for note in report.notes if not isinstance(note, LoggedNote | BaselineNote)
    ]
    top: list[str | Table] = [
        report.headline,
        *verdict,
        *map(_names_first, deltas.first_tables(report, is_wide=False)),
        *deltas.ranking(report),
    ]
    return top, [
        *deltas.other_tables(report, is_wide=False),
        *history_tables(report),
        *tables.details(report),
        *legend,
        *notes,
    ]


def _names_first(table: Table) -> Table:
    """Return the table with the columns that name its rows in front of those with numbers."""
    order = sorted(range(len(table.columns)), key=lambda at: table.columns[at].numeric)
    return replace(
        table,
        columns=tuple(table.columns[at] for at in order),
        rows=tuple(tuple(row[at] for at in order) for row in table.rows),
    )


def _lines(part: str | Table) -> str:
    return _aligned(part) if isinstance(part, Table) else plain(part)


def _aligned(table: Table) -> str:
    """The title, the heads and the rows, in columns as wide as their widest cell."""
    widths = [_width(table, at) for at in range(len(table.columns))]
    rows = [tuple(column.label for column in table.columns), *table.rows]
    lines = ("  ".join(map(_padded, row, table.columns, widths)).rstrip() for row in rows)
    return "\n".join((plain(table.title), *lines, *(f"\n{plain(note)}" for note in table.notes)))


def _padded(cell: str, column: Column, width: int) -> str:
    text = plain(cell)
    space = " " * (width - _cell_width(text))
    return space + text if column.numeric else text + space


def render(report: Report, *, width: int, colour: bool) -> str:
    """The report as lines for a terminal with so many columns, each ending in a line feed."""
    # Imported here: only this form needs it.
    from rich.console import Console  # noqa: PLC0415

    buffer = StringIO()
    console = Console(
        file=buffer,
        width=width,
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )
    (headline, *top), details = _content(report)
    console.print(_lines(headline), style="bold", soft_wrap=True)
    for part in (*top, *details):
        console.print()
        if isinstance(part, Table):
            _print_table(console, part, width=width)
        else:
            console.print(plain(part))
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


def _print_table(console: Console, table: Table, *, width: int) -> None:
    console.print(plain(table.title), style="bold")
    for place, block in enumerate(_blocks(table, width=width)):
        if place:
            console.print()
        console.print(_grid(table, block, width=width))
    for note in table.notes:
        console.print(f"\n{plain(note)}")


def _grid(table: Table, block: Sequence[int], *, width: int) -> RichTable:
    """The columns of the block, with a rule below their heads."""
    from rich import box  # noqa: PLC0415 -- see render
    from rich.table import Table as RichTable  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    grid = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    heads = _heads(table)
    for at in block:
        column, is_name = table.columns[at], at in heads or not heads
        grid.add_column(
            Text(plain(column.label)),
            justify="right" if column.numeric else "left",
            overflow="fold",
            min_width=_value_width(table, at) if column.numeric or not is_name else None,
            max_width=_widest(table, at, width) if heads else None,
        )
    for row in table.rows:
        grid.add_row(*(Text(plain(row[at])) for at in block))
    return grid


def _blocks(table: Table, *, width: int) -> Iterator[tuple[int, ...]]:
    """The columns, in as many blocks as the width asks for, those that name a row in each."""
    heads = _heads(table)
    if not heads:
        yield tuple(range(len(table.columns)))
        return
    widths = [
        min(_width(table, at), _widest(table, at, width)) + _PADDING
        for at in range(len(table.columns))
    ]
    block: list[int] = []
    for at in (at for at in range(len(widths)) if at not in heads):
        if block and sum(widths[of_block] for of_block in (*heads, *block, at)) > width + _PADDING:
            yield (*heads, *block)
            block = []
        block.append(at)
    yield (*heads, *block)


def _heads(table: Table) -> tuple[int, ...]:
    """Return the columns that name a row; none if the others can't stand below them."""
    numeric = [column.numeric for column in table.columns]
    names = table.columns[: numeric.index(True)] if True in numeric else ()
    return tuple(at for at, column in enumerate(names) if column.label != tables.VERDICT)


def _widest(table: Table, at: int, width: int) -> int:
    """Return the widest that a column may be, so that one fits next to those that name the row."""
    half = (width - _PADDING) // 2
    heads = _heads(table)
    return half if at not in heads else (half - _PADDING * (len(heads) - 1)) // len(heads)


def _width(table: Table, at: int) -> int:
    return max(_cell_width(plain(table.columns[at].label)), _value_width(table, at))


def _value_width(table: Table, at: int) -> int:
    return max((_cell_width(plain(row[at])) for row in table.rows), default=0)


def _cell_width(text: str) -> int:
    from rich.cells import cell_len  # noqa: PLC0415 -- a light part of rich

    return cell_len(text)
