"""What the image holds, and what it does not."""

from __future__ import annotations

import json
import re
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from release import shrink
from tests.conftest import ROOT
from tests.e2e.engine import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.engine import Engine

PYTHON = "/opt/helm-wandb/bin/python"
GREATEST_MEGABYTES = 245


@pytest.fixture(scope="session")
def image_facts(engine: Engine, image: str) -> dict[str, Any]:
    """What the engine says of the image."""
    (found,) = json.loads(engine.ask("inspect", image))
    assert isinstance(found, dict)
    return found


def python(engine: Engine, image: str, code: str) -> str:
    """What a program prints in the image."""
    options = ("run", "--rm", "--network", "none", "--entrypoint", PYTHON)
    return engine.ask(*options, image, "-c", code)


def test_packages_are_those_of_the_lock(engine: Engine, image: str) -> None:
    """Those of requirements/runtime.txt are there, each in its version, but what is removed."""
    lock = (ROOT / "requirements/runtime.txt").read_text(encoding="utf-8")
    locked = {_normal(name): version for name, version in re.findall(r"(?m)^(\S+)==(\S+)", lock)}
    found = json.loads(
        python(
            engine,
            image,
            "import importlib.metadata as found, json;"
            "print(json.dumps({one.name: one.version for one in found.distributions()}))",
        )
    )

    removed = set(shrink.PACKAGES)
    assert removed < locked.keys()
    assert {name: locked[name] for name in locked.keys() - removed} == {
        _normal(name): version for name, version in found.items()
    }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_image_is_small(image_facts: dict[str, Any]) -> None:
    """The image with its base is under its limit."""
    assert image_facts["Size"] / 1e6 < GREATEST_MEGABYTES


def test_starts_without_a_shell_as_root(image_facts: dict[str, Any]) -> None:
    """The entry point is a program and its arguments, absolute; the runner's files are root's."""
    config = image_facts["Config"]

    assert [PYTHON, "-E", "-s", "-u", "/app/entrypoint.py"] == config["Entrypoint"]
    assert not config["Cmd"]
    assert not config["User"]


def test_labels_say_what_it_is(image_facts: dict[str, Any]) -> None:
    """The labels of the OCI's specification are there."""
    labels = image_facts["Config"]["Labels"]
    prefix = "org.opencontainers.image."

    assert "helm-wandb-action" == labels[f"{prefix}title"]
    assert "Apache-2.0" == labels[f"{prefix}licenses"]
    assert {"description", "source"} <= {name.removeprefix(prefix) for name in labels}


def test_only_the_actions_own_files_are_there(engine: Engine, image: str) -> None:
    """Of the repository the image holds what the entry point needs, and its licence."""
    code = "import pathlib; print(*sorted(path.name for path in pathlib.Path('/app').iterdir()))"

    assert "LICENSE entrypoint.py helm_wandb schema" == python(engine, image, code)


def test_the_parquet_library_can_be_loaded(engine: Engine, image: str) -> None:
    """What the SDK reads exported histories with is there, and finds what it is linked to."""
    code = (
        "import ctypes, pathlib, wandb; ctypes.CDLL(str("
        "pathlib.Path(wandb.__file__).parent / 'bin/librust_parquet_ffi.so')); print('loaded')"
    )

    assert "loaded" == python(engine, image, code)


def test_nothing_of_this_machine_is_in_the_layers(engine: Engine, image: str) -> None:
    """No step of the build of the image names a package index or a proxy."""
    history = engine.ask("history", "--no-trunc", "--format", "{{.CreatedBy}}", image)

    assert [] == re.findall(r"(?i)index-url|trusted-host|pip\.conf|_proxy=", history)


@pytest.mark.parametrize("lock", ["runtime", "development"])
def test_all_packages_have_wheels(tmp_path: Path, lock: str) -> None:
    """Each lock can be installed without compiling on amd64 and arm64, by every Python."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    versions = workflow["jobs"]["test"]["strategy"]["matrix"]["python-version"]
    machines = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28")
    for machine, version in product(machines, versions):
        run(
            *(str(ROOT / ".venv/bin/uv"), "pip", "install", "--dry-run", "--quiet"),
            *("--python-platform", machine, "--python-version", version),
            *("--only-binary", ":all:", "--no-deps", "--require-hashes"),
            *("--target", str(tmp_path)),
            *("--requirement", str(ROOT / f"requirements/{lock}.txt")),
        )
