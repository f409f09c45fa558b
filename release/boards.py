"""`python -m release.boards [0.5.16]`: `boards.json` has the schemas of that release of HELM.

Without a version, of the newest. They are read from HELM's wheel, which pip downloads into a
temporary folder: HELM isn't installed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from zipfile import Path as InWheel

import msgspec
import yaml

from helm_wandb.comparing.helm_schemas import Boards, HelmSchema
from helm_wandb.sources.helm.board import reduced
from helm_wandb.sources.helm.formats import Schema

BOARDS = Path("helm_wandb/comparing/boards.json")
_FIRST = ("classic", "lite")
"""Schemas that are likelier than others that list the same benchmark."""


def boards_of(wheel: Path) -> Boards:
    """Return all schemas in a wheel of HELM, those of the core scenarios first."""
    names = [f"schema_{name}.yaml" for name in _FIRST]
    static = InWheel(wheel, "helm/benchmark/static/")
    files = {file.name: file for file in static.iterdir() if file.name.startswith("schema_")}
    order = [*names, *sorted(files.keys() - set(names))]
    return Boards(
        helm=wheel.name.split("-")[1],
        schemas={
            name.removeprefix("schema_").removesuffix(".yaml"): _schema(files[name].read_text())
            for name in order
        },
    )


def _schema(text: str) -> HelmSchema:
    return reduced(msgspec.convert(yaml.safe_load(text), Schema))


def text_of(boards: Boards) -> str:
    """Return the JSON, with a line for each benchmark and metric."""
    content = msgspec.to_builtins(boards)
    return f"{''.join(_lines(content, depth=4))}\n"


def _lines(value: object, *, depth: int, indent: str = "") -> Iterator[str]:
    """Yield the JSON of the value, whose mappings are spread over lines down to the depth."""
    if not isinstance(value, Mapping) or not value or not depth:
        yield json.dumps(value, ensure_ascii=False)
        return
    opening = "{"
    for key, item in value.items():
        yield f"{opening}\n{indent} {json.dumps(key, ensure_ascii=False)}: "
        yield from _lines(item, depth=depth - 1, indent=f"{indent} ")
        opening = ","
    yield f"\n{indent}}}"


def main(version: str | None, root: Path) -> int:
    """Write the release's schemas, or the newest's; return pip's exit code if it has none."""
    package = "crfm-helm" if version is None else f"crfm-helm=={version}"
    with tempfile.TemporaryDirectory() as folder:
        command = ["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", folder]
        pip = [sys.executable, "-m", "pip", *command, package]
        done = subprocess.run(pip, check=False)  # noqa: S603 -- the maintainer's own version
        if done.returncode:
            return done.returncode
        (wheel,) = Path(folder).glob("*.whl")
        (root / BOARDS).write_text(text_of(boards_of(wheel)), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(next(iter(sys.argv[1:]), None), Path()))
