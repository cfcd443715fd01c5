"""The entrance: so many may be inside at one time, and whoever comes on top of that is sent away at once."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

WAITING_MAX = 1000


class OverloadedError(RuntimeError):
    """As many candidates are being taken as may be. Nothing was looked at, and nothing is on record: try again later.

    This is no verdict. One would need a record, and so a place in the very queue that is full; `code` is what programs
    go by.
    """

    code = "overloaded"


class Entrance:
    """Counts who is inside. Threads share it."""

    def __init__(self, most: int = WAITING_MAX) -> None:
        """Let `most` in at one time. Raises `ValueError` for fewer than one."""
        if most < 1:
            raise ValueError("at least one candidate must be let in at a time")
        self._lock = threading.Lock()
        self._most = most
        self._inside = 0

    def enter(self) -> None:
        """Go in; `leave` must follow. Raises `OverloadedError` where that would be one too many."""
        with self._lock:
            if self._inside >= self._most:
                raise self.overloaded()
            self._inside += 1

    def enter_most(self, count: int) -> int:
        """Let in as many of so many as there is room for, and return how many; `leave` must follow for them."""
        with self._lock:
            let_in = min(count, max(0, self._most - self._inside))
            self._inside += let_in
            return let_in

    def overloaded(self) -> OverloadedError:
        """Return what is raised where one would be too many."""
        return OverloadedError(f"{self._most} candidates are being taken already; try again later")

    def leave(self, count: int = 1) -> None:
        """Go out."""
        with self._lock:
            self._inside -= count

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Be inside during the block. Raises as `enter`."""
        self.enter()
        try:
            yield
        finally:
            self.leave()
