"""What every stage of the loop works with: the machine, the ports, and one way to append a record."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from edca.ledger.store import Cell
from edca.runtime import rosters
from edca.runtime.answers import SPACE as KEYS
from edca.runtime.answers import RecordReference
from edca.runtime.cases import SPACE as CASES
from edca.runtime.kinds import IN_CASES, INTAKE, QUERY
from edca.runtime.lanes import Lanes
from edca.runtime.opened import vault_of
from edca.runtime.personal import Plan
from edca.runtime.readers import Readers
from edca.runtime.retries import Schedule, sleep
from edca.runtime.stopping import Stop
from edca.runtime.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edca.kernel.machine import Machine
    from edca.kernel.roster import Roster
    from edca.ledger.record import Draft
    from edca.ledger.sealing import ScopeKey
    from edca.ledger.store import Stored
    from edca.runtime.ports import Clock, Router, Store
    from edca.runtime.retention_rules import RetentionRules
    from edca.runtime.turns import Needs

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record will stand: known before the commit, because cells of the same commit name it."""

    reference: RecordReference
    entry: int


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose the personal values of a record are.

    `scope` is the one they are sealed in where the record is of no case, `asker` who handed them over then. `subject`
    is the person whose case it is, as far as is known. `plans` are those of other machines that the record tells of.
    """

    scope: str | None = None
    asker: str = ""
    subject: str = ""
    plans: tuple[Plan | None, ...] = ()


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
    `retention` are the rules whose classes records name; null: they name none.
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
    retention: RetentionRules | None = None

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

    def asking(self, router: Router) -> Context:
        """Return the context with another router."""
        return Context(
            self.machine,
            router,
            self.store,
            self.opened_with,
            self.clock,
            self.tenant,
            self.schedule,
            self.pause,
            self.inbox_max,
            self.read_within_us,
            self.turns,
            self.lanes,
            self.readers,
            self.interrupted,
            self.stop,
            self.postponed,
            self.adopted,
            self.retention,
        )

    def turns_for(self, works: Sequence[Callable[[], _T]], needs: Needs) -> tuple[_T | Exception, ...]:
        """Do what `turn` does for each of `works`: see `Turns.take_all`."""
        return self.turns.take_all(self.store, works, needs)

    def append(
        self,
        draft: Draft,
        cells: Callable[[Place], Sequence[Cell]],
        also: Sequence[Draft] = (),
        owner: Owner | None = None,
    ) -> RecordReference:
        """Append one record with the cells that go with it, in one transaction, durable once the turn is over.

        `also` are records of other chains that follow from this one, in the same transaction. What is personal in a
        record is sealed under the key of its case; `owner` says more of whose it is. Raises as `turn` does.
        """
        key: ScopeKey | None = None
        plans = [plan for plan in (Plan.of(self.machine), *(owner.plans if owner else ())) if plan is not None]
        if plans:
            key = self._key(draft, owner)
            if key is not None:
                draft = _sealed(draft, key, plans, owner)

        def placed(stored: tuple[Stored, ...]) -> Sequence[Cell]:
            found = cells(Place(RecordReference.to(stored[0]), stored[0].entry))
            return found if key is None else [_sealed_cell(cell, key) for cell in found]

        stored, *_ = self.turn(lambda: self.store.commit([draft, *also], placed))
        return RecordReference.to(stored)

    def _key(self, draft: Draft, owner: Owner | None) -> ScopeKey | None:
        """Return the key that the record's personal values are sealed under, null where it can hold none."""
        vault = vault_of(self.store)
        if vault is None or draft.kind not in (*IN_CASES, QUERY):
            return None
        if draft.chain != INTAKE and draft.kind != QUERY:
            return vault.key_for(draft.chain)
        return None if owner is None or owner.scope is None else vault.key_for(owner.scope)

    def next_entry(self, chain: str) -> int:
        """Return the entry that the next record of `chain` gets."""
        head = self.store.head(chain)
        return 0 if head is None else head[0] + 1


def _sealed(draft: Draft, key: ScopeKey, plans: Sequence[Plan], owner: Owner | None) -> Draft:
    content = dict(draft.content)
    for plan in plans:
        content = plan.marked(content)
    outside = owner is not None and (draft.chain == INTAKE or draft.kind == QUERY)
    return dataclasses.replace(
        draft,
        content=content,
        key=key,
        subject="" if owner is None or outside else owner.subject,
        asker=owner.asker if owner is not None and outside else "",
    )


def _sealed_cell(cell: Cell, key: ScopeKey) -> Cell:
    """Return the write of a cell that may hold what is personal, encrypted."""
    if cell.value is None or cell.space not in (CASES, KEYS):
        return cell
    return Cell(cell.space, cell.key, key.cell(cell.space, cell.key, cell.value))
