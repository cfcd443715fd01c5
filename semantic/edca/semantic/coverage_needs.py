"""What a scenario would need to show an outcome that none shows yet, in words an author can act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.machine import ClauseKind, Never
from edca.semantic import typed, walk
from edca.semantic.coverage_goals import Goal, Part, clauses_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edca.kernel.machine import Clause, Machine
    from edca.semantic.checked import CheckedQuery, CheckedSpec, CheckedTransition

_NAMES_MAX = 4


def needs(checked: CheckedSpec, machine: Machine, goal: Goal) -> str:
    """Return what is missing for the goal, in one line."""
    offered = machine.index.transitions[goal.transition].offered if goal.transition else goal.query
    match goal.part:
        case Part.VERDICT:
            return f"a scenario in which `{offered}` is {'answered' if goal.outcome == 'returned' else goal.outcome}"
        case Part.GUARD:
            if goal.outcome == "unknown":
                return f"leave out {_left_out(checked, _guard(checked, goal))}, and say `then refused no_branch`"
            return f"propose `{offered}` where the guard of `{goal.transition}` is {goal.outcome}"
        case Part.AFTER:
            if goal.outcome == "true":
                return "`wait` that long in front of it, or say `given entered = TIME`"
            return "propose it sooner, and say `then refused too_early`"
        case Part.EDGE:
            effects = [act.call.effect for act in machine.index.transitions[goal.transition].acts]
            word = "fails" if goal.outcome == "failed" else "times out"
            return f"`when {effects[0]} {word}` behind the step that accepts it, then `then in STATE`"
        case Part.MODE:
            if goal.outcome == "allowed":
                return f"`given mode = {goal.code}`, and propose what it allows"
            return f"`given mode = {goal.code}`, propose what it doesn't allow, and say `then refused {goal.code}`"
        case Part.PROPERTY:
            return _property_needs(checked, machine, goal)
        case Part.WAIVER:
            clause = next(c for c in machine.index.transitions[goal.transition].clauses if c.code == goal.code)
            return f"`when {clause.role} waives {goal.code}` behind the step that is escalated for it"
        case Part.CONDITION | Part.ANSWER | Part.COUNT:
            return _clause_needs(checked, machine, goal)


def _property_needs(checked: CheckedSpec, machine: Machine, goal: Goal) -> str:
    never = next(one for one in machine.properties if isinstance(one, Never) and one.code == goal.code)
    states = " or ".join(never.states)
    if goal.outcome == "false":
        return f"accept something that leads to {states}"
    condition = next(one.condition for one in checked.nevers if one.code == goal.code)
    missing = f"leave out {_left_out(checked, (condition,))}" if goal.outcome == "unknown" else "make it violated"
    return f"propose what leads to {states}, and {missing}: it must not be accepted"


def _clause_needs(checked: CheckedSpec, machine: Machine, goal: Goal) -> str:
    items: list[CheckedTransition | CheckedQuery] = [*checked.transitions, *checked.queries]
    item = next(one for one in items if one.name == goal.of)
    written = clauses_of(checked, item)[goal.code]
    index = machine.index
    lowered = index.queries[goal.query] if goal.query else index.transitions[goal.transition]
    clause = next(c for c in lowered.clauses if c.code == goal.code)
    fails = _failing(clause, goal)
    said = f", and name `{goal.code}` in `then`" if fails else ""
    match goal.part:
        case Part.ANSWER:
            word = {"true": "= true", "false": "= false"}.get(goal.outcome)
            return f"`given {goal.code} {word}`{said}" if word is not None else f"leave its answers out{said}"
        case Part.COUNT if goal.outcome != "unknown":
            where = "over" if fails else "within"
            return f"`given {goal.code} = NUMBER`, so that what is proposed brings the counter {where} its bound{said}"
        case Part.COUNT if written.limit is not None:
            limit = written.limit
            parts = (limit.bound, *limit.keys, *(() if limit.measure is None else (limit.measure,)))
            return f"leave out {_left_out(checked, parts, dict(item.lets))}{said}"
        case _:
            names = dict(item.lets)
            if goal.outcome == "unknown":
                return f"leave out {_left_out(checked, (written.condition,), names)}{said}"
            read = _listed(_reads(checked, (written.condition,), names))
            what = "what it tests" if clause.kind in (ClauseKind.REQUIRE, ClauseKind.FORBID) else "its `when`"
            return f"{what} must be {goal.outcome}: change {read}{said}"


def _failing(clause: Clause, goal: Goal) -> bool:
    if goal.part is not Part.CONDITION:
        return goal.outcome != "true"
    return {ClauseKind.REQUIRE: goal.outcome != "true", ClauseKind.FORBID: goal.outcome != "false"}.get(
        clause.kind, False
    )


def _guard(checked: CheckedSpec, goal: Goal) -> tuple[typed.Expression, ...]:
    guard = next(one.guard for one in checked.transitions if one.name == goal.transition)
    return () if guard is None else (guard,)


def _left_out(
    checked: CheckedSpec, parts: Iterable[typed.Expression], lets: dict[str, typed.Expression] | None = None
) -> str:
    return _listed(_reads(checked, parts, {} if lets is None else lets, only_unknown=True), " or ")


def _listed(names: list[str], last: str = ", ") -> str:
    shown = [f"`{name}`" for name in names[:_NAMES_MAX]]
    more = [] if len(names) <= _NAMES_MAX else ["…"]
    return last.join((*shown, *more)) if shown else "what it reads"


def _reads(
    checked: CheckedSpec,
    parts: Iterable[typed.Expression],
    lets: dict[str, typed.Expression],
    *,
    only_unknown: bool = False,
) -> list[str]:
    """Return the names of what is read, facts first; with `only_unknown` just of what a scenario may leave out."""
    found: dict[tuple[int, str], None] = {}
    for part in parts:
        for node in walk.nodes(part, checked.definitions, lets):
            match node:
                case typed.FactRead(_, entity, field, None):
                    found[0, f"{entity}.{field}"] = None
                case typed.ClaimRead(name):
                    found[1, name] = None
                case typed.InputRead(input_) if input_.value in ("subject", "confidence"):
                    found[2, input_.value] = None
                case typed.HistoryRead(history, name):
                    found[3, f"{history.value} of {name}"] = None
                case typed.ArgumentRead(name) | typed.MemoryRead(name) if not only_unknown:
                    found[4, name] = None
                case typed.InputRead(input_) if not only_unknown and input_.value in ("now", "proposer"):
                    found[5, input_.value] = None
                case _:
                    pass
    return [name for _, name in sorted(found)]
