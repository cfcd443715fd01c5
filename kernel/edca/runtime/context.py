"""What every stage of the loop works with: the machine, the ports, and one way to append a record."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edca.ledger.record import body_digest, seal
from edca.runtime.answers import RecordReference
from edca.runtime.retries import Schedule, sleep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edca.kernel.machine import Machine
    from edca.kernel.roster import Roster
    from edca.ledger.record import Draft
    from edca.ledger.store import Cell
    from edca.runtime.ports import Clock, Router, Store

_FIRST_PREV = bytes(32)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record will stand: known before the commit, because cells of the same commit name it."""

    reference: RecordReference
    entry: int


@dataclass(frozen=True, slots=True)
class Context:
    """The parts a runtime is made of.

    Whoever appends holds `lock`. `stop` is set while somebody is halting the machine and waits for that lock: from then
    on nothing more is spent. `schedule` says how transient faults are tried again, `pause` waits so many microseconds.
    `inbox_max` is how many questions may wait for people.
    """

    machine: Machine
    router: Router
    store: Store
    roster: Roster
    clock: Clock
    tenant: str
    schedule: Schedule = field(default_factory=Schedule)
    pause: Callable[[int], None] = sleep
    inbox_max: int = 1000
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False, compare=False)
    stop: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)

    def append(
        self, draft: Draft, cells: Callable[[Place], Sequence[Cell]], also: Sequence[Draft] = ()
    ) -> RecordReference:
        """Append one record with the cells that go with it, in one transaction, durable on return.

        `also` are records of other chains that follow from this one, in the same transaction.

        Raises what the store's `commit` raises, and `RuntimeError` where somebody else writes this store too.
        """
        head = self.store.head(draft.chain)
        entry, prev = (0, _FIRST_PREV) if head is None else (head[0] + 1, head[1])
        reference = RecordReference(self.store.size, body_digest(seal(draft, entry, prev)))
        stored, *_ = self.store.commit([draft, *also], cells(Place(reference, entry)))
        if RecordReference(stored.index, stored.digest) != reference:
            raise RuntimeError("a second runtime writes to this ledger; close both, and open one")
        return reference

    def next_entry(self, chain: str) -> int:
        """Return the entry that the next record of `chain` gets."""
        head = self.store.head(chain)
        return 0 if head is None else head[0] + 1
