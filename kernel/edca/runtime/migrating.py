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
from edca.runtime import config, inbox
from edca.runtime.cases import SPACE, Row, case_to_data, row_from_bytes, touched
from edca.runtime.context import Owner
from edca.runtime.counter_cells import SPACE as COUNTERS
from edca.runtime.counter_cells import Sheet
from edca.runtime.counters import let_go
from edca.runtime.kinds import MIGRATED, MIGRATION
from edca.runtime.migrating_counters import Carrying, carried
from edca.runtime.migration_orders import MigrationError, MigrationStoppedError, Stop, check_order, reason_of
from edca.runtime.personal import Plan
from edca.runtime.records import standing
from edca.runtime.stamps import kernel_stamp
from edca.runtime.standing import trusted_row
from edca.runtime.waiting import SPACE as INBOX
from edca.runtime.waiting import id_of, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from edca.kernel.canonical import Data, Part
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
    for start in range(0, len(ids), TOGETHER_MAX):
        together = ids[start : start + TOGETHER_MAX]
        with context.store.reading():
            fates += [fate for fate, _ in work.look(together)]
        if progress is not None:
            progress(start + len(together), len(ids))
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

    Raises `MigrationError` as `plan` does, and for somebody who may not; nothing has moved then. The order is looked at
    again for whatever moves together: `MigrationStoppedError` where it holds no longer. That, and what the ledger
    raises, ends the run: each case has moved whole or not at all, and calling again goes on.
    """
    work = _Work(context, old, migration)
    run = _Run(text, ordered)
    context.turn(lambda: work.check(run))
    ids = work.ids()
    fates: list[CaseFate] = []
    for start in range(0, len(ids), TOGETHER_MAX):
        together, run = context.turn(partial(work.steps, ids[start : start + TOGETHER_MAX], run))
        fates += together
        if progress is not None:
            progress(min(start + TOGETHER_MAX, len(ids)), len(ids))
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
    """What a run's own record says; where that stands and its roster's digest are null until a case has moved."""

    text: str
    ordered: Ordered
    begun: RecordReference | None = None
    roster: bytes | None = None


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
        """Move those of the cases that can move; before the first goes the record of the run itself.

        All that lets them move is looked at in the same turn, so nothing can have changed by the time they do.
        """
        found = self.look(ids)
        if all(moving is None for _, moving in found):
            return [fate for fate, _ in found], run
        at, authenticated = self.check(run)
        if run.begun is None:
            begun, roster = self._begin(run, at, authenticated), self._context.roster.digest
            run = dataclasses.replace(run, begun=begun, roster=roster)
        return [fate if moving is None else self._move(fate, moving, run) for fate, moving in found], run

    def check(self, run: _Run) -> tuple[int, Authenticated]:
        """Return the time, and how it is known now who orders the run.

        Raises `MigrationError` for somebody who may not, `MigrationStoppedError` once the run has begun.
        """
        context = self._context
        now, roster, begun = context.clock.now(), context.roster, run.begun
        if begun is not None:
            newest = context.store.newest(self._chain)
            if newest is None or newest.digest != begun.digest:
                why = "somebody has begun another run of a migration since: see what it has moved, then migrate again"
                raise MigrationStoppedError(Stop.OTHER_RUN, why)
            if roster.digest != run.roster:
                why = "another roster was adopted since: migrate again, by somebody who may under that one"
                raise MigrationStoppedError(Stop.ROSTER_CHANGED, why)
        try:
            return now, check_order(roster, context.machine, context.tenant, self._migration.digest, run.ordered, now)
        except MigrationError as error:
            if begun is None:
                raise
            why = f"{error}, though it was when the run began: migrate again, by somebody who may"
            raise MigrationStoppedError(Stop.ORDER_ENDED, why) from error

    def look(self, ids: Iterable[str]) -> list[tuple[CaseFate, tuple[Row, Moved] | None]]:
        """Return what would become of each case now, and how it would move if it does.

        A case that is none of the old version any more, since somebody else has moved it, is left out.
        """
        store, asked = self._context.store, _asked(self._context)
        rows = ((id_, trusted_row(store, self._old, id_)) for id_ in ids)
        still = [(id_, row) for id_, row in rows if row is not None and row.case.machine == self._old.digest]
        return [self._look(id_, row, asked.get(id_, ())) for id_, row in still]

    def _look(self, id_: str, row: Row, asked: Sequence[Waiting]) -> tuple[CaseFate, tuple[Row, Moved] | None]:
        case, void = row.case, tuple(self._void(item) for item in asked)
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

    def _begin(self, run: _Run, at: int, authenticated: Authenticated) -> RecordReference:
        """Put on record who moves cases by which map; what limits have counted moves with it."""
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
        earlier = (parse(stored.body).content for stored in context.store.records(chain=self._chain))
        first = is_first(earlier, migration.digest)
        content: dict[str, Data] = {
            "at": at,
            "clock": context.clock.source,
            "tenant": context.tenant,
            "machine": new.digest,
            "roster": context.roster.digest,
            "from": old.digest,
            "migration": migration.digest,
            "map": digest,
            "by": ordered.by,
            "role": ordered.role,
            "authenticated": authenticated.value,
            "signature": ordered.signature,
            "reason": reason_of(ordered),
            "first": first,
        }

        def is_new(record: int) -> bool:
            decided: Any = parse(context.store.read(record).body).content
            return bool(decided["machine"] == new.digest)

        def cells(_: Place) -> list[Cell]:
            counted = context.store.cells(COUNTERS)
            return carried(context.store.cell, counted, Carrying(context.tenant, new, migration, first), is_new)

        return context.append(Draft(self._chain, MIGRATION, content), cells)

    def _move(self, fate: CaseFate, found: tuple[Row, Moved], run: _Run) -> CaseFate:
        """Append the record of one case, with its row, its void questions and what they held reserved."""
        context, (row, moved) = self._context, found
        at, begun = moved.at, run.begun
        if begun is None:
            raise ValueError("no record says who moves the case")
        content: dict[str, Part] = {
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
            "kernel": kernel_stamp(),
        }

        def cells(place: Place) -> Sequence[Cell]:
            sheet = Sheet(context.store.cell)
            for void in fate.void:
                let_go(sheet, context.tenant, context.machine.name, void.candidate)
            closed = [Cell(INBOX, key_of(context.tenant, row.case.id, void.candidate), None) for void in fate.void]
            return [Row(touched(moved.case, place.entry, at)).cell(), *closed, *sheet.cells]

        owner = Owner(plans=(Plan.of(self._old),))
        record = context.append(Draft(row.case.id, MIGRATED, content), cells, owner=owner)
        return dataclasses.replace(fate, record=record)

    def _void(self, item: Waiting) -> Void:
        store = self._context.store
        content: Any = parse(store.read(item.newest).body).content
        opened = store.read(item.opened).digest
        return Void(id_of(opened), opened, content["candidate_digest"])


def is_first(earlier: Iterable[Mapping[str, Any]], migration: bytes) -> bool:
    """Tell whether a run is the first by its map, given what the records of those before it say."""
    return all(content["migration"] != migration for content in earlier)


def _asked(context: Context) -> dict[str, list[Waiting]]:
    """Return the open questions about each case, in order of the records that opened them."""
    found: dict[str, list[Waiting]] = {}
    for item in sorted(inbox.waiting(context.store), key=lambda item: item.opened):
        found.setdefault(parse(context.store.read(item.newest).body).chain, []).append(item)
    return found
