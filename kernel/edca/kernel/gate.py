"""The early stages: everything that must hold before a single clause is looked at, in the order of `Stage`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.evaluate import known
from edca.kernel.frames import frame_for
from edca.kernel.inputs import HALTED, NORMAL
from edca.kernel.machine import Machine, RoleKind, Transition
from edca.kernel.program import Program, program
from edca.kernel.quick import maker
from edca.kernel.values import Unknown, Value, ValueProblem, from_raw
from edca.kernel.verdict import Anchor, Stage

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from edca.kernel.facts import Handle
    from edca.kernel.inputs import Case, Inputs
    from edca.kernel.inquiry import Inquiry
    from edca.kernel.machine import Query


@dataclass(frozen=True, slots=True)
class Stopped:
    """An early stage failed.

    `branch` is the id of the transition, where one was chosen before that. `wanted` are the instances that the guards
    lack: with them, another branch may be chosen.
    """

    stage: Stage
    detail: str
    branch: str | None = None
    wanted: frozenset[Handle] = frozenset()


@dataclass(frozen=True, slots=True)
class Passed:
    """Every early stage passed, and what they established."""

    case: Case
    candidate: Candidate
    transition: Transition
    program: Program
    arguments: Mapping[str, Value]
    anchor: Anchor


_passed, _answers = maker(Passed), maker(Anchor)


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
    stopped = check_proposer(machine, candidate, machine.index.proposers.get(candidate.transition), inputs)
    if stopped is not None:
        return stopped
    if inputs.key_used_by is not None:
        return Stopped(Stage.DUPLICATE, "another candidate has used this idempotency key")
    restricted = _check_mode(machine, candidate, inputs.mode)
    if restricted is not None:
        return restricted
    if case.human_only and machine.index.roles[candidate.role].kind is not RoleKind.HUMAN:
        return Stopped(Stage.MODE, "people have taken this case over")
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
    legal = machine.index.legal.get((candidate.transition, case.state, case.entity))
    if legal is None:
        return Stopped(Stage.NO_SUCH_TRANSITION, f"{case.state} has no transition of that name")
    prepared = program(machine, legal[0].name)
    arguments = prepared.read(candidate.arguments)
    if arguments is None:
        try:
            arguments = bind_arguments(machine, legal[0], candidate)
        except ValueProblem as problem:
            return Stopped(Stage.BAD_ARGUMENT, f"{problem.path}: {problem.problem}")
    transition = legal[0]
    if transition.guard is not None:
        chosen = _choose(machine, case, candidate, arguments, inputs, legal)
        if isinstance(chosen, Stopped):
            return chosen
        transition, prepared = chosen, program(machine, chosen.name)
    if candidate.role not in transition.by:
        detail = f"role {candidate.role} may not propose {transition.name}"
        return Stopped(Stage.WRONG_ROLE, detail, transition.name)
    if transition.after_us is not None and inputs.now - case.entered < transition.after_us:
        detail = f"{inputs.now - case.entered} of {transition.after_us} microseconds in {case.state} have passed"
        return Stopped(Stage.TOO_EARLY, detail, transition.name)
    anchor = _anchor(machine, transition, candidate, inputs)
    if anchor is None:
        detail = f"nobody in role {transition.answers} answers for this now"
        return Stopped(Stage.NO_ANCHOR, detail, transition.name)
    return _passed(case, candidate, transition, prepared, arguments, anchor)


def _check_mode(machine: Machine, candidate: Candidate, name: str) -> Stopped | None:
    if name == NORMAL:
        return None
    mode = None if name == HALTED else machine.index.modes.get(name)
    if mode is None:
        return Stopped(Stage.HALTED, "nothing is decided while the machine is halted")
    if candidate.transition not in mode.allow:
        return Stopped(Stage.MODE, f"mode {mode.name} does not allow it")
    return None


def _choose(
    machine: Machine,
    case: Case,
    candidate: Candidate,
    arguments: Mapping[str, Value],
    inputs: Inputs,
    legal: tuple[Transition, ...],
) -> Transition | Stopped:
    """Return the first branch whose guard is true; one that is unknown before it stops, since it might have been true.

    Every guard is evaluated, whatever the others yield, so that what they lack is read in one round.
    """
    frame = frame_for(machine, case, candidate, arguments, inputs)
    guards = [program(machine, branch.name).guard for branch in legal]
    truths = [True if guard is None else known(guard(frame)) for guard in guards]
    for branch, truth in zip(legal, truths, strict=True):
        if truth is True:
            return branch
        if truth is not False:
            detail = f"it is unknown whether {branch.name} is the branch"
            return Stopped(Stage.NO_BRANCH, detail, wanted=frozenset(frame.wanted))
    return Stopped(Stage.NO_BRANCH, "the guard of no branch is true")


def _why_no_case(machine: Machine, candidate: Candidate) -> str:
    branches = machine.index.offered.get(candidate.transition, ())
    try:
        if branches:
            bind_arguments(machine, branches[0], candidate)
    except ValueProblem as problem:
        return f"no case can be found: {problem.path}: {problem.problem}"
    return "no case can be found for the key given"


def check_proposer(
    machine: Machine, candidate: Candidate | Inquiry, may_propose: Collection[str] | None, inputs: Inputs
) -> Stopped | None:
    """Stop where the roster doesn't say that the proposer holds the role, or the role isn't among those that may."""
    principal = inputs.roster.find(candidate.proposer)
    role = machine.index.roles.get(candidate.role)
    if principal is None:
        return Stopped(Stage.UNKNOWN_PROPOSER, "the roster has no such principal")
    if not principal.is_valid(inputs.now):
        return Stopped(Stage.UNKNOWN_PROPOSER, "the principal holds no role at this time")
    if role is None or role.name not in principal.roles:
        return Stopped(Stage.WRONG_ROLE, f"the proposer does not hold role {candidate.role}")
    if may_propose is not None and role.name not in may_propose:
        return Stopped(Stage.WRONG_ROLE, f"role {role.name} may not propose this")
    if (role.kind is RoleKind.MODEL) != (principal.model is not None):
        return Stopped(Stage.WRONG_ROLE, f"role {role.name} is held by the wrong kind of principal")
    if candidate.model != principal.model:
        return Stopped(Stage.MODEL_MISMATCH, "the model that proposed is not the one the roster pins")
    return None


def bind_arguments(
    machine: Machine, transition: Transition | Query, candidate: Candidate | Inquiry
) -> dict[str, Value]:
    """Return the arguments as values. Raises `ValueProblem` where one is missing, surplus or mistyped."""
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
        proposer = inputs.roster.answerer(candidate.proposer)
        return None if proposer is None else _answers(proposer, candidate.role, None)
    names = (transition.name, transition.offered)
    roster, uses = inputs.roster, inputs.mandate_uses
    mandate = roster.mandate_for(machine.name, names, transition.answers, inputs.now, uses)
    giver = None if mandate is None else roster.answerer(mandate.principal)
    return None if mandate is None or giver is None else _answers(giver, mandate.role, mandate.id)
