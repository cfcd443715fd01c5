"""Deadlines: a call that gives no answer in time is left to itself, and what it says later is only put on record."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from edca.ledger.errors import LedgerError
from edca.ledger.record import Draft
from edca.runtime.cases import Row, case_to_data, touched
from edca.runtime.kinds import LATE
from edca.runtime.standing import trusted_row

if TYPE_CHECKING:
    from edca.kernel.canonical import Data
    from edca.ledger.store import Cell
    from edca.runtime.context import Context, Place
    from edca.runtime.ports import Clock, Permit, Report

_POLL_S = 0.05  # how often the clock is looked at while a call takes its time
DETAIL_LENGTH_MAX = 500  # characters of a route's detail that a record keeps
_T = TypeVar("_T")


@dataclass(slots=True)
class _Call(Generic[_T]):
    """One call in a thread of its own. Whoever comes first under `lock`, the answer or the deadline, settles it."""

    work: Callable[[], _T]
    on_late: Callable[[_T], None]
    lock: threading.Lock = field(default_factory=threading.Lock)
    done: threading.Event = field(default_factory=threading.Event)
    answer: _T | None = None
    error: BaseException | None = None
    is_given_up: bool = False

    def run(self) -> None:
        try:
            answer = self.work()
        except BaseException as error:  # it belongs to who waits; who has stopped waiting can do nothing about it
            with self.lock:
                self.error = error
                self.done.set()
            return
        with self.lock:
            if not self.is_given_up:
                self.answer = answer
                self.done.set()
                return
        self.on_late(answer)

    def give_up(self) -> bool:
        """Stop waiting; tell whether that is so, because the answer may have come at the last moment."""
        with self.lock:
            self.is_given_up = not self.done.is_set()
            return self.is_given_up


def call_within(
    work: Callable[[], _T], clock: Clock, now: int, expires: int | None, on_late: Callable[[_T], None]
) -> _T | None:
    """Return what `work` returns, or null where that took until `expires` or the deadline was over before.

    Without a deadline it is simply called. Otherwise it runs in a thread that nothing waits for after the deadline:
    `on_late` gets its answer there. Time is the clock's; but where that stands still, no more real time is waited
    either. Raises what `work` raises in time.
    """
    if expires is None:
        return work()
    if now >= expires:
        return None
    call = _Call(work, on_late)
    over = time.monotonic() + (expires - now) / 1_000_000
    threading.Thread(target=call.run, name="edca-route", daemon=True).start()
    while not call.done.wait(min(_POLL_S, max(0.0, over - time.monotonic()))):
        if (time.monotonic() >= over or clock.now() >= expires) and call.give_up():
            return None
    if call.error is not None:
        raise call.error
    return call.answer


def note_late(context: Context, permit: Permit, undoing: bool, report: Report) -> None:
    """Put on record what a route answered after its deadline. It moves nothing: the case has gone on without it."""
    try:
        with context.lanes.hold(permit.case):  # the case goes on without it first
            context.turn(lambda: _append(context, permit, undoing, report))
    except LedgerError:
        # The ledger was closed meanwhile, or failed: then the route can still be asked, by `reconcile`.
        return


def _append(context: Context, permit: Permit, undoing: bool, report: Report) -> None:
    row = trusted_row(context.store, context.machine, permit.case)
    at = context.clock.now() if row is None else max(row.case.touched, context.clock.now())
    content: dict[str, Data] = {
        "at": at,
        "clock": context.clock.source,
        "tenant": context.tenant,
        "machine": permit.machine,
        "routes": context.router.digest,
        "record": permit.record,
        "place": permit.place,
        "effect": permit.effect,
        "undoing": undoing,
        "key": permit.key,
        "expires": permit.expires,
        "report": report.performed.value,
        "detail": report.detail[:DETAIL_LENGTH_MAX],
        "case": None if row is None else case_to_data(row.case),
    }

    def cells(place: Place) -> list[Cell]:
        return [] if row is None else [Row(touched(row.case, place.entry, at), row.record, row.quarantined).cell()]

    context.append(Draft(permit.case, LATE, content), cells)
