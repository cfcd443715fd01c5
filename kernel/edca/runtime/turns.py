"""Turns at the store: those who wait for one at the same time share one durable commit.

Whoever comes while nobody leads becomes the leader: it takes the turns that wait, in the order of their arrival, in one
transaction, each on what those before it have left, and wakes their callers once it is durable. Then the next who waits
leads. There is no thread for it that could die, and a lonely caller pays nothing for the others that might have come.

A turn decides and records, and does no other I/O: as long as it lasts, nobody else may be able to even read the store.

Where several processes write one store, what a turn has read may have been moved by another before it is durable. Then
nothing of it is written, and all who share the commit take their turns again, on what stands by now.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from edca.ledger.errors import LedgerError, StaleError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edca.runtime.ports import Store

_INTERRUPTED = "whoever led this commit was interrupted, and nothing of it was acknowledged; try again"
TRIES_MAX = 24  # how often turns are taken again that others have overtaken
_PAUSE_S = 0.002
SHARING_MAX = 64  # turns that share one commit: the first of them waits for the last
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Needs:
    """What turns will read: cells by space and key, and the newest records of chains."""

    cells: Sequence[tuple[str, str]]
    chains: Sequence[str]


class InterruptedTurnsError(LedgerError):
    """Whoever led was interrupted before the commit that this turn was part of was known to be durable."""


class _Turn(Generic[_T]):
    """One caller's turn. `woken` is held until it is over, or its caller is to lead; `batch` is what its caller led."""

    __slots__ = ("batch", "error", "is_over", "is_taken", "needs", "result", "woken", "work")

    def __init__(self, work: Callable[[], _T]) -> None:
        self.work = work
        self.needs: Needs | None = None
        self.result: _T | None = None
        self.error: BaseException | None = None
        self.batch: Sequence[_Turn[Any]] = ()
        self.is_taken = False  # into somebody's batch
        self.is_over = False
        self.woken = _new_lock()

    def fail(self, error: BaseException) -> None:
        self.result, self.error = None, error

    def wake(self) -> None:
        if self.woken.locked():
            self.woken.release()

    def end(self) -> None:
        self.is_over = True
        self.wake()

    def outcome(self) -> _T:
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[return-value]  # without an error, `work` has returned it


class Turns:
    """The turns at one store. Threads share it."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._lock = threading.Lock()
        self._waiting: deque[_Turn[Any]] = deque()
        self._leader: _Turn[Any] | None = None
        self._running: int | None = None  # the thread that is taking turns just now

    def take(self, store: Store, work: Callable[[], _T]) -> _T:
        """Run `work` when its turn comes, and return what it returns once all that it committed is durable.

        Within a turn it is simply part of that turn. What `work` raises is raised here; then nothing that it committed
        is kept, and the turns beside it go on. Where the commit itself fails, that is raised by all that share it.
        """
        if self._running == threading.get_ident():
            return work()
        turn = _Turn(work)
        self._take(store, (turn,))
        return turn.outcome()

    def take_all(
        self, store: Store, works: Sequence[Callable[[], _T]], needs: Needs | None = None
    ) -> tuple[_T | Exception, ...]:
        """Do what `take` does for each of `works`, in order, from one thread; return what each returns or raises.

        `needs` are cells and heads of chains that they will read, looked up at once when the first of them is taken.
        """
        turns = tuple(_Turn(work) for work in works)
        if turns:
            turns[0].needs = needs
            self._take(store, turns)
        return tuple(turn.result if turn.error is None else turn.error for turn in turns)  # type: ignore[misc]

    def _take(self, store: Store, turns: Sequence[_Turn[Any]]) -> None:
        """Wait for these turns to be over, and lead where it falls to one of them."""
        try:
            with self._lock:
                self._waiting.extend(turns)
                if self._leader is None:
                    self._leader = turns[0]
            for turn in turns:
                if self._leader is not turn and not turn.is_over:
                    turn.woken.acquire()
                if not turn.is_over:
                    self._lead(store, turn)
        except BaseException:
            for turn in turns:
                self._give_up(turn)
            raise

    @property
    def is_running(self) -> bool:
        """Whether this thread is taking a turn."""
        return self._running == threading.get_ident()

    def _lead(self, store: Store, own: _Turn[Any]) -> None:
        """Take the turns that wait, the caller's own first, in one transaction."""
        try:
            with self._lock:
                own.batch = tuple(islice(self._waiting, SHARING_MAX))
                for turn in own.batch:
                    turn.is_taken = True
                    self._waiting.popleft()
            self._running = threading.get_ident()
            _take_together(store, own.batch)
        except Exception as error:
            _fail(own.batch, error)
        except BaseException:
            _fail(own.batch, InterruptedTurnsError(_INTERRUPTED))
            raise
        finally:
            self._finish(own)

    def _finish(self, leader: _Turn[Any]) -> None:
        """Let the next who waits lead, and wake those whose turns are over. Doing it again does no harm."""
        if self._running == threading.get_ident():
            self._running = None
        with self._lock:
            while self._waiting and self._waiting[0] in leader.batch:
                self._waiting.popleft()
            if self._leader is leader:
                self._leader = self._waiting[0] if self._waiting else None
            following = self._leader
        if following is not None and following is not leader:
            following.wake()
        for turn in leader.batch:
            turn.end()

    def _give_up(self, turn: _Turn[Any]) -> None:
        """Leave nothing behind of an interrupted caller that others would wait for."""
        if turn.batch:
            _fail([one for one in turn.batch if not one.is_over], InterruptedTurnsError(_INTERRUPTED))
            self._finish(turn)
            return
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
        if self._leader is turn:
            self._finish(turn)
        elif turn.is_taken and not turn.is_over:
            turn.woken.acquire()  # it is running just now, and what it decides stands


def _new_lock() -> threading.Lock:
    """Return a lock that is held, by whoever it is that will release it."""
    lock = threading.Lock()
    lock.acquire()
    return lock


def _take_together(store: Store, batch: Sequence[_Turn[Any]]) -> None:
    """Take the turns in one transaction, and again as long as others overtake it. Raises what the last try raises."""
    for tried in range(1, TRIES_MAX + 1):
        try:
            with store.group():
                _look_up(store, batch)
                for turn in batch:
                    _run(store, turn)
            return
        except StaleError:
            if tried == TRIES_MAX:
                raise
            for turn in batch:
                turn.result, turn.error = None, None
        time.sleep(_PAUSE_S * min(tried, 10))


def _run(store: Store, turn: _Turn[Any]) -> None:
    try:
        with store.step():
            turn.result = turn.work()
    except StaleError:
        raise  # the whole group is as stale
    except Exception as error:
        turn.fail(error)


def _look_up(store: Store, turns: Sequence[_Turn[Any]]) -> None:
    """Look up at once what these turns will read, as far as they have said so."""
    for turn in turns:
        if turn.needs is not None:
            store.fetch(turn.needs.cells, turn.needs.chains)


def _fail(turns: Sequence[_Turn[Any]], error: Exception) -> None:
    """Tell all whose turn had come out that nothing of it was kept; who has failed already knows why."""
    for turn in turns:
        if turn.error is None:
            turn.fail(error)
