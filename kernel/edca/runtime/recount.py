"""The recount: what the records add up to for every counter, beside what the counters' cells say.

Cells lie beside the chain and are covered by no digest, so whoever can write the file could give a limit new room.
The recount finds that: it moves counters of its own by what the records say, with the same functions as the runtime.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edca.kernel.candidate import Candidate
from edca.kernel.verdict import Accepted
from edca.ledger.errors import TamperedError
from edca.ledger.record import parse
from edca.runtime import config, counters
from edca.runtime.answers import Outcome
from edca.runtime.counters import HELD, SPACE, Sheet
from edca.runtime.kinds import OBSERVED, OUTCOME, SETTLEMENT, VERDICT
from edca.runtime.question import Question
from edca.runtime.verdicts import verdict_from_raw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.inputs import CounterKey
    from edca.ledger.record import Record
    from edca.ledger.store import StoredRecord
    from edca.runtime.ports import Store

_READS_MAX = 5  # how often cells are read anew because a writer has moved them meanwhile


@dataclass(frozen=True, slots=True)
class Miscount:
    """A counter whose cell is not what the records add up to; both as text, `nothing` where there is none."""

    counter: str
    cell: str
    records: str


@dataclass(frozen=True, slots=True)
class _Moved:
    """An accepted verdict that moved counters and whose effects may still change what they hold."""

    index: int
    tenant: str
    machine: str
    verdict: Accepted


class Recount:
    """Counters built from records, taken in order."""

    def __init__(self, configuration: config.Configuration) -> None:
        """Begin with nothing counted; `configuration` holds the documents of the records taken so far."""
        self._configuration = configuration
        self._cells: dict[tuple[str, str], bytes] = {}
        self._pending: dict[str, _Moved] = {}  # by chain

    def used(self, tenant: str, question: Question) -> dict[CounterKey, int]:
        """Return what the counters held that a decision read, as the records before it say."""
        machine, inputs = question.machine, question.inputs
        return counters.used(self._sheet(), tenant, machine, question.case, question.candidate, inputs)

    def take(self, stored: StoredRecord, record: Record) -> None:
        """Move the counters by one record.

        Raises `KeyError`, `TypeError`, `ValueError` or `AttributeError` for contents that this version doesn't write.
        """
        content: Any = record.content
        match record.kind:
            case kind if kind == VERDICT:
                self._verdict(stored.leaf.index, record.chain, content)
            case kind if kind == OUTCOME:
                self._outcome(record.chain, content)
            case kind if kind == OBSERVED:
                self._observed(record.chain, content)
            case kind if kind == SETTLEMENT:
                self._settlement(content)
            case _:
                return

    def differences(self, cells: Mapping[tuple[str, str], bytes]) -> tuple[Miscount, ...]:
        """Return where those cells, by space and key, are not what the records add up to."""
        return tuple(
            Miscount(_title(space, cells.get((space, key)) or self._cells.get((space, key)) or b"", key), cell, records)
            for space, key in sorted(cells.keys() | self._cells.keys())
            for cell, records in [(_text(space, cells.get((space, key))), _text(space, self._cells.get((space, key))))]
            if cells.get((space, key)) != self._cells.get((space, key))
        )

    def _sheet(self) -> Sheet:
        return Sheet(lambda space, key: self._cells.get((space, key)))

    def _keep(self, sheet: Sheet) -> None:
        for cell in sheet.cells:
            if cell.value is None:
                self._cells.pop((cell.space, cell.key), None)
            else:
                self._cells[cell.space, cell.key] = cell.value

    def _verdict(self, index: int, chain: str, content: Any) -> None:
        verdict = verdict_from_raw(content["verdict"])
        if content["candidate"] is None:
            return
        raw = content["candidate"]
        candidate = Candidate(**raw | {"evidence": tuple(raw["evidence"]), "rationale": ""})
        machine = self._configuration.machine(content["machine"])
        tenant, expires, sheet = content["tenant"], content["reserved_until"], self._sheet()
        counters.decided(sheet, tenant, machine, candidate, verdict, content["at"], index, expires)
        self._keep(sheet)
        if isinstance(verdict, Accepted) and verdict.intents:
            self._pending[chain] = _Moved(index, tenant, machine.name, verdict)

    def _outcome(self, chain: str, content: Any) -> None:
        moved, outcome = self._pending.get(chain), Outcome(content["outcome"])
        if moved is None:
            return
        if outcome is not Outcome.QUARANTINED:
            del self._pending[chain]
        sheet = self._sheet()
        counters.come_out(sheet, moved.tenant, moved.machine, moved.verdict, moved.index, outcome)
        self._keep(sheet)

    def _observed(self, chain: str, content: Any) -> None:
        moved = self._pending.pop(chain, None)
        if moved is None:
            return
        sheet = self._sheet()
        state = content["after"]["state"]
        counters.observed(sheet, moved.tenant, moved.machine, moved.verdict, moved.index, state)
        self._keep(sheet)

    def _settlement(self, content: Any) -> None:
        sheet = self._sheet()
        name = counters.Name(
            content["tenant"], content["machine_name"], content["transition"], content["limit"], tuple(content["key"])
        )
        counters.settle(sheet, name, content["settles"], content["amount"], content["scale"])
        self._keep(sheet)


def stored_cells(store: Store) -> dict[tuple[str, str], bytes]:
    """Return a store's cells of counters and reservations."""
    return {(space, key): value for space in (SPACE, HELD) for key, value in store.cells(space)}


def recount(store: Store) -> tuple[Miscount, ...]:
    """Return every counter of a ledger that differs from what its records add up to.

    Raises what reading the ledger raises, and what `Recount.take` does for records that this version doesn't write.
    """
    configuration = config.Configuration()
    counted = Recount(configuration)

    def take(stored: StoredRecord) -> None:
        record = parse(stored.body)
        if record.kind == config.CHAIN:
            configuration.take(record.content)
        else:
            counted.take(stored, record)

    taken = 0
    for _ in range(_READS_MAX):
        for stored in store.records(taken):
            take(stored)
            taken = stored.leaf.index + 1
        cells = stored_cells(store)
        if store.size == taken:  # else a writer went on while the cells were read
            return counted.differences(cells)
    raise TamperedError("the ledger is written too fast to be recounted; try again when it is quiet")


def _title(space: str, value: bytes, key: str) -> str:
    if space == HELD:
        return f"reservations of an escalated candidate ({key[:16]}…)"
    try:
        name, _ = counters.counter_from_bytes(value)
    except TamperedError:
        return f"counter {key[:16]}…"
    per = f" per {list(name.key)!r}" if name.key else ""
    return f"limit {name.code} of {name.transition}, machine {name.machine}{per}"


def _text(space: str, value: bytes | None) -> str:
    if value is None:
        return "nothing"
    if space == HELD:
        return value.hex()
    try:
        _, counter = counters.counter_from_bytes(value)
    except TamperedError:
        return "unreadable"
    passages = ", ".join(f"{p.amount} by record {p.record} ({p.standing.value})" for p in counter.passages)
    return passages or "no passages"
