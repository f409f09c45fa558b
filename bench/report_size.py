"""The report of a usual suite: its size as a workflow's artifact, and the time to compare it."""

from __future__ import annotations

import gzip
import random
import time
from dataclasses import dataclass
from hashlib import sha256

from rich.table import Table

from helm_wandb.baselines import steps
from helm_wandb.comparing.verdicts import compared
from helm_wandb.model import Evaluation, Instances, Policy
from helm_wandb.report import to_json
from tests import builders

MOST_BYTES = 1_500_000
KINDS = {"EM": 0, "both": 8, "F1": 20}
"""Kind → how many of the benchmarks have graded scores."""
BENCHMARKS, INSTANCES, SUBJECTS, RIGHT = 20, 1_000, 5, 0.6
LEVEL = 6
"""Level of compression, the default of actions/upload-artifact."""


@dataclass(frozen=True, slots=True)
class Size:
    """Size of a report of three iterations."""

    plain_bytes: int
    zipped_bytes: int
    compare_seconds: float


def evaluation(kind: str, iteration: int) -> Evaluation:
    """20 benchmarks of 1,000 instances each, of which nothing repeats itself that need not.

    kind: `EM`, whose values are 0 or 1 and whose clusters are the instances; `F1`, whose values
    have all digits and whose clusters are passages; or `both`, as in a usual suite.
    """
    numbers = random.Random(f"{kind} {iteration}")  # noqa: S311 -- test data
    texts = random.Random(kind)  # noqa: S311 -- the same questions in each iteration
    fingerprint = {f"field {at}": sha256(bytes([at])).hexdigest() for at in range(25)}
    values = {
        f"benchmark_{at}.EM": _instances(numbers, texts, graded=at < KINDS[kind])
        for at in range(BENCHMARKS)
    }
    return builders.measured("alpha", iteration, values, fingerprint=fingerprint)


def _instances(numbers: random.Random, texts: random.Random, *, graded: bool) -> Instances:
    ids = tuple(f"id{at}" for at in sorted(texts.sample(range(15_000), INSTANCES), key=str))
    return Instances(
        stratum=tuple(
            f"mmlu:subject=subject_{at * SUBJECTS // INSTANCES},method=multiple_choice_joint"
            for at in range(INSTANCES)
        ),
        id=ids,
        trial=(0,) * INSTANCES,
        input=tuple(_digits(texts) for _ in ids),
        cluster=tuple(_digits(texts) for _ in ids) if graded else ids,
        value=tuple(numbers.random() if graded else float(numbers.random() < RIGHT) for _ in ids),
    )


def _digits(source: random.Random) -> str:
    return sha256(source.randbytes(8)).hexdigest()[:8]


def measured(kind: str) -> Size:
    """The report of three iterations, of which the last two keep their instances."""
    evaluations = [evaluation(kind, iteration) for iteration in (1, 2, 3)]
    start = time.perf_counter()
    found = compared(steps(evaluations), Policy())
    seconds = time.perf_counter() - start
    text = to_json(builders.report(evaluations, steps=found))
    return Size(len(text), len(gzip.compress(text, compresslevel=LEVEL)), seconds)


def table() -> Table:
    """A row for each kind of scores."""
    shown = Table(
        title=f"Report of {BENCHMARKS} benchmarks × {INSTANCES:,} instances, two iterations "
        f"(at most {MOST_BYTES / 1e6:.1f} MB gzipped)"
    )
    for label in ("scores", "MB", "MB gzipped", "seconds to compare"):
        shown.add_column(label, justify="left" if label == "scores" else "right")
    for kind in KINDS:
        size = measured(kind)
        shown.add_row(
            kind,
            f"{size.plain_bytes / 1e6:.2f}",
            f"{size.zipped_bytes / 1e6:.2f}",
            f"{size.compare_seconds:.2f}",
        )
    return shown
