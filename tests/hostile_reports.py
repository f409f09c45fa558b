"""Reports that are made to fill the memory of who reads them, each of some million bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_SIZE_BYTES = 8 << 20
_POINT = '{"commit":null,"iteration":0,"value":0,"standard_error":null}'
_COLUMNS: dict[str, list[Any]] = {
    "stratum": [""],
    "id": [""],
    "trial": [0],
    "input": [None],
    "cluster": [""],
    "value": [0],
}


def _report(evaluations: str, others: str = "") -> str:
    """Return a report with these evaluations and other members, as JSON."""
    return '{"schema_version":1,"evaluations":[' + evaluations + "]" + others + "}"


def _evaluation(**members: object) -> str:
    """Return an evaluation as short as it can be."""
    shortest: dict[str, object] = {
        "model": "#",
        "iteration": 0,
        "tokens_billions": None,
        "source": "helm",
        "suite": None,
        "scores": {},
        "missing": {},
    }
    return _json({**shortest, **members})


def _score(**members: object) -> dict[str, object]:
    """Return a score as short as it can be."""
    shortest: dict[str, object] = {
        "value": 0,
        "n": None,
        "lower_is_better": None,
        "subjects": {},
        "fingerprint": None,
    }
    return {**shortest, **members}


def _of(**members: object) -> str:
    """Return a report whose only score has these members."""
    return _report(_evaluation(scores={"mmlu.EM": _score(**members)}))


def _with(others: str) -> str:
    """Return a report of one evaluation, with other members."""
    return _report(_evaluation(), others)


def _columns(**columns: list[Any]) -> dict[str, list[Any]]:
    return {**_COLUMNS, **columns}


def _rows(count: int) -> dict[str, list[Any]]:
    """Return instances of which each has its own texts and values."""
    return {
        "stratum": [f"{at:x}" for at in range(count)],
        "id": [f"{at:x}i" for at in range(count)],
        "trial": list(range(count)),
        "input": [f"{at:08x}" for at in range(count)],
        "cluster": [f"{at:x}c" for at in range(count)],
        "value": list(range(count)),
    }


def _repeated(different: int, count: int) -> list[str]:
    """Return so many texts, of which each stands next to others."""
    return [f"{at % different:x}" for at in range(count)]


def _many(element: str, count: int) -> str:
    """Return so many elements, in which # stands for the number of each."""
    return ",".join(element.replace("#", f"{at:x}") for at in range(count))


def _filling(element: str) -> str:
    """Return as many elements as fill a report."""
    return ",".join([element] * (_SIZE_BYTES // (len(element) + 1)))


def _keys(count: int) -> list[str]:
    return [f"{at:x}.b" for at in range(count)]


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


_TOO_LARGE = "$: it would take more than three times its size in memory"
_TOO_MANY_KEYS = "$: an object has more keys, or longer ones, than any of a report"
_IN_SCORE = '$.evaluations[0].scores["mmlu.EM"]'

SHAPES: dict[str, tuple[Callable[[], str], str | None]] = {
    "unknown lists": (lambda: _with(',"x":[' + _filling("[0]") + "]"), None),
    "unknown texts": (lambda: _with(',"notes":[' + _many('"#"', 900_000) + "]"), None),
    "one wide text": (lambda: _with(',"x":"\U0001f600' + "a" * _SIZE_BYTES + '"'), None),
    "whitespace": (lambda: _with("") + " " * _SIZE_BYTES, None),
    "nesting": (lambda: _with(',"x":' + "[" * _SIZE_BYTES), "$: it is nested more deeply"),
    "lists in lists": (
        lambda: _with(',"x":[' + _filling("[" * 900 + "]" * 900) + "]"),
        None,
    ),
    "keys": (lambda: _with(',"x":{' + _many('"#":0', 800_000) + "}"), _TOO_MANY_KEYS),
    "one key": (lambda: _with(',"' + "a" * _SIZE_BYTES + '":0'), "$: a key is longer than"),
    "the same keys": (
        lambda: _with(',"x":{' + _filling('"a":0') + "}"),
        '$: the key "a" is in one',
    ),
    "evaluations": (
        lambda: _report(_filling(_evaluation())),
        "$.evaluations: there are more than 20,000: write them to several reports",
    ),
    "scores": (
        lambda: _report(
            ",".join([_evaluation(scores={f"{at}.b": _score() for at in range(9_000)})] * 11)
        ),
        _TOO_LARGE,
    ),
    "missing scores": (
        lambda: _report(",".join([_evaluation(missing=dict.fromkeys(_keys(50_000), ""))] * 14)),
        _TOO_LARGE,
    ),
    "subjects": (
        lambda: _of(subjects={key: {"value": 0, "n": 0} for key in _keys(300_000)}),
        _TOO_MANY_KEYS,
    ),
    "names of subjects": (
        lambda: _report(
            ",".join(
                _evaluation(
                    scores={
                        "a.b": _score(
                            subjects={f"{of}.{at}": {"value": 0, "n": 0} for at in range(50_000)}
                        )
                    }
                )
                for of in range(6)
            )
        ),
        _TOO_LARGE,
    ),
    "one fingerprint": (
        lambda: _of(fingerprint={"a": [[]] * 2_000_000}),
        f"{_IN_SCORE}.fingerprint: it is larger than 512 KiB",
    ),
    "fingerprints": (
        lambda: _report(
            ",".join(
                _evaluation(scores={"a.b": _score(fingerprint={"a": [at, *[[]] * 40_000]})})
                for at in range(60)
            )
        ),
        _TOO_LARGE,
    ),
    "strata": (
        lambda: _of(instances=_rows(200_000)),
        f"{_IN_SCORE}.instances.stratum: there are more than 20,000",
    ),
    "instances": (
        lambda: _of(
            value=124_999.5, instances=_rows(250_000) | {"stratum": _repeated(20_000, 250_000)}
        ),
        None,
    ),
    "instances of many scores": (
        lambda: _report(
            _evaluation(scores=dict.fromkeys(_keys(40_000), _score(instances=_columns())))
        ),
        _TOO_LARGE,
    ),
    "one column": (
        lambda: _of(instances=_columns(value=[0] * 4_000_000)),
        f"{_IN_SCORE}.instances: a score has more than 250,000 instances",
    ),
    "one column of texts": (
        lambda: _of(instances=_columns(id=[f"{at:x}" for at in range(800_000)])),
        f"{_IN_SCORE}.instances: a score has more than 250,000 instances",
    ),
    "one column of answers": (
        lambda: _of(instances=_rows(60_000) | {"answer": ["é" * 200] * 60_000}),
        f"{_IN_SCORE}.instances: the texts of its instances are too long",
    ),
    "columns of answers": (
        lambda: _report(
            _evaluation(
                scores=dict.fromkeys(
                    _keys(400), _score(instances=_columns(answer=["é" * 200] * len(_COLUMNS["id"])))
                )
            )
        ),
        None,
    ),
    "long names of instances": (
        lambda: _of(instances=_columns(id=["é" * 100] * 40_000)),
        f"{_IN_SCORE}.instances: the texts of its instances are too long",
    ),
}
"""Kind → how such a report is made, and how the refusal begins; None if it is read."""


def _series(metric: str, points: int) -> str:
    """Return a metric's history of so many points, as short as it can be."""
    listed = ",".join([_POINT] * points)
    return '{"model":"#","metric":"' + metric + '","points":[' + listed + "]}"


def _with_history(*series: str) -> str:
    return _with(',"history":[' + ",".join(series) + "]")


HISTORIES: dict[str, tuple[Callable[[], str], str]] = {
    "points": (
        lambda: _with_history(_series("a.b", 130_000)),
        "$.history[0].points: there must be 1 to 20 points",
    ),
    "metrics": (
        lambda: _with_history(*(_series(f"a.{at}", 1) for at in range(70_000))),
        "$.history: there are more than 1,000 metrics",
    ),
    "lists in lists": (
        lambda: _with(',"history":[' + ",".join(["[]"] * 2_700_000) + "]"),
        "$.history[0]: expected",
    ),
    "a long text": (
        lambda: _with(',"history":"' + "x" * _SIZE_BYTES + '"'),
        "$.history: it is larger than 8 MiB",
    ),
}
"""Histories that are made to fill the memory of who reads them, and why each is refused."""
