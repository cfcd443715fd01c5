"""Settling: the actual amount of what a limit counted by an estimate, once the cost is known.

A limit's measure is then the estimate, which the decision reserves or uses. The settlement puts the actual amount in
its place, more or less than estimated: what is decided afterwards counts with it. It undoes nothing, so a limit may
then be overdrawn, and refuses until its window has room again.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from edca.kernel.counting import limit_of, offered_of, scale_of
from edca.kernel.migration import Migration
from edca.kernel.verdict import Accepted
from edca.ledger.errors import LedgerError
from edca.ledger.record import Draft, parse
from edca.runtime import counters
from edca.runtime.answers import Outcome, RecordReference
from edca.runtime.cases import Row, case_to_data, touched
from edca.runtime.config import CHAIN, Configuration
from edca.runtime.counter_cells import Name, Sheet
from edca.runtime.kinds import OUTCOME, SETTLEMENT, VERDICT
from edca.runtime.migrating import DOCUMENT, chain_of_migrations
from edca.runtime.migrating_counters import names_of
from edca.runtime.standing import trusted_row
from edca.runtime.verdicts import verdict_from_raw

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edca.kernel.canonical import Data
    from edca.kernel.types import Type
    from edca.ledger.record import Record
    from edca.ledger.store import Cell, StoredRecord
    from edca.runtime.context import Context, Place

AMOUNT_MAX = 2**63 - 1


class SettlementError(ValueError):
    """What was to be settled can't be; the message says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Passage:
    """What is settled: the verdict's record, and the counter that it moved."""

    stored: StoredRecord
    content: Any
    chain: str
    verdict: Accepted
    name: Name
    scale: int


def settle(context: Context, record: RecordReference | int, code: str, amount: int) -> RecordReference:
    """Put on record what the passage that the verdict in `record` had counted for limit `code` really cost.

    A record is named by its reference, or by its index in the ledger.

    `amount` is in units of the limit's type (see `measured_in`). Saying the same again changes nothing and returns the
    first settlement's record. Raises `SettlementError` where the record accepted nothing that the limit counted, where
    it was settled otherwise or came to nothing, or where the amount is none; and what the ledger raises.
    """
    if not 0 <= amount <= AMOUNT_MAX:
        raise SettlementError("an amount is settled at zero or more")
    found = _passage(context, record, code)
    verdict, since = found.stored, list(context.store.records(found.stored.number + 1, found.chain))
    earlier = _settled(since, verdict.entry, code)
    if earlier is not None:
        if parse(earlier.body).content["amount"] != amount:
            raise SettlementError(f"{_named(record)} was settled for `{code}` already, at another amount")
        return RecordReference.of(earlier, found.chain)
    if _came_to_nothing([parse(stored.body) for stored in since], verdict.digest):
        raise SettlementError(f"the effects of {_named(record)} came to nothing, so `{code}` counts nothing for it")
    row = trusted_row(context.store, context.machine, found.chain)
    at = context.clock.now() if row is None else max(row.case.touched, context.clock.now())
    content: dict[str, Data] = {
        "at": at,
        "clock": context.clock.source,
        "tenant": found.content["tenant"],
        "machine": found.content["machine"],
        "machine_name": found.name.machine,
        "settles": verdict.entry,
        "record": verdict.digest,
        "transition": offered_of(found.verdict.transition),
        "limit": code,
        "key": list(found.name.key),
        "scale": found.scale,
        "amount": amount,
        "case": None if row is None else case_to_data(row.case),
    }

    def cells(place: Place) -> list[Cell]:
        sheet = Sheet(context.store.cell)
        for name in _names(context, found.name, verdict.number):
            counters.settle(sheet, name, verdict.number, amount, found.scale)
        if row is None:
            return sheet.cells
        case = touched(row.case, place.entry, at)
        return [*sheet.cells, Row(case, row.record, row.quarantined).cell()]

    return context.append(Draft(found.chain, SETTLEMENT, content), cells)


def measured_in(context: Context, record: RecordReference | int, code: str) -> Type:
    """Return the type of what limit `code` counted for the verdict in `record`. Raises as `settle` does."""
    found = _passage(context, record, code)
    limit = limit_of(_configuration(context).machine(found.content["machine"]), found.verdict.transition, code)
    if limit is None:
        raise SettlementError(f"{_named(record)} counted nothing for a limit `{code}`")
    return limit.type


def _passage(context: Context, record: RecordReference | int, code: str) -> _Passage:
    try:
        number = context.store.number_at(record) if isinstance(record, int) else record.number
        stored = context.store.read(number)
    except LedgerError as error:
        raise SettlementError(str(error)) from error
    body = parse(stored.body)
    content: Any = body.content
    verdict = verdict_from_raw(content["verdict"]) if body.kind == VERDICT else None
    if not isinstance(verdict, Accepted) or content["tenant"] != context.tenant:
        raise SettlementError(f"{_named(record)} accepted nothing, so there is nothing to settle")
    machine = _configuration(context).machine(content["machine"])
    name, limit = (
        counters.name_of(content["tenant"], machine.name, verdict, code),
        limit_of(machine, verdict.transition, code),
    )
    if name is None or limit is None:
        counted = ", ".join(f"`{move.code}`" for move in verdict.moves) or "none"
        raise SettlementError(f"{_named(record)} counted nothing for a limit `{code}`; it counted for {counted}")
    return _Passage(stored, content, body.chain, verdict, name, scale_of(limit.type))


def _names(context: Context, name: Name, number: int) -> list[Name]:
    """Return the counters that hold the passage: under its own name, and under those that migrations since gave it."""
    runs: list[Any] = [
        parse(stored.body).content
        for stored in context.store.records(number + 1, chain_of_migrations(name.tenant, name.machine))
    ]
    if not runs:
        return [name]
    configuration = _configuration(context)
    maps = (Migration.from_bytes(configuration.document(DOCUMENT, content["migration"])) for content in runs)
    return names_of(name, [migration.limits for migration in maps])


def _configuration(context: Context) -> Configuration:
    return Configuration.of(context.store.records(chain=CHAIN))


def _settled(since: Iterable[StoredRecord], entry: int, code: str) -> StoredRecord | None:
    for stored in since:
        found = parse(stored.body)
        if found.kind == SETTLEMENT and (found.content["settles"], found.content["limit"]) == (entry, code):
            return stored
    return None


def _came_to_nothing(since: Iterable[Record], digest: bytes) -> bool:
    nothing = (Outcome.FAILED.value, Outcome.UNDONE.value)
    outcomes = (found.content for found in since if found.kind == OUTCOME)
    return any(content["record"] == digest and content["outcome"] in nothing for content in outcomes)


def _named(record: RecordReference | int) -> str:
    return f"record {record}" if isinstance(record, int) else f"entry {record.entry} of `{record.chain}`"
