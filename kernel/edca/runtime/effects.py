"""Stage 6: effects. Each is performed once, read back, and taken back with the others where one of them fails.

The same code runs at first and after a crash: every permit is noted as spent before its call, so a spent permit found
here means that its effect may have happened, and the route is asked instead of guessing.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edca.kernel.aftermath import confirmed, undo_intent, wanted_after
from edca.kernel.candidate import Candidate
from edca.kernel.facts import facts_to_raw
from edca.kernel.verdict import Result
from edca.ledger.errors import LedgerFormatError
from edca.runtime.answers import Outcome, RecordReference
from edca.runtime.gather import read_all
from edca.runtime.permits import Authority, is_spent, spend
from edca.runtime.ports import Performed, Report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.canonical import Data
    from edca.kernel.facts import Facts, Handle
    from edca.kernel.inputs import Case
    from edca.kernel.machine import Entity
    from edca.kernel.verdict import Intent
    from edca.ledger.store import StoredRecord
    from edca.runtime.context import Context
    from edca.runtime.ports import Permit
    from edca.runtime.question import Question

DETAIL_LENGTH_MAX = 500  # characters of a route's detail that a record keeps


@dataclass(frozen=True, slots=True)
class Step:
    """One call of an effect: the route's report, and where it was done, its postcondition and the facts that read."""

    permit: Permit
    undoing: bool
    report: Report
    ensure: Result | None = None
    after: Facts = field(default_factory=dict)

    def to_data(self, entities: Mapping[str, Entity]) -> dict[str, Data]:
        """Return the step as it stands in the outcome's record."""
        return {
            "place": self.permit.place,
            "effect": self.permit.effect,
            "arguments": dict(self.permit.arguments),
            "undoing": self.undoing,
            "key": self.permit.key,
            "report": self.report.performed.value,
            "detail": self.report.detail[:DETAIL_LENGTH_MAX],
            "ensure": None if self.ensure is None else self.ensure.value,
            "after": facts_to_raw(self.after, entities),
        }


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The accepted question whose effects are to be carried out, and the record that permits them."""

    question: Question
    case: Case
    candidate: Candidate
    record: RecordReference
    authority: Authority

    @staticmethod
    def of(question: Question, record: StoredRecord) -> Acceptance:
        """Return what a stored verdict entitles to. Raises `LedgerFormatError` where it accepts nothing."""
        authority = Authority.of(record)
        if question.case is None or not isinstance(question.candidate, Candidate):
            raise LedgerFormatError(f"record {record.leaf.index} accepts no candidate of a case")
        reference = RecordReference(record.leaf.index, record.leaf.body_digest)
        return Acceptance(question, question.case, question.candidate, reference, authority)

    def ensured(self, place: int, after: Facts) -> Result:
        """Evaluate the postcondition of the effect at `place` on facts read after it."""
        q = self.question
        return confirmed(q.machine, self.case, self.candidate, q.inputs, place, after)

    def wanted(self, place: int, after: Facts) -> tuple[tuple[Handle, tuple[str, ...]], ...]:
        """Return what that postcondition wants to read and `after` lacks."""
        q = self.question
        return wanted_after(q.machine, self.case, self.candidate, q.inputs, place, after)

    def undo(self, place: int) -> Intent | None:
        """Return the effect that undoes the one at `place`, null where it can't be undone."""
        q = self.question
        return undo_intent(q.machine, self.case, self.candidate, q.inputs, place)


class Course:
    """How the effects of one record go: steps in order, until there is an outcome."""

    def __init__(self, context: Context, acceptance: Acceptance) -> None:
        """Begin, or resume where a crash left it."""
        self._context = context
        self._acceptance = acceptance
        self.steps: list[Step] = []

    def run(self) -> Outcome:
        """Carry the effects out. Raises what the ledger raises; then the case stays pending and is resumed later."""
        authority = self._acceptance.authority
        places = range(len(authority.verdict.intents))
        if any(is_spent(self._context.store, authority.key(place, undoing=True)) for place in places):
            return self._resume_undoing()
        done: list[int] = []
        for place in places:
            match self._do(place):
                case Performed.DONE:
                    done.append(place)
                    if self._ensured(place) is not Result.PASSED:
                        return self._undo(done)
                case Performed.FAILED | Performed.PRECONDITION_LOST:
                    return self._undo(done)
                case Performed.UNKNOWN:
                    return Outcome.QUARANTINED
        return Outcome.CONFIRMED

    def _do(self, place: int) -> Performed:
        permit = self._acceptance.authority.permit(place)
        report = self._perform(permit)
        self.steps.append(Step(permit, undoing=False, report=report))
        return report.performed

    def _ensured(self, place: int) -> Result:
        """Read back what the postcondition of the effect just done names, and evaluate it."""
        context, acceptance = self._context, self._acceptance
        after = read_all(context.router, {}, context.clock.now(), lambda known: acceptance.wanted(place, known))
        ensure = acceptance.ensured(place, after)
        self.steps[-1] = dataclasses.replace(self.steps[-1], ensure=ensure, after=after)
        return ensure

    def _undo(self, done: list[int]) -> Outcome:
        """Take back what is done, newest first; nothing, where any of it can't be taken back."""
        if not done:
            return Outcome.FAILED
        acceptance = self._acceptance
        permits: list[Permit] = []
        for place in reversed(done):
            intent = acceptance.undo(place)
            if intent is None:
                # Half of it taken back would be one more state that nobody has declared.
                return Outcome.QUARANTINED
            permits.append(acceptance.authority.undoing(place, intent))
        for permit in permits:
            report = self._perform(permit)
            self.steps.append(Step(permit, undoing=True, report=report))
            if report.performed is not Performed.DONE:
                return Outcome.QUARANTINED
        return Outcome.UNDONE

    def _resume_undoing(self) -> Outcome:
        """Go on taking back: a spent undo is a decision taken before the crash, which no new reading may reverse."""
        authority = self._acceptance.authority
        done: list[int] = []
        for place in range(len(authority.verdict.intents)):
            permit = authority.permit(place)
            if not is_spent(self._context.store, permit.key):
                break
            report = self._ask(permit)
            self.steps.append(Step(permit, undoing=False, report=report))
            if report.performed is Performed.UNKNOWN:
                return Outcome.QUARANTINED
            if report.performed is Performed.DONE:
                done.append(place)
        return self._undo(done)

    def _perform(self, permit: Permit) -> Report:
        if is_spent(self._context.store, permit.key):
            found = self._ask(permit)
            if found.performed is not Performed.FAILED:
                return found
            # It has not happened; the same key makes it happen once, even if the earlier call is still under way.
        else:
            spend(self._context.store, permit)
        try:
            report = self._context.router.perform(permit)
        except Exception as error:  # a route that breaks its promise may have acted all the same
            report = Report(Performed.UNKNOWN, f"the route raised {type(error).__name__}: {error}")
        if report.performed is not Performed.UNKNOWN:
            return report
        found = self._ask(permit)
        return Report(found.performed, f"{report.detail}; {found.detail}")

    def _ask(self, permit: Permit) -> Report:
        try:
            return Report(self._context.router.performed(permit), "as the route told when asked")
        except Exception as error:  # no answer is the answer that nobody can tell
            return Report(Performed.UNKNOWN, f"the route raised {type(error).__name__}: {error}")
