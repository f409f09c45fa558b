"""The comments of all pull requests that have the evaluated head; mostly there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from helm_wandb.errors import SinkError
from helm_wandb.model import Provenance, Receipt, Report, Status
from helm_wandb.pr_comment.sticky_comment import PullRequestComment


class PullRequestComments(Struct, frozen=True):
    """Writes a report into the conversations of pull requests, of which one has one receipt."""

    name: ClassVar[str] = PullRequestComment.name

    each: tuple[PullRequestComment, ...]
    """One or more."""

    def deliver(self, report: Report) -> Receipt:
        """Write all comments; raises SinkError, after all were tried, if one failed."""
        return self._written(lambda one: one.deliver(report))

    def deliver_unread(self, problems: Sequence[str], provenance: Provenance) -> Receipt:
        """Update existing comments after a run that could read nothing; raises as deliver."""
        return self._written(lambda one: one.deliver_unread(problems, provenance))

    def _written(self, write: Callable[[PullRequestComment], Receipt]) -> Receipt:
        receipts, faults = [], []
        for one in self.each:
            try:
                receipts.append((one, write(one)))
            except SinkError as error:
                faults.append((one, ". ".join(error.lines)))
        if faults:
            raise SinkError("; ".join(self._labelled(faults)))
        written = [receipt for _, receipt in receipts]
        first = next((one for one in written if one.status is Status.DONE), written[0])
        reasons = [(one, receipt.reason) for one, receipt in receipts if receipt.reason]
        warnings = dict.fromkeys(text for receipt in written for text in receipt.warnings)
        return replace(
            first, reason="; ".join(self._labelled(reasons)) or None, warnings=tuple(warnings)
        )

    def _labelled(self, texts: Iterable[tuple[PullRequestComment, str]]) -> list[str]:
        """Return the texts, each with its pull request if there are several."""
        if len(self.each) == 1:
            return [text for _, text in texts]
        return [f"pull request {one.pull_request.number}: {text}" for one, text in texts]
