"""The loop: admit, gather, decide, record, permit, perform, confirm.

`Runtime.submit` is the whole way of one candidate on one screen. Each stage takes the typed result of the one before,
so none can be skipped: only a stored record yields an `Authority`, and only an `Authority` a permit.
"""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypeVar

from edca.ledger.errors import LedgerError
from edca.runtime import approving, asking, config, erasing, inbox, observe, recover, rosters, settlement, waiting
from edca.runtime.addressing import Addressed, Admitted, find_address, recalled
from edca.runtime.answers import Outcome, as_recorded
from edca.runtime.cases import case_id, check_tenant
from edca.runtime.context import Context
from edca.runtime.effects import Acceptance, Course
from edca.runtime.entrance import WAITING_MAX, Entrance
from edca.runtime.evidence import informed, reading_within
from edca.runtime.gather import gather, look, read_ahead
from edca.runtime.lanes import lanes_of
from edca.runtime.older_cells import write_anew
from edca.runtime.opened import opened
from edca.runtime.operating import Operated
from edca.runtime.permits import HaltedError, OvertakenError
from edca.runtime.probing import Probes
from edca.runtime.question import check_vouched
from edca.runtime.recording import CarriedOut, confirm, decide_and_record, decide_on
from edca.runtime.reentry import check_outside
from edca.runtime.retention_rules import RETENTION
from edca.runtime.retries import Schedule, sleep
from edca.runtime.together import Came, Submission, Unfinished, take_together
from edca.runtime.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edca.kernel.candidate import Caller, Candidate, Malformed
    from edca.kernel.facts import Facts, Handle, Key
    from edca.kernel.inputs import Attestation, Case
    from edca.kernel.inquiry import Inquiry
    from edca.kernel.machine import Evidence, Machine
    from edca.kernel.roster import Roster
    from edca.kernel.verdict import Verdict
    from edca.ledger.store import StoredRecord
    from edca.runtime.answers import Answer, RecordReference
    from edca.runtime.asking import QueryAnswer
    from edca.runtime.gather import Ahead
    from edca.runtime.ports import Clock, Router, Store
    from edca.runtime.probing import Probing
    from edca.runtime.question import Question
    from edca.runtime.retention_rules import RetentionRules

_T = TypeVar("_T")


class Runtime(Operated):
    """One machine over one router and one ledger. Threads may share it.

    Candidates about one case are taken one after the other, those about different cases at the same time: what reads
    and acts holds the case's lane, and only deciding and recording are done in turns (`edca.runtime.turns`).
    """

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
        waiting_max: int = WAITING_MAX,
        read_within_us: int | None = None,
        probing: Probing | None = None,
        retention: RetentionRules | None = None,
    ) -> None:
        """Put the configuration on record where it isn't yet.

        `schedule` says how faults that a route calls transient are tried again; `pause` waits so many microseconds.
        `inbox_max` is how many questions may wait for people: beyond it, what would be escalated is refused.
        `waiting_max` is how many candidates may be under way or wait at one time, `read_within_us` how long the sources
        have to tell what one decision reads (null: as long as they like). `probing` is how often one principal may be
        refused before nothing of theirs is looked at for a while (null: as often as they like). `retention` are the
        rules whose classes records name (null: they name none).

        What an earlier process left unfinished stays pending until `recover.recover` has run.

        Raises `ValueError` for an unusable tenant or bound, `AdoptionError` where the ledger has adopted another
        roster, and what the ledger raises.
        """
        check_tenant(tenant)
        chain = rosters.chain_of_rosters(tenant, machine.name)
        Turns().take(ledger, lambda: _ensure(ledger, chain, machine, router, roster, retention))
        parts = (
            machine,
            router,
            opened(ledger, machine),
            roster,
            clock,
            tenant,
            schedule or Schedule(),
            pause,
            inbox_max,
        )
        self.context = Context(*parts, read_within_us, lanes=lanes_of(ledger), retention=retention)
        self._entrance = Entrance(waiting_max)
        write_anew(self.context)
        erasing.finish(self.context)
        self._admit = admit
        self._probes = Probes(probing)

    def submit(
        self, payload: bytes | Candidate | Malformed, caller: Caller, attestations: Sequence[Attestation] = ()
    ) -> Answer:
        """Take one candidate all the way, and return its verdict and what became of it.

        Refusals are answers, not exceptions. Raises `OverloadedError`, and then nothing was looked at. Raises what the
        ledger raises: then nothing was acknowledged, and whatever was begun is gone on with by the next who comes about
        the case, by the next tick, or by `recover`. Raises `ValueError` for attestations that are not of their types,
        and `ReentrantCallError` within an effect.
        """
        check_outside(self.context.lanes)
        with self._entrance.inside():
            addressed = self.address(payload, caller, attestations)
            with self.context.lanes.hold(addressed.lane(self.context.tenant)):
                recover.carry_on_interrupted(self, addressed.case_id)
                addressed = recalled(self.context, addressed)
                if addressed.settled is not None:
                    return addressed.settled
                answer = self._take(addressed)
        self.note(caller, answer)
        return answer

    def query(self, inquiry: Inquiry | Malformed, caller: Caller) -> QueryAnswer:
        """Answer what somebody looks up, and return it once it is on record. Nothing else comes of it.

        Refusals are answers, not exceptions. Raises `OverloadedError`, and then nothing was looked at, what the ledger
        raises, and then nothing was told, and `ReentrantCallError` within an effect.
        """
        check_outside(self.context.lanes)
        machine, clock = self.context.machine, self.context.clock
        with self._entrance.inside():
            # Who is asking is the host's word, whatever the inquiry says of itself.
            asked = asking.as_asked_by(caller, inquiry)
            looked_at = self._probes.looked_at(machine, asked, caller, clock)
            answer = asking.ask(self.context, looked_at, caller.provenance())
        self._probes.note(machine, caller, answer.verdict, clock)
        return answer

    def submit_together(self, submissions: Sequence[Submission]) -> tuple[list[Came], bool]:
        """Take many candidates at once: see `together.take_together`."""
        count, went_on = self._entrance.enter_most(len(submissions)), 0
        try:
            found, is_late = take_together(self, submissions[:count])
            went_on = sum(isinstance(came, Unfinished) for came in found)  # these leave when they are finished
        finally:
            self._entrance.leave(count - went_on)
        return [*found, *(self._entrance.overloaded() for _ in submissions[count:])], is_late

    def finish(self, unfinished: Unfinished) -> Answer:
        """Carry out what `submit_together` has put on record as accepted. Raises as `submit` does."""
        lanes, lane = self.context.lanes, unfinished.lane
        try:
            lanes.take_over(lane)
            return self._carry_out(unfinished.question, unfinished.reference)
        except BaseException:
            self.context.interrupted.add(lane)
            raise
        finally:
            lanes.leave(lane)
            self._entrance.leave()

    def address(
        self, payload: bytes | Candidate | Malformed, caller: Caller, attestations: Sequence[Attestation]
    ) -> Addressed:
        """Admit a candidate, and tell which case it is about. Raises `ValueError` as `submit` does."""
        check_vouched(attestations)
        return find_address(self.context, self._admitted(payload, caller, attestations))

    def note(self, caller: Caller, answer: Answer) -> None:
        """Count a refusal, for `probing`."""
        self._probes.note(self.context.machine, caller, answer.verdict, self.context.clock)

    def _take(self, addressed: Addressed) -> Answer:
        """Gather, decide and record, and carry out what was accepted. Its lane is held."""
        begun: list[str] = []
        with ExitStack() as lanes:
            try:
                recorded = informed(
                    self.context,
                    lambda context: self._read_ahead(context, addressed, lanes),
                    lambda context, ahead: decide_and_record(context, addressed, ahead, begun),
                )
                if recorded.question is None:
                    return recorded.answer
                return self._carry_out(recorded.question, recorded.answer.record)
            except BaseException:
                self.context.interrupted.update(begun)
                raise

    def _carry_out(self, question: Question, reference: RecordReference) -> Answer:
        """Carry out what is on record as accepted. Its lane is held."""
        # Read back from the ledger: nothing but a stored record is a source of authority.
        stored = self.context.store.read(reference.number)
        performed = self._perform(Acceptance.of(question, stored))
        return self._so_far(stored) if performed is None else self._confirm(performed)

    def _read_ahead(self, context: Context, addressed: Addressed, lanes: ExitStack) -> Ahead:
        """Read what there is to be read. Who creates a case holds its lane too, before anybody can come about it."""
        ahead = read_ahead(context, addressed)
        if addressed.case_id is None and ahead.case is not None:
            lanes.enter_context(self.context.lanes.hold(ahead.case.id))
        return ahead

    def answer(self, said: approving.Said) -> approving.Answered:
        """Put a person's answer to an open question on record, and decide again: see `approving.answer`."""
        check_outside(self.context.lanes)
        with self._entrance.inside():
            return approving.answer(self, said)

    def open_questions(self) -> tuple[inbox.OpenQuestion, ...]:
        """Return the open questions, the riskiest first; those whose time is over are closed before."""
        self.close_overdue()
        context = self.context
        with context.store.reading():
            return inbox.questions(context.store, context.tenant, context.machine.name)

    def close_overdue(self) -> tuple[RecordReference, ...]:
        """Put on record which questions nobody has answered in time. Nothing is approved by that."""
        return self.context.turn(lambda: inbox.close_overdue(self.context))

    def about(self, found: inbox.OpenQuestion) -> Addressed:
        """Return the address of an escalated candidate, as the host handed it over."""
        return recalled(self.context, find_address(self.context, _as_given(found)))

    def gathered_again(self, found: inbox.OpenQuestion) -> Question:
        """Return the question of an escalated candidate, with everything read anew."""
        return gather(reading_within(self.context), self.about(found)).question

    def reconsider(self, found: inbox.OpenQuestion) -> Answer:
        """Decide an escalated candidate again, with the answers so far and everything else gathered anew."""
        addressed = self.about(found)
        with self.context.lanes.hold(addressed.lane(self.context.tenant)):
            return self._take(addressed)

    def recover(self) -> tuple[Answer, ...]:
        """Carry on with what dangles: see `recover.recover`."""
        return recover.recover(self)

    def carry_on_interrupted(self, case: str | None) -> None:
        """Go on with a case's effects that somebody was torn away from: see `recover.carry_on_interrupted`."""
        recover.carry_on_interrupted(self, case)

    def carry_on_all_interrupted(self) -> None:
        """Do so for all cases: see `recover.carry_on_all_interrupted`."""
        recover.carry_on_all_interrupted(self)

    def resume_answers(self) -> tuple[Answer, ...]:
        """Decide what answers that counted have not led to yet: see `approving.resume`."""
        return approving.resume(self)

    def reconsider_all(self) -> tuple[Answer, ...]:
        """Decide every open question again that can be decided now: see `approving.reconsider_all`."""
        return approving.reconsider_all(self)

    def carry_on(self, acceptance: Acceptance) -> Answer | None:
        """Carry on at the permit of an accepted verdict whose effects have no outcome yet. Raises as `submit` does.

        Null where a halt holds it up, and it stays pending, or somebody else carries it out. The case's lane must be
        held.
        """
        try:
            performed = self._perform(acceptance)
            return None if performed is None else self._confirm(performed)
        except BaseException:
            self.context.interrupted.add(acceptance.case.id)
            raise

    def quarantine(self, acceptance: Acceptance) -> Answer:
        """Put on record that nobody can tell what an accepted verdict's effects did. Raises what the ledger raises."""
        return self._confirm(CarriedOut(acceptance, Course(self.context, acceptance), Outcome.QUARANTINED))

    def look(
        self,
        entity: str,
        key: Key,
        wants: Callable[[Case, Facts, int], Sequence[tuple[Handle, tuple[str, ...]]]],
        evidence: Sequence[Evidence] = (),
    ) -> tuple[Case | None, Facts, int]:
        """Read a case and facts for a view: see `gather.look`. Nothing is decided or recorded."""
        return look(reading_within(self.context), entity, key, wants, evidence)

    def observe(
        self, entity: str, key: Key, by: str, state: str | None = None, signature: bytes | None = None
    ) -> RecordReference:
        """Put on record that a person has looked at the world: see `observe.observe`."""
        return self._looked_at(entity, key, lambda inner: observe.observe(inner, entity, key, by, state, signature))

    def observation_message(self, entity: str, key: Key, state: str | None = None) -> bytes:
        """Return what somebody signs who observes the case now: see `observe.signing_message`."""
        return self._looked_at(entity, key, lambda inner: observe.signing_message(inner, entity, key, state))

    def _looked_at(self, entity: str, key: Key, act: Callable[[Context], _T]) -> _T:
        context = self.context
        check_outside(context.lanes)
        id_ = case_id(context.machine, context.tenant, entity, key)
        with context.lanes.hold(id_):
            recover.carry_on_interrupted(self, id_)
            wanted = observe.request(context.machine, entity, key)
            return informed(
                context, lambda inner: inner.router.read([wanted], inner.clock.now()), lambda inner, _: act(inner)
            )

    def foresee(self, payload: bytes | Candidate, caller: Caller) -> Verdict:
        """Return the verdict that `submit` would come to now. Nothing is recorded, so nothing may be done on it.

        Raises as `submit` does.
        """
        context = reading_within(self.context)
        addressed = recalled(context, find_address(context, self._admitted(payload, caller, ())))
        gathered = gather(context, addressed)
        with context.store.reading():
            return decide_on(context, gathered).verdict

    def settle(self, record: RecordReference | int, code: str, amount: int) -> RecordReference:
        """Put on record what a limit's passage really cost: see `settlement.settle`."""
        return self.context.turn(lambda: settlement.settle(self.context, record, code, amount))

    def _admitted(
        self, payload: bytes | Candidate | Malformed, caller: Caller, attestations: Sequence[Attestation]
    ) -> Admitted:
        looked_at = self._probes.looked_at(self.context.machine, payload, caller, self.context.clock)
        if looked_at is not payload:
            payload, attestations = looked_at, ()
        if isinstance(payload, bytes):
            found = self._admit(payload, caller)
            provenance = caller.provenance()
            admitted = found if provenance is None else dataclasses.replace(found, provenance=provenance)
            return Admitted(admitted, tuple(attestations))
        # Who is calling is the host's word, whatever the candidate says of itself.
        admitted = dataclasses.replace(
            payload,
            proposer=caller.proposer,
            role=caller.role,
            subject=caller.subject,
            model=caller.model,
            provenance=caller.provenance(),
        )
        return Admitted(admitted, tuple(attestations))

    def _perform(self, acceptance: Acceptance) -> CarriedOut | None:
        """Carry out what is accepted; null where a halt stops it before an outcome, or somebody else carries it out."""
        course = Course(self.context, acceptance)
        try:
            return CarriedOut(acceptance, course, course.run())
        except HaltedError:
            # What was done stands under a spent permit; after `resume` it is asked for, and the rest carried out.
            self.context.interrupted.add(acceptance.case.id)
            self.context.turn(lambda: self.context.store.let_go(acceptance.case.id))
            return None
        except OvertakenError:
            return None
        except LedgerError:
            # Whatever was called stands under a spent permit; the case stays pending until `recover` has asked.
            raise
        except Exception:
            # A bug must surface, but not before it is on record that effects may have happened.
            self._confirm(CarriedOut(acceptance, course, Outcome.QUARANTINED))
            raise

    def _so_far(self, verdict: StoredRecord) -> Answer:
        with self.context.store.reading():
            return as_recorded(self.context.store, verdict)

    def _confirm(self, performed: CarriedOut) -> Answer:
        return self.context.turn(lambda: confirm(self.context, performed))


def _ensure(
    ledger: Store, chain: str, machine: Machine, router: Router, roster: Roster, retention: RetentionRules | None
) -> None:
    """Put on record what isn't yet: in a turn, since other processes may open the same ledger."""
    rosters.check_opened(ledger, chain, roster)
    config.ensure(ledger, machine, router, roster)
    if retention is not None:
        config.keep(ledger, [(RETENTION, retention.digest, retention.document)])


def _as_given(found: inbox.OpenQuestion) -> Admitted:
    """Return an escalated candidate as the host handed it over: without the answers given to the question."""
    attestations = found.question.inputs.attestations
    return Admitted(found.candidate, tuple(one for one in attestations if one.source != waiting.SOURCE))
