"""Retries of requests to GitHub."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from helm_wandb.github_api.faults import TransientError
from helm_wandb.github_api.messages import Cause, GithubError

if TYPE_CHECKING:
    from tenacity import RetryCallState

    from helm_wandb.system.budget import Budget

T = TypeVar("T")

_TRIES = 5
_LIMIT_SECONDS = 60.0
"""The first wait after a rate limit without an end; each further wait is twice as long."""
_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 10.0
_JITTER_SECONDS = 1.0


def retry(call: Callable[[], T], budget: Budget) -> T:
    """Return the call's result, and repeat the call after each TransientError.

    The last error is raised if the wait would be longer than the budget. Raises GithubError.
    """
    # Imported here: only runs that use GitHub pay for it.
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
        # As a plain GithubError, so that no caller retries it again.
        tries = retrying.statistics["attempt_number"]
        raise GithubError(
            error.cause, f"{error}; it was tried {'once' if tries == 1 else f'{tries} times'}"
        ) from error


def _pause_seconds(state: RetryCallState) -> float:
    """Return the wait until the next try, with jitter, so that jobs do not return all at once."""
    from tenacity import wait_exponential_jitter, wait_random  # noqa: PLC0415 -- as above

    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, TransientError) or error.cause is not Cause.LIMITED:
        return wait_exponential_jitter(_FIRST_SECONDS, _LONGEST_SECONDS, jitter=_JITTER_SECONDS)(
            state
        )
    doubled = _LIMIT_SECONDS * 2 ** (state.attempt_number - 1)
    seconds = doubled if error.after_seconds is None else error.after_seconds
    return seconds + wait_random(0, _JITTER_SECONDS)(state)
