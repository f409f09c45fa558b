"""Scores of one key from several readings → one score.

Each reading is of the same model and iteration, for example from the jobs of a matrix that evaluate
some subjects each. The result doesn't depend on their order unless two of them disagree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from helm_wandb.comparing.answer_columns import known_answers, with_answers
from helm_wandb.comparing.fingerprints import describe_field
from helm_wandb.model import (
    SCORE_COLUMNS,
    Instances,
    Repeats,
    Score,
    ScoreKey,
    SubjectScore,
    is_close,
    mean,
)
from helm_wandb.text.words import join_truncated

_T = TypeVar("_T")
_Row = tuple[str, str, int, str | None, str, float]
"""One entry of the columns of Instances."""

_REPEATS = "further runs of it, such as other seeds, belong under its key repeats."
_ONE_ENTRY = f"Give each score in one entry of evals only; {_REPEATS}"
_WEIGHTED = (
    ", which are not both the unweighted mean over their subjects, so they can't be merged. "
    "Evaluate all of its subjects in one matrix job, or name the subjects instead of it."
)
"""Said of a group of lm-eval that weighs its tasks by their sizes, for example."""
_ONE_JOB = f"Give each subject in one matrix job only, and in one entry of evals; {_REPEATS}"
_NOT_COVERED = "not every matrix job has the per-instance data of its subjects"
_OF_SUBJECTS = ("scenario ", "instructions", "max_tokens", "output_noun", "stop_sequences")
"""Beginnings of the fields that HELM's run specs set by subject (HELM 0.5.16, benchmark/run_specs):
readings of one evaluation may differ in them."""


class Disagreement(Struct, frozen=True):
    """A conflict of two readings about one score."""

    kind: str
    """`values` or `directions`, for example."""
    details: str
    """The conflicting values, and what to do, to be shown after the key."""
    scores: tuple[int, int] = (0, 0)
    """The positions of the score that is kept, and of the other."""

    def sentence(self, key: ScoreKey) -> str:
        """Return the conflict, to be shown after the name of a model and `has`."""
        return f"two {self.kind} of {key}{self.details}"


def merge_scores(scores: Sequence[Score]) -> tuple[Score, list[Disagreement]]:
    """Return the scores as one, without those that disagree with an earlier one, and the conflicts.

    Scores over different subjects become their unweighted mean, as HELM computes it, to the
    same last digit in any order. Equal ones stay as they are, since theirs is HELM's own cell.
    """
    merged, disagreements = scores[0], []
    for at, score in enumerate(scores[1:], 1):
        joined = _union(merged, score)
        if isinstance(joined, Disagreement):
            disagrees = (isinstance(_union(one, score), Disagreement) for one in scores[:at])
            kept = next((where for where, it_does in enumerate(disagrees) if it_does), 0)
            disagreements.append(replace(joined, scores=(kept, at)))
        else:
            merged = joined
    is_one_reading = any(merged is score for score in scores)
    return merged if is_one_reading else _with_covering_instances(merged), disagreements


def _with_covering_instances(score: Score) -> Score:
    """Return the score, without instances if they are those of only some of its subjects."""
    if score.instances is None or score.instances.has_mean(score.value):
        return score
    return replace(score, instances=None, no_instances=_NOT_COVERED)


def _union(first: Score, later: Score) -> Score | Disagreement:
    if first == later:
        return first
    if disagreement := _find_disagreement(first, later):
        return disagreement
    fingerprint = _fingerprint(first.fingerprint, later.fingerprint)
    instances = _instances(first.instances, later.instances)
    if isinstance(fingerprint, Disagreement):
        return fingerprint
    if isinstance(instances, Disagreement):
        return instances
    subjects = _subjects(first, later)
    is_same = _are_over_the_same(first, later)
    reasons = [why for why in (first.no_instances, later.no_instances) if why is not None]
    return Score(
        value=first.value
        if is_same and first.value == later.value
        else _mean_of_subjects(subjects),
        n=_first_not_none(first.n, later.n) if is_same else _count(subjects),
        lower_is_better=_first_not_none(first.lower_is_better, later.lower_is_better),
        subjects=subjects,
        fingerprint=fingerprint,
        instances=instances,
        no_instances=longest_reason(reasons) if reasons and instances is None else None,
        repeats=_repeats(first, later),
    )


def _repeats(first: Score, later: Score) -> Repeats | None:
    """Return the runs of the mean over both scores' subjects; None if one has a single run."""
    if first.repeats is None or later.repeats is None or first.subjects.keys() & later.subjects:
        return first.repeats if first.repeats == later.repeats else None
    # Imported here: print-only never pays for it.
    from helm_wandb.comparing.statistics import repeats  # noqa: PLC0415

    weights = [
        len(one.subjects) / len({**first.subjects, **later.subjects}) for one in (first, later)
    ]
    return repeats.average((first.repeats, later.repeats), weights)


def _first_not_none(first: _T | None, later: _T | None) -> _T | None:
    return later if first is None else first


def _find_disagreement(first: Score, later: Score) -> Disagreement | None:
    """Return the two directions or values; None if the two scores can be merged."""
    if {first.lower_is_better, later.lower_is_better} == {True, False}:
        kept, other = ("lower", "higher") if first.lower_is_better else ("higher", "lower")
        which = f": better when {kept} (kept) and better when {other}. "
        advice = "Set it under compare.lower_is_better in all matrix jobs' configs, or in none."
        return Disagreement("directions", which + advice)
    both = first.subjects.keys() & later.subjects.keys()
    differing = [name for name in both if not _agree(first.subjects[name], later.subjects[name])]
    if differing:
        return _two_values_of(sorted(differing), first, later)
    is_same = _are_over_the_same(first, later)
    if is_same and _agree(first, later):
        return None
    are_means = _is_mean_of_subjects(first) and _is_mean_of_subjects(later)
    if are_means and not (is_same and _counts_differ(first, later)):
        return None
    values = f"{_describe_value(first)} (kept) and {_describe_value(later)}"
    why = f". {_ONE_ENTRY}" if is_same else _WEIGHTED
    return Disagreement("values", f": {values}{why}")


def _two_values_of(names: Sequence[str], first: Score, later: Score) -> Disagreement:
    shown = [
        f"in {name!r}: {_describe_value(first.subjects[name])} (kept) and "
        f"{_describe_value(later.subjects[name])}"
        for name in names
    ]
    return Disagreement("values", f" {join_truncated(shown, last=', and in ')}. {_ONE_JOB}")


def _describe_value(score: Score | SubjectScore) -> str:
    return str(score.value) if score.n is None else f"{score.value} (n = {score.n})"


def _agree(first: Score | SubjectScore, later: Score | SubjectScore) -> bool:
    return first.value == later.value and not _counts_differ(first, later)


def _counts_differ(first: Score | SubjectScore, later: Score | SubjectScore) -> bool:
    return first.n != later.n and None not in (first.n, later.n)


def _are_over_the_same(first: Score, later: Score) -> bool:
    """Return whether both are over the same subjects, or one does not name its own."""
    named = [score.subjects.keys() for score in (first, later) if score.subjects]
    return all(names == named[0] for names in named)


def _is_mean_of_subjects(score: Score) -> bool:
    return bool(score.subjects) and is_close(score.value, _mean_of_subjects(score.subjects))


def _subjects(first: Score, later: Score) -> dict[str, SubjectScore]:
    """Return the subjects of both, by name unless both have the same ones."""
    union = dict(first.subjects)
    for name, subject in later.subjects.items():
        if name not in union or union[name].n is None:
            union[name] = subject
    return union if _are_over_the_same(first, later) else dict(sorted(union.items()))


def _mean_of_subjects(subjects: Mapping[str, SubjectScore]) -> float:
    return mean([subject.value for subject in subjects.values()])


def _count(subjects: Mapping[str, SubjectScore]) -> int | None:
    """Return the number of instances of all subjects; None if one of them is unknown."""
    counts = [subject.n for subject in subjects.values() if subject.n is not None]
    return sum(counts) if len(counts) == len(subjects) else None


def _fingerprint(
    first: Mapping[str, object] | None, later: Mapping[str, object] | None
) -> Mapping[str, object] | Disagreement | None:
    """Return the fields of both; a field that varies over the runs has all values, sorted."""
    if first is None or later is None or first == later:
        return _first_not_none(first, later)
    fields = {**later, **first}
    differing = []
    for name in sorted(first.keys() & later.keys()):
        values = _values(first[name], later[name], varies=name.startswith(_OF_SUBJECTS))
        if values is None:
            kept, other = (describe_field(name, side[name]) for side in (first, later))
            differing.append(f"{kept} (kept) and {other}")
        else:
            fields[name] = values
    if differing:
        advice = "Evaluate all subjects in the same way."
        return Disagreement("settings", f": {join_truncated(differing, last=', and ')}. {advice}")
    return dict(sorted(fields.items()))


def _values(first: object, later: object, *, varies: bool) -> object | None:
    """Return a field's one or several values; None if the settings contradict each other."""
    if first == later:
        return first
    lists = [value if isinstance(value, list | tuple) else [value] for value in (first, later)]
    is_text = all(isinstance(value, str) for values in lists for value in values)
    if is_text and (varies or max(map(len, lists)) > 1):
        return sorted({str(value) for values in lists for value in values})
    return None


def _instances(first: Instances | None, later: Instances | None) -> Instances | Disagreement | None:
    """Return the strata of both, each whole, by name whichever came first."""
    if first is None or later is None or first == later:
        return _first_not_none(first, later)
    strata, others = _strata(first), _strata(later)
    for stratum in sorted(strata.keys() & others.keys()):
        if strata[stratum] != others[stratum]:
            return _two_instances_of(stratum, strata[stratum], others[stratum])
    both = {**others, **strata}
    rows = [row for stratum in sorted(both) for row in both[stratum]]
    columns: Iterator[Any] = zip(*rows, strict=True)
    union = Instances(**dict(zip(SCORE_COLUMNS, columns, strict=True)))
    return with_answers(union, known_answers(later) | known_answers(first))


def _strata(instances: Instances) -> dict[str, list[_Row]]:
    """Return each stratum's rows, sorted."""
    columns = (getattr(instances, name) for name in SCORE_COLUMNS)
    strata: dict[str, list[_Row]] = defaultdict(list)
    for row in zip(*columns, strict=True):
        strata[row[0]].append(row)
    for rows in strata.values():
        rows.sort(key=lambda row: (*row[:3], row[3] or "", *row[4:]))
    return strata


def _two_instances_of(stratum: str, first: Sequence[_Row], later: Sequence[_Row]) -> Disagreement:
    kept, other = next(
        ((row, other) for row, other in zip(first, later, strict=False) if row != other),
        (None, None),
    )
    if kept is None or other is None or kept[:3] != other[:3]:
        which = f"{len(first)} (kept) and {len(later)}, not of the same ids"
    elif kept[-1] == other[-1]:
        which = f"{kept[1]!r} has other input"
    else:
        which = f"{kept[1]!r} has {kept[-1]} (kept) and {other[-1]}"
    return Disagreement("sets of instances", f" in {stratum!r}: {which}. {_ONE_JOB}")


def longest_reason(reasons: Iterable[str]) -> str:
    """Return the longest reason, which says most."""
    return max(reasons, key=lambda why: (len(why), why))
