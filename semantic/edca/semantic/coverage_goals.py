"""What scenarios are asked to show: every outcome of every part of a machine that can have one.

What can't happen (an argument is never unknown) is no goal; it is told apart, so that a reader need not wonder.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.machine import ClauseKind, OnFail
from edca.semantic import outcomes, typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edca.kernel.machine import Machine, Query, Transition
    from edca.semantic.checked import CheckedClause, CheckedNever, CheckedQuery, CheckedSpec, CheckedTransition

TRUTHS = (True, False, None)


class Part(enum.Enum):
    """What of a machine has an outcome."""

    VERDICT = "verdict"  # on a transition: accepted or refused; on a query: returned or refused
    GUARD = "guard"  # of a branch: true, false or unknown
    AFTER = "after"  # whether the case was in its state for as long as `after` asks: true or false
    CONDITION = "condition"  # of a clause, or of the `when` of one that asks people or counts: true, false or unknown
    ANSWER = "answer"  # to a `confirm` or `sign`: true (yes), false (no) or unknown (too few have answered)
    WAIVER = "waiver"  # of a clause that escalates: waived
    COUNT = "count"  # of a limit: true (within its bound), false (over it) or unknown
    EDGE = "edge"  # of a transition with effects: failed or timeout
    MODE = "mode"  # what it does to a candidate: allowed or refused
    PROPERTY = "property"  # a `never`: false (it holds), true (what would come about violates it) or unknown


@dataclass(frozen=True, slots=True)
class Goal:
    """One outcome that a scenario can show.

    `transition` is a transition's id and `query` a query's name, each empty for what isn't about one; `code` is the
    clause's, the mode's or the property's, empty for what a transition or a query has but once.
    """

    transition: str
    code: str
    part: Part
    outcome: str
    query: str = ""

    @property
    def of(self) -> str:
        """The transition or query that the goal is about, empty for a mode and a property. No two share a name."""
        return self.transition or self.query


def outcome_of(truth: object) -> str:
    """Return the word for a truth value; whatever is neither true nor false is unknown."""
    return "true" if truth is True else "false" if truth is False else "unknown"


def sorted_goals(goals: Iterable[Goal]) -> list[Goal]:
    """Return goals in one fixed order."""
    return sorted(goals, key=lambda goal: (goal.transition, goal.query, goal.code, goal.part.value, goal.outcome))


def goals_of(checked: CheckedSpec, machine: Machine) -> dict[Goal, bool]:
    """Return every goal in the order of transitions, queries and clauses, and whether it can be reached at all."""
    found: dict[Goal, bool] = {}
    for transition in checked.transitions:
        found |= _transition_goals(checked, machine.index.transitions[transition.name], transition)
    for query in checked.queries:
        found |= _query_goals(checked, machine.index.queries[query.name], query)
    for mode in machine.modes:
        found |= {Goal("", mode.name, Part.MODE, outcome): True for outcome in ("allowed", "refused")}
    for never in checked.nevers:
        found |= _never_goals(checked, machine, never)
    return found


def clauses_of(checked: CheckedSpec, item: CheckedTransition | CheckedQuery) -> dict[str, CheckedClause]:
    """Return by code every clause that may hold for a transition or query, the machine-wide forbids among them."""
    wide = {forbid.clause.code: forbid.clause for forbid in checked.forbids if forbid.about == item.about}
    return wide | {clause.code: clause for clause in item.clauses}


def _truths(transition: str, code: str, part: Part, can_be: outcomes.Truths) -> dict[Goal, bool]:
    return {Goal(transition, code, part, outcome_of(truth)): truth in can_be for truth in TRUTHS}


def _transition_goals(checked: CheckedSpec, lowered: Transition, own: CheckedTransition) -> dict[Goal, bool]:
    found = {Goal(own.name, "", Part.VERDICT, outcome): True for outcome in ("accepted", "refused")}
    if own.guard is not None:
        found |= _truths(own.name, "", Part.GUARD, outcomes.possible(own.guard, checked.definitions, {}))
    known = frozenset() if own.guard is None else outcomes.known_where(own.guard, True, checked.definitions)
    if own.after_us is not None:
        found |= {Goal(own.name, "", Part.AFTER, outcome_of(truth)): True for truth in (True, False)}
    clauses = clauses_of(checked, own)
    for clause in lowered.clauses:
        found |= _clause_goals(checked, own.name, clauses[clause.code], dict(own.lets), known)
    for name, edge in (("failed", lowered.on_failed), ("timeout", lowered.on_timeout)):
        if lowered.acts and edge is not None:
            # Of a case that was to be created nothing is left to go anywhere.
            found[Goal(own.name, "", Part.EDGE, name)] = not lowered.creates
    return found


def _query_goals(checked: CheckedSpec, lowered: Query, own: CheckedQuery) -> dict[Goal, bool]:
    found = {Goal("", "", Part.VERDICT, outcome, own.name): True for outcome in ("returned", "refused")}
    clauses = clauses_of(checked, own)
    for clause in lowered.clauses:
        can_be = outcomes.possible(clauses[clause.code].condition, checked.definitions, dict(own.lets))
        for truth in TRUTHS:
            found[Goal("", clause.code, Part.CONDITION, outcome_of(truth), own.name)] = truth in can_be
    return found


def _clause_goals(
    checked: CheckedSpec,
    transition: str,
    clause: CheckedClause,
    lets: Mapping[str, typed.Expression],
    known: outcomes.Known,
) -> dict[Goal, bool]:
    """Return the goals of one clause; `known` is read by the branch's guard, so that it is known where it is chosen."""
    found: dict[Goal, bool] = {}
    can_be = outcomes.possible(clause.condition, checked.definitions, lets, known)
    applies = can_be != {False}
    # What asks people or counts has no condition of its own to test unless it says `when`.
    tested = clause.kind in (ClauseKind.REQUIRE, ClauseKind.FORBID)
    if tested or not isinstance(clause.condition, typed.Literal):
        found |= _truths(transition, clause.code, Part.CONDITION, can_be)
    if clause.on_fail is OnFail.ESCALATE and clause.kind is ClauseKind.REQUIRE:
        found[Goal(transition, clause.code, Part.WAIVER, "waived")] = can_be != {True}
    if clause.kind in (ClauseKind.CONFIRM, ClauseKind.SIGN):
        everything = frozenset(TRUTHS) if applies else frozenset[bool | None]()
        found |= _truths(transition, clause.code, Part.ANSWER, everything)
    if clause.limit is not None:
        limit = clause.limit
        parts = (*(() if limit.measure is None else (limit.measure,)), limit.bound, *limit.keys)
        lacking = any(outcomes.may_be_unknown(part, checked.definitions, lets, known) for part in parts)
        counted = frozenset((True, False, *((None,) if lacking else ())))
        found |= _truths(transition, clause.code, Part.COUNT, counted if applies else frozenset())
    return found


def _never_goals(checked: CheckedSpec, machine: Machine, never: CheckedNever) -> dict[Goal, bool]:
    tested = any(
        transition.about == never.about and ends_in(transition, never.states) for transition in machine.transitions
    )
    can_be = outcomes.possible(never.condition, checked.definitions, {}) if tested else frozenset[bool | None]()
    return _truths("", never.code, Part.PROPERTY, can_be)


def ends_in(transition: Transition, states: Iterable[str]) -> bool:
    """Tell whether a decision on the transition tests a property of these states."""
    targets = {transition.target}
    if transition.acts:
        targets |= {edge.target for edge in (transition.on_failed, transition.on_timeout) if edge is not None}
    return not targets.isdisjoint(states)
