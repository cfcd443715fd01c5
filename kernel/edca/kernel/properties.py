"""Properties: every `never … when` is tested at each decision, on what would come about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.evaluate import Frame, closure_of, known
from edca.kernel.expression import Input
from edca.kernel.facts import usable
from edca.kernel.frames import history_of
from edca.kernel.machine import Never, NeverReached
from edca.kernel.movement import remembered
from edca.kernel.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.evaluate import Outcome
    from edca.kernel.facts import Facts
    from edca.kernel.gate import Passed
    from edca.kernel.inputs import Case
    from edca.kernel.machine import Machine


@dataclass(frozen=True, slots=True)
class Violation:
    """A property that is not known to hold, and why that is unknown; null where it is known not to hold."""

    code: str
    reason: Unknown | None


def violations(
    gate: Passed, frame: Frame, memory: Mapping[str, Outcome], signers: Mapping[str, tuple[str, ...]]
) -> tuple[Violation, ...]:
    """Return what an acceptance would violate: with `memory` where it succeeds, with the case's where its effects fail.

    Facts are those of the decision; who proposed and who signed is as the acceptance leaves it.
    """
    if not gate.program.nevers:
        return ()
    candidate = gate.candidate
    history = history_of(remembered(gate.case, candidate.transition, candidate.proposer, signers))
    found: list[Violation] = []
    for never in gate.program.nevers:
        outcome = Frame(
            arguments={},
            memory=memory if never.moved else gate.case.memory,
            claims={},
            inputs=frame.inputs,
            facts=frame.facts,
            history=history,
        )
        truth = known(never.condition(outcome))
        frame.wanted |= outcome.wanted
        if truth is not False:
            found.append(Violation(never.code, truth if isinstance(truth, Unknown) else None))
    return tuple(found)


def broken_by(machine: Machine, case: Case, facts: Facts, now: int, *, by_edge: bool) -> tuple[Violation, ...]:
    """Return the properties that a case where it stands is not known to keep, by no decision of the machine's.

    `by_edge` says that an edge of the machine leads there: then what it proves of its paths holds.
    """
    found: list[Violation] = []
    frame = Frame(
        arguments={},
        memory=case.memory,
        claims={},
        inputs={input_: Unknown.UNSTATED for input_ in Input} | {Input.NOW: now, Input.CASE: case.key},
        facts=usable(facts, now, machine.fresh_us),
        history=history_of(case),
    )
    for item in machine.properties:
        if isinstance(item, Never) and item.about == case.entity and case.state in item.states:
            truth = known(closure_of(item.condition)(frame))
            if truth is not False:
                found.append(Violation(item.code, truth if isinstance(truth, Unknown) else None))
        elif isinstance(item, NeverReached) and case.state in item.targets and not by_edge:
            if case.proposers.keys().isdisjoint(item.without):
                found.append(Violation(item.code, None))
    return tuple(found)
