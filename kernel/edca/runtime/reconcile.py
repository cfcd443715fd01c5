"""Reconciliation: the routes are asked again what nobody could tell in time, and what they say is put on record.

It moves nothing. A case that timed out stands where its spec says, and a person moves it on with the machine's own
transitions; a quarantined one is held until a person has looked (`observe`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edca.ledger.record import Draft, parse
from edca.runtime.answers import Outcome, RecordReference
from edca.runtime.cases import Row, case_to_data, is_of_tenant, touched
from edca.runtime.config import CHAIN, Configuration
from edca.runtime.effects import Acceptance, Course
from edca.runtime.kinds import OUTCOME, RECONCILED, VERDICT
from edca.runtime.observe import is_in_charge
from edca.runtime.permits import spent_under
from edca.runtime.question import Question
from edca.runtime.standing import trusted_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.canonical import Data
    from edca.ledger.store import Cell, StoredRecord
    from edca.runtime.context import Context, Place
    from edca.runtime.ports import Permit, Report

_OPEN = (Outcome.TIMED_OUT.value, Outcome.QUARANTINED.value)


class ReconciliationError(ValueError):
    """There is nothing to ask about; the message says why. Nothing is recorded."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a route now says of one effect that may have happened."""

    permit: Permit
    undoing: bool
    report: Report

    def to_data(self) -> dict[str, Data]:
        """Return the finding as it stands in records."""
        return {
            "place": self.permit.place,
            "effect": self.permit.effect,
            "arguments": dict(self.permit.arguments),
            "undoing": self.undoing,
            "key": self.permit.key,
            "report": self.report.performed.value,
            "detail": self.report.detail,
        }


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The record of what was asked, and each answer: done, failed (it has not happened) or still unknown."""

    record: RecordReference
    findings: tuple[Finding, ...]


def reconcile(context: Context, case: str, by: str) -> Reconciled:
    """Ask about every effect that may have happened under the newest verdict whose outcome nobody could tell.

    `case` is the case's id. Raises `ReconciliationError` where the ledger holds no such case, none of its outcomes
    timed out or is quarantined, it was accepted under other routes than those in force, or `by` is nobody on
    the roster who answers for anything, signs or waives.
    """
    _check_in_charge(context, by)
    with context.store.reading():
        _row(context, case)
        stored = _open_verdict(context, case)
        acceptance = _acceptance(context, stored)
    findings = tuple(_findings(context, acceptance))
    return context.turn(lambda: _record(context, case, by, stored.digest, findings))


def _check_in_charge(context: Context, by: str) -> None:
    if not is_in_charge(context, by):
        raise ReconciliationError(f"`{by}` is no person on the roster who answers for anything, signs or waives")


def _record(context: Context, case: str, by: str, verdict: bytes, findings: tuple[Finding, ...]) -> Reconciled:
    _check_in_charge(context, by)  # another roster may have been adopted while the routes were asked
    row = _row(context, case)
    at = max(row.case.touched, context.clock.now())
    content: dict[str, Data] = {
        "at": at,
        "clock": context.clock.source,
        "tenant": context.tenant,
        "machine": context.machine.digest,
        "routes": context.router.digest,
        "roster": context.roster.digest,
        "by": by,
        "record": verdict,
        "effects": [finding.to_data() for finding in findings],
        "case": case_to_data(row.case),
    }

    def cells(place: Place) -> list[Cell]:
        return [Row(touched(row.case, place.entry, at), row.record, row.quarantined).cell()]

    return Reconciled(context.append(Draft(case, RECONCILED, content), cells), findings)


def _row(context: Context, case: str) -> Row:
    row = trusted_row(context.store, context.machine, case) if is_of_tenant(context.tenant, case) else None
    if row is None:
        raise ReconciliationError(f"the ledger holds no case `{case}`")
    return row


def _open_verdict(context: Context, case: str) -> StoredRecord:
    """Return the newest verdict of the case whose outcome timed out or is quarantined."""
    wanted: bytes | None = None
    for stored in reversed(tuple(context.store.records(chain=case))):
        record = parse(stored.body)
        content: Any = record.content
        if wanted is None and record.kind == OUTCOME and content["outcome"] in _OPEN:
            wanted = content["record"]
        elif record.kind == VERDICT and stored.digest == wanted:
            return stored
    raise ReconciliationError("no effect of the case timed out or is quarantined")


def _acceptance(context: Context, stored: StoredRecord) -> Acceptance:
    content: Any = parse(stored.body).content
    if content["routes"] != context.router.digest:
        raise ReconciliationError("it was accepted under other routes; look for yourself, and use `observe`")
    configuration = Configuration.of(context.store.records(chain=CHAIN))
    machine, roster = configuration.machine(content["machine"]), configuration.roster(content["roster"])
    return Acceptance.of(Question.from_data(content, machine, roster), stored)


def _findings(context: Context, acceptance: Acceptance) -> Iterator[Finding]:
    authority, course = acceptance.authority, Course(context, acceptance)
    spent = spent_under(context.store, authority)
    for place in range(len(authority.verdict.intents)):
        if (place, False) in spent:
            permit = authority.permit(place)
            yield Finding(permit, False, course.ask(permit))
        undo = acceptance.undo(place) if (place, True) in spent else None
        if undo is not None:
            permit = authority.undoing(place, undo)
            yield Finding(permit, True, course.ask(permit))
