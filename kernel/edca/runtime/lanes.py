"""Lanes: those who want the same thing to themselves get it one after the other, in the order of their arrival.

A submission holds the lane of its case from before anything is read until its effects have come out, so that the next
one meets the case as that has left it, and slow cases hold up nobody else.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Lane:
    """Who holds a lane, how many times over, and who waits for it: each until their lock is released."""

    __slots__ = ("depth", "holder", "waiting")

    def __init__(self, holder: int) -> None:
        self.holder = holder
        self.depth = 1
        self.waiting: deque[tuple[int, threading.Lock]] = deque()


class Lanes:
    """Lanes by name. One that nobody holds or waits for takes no room."""

    def __init__(self) -> None:
        """Begin with all lanes free."""
        self._lock = threading.Lock()
        self._lanes: dict[str, _Lane] = {}

    def __len__(self) -> int:
        """Return how many lanes are held."""
        with self._lock:
            return len(self._lanes)

    @contextmanager
    def hold(self, name: str | None) -> Iterator[None]:
        """Have the lane of that name to oneself during the block; without a name it is just the block.

        A thread that holds a lane may hold it again. Nobody waits for a lane during a turn (`edca.runtime.turns`), and
        who holds one waits for another only in the order that `Runtime` keeps to, so no two can wait for each other.
        """
        if name is None:
            yield
            return
        self._enter(name)
        try:
            yield
        finally:
            self._leave(name)

    def _enter(self, name: str) -> None:
        me = threading.get_ident()
        with self._lock:
            lane = self._lanes.get(name)
            if lane is None:
                self._lanes[name] = _Lane(me)
                return
            if lane.holder == me:
                lane.depth += 1
                return
            mine = threading.Lock()
            mine.acquire()
            lane.waiting.append((me, mine))
        try:
            mine.acquire()
        except BaseException:  # an interrupted caller leaves no place behind that the others would wait for
            with self._lock:
                is_waiting = (me, mine) in lane.waiting
                if is_waiting:
                    lane.waiting.remove((me, mine))
            if not is_waiting:
                self._leave(name)
            raise

    def _leave(self, name: str) -> None:
        with self._lock:
            lane = self._lanes[name]
            lane.depth -= 1
            if lane.depth:
                return
            if not lane.waiting:
                del self._lanes[name]
                return
            lane.holder, mine = lane.waiting.popleft()
            lane.depth = 1
            mine.release()
