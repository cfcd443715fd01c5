"""Every cell, built anew from the records: what a ledger's cells must hold, beside what they do.

Cells lie beside the chain and are covered by no digest, so whoever can write the file could give a limit new room, undo
a mandate's uses, or make a question or an answer disappear. Each cell is a function of the records, computed here with
the functions that the runtime writes them with. So all that was changed, taken away or added shows, whatever it is.
"""

from __future__ import annotations

import dataclasses
from array import array
from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edca.kernel.candidate import Candidate
from edca.kernel.inputs import address
from edca.kernel.migration import Migration
from edca.kernel.verdict import Accepted
from edca.ledger.errors import LedgerBusyError
from edca.ledger.store import Cell
from edca.runtime import cases, config, counters, mandates, signals
from edca.runtime.answers import SPACE as KEYS
from edca.runtime.answers import Answer, Outcome, RecordReference, Remembered, idempotency_key, remembered
from edca.runtime.cases import Row, case_from_data, case_id, touched, value_from_data
from edca.runtime.cell_differences import CellDifference, differences
from edca.runtime.counter_cells import SPACE as COUNTERS
from edca.runtime.counter_cells import Name, Sheet
from edca.runtime.erased import readable
from edca.runtime.kinds import (
    APPROVAL,
    CLOSED,
    ERASED,
    LATE,
    MIGRATED,
    MIGRATION,
    OBSERVED,
    OUTCOME,
    RECONCILED,
    SETTLEMENT,
    SPENT,
    TAKEOVER,
    VERDICT,
)
from edca.runtime.migrating import DOCUMENT
from edca.runtime.migrating_counters import Carrying, carried, names_of
from edca.runtime.modes import chain_of_modes
from edca.runtime.opened import opened
from edca.runtime.question import Question, given_digest
from edca.runtime.records import after_verdict
from edca.runtime.verdicts import verdict_from_raw
from edca.runtime.waiting import SPACE as INBOX
from edca.runtime.waiting import after_answer, id_of, key_of, waiting_of
from edca.runtime.waiting import after_verdict as question_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from edca.kernel.inputs import Case, CounterKey
    from edca.kernel.machine import Machine, Signal
    from edca.kernel.migration import LimitMove
    from edca.kernel.verdict import Verdict
    from edca.ledger.record import Record
    from edca.ledger.store import StoredRecord
    from edca.runtime.ports import Store

_READS_MAX = 5  # how often cells are read anew because a writer has moved them meanwhile


@dataclass(frozen=True, slots=True)
class _Pending:
    """An accepted verdict whose effects have no outcome yet, or nobody knows which; `key` is its answer's cell."""

    reference: RecordReference
    tenant: str
    question: Question
    candidate: Candidate
    verdict: Accepted
    key: str | None


class Rebuilt:
    """Cells built from records, taken in order."""

    def __init__(self, configuration: config.Configuration) -> None:
        """Begin with none; `configuration` holds the documents of the records taken so far."""
        self._configuration = configuration
        self._cells: dict[tuple[str, str], bytes] = {}
        self._pending: dict[str, _Pending] = {}  # by chain
        self._questions: dict[str, str] = {}  # the keys of open questions' cells, by the questions' ids
        self._counting: dict[bytes, array[int]] = {}  # by machine: numbers of the verdicts that moved a counter
        self._numbers: dict[bytes, int] = {}  # of the verdicts that moved a counter, by digest
        self._runs: dict[tuple[str, str], list[tuple[int, Sequence[LimitMove]]]] = {}  # by tenant and machine's name

    def cell(self, space: str, key: str) -> bytes | None:
        """Return the value that a cell has after the records taken so far, or null."""
        return self._cells.get((space, key))

    def used(self, tenant: str, question: Question) -> dict[CounterKey, int]:
        """Return what the counters held that a decision read, as the records before it say."""
        machine, inputs = question.machine, question.inputs
        return counters.used(Sheet(self.cell), tenant, machine, question.case, question.candidate, inputs)

    @property
    def cells(self) -> Mapping[tuple[str, str], bytes]:
        """All cells after the records taken so far, by space and key."""
        return self._cells

    def take_next(self, stored: StoredRecord) -> None:
        """Take a record, and its document where it holds one. Raises as `take` does."""
        record = readable(stored, self._configuration)
        if record.kind == config.CHAIN:
            self._configuration.take(record.content)
        self.take(stored, record)

    def take(self, stored: StoredRecord, record: Record) -> None:
        """Write the cells that one record wrote.

        Raises `KeyError`, `TypeError`, `ValueError` or `AttributeError` for contents that this version doesn't write.
        """
        content: Any = record.content
        match record.kind:
            case config.CHAIN:
                if content["part"] + 1 == content["parts"]:
                    key = config.key_of(content["what"], content["digest"])
                    self._write([config.cell(key, stored.number)])
            case kind if kind == VERDICT:
                self._verdict(stored, record)
            case kind if kind == OUTCOME:
                self._outcome(record)
            case kind if kind == OBSERVED:
                self._observed(record)
            case kind if kind in (APPROVAL, CLOSED, LATE, RECONCILED, SETTLEMENT, SPENT, TAKEOVER):
                self._noted(record, stored)
            case kind if kind == MIGRATION:
                self._migration(stored.number, content)
            case kind if kind == MIGRATED:
                self._migrated(record)
            case kind if kind == ERASED:
                self._erased(content)
            case _:
                return

    def differences(self, found: Mapping[tuple[str, str], bytes]) -> tuple[CellDifference, ...]:
        """Return where those cells, by space and key, are not what the records add up to."""
        return differences(found, self._cells)

    def _put(self, space: str, key: str, value: bytes | None) -> None:
        if value is None:
            self._cells.pop((space, key), None)
        else:
            self._cells[space, key] = value

    def _write(self, cells: Iterable[Cell]) -> None:
        for cell in cells:
            self._put(cell.space, cell.key, cell.value)

    def _verdict(self, stored: StoredRecord, record: Record) -> None:
        content: Any = record.content
        machine = self._configuration.machine(content["machine"])
        question = Question.from_data(content, machine, self._configuration.roster(content["roster"]))
        verdict, number, tenant = verdict_from_raw(content["verdict"]), stored.number, content["tenant"]
        self._signals(tenant, machine, signals.of_verdict(verdict, question.inputs.facts), content["at"])
        if not isinstance(question.candidate, Candidate):
            return
        candidate, sheet = question.candidate, Sheet(self.cell)
        until = content["reserved_until"]
        counters.decided(sheet, tenant, machine, candidate, verdict, content["at"], number, until)
        self._write(sheet.cells)
        if sheet.cells:
            insort(self._counting.setdefault(machine.digest, array("Q")), number)
            self._numbers[stored.digest] = number
        self._write(mandates.after_verdict(self, tenant, machine, verdict, number))
        reference = RecordReference.of(stored, record.chain)
        left = self._moved(record, question, candidate, verdict, reference)
        key = self._answered(tenant, question, candidate, verdict, reference, left)
        if isinstance(verdict, Accepted) and verdict.intents:
            self._pending[record.chain] = _Pending(reference, tenant, question, candidate, verdict, key)

    def _moved(
        self, record: Record, question: Question, candidate: Candidate, verdict: Verdict, reference: RecordReference
    ) -> Case | None:
        """Write the case's row, and return where the verdict leaves the case; null in another chain than its own."""
        case, now = question.case, question.inputs.now
        if case is None or record.chain != case.id:
            return None
        left = after_verdict(question.machine, case, candidate, verdict, now)
        moved = touched(left, record.entry, now)
        if isinstance(verdict, Accepted) and verdict.intents:
            self._write([Row(dataclasses.replace(moved, pending=reference.digest), reference.number).cell()])
        else:
            self._write([self._row(moved).cell()])
        return left

    def _answered(
        self,
        tenant: str,
        question: Question,
        candidate: Candidate,
        verdict: Verdict,
        reference: RecordReference,
        left: Case | None,
    ) -> str | None:
        """Write what is remembered of the verdict and of its question, and return the key of the answer's cell."""
        machine, about = question.machine, address(question.machine, candidate)
        if about is None:
            return None
        id_ = None if about.key is None else case_id(machine, tenant, about.entity, about.key)
        asked = key_of(tenant, id_, candidate.digest)
        found = self.cell(INBOX, asked)
        before = None if found is None else waiting_of(asked, found)
        after = question_after(before, asked, machine, verdict, question.inputs.now, reference.number)
        self._put(INBOX, asked, None if after is None else after.cell().value)
        if after is not None and after.opened == reference.number:
            self._questions[id_of(reference.digest)] = asked
        if not candidate.key or question.inputs.key_used_by is not None:
            return None
        key = idempotency_key(tenant, machine, candidate, about, id_)
        state, revision = (None, None) if left is None else (left.state, left.revision)
        answer = Answer(verdict, reference, None, state, revision)
        self._write([Remembered(candidate.digest, given_digest(question), answer).cell(key)])
        return key

    def _outcome(self, record: Record) -> None:
        content: Any = record.content
        pending, outcome = self._pending.get(record.chain), Outcome(content["outcome"])
        if pending is None:
            return
        held = outcome is Outcome.QUARANTINED
        if not held:
            del self._pending[record.chain]
        machine, reference, at = pending.question.machine, pending.reference, content["at"]
        sheet = Sheet(self.cell)
        counters.come_out(sheet, pending.tenant, machine.name, pending.verdict, reference.number, outcome)
        self._write(sheet.cells)
        in_time = [step["in_time"] for step in content["effects"]]
        self._signals(pending.tenant, machine, signals.of_outcome(outcome, in_time), at)
        row, after = self._earlier(record.chain), content["after"]
        state, revision = (None, None) if after is None else (after["state"], after["revision"])
        if row is None or after is None:
            self._put(cases.SPACE, record.chain, None)
        else:
            digest = reference.digest if held else None
            left = touched(_standing_as(row.case, after, digest), record.entry, at)
            self._write([Row(left, reference.number if held else None, quarantined=held).cell()])
        if pending.key is not None:
            answer = Answer(pending.verdict, reference, outcome, state, revision)
            remembered = Remembered(pending.candidate.digest, given_digest(pending.question), answer)
            self._write([remembered.cell(pending.key)])

    def _observed(self, record: Record) -> None:
        content: Any = record.content
        pending, at = self._pending.pop(record.chain, None), content["at"]
        left = _standing_as(case_from_data(content["case"]), content["after"], None)
        self._write([Row(touched(left, record.entry, at)).cell()])
        if pending is not None:
            sheet, name = Sheet(self.cell), pending.question.machine.name
            state = content["after"]["state"]
            counters.observed(sheet, pending.tenant, name, pending.verdict, pending.reference.number, state)
            self._write(sheet.cells)

    def _noted(self, record: Record, stored: StoredRecord) -> None:
        """Write the cells of a record that moves no state."""
        content: Any = record.content
        if content["case"] is not None:
            case = touched(case_from_data(content["case"]), record.entry, content["at"])
            if record.kind == TAKEOVER:
                case = dataclasses.replace(case, human_only=content["human_only"])
            self._write([self._row(case).cell()])
        match record.kind:
            case kind if kind == APPROVAL and content["void"] is None:
                asked = self._questions.get(content["question"])
                found = None if asked is None else self.cell(INBOX, asked)
                if asked is not None and found is not None:
                    self._write([after_answer(waiting_of(asked, found), stored.number).cell()])
            case kind if kind == CLOSED:
                asked = self._questions.get(content["question"])
                if asked is not None:
                    self._put(INBOX, asked, None)
            case kind if kind == SETTLEMENT:
                name = Name(
                    content["tenant"],
                    content["machine_name"],
                    content["transition"],
                    content["limit"],
                    tuple(content["key"]),
                )
                sheet, settles = Sheet(self.cell), self._numbers.get(content["record"], -1)
                runs = self._runs.get((name.tenant, name.machine), ())
                for one in names_of(name, [moves for began, moves in runs if began > settles]):
                    counters.settle(sheet, one, settles, content["amount"], content["scale"])
                self._write(sheet.cells)

    def _migration(self, number: int, content: Any) -> None:
        """Write what limits have counted under the names of the new version."""
        tenant, machine = content["tenant"], self._configuration.machine(content["machine"])
        migration = Migration.from_bytes(self._configuration.document(DOCUMENT, content["migration"]))
        counted = [(key, value) for (space, key), value in sorted(self._cells.items()) if space == COUNTERS]
        decided = self._counting.get(machine.digest, array("Q"))

        def is_new(record: int) -> bool:
            place = bisect_left(decided, record)
            return place < len(decided) and decided[place] == record

        self._write(carried(self.cell, counted, Carrying(tenant, machine, migration, content["first"]), is_new))
        self._runs.setdefault((tenant, machine.name), []).append((number, migration.limits))

    def _migrated(self, record: Record) -> None:
        content: Any = record.content
        case = dataclasses.replace(case_from_data(content["case"]), machine=content["machine"])
        left = touched(_standing_as(case, content["after"], None), record.entry, content["at"])
        self._write([Row(left).cell()])
        name, sheet = self._configuration.machine(content["machine"]).name, Sheet(self.cell)
        for void in content["void"]:
            counters.let_go(sheet, content["tenant"], name, void["candidate"])
            asked = self._questions.get(void["question"])
            if asked is not None:
                self._put(INBOX, asked, None)
        self._write(sheet.cells)

    def _erased(self, content: Any) -> None:
        """Let go of what is remembered of cases and candidates whose personal values were erased."""
        scopes = {scope for scope, _ in content["keys"]}
        outside = {(chain, entry) for chain, entry in content["outside"]}
        for scope in scopes:
            self._put(cases.SPACE, scope, None)
        for space, key in [place for place in self._cells if place[0] == KEYS]:
            found = remembered(self, key)
            reference = None if found is None else found.answer.record
            if reference is not None and (reference.chain in scopes or (reference.chain, reference.entry) in outside):
                self._put(space, key, None)

    def _signals(self, tenant: str, machine: Machine, happened: Sequence[Signal], at: int) -> None:
        if happened and signals.counted(machine):
            chain = chain_of_modes(tenant, machine.name)
            events = signals.after(machine, signals.load(self, chain), happened, at)
            self._write([signals.cell(chain, events)])

    def _earlier(self, id_: str) -> Row | None:
        found = self.cell(cases.SPACE, id_)
        return None if found is None else cases.row_from_bytes(found)

    def _row(self, case: Case) -> Row:
        """Return the case's row with what an earlier record left pending."""
        earlier = self._earlier(case.id) if case.pending is not None else None
        return Row(case) if earlier is None else Row(case, earlier.record, earlier.quarantined)


def _standing_as(case: Case, after: Any, pending: bytes | None) -> Case:
    """Return the case standing where a record says that it leaves it."""
    return dataclasses.replace(
        case,
        state=after["state"],
        memory={name: value_from_data(value) for name, value in after["memory"].items()},
        revision=after["revision"],
        entered=after["entered"],
        proposers=dict(after["proposers"]),
        signers={code: tuple(people) for code, people in after["signers"].items()},
        human_only=after["human_only"],
        pending=pending,
    )


def stored_cells(store: Store) -> dict[tuple[str, str], bytes]:
    """Return all cells of a store."""
    return {(space, key): value for space in store.spaces() for key, value in store.cells(space)}


def compare_cells(store: Store, progress: Callable[[int, int], None] | None = None) -> tuple[CellDifference, ...]:
    """Return every cell of a ledger that is not what its records add up to; `progress` is called with (done, total).

    Raises what reading the ledger raises, `LedgerBusyError` where it is written too fast, and what `Rebuilt.take` does
    for records that this version doesn't write.
    """
    store = opened(store)
    rebuilt, taken = Rebuilt(config.Configuration()), 0
    for _ in range(_READS_MAX):
        for stored in store.records(taken):
            rebuilt.take_next(stored)
            taken = stored.leaf.index + 1
            if progress is not None:
                progress(taken, store.size)
        cells = stored_cells(store)
        if store.size == taken:  # else a writer went on while the cells were read
            return rebuilt.differences(cells)
    raise LedgerBusyError("the ledger is written too fast to be compared with its cells; try again when it is quiet")
