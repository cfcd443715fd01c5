"""Stages 3, 4 and 7: what a turn does, from the question to the record, and from the outcome to its record.

Everything here happens within a turn, so what is read from the store is what it holds when the record is written.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.candidate import Candidate
from edca.kernel.decide import decide
from edca.kernel.inputs import address
from edca.kernel.verdict import Accepted, Escalated, encoded
from edca.ledger.errors import TamperedError
from edca.ledger.record import Draft
from edca.ledger.store import Cell
from edca.ledger.vault import asker_scope
from edca.runtime import cases, inbox, mandates, modes, signals, waiting
from edca.runtime.addressing import recalled
from edca.runtime.answers import Answer, Outcome, RecordReference, Remembered, as_recorded, idempotency_key
from edca.runtime.cases import Row, touched
from edca.runtime.context import Owner
from edca.runtime.counter_cells import Sheet
from edca.runtime.counters import come_out, decided, reserved_until
from edca.runtime.gather import Gathered, gather_and_accept
from edca.runtime.kinds import OUTCOME, VERDICT
from edca.runtime.personal import Plan, subject_of
from edca.runtime.question import attestations_digest
from edca.runtime.records import after_outcome, after_verdict, chain_of, outcome_content, verdict_content

if TYPE_CHECKING:
    from edca.kernel.inputs import Case
    from edca.kernel.verdict import Verdict
    from edca.runtime.addressing import Addressed
    from edca.runtime.context import Context, Place
    from edca.runtime.effects import Acceptance, Course
    from edca.runtime.gather import Ahead
    from edca.runtime.question import Question


@dataclass(frozen=True, slots=True)
class Decided:
    """Stage 3's result."""

    gathered: Gathered
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Recorded:
    """Stage 4's result: the verdict is on record. `question` is the one whose effects are to be carried out, if any."""

    answer: Answer
    question: Question | None


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """Stage 6's result: what was done, and how it came out."""

    acceptance: Acceptance
    course: Course
    outcome: Outcome


def decide_on(context: Context, gathered: Gathered) -> Decided:
    """Come to the verdict; an escalation that finds the inbox full is refused instead."""
    question = gathered.question
    verdict = decide(question.machine, question.case, question.candidate, question.inputs)
    key = gathered.addressed.question_key
    if isinstance(verdict, Escalated) and inbox.is_full(context, key):
        full = dataclasses.replace(question, inputs=dataclasses.replace(question.inputs, overloaded=True))
        verdict = decide(full.machine, full.case, full.candidate, full.inputs)
        return Decided(Gathered(gathered.addressed, full), verdict)
    return Decided(gathered, verdict)


def gather_and_decide(context: Context, addressed: Addressed, ahead: Ahead) -> Decided:
    """Do stages 2 and 3 at once, where the candidate is accepted plainly; else one after the other."""
    gathered, accepted = gather_and_accept(context, addressed, ahead)
    return decide_on(context, gathered) if accepted is None else Decided(gathered, accepted)


def decide_and_record(context: Context, addressed: Addressed, ahead: Ahead, begun: list[str]) -> Recorded:
    """Decide on what was gathered, and record it: in one turn, so that nothing comes between the two."""
    modes.settle(context)
    inbox.close_if_overdue(context, addressed.question_key)
    known = recalled(context, addressed)
    if known.remembered != addressed.remembered and known.settled is not None:
        return Recorded(known.settled, None)  # another runtime of this ledger has taken it meanwhile
    recorded = record(context, gather_and_decide(context, known, ahead))
    if recorded.question is not None and recorded.question.case is not None:
        begun.append(recorded.question.case.id)
    return recorded


def record(context: Context, found: Decided) -> Recorded:
    """Append the verdict, and in the same turn move the case and remember the answer."""
    addressed, question, verdict = found.gathered.addressed, found.gathered.question, found.verdict
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
                Row(dataclasses.replace(case, pending=place.reference.digest), place.reference.number)
                if pending
                else _row(context, case)
            )
            written.append(row.cell())
        if addressed.key is not None and addressed.key_used_by is None:
            remembered = Remembered(
                candidate=question.candidate.digest,
                attestations=addressed.attestations_digest,
                answer=answer_at(place.reference),
            )
            written.append(remembered.cell(addressed.key, kept))
        return [*written, *_counted(context, addressed, question, verdict, place), *noted.cells]

    mandates.check(context, question.machine, verdict)
    now, happened = question.inputs.now, signals.of_verdict(verdict, question.inputs.facts)
    noted = modes.note(context, question.machine, happened, now)
    kept = encoded(verdict)  # once for its record and its cell
    raw = kept if Plan.of(question.machine) is None else verdict.to_raw()  # sealing looks into it
    draft = Draft(chain, VERDICT, verdict_content(context, question, verdict, raw, after))
    reference = context.append(draft, cells, noted.drafts, _owner(context, question))
    if pending and question.case is not None:
        context.store.hold(question.case.id)  # from its acceptance on, what is to be done is this process's to do
    return Recorded(answer_at(reference), question if pending else None)


def _owner(context: Context, question: Question) -> Owner | None:
    """Return whose the personal values of a verdict are."""
    candidate = question.candidate
    if Plan.of(question.machine) is None:
        return None
    asker = candidate.subject or candidate.proposer
    blinding = candidate.blinding if isinstance(candidate, Candidate) else None
    scope = asker_scope(context.tenant, asker) if blinding is None else blinding.scope
    if question.case is None:
        return Owner(scope, asker)
    subject = subject_of(question.machine, question.case, question.inputs.facts, candidate.subject)
    return Owner(scope, asker, subject)


def _counted(context: Context, addressed: Addressed, question: Question, verdict: Verdict, place: Place) -> list[Cell]:
    """Return the writes that move the counters, the mandates' uses and the inbox by the verdict."""
    machine, now, tenant = question.machine, question.inputs.now, context.tenant
    sheet, expires = Sheet(context.store.cell), reserved_until(machine, verdict, now)
    decided(sheet, tenant, machine, question.candidate, verdict, now, place.reference.number, expires)
    key = addressed.question_key
    question_cells = [] if key is None else inbox.moved(context, key, machine, verdict, now, place)
    uses = mandates.after_verdict(context.store, tenant, machine, verdict, place.reference.number)
    return [*sheet.cells, *uses, *question_cells]


def _row(context: Context, case: Case) -> Row:
    """Return the case's row with what an earlier record left pending, which a refusal does not touch."""
    earlier = cases.load_row(context.store, case.id) if case.pending is not None else None
    return Row(case) if earlier is None else Row(case, earlier.record, earlier.quarantined)


def confirm(context: Context, performed: CarriedOut) -> Answer:
    """Append the outcome, and in the same turn move the case and the remembered answer.

    A verdict has one outcome: where the case waits for it no more, nothing is recorded, and the outcome on record is
    returned. Raises `TamperedError` where there is none.
    """
    acceptance, outcome = performed.acceptance, performed.outcome
    question, record, verdict = acceptance.question, acceptance.record, acceptance.authority.verdict
    row = cases.load_row(context.store, acceptance.case.id)
    if row is None or not row.awaits(record.digest):
        return _outcome_of_another(context, acceptance)
    # What has been put on record of the case since then moves no state.
    before = dataclasses.replace(acceptance.case, touched=row.case.touched, human_only=row.case.human_only)
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
            case_cell = Row(held, record.number, quarantined=True).cell()
        else:
            case_cell = Row(touched(after, place.entry, at)).cell()
        sheet = Sheet(context.store.cell)
        come_out(sheet, context.tenant, question.machine.name, verdict, record.number, outcome)
        return [case_cell, *_remembered(context, acceptance, answer), *sheet.cells, *noted.cells]

    happened = signals.of_outcome(outcome, [step.in_time for step in performed.course.steps])
    noted = modes.note(context, question.machine, happened, at)
    context.append(Draft(before.id, OUTCOME, content), cells, noted.drafts)
    context.store.let_go(before.id)
    return answer


def _outcome_of_another(context: Context, acceptance: Acceptance) -> Answer:
    known = as_recorded(context.store, context.store.read(acceptance.record.number))
    if known.outcome is None:
        raise TamperedError(f"case `{acceptance.case.id}` waits for no outcome, and has none; verify the ledger")
    return known


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
    given = [one for one in question.inputs.attestations if one.source != waiting.SOURCE]
    attested = attestations_digest(question.machine, given, candidate.blinding)
    return [Remembered(candidate.digest, attested, answer).cell(key)]
