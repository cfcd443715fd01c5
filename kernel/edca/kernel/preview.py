"""Preview: what an acceptance of a candidate would bring about, computed before anybody has answered."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from edca.kernel.approvals import is_waivable
from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.expression import Input, ReadInput, ReadLet
from edca.kernel.frames import computed
from edca.kernel.gate import Stopped, pass_gate
from edca.kernel.types import OptionalType, TimeType, Type
from edca.kernel.values import Unknown, in_bounds, to_raw
from edca.kernel.verdict import Intent, Preview

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.decision import Computed
    from edca.kernel.expression import Expression
    from edca.kernel.gate import Passed
    from edca.kernel.inputs import Case, Inputs
    from edca.kernel.machine import Machine
    from edca.kernel.values import Raw

FROM_DECISION: Final = "from_decision_us"
UNKNOWN: Final = "unknown"


def preview(machine: Machine, case: Case | None, candidate: Candidate | Malformed, inputs: Inputs) -> Preview | None:
    """Return what an acceptance would bring about, whoever has answered what.

    Null where an early stage refuses. What can't be told yet stands in it as unknown, so that people can say no to it;
    their yes does not outlast that, since what is then known is something else.
    """
    gate = pass_gate(machine, case, candidate, inputs)
    if isinstance(gate, Stopped):
        return None
    return foreseen(machine, gate, computed(gate, inputs, set()), inputs.now)


def foreseen(machine: Machine, gate: Passed, found: Computed, now: int) -> Preview:
    """Return the preview from what the transition's program computed."""
    transition, entities = gate.transition, machine.index.entities
    lets = {let.name: let.value for let in transition.lets}
    memory: dict[str, Raw] = {}
    for assignment, value in zip(transition.assignments, found.after, strict=True):
        type_ = machine.index.memory[assignment.name].type
        memory[assignment.name] = _shown(machine, type_, assignment.value, lets, value, now)
    for name, slot in machine.index.memory.items():
        if name not in memory:
            memory[name] = to_raw(slot.type, gate.case.memory[name], entities)
    intents: list[Intent] = []
    for act, values in zip(transition.acts, found.calls, strict=True):
        arguments: dict[str, Raw] = {}
        parameters = machine.index.effects[act.call.effect].parameters
        for parameter, expression, value in zip(parameters, act.call.arguments, values, strict=True):
            arguments[parameter.name] = _shown(machine, parameter.type, expression, lets, value, now)
        intents.append(Intent(act.call.effect, arguments))
    return Preview(
        machine=machine.digest,
        candidate=gate.candidate.digest,
        case=None if transition.creates else gate.case.id,
        transition=transition.name,
        source=gate.case.state,
        target=transition.target,
        memory=memory,
        intents=tuple(intents),
        waived=tuple(
            clause.code
            for clause, truth in zip(transition.clauses, found.truths, strict=True)
            if is_waivable(clause) and truth is not True
        ),
        blinding=gate.candidate.blinding,
    )


def _shown(
    machine: Machine, type_: Type, expression: Expression, lets: Mapping[str, Expression], value: Any, now: int
) -> Raw:
    """Return a value as people are shown it: a moment that is reckoned from now as the time between the two.

    As an instant it would be another one at every decision, and no answer could hold.
    """
    if isinstance(value, Unknown):
        return {UNKNOWN: value.value}
    if not in_bounds(type_, value):
        return {UNKNOWN: "out_of_range"}
    is_moment = isinstance(type_.of if isinstance(type_, OptionalType) else type_, TimeType)
    if is_moment and value is not None and _reads_now(expression, lets):
        return {FROM_DECISION: value - now}
    return to_raw(type_, value, machine.index.entities)


def _reads_now(node: object, lets: Mapping[str, Expression]) -> bool:
    match node:
        case ReadInput(Input.NOW):
            return True
        case ReadLet(name):
            return _reads_now(lets[name], lets)
        case tuple():
            return any(_reads_now(part, lets) for part in node)
        case _ if dataclasses.is_dataclass(node):
            return any(_reads_now(getattr(node, field.name), lets) for field in dataclasses.fields(node))
        case _:
            return False
