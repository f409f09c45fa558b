"""Reading the per-instance files of a suite: ours, json.load, and the bare bytes."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from contextlib import contextmanager
from functools import partial
from math import fsum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from helm_wandb.harness.files import Files
    from helm_wandb.sources.helm.board import Selector
    from helm_wandb.sources.helm.runs import Run

SUITE = "runs/large"
MAIN_METRICS = {"exact_match", "f1_score"}


def files(folder: Path, name: str) -> Iterator[Path]:
    """The files of this name in all runs."""
    return (run / name for run in sorted((folder / SUITE).iterdir()))


def bare_bytes(folder: Path, name: str) -> float:
    """The number of bytes: what no reader can be faster than."""
    return sum(len(path.read_bytes()) for path in files(folder, name))


def instances_bytes(folder: Path) -> float:
    """The bytes of all per-instance files."""
    return bare_bytes(folder, "per_instance_stats.json")


def instances_json(folder: Path) -> float:
    """The sum of all main scores, by json.load."""
    total: list[float] = []
    for path in files(folder, "per_instance_stats.json"):
        with path.open("rb") as file:
            total += [
                stat["mean"]
                for entry in json.load(file)
                for stat in entry["stats"]
                if stat["name"]["name"] in MAIN_METRICS and "perturbation" not in entry
            ]
    return fsum(total)


def instances_decoded(folder: Path) -> float:
    """Return the number of entries of all per-instance files, decoded to our types and no more."""
    import msgspec  # noqa: PLC0415 -- next to what it is timed with

    from helm_wandb.sources.helm.formats import InstanceStats  # noqa: PLC0415 -- timed

    decoder = msgspec.json.Decoder(tuple[InstanceStats, ...])
    return sum(
        len(decoder.decode(path.read_bytes())) for path in files(folder, "per_instance_stats.json")
    )


def inputs_json(folder: Path) -> float:
    """The number of instances whose input text was hashed, by json.load."""
    from hashlib import sha256  # noqa: PLC0415 -- next to what it is timed with

    hashes = {}
    for path in files(folder, "scenario_state.json"):
        with path.open("rb") as file:
            for state in json.load(file)["request_states"]:
                instance = state["instance"]
                key = (path.parent.name, instance["id"])
                if key not in hashes:
                    hashes[key] = sha256(instance["input"]["text"].encode()).hexdigest()[:8]
    return len(hashes)


def inputs_ours(folder: Path) -> float:
    """Number of input texts, by this project's reader."""
    from helm_wandb.sources.helm.instances import read_inputs  # noqa: PLC0415 -- timed

    with _opened(folder) as (output, runs):
        return sum(len(read_inputs(output, run)) for run in runs)


def instances_ours(folder: Path) -> float:
    """The sum of all main scores, by this project's reader, without the inputs."""
    from helm_wandb.sources.helm.instances import read_values  # noqa: PLC0415 -- timed

    total: list[float] = []
    with _opened(folder) as (output, runs):
        for run in runs:
            for values in read_values(output, run, _selectors()).values():
                total += values.values()
    return fsum(total)


@contextmanager
def _opened(folder: Path) -> Iterator[tuple[Files, list[Run]]]:
    from helm_wandb.sources.helm.layout import Suite  # noqa: PLC0415 -- timed
    from helm_wandb.sources.helm.output import open_output  # noqa: PLC0415 -- timed
    from helm_wandb.sources.helm.runs import Runs  # noqa: PLC0415 -- timed

    with open_output(folder, shown_as="bench") as output:
        yield output, Runs(Suite(output, None, SUITE)).all()


def runs_ours(folder: Path) -> float:
    """The number of values of all runs' files, inputs hashed, on all cores that there are."""
    from helm_wandb.harness.parallel import map_parallel  # noqa: PLC0415 -- timed
    from helm_wandb.sources.helm.instances import read_run  # noqa: PLC0415 -- timed
    from helm_wandb.system.progress import no_progress  # noqa: PLC0415 -- timed

    with _opened(folder) as (output, runs):
        tasks = [(run, _selectors(), None) for run in runs]
        found = map_parallel(partial(read_run, files=output), tasks, progress=no_progress)
    return sum(len(one.value) for run in found if isinstance(run, dict) for one in run.values())


def runs_ours_on_one_core(folder: Path) -> float:
    """The same on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return runs_ours(folder)


def _selectors() -> frozenset[Selector]:
    from helm_wandb.sources.helm.board import Selector  # noqa: PLC0415 -- timed

    return frozenset(Selector(name, s, None) for name in MAIN_METRICS for s in ("test", "valid"))


def whole_reading(folder: Path) -> float:
    """The number of instances in the evaluations of the whole suite, inputs hashed."""
    from helm_wandb.harness.entry import ReadOptions  # noqa: PLC0415 -- timed
    from helm_wandb.model import Place  # noqa: PLC0415 -- timed
    from helm_wandb.sources.helm.entry import HelmEval  # noqa: PLC0415 -- timed
    from helm_wandb.sources.helm.reader import read  # noqa: PLC0415 -- timed

    spec = HelmEval(
        place=Place("bench", 1, 1),
        path="$.evals[0]",
        output_dir=str(folder),
        helm_suite_name="large",
    )
    found = read(spec, ReadOptions(folder=Path(), with_details=True))
    return sum(score.n or 0 for one in found.evaluations for score in one.scores.values())


def whole_reading_on_one_core(folder: Path) -> float:
    """Read everything on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return whole_reading(folder)


MEASURES: dict[str, Callable[[Path], float]] = {
    one.__name__: one
    for one in (
        instances_bytes,
        instances_json,
        instances_decoded,
        instances_ours,
        inputs_json,
        inputs_ours,
        runs_ours_on_one_core,
        runs_ours,
        whole_reading_on_one_core,
        whole_reading,
    )
}


def main(name: str, folder: str) -> None:
    """Print one measure: result, seconds, peak memory of all processes in MB, own CPU seconds.

    It is taken twice, and the second time counts: imports and caches are no part of reading.
    """
    MEASURES[name](Path(folder))
    start, cpu_start = time.perf_counter(), time.process_time()
    result = MEASURES[name](Path(folder))
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    sys.stdout.write(json.dumps([result, seconds, (own + children) / 1024, cpu_seconds]))


if __name__ == "__main__":
    main(*sys.argv[1:])
