"""The W&B output if WANDB_MODE is disabled."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from helm_wandb.model import WANDB, Receipt, Report, Status


class WandbDisabled(Struct, frozen=True, kw_only=True):
    """Records nothing, and says so."""

    name: ClassVar[str] = WANDB

    def deliver(self, _: Report) -> Receipt:
        """Return a receipt that says why nothing was recorded."""
        reason = "nothing was recorded, because WANDB_MODE is disabled"
        return Receipt(sink=self.name, status=Status.SKIPPED, reason=reason)
