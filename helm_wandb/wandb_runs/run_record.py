"""The record of a run's content in its summary, so that one query of a project shows it.

Each run that this tool wrote has it under the key MARK: a digest of every row, table and setting,
who wrote it last, and of a summary run the reports that jobs keep, and the scores at its latest
iteration. W&B's own summary has each metric's last value, of whichever row that was in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Annotated

import msgspec

from helm_wandb.model import finite_number
from helm_wandb.report import LONGEST_NAME, LONGEST_TEXT
from helm_wandb.wandb_runs.layout_names import MARK, digest

MAX_ITERATION = 2**63 - 1
REPORTS = 32
"""Reports that a record lists, at most."""
_LONGEST_DIGEST = 64
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_ITERATION)]
_IterationText = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,19}$", max_length=19)]
_Digest = Annotated[str, msgspec.Meta(max_length=_LONGEST_DIGEST)]
_Key = Annotated[str, msgspec.Meta(max_length=5 * LONGEST_NAME)]
"""The names of a benchmark, which `kept_name` makes longer, and of a metric."""


class LatestScore(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A score at the latest iteration."""

    value: float
    lower_is_better: bool | None = None
    partial: Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)] | None = None
    """Why the value must not be compared, as in `model.Score`."""


class Latest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model at its latest iteration."""

    iteration: Count
    tokens_billions: float | None = None
    scores: dict[_Key, LatestScore]
    """`mmlu.EM`, with the benchmark's name as W&B keeps it → score."""


class JobReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A report of the model that a job keeps as an artifact."""

    part: _Digest
    """Digest of what it is about, by which the artifact is found."""
    digest: _Digest
    """Digest of its results, and of the commit they belong to."""
    scores: tuple[_Key, ...]
    commit: Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)] | None = None
    run_url: Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)] | None = None
    """URL of the workflow run that wrote it."""

    def is_in(self, reports: Iterable[JobReport]) -> bool:
        """Return whether the same results of the same commit are among these."""
        return (self.part, self.digest) in {(one.part, one.digest) for one in reports}


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run's content, in digests."""

    writer: _Digest
    rows: dict[_IterationText, _Digest] = {}
    """Iteration → digest of the values that its rows come to."""
    settings: _Digest = ""
    """Digest of the run's group, name, tags and config, without the provenance."""
    tables: _Digest = ""
    """Empty if it has none."""
    reports: tuple[JobReport, ...] = ()
    """Those that it keeps as artifacts, the newest first."""
    latest: Latest | None = None
    has_outcome: bool = False
    """Whether the summary says how a comparison ended."""


def add_report(report: JobReport, recorded: Iterable[JobReport]) -> tuple[JobReport, ...]:
    """Return the reports with a new one, without those that it takes the place of.

    That is the one about the same scores, and those of other commits whose scores the new one's
    commit has, too. So the jobs of a matrix keep a report each, and so does the commit before until
    each of them has replaced its own.
    """
    kept = [report, *(one for one in recorded if one.part != report.part)]
    of_commit = {key for one in kept if one.commit == report.commit for key in one.scores}
    others = (
        one for one in kept if one.commit == report.commit or not of_commit.issuperset(one.scores)
    )
    return tuple(islice(others, REPORTS))


def row_digest(values: Mapping[str, float]) -> str:
    """Return the digest of an iteration's values, the same for 8 and 8.0."""
    return digest({key: float(value) for key, value in values.items()})


def to_text(record: Record) -> str:
    """Return the record as a line of JSON: a string takes one column of W&B's table."""
    return msgspec.json.encode(record).decode()


def from_summary(summary: Mapping[str, object]) -> Record | None:
    """Return the record in a run's summary; None if it has none that can be read."""
    text = summary.get(MARK)
    if not isinstance(text, str):
        return None
    try:
        return msgspec.json.decode(text, type=Record)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None


def iteration_of(value: object) -> int | None:
    """Return a value as an iteration, or None if it is not a number that can be one."""
    number = finite_number(value)
    return int(number) if number is not None and 0 <= number < MAX_ITERATION else None


def newer(one: Latest | None, other: Latest | None) -> Latest | None:
    """Return the later of both; at the same iteration all scores, `other`'s before `one`'s."""
    if one is None or other is None:
        return one or other
    if one.iteration != other.iteration:
        return max(one, other, key=lambda latest: latest.iteration)
    tokens = one.tokens_billions if other.tokens_billions is None else other.tokens_billions
    return msgspec.structs.replace(
        other, tokens_billions=tokens, scores={**one.scores, **other.scores}
    )
