"""Counters between decisions: their cells, and what verdicts, outcomes and observations make of them.

A counter's cell has the key `digest("counter", [tenant, machine, transition, limit, key])` in hex; its value names the
same five and holds the passages. A second cell for each escalated candidate says which counters hold its reservations,
so that they end however the candidate is decided next.

The same functions move the cells of a store and those that are built anew (`edca.runtime.rebuild`) from the
records alone. A cell is believed as far as the two agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edca.kernel import canonical
from edca.kernel.candidate import Malformed
from edca.kernel.counting import Counter, Passage, Standing, ends_at, limit_of, offered_of, scale_of
from edca.kernel.decide import counters_wanted
from edca.kernel.values import to_raw
from edca.kernel.verdict import Accepted, Escalated
from edca.ledger.errors import TamperedError
from edca.ledger.record import RECORD_SIZE_MAX
from edca.ledger.store import Cell
from edca.runtime.answers import Outcome
from edca.runtime.waiting import is_passing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edca.kernel.candidate import Candidate
    from edca.kernel.canonical import Data
    from edca.kernel.inputs import Case, CounterKey, Inputs
    from edca.kernel.machine import Machine
    from edca.kernel.values import Raw
    from edca.kernel.verdict import Move, Verdict

SPACE = "counter"
HELD = "reservation"
PASSAGES_MAX = 20_000  # of one counter within its window; beyond it the counter is unknown, and its limit refuses


@dataclass(frozen=True, slots=True)
class Name:
    """Which counter: of which limit (its transition's id and its code), and for which values of its keys."""

    tenant: str
    machine: str
    transition: str
    code: str
    key: tuple[Raw, ...]
    _cell_key: str | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def parts(self) -> list[Data]:
        """The name as canonical data."""
        return [self.tenant, self.machine, self.transition, self.code, list(self.key)]

    @property
    def cell_key(self) -> str:
        """The key of the counter's cell."""
        if self._cell_key is None:  # asked for whenever the counter is read or written
            found = canonical.digest("counter", canonical.encode(self.parts)).hex()
            object.__setattr__(self, "_cell_key", found)
        return self._cell_key  # type: ignore[return-value]  # it is there now


class _Known:
    """Counters by their cells, as they were written: what one decision writes, the next one of the counter reads."""

    SIZE_MAX = RECORD_SIZE_MAX  # bytes of all cells

    def __init__(self) -> None:
        self._found: dict[bytes, tuple[Name, Counter]] = {}
        self._size = 0

    def get(self, encoded: bytes) -> tuple[Name, Counter] | None:
        return self._found.get(encoded)

    def put(self, encoded: bytes, name: Name, counter: Counter) -> None:
        self._size += len(encoded)
        if self._size > self.SIZE_MAX:
            self._found, self._size = {}, len(encoded)
        self._found[encoded] = name, counter


_known = _Known()


class Sheet:
    """The counters while one record moves them: read from cells, changed in memory, written as cells again."""

    def __init__(self, read: Callable[[str, str], bytes | None]) -> None:
        """Begin with what `read` gives for (space, key)."""
        self._read = read
        self._written: dict[tuple[str, str], bytes | None] = {}

    @property
    def cells(self) -> list[Cell]:
        """The writes that keep the changes."""
        return [Cell(space, key, value) for (space, key), value in sorted(self._written.items())]

    def counter(self, name: Name) -> Counter:
        """Return a counter, an empty one where nothing was counted yet."""
        found = self._value(SPACE, name.cell_key)
        return Counter() if found is None else counter_from_bytes(found)[1]

    def put(self, name: Name, counter: Counter) -> None:
        """Change a counter."""
        self._written[SPACE, name.cell_key] = _counter_bytes(name, counter)

    def held(self, key: str) -> list[tuple[Name, Counter]]:
        """Return the counters that hold reservations of one escalated candidate."""
        found = self._value(HELD, key)
        values = [] if found is None else [self._value(SPACE, name) for name in _names_from_bytes(found)]
        return [counter_from_bytes(value) for value in values if value is not None]

    def hold(self, key: str, names: Sequence[Name]) -> None:
        """Note which counters hold reservations of one escalated candidate, none for no names."""
        if names:
            self._written[HELD, key] = canonical.encode([name.cell_key for name in names])
        elif self._value(HELD, key) is not None:
            self._written[HELD, key] = None

    def _value(self, space: str, key: str) -> bytes | None:
        return self._written[space, key] if (space, key) in self._written else self._read(space, key)


def used(
    sheet: Sheet, tenant: str, machine: Machine, case: Case | None, candidate: Candidate | Malformed, inputs: Inputs
) -> dict[CounterKey, int]:
    """Return what each counter that the decision reads holds; one that can't be told is left out, so its limit refuses.

    What the candidate itself holds reserved from an earlier escalation is not in it.
    """
    if isinstance(candidate, Malformed) or not _is_limited(machine, candidate.transition):
        return {}
    found: dict[CounterKey, int] = {}
    for counter_key, _ in counters_wanted(machine, case, candidate, inputs):
        held = held_now(sheet, tenant, machine, counter_key, inputs.now, candidate)
        if held is not None:
            found[counter_key] = held
    return found


def held_now(
    sheet: Sheet, tenant: str, machine: Machine, key: CounterKey, now: int, candidate: Candidate | Malformed
) -> int | None:
    """Return what one counter holds now, without what the candidate itself has reserved; null where nobody can tell."""
    transition, code, values = key
    limit = limit_of(machine, transition, code)
    if limit is None:
        return None
    entities = machine.index.entities
    raw = tuple(to_raw(type_, part, entities) for type_, part in zip(limit.key_types, values, strict=True))
    counter = sheet.counter(Name(tenant, machine.name, transition, code, raw))
    counted = counter.sum(limit.window, scale_of(limit.type), now, candidate.digest)
    return counted if len(counter.passages) < PASSAGES_MAX else None


def reserved_until(machine: Machine, verdict: Verdict, now: int) -> int | None:
    """Return until when an escalation holds what it counts, null for any other verdict and where it counts nothing."""
    return ends_at(machine, verdict, now) if isinstance(verdict, Escalated) and verdict.moves else None


def decided(
    sheet: Sheet,
    tenant: str,
    machine: Machine,
    candidate: Candidate | Malformed,
    verdict: Verdict,
    now: int,
    record: int,
    expires: int | None,
) -> None:
    """Move the counters by a verdict in the record of that number; `expires` is what `reserved_until` gave."""
    if isinstance(candidate, Malformed) or is_passing(verdict):
        return  # what only can't be decided now keeps what it holds
    digest = candidate.digest
    let_go(sheet, tenant, machine.name, digest)
    moves = verdict.moves if isinstance(verdict, (Accepted, Escalated)) else ()
    escalated = isinstance(verdict, Escalated)
    pending = escalated or (isinstance(verdict, Accepted) and bool(verdict.intents))
    names: list[Name] = []
    for move in moves:
        limit = limit_of(machine, verdict.transition, move.code)
        if limit is None:
            raise ValueError(f"the verdict moves a counter of no limit: {move.code}")
        name = _name(tenant, machine.name, verdict.transition, move)
        passage = Passage(
            at=now,
            amount=move.amount,
            scale=scale_of(limit.type),
            record=record,
            standing=Standing.RESERVED if pending else Standing.USED,
            expires=expires if escalated else None,
            candidate=digest if escalated else None,
        )
        sheet.put(name, sheet.counter(name).with_passage(passage, limit.window))
        names.append(name)
    if escalated:
        sheet.hold(_holder(tenant, machine.name, digest), names)


def let_go(sheet: Sheet, tenant: str, machine: str, candidate: bytes) -> None:
    """Release what an escalated candidate, by its digest, holds reserved; nothing where it holds nothing."""
    holder = _holder(tenant, machine, candidate)
    for name, counter in sheet.held(holder):
        sheet.put(name, counter.without(candidate))
    sheet.hold(holder, ())


def also_hold(sheet: Sheet, name: Name, candidate: bytes) -> None:
    """Note that this counter, too, holds what an escalated candidate, by its digest, has reserved."""
    holder = _holder(name.tenant, name.machine, candidate)
    names = [held for held, _ in sheet.held(holder)]
    if name not in names:
        sheet.hold(holder, [*names, name])


def _holder(tenant: str, machine: str, candidate: bytes) -> str:
    return canonical.digest("reservation", canonical.encode([tenant, machine, candidate])).hex()


def come_out(sheet: Sheet, tenant: str, machine: str, verdict: Accepted, record: int, outcome: Outcome) -> None:
    """Move the counters by the outcome of the effects that the verdict in the record of that number accepted.

    While nobody can tell, what was reserved stays so. Whatever is not known to have come to nothing has been used.
    """
    if outcome is Outcome.QUARANTINED:
        return
    nothing = outcome in (Outcome.FAILED, Outcome.UNDONE)
    resolve(sheet, tenant, machine, verdict, record, happened=not nothing)


def observed(sheet: Sheet, tenant: str, machine: str, verdict: Accepted, record: int, state: str) -> None:
    """Move the counters by what a person found after a quarantine: only back in its source state it came to nothing."""
    nothing = state == verdict.source != verdict.target
    resolve(sheet, tenant, machine, verdict, record, happened=not nothing)


def resolve(sheet: Sheet, tenant: str, machine: str, verdict: Accepted, record: int, *, happened: bool) -> None:
    """Turn what an accepted verdict holds reserved into used, or release it."""
    for move in verdict.moves:
        name = _name(tenant, machine, verdict.transition, move)
        counter = sheet.counter(name)
        sheet.put(name, counter.used(record) if happened else counter.released(record))


def settle(sheet: Sheet, name: Name, record: int, amount: int, scale: int) -> None:
    """Put the actual amount of the passage of that record in the place of its estimate."""
    counter = sheet.counter(name)
    if any(passage.record == record for passage in counter.passages):  # else it is long out of its window
        sheet.put(name, counter.settled(record, amount, scale))


def name_of(tenant: str, machine: str, verdict: Accepted, code: str) -> Name | None:
    """Return the counter that an accepted verdict moved for the limit of that code, or null where it moved none."""
    found = next((move for move in verdict.moves if move.code == code), None)
    return None if found is None else _name(tenant, machine, verdict.transition, found)


def counters(cells: Iterator[tuple[str, bytes]]) -> Iterator[tuple[Name, Counter]]:
    """Yield the counters of a store's cells. Raises `TamperedError` for a cell that is none."""
    for _, value in cells:
        yield counter_from_bytes(value)


def counter_from_bytes(encoded: bytes) -> tuple[Name, Counter]:
    """Return a counter of its cell. Raises `TamperedError` for anything that no counter is."""
    found = _known.get(encoded)
    return _counter_from_bytes(encoded) if found is None else found


def _counter_from_bytes(encoded: bytes) -> tuple[Name, Counter]:
    try:
        data: Any = canonical.decode(encoded)
        tenant, machine, transition, code, key = data["name"]
        passages = tuple(
            Passage(at, amount, scale, record, Standing(standing), expires, candidate)
            for at, amount, scale, record, standing, expires, candidate in data["passages"]
        )
        return Name(tenant, machine, transition, code, tuple(key)), Counter(data["latest"], passages)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TamperedError("what a limit has counted can't be read; replay the ledger") from error


def _counter_bytes(name: Name, counter: Counter) -> bytes:
    passages = canonical.encode_list([passage.encoded for passage in counter.passages])
    encoded = canonical.encode_map({"name": name.parts, "latest": counter.latest, "passages": passages})
    _known.put(encoded, name, counter)
    return encoded


def _names_from_bytes(encoded: bytes) -> list[str]:
    try:
        data: Any = canonical.decode(encoded)
        return [str(name) for name in data]
    except (TypeError, ValueError) as error:
        raise TamperedError("what an escalation holds reserved can't be read; replay the ledger") from error


def _name(tenant: str, machine: str, transition: str, move: Move) -> Name:
    return Name(tenant, machine, offered_of(transition), move.code, move.key)


def _is_limited(machine: Machine, offered: str) -> bool:
    branches = machine.index.offered.get(offered, ())
    return any(clause.limit is not None for branch in branches for clause in branch.clauses)
