"""Migrating: the running cases of one version of a machine go on under another, by a checked map, each on record.

Nothing moves by itself: a case runs under the version that its records name until a person with a role that answers for
the machine's transitions has it moved. One record says who moved what by which map (chain `TENANT/#migration:MACHINE`,
kind `migration`), and one in each case's own chain what became of it (kind `migrated`). A case moves whole: a run that
ends in between has moved some and left the others, and the next one goes on with those.
"""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from edca.kernel import canonical
from edca.kernel.migrate import Moved, Mover, NeedsPerson
from edca.kernel.values import to_raw
from edca.ledger.record import Draft, parse
from edca.ledger.store import Cell
from edca.runtime import config, inbox, migrating_counters
from edca.runtime.cases import SPACE, Row, case_to_data, row_from_bytes, touched
from edca.runtime.counters import SPACE as COUNTERS
from edca.runtime.counters import Sheet, let_go
from edca.runtime.kinds import MIGRATED, MIGRATION
from edca.runtime.migration_orders import MigrationError, check_order, reason_of
from edca.runtime.records import standing
from edca.runtime.standing import trusted_row
from edca.runtime.waiting import SPACE as INBOX
from edca.runtime.waiting import id_of, waiting_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edca.kernel.canonical import Data
    from edca.kernel.inputs import Authenticated, Case
    from edca.kernel.machine import Machine
    from edca.kernel.migration import Migration
    from edca.runtime.answers import RecordReference
    from edca.runtime.context import Context, Place
    from edca.runtime.migration_orders import Ordered
    from edca.runtime.waiting import Waiting

    Progress = Callable[[int, int], None]

DOCUMENT: Final = "migration"
TEXT: Final = "map"
TOGETHER_MAX = 16  # cases that share one commit: whoever else comes waits for them


class Fate(enum.Enum):
    """What becomes of a case."""

    MOVES = "moves"
    NEEDS_PERSON = "needs_person"  # the map says so, or what would come of it can't be: the case stays as it is
    PENDING = "pending"  # an effect is under way: it stays until that has an outcome
    QUARANTINED = "quarantined"  # nobody can tell what an effect did: it stays until a person has looked


@dataclass(frozen=True, slots=True)
class Void:
    """A question of a case that is void once the case has moved: its id, the record that opened it, its candidate."""

    question: str
    opened: bytes
    candidate: bytes

    def to_data(self) -> Data:
        """Return it as it stands in records."""
        return {"question": self.question, "opened": self.opened, "candidate": self.candidate}


@dataclass(frozen=True, slots=True)
class CaseFate:
    """What becomes of one case, or has become of it.

    `target` is its state under the new version and `why` why it stays; each is empty where the other is not.
    `untested` are properties that only the next decision can test. `record` is null until it has moved.
    """

    case: str
    fate: Fate
    state: str
    target: str = ""
    why: str = ""
    untested: tuple[str, ...] = ()
    void: tuple[Void, ...] = ()
    record: RecordReference | None = None


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a run came to: its record, null where nothing was left to move, and what became of each case."""

    record: RecordReference | None
    cases: tuple[CaseFate, ...]


def chain_of_migrations(tenant: str, machine: str) -> str:
    """Return the chain of a machine's migrations, by the machine's name. No case has such an id."""
    return f"{tenant}/#migration:{machine}"


def plan(
    context: Context, old: Machine, migration: Migration, progress: Progress | None = None
) -> tuple[CaseFate, ...]:
    """Return what would become of every case of the old version, by id. Nothing is recorded.

    Raises `MigrationError` where the map is not one from `old` to the machine in force, or the ledger has never held
    `old`; `TamperedError` for a case that does not stand where its records left it.
    """
    work = _Work(context, old, migration)
    ids = work.ids()
    fates: list[CaseFate] = []
    for done, id_ in enumerate(ids):
        with context.store.reading():
            fates.append(work.look(id_)[0])
        if progress is not None:
            progress(done + 1, len(ids))
    return tuple(fates)


def migrate(
    context: Context,
    old: Machine,
    migration: Migration,
    text: str,
    ordered: Ordered,
    progress: Progress | None = None,
) -> Migrated:
    """Move every case of the old version that the map lets move; `text` is the map as it was written.

    Raises `MigrationError` as `plan` does, and for somebody who may not; nothing has moved then. What the ledger raises
    ends the run: each case has moved whole or not at all, and calling again goes on.
    """
    work = _Work(context, old, migration)
    now = context.clock.now()
    authenticated = check_order(context.roster, context.machine, context.tenant, migration.digest, ordered, now)
    run = _Run(text, ordered, authenticated, now)
    ids = work.ids()
    fates: list[CaseFate] = []
    for start in range(0, len(ids), TOGETHER_MAX):
        together, run = context.turn(partial(work.steps, ids[start : start + TOGETHER_MAX], run))
        fates += together
        if progress is not None:
            progress(len(fates), len(ids))
    return Migrated(run.begun, tuple(fates))


def case_change(old: Machine, new: Machine, before: Case, after: Case) -> dict[str, Data]:
    """Return what a migration has changed of a case, for people: each part as [before, after]."""
    return {
        "version": [old.version, new.version],
        "revision": [before.revision, after.revision],
        "state": [before.state, after.state],
        "entered": [before.entered, after.entered],
        "memory": [_memory(old, before), _memory(new, after)],
    }


def _memory(machine: Machine, case: Case) -> dict[str, Data]:
    entities = machine.index.entities
    return {slot.name: to_raw(slot.type, case.memory[slot.name], entities) for slot in machine.memory}


@dataclass(frozen=True, slots=True)
class _Run:
    """What a run's own record says, and where it stands: null until a case has moved."""

    text: str
    ordered: Ordered
    authenticated: Authenticated
    at: int
    begun: RecordReference | None = None


class _Work:
    """One run over the cases of one version."""

    def __init__(self, context: Context, old: Machine, migration: Migration) -> None:
        self._context = context
        self._old = old
        self._migration = migration
        try:
            self._mover = Mover(old, context.machine, migration)
        except ValueError as error:
            raise MigrationError(f"{error}: check which versions it names") from error
        if not config.is_held(context.store, "machine", old.digest):
            raise MigrationError(f"the ledger has never held {old.name} {old.version} as this spec has it")
        self._chain = chain_of_migrations(context.tenant, context.machine.name)
        self._asked = _asked(context)

    def ids(self) -> list[str]:
        """Return the cases of the old version, by id.

        A case that has only been refused so far is none of them: it stands where its source says, under any version.
        """
        own = f"{self._context.tenant}/"
        with self._context.store.reading():
            rows = [
                (id_, row_from_bytes(value)) for id_, value in self._context.store.cells(SPACE) if id_.startswith(own)
            ]
        return [id_ for id_, row in rows if row.case.machine == self._old.digest and row.holds_state]

    def steps(self, ids: Sequence[str], run: _Run) -> tuple[list[CaseFate], _Run]:
        """Move those of the cases that can move; before the first goes the record of the run itself."""
        fates: list[CaseFate] = []
        for id_ in ids:
            fate, found = self.look(id_)
            if found is not None:
                begun = run.begun or self._begin(run)
                run = dataclasses.replace(run, begun=begun)
                fate = self._move(fate, found, begun, run)
            fates.append(fate)
        return fates, run

    def look(self, id_: str) -> tuple[CaseFate, tuple[Row, Moved] | None]:
        """Return what would become of a case now, and how it would move if it does."""
        row = trusted_row(self._context.store, self._old, id_)
        if row is None:
            raise MigrationError(f"the ledger holds no case `{id_}`")
        case, void = row.case, tuple(self._void(item) for item in self._questions(id_))
        if case.pending is not None:
            fate = Fate.QUARANTINED if row.quarantined else Fate.PENDING
            why = "nobody can tell what an effect did" if row.quarantined else "an effect has no outcome yet"
            return CaseFate(id_, fate, case.state, why=why, void=void), None
        match self._mover.move(case, max(case.touched, self._context.clock.now())):
            case NeedsPerson(why):
                return CaseFate(id_, Fate.NEEDS_PERSON, case.state, why=why, void=void), None
            case Moved() as moved:
                target, untested = moved.case.state, moved.untested
                found = CaseFate(id_, Fate.MOVES, case.state, target, untested=untested, void=void)
                return found, (row, moved)

    def _begin(self, run: _Run) -> RecordReference:
        """Put on record who moves cases by which map; the first time, what limits have counted moves with it."""
        context, migration, old, new = self._context, self._migration, self._old, self._context.machine
        ordered, written = run.ordered, canonical.encode(run.text)
        digest = canonical.digest(TEXT, written)
        documents = (
            ("machine", old.digest, old.to_bytes()),
            ("machine", new.digest, new.to_bytes()),
            (DOCUMENT, migration.digest, migration.to_bytes()),
            (TEXT, digest, written),
            ("roster", context.roster.digest, canonical.encode(context.roster.to_raw())),
        )
        config.keep(context.store, documents)
        newest = context.store.newest(self._chain)
        content: dict[str, Data] = {
            "at": run.at,
            "clock": context.clock.source,
            "tenant": context.tenant,
            "machine": new.digest,
            "roster": context.roster.digest,
            "from": old.digest,
            "migration": migration.digest,
            "map": digest,
            "by": ordered.by,
            "role": ordered.role,
            "authenticated": run.authenticated.value,
            "signature": ordered.signature,
            "reason": reason_of(ordered),
            "first": is_first(None if newest is None else parse(newest.body).content, migration.digest),
        }

        def cells(_: Place) -> list[Cell]:
            if content["first"] is not True:
                return []
            counted = context.store.cells(COUNTERS)
            return migrating_counters.carried(counted, context.tenant, new.name, migration.limits)

        return context.append(Draft(self._chain, MIGRATION, content), cells)

    def _move(self, fate: CaseFate, found: tuple[Row, Moved], begun: RecordReference, run: _Run) -> CaseFate:
        """Append the record of one case, with its row, its void questions and what they held reserved."""
        context, (row, moved) = self._context, found
        at = moved.at
        content: dict[str, Data] = {
            "at": at,
            "clock": context.clock.source,
            "tenant": context.tenant,
            "machine": context.machine.digest,
            "roster": context.roster.digest,
            "from": self._old.digest,
            "migration": self._migration.digest,
            "begun": begun.digest,
            "by": run.ordered.by,
            "case": case_to_data(row.case),
            "after": standing(moved.case),
            "change": case_change(self._old, context.machine, row.case, moved.case),
            "untested": list(moved.untested),
            "void": [void.to_data() for void in fate.void],
        }

        def cells(place: Place) -> Sequence[Cell]:
            sheet = Sheet(context.store.cell)
            for void in fate.void:
                let_go(sheet, context.tenant, context.machine.name, void.candidate)
            closed = [Cell(INBOX, item.key, None) for item in self._questions(row.case.id)]
            return [Row(touched(moved.case, place.entry, at)).cell(), *closed, *sheet.cells]

        record = context.append(Draft(row.case.id, MIGRATED, content), cells)
        return dataclasses.replace(fate, record=record)

    def _questions(self, id_: str) -> list[Waiting]:
        """Return the case's open questions, in order of the records that opened them."""
        store = self._context.store
        found = ((key, store.cell(INBOX, key)) for key in self._asked.get(id_, ()))
        items = [waiting_of(key, value) for key, value in found if value is not None]
        return sorted(items, key=lambda item: item.opened)

    def _void(self, item: Waiting) -> Void:
        store = self._context.store
        content: Any = parse(store.read(item.newest).body).content
        opened = store.read(item.opened).leaf.body_digest
        return Void(id_of(opened), opened, content["candidate_digest"])


def is_first(newest: Any, migration: bytes) -> bool:
    """Tell whether a run is the first by its map, given the newest record of a migration: the others only go on."""
    return newest is None or newest["migration"] != migration


def _asked(context: Context) -> dict[str, list[str]]:
    """Return the keys of the open questions about each case."""
    found: dict[str, list[str]] = {}
    with context.store.reading():
        for item in inbox.waiting(context.store):
            found.setdefault(parse(context.store.read(item.newest).body).chain, []).append(item.key)
    return found
