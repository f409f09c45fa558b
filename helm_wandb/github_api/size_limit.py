"""A limit to the size of answers: a server or a proxy may send as much as it likes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from requests import Response, Session


class TooLargeError(ValueError):
    """A body that exceeds the limit, with a clause that says so."""


def limit_answers(session: Session, *, limit_bytes: int) -> None:
    """Let each answer of the session raise TooLargeError at this size, unpacked."""

    def limit(response: Response, **_: object) -> None:
        response.raw = _Body(response.raw, limit_bytes)

    session.hooks["response"].append(limit)


@dataclass(frozen=True)
class _Body:
    """A body of urllib3 with a limit; requests reads it by `stream`."""

    raw: Any
    limit_bytes: int

    def stream(self, *arguments: Any, **options: Any) -> Iterator[bytes]:  # noqa: ANN401 - urllib3's
        """Yield its pieces, unpacked if it is compressed."""
        left = self.limit_bytes
        for piece in self.raw.stream(*arguments, **options):
            left -= len(piece)
            if left < 0:
                self.raw.close()
                raise TooLargeError(f"it is larger than {self.limit_bytes >> 20} MiB")
            yield piece

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - urllib3's
        """Return its other attributes."""
        return getattr(self.raw, name)
