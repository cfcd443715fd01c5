"""What every stage of the loop works with: the machine, the ports, and one way to append a record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from edca.runtime import rosters
from edca.runtime.answers import RecordReference
from edca.runtime.lanes import Lanes
from edca.runtime.readers import Readers
from edca.runtime.retries import Schedule, sleep
from edca.runtime.stopping import Stop
from edca.runtime.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edca.kernel.machine import Machine
    from edca.kernel.roster import Roster
    from edca.ledger.record import Draft
    from edca.ledger.store import Cell, Stored
    from edca.runtime.ports import Clock, Router, Store

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record will stand: known before the commit, because cells of the same commit name it."""

    reference: RecordReference
    entry: int


@dataclass(frozen=True, slots=True)
class Context:
    """The parts a runtime is made of.

    Whatever is written follows from what is read in the same turn (`turn`). Whoever carries something out about a case
    holds its lane of `lanes`. `stop` is set while somebody is halting the machine: from then on nothing more is spent.
    `interrupted` are the cases whose effects somebody began and was torn away from: whoever comes next goes on.
    `postponed` are the open questions that were to be decided anew while their case was taken: the next tick does it.
    `schedule` says how transient faults are tried again, `pause` waits so many microseconds. `inbox_max` is how many
    questions may wait for people. `read_within_us` is how long the sources may take to tell what a decision reads, in
    real time; null: as long as they like. `opened_with` is the roster that the host handed over, see `roster`.
    """

    machine: Machine
    router: Router
    store: Store
    opened_with: Roster
    clock: Clock
    tenant: str
    schedule: Schedule = field(default_factory=Schedule)
    pause: Callable[[int], None] = sleep
    inbox_max: int = 1000
    read_within_us: int | None = None
    turns: Turns = field(default_factory=Turns, repr=False, compare=False)
    lanes: Lanes = field(default_factory=Lanes, repr=False, compare=False)
    readers: Readers = field(default_factory=Readers, repr=False, compare=False)
    interrupted: set[str] = field(default_factory=set, repr=False, compare=False)
    stop: Stop = field(default_factory=Stop, repr=False, compare=False)
    postponed: set[str] = field(default_factory=set, repr=False, compare=False)
    adopted: dict[bytes, Roster] = field(default_factory=dict, repr=False, compare=False)

    @property
    def roster(self) -> Roster:
        """The roster in force: see `edca.runtime.rosters`."""
        chain = rosters.chain_of_rosters(self.tenant, self.machine.name)
        return rosters.in_force(self.store, chain, self.opened_with, self.adopted)

    @property
    def roster_last_read(self) -> Roster:
        """The roster that was in force when it was last looked up: for what must not wait for a turn."""
        return next(reversed(self.adopted.values()), self.opened_with)

    def turn(self, work: Callable[[], _T]) -> _T:
        """Run `work` while nobody else reads or writes the store, and return its result once it is durable.

        It must ask no route: see `edca.runtime.turns`. Raises what `work` raises, and what the store's `commit` raises.
        """
        return self.turns.take(self.store, work)

    def append(
        self, draft: Draft, cells: Callable[[Place], Sequence[Cell]], also: Sequence[Draft] = ()
    ) -> RecordReference:
        """Append one record with the cells that go with it, in one transaction, durable once the turn is over.

        `also` are records of other chains that follow from this one, in the same transaction. Raises as `turn` does.
        """

        def placed(stored: tuple[Stored, ...]) -> Sequence[Cell]:
            return cells(Place(RecordReference.to(stored[0]), stored[0].entry))

        stored, *_ = self.turn(lambda: self.store.commit([draft, *also], placed))
        return RecordReference.to(stored)

    def next_entry(self, chain: str) -> int:
        """Return the entry that the next record of `chain` gets."""
        head = self.store.head(chain)
        return 0 if head is None else head[0] + 1
