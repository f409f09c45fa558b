"""A run as GraphQL returns it."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from tests.wandb_server.artifacts import md5
from tests.wandb_server.connections import connection
from tests.wandb_server.store import file_id, run_file_url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.wandb_server.graphql import Arguments, Node
    from tests.wandb_server.runs import RunRecord, StoredFile

Row = dict[str, Any]
FOREVER = 1 << 60


def run_node(run: RunRecord, project: Node, base_url: str, listed_until: str) -> Node:
    """All that the SDK asks of a run; its files are listed that came until then."""
    files = {name: file for name, file in run.files.items() if file.updated_at <= listed_until}
    return {
        "__typename": "Run",
        "id": run.storage_id,
        "project": project,
        "projectId": "1",
        "user": project["user"],
        **run.properties,
        **_fields(run),
        **_resuming(run),
        **_history(run),
        "fileCount": len(files),
        "files": lambda arguments: _files(run, files, arguments, base_url),
    }


def _fields(run: RunRecord) -> Node:
    return {
        "config": json.dumps(run.config),
        "summaryMetrics": json.dumps(run.summary),
        "systemMetrics": "{}",
        "description": run.description,
        "commit": run.commit,
        "sweepName": None,
        "readOnly": False,
        "stopped": False,
    }


def _resuming(run: RunRecord) -> Node:
    own = run.config.get("_wandb", {}).get("value", {})
    # By `t` the SDK knows a run that was begun from one that was only made.
    begun = {"t": own["t"]} if "t" in own else {}
    return {
        "historyLineCount": len(run.history),
        "eventsLineCount": len(run.events),
        "logLineCount": len(run.console),
        "historyTail": json.dumps(run.history[-1:]),
        "eventsTail": json.dumps(run.events[-1:]),
        "wandbConfig": json.dumps(begun),
    }


def _history(run: RunRecord) -> Node:
    def rows() -> list[Row]:
        return [_flat(row) for row in run.rows]

    return {
        "history": lambda arguments: _pages(rows(), arguments),
        "events": lambda _: run.events,
        "sampledHistory": lambda arguments: [_sampled(rows(), spec) for spec in arguments["specs"]],
        "historyKeys": lambda _: _keys(rows()),
        # Nothing is exported to Parquet; one live row says so without an error.
        "parquetHistory": {"parquetUrls": [], "liveData": [{"_step": 0}] if run.history else []},
    }


def _flat(row: Mapping[str, Any], prefix: str = "") -> Row:
    """The row with nested metrics under dotted keys; media, which have `_type`, stay whole."""
    flat: Row = {}
    for key, value in row.items():
        if isinstance(value, dict) and "_type" not in value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _pages(rows: Sequence[Row], arguments: Arguments) -> list[str]:
    low, high = arguments.get("minStep", 0), arguments.get("maxStep", FOREVER)
    found = [json.dumps(row) for row in rows if low <= row.get("_step", 0) < high]
    return found[: arguments.get("samples")]


def _sampled(rows: Sequence[Row], spec: str) -> list[Row]:
    """The rows that hold all keys of the spec, which may bound their steps.

    Unlike the bound of `history`, that of a spec is itself within: to scan from 0 to below 2, the
    SDK asks for `"minStep": 0, "maxStep": 1`.
    """
    wanted = json.loads(spec)
    keys = list(dict.fromkeys(wanted["keys"]))
    low, high = wanted.get("minStep", 0), wanted.get("maxStep", FOREVER)
    return [
        {key: row[key] for key in keys}
        for row in rows
        if low <= row.get("_step", 0) <= high and all(key in row for key in keys)
    ]


def _keys(rows: Sequence[Row]) -> Node:
    values: dict[str, list[Any]] = {}
    for row in rows:
        for key, value in row.items():
            values.setdefault(key, []).append(value)
    return {
        "sets": [],
        "keys": {key: _key(key, of_key) for key, of_key in values.items()},
        "lastStep": max((row.get("_step", -1) for row in rows), default=-1),
    }


def _key(key: str, values: Sequence[Any]) -> Node:
    kind = "number" if isinstance(values[0], int | float) else "string"
    kind = values[0]["_type"] if isinstance(values[0], dict) else kind
    return {"typeCounts": [{"type": kind, "count": len(values)}], "monotonic": key[0] == "_"}


def _files(
    run: RunRecord, files: Mapping[str, StoredFile], arguments: Arguments, base_url: str
) -> Node:
    wanted = arguments.get("names") or list(files)
    # The wildcards of LIKE.
    pattern = (arguments.get("pattern") or "%").replace("%", "*").replace("_", "?")
    return connection(
        [
            file_node(name, file.content, run_file_url(base_url, run.storage_id, name))
            | {"id": file_id(run.storage_id, name), "updatedAt": file.updated_at}
            for name, file in files.items()
            if name in wanted and fnmatchcase(name, pattern)
        ],
        arguments,
    )


def file_node(name: str, content: bytes, url: str) -> dict[str, Any]:
    """A file of a run or an artifact."""
    return {
        "__typename": "File",
        "id": name,
        "name": name,
        "displayName": name,
        "url": lambda _: url,
        "directUrl": url,
        "sizeBytes": len(content),
        "storagePath": None,
        "mimetype": None,
        "updatedAt": None,
        "digest": md5(content),
        "md5": md5(content),
    }
