"""Evaluations of one checkpoint by several runs → one evaluation, with the means over the runs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from helm_wandb.comparing import pairing
from helm_wandb.comparing.evaluations import describe_other_settings, group_values
from helm_wandb.comparing.pairing import iter_rows
from helm_wandb.model import Evaluation, Instances, Repeats, Score, is_close, mean, variance

_MOVED = 0.2
"""Raw p-value below which two reports of the base branch are taken to be of different scores.

With 0.05, a mean over reports from before a move would find fewer drops than the latest one alone.
"""
_EPOCHS = re.compile(r"[1-9][0-9]{0,3}")
"""A number of epochs; others would be somebody's own report's."""
_OTHER_QUESTIONS = "the runs that are averaged are not over the same questions"


def average(runs: Sequence[Evaluation]) -> tuple[Evaluation, tuple[str, ...]]:
    """Return the evaluation with the mean of each score over its runs, and what is left out.

    runs: two or more of one model and iteration. The scores of the first are averaged.
    """
    first = runs[0]
    scores, faults = dict(first.scores), []
    for key in first.scores:
        several = [run.scores[key] for run in runs if key in run.scores]
        if why := _why_apart(several, len(runs)):
            faults.append(f"{key} of {first.model} is that of the first run alone: {why}.")
        else:
            scores[key] = _average(several)
    return replace(first, scores=scores), tuple(faults)


def _why_apart(scores: Sequence[Score], count: int) -> str | None:
    """Return why scores can't be averaged; None if all of so many runs have them."""
    if len(scores) < count:
        return f"{count - len(scores)} of {count} runs lack it"
    first = scores[0]
    if any(other.subjects.keys() != first.subjects.keys() for other in scores):
        return "the runs have other subjects"
    described = (describe_other_settings(other, first, with_seeds=False) for other in scores[1:])
    return next(filter(None, described), None)


def average_unmoved(
    score: Score, older: Iterable[Score | None], *, count: int
) -> tuple[Score, tuple[int, ...]]:
    """Return the mean of a score and of older ones, by question, and the places of those in it.

    One with other settings or questions is left out. If one differs by more than chance often
    explains, the score may have moved since then: it and all before it are left out. The noise
    between runs is that of the score's own runs.
    older: None where there is none. count: scores of the mean, at most.
    """
    kept, places = [score], []
    for place, other in enumerate(older):
        if len(kept) == count:
            break
        pairs = pairing.pair_scores(score, other) if other else None
        if other is None or pairs is None or pairs.share < 1 or _why_apart([score, other], 2):
            continue
        p = pairing.estimate([pairs]).p
        if p is None or p < _MOVED:
            break
        kept.append(other)
        places.append(place)
    if not places:
        return score, ()
    averaged = replace(_average(kept), repeats=score.repeats, latest=score.instances)
    return averaged, tuple(places)


def flaky_values(score: Score) -> frozenset[float]:
    """Return the values of questions that some runs or epochs answer right and some wrong.

    Known only if all answers are right or wrong: a value is then a share of the runs.
    """
    runs = (len(score.repeats.values) if score.repeats else 1) * _epochs(score)
    values = set(score.instances.value) if score.instances and runs > 1 else set[float]()
    shares = {value for value in values if 0 < value < 1}
    are_shares = all(is_close(value * runs, round(value * runs)) for value in shares)
    return frozenset(shares) if are_shares and values <= {0.0, 1.0, *shares} else frozenset()


def _epochs(score: Score) -> int:
    """Return the number of epochs that each question's value is the mean of, as in Inspect."""
    settings = score.fingerprint or {}
    epochs = _EPOCHS.fullmatch(str(settings.get("epochs")))
    return int(epochs[0]) if epochs and settings.get("reducer") == "mean" else 1


def _average(scores: Sequence[Score]) -> Score:
    first, values = scores[0], tuple(score.value for score in scores)
    averaged = replace(
        first,
        value=mean(values),
        subjects={
            name: replace(subject, value=mean([score.subjects[name].value for score in scores]))
            for name, subject in first.subjects.items()
        },
    )
    columns = [score.instances for score in scores if score.instances is not None]
    if len(columns) < len(scores):
        lacking = next(score for score in scores if score.instances is None)
        return replace(averaged, instances=None, no_instances=lacking.no_instances)
    by_question = [dict(_by_question(one)) for one in columns]
    if any(one.keys() != by_question[0].keys() for one in by_question):
        return replace(averaged, instances=None, no_instances=_OTHER_QUESTIONS)
    answers = [[one[question] for one in by_question] for question in by_question[0]]
    return replace(
        averaged,
        instances=replace(columns[0], value=tuple(map(mean, answers))),
        repeats=Repeats(values=values, within=_within(columns[0], answers, variance(values))),
    )


def _by_question(instances: Instances) -> Iterator[tuple[tuple[object, ...], float]]:
    for place, text, value, _ in iter_rows(instances):
        yield (*place, text), value


def _within(instances: Instances, answers: Sequence[Sequence[float]], between: float) -> float:
    """Return the part of the variance between runs that comes from single answers.

    A question's variance over the runs is that of its answers and that of whole runs; the score's
    is the latter and, of the former, a share that is smaller by the number of questions. Both
    are known, so the two are had from two equations; none is below 0.
    answers: of each question, one a run. between: variance of the runs' scores.
    """
    strata = group_values(zip(instances.stratum, map(variance, answers), strict=True))
    shares = {name: 1 / (len(strata) ** 2 * len(values)) for name, values in strata.items()}
    share = math.fsum(shares.values())
    if share >= 1:
        return 0.0
    both = math.fsum(shares[name] * mean(values) for name, values in strata.items())
    return max(0.0, (both - share * between) / (1 - share))
