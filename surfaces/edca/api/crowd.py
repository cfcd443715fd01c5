"""Candidates of asyncio tasks: those that wait at one time are taken by one thread, together, and answered together.

A thread for each would be handed the interpreter and hand it on at every step, which takes longer than to decide. So a
leader takes all who wait (`Runtime.submit_together`) and tells their tasks in one call into the event loop. What it
gives back, because something is in the way of it or because it has effects, goes on in a thread of its own.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

from edca.runtime.answers import Answer
from edca.runtime.together import Apart, Submission, Unfinished
from edca.runtime.turns import SHARING_MAX

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence
    from contextvars import Context

    from edca.runtime.entrance import Entrance
    from edca.runtime.loop import Runtime

LEADERS = 2  # while the one's commit is on its way to the disk, the other takes in who has come since
APART_AFTER_DELAY = 256  # so many are read for apart once a source has kept others waiting


@dataclass(slots=True)
class _Asked:
    """One task's submission, and where it waits for the answer."""

    submission: Submission
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Answer]
    context: Context = field(default_factory=copy_context)


_Told: TypeAlias = "Answer | BaseException"


class Crowd:
    """Takes the candidates of tasks, so many at one time. Event loops share it."""

    def __init__(self, runtime: Runtime, workers: int, entrance: Entrance) -> None:
        """Take at most `workers` at one time; who has been told leaves `entrance`. Raises `ValueError` for none."""
        if workers < 1:
            raise ValueError("at least one candidate must be taken at a time")
        self._runtime = runtime
        self._workers = workers
        self._entrance = entrance
        self._pool = ThreadPoolExecutor(workers + LEADERS, "edca-async")
        self._changed = threading.Condition()
        self._waiting: deque[_Asked] = deque()
        self._free = workers
        self._leaders = 0
        self._apart = 0  # how many of the next ones are taken apart
        self._is_closed = False

    def submit(self, submission: Submission, loop: asyncio.AbstractEventLoop) -> asyncio.Future[Answer]:
        """Have a candidate taken, and return where its answer will be told. Call it in the event loop's own thread."""
        asked = _Asked(submission, loop, loop.create_future())
        with self._changed:
            if self._is_closed:
                raise RuntimeError("the kernel is closed")
            self._waiting.append(asked)
            self._begin_to_lead()
        return asked.future

    def close(self) -> None:
        """Wait for all who have come, and end the threads. Calling it again does nothing."""
        with self._changed:
            self._is_closed = True
            self._changed.wait_for(lambda: not self._waiting and not self._leaders and self._free == self._workers)
        self._pool.shutdown()

    def _begin_to_lead(self) -> None:
        """Have a thread take who waits, if another is needed and anybody can be taken. The lock is held."""
        if self._waiting and self._free and self._leaders < LEADERS:
            self._leaders += 1
            self._pool.submit(self._lead)

    def _lead(self) -> None:
        try:
            while batch := self._taken():
                self._serve(batch)
        except BaseException:
            with self._changed:
                self._leaders -= 1
                self._begin_to_lead()
                self._changed.notify_all()
            raise

    def _taken(self) -> list[_Asked]:
        """Take those who wait out of the queue, as many as may be; with nobody there, this thread leads no longer."""
        batch: list[_Asked] = []
        with self._changed:
            left = 0
            while self._waiting and len(batch) < min(self._free, SHARING_MAX):
                asked = self._waiting.popleft()
                if asked.future.cancelled():
                    left += 1  # what has not been begun is not begun
                else:
                    batch.append(asked)
            self._free -= len(batch)
            if not batch:
                self._leaders -= 1
                self._changed.notify_all()
        self._entrance.leave(left)
        return batch

    def _serve(self, batch: Sequence[_Asked]) -> None:
        if self._apart > 0:
            self._apart -= len(batch)
            for asked in batch:
                self._go_on(asked, partial(self._submitted, asked))
            return
        try:
            all_came, is_late = self._runtime.submit_together([asked.submission for asked in batch])
        except BaseException as error:
            self._tell([(asked, error) for asked in batch])
            raise
        if is_late:
            self._apart = APART_AFTER_DELAY
        told: list[tuple[_Asked, _Told]] = []
        for asked, came in zip(batch, all_came, strict=True):
            match came:
                case Answer() | Exception():
                    told.append((asked, came))
                case Apart.APART:
                    self._go_on(asked, partial(self._submitted, asked))
                case Unfinished():
                    self._go_on(asked, partial(self._runtime.finish, came))
                case _:
                    assert_never(came)
        self._tell(told)

    def _submitted(self, asked: _Asked) -> Answer:
        one = asked.submission
        return self._runtime.submit(one.payload, one.caller, one.attestations)

    def _go_on(self, asked: _Asked, work: Callable[[], Answer]) -> None:
        """Run `work` for one of them in a thread of its own; it keeps its place until then."""
        self._pool.submit(asked.context.run, self._run, asked, work)

    def _run(self, asked: _Asked, work: Callable[[], Answer]) -> None:
        try:
            told: _Told = work()
        except BaseException as error:  # it belongs to who waits for the answer
            told = error
        self._tell([(asked, told)])

    def _tell(self, told: Sequence[tuple[_Asked, _Told]]) -> None:
        """Tell each task what has come, all tasks of an event loop at once, and let others have their places."""
        loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], _Told]]] = {}
        for asked, came in told:
            loops.setdefault(asked.loop, []).append((asked.future, came))
        self._entrance.leave(len(told))
        with self._changed:
            self._free += len(told)
            self._begin_to_lead()
            self._changed.notify_all()
        for loop, futures in loops.items():
            with suppress(RuntimeError):  # a loop that is closed has nobody who waits
                loop.call_soon_threadsafe(_set, futures)


def _set(futures: Sequence[tuple[asyncio.Future[Any], _Told]]) -> None:
    for future, came in futures:
        if future.done():
            continue  # its task has left
        if isinstance(came, BaseException):
            future.set_exception(came)
        else:
            future.set_result(came)
