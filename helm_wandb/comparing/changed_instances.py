"""Flagged deltas → the instances whose scores changed, the worst first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from helm_wandb.comparing import pairing, repeats, statistics
from helm_wandb.comparing.answer_columns import answers_of
from helm_wandb.comparing.subject_changes import subject_changes
from helm_wandb.comparing.verdicts import Partner
from helm_wandb.model import ChangedInstance, Comparison, Delta, Texts

BenchmarkRun = tuple[str, int, str]
"""The model, its iteration, and the benchmark."""
Place = tuple[str, str, int]
"""Stratum, instance id and train trial, as in `ChangedInstance.place`."""
TextRequests = dict[BenchmarkRun, frozenset[Place]]
TextsByPlace = dict[BenchmarkRun, dict[Place, Texts]]

LIMIT = 1_000
"""Changed instances of all deltas of a report: with texts 0.3 MB of a gzipped report JSON, which
may have 1.5 MB."""


def attach_changed_instances(
    comparisons: Sequence[Comparison], partners: Sequence[Partner], *, limit: int = LIMIT
) -> tuple[Comparison, ...]:
    """Return the comparisons with the subjects and the changed instances of each flagged delta.

    Of their texts they have the answers that the two sides know, as those of a report do.

    partners: the two sides of each comparison.
    limit: changed instances of all deltas. If there are more, the longest lists are shortened.
    """
    lists = [
        [
            _changed_instances(delta, partner) if delta.verdict.is_flagged else None
            for delta in one.deltas
        ]
        for one, partner in zip(comparisons, partners, strict=True)
    ]
    longest = _longest_list([len(items) for several in lists for items in several if items], limit)
    return tuple(
        replace(
            one,
            deltas=tuple(
                delta
                if items is None
                else replace(delta, items=items[:longest], subjects=subject_changes(delta, partner))
                for delta, items in zip(one.deltas, several, strict=True)
            ),
        )
        for one, partner, several in zip(comparisons, partners, lists, strict=True)
    )


def _changed_instances(delta: Delta, partner: Partner) -> tuple[ChangedInstance, ...] | None:
    """Return the pairs whose scores differ: the worse first, and of these the largest change."""
    if delta.key is None:
        return None
    candidate = partner.candidate.scores[delta.key].instances
    baseline = partner.baseline.scores[delta.key].instances
    if candidate is None or baseline is None:
        return None
    flaky_here, flaky_there = (
        repeats.flaky_values(side.scores[delta.key])
        for side in (partner.candidate, partner.baseline)
    )
    answers, before = (
        answers_of(side, delta.key.benchmark) for side in (partner.candidate, partner.baseline)
    )
    changed = (
        ChangedInstance(
            stratum=pair.stratum,
            id=pair.id,
            trial=pair.trial,
            before=pair.baseline,
            after=pair.candidate,
            texts=Texts(answer=answers.get(pair[:3])),
            baseline_answer=before.get(pair[:3]),
            flaky=pair.candidate in flaky_here or pair.baseline in flaky_there,
        )
        for pair in pairing.iter_pairs(candidate, baseline)
        if statistics.difference(pair.candidate, pair.baseline)
    )
    sign = -1 if delta.lower_is_better else 1

    def order(item: ChangedInstance) -> tuple[bool, float]:
        gain = sign * (item.after - item.before)
        return gain > 0, -abs(gain)

    return tuple(sorted(changed, key=order))


def _longest_list(counts: Sequence[int], limit: int) -> int:
    """Return the length to which lists are cut, so that all together have at most `limit`."""
    room = limit
    for at, count in enumerate(sorted(counts)):
        share = room // (len(counts) - at)
        if count > share:
            return share
        room -= count
    return limit


def text_requests(comparisons: Iterable[Comparison], *, of_baseline: bool = False) -> TextRequests:
    """Return the instances whose texts are to be read. of_baseline: of the baseline's runs."""
    requests: dict[BenchmarkRun, set[Place]] = defaultdict(set)
    for one in comparisons:
        side = one.baseline if of_baseline else one
        for delta in one.deltas:
            if delta.key and delta.items:
                run = side.model, side.iteration, delta.key.benchmark
                requests[run].update(item.place for item in delta.items)
    return {run: frozenset(places) for run, places in requests.items()}


def attach_texts(comparisons: Iterable[Comparison], texts: TextsByPlace) -> tuple[Comparison, ...]:
    """Return the comparisons with the texts of their changed instances, if these are known."""
    return _with_items(comparisons, texts, lambda item, own: replace(item, texts=own))


def attach_baseline_texts(
    comparisons: Iterable[Comparison], texts: TextsByPlace
) -> tuple[Comparison, ...]:
    """Return the comparisons with the baseline's answers, if these are known.

    Both sides have the same question and reference, so they are taken if the candidate's aren't
    known.
    """
    return _with_items(comparisons, texts, _with_baseline, of_baseline=True)


def _with_baseline(item: ChangedInstance, before: Texts) -> ChangedInstance:
    own = item.texts
    return replace(
        item,
        texts=Texts(
            input=before.input if own.input is None else own.input,
            reference=before.reference if own.reference is None else own.reference,
            answer=own.answer,
        ),
        baseline_answer=before.answer,
    )


def _with_items(
    comparisons: Iterable[Comparison],
    texts: TextsByPlace,
    attach: Callable[[ChangedInstance, Texts], ChangedInstance],
    *,
    of_baseline: bool = False,
) -> tuple[Comparison, ...]:
    """Return the comparisons, with the texts attached to each changed instance that has some."""

    def changed(delta: Delta, one: Comparison) -> Delta:
        if delta.key is None or delta.items is None:
            return delta
        side = one.baseline if of_baseline else one
        run = texts.get((side.model, side.iteration, delta.key.benchmark), {})
        items = (
            attach(item, run[item.place]) if item.place in run else item for item in delta.items
        )
        return replace(delta, items=tuple(items))

    return tuple(
        replace(one, deltas=tuple(changed(delta, one) for delta in one.deltas))
        for one in comparisons
    )
