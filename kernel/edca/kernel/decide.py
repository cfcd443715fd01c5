"""The decision: a pure, total function of machine, case, candidate and inputs.

Nothing here reads a clock, draws a random number, does I/O or computes with floats. The stages of `gate` run in order,
and the first that fails gives the code; then all clauses are evaluated at once, none short-circuits another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.evaluate import NOTHING_YET, Frame, known
from edca.kernel.expression import Input
from edca.kernel.gate import Passed, Stopped, pass_gate
from edca.kernel.machine import Clause, ClauseKind, Machine, OnFail, Transition
from edca.kernel.readings import readings
from edca.kernel.types import Type
from edca.kernel.values import Unknown, Value, in_bounds, to_raw
from edca.kernel.verdict import Accepted, ClauseResult, Escalated, Intent, Need, Refused, Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.facts import Facts, Handle
    from edca.kernel.inputs import Attestation, Case, Inputs
    from edca.kernel.values import Raw


def decide(machine: Machine, case: Case | None, candidate: Candidate | Malformed, inputs: Inputs) -> Verdict:
    """Return the verdict on the candidate. Equal arguments give equal verdicts, everywhere and always."""
    name = candidate.transition if isinstance(candidate, Candidate) else ""
    gate = pass_gate(machine, case, candidate, inputs)
    if isinstance(gate, Stopped):
        return Refused(transition=name, code=gate.stage.value, stage=gate.stage, detail=gate.detail, clauses=())

    frame = frame_of(machine, gate, inputs)
    gate.program.bind_lets(frame)
    judged = zip(gate.transition.clauses, gate.program.clauses, strict=True)
    clauses = tuple(_judge(machine, gate, clause, closure(frame), frame, inputs) for clause, closure in judged)
    failed = [clause for clause in clauses if clause.result is not Result.PASSED]
    refusing = [clause for clause in failed if clause.on_fail is OnFail.REFUSE]
    if refusing:
        return Refused(
            transition=name, code=refusing[0].code, stage=None, detail="", clauses=clauses, anchor=gate.anchor
        )
    if failed:
        needs = tuple(Need(clause.code, clause.kind, clause.role or "") for clause in failed)
        return Escalated(transition=name, code=needs[0].code, needs=needs, anchor=gate.anchor, clauses=clauses)
    return _accept(machine, gate, frame, clauses)


def _judge(machine: Machine, gate: Passed, clause: Clause, outcome: Any, frame: Frame, inputs: Inputs) -> ClauseResult:
    truth, on_fail = known(outcome), clause.on_fail
    match clause.kind:
        case ClauseKind.REQUIRE:
            passed = truth is True
        case ClauseKind.FORBID:
            passed = truth is False
        case ClauseKind.CONFIRM:
            answer = _answer(clause, gate.candidate, inputs)
            passed = truth is False or answer is True
            on_fail = OnFail.REFUSE if answer is False else on_fail
        case _:
            assert_never(clause.kind)
    unknown = truth if isinstance(truth, Unknown) and not passed else None
    return ClauseResult(
        code=clause.code,
        kind=clause.kind,
        on_fail=on_fail,
        role=clause.role,
        withheld=clause.withheld,
        result=Result.PASSED if passed else Result.FAILED if unknown is None else Result.UNKNOWN,
        reason=unknown,
        readings=() if passed else readings(machine, gate.transition, clause.condition, frame),
    )


def _answer(clause: Clause, candidate: Candidate, inputs: Inputs) -> Value:
    """Return the newest answer in time from somebody in the clause's role who isn't the proposer, or null.

    Of two at one instant the no counts.
    """
    answers = [
        (attestation.at, attestation.value)
        for attestation in inputs.attestations
        if attestation.name == clause.code
        and attestation.role == clause.role
        and attestation.by != candidate.proposer
        and _may_attest(attestation, candidate.subject, inputs)
        and attestation.at <= inputs.now
        and (clause.within_us is None or inputs.now - attestation.at <= clause.within_us)
    ]
    return max(answers, key=lambda answer: (answer[0], answer[1] is not True))[1] if answers else None


def _may_attest(attestation: Attestation, subject: str | None, inputs: Inputs) -> bool:
    """Tell whether the attestor may speak in that role.

    Somebody on the roster speaks only in roles that the roster gives, and a model in none. Of others the host vouches,
    but they speak only for themselves: as the subject on whose behalf the candidate is.
    """
    found = inputs.roster.find(attestation.by)
    if found is None:
        return attestation.by == subject
    return found.model is None and attestation.role in found.roles


def _accept(machine: Machine, gate: Passed, frame: Frame, clauses: tuple[ClauseResult, ...]) -> Accepted | Refused:
    transition, entities = gate.transition, machine.index.entities
    memory: dict[str, Raw] = {
        name: to_raw(slot.type, gate.case.memory[name], entities) for name, slot in machine.index.memory.items()
    }
    problem: tuple[str, str] | None = None
    for name, closure in gate.program.assignments:
        value, slot = closure(frame), machine.index.memory[name]
        problem = problem or problem_of(slot.type, value, name)
        if problem is None:
            memory[name] = to_raw(slot.type, value, entities)
    intents: list[Intent] = []
    for act, closures in zip(transition.acts, gate.program.calls, strict=True):
        effect = machine.index.effects[act.call.effect]
        arguments: dict[str, Raw] = {}
        for parameter, closure in zip(effect.parameters, closures, strict=True):
            value = closure(frame)
            problem = problem or problem_of(parameter.type, value, f"{effect.name}.{parameter.name}")
            if problem is None:
                arguments[parameter.name] = to_raw(parameter.type, value, entities)
        intents.append(Intent(effect.name, arguments))
    if problem is not None:
        code, detail = problem
        return Refused(
            transition=transition.name,
            code=code,
            stage=None,
            detail=detail,
            clauses=clauses,
            anchor=gate.anchor,
        )
    return Accepted(
        transition=transition.name,
        source=gate.case.state,
        target=transition.target,
        memory=memory,
        intents=tuple(intents),
        anchor=gate.anchor,
        clauses=clauses,
    )


def problem_of(type_: Type, value: Any, name: str) -> tuple[str, str] | None:
    """Return (code, detail) where a computed value can't be kept or handed on."""
    if isinstance(value, Unknown):
        return value.value, f"{name} is unknown"
    if not in_bounds(type_, value):
        return "out_of_range", f"{name} is outside the range of its type"
    return None


def usable(facts: Facts, now: int, fresh_us: int | None) -> dict[Handle, Mapping[str, Value | Unknown]]:
    """Return each instance's fields; those of a stale instance, or of one from the future, are unknown."""
    table: dict[Handle, Mapping[str, Value | Unknown]] = {}
    for handle, instance in facts.items():
        stale = instance.as_of > now or (fresh_us is not None and now - instance.as_of > fresh_us)
        table[handle] = dict.fromkeys(instance.fields, Unknown.STALE) if stale else instance.fields
    return table


def frame_of(machine: Machine, gate: Passed, inputs: Inputs, after: Facts | None = None) -> Frame:
    """Return all that the clauses may read; with `after`, facts come from there and `before` reads the decision's."""
    claims: dict[str, Value | Unknown] = {}
    newest: dict[str, int] = {}
    for attestation in inputs.attestations:
        claim = machine.index.claims.get(attestation.name)
        if claim is None or attestation.role != claim.by or attestation.at > inputs.now:
            continue
        if not _may_attest(attestation, gate.candidate.subject, inputs):
            continue
        if attestation.at > newest.get(claim.name, attestation.at - 1):
            newest[claim.name], claims[claim.name] = attestation.at, attestation.value
        elif attestation.at == newest[claim.name] and attestation.value != claims[claim.name]:
            claims[claim.name] = Unknown.UNATTESTED  # two answers at one instant cancel out, whatever their order
    candidate, facts = gate.candidate, usable(inputs.facts, inputs.now, machine.fresh_us)
    return Frame(
        arguments=gate.arguments,
        memory=gate.case.memory,
        claims=claims,
        inputs={
            Input.NOW: inputs.now,
            Input.PROPOSER: candidate.proposer,
            Input.SUBJECT: Unknown.UNSTATED if candidate.subject is None else candidate.subject,
            Input.CONFIDENCE: Unknown.UNSTATED if candidate.confidence is None else candidate.confidence,
            Input.CASE: gate.case.key,
        },
        facts=facts if after is None else {handle: instance.fields for handle, instance in after.items()},
        earlier=None if after is None else facts,
    )


def in_order(transition: Transition, handles: set[Handle]) -> tuple[tuple[Handle, tuple[str, ...]], ...]:
    """Return the handles in one fixed order, each with the fields that the transition reads of its entity."""
    fields = {evidence.entity: evidence.fields for evidence in transition.evidence}
    ordered = sorted(handles, key=lambda handle: (handle[0], repr(handle[1])))
    return tuple((handle, fields.get(handle[0], ())) for handle in ordered)


def wanted(
    machine: Machine, case: Case | None, candidate: Candidate | Malformed, inputs: Inputs
) -> tuple[tuple[Handle, tuple[str, ...]], ...]:
    """Return the instances, each with the fields to read, that the clauses want and `inputs.facts` lacks.

    Empty also where an early stage will refuse: then nothing need be read.
    """
    gate = pass_gate(machine, case, candidate, inputs)
    if isinstance(gate, Stopped):
        return ()
    frame = frame_of(machine, gate, inputs)
    gate.program.bind_lets(frame)
    own = (gate.case.entity, gate.case.key)
    if own not in inputs.facts and not gate.transition.creates:
        frame.wanted.add(own)
    for closure in gate.program.clauses:
        closure(frame)
    for _, closure in gate.program.assignments:
        closure(frame)
    for closures in gate.program.calls:
        for closure in closures:
            closure(frame)
    # What a postcondition compares with must be read now; what it reads afterwards isn't there yet.
    frame.earlier, frame.facts = frame.facts, NOTHING_YET
    for closure in gate.program.ensures:
        closure(frame)
    return in_order(gate.transition, frame.wanted)
