"""The early stages: everything that must hold before a single clause is looked at, in the order of `Stage`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.evaluate import Program, program
from edca.kernel.machine import Machine, RoleKind, Transition
from edca.kernel.values import Unknown, Value, ValueProblem, from_raw
from edca.kernel.verdict import Anchor, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.inputs import Case, Inputs
    from edca.kernel.roster import Roster


@dataclass(frozen=True, slots=True)
class Stopped:
    """An early stage failed."""

    stage: Stage
    detail: str


@dataclass(frozen=True, slots=True)
class Passed:
    """Every early stage passed, and what they established."""

    case: Case
    candidate: Candidate
    transition: Transition
    program: Program
    arguments: Mapping[str, Value]
    anchor: Anchor


def pass_gate(
    machine: Machine, case: Case | None, candidate: Candidate | Malformed, inputs: Inputs
) -> Stopped | Passed:
    """Run the early stages in order; the first that fails stops."""
    if isinstance(candidate, Malformed):
        return Stopped(Stage.MALFORMED, candidate.problem)
    if case is None:
        return Stopped(Stage.UNKNOWN_CASE, _why_no_case(machine, candidate))
    if case.machine != machine.digest:
        return Stopped(Stage.WRONG_MACHINE, "the case runs under another machine")
    stopped = _check_proposer(machine, candidate, inputs.roster)
    if stopped is not None:
        return stopped
    if inputs.key_used_by is not None:
        return Stopped(Stage.DUPLICATE, "another candidate has used this idempotency key")
    if inputs.now < case.touched:
        return Stopped(Stage.CLOCK_WENT_BACK, "the clock stands before the case's last record")
    if candidate.revision is not None and candidate.revision != case.revision:
        return Stopped(Stage.STALE_REVISION, f"the candidate saw revision {candidate.revision}, not {case.revision}")
    if case.pending is not None:
        return Stopped(Stage.EFFECT_PENDING, "an effect of this case has no confirmed outcome yet")
    routed = inputs.facts.get((case.entity, case.key))
    if routed is not None and case.state in routed.mapped and routed.state != case.state:
        other = "unknown" if isinstance(routed.state, Unknown) else routed.state
        return Stopped(Stage.STATE_DRIFT, f"the ledger says {case.state}, the source says {other}")
    transition = machine.index.transitions.get(candidate.transition)
    if transition is None or case.state not in transition.sources or transition.about != case.entity:
        return Stopped(Stage.NO_SUCH_TRANSITION, f"{case.state} has no transition of that name")
    try:
        arguments = bind_arguments(machine, transition, candidate)
    except ValueProblem as problem:
        return Stopped(Stage.BAD_ARGUMENT, f"{problem.path}: {problem.problem}")
    anchor = _anchor(machine, transition, candidate, inputs)
    if anchor is None:
        return Stopped(Stage.NO_ANCHOR, f"nobody in role {transition.answers} answers for this now")
    return Passed(case, candidate, transition, program(machine, transition.name), arguments, anchor)


def _why_no_case(machine: Machine, candidate: Candidate) -> str:
    transition = machine.index.transitions.get(candidate.transition)
    try:
        if transition is not None:
            bind_arguments(machine, transition, candidate)
    except ValueProblem as problem:
        return f"no case can be found: {problem.path}: {problem.problem}"
    return "no case can be found for the key given"


def _check_proposer(machine: Machine, candidate: Candidate, roster: Roster) -> Stopped | None:
    principal = roster.find(candidate.proposer)
    role = machine.index.roles.get(candidate.role)
    if principal is None:
        return Stopped(Stage.UNKNOWN_PROPOSER, "the roster has no such principal")
    if role is None or role.name not in principal.roles:
        return Stopped(Stage.WRONG_ROLE, f"the proposer does not hold role {candidate.role}")
    transition = machine.index.transitions.get(candidate.transition)
    if transition is not None and role.name not in transition.by:
        return Stopped(Stage.WRONG_ROLE, f"role {role.name} may not propose this")
    if (role.kind is RoleKind.MODEL) != (principal.model is not None):
        return Stopped(Stage.WRONG_ROLE, f"role {role.name} is held by the wrong kind of principal")
    if candidate.model != principal.model:
        return Stopped(Stage.MODEL_MISMATCH, "the model that proposed is not the one the roster pins")
    return None


def bind_arguments(machine: Machine, transition: Transition, candidate: Candidate) -> dict[str, Value]:
    """Return the candidate's arguments as values. Raises `ValueProblem` where one is missing, surplus or mistyped."""
    surplus = sorted(set(candidate.arguments) - {p.name for p in transition.parameters})
    if surplus:
        raise ValueProblem("unexpected argument", surplus[0])
    missing = object()
    values: dict[str, Value] = {}
    for parameter in transition.parameters:
        raw: object = candidate.arguments.get(parameter.name, missing)
        try:
            values[parameter.name] = from_raw(parameter.type, None if raw is missing else raw, machine.index.entities)
        except ValueProblem as problem:
            raise problem.under(parameter.name) from None
    return values


def _anchor(machine: Machine, transition: Transition, candidate: Candidate, inputs: Inputs) -> Anchor | None:
    if candidate.role == transition.answers and machine.index.roles[candidate.role].kind is RoleKind.HUMAN:
        return Anchor(candidate.proposer, candidate.role, None)
    mandate = inputs.roster.mandate_for(machine.name, transition.name, transition.answers, inputs.now)
    return None if mandate is None else Anchor(mandate.principal, mandate.role, mandate.id)
