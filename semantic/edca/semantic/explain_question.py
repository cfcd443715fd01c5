"""What a verdict leaves out and its question tells: which branch was chosen and why, what a property read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.candidate import Candidate
from edca.kernel.decide import frame_of
from edca.kernel.evaluate import Frame, closure_of, known
from edca.kernel.frames import frame_for
from edca.kernel.gate import Passed, bind_arguments, pass_gate
from edca.kernel.program import program
from edca.kernel.readings import readings
from edca.kernel.values import Unknown, ValueProblem
from edca.semantic.notation_clauses import guard_notation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.machine import Machine, Never, Transition
    from edca.kernel.verdict import Reading
    from edca.runtime.question import Question


_WORDS = {True: "chosen", False: "its guard is false"}


@dataclass(frozen=True, slots=True)
class Asked:
    """The branches that were legal for a candidate, in the order they are tried, and what their guards read from."""

    machine: Machine
    legal: tuple[Transition, ...]
    frame: Frame


def asked(question: Question) -> Asked | None:
    """Return what the choice of a branch rested on; null where there was none to make, or none could be made."""
    machine, case, candidate = question.machine, question.case, question.candidate
    if case is None or not isinstance(candidate, Candidate):
        return None
    legal = tuple(
        branch
        for branch in machine.index.offered.get(candidate.transition, ())
        if case.state in branch.sources and branch.about == case.entity
    )
    if not legal or legal[0].guard is None:
        return None
    try:
        arguments = bind_arguments(machine, legal[0], candidate)
    except ValueProblem:
        return None
    return Asked(machine, legal, frame_for(machine, case, candidate, arguments, question.inputs))


def branches(found: Asked) -> Iterator[str]:
    """Yield each branch with what became of its guard, in the order they are tried, and below it what the guard read.

    The first whose guard is true is chosen; after one that is unknown none is.
    """
    settled = False
    for branch in found.legal:
        guard = program(found.machine, branch.name).guard
        truth = True if guard is None else known(guard(found.frame))
        unknown = isinstance(truth, Unknown)
        word = "not reached" if settled else "unknown, so none is chosen" if unknown else _WORDS[truth]
        guard_text = guard_notation(found.machine, branch)
        yield f"branch {branch.name}{f', {guard_text}' if guard_text else ''}: {word}"
        if not settled and branch.guard is not None:
            for reading in readings(found.machine, branch, branch.guard, found.frame):
                yield f"    {reading.name} = {reading.value}"
        settled = settled or unknown or truth is True


def property_readings(question: Question, violated: Never) -> tuple[Reading, ...]:
    """Return what a property read of what would come about, had the candidate been accepted."""
    machine = question.machine
    gate = pass_gate(machine, question.case, question.candidate, question.inputs)
    if not isinstance(gate, Passed):
        return ()
    frame = frame_of(machine, gate, question.inputs)
    gate.program.bind_lets(frame)
    reached = gate.transition.target in violated.states
    assignments = gate.transition.assignments if reached else ()
    outcome = Frame(
        arguments={},
        memory={**gate.case.memory, **{item.name: closure_of(item.value)(frame) for item in assignments}},
        claims={},
        inputs=frame.inputs,
        facts=frame.facts,
        history=frame.history,
    )
    return readings(machine, gate.transition, violated.condition, outcome)
