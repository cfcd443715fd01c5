"""Stage 6: effects. Each is performed once, read back, and taken back with the others where one of them fails.

The same code runs at first, after a crash and after a halt: every permit is noted as spent before its call, so a spent
permit found here means that its effect may have happened, and the route is asked instead of guessing.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from edca.kernel.aftermath import confirmed, undo_intent, wanted_after
from edca.kernel.candidate import Candidate
from edca.kernel.facts import facts_to_raw
from edca.kernel.verdict import Result
from edca.ledger.errors import LedgerFormatError
from edca.ledger.record import parse
from edca.runtime.answers import Outcome, RecordReference
from edca.runtime.deadlines import DETAIL_LENGTH_MAX, call_within, note_late
from edca.runtime.gather import read_all
from edca.runtime.modes import is_halted
from edca.runtime.permits import (
    Authority,
    HaltedError,
    OvertakenError,
    has_expired,
    is_awaited,
    spend,
    spent_under,
)
from edca.runtime.ports import Performed, Report
from edca.runtime.reentry import within_effect
from edca.runtime.retries import Attempt, attempt_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edca.kernel.canonical import Data
    from edca.kernel.facts import Facts, Handle
    from edca.kernel.inputs import Case
    from edca.kernel.machine import Entity, Timeout
    from edca.kernel.verdict import Intent
    from edca.ledger.store import StoredRecord
    from edca.runtime.context import Context
    from edca.runtime.ports import Permit
    from edca.runtime.question import Question

_T = TypeVar("_T")
ASKING_US_MAX = 5_000_000  # how long a route may take to tell what it did, where the transition has a deadline


@dataclass(frozen=True, slots=True)
class Step:
    """One effect: what is known of it, its attempts, and where it was done, its postcondition and the facts that read.

    `report` is what is known in the end; there are no attempts where the route was only asked.
    """

    permit: Permit
    undoing: bool
    report: Report
    attempts: tuple[Attempt, ...] = ()
    ensure: Result | None = None
    after: Facts = field(default_factory=dict)

    @property
    def in_time(self) -> bool:
        """Whether every attempt had an answer before the deadline."""
        return all(attempt.report is not None for attempt in self.attempts)

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
            "expires": self.permit.expires,
            "in_time": self.in_time,
            "attempts": [_attempt_to_data(attempt) for attempt in self.attempts],
            "ensure": None if self.ensure is None else self.ensure.value,
            "after": facts_to_raw(self.after, entities),
        }


def _attempt_to_data(attempt: Attempt) -> dict[str, Data]:
    report = attempt.report
    return {
        "at": attempt.at,
        "report": None if report is None else report.performed.value,
        "detail": "" if report is None else report.detail[:DETAIL_LENGTH_MAX],
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
            raise LedgerFormatError(f"a record of kind `{parse(record.body).kind}` accepts no candidate of a case")
        reference = RecordReference.of(record, authority.case)
        return Acceptance(question, question.case, question.candidate, reference, authority)

    @property
    def deadline(self) -> Timeout | None:
        """How long each effect has, and where the case goes when nobody knows in time what became of one."""
        return self.question.machine.index.transitions[self.authority.verdict.transition].on_timeout

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
        """Begin, or resume where a crash or a halt left it."""
        self._context = context
        self._acceptance = acceptance
        self._within_us = None if acceptance.deadline is None else acceptance.deadline.within_us
        self._spent = spent_under(context.store, acceptance.authority)
        self.steps: list[Step] = []

    def run(self) -> Outcome:
        """Carry the effects out.

        Raises what the ledger raises, `HaltedError` where somebody halts the machine before all are done (then the
        case stays pending and is resumed later), and `OvertakenError` where somebody else carries them out.
        """
        authority, store = self._acceptance.authority, self._context.store
        if not (store.holds(authority.case) or self._context.turn(lambda: store.hold(authority.case))):
            raise OvertakenError("another process carries it out")
        places = range(len(authority.verdict.intents))
        if any((place, True) in self._spent for place in places):
            return self._resume_undoing()
        done: list[int] = []
        for place in places:
            step = self._do(authority.permit(place), None)
            match step.report.performed:
                case Performed.DONE:
                    done.append(place)
                    if self._ensured(place) is not Result.PASSED:
                        return self._undo(done)
                case Performed.FAILED | Performed.PRECONDITION_LOST | Performed.TRANSIENT:
                    return self._undo(done)
                case Performed.UNKNOWN:
                    return self._lost()
        return Outcome.CONFIRMED

    def _lost(self) -> Outcome:
        """Return what it comes to where nobody can tell what was done, or what was done can't be taken back."""
        return Outcome.QUARANTINED if self._acceptance.deadline is None else Outcome.TIMED_OUT

    def _ensured(self, place: int) -> Result:
        """Read back what the postcondition of the effect just done names, and evaluate it."""
        context, acceptance = self._context, self._acceptance
        now = context.clock.now()
        found = call_within(
            self._inside(lambda: read_all(context.router, {}, now, lambda known: acceptance.wanted(place, known))),
            context.clock,
            now,
            self._until(now),
            lambda _: None,  # facts read too late are of no use to anybody
        )
        after = {} if found is None else found
        ensure = acceptance.ensured(place, after)
        self.steps[-1] = dataclasses.replace(self.steps[-1], ensure=ensure, after=after)
        return ensure

    def _undo(self, done: list[int]) -> Outcome:
        """Take back what is done, newest first; nothing, where any of it can't be taken back."""
        if not done:
            return Outcome.FAILED
        acceptance = self._acceptance
        permits: list[tuple[Permit, Intent]] = []
        for place in reversed(done):
            intent = acceptance.undo(place)
            if intent is None:
                # Half of it taken back would be one more state that nobody has declared.
                return Outcome.QUARANTINED
            permits.append((acceptance.authority.undoing(place, intent), intent))
        for permit, intent in permits:
            if self._do(permit, intent).report.performed is not Performed.DONE:
                return self._lost()
        return Outcome.UNDONE

    def _resume_undoing(self) -> Outcome:
        """Go on taking back: a spent undo is a decision taken before the crash, which no new reading may reverse."""
        authority = self._acceptance.authority
        done: list[int] = []
        for place in range(len(authority.verdict.intents)):
            earlier = self._spent.get((place, False))
            if earlier is None:
                break
            permit = dataclasses.replace(authority.permit(place), expires=earlier.expires)
            report = self.ask(permit)
            self.steps.append(Step(permit, undoing=False, report=report))
            if report.performed is Performed.UNKNOWN:
                return self._lost()
            if report.performed is Performed.DONE:
                done.append(place)
        return self._undo(done)

    def _do(self, permit: Permit, undoes: Intent | None) -> Step:
        """Perform the effect, which takes another one back where `undoes` is given, and note the step."""
        undoing = undoes is not None
        earlier = self._spent.get((permit.place, undoing))
        if earlier is None:
            authority = self._acceptance.authority
            permit = spend(self._context, authority, permit, undoes=undoes, within_us=self._within_us)
        else:
            permit = dataclasses.replace(permit, expires=earlier.expires)
            found = self.ask(permit)
            if found.performed is not Performed.FAILED:
                return self._noted(Step(permit, undoing, found))
            # It has not happened; within its time, the same key makes it happen once, even if the earlier call is
            # still under way.
            if not is_awaited(self._context.store, self._acceptance.authority):
                raise OvertakenError("its case does not wait for this effect")
        attempts = attempt_all(
            self._context.schedule,
            permit.expires,
            self._context.clock.now,
            self._context.pause,
            lambda at: self._call(permit, undoing=undoing, at=at),
        )
        return self._noted(Step(permit, undoing, self._known(permit, attempts), attempts))

    def _noted(self, step: Step) -> Step:
        self.steps.append(step)
        return step

    def _known(self, permit: Permit, attempts: tuple[Attempt, ...]) -> Report:
        """Return what is known after the last attempt; where it left that open, the route is asked once."""
        report = attempts[-1].report
        if report is None:
            found = self.ask(permit)
            if found.performed is Performed.DONE:
                return Report(Performed.DONE, f"no answer in time; {found.detail}")
            # That it has not happened yet says nothing: the call is still under way.
            return Report(Performed.UNKNOWN, f"no answer in time; when asked: {found.performed.value}")
        match report.performed:
            case Performed.UNKNOWN:
                found = self.ask(permit)
                return Report(found.performed, f"{report.detail}; {found.detail}")
            case Performed.TRANSIENT:
                return Report(Performed.FAILED, f"still not possible after {len(attempts)} attempts: {report.detail}")
            case _:
                return report

    def _call(self, permit: Permit, *, undoing: bool, at: int) -> Report | None:
        context = self._context
        if has_expired(permit, at):
            return Report(Performed.FAILED, "its time was over before the call")
        if not undoing and is_halted(context):
            raise HaltedError("the machine is halted")
        return call_within(
            self._inside(lambda: _answer(lambda: context.router.perform(permit))),
            context.clock,
            at,
            permit.expires,
            lambda report: note_late(context, permit, undoing, report),
        )

    def ask(self, permit: Permit) -> Report:
        """Return what the route says has become of an effect; never raises for what a route does."""
        context = self._context
        now = 0 if self._within_us is None else context.clock.now()
        found = call_within(
            self._inside(
                lambda: _answer(lambda: Report(context.router.performed(permit), "as the route told when asked"))
            ),
            context.clock,
            now,
            self._until(now, ASKING_US_MAX),
            lambda _: None,  # whoever wants to know asks again
        )
        if found is None or found.performed is Performed.TRANSIENT:
            return Report(Performed.UNKNOWN, "the route could not tell")
        return found

    def _inside(self, call: Callable[[], _T]) -> Callable[[], _T]:
        return within_effect(self._context.lanes, self._acceptance.case.id, call)

    def _until(self, now: int, most_us: int | None = None) -> int | None:
        if self._within_us is None:
            return None
        return now + (self._within_us if most_us is None else min(most_us, self._within_us))


def _answer(call: Callable[[], Report]) -> Report:
    try:
        return call()
    except Exception as error:  # a route that breaks its promise may have acted all the same
        return Report(Performed.UNKNOWN, f"the route raised {type(error).__name__}: {error}")
