"""Real artifacts, damaged in every way: only the errors that are promised, never a traceback."""

from __future__ import annotations

import json
import random
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helm_wandb.errors import ArtifactError, ConfigError
from helm_wandb.model import ScoreKey
from helm_wandb.render import terminal
from helm_wandb.report import to_json

from . import builders
from .test_sources_helm import read_spec, spec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEYS = (ScoreKey("boolq", "EM"), ScoreKey("boolq", "EM (Robustness)"), ScoreKey("mmlu", "EM"))
SUITE = "runs/nightly"
VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    1e308,
    "",
    "\ud800",
    "x" * 1000,
    [],
    {},
    [[]],
    float("nan"),
    10**30,
)


@pytest.fixture(scope="module")
def small_tree(helm_trees: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with one benchmark of one run and one of three, its files cut to ten instances."""
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copytree(helm_trees / "baseline", folder / "baseline")
    suite = folder / "baseline" / SUITE
    for run in suite.iterdir():
        if run.is_dir() and not run.name.startswith(("boolq", "mmlu", "groups")):
            shutil.rmtree(run)
    for name in ("runs.json", "groups.json", "groups_metadata.json"):
        (suite / name).unlink()
    for path in suite.glob("*/per_instance_stats.json"):
        path.write_text(json.dumps(json.loads(path.read_text())[:10]))
    for path in suite.glob("*/scenario_state.json"):
        state = json.loads(path.read_text())
        path.write_text(json.dumps({**state, "request_states": state["request_states"][:10]}))
    return folder


def paths_into(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in decoded JSON."""
    if isinstance(value, dict):
        return [path, *(p for key in value for p in paths_into(value[key], (*path, key)))]
    if isinstance(value, list):
        return [path, *(p for i, one in enumerate(value[:20]) for p in paths_into(one, (*path, i)))]
    return [path]


def changed(data: bytes, rng: random.Random) -> bytes:
    """The JSON with one value taken away, replaced or doubled."""
    value = json.loads(data)
    paths = [path for path in paths_into(value) if path]
    if not paths:
        return b"[]"
    *parents, last = rng.choice(paths)
    holder = value
    for key in parents:
        holder = holder[key]
    kind = rng.choice(("drop", "replace", "double"))
    if kind == "drop":
        del holder[last]
    elif kind == "replace" or isinstance(holder, dict):
        holder[last] = rng.choice(VALUES)
    else:
        holder.append(holder[last])
    return json.dumps(value).encode()


def cut(data: bytes, rng: random.Random) -> bytes:
    """The file as a full disk leaves it."""
    return data[: rng.randrange(len(data) + 1)]


def flipped(data: bytes, rng: random.Random) -> bytes:
    """A few bytes of the file, changed."""
    found = bytearray(data)
    for _ in range(rng.randrange(1, 5)):
        found[rng.randrange(len(found))] = rng.randrange(256)
    return bytes(found)


def encoded(data: bytes, rng: random.Random) -> bytes:
    """The file in another encoding."""
    return data.decode().encode(rng.choice(("utf-16", "utf-32", "utf-8-sig", "utf-7")))


def nested(_: bytes, rng: random.Random) -> bytes:
    """Brackets without end."""
    return b"[" * rng.choice((100, 100_000))


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    changed,
    changed,
    changed,
    cut,
    flipped,
    encoded,
    nested,
)


@settings(
    max_examples=15 * settings().max_examples,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, 2**32))
def test_damaged_files_make_promised_errors_only(small_tree: Path, seed: int) -> None:
    """Whatever happens to a file of HELM's, it is read, missing, or reported as a user's error."""
    rng = random.Random(seed)  # noqa: S311 -- damage, not secrets
    files = sorted(path for path in small_tree.rglob("*.json") if path.parent.name != "json")
    target = rng.choice(files)
    whole = target.read_bytes()
    try:
        target.write_bytes(rng.choice(MUTATIONS)(whole, rng))
        reading = read_spec(
            spec("baseline", "nightly", score_keys=KEYS), small_tree, with_details=True
        )
    except (ArtifactError, ConfigError) as error:
        outcome = str(error)
    else:
        outcome = "read"
        report = builders.report(reading.evaluations, notes=reading.faults)
        assert to_json(report)
        assert terminal.render_piped(report)
    finally:
        target.write_bytes(whole)
    assert outcome
