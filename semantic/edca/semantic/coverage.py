"""Coverage: which outcomes of which clauses the scenarios of a spec have shown.

A condition can be true, false or unknown, a confirmation can be given, refused or missing, a transition accepted or
refused: each is a `Goal`. What can't happen (an argument is never unknown) is none.

An outcome that makes a clause fail counts only in a scenario that names the clause's code: any other would pass all the
same if the clause weren't there. One that lets the clause pass counts wherever it is seen. Scenarios that don't come
out as they say show nothing.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.decide import frame_of
from edca.kernel.evaluate import known
from edca.kernel.expression import Constant
from edca.kernel.gate import Stopped, pass_gate
from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.values import Unknown
from edca.kernel.verdict import Accepted, Refused, Result
from edca.semantic import outcomes, typed
from edca.semantic.scenario_world import candidate_of, case_of, inputs_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from edca.kernel.machine import Machine, Transition
    from edca.kernel.verdict import ClauseResult, Verdict
    from edca.semantic.checked import CheckedClause, CheckedSpec, CheckedTransition
    from edca.semantic.scenario import ScenarioResult
    from edca.semantic.scenario_world import World


class Part(enum.Enum):
    """What of a transition has an outcome."""

    VERDICT = "verdict"  # accepted or refused
    CONDITION = "condition"  # of a clause, or of a `confirm … when`: true, false or unknown
    ANSWER = "answer"  # to a `confirm`: true (yes), false (no) or unknown (nobody has answered)


@dataclass(frozen=True, slots=True)
class Goal:
    """One outcome that a scenario can show; `code` is the clause's, empty for a verdict."""

    transition: str
    code: str
    part: Part
    outcome: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """Every goal in the order of transitions and clauses, with the title of the first scenario that shows it, or null.

    `excluded` are the outcomes that can't happen.
    """

    shown: Mapping[Goal, str | None]
    excluded: tuple[Goal, ...]

    @property
    def missing(self) -> tuple[Goal, ...]:
        """The goals that no scenario shows."""
        return tuple(goal for goal, title in self.shown.items() if title is None)

    @property
    def shown_count(self) -> int:
        """How many goals some scenario shows."""
        return len(self.shown) - len(self.missing)

    def reaches(self, percent: int) -> bool:
        """Tell whether at least so many of a hundred goals are shown; of no goals, all are."""
        return self.shown_count * 100 >= percent * len(self.shown)

    @property
    def percent(self) -> str:
        """The share with one decimal place, never rounded up: `100.0` means all."""
        tenths = self.shown_count * 1000 // len(self.shown) if self.shown else 1000
        return f"{tenths // 10}.{tenths % 10}"


def measure(checked: CheckedSpec, machine: Machine, results: Iterable[ScenarioResult]) -> Coverage:
    """Return what the scenarios show of the machine's transitions and clauses."""
    every = {transition.name: _goals(checked, machine, transition) for transition in machine.transitions}
    shown: dict[Goal, str | None] = {
        goal: None for name in _written(checked) for goal, can_be in every[name].items() if can_be
    }
    for result in results:
        if result.passed:
            for goal in sorted_goals(shows(machine, result.world, result.verdict, result.named)):
                if goal in shown and shown[goal] is None:
                    shown[goal] = result.title
    excluded = tuple(goal for name in _written(checked) for goal, can_be in every[name].items() if not can_be)
    return Coverage(shown, excluded)


def sorted_goals(goals: Iterable[Goal]) -> list[Goal]:
    """Return goals in one fixed order."""
    return sorted(goals, key=lambda goal: (goal.transition, goal.code, goal.part.value, goal.outcome))


def _written(checked: CheckedSpec) -> list[str]:
    return [transition.name for transition in checked.transitions]


def _goals(checked: CheckedSpec, machine: Machine, transition: Transition) -> dict[Goal, bool]:
    """Return every goal of a transition, and whether it can be reached at all."""
    own = next(item for item in checked.transitions if item.name == transition.name)
    clauses = clauses_of(checked, own)
    found = {Goal(own.name, "", Part.VERDICT, outcome): True for outcome in ("accepted", "refused")}
    for clause in machine.index.transitions[own.name].clauses:
        found |= _clause_goals(checked, own.name, clauses[clause.code], dict(own.lets))
    return found


def clauses_of(checked: CheckedSpec, transition: CheckedTransition) -> dict[str, CheckedClause]:
    """Return by code every clause that may hold for the transition, the machine-wide forbids among them."""
    wide = {forbid.clause.code: forbid.clause for forbid in checked.forbids if forbid.about == transition.about}
    return wide | {clause.code: clause for clause in transition.clauses}


def _clause_goals(
    checked: CheckedSpec, transition: str, clause: CheckedClause, lets: Mapping[str, typed.Expression]
) -> dict[Goal, bool]:
    found: dict[Goal, bool] = {}
    can_be = outcomes.possible(clause.condition, checked.definitions, lets)
    # A `confirm` without `when` has no condition of its own to test.
    if clause.kind is not ClauseKind.CONFIRM or not isinstance(clause.condition, typed.Literal):
        for truth in (True, False, None):
            found[Goal(transition, clause.code, Part.CONDITION, outcome_of(truth))] = truth in can_be
    if clause.kind is ClauseKind.CONFIRM:
        for truth in (True, False, None):
            found[Goal(transition, clause.code, Part.ANSWER, outcome_of(truth))] = can_be != {False}
    return found


def outcome_of(truth: object) -> str:
    """Return the word for a truth value; whatever is neither true nor false is unknown."""
    return "true" if truth is True else "false" if truth is False else "unknown"


def shows(machine: Machine, world: World, verdict: Verdict, named: frozenset[str]) -> frozenset[Goal]:
    """Return what a scenario shows that comes out with `verdict` and names these codes."""
    return frozenset(
        goal for goal, passes in _seen(machine, world, verdict) if passes or not goal.code or goal.code in named
    )


def seen(machine: Machine, world: World, verdict: Verdict) -> frozenset[Goal]:
    """Return every outcome that came up, whether or not a scenario says so."""
    return frozenset(goal for goal, _ in _seen(machine, world, verdict))


def _seen(machine: Machine, world: World, verdict: Verdict) -> Iterator[tuple[Goal, bool]]:
    """Yield every outcome that came up, and whether the clause passes with it."""
    match verdict:
        case Accepted():
            yield Goal(world.transition, "", Part.VERDICT, "accepted"), True
        case Refused():
            yield Goal(world.transition, "", Part.VERDICT, "refused"), True
        case _:
            pass  # an escalation is neither, until people have answered
    asked = _when(machine, world, verdict)
    for result in verdict.clauses:
        passes = result.result is Result.PASSED
        if result.kind is not ClauseKind.CONFIRM:
            yield Goal(world.transition, result.code, Part.CONDITION, _truth(result)), passes
            continue
        yield Goal(world.transition, result.code, Part.CONDITION, outcome_of(asked[result.code])), True
        if asked[result.code] is not False:
            yield Goal(world.transition, result.code, Part.ANSWER, outcome_of(_answered(result))), passes


def _truth(result: ClauseResult) -> str:
    """Return what the condition of a `require` or `forbid` was, which its result tells."""
    if result.result is Result.UNKNOWN:
        return "unknown"
    return outcome_of((result.result is Result.PASSED) is (result.kind is ClauseKind.REQUIRE))


def _when(machine: Machine, world: World, verdict: Verdict) -> dict[str, object]:
    """Return the conditions of the `confirm`s by code; one that was answered doesn't tell what its condition was."""
    transition = machine.index.transitions[world.transition]
    confirms = [clause for clause in transition.clauses if clause.kind is ClauseKind.CONFIRM]
    found: dict[str, object] = {
        clause.code: clause.condition.value for clause in confirms if isinstance(clause.condition, Constant)
    }
    if not verdict.clauses or len(found) == len(confirms):
        return found
    candidate, inputs = candidate_of(machine, world), inputs_of(machine, world)
    gate = pass_gate(machine, case_of(machine, world, candidate), candidate, inputs)
    if not isinstance(gate, Stopped):
        frame = frame_of(machine, gate, inputs)
        gate.program.bind_lets(frame)
        for clause, closure in zip(transition.clauses, gate.program.clauses, strict=True):
            if clause.kind is ClauseKind.CONFIRM:
                found[clause.code] = known(closure(frame))
    return found


def _answered(result: ClauseResult) -> bool | Unknown:
    """Return the answer that a `confirm` found which had to be asked."""
    if result.result is Result.PASSED:
        return True
    return False if result.on_fail is OnFail.REFUSE else Unknown.UNATTESTED
