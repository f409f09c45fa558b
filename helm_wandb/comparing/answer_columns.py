"""The column of answers in instances."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from helm_wandb.model import Evaluation, Instances

LONGEST_ANSWER = 200
"""Characters of an answer, at most."""

_Place = tuple[str, str, int]
"""Stratum, instance id and train trial, as in `ChangedInstance.place`."""


def known_answers(instances: Instances) -> dict[_Place, str]:
    """Return the answers that the instances have, by place."""
    if instances.answer is None:
        return {}
    answers = zip(instances.places(), instances.answer, strict=True)
    return {place: answer for place, answer in answers if answer is not None}


def answers_of(one: Evaluation, benchmark: str) -> dict[_Place, str]:
    """Return the answers that the evaluation has of the benchmark, in whichever score's columns."""
    answers: dict[_Place, str] = {}
    for key, score in one.scores.items():
        if key.benchmark == benchmark and score.instances:
            answers = known_answers(score.instances) | answers
    return answers


def with_answers(instances: Instances, answers: Mapping[_Place, str]) -> Instances:
    """Return the instances with these answers only; without the column if they have none."""
    column = tuple(map(answers.get, instances.places()))
    return replace(instances, answer=column if any(column) else None)
