"""HELM's tables of a benchmark: the whole, its parts, and the runs of each row."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qs

import msgspec

from helm_wandb.harness.json_files import encodable
from helm_wandb.sources.helm.formats import Cell, Table


def headline(tables: Sequence[Table], group: str) -> Table | None:
    """Return the table of the benchmark as a whole: the one named like it, else the first.

    HELM writes an aggregate, named like the group, only if there are several scenarios.
    """
    named = (table for table in tables if table.name == group)
    return next(named, tables[0] if tables else None)


def subjects(tables: Sequence[Table], group: str) -> dict[str, Table]:
    """Return the tables of the benchmark's parts by their title, or by their name if titles repeat.

    Neither the sub-splits of a part, which HELM repeats under one name, nor the tables of
    metric groups, which a group of several benchmarks has, are parts.
    """
    parts = [table for table in tables if _is_part(table, group)]
    titles = [table.title for table in parts]
    named: dict[str, Table] = {}
    for table in parts:
        label = table.title if titles.count(table.title) == 1 else table.name
        named.setdefault(encodable(label), table)
    return named


def _is_part(table: Table, group: str) -> bool:
    is_scenario = table.name.startswith(f"{group}_")
    return is_scenario and ":sub_split=" not in table.name and bool(table.title)


def score_labels(table: Table) -> list[str]:
    """Return the labels of the columns that HELM orders, which are scores; of all if none is."""
    columns = table.header[1:]
    ordered = [header for header in columns if header.lower_is_better is not None]
    return list(dict.fromkeys(encodable(header.value) for header in ordered or columns))


def run_names(row: Sequence[Cell]) -> tuple[str, ...]:
    """Return the run specs that a row is made of; none if the row names none.

    HELM since 0.5.0 names them in the model's cell or in the metrics' cells; before, only
    the link of the model's cell does, and an aggregate has no link.
    """
    for cell in row:
        if cell.run_spec_names:
            return cell.run_spec_names
    return _linked_runs(row[0].href) if row else ()


def _linked_runs(href: str) -> tuple[str, ...]:
    for text in parse_qs(href.partition("?")[2]).get("runSpecs", ()):
        try:
            return msgspec.json.decode(text, type=tuple[str, ...])
        except msgspec.DecodeError:
            return ()
    return ()


def label(row: Sequence[Cell]) -> str:
    """Return the name that HELM shows for the row's model; not unique, changing with versions."""
    return encodable(str(row[0].value)) if row and row[0].value is not None else ""
