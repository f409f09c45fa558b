"""A Report → text for a terminal or a pipe: the same numbers in both."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from helm_wandb.render import tables
from helm_wandb.render.safe_text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from helm_wandb.model import Report
    from helm_wandb.render.tables import Table

_PIPE_WIDTH = 1_000_000
"""A pipe has no width: nothing is cut or wrapped."""
_PADDING = 2


def render(report: Report, *, width: int | None, colour: bool) -> str:
    """The report as lines, each ending in a line feed.

    width: the terminal's columns; None for a pipe, where tables have no rules.
    """
    # Imported here: only this form needs it.
    from rich.console import Console  # noqa: PLC0415

    buffer = StringIO()
    console = Console(
        file=buffer,
        width=width or _PIPE_WIDTH,
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )
    console.print(plain(report.headline), style="bold", soft_wrap=True)
    _print_table(console, tables.leaderboard(report), width=width)
    _print_line(console, tables.ranking_rule(report), width=width)
    for table in _details(report):
        _print_table(console, table, width=width)
    console.print()
    for note in report.notes:
        _print_line(console, f"Note: {note}", width=width)
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


def _print_line(console: Console, line: str, *, width: int | None) -> None:
    console.print(plain(line, length=_PIPE_WIDTH), soft_wrap=width is None)


def _details(report: Report) -> Iterator[Table]:
    yield from tables.scores(report)
    yield from filter(None, (tables.unranked(report), tables.missing(report)))


def _print_table(console: Console, table: Table, *, width: int | None) -> None:
    from rich import box  # noqa: PLC0415 -- see render
    from rich.table import Table as RichTable  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console.print()
    console.print(plain(table.title), style="bold", soft_wrap=True)
    for place, block in enumerate(_blocks(table, width=width)):
        if place:
            console.print()
        grid = RichTable(
            box=box.SIMPLE_HEAD if width else None, show_edge=False, pad_edge=False, expand=False
        )
        for at in block:
            column = table.columns[at]
            grid.add_column(
                Text(plain(column.label)),
                justify="right" if column.numeric else "left",
                no_wrap=column.numeric or width is None,
                overflow="fold",
            )
        for row in table.rows:
            grid.add_row(*(Text(plain(row[at], length=_PIPE_WIDTH)) for at in block))
        console.print(grid)


def _blocks(table: Table, *, width: int | None) -> Iterator[tuple[int, ...]]:
    """The columns, in as many blocks as the width asks for, the first column in each."""
    _, *others = table.columns
    if width is None or not all(column.numeric for column in others):
        yield tuple(range(len(table.columns)))
        return
    widths = [_column_width(table, at) for at in range(len(table.columns))]
    room = max(width - min(widths[0], width // 2), 1)
    block: list[int] = []
    for at in range(1, len(widths)):
        if block and sum(widths[i] for i in (*block, at)) > room:
            yield (0, *block)
            block = []
        block.append(at)
    yield (0, *block)


def _column_width(table: Table, at: int) -> int:
    cells = (table.columns[at].label, *(row[at] for row in table.rows))
    return max(map(len, cells)) + _PADDING
