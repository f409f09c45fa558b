"""A Report → the pull request comment's Markdown, within a budget of bytes."""

from __future__ import annotations

from helm_wandb.model import Report
from helm_wandb.render.markdown import render_report

LIMIT_BYTES = 65_536
"""GitHub refuses more characters ("maximum is 65536 characters"); bytes are never fewer."""
SINK = "pull request comment"
"""Name of the output that posts it, and of its link in a report."""
_ITEMS = 3
"""Changed questions that are shown of each metric; the job summary has more."""


def render(report: Report, *, limit_bytes: int) -> str:
    """The comment as Markdown of at most `limit_bytes` in UTF-8, saying what was left out.

    Without the marker by which the comment is found again. Empty where not even the verdict
    fits.
    """
    summary = report.provenance.run_url or ""
    links = [(sink, url) for sink, url in report.links.items() if sink != SINK]
    return render_report(
        report,
        links=[*([("job summary", summary)] if summary else []), *links],
        more=summary,
        items=_ITEMS,
        limit_bytes=limit_bytes,
    )
