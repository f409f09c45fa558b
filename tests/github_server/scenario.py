"""A server's state and faults from a file, for a server in a separate process.

    {"seed": [{"repository": {"full_name": "owner/name"}},
              {"run": {"repository": "owner/name", "id": 5, "head_sha": "…"}},
              {"artifact": {"repository": "owner/name", "run_id": 5, "name": "baseline",
                            "files": {"report.json": "{}"}}}],
     "faults": [{"method": "POST", "answer": "SECONDARY_LIMIT", "times": 1},
                {"path": "/user", "answer": {"status": 503}}]}

Each thing under `seed` is the name of a function of `Seed` with its arguments; an artifact may
name the `files` of its zip. Each fault has the fields of `Fault`; its answer is a name out of
`answers`, or the fields of an `Answer`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.github_server import answers
from tests.github_server.answers import Answer
from tests.github_server.seed import zipped

if TYPE_CHECKING:
    from pathlib import Path

    from tests.github_server.server import GithubServer


def play(server: GithubServer, file: Path) -> None:
    """Make what the file describes; raises KeyError, TypeError or AttributeError if it can't."""
    scenario = json.loads(file.read_text(encoding="utf-8"))
    for thing in scenario.get("seed", ()):
        for name, arguments in thing.items():
            getattr(server.seed, name)(**_unpacked(arguments))
    for fault in scenario.get("faults", ()):
        server.fault(**_with_answer(fault))


def _unpacked(arguments: dict[str, Any]) -> dict[str, Any]:
    files = arguments.pop("files", None)
    return arguments if files is None else {**arguments, "content": zipped(files)}


def _with_answer(fault: dict[str, Any]) -> dict[str, Any]:
    answer_given = fault.get("answer")
    if answer_given is None:
        return fault
    answer = (
        getattr(answers, answer_given) if isinstance(answer_given, str) else Answer(**answer_given)
    )
    return {**fault, "answer": answer}
