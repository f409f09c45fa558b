"""One key, one server, and a budget of time for all requests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self, TypeVar, cast

from helm_wandb.system.budget import Budget
from helm_wandb.text.redaction import Redactor
from helm_wandb.wandb_runs.sdk import faults
from helm_wandb.wandb_runs.sdk.direct_reader import DirectReader
from helm_wandb.wandb_runs.sdk.messages import (
    NO_TIME,
    Cause,
    Connect,
    Fault,
    FindRuns,
    RemoteRun,
    RequestFor,
    ServiceError,
)
from helm_wandb.wandb_runs.sdk.service import Service

T = TypeVar("T")

BUDGET_SECONDS = 90.0
"""For all that has to do with W&B in a run: guests and baselines, writing, and an offline copy."""
COPY_SECONDS = 30.0
"""The part that requests leave, so that an offline copy can still be kept."""
_QUESTION_SECONDS = 20.0
"""For one question but writing: enough for the SDK to try again after three faults."""
GRACE_SECONDS = 2.0
"""For the SDK to give up by itself, with a reason, before its process is ended."""
_STOP_SECONDS = 3.0
"""For its process to end by itself."""


class Session:
    """W&B as one user sees it. The SDK's process starts with the first question that needs it."""

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        entity: str | None,
        budget: Budget | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        """Send nothing yet.

        entity: None for the key's own. budget: None for BUDGET_SECONDS. redactor: None removes
        the key alone from answers.
        """
        self.base_url = base_url
        self._api_key = api_key
        self._entity = entity
        self.budget = budget or Budget(BUDGET_SECONDS)
        self._redactor = redactor or Redactor((api_key,))
        self._service = Service(self._redactor)
        self._reader = DirectReader(
            base_url=base_url, api_key=api_key, entity=entity, environ=os.environ
        )
        self._connected = False
        self._fault: Fault | None = None

    def __enter__(self) -> Self:
        """The session itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process; nothing is lost by that, as all that was sent was looked at again."""
        with self.budget.spending():
            self._service.stop(seconds=min(_STOP_SECONDS, self.budget.left_seconds))

    @property
    def left_seconds(self) -> float:
        """Seconds that are left for questions."""
        return self.budget.left_seconds - COPY_SECONDS

    @property
    def scratch(self) -> Path:
        """A folder that ends with the process."""
        return self._service.scratch

    def drop(self) -> None:
        """End the process at once, with the runs that it left open; a question starts another."""
        self._service.kill()
        self._connected = False

    def wait(self, seconds: float) -> None:
        """Let some time of the budget pass."""
        self.budget.wait(min(seconds, self.left_seconds))

    def ask(self, request: RequestFor[T]) -> T:
        """Return the answer to the request; raises ServiceError."""
        if isinstance(request, FindRuns) and (runs := self._find(request)) is not None:
            return cast("T", runs)
        self._connect()
        try:
            return self._ask(request, getattr(request, "seconds", _QUESTION_SECONDS))
        except ServiceError:
            self._connected = self._service.running
            raise

    def _find(self, request: FindRuns) -> tuple[RemoteRun, ...] | None:
        """Return the runs that are found without the SDK's process, unless it runs anyway."""
        if self._service.running or self.left_seconds <= 0:
            return None
        runs = self._reader.find(request, self.budget)
        return runs and faults.redact(runs, self._redactor)

    def _connect(self) -> None:
        """Check the key, once: if that failed, nothing is waited for a second time."""
        if self._fault:
            raise ServiceError(self._fault)
        if self._connected:
            return
        request = Connect(
            base_url=self.base_url,
            api_key=self._api_key,
            entity=self._entity,
            seconds=_QUESTION_SECONDS,
        )
        try:
            entity = self._ask(request, _QUESTION_SECONDS)
        except ServiceError as error:
            self._fault = error.fault
            raise
        if not entity:
            self._fault = Fault(Cause.ACCESS, "the key belongs to no entity")
            raise ServiceError(self._fault)
        self._entity = entity
        self._connected = True

    def _ask(self, request: RequestFor[T], seconds: float) -> T:
        """Return the answer, and count its time; raises ServiceError, also if no time is left."""
        with self.budget.spending():
            if self.left_seconds <= 0:
                raise ServiceError(NO_TIME)
            most = min(seconds + GRACE_SECONDS, self.left_seconds)
            return self._service.ask(request, seconds=most)
