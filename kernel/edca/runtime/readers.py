"""Threads that read, for calls that are waited for only so long.

A thread that hangs in a source can't be stopped, only left behind. There are so many and no more: while all of them
hang, the next call is late at its deadline without having begun.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

READERS_MAX = 64
_IDLE_S = 10.0  # a thread that has had nothing to do for so long ends
_T = TypeVar("_T")


class LateError(Exception):
    """A call gave no answer in time."""


class _Call(Generic[_T]):
    """One call. `is_running` is held until it has come out."""

    __slots__ = ("answer", "error", "is_running", "work")

    def __init__(self, work: Callable[[], _T]) -> None:
        self.work = work
        self.answer: _T | None = None
        self.error: BaseException | None = None
        self.is_running = threading.Lock()
        self.is_running.acquire()

    def run(self) -> None:
        try:
            self.answer = self.work()
        except BaseException as error:  # it belongs to who waits; who has stopped waiting can do nothing about it
            self.error = error


class Readers:
    """Threads that are begun when they are needed, and end when they are not. Threads share it."""

    def __init__(self, most: int = READERS_MAX) -> None:
        """Begin with no thread; there will be `most` at one time."""
        self._free = threading.Semaphore(most)
        self._lock = threading.Lock()
        self._idle = 0  # threads that wait, less the calls that already count on one of them
        self._calls: queue.SimpleQueue[_Call[Any]] = queue.SimpleQueue()

    def call(self, work: Callable[[], _T], within_s: float) -> _T:
        """Return what `work` returns. Raises what it raises, and `LateError` where there is no answer in time."""
        until = time.monotonic() + within_s
        call = self._begin(work, within_s)
        if not call.is_running.acquire(timeout=max(0.0, until - time.monotonic())):
            raise LateError
        if call.error is not None:
            raise call.error
        return call.answer  # type: ignore[return-value]  # without an error, `work` has returned it

    def call_while(self, work: Callable[[], None], has_gone_on: Callable[[], bool], every_s: float) -> bool:
        """Run `work` as long as it goes on, which is asked every so many seconds; tell whether it came to its end.

        Raises what it raises, and `LateError` where no thread is free in that time.
        """
        call = self._begin(work, every_s)
        while not call.is_running.acquire(timeout=every_s):
            if not has_gone_on():
                return False
        if call.error is not None:
            raise call.error
        return True

    def _begin(self, work: Callable[[], _T], within_s: float) -> _Call[_T]:
        """Have a thread run `work`. Raises `LateError` where none is free in time."""
        if within_s <= 0 or not self._free.acquire(timeout=within_s):
            raise LateError
        call = _Call(work)
        with self._lock:
            begins = not self._idle
            self._idle -= not begins
        if begins:
            threading.Thread(target=self._serve, args=(call,), name="edca-reader", daemon=True).start()
        else:
            self._calls.put(call)
        return call

    def _serve(self, call: _Call[Any]) -> None:
        while True:
            call.run()
            with self._lock:
                self._idle += 1
            self._free.release()
            call.is_running.release()  # last: whoever waited may call again at once, and finds this thread idle
            try:
                call = self._calls.get(timeout=_IDLE_S)
            except queue.Empty:
                with self._lock:
                    if self._idle:
                        self._idle -= 1
                        return
                call = self._calls.get()  # somebody has counted on this thread just now
