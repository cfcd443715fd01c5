"""How a case moves: what an accepted transition leaves behind, with its effects or without them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from edca.kernel.machine import ClauseKind
from edca.kernel.values import from_raw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edca.kernel.candidate import Candidate
    from edca.kernel.inputs import Case
    from edca.kernel.machine import Edge, Machine, Timeout
    from edca.kernel.values import Value
    from edca.kernel.verdict import Accepted, ClauseResult


ASKING = (ClauseKind.CONFIRM, ClauseKind.SIGN)  # the kinds of clauses that people answer


def signers_of(clauses: Iterable[ClauseResult]) -> dict[str, tuple[str, ...]]:
    """Return whose answers each `confirm` and `sign` of an accepted verdict took; nobody's where none was demanded."""
    return {clause.code: tuple(map(str, clause.answered_by)) for clause in clauses if clause.kind in ASKING}


def remembered(case: Case, offered: str, proposer: str, signers: Mapping[str, tuple[str, ...]]) -> Case:
    """Return the case once it is on record who proposed a transition and who signed it: an acceptance's first mark."""
    return dataclasses.replace(
        case, proposers={**case.proposers, offered: proposer}, signers={**case.signers, **signers}
    )


def arrived(case: Case, state: str, at: int) -> Case:
    """Return the case in the state it came into at `at`, with nothing pending.

    The revision moves even where state and memory stay: what a proposer saw before is out of date. Time in a state
    doesn't begin anew where a transition leads back into it.
    """
    entered = case.entered if state == case.state else at
    return dataclasses.replace(case, state=state, entered=entered, revision=case.revision + 1, pending=None)


def begun(case: Case, candidate: Candidate, verdict: Accepted) -> Case:
    """Return the case while an accepted transition's effects are under way."""
    return remembered(case, candidate.transition, candidate.proposer, signers_of(verdict.clauses))


def completed(machine: Machine, case: Case, candidate: Candidate, verdict: Accepted, at: int) -> Case:
    """Return the case once an accepted transition has come to its end, at `at`."""
    # What `begun` and `arrived` make, and the memory, in one: most of what is decided comes by here.
    return dataclasses.replace(
        case,
        proposers={**case.proposers, candidate.transition: candidate.proposer},
        signers={**case.signers, **signers_of(verdict.clauses)},
        state=verdict.target,
        entered=case.entered if verdict.target == case.state else at,
        revision=case.revision + 1,
        pending=None,
        memory=memory_after(machine, verdict),
    )


def memory_after(machine: Machine, verdict: Accepted) -> dict[str, Value]:
    """Return the memory that an accepted transition leaves."""
    slots, entities = machine.index.memory, machine.index.entities
    return {name: from_raw(slots[name].type, raw, entities) for name, raw in verdict.memory.items()}


def failed(machine: Machine, case: Case, candidate: Candidate, verdict: Accepted, at: int) -> Case | None:
    """Return the case where no effect of an accepted transition stands, or null where it was to be created."""
    transition = machine.index.transitions[verdict.transition]
    return None if transition.creates else _edge(begun(case, candidate, verdict), transition.on_failed, at)


def timed_out(machine: Machine, case: Case, candidate: Candidate, verdict: Accepted, at: int) -> Case | None:
    """Return the case where an effect had no outcome in time.

    What was to be created may be there by now: then the case is, too, in the declared state; null where there is none.
    """
    transition = machine.index.transitions[verdict.transition]
    if transition.creates and transition.on_timeout is None:
        return None
    return _edge(begun(case, candidate, verdict), transition.on_timeout, at)


def _edge(case: Case, edge: Edge | Timeout | None, at: int) -> Case:
    return dataclasses.replace(case, pending=None) if edge is None else arrived(case, edge.target, at)
