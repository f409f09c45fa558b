"""Marked deltas → the instances whose scores changed, the worst first."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from helm_wandb.comparing import pairing, statistics
from helm_wandb.model import Item, Texts, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from helm_wandb.comparing.verdicts import Partner
    from helm_wandb.model import Comparison, Delta

Whose = tuple[str, int, str]
"""The model, its iteration, and the benchmark that it was asked."""
Place = tuple[str, str, int]
"""Stratum, instance id and train trial, as in `Item.place`."""
Wanted = dict[Whose, frozenset[Place]]
Found = dict[Whose, dict[Place, Texts]]

MARKED = (Verdict.REGRESSED, Verdict.IMPROVED)
MOST = 1_000
"""Items of all deltas of a report together: with texts 0.3 MB of a gzipped report JSON, which
may have 1.5 MB."""


def looked_into(
    comparisons: Sequence[Comparison], partners: Sequence[Partner], *, most: int = MOST
) -> tuple[Comparison, ...]:
    """The comparisons, with the items of each marked delta; their texts are unknown yet.

    partners: what was compared in each.
    most: items of all deltas together. Where there are more, the longest lists are cut alike.
    """
    lists = [
        [_changed(delta, partner) if delta.verdict in MARKED else None for delta in one.deltas]
        for one, partner in zip(comparisons, partners, strict=True)
    ]
    limit = _limit([len(items) for of in lists for items in of if items], most)
    return tuple(
        replace(
            one,
            deltas=tuple(
                delta if items is None else replace(delta, items=items[:limit])
                for delta, items in zip(one.deltas, of, strict=True)
            ),
        )
        for one, of in zip(comparisons, lists, strict=True)
    )


def _changed(delta: Delta, partner: Partner) -> tuple[Item, ...] | None:
    """The pairs whose scores differ: what got worse, then what got better, the largest first."""
    if delta.key is None:
        return None
    candidate = partner.candidate.scores[delta.key].instances
    baseline = partner.baseline.scores[delta.key].instances
    if candidate is None or baseline is None:
        return None
    changed = (
        Item(
            stratum=pair.stratum,
            id=pair.id,
            trial=pair.trial,
            before=pair.baseline,
            after=pair.candidate,
        )
        for pair in pairing.matched(candidate, baseline)
        if statistics.difference(pair.candidate, pair.baseline)
    )
    sign = -1 if delta.lower_is_better else 1

    def order(item: Item) -> tuple[bool, float]:
        gain = sign * (item.after - item.before)
        return gain > 0, -abs(gain)

    return tuple(sorted(changed, key=order))


def _limit(counts: Sequence[int], most: int) -> int:
    """The longest that a list may be, so that all together have no more than `most`."""
    room = most
    for at, count in enumerate(sorted(counts)):
        share = room // (len(counts) - at)
        if count > share:
            return share
        room -= count
    return most


def wanted(comparisons: Iterable[Comparison]) -> Wanted:
    """Of which instances the texts are wanted."""
    found: dict[Whose, set[Place]] = defaultdict(set)
    for one in comparisons:
        for delta in one.deltas:
            if delta.key and delta.items:
                whose = one.model, one.iteration, delta.key.benchmark
                found[whose].update(item.place for item in delta.items)
    return {whose: frozenset(places) for whose, places in found.items()}


def told(comparisons: Iterable[Comparison], found: Found) -> tuple[Comparison, ...]:
    """The comparisons, with the texts of their items, where they were found."""
    return tuple(
        replace(one, deltas=tuple(_told(delta, one, found) for delta in one.deltas))
        for one in comparisons
    )


def _told(delta: Delta, comparison: Comparison, found: Found) -> Delta:
    if delta.key is None or delta.items is None:
        return delta
    texts = found.get((comparison.model, comparison.iteration, delta.key.benchmark), {})
    items = tuple(replace(item, texts=texts.get(item.place, item.texts)) for item in delta.items)
    return replace(delta, items=items)
