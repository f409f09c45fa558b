"""Columns of instances and subjects that take little memory, of which a report has millions."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, KeysView, Mapping
from itertools import chain, groupby, repeat
from typing import Any, TypeVar

import msgspec

from helm_wandb.model import SubjectScore

_T = TypeVar("_T")

_UNKNOWN = -1
"""A count of instances that is None."""


class Column(Collection[_T]):
    """Values kept as MessagePack, a fifth of their size as objects, and unpacked at each use.

    There is no access by index, which would unpack the column for a single value.
    """

    __slots__ = ("_has_runs", "_length", "_packed")

    def __init__(self, values: tuple[_T, ...], *, has_runs: bool = False) -> None:
        """Pack text, numbers or None.

        has_runs: keep equal neighbours once. Zeros of both signs are equal: not for floats.
        """
        self._length = len(values)
        self._has_runs = has_runs
        self._packed = msgspec.msgpack.encode(_runs(values) if has_runs else values)

    @property
    def size_bytes(self) -> int:
        """The memory that the values take."""
        return len(self._packed)

    def __len__(self) -> int:
        """Return the number of values."""
        return self._length

    def __iter__(self) -> Iterator[_T]:
        """Unpack the values."""
        unpacked: Iterator[Any] = iter(msgspec.msgpack.decode(self._packed))
        if not self._has_runs:
            return unpacked
        return chain.from_iterable(map(repeat, unpacked, unpacked))

    def __contains__(self, value: object) -> bool:
        """Return whether a value is in the column."""
        return value in tuple(self)

    def __eq__(self, other: object) -> bool:
        """Return whether the other column, or a tuple, has the same values in the same order."""
        if not isinstance(other, Column | tuple):
            return NotImplemented
        return tuple(self) == tuple(other)

    def __hash__(self) -> int:
        """Return the hash of a tuple of the same values."""
        return hash(tuple(self))

    def __repr__(self) -> str:
        """Return the values as a tuple shows them."""
        return repr(tuple(self))


def _runs(values: tuple[_T, ...]) -> list[_T | int]:
    """Return each value, and after it how often it stands there."""
    return [part for value, same in groupby(values) for part in (value, len(list(same)))]


class Subjects(Mapping[str, SubjectScore]):
    """Scores by subject, whose names are kept once for all scores that have the same ones."""

    __slots__ = ("_counts", "_places", "_values")

    def __init__(
        self, places: dict[str, int], values: Iterable[float], counts: Iterable[int | None]
    ) -> None:
        """Pack the values and numbers of instances.

        places: each subject with the place of its value.
        """
        self._places = places
        self._values = array("d", values)
        self._counts = array("q", (_UNKNOWN if count is None else count for count in counts))

    def __getitem__(self, name: str) -> SubjectScore:
        """Return a subject's score; raises KeyError."""
        place = self._places[name]
        count = self._counts[place]
        return SubjectScore(value=self._values[place], n=None if count == _UNKNOWN else count)

    def __iter__(self) -> Iterator[str]:
        """Return the names, in the order that they were given in."""
        return iter(self._places)

    def __len__(self) -> int:
        """Return the number of subjects."""
        return len(self._places)

    def keys(self) -> KeysView[str]:
        """Return the names as a set that is quick to compare."""
        return self._places.keys()

    def __repr__(self) -> str:
        """Return the scores as a dict shows them."""
        return repr(dict(self))
