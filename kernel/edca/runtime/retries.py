"""Trying again: only what a route calls transient, a bounded number of times, and never past the deadline."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.runtime.ports import Performed, Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from edca.kernel.canonical import Data

ATTEMPTS_MAX = 20


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often an effect is attempted in all, and the pauses between attempts, in microseconds.

    Where there are more pauses to make than `delays_us` has, its last one is made again.
    """

    attempts: int = 3
    delays_us: tuple[int, ...] = (200_000, 1_000_000)

    def __post_init__(self) -> None:
        """Raise `ValueError` for a schedule that never begins, hardly ends, or goes back in time."""
        if not 1 <= self.attempts <= ATTEMPTS_MAX:
            raise ValueError(f"a schedule has 1 to {ATTEMPTS_MAX} attempts")
        if any(delay < 0 for delay in self.delays_us) or (self.attempts > 1 and not self.delays_us):
            raise ValueError("a schedule with several attempts says how long to wait between them")

    def delay_us(self, attempt: int) -> int:
        """Return how long to wait after that attempt, counted from 0."""
        return self.delays_us[min(attempt, len(self.delays_us) - 1)]

    def to_data(self) -> dict[str, Data]:
        """Return the schedule as it stands in an outcome's record."""
        return {"attempts": self.attempts, "delays_us": list(self.delays_us)}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of a route, when it began (microseconds UTC), and its answer; null where none came in time."""

    at: int
    report: Report | None


def attempt_all(
    schedule: Schedule,
    expires: int | None,
    now: Callable[[], int],
    pause: Callable[[int], None],
    call: Callable[[int], Report | None],
) -> tuple[Attempt, ...]:
    """Call until the answer is not a transient fault, the schedule ends, or the next attempt would miss the deadline.

    `call` gets the instant and returns null where no answer came in time. It may raise; then so does this.
    """
    attempts: list[Attempt] = []
    while True:
        at = now()
        if attempts and expires is not None and at >= expires:
            return tuple(attempts)
        attempts.append(Attempt(at, call(at)))
        report = attempts[-1].report
        if report is None or report.performed is not Performed.TRANSIENT or len(attempts) == schedule.attempts:
            return tuple(attempts)
        delay = schedule.delay_us(len(attempts) - 1)
        if expires is not None and now() + delay >= expires:
            return tuple(attempts)
        pause(delay)


def sleep(delay_us: int) -> None:
    """Wait so many microseconds."""
    time.sleep(delay_us / 1_000_000)
