"""Which of GitHub's faults are tried again, when, and until when."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from helm_wandb.github_api.faults import TransientError
from helm_wandb.github_api.messages import Cause, GithubError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenacity import RetryCallState

    from helm_wandb.system.budget import Budget

T = TypeVar("T")

_TRIES = 5
_LIMIT_SECONDS = 60.0
"""The least wait after a limit that does not tell its end; then twice that, and so on."""
_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 10.0
_JITTER_SECONDS = 1.0


def bounded(call: Callable[[], T], budget: Budget, *, seconds: float) -> T:
    """What the call gives; TimeoutError after so many seconds, or when nothing is left.

    A timeout of requests is for each piece of an answer, and none bounds a name's look-up.
    The call is left to itself then, in a thread that does not keep the process from ending.
    """
    future: Future[T] = Future()
    with budget.spending():
        threading.Thread(target=_settle, args=(future, call), daemon=True).start()
        return future.result(timeout=max(0.0, min(seconds, budget.left_seconds)))


def tried(call: Callable[[], T], budget: Budget) -> T:
    """What the call gives, which is tried again after each TransientError.

    It is given up where the wait would be longer than what is left of the budget.
    Raises GithubError.
    """
    # Imported here: only what asks GitHub pays for it.
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt  # noqa: PLC0415

    def is_over(state: RetryCallState) -> bool:
        return stop_after_attempt(_TRIES)(state) or state.upcoming_sleep >= budget.left_seconds

    retrying = Retrying(
        retry=retry_if_exception_type(TransientError),
        wait=_pause_seconds,
        stop=is_over,
        sleep=budget.wait,
        reraise=True,
    )
    try:
        return retrying(call)
    except TransientError as error:
        # No longer one that is tried again, whoever asked for it.
        tries = retrying.statistics["attempt_number"]
        times = "once" if tries == 1 else f"{tries} times"
        raise GithubError(error.cause, f"{error}; it was asked {times}") from error


def _settle(future: Future[T], call: Callable[[], T]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 -- it is raised where the result is asked for
        future.set_exception(error)


def _pause_seconds(state: RetryCallState) -> float:
    """Until the next try, with jitter, so that jobs do not come back all at once."""
    from tenacity import wait_exponential_jitter, wait_random  # noqa: PLC0415 -- as above

    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, TransientError) or error.cause is not Cause.LIMITED:
        return wait_exponential_jitter(_FIRST_SECONDS, _LONGEST_SECONDS, jitter=_JITTER_SECONDS)(
            state
        )
    doubled = _LIMIT_SECONDS * 2 ** (state.attempt_number - 1)
    asked = doubled if error.after_seconds is None else error.after_seconds
    return asked + wait_random(0, _JITTER_SECONDS)(state)
