"""Answers that a report keeps, so that a later run can show its baseline's.

They are those of each model's latest iteration, once a benchmark, within a budget: a report with
them is still small enough for an artifact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

from msgspec.structs import replace

from helm_wandb.comparing.answer_columns import LONGEST_ANSWER, answers_of, with_answers
from helm_wandb.comparing.changed_instances import BenchmarkRun, Place, TextRequests, TextsByPlace
from helm_wandb.comparing.evaluations import latest
from helm_wandb.model import Evaluation, Instances, ScoreKey
from helm_wandb.text.words import shorten_middle

MOST_BYTES = 1_000_000
"""Answers of a model, at most, which a workflow's artifact packs to some 0.4 MB."""
LENGTHS = (LONGEST_ANSWER, 100, 50)
"""Characters of an answer: the first of these with which all of a model's fit."""

_Answers = dict[str, dict[Place, str]]
"""Benchmark → the answers of its instances."""


def answer_requests(evaluations: Iterable[Evaluation]) -> TextRequests:
    """Return the instances of each model's latest iteration whose answers aren't known."""
    requests: dict[BenchmarkRun, frozenset[Place]] = {}
    for one in latest(evaluations):
        answers = _known(one)
        for benchmark, instances in _answerable(one).items():
            if not answers[benchmark]:
                run = one.model, one.iteration, benchmark
                requests[run] = frozenset(instances.places())
    return requests


def attach_answers(
    evaluations: Sequence[Evaluation],
    texts: TextsByPlace,
    *,
    redact: Callable[[str], str] = str,
) -> tuple[tuple[Evaluation, ...], tuple[str, ...]]:
    """Return the evaluations with the answers of each model's latest iteration, and notes.

    A note names a model whose answers are more than a report keeps.
    redact: removes secrets, which a model's server may have answered instead.
    """
    redact = cache(redact)
    attached: dict[tuple[str, int], Evaluation] = {}
    notes: list[str] = []
    for one in latest(evaluations):
        answers = {
            name: {place: redact(text) for place, text in (known | _read(one, name, texts)).items()}
            for name, known in _known(one).items()
        }
        kept = _shortened(answers)
        if kept is None:
            kept = {}
            notes.append(
                f"The report has no answers of {one.model}: even cut to {LENGTHS[-1]} characters "
                f"each, they are larger than {MOST_BYTES / 1e6:.0f} MB. A later run can't show "
                "them next to its own."
            )
        attached[one.model, one.iteration] = _with_answers(one, kept)
    return tuple(attached.get((one.model, one.iteration), one) for one in evaluations), tuple(notes)


def _answerable(one: Evaluation) -> dict[str, Instances]:
    """Return each benchmark with the instances that may have its answers: its first score's."""
    return {key.benchmark: instances for key, instances in reversed(_instances(one))}


def _instances(one: Evaluation) -> list[tuple[ScoreKey, Instances]]:
    return [(key, score.instances) for key, score in one.scores.items() if score.instances]


def _known(one: Evaluation) -> _Answers:
    """Return the answers that the evaluation has, as one that was read of a report."""
    return {name: answers_of(one, name) for name in _answerable(one)}


def _read(one: Evaluation, benchmark: str, texts: TextsByPlace) -> dict[Place, str]:
    """Return the answers among the texts that were read."""
    of_run = texts.get((one.model, one.iteration, benchmark), {})
    return {place: text.answer for place, text in of_run.items() if text.answer is not None}


def _shortened(answers: _Answers) -> _Answers | None:
    """Return the answers, as long as the budget allows; None if they can't be short enough."""
    for length in LENGTHS:
        cut = {
            name: {place: shorten_middle(text, length) for place, text in of_benchmark.items()}
            for name, of_benchmark in answers.items()
        }
        if sum(len(text.encode()) for one in cut.values() for text in one.values()) <= MOST_BYTES:
            return cut
    return None


def _with_answers(one: Evaluation, answers: Mapping[str, Mapping[Place, str]]) -> Evaluation:
    """Return the evaluation with these answers, each benchmark's at its first score only."""
    first = _answerable(one)
    scores = dict(one.scores)
    for key, instances in _instances(one):
        own = answers.get(key.benchmark, {}) if instances is first[key.benchmark] else {}
        scores[key] = replace(scores[key], instances=with_answers(instances, own))
    return replace(one, scores=scores)
