"""Where `now` comes from, in microseconds since 1970-01-01T00:00:00Z."""

from __future__ import annotations

import time

from edca.kernel.calendar import parse_time


class SystemClock:
    """The computer's own clock."""

    source = "system"

    def now(self) -> int:
        """Return the present instant."""
        return time.time_ns() // 1000


class FixedClock:
    """A clock that stands still until it is moved: for scenarios, trials and tests."""

    def __init__(self, start: int | str, source: str = "fixed") -> None:
        """Stand at `start`: microseconds, or RFC 3339 text with an offset. Raises `ValueError` for other text."""
        instant = parse_time(start) if isinstance(start, str) else start
        if instant is None:
            raise ValueError(f"`{start}` is no RFC 3339 time with an offset")
        self.source = source
        self._instant = instant

    def now(self) -> int:
        """Return the instant at which the clock stands."""
        return self._instant

    def advance(self, micros: int) -> None:
        """Move on by so many microseconds; a negative number goes back, which the kernel will refuse."""
        self._instant += micros
