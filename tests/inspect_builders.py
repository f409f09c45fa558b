"""Logs of Inspect, real and made up."""

from __future__ import annotations

import json
import sys
import zipfile
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Any

from helm_wandb.sources.inspect.entry import InspectEval
from helm_wandb.sources.inspect.reader import read
from tests.harness_builders import read_entry, spec_of, unpack

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from helm_wandb.model import Evaluation, Reading

TIME = "2026-01-01T10-00-00-00-00"
ZSTANDARD = 93


def unpack_inspect(folder: Path) -> Path:
    """Unpack every tree of real logs into the folder, under its own name."""
    return unpack("inspect", folder)


def spec(output: str | Path, **changes: Any) -> InspectEval:
    """An entry that reads logs."""
    return spec_of(InspectEval, output, **changes)


def read_logs(output: str | Path, folder: Path, **options: Any) -> Reading:
    """Return the reading of logs; options: as `read_entry` has them."""
    return read_entry(read, InspectEval, output, folder, **options)


def read_one(output: str | Path, folder: Path, **options: Any) -> Evaluation:
    """Return the only evaluation of logs."""
    (evaluation,) = read_logs(output, folder, **options).evaluations
    return evaluation


def log(  # noqa: PLR0913 -- each argument is a field that some test is about
    values: Sequence[Any],
    *,
    task: str = "sums",
    model: str = "acme/toy",
    created: str = "2026-01-01T10:00:00+00:00",
    status: str = "success",
    model_args: Mapping[str, Any] | None = None,
    task_args: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a log of one epoch.

    values: the score of each question. NaN is unscored.
    """
    numbers = [{"C": 1.0, "I": 0.0}.get(value, value) for value in values]
    scored = [number for number in numbers if number == number]  # noqa: PLR0124 -- NaN
    mean = sum(scored) / len(scored) if scored else float("nan")
    return {
        "version": 2,
        "status": status,
        "eval": {
            "created": created,
            "task": task,
            "task_version": 1,
            "task_args": task_args or {},
            "dataset": {"name": task, "samples": len(values)},
            "model": model,
            "model_generate_config": {},
            "model_args": model_args or {},
            "config": {"epochs": 1},
        },
        "plan": {"name": "plan", "steps": [{"solver": "generate", "params": {}}], "config": {}},
        "results": {
            "total_samples": len(values),
            "completed_samples": len(values),
            "scores": [
                {
                    "name": "match",
                    "scorer": "match",
                    "scored_samples": len(scored),
                    "unscored_samples": len(values) - len(scored),
                    "params": {},
                    "metrics": {
                        "accuracy": {"name": "accuracy", "value": mean, "params": {}},
                        "stderr": {"name": "stderr", "value": 0.1, "params": {}},
                    },
                }
            ],
        },
        "samples": [sample(number, value) for number, value in enumerate(values)],
        "reductions": [
            {
                "scorer": "match",
                "samples": [
                    {"sample_id": at, "value": number} for at, number in enumerate(numbers)
                ],
            }
        ],
    }


def sample(number: int, value: object) -> dict[str, Any]:
    """Return a sample: a question and its answer."""
    answer = number + 1 if value in {"C", 1} else number
    return {
        "id": number,
        "epoch": 1,
        "input": f"Story {number // 4}. What is {number} + 1?",
        "target": str(number + 1),
        "messages": [],
        "output": {"model": "toy", "choices": [], "completion": f"It is {answer}."},
        "scores": {"match": {"value": value, "answer": str(answer), "history": []}},
        "metadata": {"story": number // 4, "author": {"name": f"A{number % 3}"}},
        "events": [{"event": "sample_init", "sample": {"input": "long" * 10}}],
        "attachments": {"a": "long"},
    }


def write_json(folder: Path, content: Mapping[str, Any], *, time: str = TIME) -> Path:
    """Write a `.json` log into the folder; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{time}_{content['eval']['task'].replace('/', '-')}_x1.json"
    path.write_text(json.dumps(content))
    return path


def write_eval(
    folder: Path,
    content: Mapping[str, Any],
    *,
    time: str = TIME,
    method: int = ZSTANDARD,
    change: Callable[[dict[str, bytes]], object] = lambda _: None,
) -> Path:
    """Write an `.eval` log into the folder; return its path.

    change: alters the members, by their names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{time}_{content['eval']['task'].replace('/', '-')}_x1.eval"
    members = eval_members(content)
    change(members)
    path.write_bytes(zip_bytes(members, method=method))
    return path


def eval_members(content: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the members of an `.eval`."""
    header = {key: value for key, value in content.items() if key not in {"samples", "reductions"}}
    start = {key: content[key] for key in ("version", "eval", "plan")}
    parts = {
        "_journal/start.json": start,
        **{
            f"samples/{one['id']}_epoch_{one['epoch']}.json": one
            for one in content["samples"] or ()
        },
        "reductions.json": content["reductions"],
        "header.json": header,
    }
    return {name: json.dumps(part).encode() for name, part in parts.items()}


def zip_bytes(members: Mapping[str, bytes], *, method: int) -> bytes:
    """Return a zip, whose members may be Zstandard on every Python."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for member, data in members.items():
            name = member.encode(errors="replace").decode()
            if method != ZSTANDARD:
                archive.writestr(name, data, method)
                continue
            info = zipfile.ZipInfo(name)
            archive.writestr(info, zstd.compress(data))
            # The directory, which is written last, is what readers believe.
            info.compress_type, info.file_size, info.CRC = ZSTANDARD, len(data), zlib.crc32(data)
    return packed.getvalue()
