"""A Report → the pull request comment's Markdown, within a budget of bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from helm_wandb.comparing.evaluations import group_by_model
from helm_wandb.model import Comparison, Report, UnmatchedModels, Verdict
from helm_wandb.render.markdown import fit, render_template
from helm_wandb.render.quantities import in_points
from helm_wandb.report import baseline_name, count_regressions, count_verdicts, text_if
from helm_wandb.text.safe_text import Name, link, markdown, plain
from helm_wandb.text.words import count_noun, join_truncated, shorten

LIMIT_BYTES = 65_536
"""GitHub refuses more characters ("maximum is 65536 characters"); bytes are never fewer."""
SINK = "pull request comment"
"""Name of the output that posts it, and of its link in a report."""
_TITLE_LENGTH = 120
"""Characters of the headline, which is what a notification by e-mail shows."""
_LEAST_NAME = 8
"""Characters of a model's name that are worth showing."""
_OPEN_NOTES = 3
"""Notes that are shown; more of them are folded away."""
_INFORMATION = "\N{INFORMATION SOURCE}\N{VARIATION SELECTOR-16}"
_RUN = "Job summary and log"
_MISSING_BASELINE = (
    "There is no baseline to compare with yet. Run this workflow on the base branch, and keep "
    "its report JSON as an artifact; or name a report JSON in the input baseline"
)
_NEW_MODEL = (
    "The baseline has other models. If this model is new or renamed, run this workflow on the base "
    "branch to get its baseline"
)
_NAME_LENGTH = 24
"""Characters of a model's name in the headline, if there are several."""
_REST = "The rest does not fit; the report JSON has all."


def render(report: Report, *, limit_bytes: int) -> str:
    """The comment as Markdown of at most `limit_bytes` in UTF-8, saying what was left out.

    Without the marker by which the comment is found again. Empty where not even the verdict
    fits.
    """
    verdict, baseline = _verdict(report), ", ".join(filter(None, _baseline(report)))
    # The top of the comment says it.
    others = tuple(note for note in report.notes if note != f"Baseline: {baseline}.")
    report = replace(report, notes=others)
    text_of = partial(
        render_template,
        "comment.md.j2",
        report=report,
        verdict=verdict,
        # The headline names the models that the baseline lacks.
        model=""
        if _has_other_models(report)
        else _model(report, room=_TITLE_LENGTH - len(verdict) - len(": ")),
        baseline=_baseline(report),
        missing_baseline=_advice(report),
        links=_links(report),
        open_notes=_OPEN_NOTES,
    )
    return fit(
        report, lambda page: text_of(page=page), least=_least(report), limit_bytes=limit_bytes
    )


def _least(report: Report) -> list[str]:
    """Return the shortest texts: the verdict, with a link to the rest if there is room."""
    title = f"## {markdown(_verdict(report))}\n"
    url = report.provenance.run_url
    linked = [f"{title}\n{markdown(_REST)}\n\n{link(_RUN, url=url)}\n"] if url else []
    return [*linked, f"{title}\n{markdown(_REST)}\n", title]


def _verdict(report: Report) -> str:
    """`❌ HELM: 1 regression, 1 improvement, 10 not distinguishable`: a mark, and its words."""
    mark, words = _marked(report)
    gate, lacking = report.gate, report.not_in_baseline
    if gate and gate.closed and mark != "❌":
        mark, words = "❌", ["job failed", *words]
    words = [
        *words,
        *text_if(report.unread, f"{count_noun(report.unread, 'artifact')} unread"),
        *text_if(report.contradictions, count_noun(report.contradictions, "contradiction")),
        *([_lacking(lacking)] if lacking and report.comparisons else []),
    ]
    is_incomplete = mark == "✅" and (report.unread or report.contradictions)
    has_warning = mark != "❌" and gate is not None and (gate.reasons or gate.warnings)
    if is_incomplete or has_warning:
        mark = "⚠️"
    return f"{mark} HELM: {', '.join(words)}"


def _lacking(lacking: UnmatchedModels) -> str:
    """Return `alpha and 2 more aren't in the baseline`."""
    verb = "isn't" if len(lacking.models) == 1 else "aren't"
    return f"{_first_name(lacking.models)} {verb} in the baseline"


def _first_name(models: Sequence[str]) -> str:
    """Return `alpha and 2 more`; `no model` of none."""
    names = [shorten(plain(Name(model)), _NAME_LENGTH) for model in models[:1]]
    return join_truncated([*names, *models[1:]], 1) or "no model"


def _marked(report: Report) -> tuple[str, list[str]]:
    if not report.comparisons:
        return _uncompared(report)
    counts = count_verdicts(report.comparisons)
    apart = sum(len(one.not_comparable) for one in report.comparisons)
    alike = counts[Verdict.NO_CHANGE] + counts[Verdict.INCONCLUSIVE]
    others = [
        *text_if(alike, f"{alike} not distinguishable"),
        *text_if(counts[Verdict.UNTESTABLE], f"{counts[Verdict.UNTESTABLE]} not testable"),
        *text_if(apart, f"{apart} not comparable"),
    ]
    if not counts:
        return "⚠️", ["nothing could be compared", *others]
    if report.verdict is Verdict.UNTESTABLE:
        return "⚠️", ["no change could be tested", *others]
    accepted = report.gate is not None and report.gate.accepted_by is not None
    regressions, improvements = counts[Verdict.REGRESSED], counts[Verdict.IMPROVED]
    parts = [
        count_regressions(report.comparisons) + (" (accepted)" if accepted and regressions else ""),
        *text_if(improvements, count_noun(improvements, "improvement")),
        *others,
    ]
    if report.verdict in (Verdict.NO_CHANGE, Verdict.INCONCLUSIVE):
        parts[0] += _visible(report)
    return _mark(report.comparisons), parts


def _uncompared(report: Report) -> tuple[str, list[str]]:
    lacking = report.not_in_baseline
    if lacking:
        has = f"which has {_first_name(lacking.baseline_models)}"
        return "⚠️", [f"{_lacking(lacking)}, {has}"]
    words = "no baseline yet" if report.evaluations else "the W&B project's ranking"
    return _INFORMATION, [words]


def _mark(comparisons: Iterable[Comparison]) -> str:
    """Return ❌ for a regression, ⚠️ if those that there are only warn, else ✅."""
    regressed = [delta for one in comparisons for delta in one.regressions]
    if not regressed:
        return "✅"
    return "⚠️" if all(delta.warn_only for delta in regressed) else "❌"


def _visible(report: Report) -> str:
    """` (visible from 2.0–5.8 pp)`: what changes this run could see; empty where unknown."""
    points = sorted(
        100 * delta.mde
        for comparison in report.comparisons
        for delta in comparison.deltas
        if delta.mde is not None and in_points(delta)
    )
    if not points:
        return ""
    least, most = (f"{one:.2g}" if one < 1 else f"{one:.1f}" for one in (points[0], points[-1]))
    return f" (visible from {least if least == most else f'{least}–{most}'} pp)"


def _model(report: Report, *, room: int) -> str:
    """The only model's name, cut to the room, or how many there are; empty without room."""
    models = [*group_by_model(report.evaluations)] or [row.model for row in report.leaderboard.rows]
    if len(models) != 1:
        count = f"{len(models)} models"
        return count if len(count) <= room else ""
    name = plain(Name(models[0]))
    return Name(shorten(name, room)) if room >= min(len(name), _LEAST_NAME) else ""


def _has_other_models(report: Report) -> bool:
    """Whether the baseline has none of this run's models."""
    return report.not_in_baseline is not None and not report.comparisons


def _advice(report: Report) -> str:
    """Return how to get a baseline; empty if there is one, or nothing to compare."""
    if _has_other_models(report):
        return _NEW_MODEL
    return _MISSING_BASELINE if report.evaluations and not report.comparisons else ""


def _baseline(report: Report) -> tuple[str, str]:
    """`main@4be1c02`, and where it was found, in words; empty where that says no more."""
    name = baseline_name(report)
    origins = "; ".join(dict.fromkeys(one.baseline.origin for one in report.comparisons))
    return name, "" if origins == name else origins


def _links(report: Report) -> list[tuple[str, str]]:
    """Where the other texts of this run are."""
    links = [(sink, url) for sink, url in report.links.items() if sink != SINK]
    url = report.provenance.run_url
    return [*links, (_RUN, url)] if url else links
