"""`python -m tests.github_server.cut_description FULL CUT` writes what the server needs.

FULL is generated/api.github.com.json of the npm package @octokit/openapi. Examples and prose are
left out, and so is all that the wanted operations do not refer to.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.github_server.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterator

# What says nothing about what is valid.
PROSE = {"description", "example", "examples", "externalDocs", "summary", "tags", "title"}


def cut(full: dict[str, Any]) -> dict[str, Any]:
    """The description of the routes' operations alone."""
    paths: dict[str, Any] = {}
    for route in ROUTES:
        template = route.described
        if template is not None:
            operation = _without_prose(full["paths"][template][route.method.lower()])
            operation["responses"] = _with_descriptions(operation["responses"])
            paths.setdefault(template, {})[route.method.lower()] = operation
    return {
        **{name: full[name] for name in ("openapi", "info", "servers")},
        "paths": paths,
        "components": _components(full, paths),
    }


def _components(full: dict[str, Any], paths: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    wanted = list(_references(paths))
    while wanted:
        _, _, kind, name = wanted.pop().split("/")
        if name not in found.setdefault(kind, {}):
            found[kind][name] = _without_prose(full["components"][kind][name])
            wanted += _references(found[kind][name])
    return {**found, "responses": _with_descriptions(found["responses"])}


def _with_descriptions(responses: dict[str, Any]) -> dict[str, Any]:
    """The responses, those that stand here themselves with the text that OpenAPI demands."""
    return {
        name: response if "$ref" in response else {"description": "", **response}
        for name, response in responses.items()
    }


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from _references(part)


def _without_prose(node: Any, *, is_names: bool = False) -> Any:
    """The node without prose; if the keys are names of properties, all stay."""
    if isinstance(node, list):
        return [_without_prose(part) for part in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _without_prose(value, is_names=key in {"properties", "responses", "headers"})
        for key, value in node.items()
        if is_names or not (key in PROSE or key.startswith("x-"))
    }


def main() -> None:
    """Read the one and write the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("full", type=Path)
    parser.add_argument("cut", type=Path)
    chosen = parser.parse_args()
    small = cut(json.loads(chosen.full.read_text(encoding="utf-8")))
    text = json.dumps(small, separators=(",", ":"), sort_keys=True)
    chosen.cut.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
