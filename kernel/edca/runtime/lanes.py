"""Lanes: those who want the same thing to themselves get it one after the other, in the order of their arrival.

A submission holds the lane of its case from before anything is read until its effects have come out, so that the next
one meets the case as that has left it, and slow cases hold up nobody else.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.runtime.ports import Store

WITHIN_S = 0.25  # how long who has other cases to go on with waits for the lane of one


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
        who holds one waits for another only in the order that `Runtime` keeps to, so no two can wait for each other. A
        route that acts on the kernel from within an effect would break that order: see `edca.runtime.reentry`.
        """
        if name is None:
            yield
            return
        self._enter(name, None)
        try:
            yield
        finally:
            self._leave(name)

    @contextmanager
    def try_hold(self, name: str | None, within_s: float = WITHIN_S) -> Iterator[bool]:
        """Do what `hold` does where that lane is free within so many seconds; tell the block whether it is."""
        is_held = name is None or self._enter(name, within_s)
        try:
            yield is_held
        finally:
            if is_held and name is not None:
                self._leave(name)

    def enter_free(self, name: str) -> bool:
        """Take the lane of that name where nobody has it, this thread included; tell whether it is held now.

        Whoever gets it has to `leave` it, in this thread or in the one that has taken it over.
        """
        with self._lock:
            is_free = name not in self._lanes
            if is_free:
                self._lanes[name] = _Lane(threading.get_ident())
            return is_free

    def take_over(self, name: str) -> None:
        """Hold, in this thread from now on, the lane that another thread has taken and goes on with no more."""
        with self._lock:
            self._lanes[name].holder = threading.get_ident()

    def leave(self, name: str) -> None:
        """Give up a lane that `enter_free` has taken."""
        self._leave(name)

    def _enter(self, name: str, within_s: float | None) -> bool:
        """Wait for the lane, for ever where `within_s` is null; tell whether it is held now."""
        me = threading.get_ident()
        with self._lock:
            lane = self._lanes.get(name)
            if lane is None:
                self._lanes[name] = _Lane(me)
                return True
            if lane.holder == me:
                lane.depth += 1
                return True
            mine = threading.Lock()
            mine.acquire()
            lane.waiting.append((me, mine))
        try:
            if mine.acquire() if within_s is None else mine.acquire(timeout=within_s):
                return True
        except BaseException:  # an interrupted caller leaves no place behind that the others would wait for
            with self._lock:
                is_waiting = (me, mine) in lane.waiting
                if is_waiting:
                    lane.waiting.remove((me, mine))
            if not is_waiting:
                self._leave(name)
            raise
        with self._lock:
            if (me, mine) not in lane.waiting:
                return True  # it was handed over at the last moment
            lane.waiting.remove((me, mine))
            return False

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


_lanes_of: weakref.WeakKeyDictionary[Store, Lanes] = weakref.WeakKeyDictionary()
_lanes_of_lock = threading.Lock()


def lanes_of(store: Store) -> Lanes:
    """Return the lanes of a ledger: all runtimes that have it open share them, for its cases are the same."""
    with _lanes_of_lock:
        return _lanes_of.setdefault(store, Lanes())
