"""The decision: a pure, total function of machine, case, candidate and inputs.

Nothing here reads a clock, draws a random number, does I/O or computes with floats. The stages of `gate` run in order,
and the first that fails gives the code; then all clauses are evaluated at once, none short-circuits another; last,
every property is tested on what would come about.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.evaluate import NOTHING_YET, Frame
from edca.kernel.frames import frame_for, in_order
from edca.kernel.gate import Passed, Stopped, pass_gate
from edca.kernel.judgement import Judged, judge, report
from edca.kernel.limits import key_of
from edca.kernel.machine import Machine, OnFail
from edca.kernel.movement import ASKING
from edca.kernel.preview import foreseen
from edca.kernel.properties import Violation, violations
from edca.kernel.types import Type
from edca.kernel.values import Unknown, in_bounds, to_raw
from edca.kernel.verdict import Accepted, Escalated, Intent, Refused, Result, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edca.kernel.facts import Handle
    from edca.kernel.inputs import Case, CounterKey, Inputs
    from edca.kernel.machine import Window
    from edca.kernel.values import Raw

PROPERTY_VIOLATED = "property_violated"
OVERLOAD = "overload"
LETTING_PASS = (Result.PASSED, Result.WAIVED)


@dataclass(frozen=True, slots=True)
class _Weighed:
    """All that a decision computes: each clause, what would be remembered and called, and what that violates."""

    frame: Frame
    computed: Sequence[Any]
    judged: tuple[Judged, ...]
    memory: Mapping[str, Any]  # values, or why they are unknown
    arguments: tuple[tuple[Any, ...], ...]
    violations: tuple[Violation, ...]


def decide(machine: Machine, case: Case | None, candidate: Candidate | Malformed, inputs: Inputs) -> Verdict:
    """Return the verdict on the candidate. Equal arguments give equal verdicts, everywhere and always."""
    gate = pass_gate(machine, case, candidate, inputs)
    if isinstance(gate, Stopped):
        offered = candidate.transition if isinstance(candidate, Candidate) else ""
        return Refused(
            transition=gate.branch or offered, code=gate.stage.value, stage=gate.stage, detail=gate.detail, clauses=()
        )
    weighed = _weigh(machine, gate, inputs)
    transition, anchor = gate.transition, gate.anchor
    clauses = tuple(report(machine, gate, judged, weighed.frame) for judged in weighed.judged)

    def refused(code: str, detail: str = "", reason: Unknown | None = None) -> Refused:
        return Refused(
            transition=transition.name,
            code=code,
            stage=None,
            detail=detail,
            clauses=clauses,
            anchor=anchor,
            reason=reason,
        )

    failed = [judged for judged in weighed.judged if judged.result not in LETTING_PASS]
    refusing = [judged for judged in failed if judged.on_fail is OnFail.REFUSE]
    if refusing:
        return refused(refusing[0].clause.code)
    # Nobody is asked to approve what is known to be forbidden; what is only unknown may become known meanwhile.
    violated = next((item for item in weighed.violations if item.reason is None or not failed), None)
    moves = tuple(judged.move for judged in weighed.judged if judged.move is not None)
    if failed and violated is None and inputs.overloaded:
        return refused(OVERLOAD, "as many questions wait for people as may")
    if failed and violated is None:
        needs = tuple(judged.need for judged in failed)
        return Escalated(
            transition=transition.name,
            code=needs[0].code,
            needs=needs,
            anchor=anchor,
            clauses=clauses,
            moves=moves,
            preview=foreseen(machine, gate, weighed.computed, inputs.now).digest,
        )
    problem = None if failed else _problem(machine, gate, weighed)
    if problem is not None:
        return refused(*problem)
    if violated is not None:
        return refused(PROPERTY_VIOLATED, violated.code, violated.reason)
    return Accepted(
        transition=transition.name,
        source=gate.case.state,
        target=transition.target,
        memory=_memory(machine, weighed),
        intents=_intents(machine, gate, weighed),
        anchor=anchor,
        clauses=clauses,
        moves=moves,
    )


def _weigh(machine: Machine, gate: Passed, inputs: Inputs) -> _Weighed:
    frame, program, transition = frame_of(machine, gate, inputs), gate.program, gate.transition
    program.bind_lets(frame)
    computed = program.decide(frame)
    clause_count = len(transition.clauses)
    judged = judge(machine, gate, computed[:clause_count], frame, inputs, _shown(machine, gate, computed, inputs))
    values = iter(computed[clause_count:])
    memory = {**gate.case.memory, **{item.name: next(values) for item in transition.assignments}}
    arguments = tuple(tuple(islice(values, len(act.call.arguments))) for act in transition.acts)
    signers = {one.clause.code: one.answered_by for one in judged if one.clause.kind in ASKING}
    return _Weighed(frame, computed, judged, memory, arguments, violations(gate, frame, memory, signers))


def _shown(machine: Machine, gate: Passed, computed: Sequence[Any], inputs: Inputs) -> bytes | None:
    """Return the digest of what answers must have been given to; null where none was given to any preview."""
    if all(attestation.binds is None for attestation in inputs.attestations):
        return None
    return foreseen(machine, gate, computed, inputs.now).digest


def frame_of(machine: Machine, gate: Passed, inputs: Inputs) -> Frame:
    """Return all that the clauses may read; the transition's lets are not in it yet."""
    return frame_for(machine, gate.case, gate.candidate, gate.arguments, inputs)


def _problem(machine: Machine, gate: Passed, weighed: _Weighed) -> tuple[str, str] | None:
    """Return (code, detail) of the first value that memory can't keep or that an effect can't be handed."""
    for assignment in gate.transition.assignments:
        slot = machine.index.memory[assignment.name]
        problem = problem_of(slot.type, weighed.memory[slot.name], slot.name)
        if problem is not None:
            return problem
    for act, arguments in zip(gate.transition.acts, weighed.arguments, strict=True):
        effect = machine.index.effects[act.call.effect]
        for parameter, value in zip(effect.parameters, arguments, strict=True):
            problem = problem_of(parameter.type, value, f"{effect.name}.{parameter.name}")
            if problem is not None:
                return problem
    return None


def problem_of(type_: Type, value: Any, name: str) -> tuple[str, str] | None:
    """Return (code, detail) where a computed value can't be kept or handed on."""
    if isinstance(value, Unknown):
        return value.value, f"{name} is unknown"
    if not in_bounds(type_, value):
        return "out_of_range", f"{name} is outside the range of its type"
    return None


def _memory(machine: Machine, weighed: _Weighed) -> dict[str, Raw]:
    slots, entities = machine.index.memory, machine.index.entities
    return {name: to_raw(slot.type, weighed.memory[name], entities) for name, slot in slots.items()}


def _intents(machine: Machine, gate: Passed, weighed: _Weighed) -> tuple[Intent, ...]:
    entities = machine.index.entities
    intents: list[Intent] = []
    for act, arguments in zip(gate.transition.acts, weighed.arguments, strict=True):
        effect = machine.index.effects[act.call.effect]
        pairs = zip(effect.parameters, arguments, strict=True)
        raw = {parameter.name: to_raw(parameter.type, value, entities) for parameter, value in pairs}
        intents.append(Intent(effect.name, raw))
    return tuple(intents)


def wanted(
    machine: Machine, case: Case | None, candidate: Candidate | Malformed, inputs: Inputs
) -> tuple[tuple[Handle, tuple[str, ...]], ...]:
    """Return the instances, each with the fields to read, that a decision wants and `inputs.facts` lacks.

    Empty also where an early stage will refuse whatever is read.
    """
    if isinstance(candidate, Malformed):
        return ()
    gate = pass_gate(machine, case, candidate, inputs)
    branches = machine.index.offered.get(candidate.transition, ())
    if isinstance(gate, Stopped):
        return in_order(branches, gate.wanted)
    frame = _weigh(machine, gate, inputs).frame
    own = (gate.case.entity, gate.case.key)
    if own not in inputs.facts and not gate.transition.creates:
        frame.wanted.add(own)
    # What a postcondition compares with must be read now; what it reads afterwards isn't there yet.
    frame.earlier, frame.facts = frame.facts, NOTHING_YET
    for closure in gate.program.ensures:
        closure(frame)
    return in_order(branches, frame.wanted)


def counters_wanted(
    machine: Machine, case: Case | None, candidate: Candidate | Malformed, inputs: Inputs
) -> tuple[tuple[CounterKey, Window], ...]:
    """Return the counters, each with its window, that the decision reads: to be asked once all facts are there.

    A limit that does not apply, or whose keys are unknown, reads none. Empty also where an early stage refuses.
    """
    gate = pass_gate(machine, case, candidate, inputs)
    if isinstance(gate, Stopped):
        return ()
    frame, program = frame_of(machine, gate, inputs), gate.program
    program.bind_lets(frame)
    counters: dict[CounterKey, Window] = {}
    for clause, condition, closures in zip(gate.transition.clauses, program.clauses, program.limits, strict=True):
        if clause.limit is None or closures is None or condition(frame) is False:
            continue
        key = key_of(closures, frame)
        if not isinstance(key, Unknown):
            counters[gate.transition.offered, clause.code, key] = clause.limit.window
    return tuple(counters.items())
