"""Where a case stands follows from its newest record; the cell that says so is only a quicker way to read it.

Cells lie beside the chain and are covered by no digest. So a row is believed only where the newest record of its case
leaves the case just so: an edited, deleted or restored row stops everything instead of paying twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from edca.kernel.values import Value
from edca.kernel.verdict import Accepted
from edca.ledger.errors import TamperedError
from edca.ledger.record import parse
from edca.runtime.answers import Outcome
from edca.runtime.cases import Row, case_from_data, completed, load_row, value_from_data
from edca.runtime.records import OBSERVED, OUTCOME, VERDICT
from edca.runtime.verdicts import verdict_from_raw

if TYPE_CHECKING:
    from edca.kernel.machine import Machine
    from edca.ledger.store import StoredRecord
    from edca.runtime.ports import Store


Standing: TypeAlias = tuple[str, Mapping[str, Value], int, bytes | None]  # state, memory, revision, pending


def trusted_row(store: Store, machine: Machine, id_: str) -> Row | None:
    """Return the case's row, or null where the ledger holds no such case.

    Raises `TamperedError` where the row isn't what the case's newest record leaves. A row of another machine is
    returned as it is: nothing is decided on it.
    """
    row, newest = load_row(store, id_), store.newest(id_)
    if row is not None and row.case.machine != machine.digest:
        return row
    left = None if newest is None else _left_by(machine, newest)
    if (row is None) != (left is None):
        raise TamperedError(f"case `{id_}`: its row and its records disagree on whether it exists; verify the ledger")
    if row is not None and newest is not None:
        case = row.case
        if (case.state, case.memory, case.revision, case.pending) != left or case.entry != newest.leaf.entry + 1:
            raise TamperedError(f"case `{id_}` does not stand where its newest record left it; verify the ledger")
    return row


def _left_by(machine: Machine, newest: StoredRecord) -> Standing | None:
    """Return where the case's newest record leaves it, null where a creation came to nothing."""
    record = parse(newest.body)
    content: Any = record.content
    if record.kind == VERDICT:
        before, verdict = case_from_data(content["case"]), verdict_from_raw(content["verdict"])
        if not isinstance(verdict, Accepted):
            return before.state, before.memory, before.revision, before.pending
        if content["pending"]:
            return before.state, before.memory, before.revision, newest.leaf.body_digest
        after = completed(machine, before, verdict)
        return after.state, after.memory, after.revision, None
    if record.kind not in (OUTCOME, OBSERVED):
        raise TamperedError(f"record {newest.leaf.index} is of a kind that no case has: {record.kind}")
    moved = content["after"]
    if moved is None:
        return None
    memory = {name: value_from_data(value) for name, value in moved["memory"].items()}
    held = record.kind == OUTCOME and content["outcome"] == Outcome.QUARANTINED.value
    return moved["state"], memory, moved["revision"], content["record"] if held else None
