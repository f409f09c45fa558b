"""Prompt, target and answer of a few instances.

Formats: as in `samples`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from helm_wandb.comparing.changed_instances import Place, TextRequests, TextsByPlace
from helm_wandb.harness.files import Files
from helm_wandb.harness.output import open_output
from helm_wandb.harness.snippets import both_ends, text_end
from helm_wandb.harness.texts import TextTask, collect_texts, requested_runs
from helm_wandb.model import Texts
from helm_wandb.sources.lm_eval.entry import LmEval
from helm_wandb.sources.lm_eval.instances import task_and_document
from helm_wandb.sources.lm_eval.reader import Found, Output
from helm_wandb.sources.lm_eval.samples import Sample, decode_raw, iter_samples, prompt


class AnsweredSample(Sample, gc=False):
    """A line, with what is shown of it."""

    arguments: msgspec.Raw = msgspec.Raw()
    target: Any = None
    filtered_resps: msgspec.Raw = msgspec.Raw()


def read(
    spec: LmEval, *, folder: Path, wanted: TextRequests, only_answers: bool = False
) -> tuple[TextsByPlace, tuple[str, ...]]:
    """Return the texts of the wanted instances in the entry's output, and what cannot be read.

    folder: what a relative `lm_eval_output_dir` is relative to.
    """
    return collect_texts(spec, folder, open_output, partial(_tasks, spec, wanted), only_answers)


def _tasks(spec: LmEval, wanted: TextRequests, files: Files) -> Iterator[TextTask]:
    """Yield a task for each file that holds wanted instances."""
    for evaluated, found in requested_runs(Output.read(spec, files), wanted):
        for path, places in _files(found, wanted[evaluated]).items():
            yield evaluated, partial(_texts, files, path, places, _filters(found))


def _files(found: list[Found], places: frozenset[Place]) -> dict[str, dict[str, Place]]:
    """Return the samples files that hold the places, each with its documents."""
    runs = {leaf: one.run for one in found for leaf in one.leaves}
    files: dict[str, dict[str, Place]] = defaultdict(dict)
    for place in places:
        task, document = task_and_document(*place[:2])
        if task in runs:
            files[runs[task].samples_path(task)][document] = place
    return files


def _filters(found: list[Found]) -> frozenset[str]:
    return frozenset(one.key.partition(",")[2] for one in found)


def _texts(
    files: Files, path: str, places: Mapping[str, Place], filters: frozenset[str]
) -> dict[Place, Texts]:
    """Return the texts of the file's documents, by the first of the filters.

    Raises ArtifactError if the file cannot be read.
    """
    texts: dict[Place, Texts] = {}
    for sample in iter_samples(files, path, AnsweredSample):
        place = places.get(str(sample.doc_id))
        if place is None or place in texts or sample.filter not in {None, *filters}:
            continue
        arguments = decode_raw(sample.arguments)
        options = _options(arguments)
        text = prompt(arguments)
        reference = _reference(sample.target, options)
        answer = _answer(decode_raw(sample.filtered_resps), options)
        texts[place] = Texts(
            input=text and text_end(text),
            reference=reference and both_ends(reference),
            answer=answer and both_ends(answer),
        )
    return texts


def _options(arguments: object) -> list[str]:
    """Return the continuations whose likelihoods were computed; none if text was generated."""
    requests = arguments.values() if isinstance(arguments, dict) else ()
    options = [one.get("arg_1") if isinstance(one, dict) else None for one in requests]
    return [option for option in options if isinstance(option, str)]


def _reference(target: object, options: list[str]) -> str | None:
    """Return the target; of several options, the one that it numbers."""
    text = target if isinstance(target, str) else None
    if text is not None and text.isdecimal() and len(options) > 1:
        number = int(text[:9])
        return options[number] if number < len(options) else text
    return text


def _answer(responses: object, options: list[str]) -> str | None:
    """Return the text that was generated, or the likeliest of several options."""
    several = responses if isinstance(responses, list) else [responses]
    if len(several) == len(options) > 1:
        likelihoods = [_likelihood(one) for one in several]
        return options[likelihoods.index(max(likelihoods))]
    while isinstance(several, list) and several and not options:
        several = several[0]
    return several if isinstance(several, str) else None


def _likelihood(response: object) -> float:
    first = response[0] if isinstance(response, list) and response else None
    try:
        return float(str(first))
    except ValueError:
        return float("-inf")
