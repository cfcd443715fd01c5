"""After an effect: is its postcondition true, what must be read to tell, and what would undo it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.decide import frame_of, problem_of
from edca.kernel.evaluate import Frame, known
from edca.kernel.frames import in_order
from edca.kernel.gate import Passed, Stopped, pass_gate
from edca.kernel.values import Unknown, to_raw
from edca.kernel.verdict import Intent, Result

if TYPE_CHECKING:
    from edca.kernel.candidate import Candidate
    from edca.kernel.facts import Facts, Handle
    from edca.kernel.inputs import Case, Inputs
    from edca.kernel.machine import Machine
    from edca.kernel.values import Raw


def _after(machine: Machine, case: Case, candidate: Candidate, inputs: Inputs, after: Facts) -> tuple[Passed, Frame]:
    gate = pass_gate(machine, case, candidate, inputs)
    if isinstance(gate, Stopped):
        raise ValueError(f"only an accepted candidate has a postcondition; this one stops at {gate.stage.value}")
    frame = frame_of(machine, gate, inputs)
    gate.program.bind_lets(frame)  # lets keep the values that the decision used
    frame.earlier = frame.facts
    frame.facts = {handle: instance.fields for handle, instance in after.items()}
    return gate, frame


def confirmed(machine: Machine, case: Case, candidate: Candidate, inputs: Inputs, place: int, after: Facts) -> Result:
    """Evaluate the postcondition of the act at `place` on facts read after the effect; `before` reads `inputs`."""
    gate, frame = _after(machine, case, candidate, inputs, after)
    truth = known(gate.program.ensures[place](frame))
    return Result.UNKNOWN if isinstance(truth, Unknown) else Result.PASSED if truth else Result.FAILED


def wanted_after(
    machine: Machine, case: Case, candidate: Candidate, inputs: Inputs, place: int, after: Facts
) -> tuple[tuple[Handle, tuple[str, ...]], ...]:
    """Return the instances that the postcondition at `place` wants and `after` lacks."""
    gate, frame = _after(machine, case, candidate, inputs, after)
    frame.wanted.clear()
    gate.program.ensures[place](frame)
    return in_order(machine.index.offered[gate.transition.offered], frame.wanted)


def undo_intent(machine: Machine, case: Case, candidate: Candidate, inputs: Inputs, place: int) -> Intent | None:
    """Return the effect that undoes the act at `place`, with the arguments the decision computed; null if none."""
    gate, frame = _after(machine, case, candidate, inputs, inputs.facts)
    undo, closures = gate.transition.acts[place].undo, gate.program.undos[place]
    if undo is None or closures is None:
        return None
    effect = machine.index.effects[undo.effect]
    arguments: dict[str, Raw] = {}
    for parameter, closure in zip(effect.parameters, closures, strict=True):
        value = closure(frame)
        if problem_of(parameter.type, value, parameter.name) is not None:
            return None
        arguments[parameter.name] = to_raw(parameter.type, value, machine.index.entities)
    return Intent(effect.name, arguments)
