"""Input, target and answer of a few instances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from helm_wandb.comparing.changed_instances import Place, TextRequests, TextsByPlace
from helm_wandb.harness.files import Files
from helm_wandb.harness.snippets import both_ends, text_end
from helm_wandb.harness.texts import TextTask, collect_texts, requested_runs
from helm_wandb.model import Texts
from helm_wandb.sources.inspect.entry import InspectEval
from helm_wandb.sources.inspect.formats import Sample
from helm_wandb.sources.inspect.instances import short_ids
from helm_wandb.sources.inspect.log_files import open_log, open_logs
from helm_wandb.sources.inspect.messages import input_text, target_text
from helm_wandb.sources.inspect.reader import Found, Output


class ModelOutput(msgspec.Struct):
    """What the model wrote."""

    completion: Any = None


class AnsweredSample(Sample):
    """A sample, with the model's output."""

    output: ModelOutput | None = None


def read(
    spec: InspectEval, *, folder: Path, wanted: TextRequests, only_answers: bool = False
) -> tuple[TextsByPlace, tuple[str, ...]]:
    """Return the texts of the wanted instances in the entry's logs, and what cannot be read.

    folder: what a relative `inspect_log_dir` is relative to.
    """
    return collect_texts(spec, folder, open_logs, partial(_tasks, spec, wanted), only_answers)


def _tasks(spec: InspectEval, wanted: TextRequests, files: Files) -> Iterator[TextTask]:
    """Yield a task for each log that holds wanted instances."""
    for run, found in requested_runs(Output.read(spec, files), wanted):
        yield run, partial(_texts, files, found, wanted[run])


def _texts(files: Files, found: list[Found], places: frozenset[Place]) -> dict[Place, Texts]:
    """Return the texts of the log's samples; raise ArtifactError if it cannot be read."""
    scorers = {one.named.score.scorer or one.named.score.name for one in found}
    by_sample: dict[str, dict[int, Texts]] = defaultdict(dict)
    with open_log(files, found[0].log.path) as log:
        for sample in log.samples(AnsweredSample):
            by_sample[str(sample.id)][sample.epoch] = _of_sample(sample, scorers)
    ids = short_ids(by_sample)
    by_place = {
        (ids[identity], trial): texts
        for identity, epochs in by_sample.items()
        for trial, texts in (*epochs.items(), (0, _of_epochs(list(epochs.values()))))
    }
    return {place: by_place[place[1:]] for place in places if place[1:] in by_place}


def _of_sample(sample: AnsweredSample, scorers: Collection[str]) -> Texts:
    text, reference = input_text(sample), target_text(sample)
    answer = _answer(sample, scorers)
    return Texts(
        input=text_end(text) if text else None,
        reference=both_ends(reference) if reference else None,
        answer=both_ends(answer) if answer else None,
    )


def _of_epochs(epochs: list[Texts]) -> Texts:
    """Return the texts of a question, with each of its answers once."""
    answers = dict.fromkeys(one.answer for one in epochs if one.answer)
    return replace(epochs[0], answer=both_ends(" | ".join(answers)) if answers else None)


def _answer(sample: AnsweredSample, scorers: Collection[str]) -> str | None:
    """Return the answer that a scorer found in the output, or else the output."""
    found = [score.answer for name, score in (sample.scores or {}).items() if name in scorers]
    completion = sample.output.completion if sample.output else None
    return next((text for text in (*found, completion) if isinstance(text, str)), None)
