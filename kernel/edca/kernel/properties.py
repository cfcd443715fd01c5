"""Properties: every `never … when` is tested at each decision, on what would come about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.evaluate import Frame, known
from edca.kernel.frames import history_of
from edca.kernel.movement import remembered
from edca.kernel.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.evaluate import Outcome
    from edca.kernel.gate import Passed


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
