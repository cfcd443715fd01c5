"""What a decision may read, put together: the frame that guards, clauses and properties are evaluated in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from edca.kernel.attestations import claims_of
from edca.kernel.decision import Computed
from edca.kernel.evaluate import Frame
from edca.kernel.expression import History, Input
from edca.kernel.facts import usable
from edca.kernel.values import Unknown

if TYPE_CHECKING:
    from edca.kernel.candidate import Candidate
    from edca.kernel.facts import Handle
    from edca.kernel.gate import Passed
    from edca.kernel.inputs import Case, Inputs
    from edca.kernel.machine import Machine, Transition
    from edca.kernel.values import Value


def frame_for(
    machine: Machine, case: Case, candidate: Candidate, arguments: Mapping[str, Value], inputs: Inputs
) -> Frame:
    """Return all that may be read to decide on the candidate; a transition's lets are not in it yet."""
    return Frame(
        arguments=arguments,
        memory=case.memory,
        claims=claims_of(machine, candidate.subject, inputs),
        inputs={
            Input.NOW: inputs.now,
            Input.PROPOSER: candidate.proposer,
            Input.SUBJECT: Unknown.UNSTATED if candidate.subject is None else candidate.subject,
            Input.CONFIDENCE: Unknown.UNSTATED if candidate.confidence is None else candidate.confidence,
            Input.CASE: case.key,
        },
        facts=usable(inputs.facts, inputs.now, machine.fresh_us),
        history=history_of(case),
    )


def reading_frame(machine: Machine, gate: Passed, inputs: Inputs) -> Frame:
    """Return all that the clauses of a candidate that passed the gate may read, its transition's lets too."""
    frame = frame_for(machine, gate.case, gate.candidate, gate.arguments, inputs)
    gate.program.bind_lets(frame)
    return frame


def computed(gate: Passed, inputs: Inputs, wanted: set[Handle]) -> Computed:
    """Return what the decision rests on; instances that are read and aren't among the facts are added to `wanted`."""
    found = gate.program.decision.run(gate, inputs, wanted.add, False)
    if isinstance(found, Computed):
        return found
    raise AssertionError("only where it is asked to does the function accept")


def history_of(case: Case) -> dict[History, Mapping[str, Value]]:
    """Return who has acted in the case, as expressions read it."""
    return {History.PROPOSER: case.proposers, History.SIGNERS: case.signers}


def in_order(
    branches: tuple[Transition, ...], handles: set[Handle] | frozenset[Handle]
) -> tuple[tuple[Handle, tuple[str, ...]], ...]:
    """Return the handles in one fixed order, each with the fields that any of the branches reads of its entity.

    An instance is read once, before it is known which branch it will be: so what one branch reads is read for all.
    """
    ordered = sorted(handles, key=lambda handle: (handle[0], repr(handle[1])))
    return tuple((handle, fields_of(branches, handle[0])) for handle in ordered)


def fields_of(branches: tuple[Transition, ...], entity: str) -> tuple[str, ...]:
    """Return the fields of `entity` that any of the branches reads, sorted."""
    parts = [part for branch in branches for part in branch.evidence if part.entity == entity]
    return tuple(sorted({field for part in parts for field in part.fields}))
