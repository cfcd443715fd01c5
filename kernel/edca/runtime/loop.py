"""The loop: admit, gather, decide, record, permit, perform, confirm.

`Runtime.submit` is the whole way of one candidate on one screen. Each stage takes the typed result of the one before,
so none can be skipped: only a stored record yields an `Authority`, and only an `Authority` a permit.
"""

from __future__ import annotations

import dataclasses
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.candidate import Candidate
from edca.kernel.decide import decide
from edca.kernel.inputs import address
from edca.kernel.verdict import Accepted
from edca.ledger.errors import LedgerError
from edca.ledger.record import Draft
from edca.ledger.store import Cell
from edca.runtime import cases, config, observe
from edca.runtime.answers import Answer, Outcome, RecordReference, Remembered, idempotency_key
from edca.runtime.cases import Row, check_tenant, touched
from edca.runtime.context import Context
from edca.runtime.effects import Acceptance, Course
from edca.runtime.gather import Admitted, Gathered, find_address, gather, look
from edca.runtime.kinds import OUTCOME, VERDICT
from edca.runtime.question import attestations_digest
from edca.runtime.records import after_outcome, after_verdict, chain_of, outcome_content, verdict_content

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


class Runtime:
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
    ) -> None:
        """Put the configuration on record where it isn't yet.

        What an earlier process left unfinished stays pending until `recover.recover` has run.

        Raises `ValueError` for an unusable tenant, and what the ledger raises.
        """
        check_tenant(tenant)
        config.ensure(ledger, machine, router, roster)
        self.context = Context(machine, router, ledger, roster, clock, tenant)
        self.lock = threading.RLock()
        self._admit = admit

    def submit(self, payload: bytes | Candidate, caller: Caller, attestations: Sequence[Attestation] = ()) -> Answer:
        """Take one candidate all the way, and return its verdict and what became of it.

        Refusals are answers, not exceptions. Raises what the ledger raises: then nothing was acknowledged, and whatever
        was begun is resumed by `recover`. Raises `ValueError` for attestations that are not of their types.
        """
        with self.lock:
            admitted = self._admitted(payload, caller, attestations)
            addressed = find_address(self.context, admitted)
            if addressed.settled is not None:
                return addressed.settled
            gathered = gather(self.context, addressed)
            decided = self._decide(gathered)
            recorded = self._record(decided)
            if recorded.pending is None:
                return recorded.answer
            performed = self._perform(recorded.pending)
            return self._confirm(performed)

    def resume(self, acceptance: Acceptance) -> Answer:
        """Carry on at the permit of an accepted verdict whose effects have no outcome yet. Raises as `submit` does."""
        with self.lock:
            return self._confirm(self._perform(acceptance))

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
        return Decided(gathered, verdict)

    def _record(self, decided: Decided) -> Recorded:
        """Append the verdict, and in the same transaction move the case and remember the answer."""
        addressed, question, verdict = decided.gathered.addressed, decided.gathered.question, decided.verdict
        chain = chain_of(question, verdict)
        own_chain = question.case is not None and chain == question.case.id
        after = None
        if question.case is not None and own_chain:
            after = after_verdict(question.machine, question.case, verdict)
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
            return written

        draft = Draft(chain, VERDICT, verdict_content(self.context, question, verdict))
        reference = self.context.append(draft, cells)
        if not pending:
            return Recorded(answer_at(reference), None)
        # Read back from the ledger: nothing but a stored record is a source of authority.
        stored = self.context.store.read(reference.index)
        return Recorded(answer_at(reference), Acceptance.of(question, stored))

    def _row(self, case: Case) -> Row:
        """Return the case's row with what an earlier record left pending, which a refusal does not touch."""
        earlier = cases.load_row(self.context.store, case.id) if case.pending is not None else None
        return Row(case) if earlier is None else Row(case, earlier.record, earlier.quarantined)

    def _perform(self, acceptance: Acceptance) -> CarriedOut:
        course = Course(self.context, acceptance)
        try:
            return CarriedOut(acceptance, course, course.run())
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
        question, before, record = acceptance.question, acceptance.case, acceptance.record
        verdict = acceptance.authority.verdict
        at = max(question.inputs.now, context.clock.now())
        after = after_outcome(question.machine, before, verdict, outcome)
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
            return [case_cell, *_remembered(context, acceptance, answer)]

        context.append(Draft(before.id, OUTCOME, content), cells)
        return answer


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
    attested = attestations_digest(question.machine, question.inputs.attestations)
    return [Remembered(candidate.digest, attested, answer).cell(key)]
