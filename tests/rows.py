"""Tables of rows that are slow to make: each row is made once, and fails alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

Row = TypeVar("Row")
Result = TypeVar("Result")


class Results(Generic[Row, Result]):
    """Results of rows that were made side by side."""

    def __init__(self, futures: dict[Row, Future[Result]]) -> None:
        """Keep the future of each row."""
        self._futures = futures

    def __getitem__(self, row: Row) -> Result:
        """Return the row's result, or raise what its making raised."""
        return self._futures[row].result()

    def items(self) -> list[tuple[Row, Result]]:
        """All rows with their results."""
        return [(row, self[row]) for row in self._futures]


def parametrize_rows(
    name: str, rows: Sequence[Row], *, quick: Collection[Row]
) -> pytest.MarkDecorator:
    """A test of each row; all but the quick ones are left to `make faults`."""
    marked = [pytest.param(row, marks=[] if row in quick else pytest.mark.full) for row in rows]
    return pytest.mark.parametrize(name, marked, ids=str)


def selected_rows(request: pytest.FixtureRequest, name: str, rows: Sequence[Row]) -> list[Row]:
    """Rows that the selected tests of the module are about; all if a test is about the table."""
    items = [item for item in request.session.items if item.path == request.path]
    users = [item for item in items if request.fixturename in getattr(item, "fixturenames", ())]
    chosen = [
        item.callspec.params.get(name) if hasattr(item, "callspec") else None for item in users
    ]
    return [row for row in rows if None in chosen or row in chosen]


@contextmanager
def make_rows(
    rows: Sequence[Row], make: Callable[[Row, Path], Result], folder: Path, *, at_once: int
) -> Iterator[Results[Row, Result]]:
    """Make the rows, each in a folder of its name's, `at_once` of them side by side."""
    pool = ThreadPoolExecutor(at_once)
    futures = {row: pool.submit(make, row, folder / str(n)) for n, row in enumerate(rows)}
    try:
        # pytest changes os.environ between two phases of a test: a thread that lists it then fails.
        wait(futures.values())
        yield Results(futures)
    finally:
        pool.shutdown(cancel_futures=True)
