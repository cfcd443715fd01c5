"""What came up in one step of a scenario, and what of it the scenario shows.

An outcome that makes a clause fail counts only in a step that names the clause's code: any other would pass all the
same if the clause weren't there. One that lets the clause pass counts wherever it is seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.decide import frame_of
from edca.kernel.evaluate import closure_of, known
from edca.kernel.expression import Constant
from edca.kernel.frames import frame_for
from edca.kernel.gate import Stopped, bind_arguments, pass_gate
from edca.kernel.inquiry import Returned
from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.movement import signers_of
from edca.kernel.program import program
from edca.kernel.properties import violations
from edca.kernel.values import ValueProblem
from edca.kernel.verdict import Accepted, Refused, Result, Stage
from edca.semantic.coverage_goals import Goal, Part, outcome_of
from edca.semantic.scenario_play import Looked
from edca.semantic.scenario_read import Happened
from edca.semantic.scenario_world import branches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.evaluate import Frame
    from edca.kernel.inquiry import QueryVerdict
    from edca.kernel.machine import Machine, Transition
    from edca.kernel.verdict import ClauseResult, Verdict
    from edca.semantic.scenario import StepResult
    from edca.semantic.scenario_play import Decision
    from edca.semantic.scenario_world import Question

_STAGES = {stage: place for place, stage in enumerate(Stage)}


def shows(machine: Machine, step: StepResult) -> frozenset[Goal]:
    """Return what a step shows that comes out as it says."""
    found: set[Goal] = set()
    if step.outcome is not None and step.outcome.edge:
        word = "failed" if step.outcome.happened is Happened.FAILED else "timeout"
        found.add(Goal(step.outcome.transition, "", Part.EDGE, word))
    for made in (step.decision, step.looked):
        found |= frozenset() if made is None else shown_by(machine, made, step.named)
    return frozenset(found)


def shown_by(machine: Machine, made: Decision | Looked, named: frozenset[str]) -> frozenset[Goal]:
    """Return what a decision, or what was looked up, shows to a scenario that names these codes."""
    return frozenset(goal for goal, code in _came_up(machine, made) if code is None or code in named)


def seen(machine: Machine, made: Decision | Looked) -> frozenset[Goal]:
    """Return every outcome that came up, whether or not a scenario says so."""
    return frozenset(goal for goal, _ in _came_up(machine, made))


def _came_up(machine: Machine, made: Decision | Looked) -> Iterator[tuple[Goal, str | None]]:
    """Yield every outcome that came up, with the code by which it must be named; null where it lets the clause pass."""
    if isinstance(made, Looked):
        return _looked(made.verdict)
    return _decided(machine, made.question, made.verdict)


def _looked(verdict: QueryVerdict) -> Iterator[tuple[Goal, str | None]]:
    name = verdict.query if isinstance(verdict, Returned) else verdict.transition
    outcome = "returned" if isinstance(verdict, Returned) else "refused"
    yield Goal("", "", Part.VERDICT, outcome, name), None
    for result in verdict.clauses:
        named = None if result.result is Result.PASSED else result.code
        yield Goal("", result.code, Part.CONDITION, _tested(result), name), named


def _decided(machine: Machine, question: Question, verdict: Verdict) -> Iterator[tuple[Goal, str | None]]:
    stage = verdict.stage if isinstance(verdict, Refused) else None
    name = _transition(machine, question, verdict)
    if isinstance(verdict, Accepted):
        yield Goal(verdict.transition, "", Part.VERDICT, "accepted"), None
    elif isinstance(verdict, Refused):
        # What is refused before a branch is chosen is each of them.
        for refused in branches(machine, question.candidate.transition):
            if name in (None, refused.name):
                yield Goal(refused.name, "", Part.VERDICT, "refused"), None
    yield from _mode(machine, question, stage)
    # A chosen branch that the role may not propose stops at the name of an earlier stage.
    if _past(stage, Stage.BAD_ARGUMENT) or (name is not None and name != question.candidate.transition):
        yield from _guards(machine, question, verdict)
    if name is not None and _past(stage, Stage.NO_BRANCH) and machine.index.transitions[name].after_us is not None:
        too_early = stage is Stage.TOO_EARLY
        yield Goal(name, "", Part.AFTER, outcome_of(not too_early)), Stage.TOO_EARLY.value if too_early else None
    if stage is None and name is not None:
        yield from _clauses(machine, machine.index.transitions[name], question, verdict)
        yield from _properties(machine, machine.index.transitions[name], question, verdict)


def _past(stage: Stage | None, other: Stage) -> bool:
    """Tell whether a decision that stopped at `stage` (null: at none) got beyond another one."""
    return stage is None or _STAGES[stage] > _STAGES[other]


def _transition(machine: Machine, question: Question, verdict: Verdict) -> str | None:
    """Return the id of the transition that was decided on, null where none of several was chosen."""
    if verdict.transition in machine.index.transitions:
        return verdict.transition
    only = branches(machine, question.candidate.transition)
    return only[0].name if len(only) == 1 else None


def _mode(machine: Machine, question: Question, stage: Stage | None) -> Iterator[tuple[Goal, str | None]]:
    mode = question.inputs.mode
    if mode not in machine.index.modes:
        return
    if stage is Stage.MODE:
        yield Goal("", mode, Part.MODE, "refused"), mode
    elif _past(stage, Stage.NO_SUCH_TRANSITION):
        yield Goal("", mode, Part.MODE, "allowed"), None


def _guards(machine: Machine, question: Question, verdict: Verdict) -> Iterator[tuple[Goal, str | None]]:
    """Yield what the guards were: true of the branch that was chosen, and false of others; or, if none was, of all."""
    case, candidate = question.case, question.candidate
    legal = [
        branch
        for branch in branches(machine, candidate.transition)
        if case is not None and case.state in branch.sources and branch.about == case.entity
    ]
    if case is None or not any(branch.guard is not None for branch in legal):
        return
    try:
        arguments = bind_arguments(machine, legal[0], candidate)
    except ValueProblem:
        return
    frame = frame_for(machine, case, candidate, arguments, question.inputs)
    chosen = verdict.transition if verdict.transition in machine.index.transitions else None
    for branch in legal:
        guard = program(machine, branch.name).guard
        truth = True if guard is None else known(guard(frame))
        # What stands behind the chosen one has no say, so nothing is shown by its being true as well, or unknown.
        if chosen is None or truth is False or branch.name == chosen:
            named = Stage.NO_BRANCH.value if chosen is None else None
            yield Goal(branch.name, "", Part.GUARD, outcome_of(truth)), named


def _clauses(
    machine: Machine, transition: Transition, question: Question, verdict: Verdict
) -> Iterator[tuple[Goal, str | None]]:
    name, asked = transition.name, _asked(machine, transition, question)
    for result in verdict.clauses:
        named = None if result.result is Result.PASSED else result.code
        if result.kind in (ClauseKind.REQUIRE, ClauseKind.FORBID):
            yield Goal(name, result.code, Part.CONDITION, _tested(result)), named
            if result.result is Result.WAIVED:
                yield Goal(name, result.code, Part.WAIVER, "waived"), None
            continue
        truth = asked[result.code]
        yield Goal(name, result.code, Part.CONDITION, outcome_of(truth)), None
        counts = result.kind is ClauseKind.LIMIT
        outcome = _counted(result, truth) if counts else _answered(result)
        if truth is not False and outcome is not None:
            yield Goal(name, result.code, Part.COUNT if counts else Part.ANSWER, outcome), named


def _asked(machine: Machine, transition: Transition, question: Question) -> dict[str, object]:
    """Return the conditions of what asks people or counts, by code: its result doesn't tell what they were."""
    asking = [c for c in transition.clauses if c.kind not in (ClauseKind.REQUIRE, ClauseKind.FORBID)]
    found: dict[str, object] = {c.code: c.condition.value for c in asking if isinstance(c.condition, Constant)}
    frame = None if len(found) == len(asking) else _frame(machine, question)
    if frame is None:
        return found
    return found | {clause.code: known(closure_of(clause.condition)(frame)) for clause in asking}


def _frame(machine: Machine, question: Question) -> Frame | None:
    """Return what the clauses read, null where an early stage stops the candidate."""
    gate = pass_gate(machine, question.case, question.candidate, question.inputs)
    if isinstance(gate, Stopped):
        return None
    frame = frame_of(machine, gate, question.inputs)
    gate.program.bind_lets(frame)
    return frame


def _tested(result: ClauseResult) -> str:
    """Return what the condition of a `require` or `forbid` was, which its result tells."""
    if result.reason is not None:  # also where somebody waived it
        return "unknown"
    return outcome_of((result.result is Result.PASSED) is (result.kind is ClauseKind.REQUIRE))


def _counted(result: ClauseResult, condition: object) -> str | None:
    """Return how the counter stood; null where the clause is unknown, which need not be for the counter's sake."""
    if result.result is Result.UNKNOWN:
        return "unknown" if condition is True else None
    return outcome_of(result.result is Result.PASSED)


def _answered(result: ClauseResult) -> str:
    """Return the answer that a clause found which had to be asked."""
    if result.result is Result.PASSED:
        return "true"
    return "false" if result.on_fail is OnFail.REFUSE else "unknown"


def _properties(
    machine: Machine, transition: Transition, question: Question, verdict: Verdict
) -> Iterator[tuple[Goal, str | None]]:
    """Yield what the properties were: kept by an acceptance, or not kept by what therefore was not accepted.

    It doesn't matter what else kept it from being accepted: most often, a clause sees to it that a property holds.
    """
    nevers = program(machine, transition.name).nevers
    if not nevers:
        return
    if isinstance(verdict, Accepted):
        for never in nevers:
            yield Goal("", never.code, Part.PROPERTY, "false"), None
        return
    gate = pass_gate(machine, question.case, question.candidate, question.inputs)
    if isinstance(gate, Stopped):
        return
    frame = frame_of(machine, gate, question.inputs)
    gate.program.bind_lets(frame)
    memory = {**gate.case.memory, **{item.name: closure_of(item.value)(frame) for item in gate.transition.assignments}}
    for violation in violations(gate, frame, memory, signers_of(verdict.clauses)):
        yield Goal("", violation.code, Part.PROPERTY, "true" if violation.reason is None else "unknown"), None
