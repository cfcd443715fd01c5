"""Where a case stands follows from its newest record; the cell that says so is only a quicker way to read it.

Cells lie beside the chain and are covered by no digest. So a row is believed only where the newest record of its case
leaves the case just so: an edited, deleted or restored row stops everything instead of paying twice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edca.kernel.movement import arrived, memory_after, remembered, signers_of
from edca.kernel.values import Value
from edca.kernel.verdict import Accepted
from edca.ledger.errors import TamperedError
from edca.ledger.record import parse
from edca.runtime.answers import Outcome
from edca.runtime.cases import SPACE, Row, case_from_data, case_id, row_from_bytes, value_from_data
from edca.runtime.kinds import OUTCOME
from edca.runtime.opened import is_erased_case
from edca.runtime.verdicts import verdict_from_raw

if TYPE_CHECKING:
    from edca.kernel.inputs import Case
    from edca.kernel.machine import Machine
    from edca.ledger.store import StoredRecord
    from edca.runtime.ports import Store


_BELIEVED_MAX = 4096
_believed: dict[tuple[str, bytes, bytes, bytes], Row] = {}
"""Rows found to agree with their newest record, by case, machine, row and record: from equal bytes follows the same."""


@dataclass(frozen=True, slots=True)
class _Left:
    """Where a record leaves its case. `memory` is null where only another machine could tell it."""

    machine: bytes
    state: str
    memory: Mapping[str, Value] | None
    revision: int
    pending: bytes | None
    entered: int
    proposers: Mapping[str, str]
    signers: Mapping[str, tuple[str, ...]]
    human_only: bool


def _standing_of(case: Case) -> _Left:
    return _Left(
        machine=case.machine,
        state=case.state,
        memory=case.memory,
        revision=case.revision,
        pending=case.pending,
        entered=case.entered,
        proposers=case.proposers,
        signers=case.signers,
        human_only=case.human_only,
    )


def trusted_row(store: Store, machine: Machine, id_: str) -> Row | None:
    """Return the case's row, or null where the ledger holds no such case.

    Raises `TamperedError` where the row isn't what the case's newest record leaves, whichever machine it runs under.
    """
    if is_erased_case(store, id_):
        return None  # its row went with what was personal; nothing more is done in it
    held, newest = store.cell(SPACE, id_), store.newest(id_)
    if held is None or newest is None:
        return _compared(store, machine, id_, held, newest)
    key = (id_, machine.digest, held, newest.digest)
    row = _believed.get(key)
    if row is None:
        row = _compared(store, machine, id_, held, newest)
        if row is not None and row.case.pending is None:  # what is pending hangs on more records than the newest
            if len(_believed) >= _BELIEVED_MAX:
                _believed.clear()
            _believed[key] = row
    return row


def _compared(store: Store, machine: Machine, id_: str, held: bytes | None, newest: StoredRecord | None) -> Row | None:
    row = None if held is None else row_from_bytes(held)
    left = None if newest is None else _left_by(machine, newest)
    if (row is None) != (left is None):
        raise TamperedError(f"case `{id_}`: its row and its records disagree on whether it exists; verify the ledger")
    if row is not None and left is not None and newest is not None:
        case = row.case
        stands = _standing_of(case)
        if left.memory is None:
            stands = dataclasses.replace(stands, memory=None)
        own = case.id == id_ == case_id(machine, id_.partition("/")[0], case.entity, case.key)
        content: Any = parse(newest.body).content
        since = case.touched >= content.get("at", 0)  # time that a record has seen is past
        entered = case.entry == newest.entry + 1
        if stands != left or not (own and since and entered and _is_pending_rightly(store, row)):
            raise TamperedError(f"case `{id_}` does not stand where its newest record left it; verify the ledger")
    return row


def _is_pending_rightly(store: Store, row: Row) -> bool:
    """Tell whether a pending case names the record it is pending on, and is quarantined just if that has an outcome."""
    if row.case.pending is None:
        return row.record is None and not row.quarantined
    if row.record is None or store.read(row.record).digest != row.case.pending:
        return False
    since = store.records(row.record + 1, row.case.id)
    return row.quarantined == any(parse(stored.body).kind == OUTCOME for stored in since)


def _left_by(machine: Machine, newest: StoredRecord) -> _Left | None:
    """Return where the case's newest record leaves it, null where a creation came to nothing."""
    record = parse(newest.body)
    content: Any = record.content
    match record.kind:
        case "verdict":
            return _left_by_verdict(machine, content, newest)
        case "outcome" | "observed" if content["after"] is None:
            return None
        case "outcome":
            held = content["outcome"] == Outcome.QUARANTINED.value
            return _moved(content["machine"], content["after"], content["record"] if held else None)
        case "observed":
            return _moved(content["case"]["machine"], content["after"], None)
        case "approval" | "closed" | "late" if content["case"] is None:
            return None
        case "spent" | "late" | "reconciled" | "approval" | "closed":
            return _standing_of(case_from_data(content["case"]))
        case "takeover":
            left = _standing_of(case_from_data(content["case"]))
            return dataclasses.replace(left, human_only=content["human_only"])
        case "migrated":
            return _moved(content["machine"], content["after"], None)
        case "settlement":
            return None if content["case"] is None else _standing_of(case_from_data(content["case"]))
        case kind:
            raise TamperedError(f"entry {newest.entry} of a case is of a kind that no case has: {kind}")


def _left_by_verdict(machine: Machine, content: Any, newest: StoredRecord) -> _Left:
    before, verdict = case_from_data(content["case"]), verdict_from_raw(content["verdict"])
    if not isinstance(verdict, Accepted):
        return _standing_of(before)
    candidate = content["candidate"]
    begun = remembered(before, candidate["transition"], candidate["proposer"], signers_of(verdict.clauses))
    if content["pending"]:
        return dataclasses.replace(_standing_of(begun), pending=newest.digest)
    memory = memory_after(machine, verdict) if before.machine == machine.digest else None
    return dataclasses.replace(_standing_of(arrived(begun, verdict.target, content["at"])), memory=memory)


def _moved(machine: bytes, after: Any, pending: bytes | None) -> _Left:
    return _Left(
        machine=machine,
        state=after["state"],
        memory={name: value_from_data(value) for name, value in after["memory"].items()},
        revision=after["revision"],
        pending=pending,
        entered=after["entered"],
        proposers=dict(after["proposers"]),
        signers={code: tuple(people) for code, people in after["signers"].items()},
        human_only=after["human_only"],
    )
