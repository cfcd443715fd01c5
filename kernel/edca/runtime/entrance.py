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
                raise OverloadedError(f"{self._most} candidates are being taken already; try again later")
            self._inside += 1

    def leave(self) -> None:
        """Go out."""
        with self._lock:
            self._inside -= 1

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Be inside during the block. Raises as `enter`."""
        self.enter()
        try:
            yield
        finally:
            self.leave()
