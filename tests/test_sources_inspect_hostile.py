"""Inspect's logs, damaged in every way: only the errors that are promised."""

from __future__ import annotations

import json
import sys
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helm_wandb.errors import ArtifactError, ConfigError

from .inspect_builders import (
    TIME,
    ZSTANDARD,
    eval_members,
    log,
    read_logs,
    write_eval,
    write_json,
    zip_bytes,
)
from .test_harness_files import memory_below
from .test_sources_lm_eval_hostile import check_report, mutated

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    import random
    from pathlib import Path

LOCAL = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def whole() -> dict[str, Any]:
    """Return a log with all that is read: keys of values, epochs, groups, clusters, messages."""
    content = log(["C", "I", "C"], model_args={"revision": "step10"}, task_args={"a": [1]})
    content["results"]["scores"] += [
        {
            "name": "near",
            "scorer": "several",
            "reducer": "mode",
            "metrics": {
                "mean": {"name": "mean", "value": 0.5, "params": {}},
                "stderr": {"name": "stderr", "value": 0.1, "params": {"cluster": "story"}},
            },
        },
        {
            "name": "grouped",
            "scorer": "grouped",
            "metrics": {
                name: {
                    "name": name,
                    "group": "grouped",
                    "value": 0.5,
                    "params": {"metric": {"name": "mean"}, "group_key": "kind", "all": "groups"},
                }
                for name in ("odd", "even", "all")
            },
        },
    ]
    for number, one in enumerate(content["samples"]):
        one["metadata"]["kind"] = ("odd", "even")[number % 2]
        one["scores"] |= {"several": {"value": {"near": True}}, "grouped": {"value": "P"}}
        one["input"] = [{"role": "user", "content": [{"type": "text", "text": "Why?"}], "id": "x"}]
    content["reductions"].append(
        {
            "scorer": "several",
            "reducer": "mode",
            "samples": [{"sample_id": at, "value": {"near": at % 2}} for at in range(2)],
        }
    )
    return content


def check_reading(folder: Path) -> None:
    """Read the logs: either an error that is promised, or a report that can be read again."""
    try:
        reading = read_logs("logs", folder, clusters={"sums": "metadata.author.name"})
    except (ArtifactError, ConfigError):
        return
    fields = {"eval_type": "inspect", "inspect_log_dir": "logs"}
    check_report(reading, fields, folder, places={("sums", "0", 0), ("", "", 7)})


@given(st.randoms(use_true_random=False), st.integers(1, 3), st.sampled_from(["eval", "json"]))
@settings(LOCAL, max_examples=15 * settings().max_examples)
def test_mutated_logs_give_clear_errors(
    tmp_path: Path, source: random.Random, times: int, kind: str
) -> None:
    """Whatever a log holds, it is read or refused."""
    content = whole()
    for _ in range(times):
        content = mutated(content, source)
    path = tmp_path / "logs" / f"{TIME}_sums_x1.{kind}"
    path.parent.mkdir(exist_ok=True)
    for old in path.parent.iterdir():
        old.unlink()
    if kind == "json":
        path.write_text(json.dumps(content))
    else:
        path.write_bytes(zip_bytes(_members(content), method=ZSTANDARD))

    check_reading(tmp_path)


def _members(content: Any) -> dict[str, bytes]:
    """Return the members of an `.eval`, or whatever a mutation left of them."""
    try:
        return eval_members(content)
    except (AttributeError, KeyError, TypeError):
        return {"header.json": json.dumps(content).encode()}


@given(st.binary(max_size=50), st.integers(0, 20_000), st.sampled_from([0, 8, ZSTANDARD]))
@settings(LOCAL, max_examples=5 * settings().max_examples)
def test_damaged_bytes_give_clear_errors(tmp_path: Path, data: bytes, at: int, method: int) -> None:
    """Bytes in the middle of a file are no traceback."""
    for path in (
        write_eval(tmp_path / "logs", whole(), method=method),
        write_json(tmp_path / "logs", whole()),
    ):
        content = path.read_bytes()
        at %= len(content)
        path.write_bytes(content[:at] + data + content[at + len(data) :])

    check_reading(tmp_path)


@given(st.binary(max_size=200), st.booleans())
@settings(LOCAL, max_examples=3 * settings().max_examples)
def test_damaged_members_give_clear_errors(tmp_path: Path, data: bytes, is_whole: bool) -> None:  # noqa: FBT001 -- drawn
    """A member that is no Zstandard, or no JSON, is named."""

    def change(members: dict[str, bytes]) -> None:
        members["samples/1_epoch_1.json"] = data

    path = write_eval(tmp_path / "logs", whole(), change=change)
    if not is_whole:
        path.write_bytes(path.read_bytes().replace(zstd.compress(data), data))

    check_reading(tmp_path)


@pytest.mark.parametrize("part", ["input", "target", "metadata", "task_args", "params"])
def test_nesting_without_end_is_no_traceback(part: str, tmp_path: Path) -> None:
    """Some depths can be decoded, and not encoded again."""
    content = whole()
    holders = {"task_args": content["eval"], "params": content["plan"]["steps"][0]}
    holder = holders.get(part, content["samples"][0])
    holder[part] = {"author": {"name": "NEST"}} if isinstance(holder[part], dict) else ["NEST"]
    text = write_json(tmp_path / "logs", content).read_text()
    for depth in (*range(900, 1_000), 100_000):
        path = write_json(tmp_path / "logs", content)
        path.write_text(text.replace('"NEST"', "[" * depth + "]" * depth))
        check_reading(tmp_path)


# Bombs


def bomb(size: int, *, declared: int, frames: int = 1) -> bytes:
    """Return a zip whose header holds so many bytes, and says that it has another number."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        info = zipfile.ZipInfo("header.json")
        archive.writestr(info, zstd.compress(bytes(size)) * frames)
        info.compress_type, info.file_size = ZSTANDARD, declared
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bomb(1 << 28, declared=3000), "a checksum does not fit"),
        (bomb(1 << 28, declared=1 << 28), "more than is read from an archive of its size"),
        (bomb(0, declared=10_000_000, frames=5000), "more than 1,000 frames"),
    ],
)
def test_bombs_end_early(content: bytes, message: str, tmp_path: Path) -> None:
    """Nothing is unpacked beyond what the zip declares, and little may be declared."""
    (tmp_path / "logs").mkdir()
    (tmp_path / f"logs/{TIME}_sums_x1.eval").write_bytes(content)

    with memory_below(8_000_000), pytest.raises(ArtifactError, match=message):
        read_logs("logs", tmp_path)
