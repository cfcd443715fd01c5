"""The loop: admit, gather, decide, record, permit, perform, confirm.

`Runtime.submit` is the whole way of one candidate on one screen. Each stage takes the typed result of the one before,
so none can be skipped: only a stored record yields an `Authority`, and only an `Authority` a permit.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.candidate import Candidate
from edca.kernel.decide import decide
from edca.kernel.inputs import address
from edca.kernel.verdict import Accepted, Escalated
from edca.ledger.errors import LedgerError
from edca.ledger.record import Draft
from edca.ledger.store import Cell
from edca.runtime import (
    approving,
    cases,
    config,
    inbox,
    mandates,
    modes,
    observe,
    recover,
    settlement,
    signals,
)
from edca.runtime.answers import Answer, Outcome, RecordReference, Remembered, idempotency_key
from edca.runtime.cases import Row, check_tenant, touched
from edca.runtime.context import Context
from edca.runtime.counters import Sheet, come_out, decided, reserved_until
from edca.runtime.effects import Acceptance, Course
from edca.runtime.gather import Addressed, Admitted, Gathered, find_address, gather, look
from edca.runtime.kinds import OUTCOME, VERDICT
from edca.runtime.operating import Operated
from edca.runtime.permits import HaltedError
from edca.runtime.question import attestations_digest, check_vouched
from edca.runtime.records import after_outcome, after_verdict, chain_of, outcome_content, verdict_content
from edca.runtime.retries import Schedule, sleep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edca.kernel.candidate import Caller, Malformed
    from edca.kernel.facts import Facts, Handle, Key
    from edca.kernel.inputs import Attestation, Case
    from edca.kernel.machine import Machine
    from edca.kernel.roster import Roster
    from edca.kernel.verdict import Verdict
    from edca.runtime.context import Place
    from edca.runtime.ports import Clock, Router, Store
    from edca.runtime.question import Question


@dataclass(frozen=True, slots=True)
class Decided:
    """Stage 3's result."""

    gathered: Gathered
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Recorded:
    """Stage 4's result: the verdict is durable. `pending` is what there is to carry out, if anything."""

    answer: Answer
    pending: Acceptance | None


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """Stage 6's result: what was done, and how it came out."""

    acceptance: Acceptance
    course: Course
    outcome: Outcome


class Runtime(Operated):
    """One machine over one router and one ledger. Threads may share it: candidates are taken one at a time."""

    def __init__(
        self,
        machine: Machine,
        router: Router,
        ledger: Store,
        roster: Roster,
        clock: Clock,
        *,
        admit: Callable[[bytes, Caller], Candidate | Malformed],
        tenant: str = "",
        schedule: Schedule | None = None,
        pause: Callable[[int], None] = sleep,
        inbox_max: int = inbox.OPEN_MAX,
    ) -> None:
        """Put the configuration on record where it isn't yet.

        `schedule` says how faults that a route calls transient are tried again; `pause` waits so many microseconds.
        `inbox_max` is how many questions may wait for people: beyond it, what would be escalated is refused.

        What an earlier process left unfinished stays pending until `recover.recover` has run.

        Raises `ValueError` for an unusable tenant, and what the ledger raises.
        """
        check_tenant(tenant)
        config.ensure(ledger, machine, router, roster)
        self.context = Context(machine, router, ledger, roster, clock, tenant, schedule or Schedule(), pause, inbox_max)
        self.lock = self.context.lock
        self._admit = admit

    def submit(self, payload: bytes | Candidate, caller: Caller, attestations: Sequence[Attestation] = ()) -> Answer:
        """Take one candidate all the way, and return its verdict and what became of it.

        Refusals are answers, not exceptions. Raises what the ledger raises: then nothing was acknowledged, and whatever
        was begun is resumed by `recover`. Raises `ValueError` for attestations that are not of their types.
        """
        with self.lock:
            check_vouched(attestations)
            admitted = self._admitted(payload, caller, attestations)
            addressed = find_address(self.context, admitted)
            return addressed.settled or self._take(addressed)

    def _take(self, addressed: Addressed) -> Answer:
        modes.settle(self.context)
        inbox.close_if_overdue(self.context, addressed.question_key(self.context.tenant))
        gathered = gather(self.context, addressed)
        decided = self._decide(gathered)
        recorded = self._record(decided)
        if recorded.pending is None:
            return recorded.answer
        performed = self._perform(recorded.pending)
        return recorded.answer if performed is None else self._confirm(performed)

    def answer(self, said: approving.Said) -> approving.Answered:
        """Put a person's answer to an open question on record, and decide again: see `approving.answer`."""
        with self.lock:
            return approving.answer(self, said)

    def open_questions(self) -> tuple[inbox.OpenQuestion, ...]:
        """Return the open questions, the riskiest first; those whose time is over are closed before."""
        with self.lock:
            self.close_overdue()
            return inbox.questions(self.context.store, self.context.tenant, self.context.machine.name)

    def close_overdue(self) -> tuple[RecordReference, ...]:
        """Put on record which questions nobody has answered in time. Nothing is approved by that."""
        with self.lock:
            return inbox.close_overdue(self.context)

    def gathered_again(self, found: inbox.OpenQuestion) -> Question:
        """Return the question of an escalated candidate, with everything read anew."""
        return gather(self.context, find_address(self.context, _as_given(found))).question

    def reconsider(self, found: inbox.OpenQuestion) -> Answer:
        """Decide an escalated candidate again, with the answers so far and everything else gathered anew."""
        with self.lock:
            return self._take(find_address(self.context, _as_given(found)))

    def recover(self) -> tuple[Answer, ...]:
        """Carry on with what dangles: see `recover.recover`."""
        return recover.recover(self)

    def carry_on(self, acceptance: Acceptance) -> Answer | None:
        """Carry on at the permit of an accepted verdict whose effects have no outcome yet. Raises as `submit` does.

        Null where a halt holds it up: it stays pending.
        """
        with self.lock:
            performed = self._perform(acceptance)
            return None if performed is None else self._confirm(performed)

    def quarantine(self, acceptance: Acceptance) -> Answer:
        """Put on record that nobody can tell what an accepted verdict's effects did. Raises what the ledger raises."""
        with self.lock:
            course = Course(self.context, acceptance)
            return self._confirm(CarriedOut(acceptance, course, Outcome.QUARANTINED))

    def look(
        self, entity: str, key: Key, wants: Callable[[Case, Facts, int], Sequence[tuple[Handle, tuple[str, ...]]]]
    ) -> tuple[Case | None, Facts, int]:
        """Read a case and facts for a view: see `gather.look`. Nothing is decided or recorded."""
        with self.lock:
            return look(self.context, entity, key, wants)

    def observe(self, entity: str, key: Key, by: str, state: str | None = None) -> RecordReference:
        """Put on record that a person has looked at the world: see `observe.observe`."""
        with self.lock:
            return observe.observe(self.context, entity, key, by, state)

    def foresee(self, payload: bytes | Candidate, caller: Caller) -> Verdict:
        """Return the verdict that `submit` would come to now. Nothing is recorded, so nothing may be done on it.

        Raises as `submit` does.
        """
        with self.lock:
            addressed = find_address(self.context, self._admitted(payload, caller, ()))
            return self._decide(gather(self.context, addressed)).verdict

    def settle(self, record: int, code: str, amount: int) -> RecordReference:
        """Put on record what a limit's passage really cost: see `settlement.settle`."""
        with self.lock:
            return settlement.settle(self.context, record, code, amount)

    def _admitted(self, payload: bytes | Candidate, caller: Caller, attestations: Sequence[Attestation]) -> Admitted:
        if isinstance(payload, bytes):
            return Admitted(self._admit(payload, caller), tuple(attestations))
        # Who is calling is the host's word, whatever the candidate says of itself.
        candidate = dataclasses.replace(
            payload, proposer=caller.proposer, role=caller.role, subject=caller.subject, model=caller.model
        )
        return Admitted(candidate, tuple(attestations))

    def _decide(self, gathered: Gathered) -> Decided:
        question = gathered.question
        verdict = decide(question.machine, question.case, question.candidate, question.inputs)
        key = gathered.addressed.question_key(self.context.tenant)
        if isinstance(verdict, Escalated) and inbox.is_full(self.context, key):
            full = dataclasses.replace(question, inputs=dataclasses.replace(question.inputs, overloaded=True))
            verdict = decide(full.machine, full.case, full.candidate, full.inputs)
            return Decided(Gathered(gathered.addressed, full), verdict)
        return Decided(gathered, verdict)

    def _record(self, decided: Decided) -> Recorded:
        """Append the verdict, and in the same transaction move the case and remember the answer."""
        addressed, question, verdict = decided.gathered.addressed, decided.gathered.question, decided.verdict
        chain = chain_of(question, verdict)
        own_chain = question.case is not None and chain == question.case.id
        after = None
        if question.case is not None and own_chain:
            after = after_verdict(question.machine, question.case, question.candidate, verdict, question.inputs.now)
        pending = isinstance(verdict, Accepted) and bool(verdict.intents)

        def answer_at(reference: RecordReference) -> Answer:
            state, revision = (None, None) if after is None else (after.state, after.revision)
            return Answer(verdict, reference, None, state, revision)

        def cells(place: Place) -> list[Cell]:
            written: list[Cell] = []
            if after is not None:
                case = touched(after, place.entry, question.inputs.now)
                row = (
                    Row(dataclasses.replace(case, pending=place.reference.digest), place.reference.index)
                    if pending
                    else self._row(case)
                )
                written.append(row.cell())
            if addressed.key is not None and addressed.key_used_by is None:
                remembered = Remembered(
                    candidate=question.candidate.digest,
                    attestations=addressed.attestations_digest,
                    answer=answer_at(place.reference),
                )
                written.append(remembered.cell(addressed.key))
            return [*written, *self._counted(addressed, question, verdict, place), *noted.cells]

        now, happened = question.inputs.now, signals.of_verdict(verdict, question.inputs.facts)
        noted = modes.note(self.context, question.machine, happened, now)
        draft = Draft(chain, VERDICT, verdict_content(self.context, question, verdict))
        reference = self.context.append(draft, cells, noted.drafts)
        if not pending:
            return Recorded(answer_at(reference), None)
        # Read back from the ledger: nothing but a stored record is a source of authority.
        stored = self.context.store.read(reference.index)
        return Recorded(answer_at(reference), Acceptance.of(question, stored))

    def _counted(self, addressed: Addressed, question: Question, verdict: Verdict, place: Place) -> list[Cell]:
        """Return the writes that move the counters, the mandates' uses and the inbox by the verdict."""
        machine, now, tenant = question.machine, question.inputs.now, self.context.tenant
        sheet, expires = Sheet(self.context.store.cell), reserved_until(machine, verdict, now)
        decided(sheet, tenant, machine, question.candidate, verdict, now, place.reference.index, expires)
        key = addressed.question_key(tenant)
        waiting = [] if key is None else inbox.after_verdict(self.context, key, machine, verdict, now, place)
        return [*sheet.cells, *mandates.after_verdict(self.context, machine, verdict), *waiting]

    def _row(self, case: Case) -> Row:
        """Return the case's row with what an earlier record left pending, which a refusal does not touch."""
        earlier = cases.load_row(self.context.store, case.id) if case.pending is not None else None
        return Row(case) if earlier is None else Row(case, earlier.record, earlier.quarantined)

    def _perform(self, acceptance: Acceptance) -> CarriedOut | None:
        """Carry out what is accepted; null where a halt stops it before an outcome."""
        course = Course(self.context, acceptance)
        try:
            return CarriedOut(acceptance, course, course.run())
        except HaltedError:
            # What was done stands under a spent permit; after `resume` it is asked for, and the rest carried out.
            return None
        except LedgerError:
            # Whatever was called stands under a spent permit; the case stays pending until `recover` has asked.
            raise
        except Exception:
            # A bug must surface, but not before it is on record that effects may have happened.
            self._confirm(CarriedOut(acceptance, course, Outcome.QUARANTINED))
            raise

    def _confirm(self, performed: CarriedOut) -> Answer:
        """Append the outcome, and in the same transaction move the case and the remembered answer."""
        acceptance, outcome, context = performed.acceptance, performed.outcome, self.context
        question, record, verdict = acceptance.question, acceptance.record, acceptance.authority.verdict
        before = _as_noted_since(context, acceptance.case)
        at = max(question.inputs.now, before.touched, context.clock.now())
        after = after_outcome(question.machine, before, acceptance.candidate, verdict, outcome, at)
        content = outcome_content(context, question, record.digest, at, outcome, performed.course.steps, after)
        state, revision = (None, None) if after is None else (after.state, after.revision)
        answer = Answer(verdict, record, outcome, state, revision)

        def cells(place: Place) -> list[Cell]:
            if after is None:
                case_cell = Cell(cases.SPACE, before.id, None)
            elif outcome is Outcome.QUARANTINED:
                held = dataclasses.replace(touched(after, place.entry, at), pending=record.digest)
                case_cell = Row(held, record.index, quarantined=True).cell()
            else:
                case_cell = Row(touched(after, place.entry, at)).cell()
            sheet = Sheet(context.store.cell)
            come_out(sheet, context.tenant, question.machine.name, verdict, record.index, outcome)
            return [case_cell, *_remembered(context, acceptance, answer), *sheet.cells, *noted.cells]

        happened = signals.of_outcome(outcome, [step.in_time for step in performed.course.steps])
        noted = modes.note(context, question.machine, happened, at)
        context.append(Draft(before.id, OUTCOME, content), cells, noted.drafts)
        return answer


def _as_given(found: inbox.OpenQuestion) -> Admitted:
    """Return an escalated candidate as the host handed it over: without the answers given to the question."""
    attestations = found.question.inputs.attestations
    return Admitted(found.candidate, tuple(one for one in attestations if one.source != inbox.SOURCE))


def _as_noted_since(context: Context, case: Case) -> Case:
    """Return the case of an acceptance with what has been put on record of it since, which moves no state."""
    row = cases.load_row(context.store, case.id)
    return case if row is None else dataclasses.replace(case, touched=row.case.touched, human_only=row.case.human_only)


def _remembered(context: Context, acceptance: Acceptance, answer: Answer) -> list[Cell]:
    """Return the write that puts the outcome under the candidate's idempotency key, if it has one."""
    question, candidate = acceptance.question, acceptance.candidate
    about = address(question.machine, candidate)
    if about is None:
        raise ValueError("an accepted candidate names its case")
    if not candidate.key:
        return []
    id_ = None if about.creates else acceptance.case.id
    key = idempotency_key(context.tenant, question.machine, candidate, about, id_)
    given = [one for one in question.inputs.attestations if one.source != inbox.SOURCE]
    attested = attestations_digest(question.machine, given)
    return [Remembered(candidate.digest, attested, answer).cell(key)]
