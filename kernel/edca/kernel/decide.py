"""The decision: a pure, total function of machine, case, candidate and inputs.

Nothing here reads a clock, draws a random number, does I/O or computes with floats. The stages of `gate` run in order,
and the first that fails gives the code; then all clauses are evaluated at once, none short-circuits another; last,
every property is tested on what would come about.

What passes, passes in a function generated for the transition (`decision.py`). What does not is looked into here and in
the modules beside, clause by clause, to tell people what was wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.evaluate import NOTHING_YET, Frame
from edca.kernel.frames import computed, frame_for, in_order, reading_frame
from edca.kernel.gate import Passed, Stopped, pass_gate
from edca.kernel.judgement import Judged, judge, reports
from edca.kernel.machine import Machine, OnFail
from edca.kernel.movement import ASKING
from edca.kernel.preview import foreseen
from edca.kernel.properties import Violation, violations
from edca.kernel.types import Type
from edca.kernel.values import Unknown, in_bounds, to_raw
from edca.kernel.verdict import (
    OVERLOAD,
    PROPERTY_VIOLATED,
    Accepted,
    ClauseResult,
    Escalated,
    Intent,
    Refused,
    Result,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.kernel.decision import Computed
    from edca.kernel.facts import Handle
    from edca.kernel.inputs import Case, CounterKey, Inputs
    from edca.kernel.machine import Window
    from edca.kernel.values import Raw

LETTING_PASS = (Result.PASSED, Result.WAIVED)


def _ignore(handle: Handle) -> None:
    """A decision is made on the facts that are there, whatever else it would have read."""


def decide(machine: Machine, case: Case | None, candidate: Candidate | Malformed, inputs: Inputs) -> Verdict:
    """Return the verdict on the candidate. Equal arguments give equal verdicts, everywhere and always."""
    gate = pass_gate(machine, case, candidate, inputs)
    if isinstance(gate, Stopped):
        offered = candidate.transition if isinstance(candidate, Candidate) else ""
        return Refused(
            transition=gate.branch or offered, code=gate.stage.value, stage=gate.stage, detail=gate.detail, clauses=()
        )
    rests_on = gate.program.decision.run(gate, inputs, _ignore, True)
    if isinstance(rests_on, Accepted):
        return rests_on
    judged = judge(machine, gate, rests_on, inputs, _shown(machine, gate, rests_on, inputs))
    clauses = reports(machine, gate, judged, inputs)
    violated = _violated(machine, gate, rests_on, judged, inputs, set())
    failed = [one for one in judged if one.result not in LETTING_PASS]
    refused = _refused(machine, gate, rests_on, failed, violated, clauses, inputs)
    if refused is not None:
        return refused
    moves = tuple(one.move for one in judged if one.move is not None)
    if failed:
        needs = tuple(one.need for one in failed)
        return Escalated(
            transition=gate.transition.name,
            code=needs[0].code,
            needs=needs,
            anchor=gate.anchor,
            clauses=clauses,
            moves=moves,
            preview=foreseen(machine, gate, rests_on, inputs.now).digest,
        )
    return Accepted(
        transition=gate.transition.name,
        source=gate.case.state,
        target=gate.transition.target,
        memory=_raw_memory(machine, gate, rests_on),
        intents=_intents(machine, gate, rests_on),
        anchor=gate.anchor,
        clauses=clauses,
        moves=moves,
    )


def accepted_plainly(
    machine: Machine, case: Case | None, candidate: Candidate | Malformed, inputs: Inputs
) -> Accepted | None:
    """Return what `decide` does where that is an acceptance by which each clause passes plainly and all was read.

    Null says nothing: then `wanted` tells what to read, and `counters_wanted` what to count, before `decide` is asked.
    Where it accepts, neither would have named anything but the counters that were asked for in `inputs.used`.
    """
    gate = pass_gate(machine, case, candidate, inputs)
    if isinstance(gate, Stopped) or gate.program.decision.late:
        return None
    lacking: set[Handle] = set()
    verdict = gate.program.decision.run(gate, inputs, lacking.add, True)
    if not isinstance(verdict, Accepted):
        return None
    _add_wanted_besides(machine, gate, inputs, lacking)
    return None if lacking else verdict


def _refused(
    machine: Machine,
    gate: Passed,
    rests_on: Computed,
    failed: Sequence[Judged],
    violated: Sequence[Violation],
    clauses: tuple[ClauseResult, ...],
    inputs: Inputs,
) -> Refused | None:
    """Return the refusal, or null where nothing refuses: then what failed, if anything did, waits for people."""

    def refused(code: str, detail: str = "", reason: Unknown | None = None) -> Refused:
        return Refused(
            transition=gate.transition.name,
            code=code,
            stage=None,
            detail=detail,
            clauses=clauses,
            anchor=gate.anchor,
            reason=reason,
        )

    refusing = next((one for one in failed if one.on_fail is OnFail.REFUSE), None)
    if refusing is not None:
        return refused(refusing.clause.code)
    # Nobody is asked to approve what is known to be forbidden; what is only unknown may become known meanwhile.
    violation = next((item for item in violated if item.reason is None or not failed), None)
    if failed and violation is None and inputs.overloaded:
        return refused(OVERLOAD, "as many questions wait for people as may")
    problem = None if failed else _problem(machine, gate, rests_on)
    if problem is not None:
        return refused(*problem)
    return None if violation is None else refused(PROPERTY_VIOLATED, violation.code, violation.reason)


def _violated(
    machine: Machine,
    gate: Passed,
    rests_on: Computed,
    judged: Sequence[Judged],
    inputs: Inputs,
    wanted: set[Handle],
) -> tuple[Violation, ...]:
    """Return what an acceptance would violate; where a property wants more facts, they are added to `wanted`."""
    if rests_on.kept and not gate.program.decision.late:
        return ()
    signers: dict[str, tuple[str, ...]] = {
        clause.code: () for clause in gate.transition.clauses if clause.kind in ASKING
    }
    signers |= {one.clause.code: tuple(map(str, one.answered_by)) for one in judged if one.clause.kind in ASKING}
    frame = frame_of(machine, gate, inputs)
    found = violations(gate, frame, _memory(gate, rests_on), signers)
    wanted |= frame.wanted
    return found


def _shown(machine: Machine, gate: Passed, rests_on: Computed, inputs: Inputs) -> bytes | None:
    """Return the digest of what answers must have been given to; null where none was given to any preview."""
    for attestation in inputs.attestations:
        if attestation.binds is not None:
            return foreseen(machine, gate, rests_on, inputs.now).digest
    return None


def frame_of(machine: Machine, gate: Passed, inputs: Inputs) -> Frame:
    """Return all that the clauses may read; the transition's lets are not in it yet."""
    return frame_for(machine, gate.case, gate.candidate, gate.arguments, inputs)


def _problem(machine: Machine, gate: Passed, rests_on: Computed) -> tuple[str, str] | None:
    """Return (code, detail) of the first value that memory can't keep or that an effect can't be handed."""
    for assignment, value in zip(gate.transition.assignments, rests_on.after, strict=True):
        slot = machine.index.memory[assignment.name]
        problem = problem_of(slot.type, value, slot.name)
        if problem is not None:
            return problem
    for act, arguments in zip(gate.transition.acts, rests_on.calls, strict=True):
        effect = machine.index.effects[act.call.effect]
        for parameter, value in zip(effect.parameters, arguments, strict=True):
            problem = problem_of(parameter.type, value, f"{effect.name}.{parameter.name}")
            if problem is not None:
                return problem
    return None


def problem_of(type_: Type, value: Any, name: str) -> tuple[str, str] | None:
    """Return (code, detail) where a rests_on value can't be kept or handed on."""
    if isinstance(value, Unknown):
        return value.value, f"{name} is unknown"
    if not in_bounds(type_, value):
        return "out_of_range", f"{name} is outside the range of its type"
    return None


def _memory(gate: Passed, rests_on: Computed) -> dict[str, Any]:
    """Return what an acceptance would remember: values, or why they are unknown."""
    memory: dict[str, Any] = dict(gate.case.memory)
    for assignment, value in zip(gate.transition.assignments, rests_on.after, strict=True):
        memory[assignment.name] = value
    return memory


def _raw_memory(machine: Machine, gate: Passed, rests_on: Computed) -> dict[str, Raw]:
    slots, entities, memory = machine.index.memory, machine.index.entities, _memory(gate, rests_on)
    return {name: to_raw(slot.type, memory[name], entities) for name, slot in slots.items()}


def _intents(machine: Machine, gate: Passed, rests_on: Computed) -> tuple[Intent, ...]:
    entities = machine.index.entities
    intents: list[Intent] = []
    for act, arguments in zip(gate.transition.acts, rests_on.calls, strict=True):
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
    found: set[Handle] = set()
    rests_on, program = computed(gate, inputs, found), gate.program
    if program.decision.late:
        judged = judge(machine, gate, rests_on, inputs, _shown(machine, gate, rests_on, inputs))
        _violated(machine, gate, rests_on, judged, inputs, found)
    _add_wanted_besides(machine, gate, inputs, found)
    return in_order(branches, found)


def _add_wanted_besides(machine: Machine, gate: Passed, inputs: Inputs, found: set[Handle]) -> None:
    """Add what a decision wants besides what its function reads: the case's own instance, and what effects compare."""
    own, program = (gate.case.entity, gate.case.key), gate.program
    if own not in inputs.facts and not gate.transition.creates:
        found.add(own)
    if program.ensures or program.decision.spare:
        frame = reading_frame(machine, gate, inputs)
        # What a postcondition compares with must be read now; what it reads afterwards isn't there yet.
        frame.earlier, frame.facts = frame.facts, NOTHING_YET
        for closure in program.ensures:
            closure(frame)
        found |= frame.wanted


def counters_wanted(
    machine: Machine, case: Case | None, candidate: Candidate | Malformed, inputs: Inputs
) -> tuple[tuple[CounterKey, Window], ...]:
    """Return the counters, each with its window, that the decision reads: to be asked once all facts are there.

    A limit that does not apply, or whose keys are unknown, reads none. Empty also where an early stage refuses.
    """
    gate = pass_gate(machine, case, candidate, inputs)
    if isinstance(gate, Stopped) or not gate.program.limits:
        return ()
    rests_on = computed(gate, inputs, set())
    counters: dict[CounterKey, Window] = {}
    for place, code, limit in gate.program.limits:
        counted = rests_on.counted[place]
        if counted is None or rests_on.truths[place] is False:
            continue
        _, _, key = counted
        if not isinstance(key, Unknown):
            counters[gate.transition.offered, code, key] = limit.window
    return tuple(counters.items())
