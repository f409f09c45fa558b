"""The time that a task may take."""

from __future__ import annotations

from helm_wandb.system.budget import Budget


class Clock:
    """A clock that advances on command, or by sleeping."""

    def __init__(self) -> None:
        """Begin at some time."""
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


def test_only_spent_time_counts() -> None:
    """Blocks are added up, and what lies between them is not counted."""
    clock = Clock()
    budget = Budget(90, clock=clock)
    for _ in range(2):
        clock.sleep(1000)
        with budget.spending():
            clock.sleep(10)

    assert 70 == budget.left_seconds


def test_what_is_left_is_known_at_any_time() -> None:
    """Within a block too, and a block inside another one counts once."""
    clock = Clock()
    budget = Budget(90, clock=clock)
    with budget.spending():
        clock.sleep(10)
        with budget.spending():
            clock.sleep(10)
            assert 70 == budget.left_seconds
        clock.sleep(100)

        assert -30 == budget.left_seconds
    assert -30 == budget.left_seconds


def test_a_block_that_fails_counts() -> None:
    """Time that a fault took is spent."""
    clock = Clock()
    budget = Budget(90, clock=clock)
    try:
        with budget.spending():
            clock.sleep(10)
            raise KeyError  # noqa: TRY301 -- any fault
    except KeyError:
        pass

    assert 80 == budget.left_seconds


def test_a_wait_is_no_longer_than_what_is_left() -> None:
    """It counts, and without anything left it does not wait."""
    clock = Clock()
    budget = Budget(90, clock=clock, sleep=clock.sleep)
    for seconds in (80, 80, 80):
        budget.wait(seconds)

    assert (0, 1090) == (budget.left_seconds, clock.now)
