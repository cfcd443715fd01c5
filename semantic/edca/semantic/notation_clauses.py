"""Clauses and guards in the notation of the language: `require amount <= limit_here else refuse over_limit`."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from edca.kernel.calendar import DAY, SECOND, duration_text
from edca.kernel.expression import Constant
from edca.kernel.machine import ClauseKind, OnFail, WindowKind
from edca.kernel.types import BoolType
from edca.semantic.notation import Notation

if TYPE_CHECKING:
    from edca.kernel.expression import Expression
    from edca.kernel.machine import Clause, Limit, Machine, Query, Transition, Window

_UTC = {3600 * SECOND: "hour", DAY: "day", 7 * DAY: "week"}
_ALWAYS = Constant(True)


def clause_notation(machine: Machine, transition: Transition | Query, clause: Clause) -> tuple[str, ...]:
    """Return a clause without its text as one line, and then each `let` that it reads."""
    notation = Notation.of(machine, transition)
    line = _clause(notation, clause)
    return (line, *notation.write_lets([line]))


def guard_notation(machine: Machine, transition: Transition) -> str:
    """Return a branch's guard on one line: `when amount <= 500.00`; empty where it has none."""
    if transition.guard is None:
        return ""
    return f"when {Notation.of(machine, transition).write(transition.guard, BoolType())}"


def key_notation(machine: Machine, transition: Transition, limit: Limit) -> tuple[str, ...]:
    """Return what a limit counts per, each on one line: `proposer`, `order.owner`."""
    notation = Notation.of(machine, transition)
    return tuple(notation.write(key, type_) for key, type_ in zip(limit.keys, limit.key_types, strict=True))


def condition_notation(machine: Machine, about: str, condition: Expression) -> str:
    """Return the condition of a property on one line."""
    return Notation(machine, about).write(condition, BoolType())


def _clause(notation: Notation, clause: Clause) -> str:
    match clause.kind:
        case ClauseKind.REQUIRE:
            fate = "refuse" if clause.on_fail is OnFail.REFUSE else f"escalate {clause.role}"
            return f"require {notation.write(clause.condition, BoolType())} else {fate} {clause.code}"
        case ClauseKind.FORBID:
            return f"forbid {clause.code} when {notation.write(clause.condition, BoolType())}"
        case ClauseKind.CONFIRM:
            return f"confirm {clause.code} by {clause.role}{_within(clause)}{_when(notation, clause)}"
        case ClauseKind.SIGN:
            others = ", ".join(map(notation.write, clause.distinct_from))
            distinct = f" distinct from {others}" if others else ""
            who = f"by {clause.count} of {clause.role}{distinct}"
            return f"sign {clause.code} {who}{_within(clause)}{_when(notation, clause)}"
        case ClauseKind.LIMIT:
            if clause.limit is None:
                raise ValueError(f"the limit {clause.code} counts nothing")
            return f"limit {clause.code} {_limit(notation, clause.limit)}{_when(notation, clause)}"
        case _:
            assert_never(clause.kind)


def _limit(notation: Notation, limit: Limit) -> str:
    counted = "count" if limit.measure == Constant(1) else f"sum({notation.write(limit.measure, limit.type)})"
    keys = ", ".join(notation.write(key, type_) for key, type_ in zip(limit.keys, limit.key_types, strict=True))
    per = f" per {keys}" if keys else ""
    return f"{counted} to {notation.write(limit.bound, limit.type)} {window_notation(limit.window)}{per}"


def window_notation(window: Window) -> str:
    """Return `per rolling 1 hour` or `per utc day`."""
    match window.kind:
        case WindowKind.ROLLING:
            return f"per rolling {duration_text(window.length_us)}"
        case WindowKind.UTC:
            return f"per utc {_UTC.get(window.length_us, duration_text(window.length_us))}"
        case _:
            assert_never(window.kind)


def window_text(window: Window) -> str:
    """Return a window in words: `within any 1 hour`, `within one day (UTC)`."""
    match window.kind:
        case WindowKind.ROLLING:
            return f"within any {duration_text(window.length_us)}"
        case WindowKind.UTC:
            unit = _UTC.get(window.length_us, duration_text(window.length_us))
            return f"within one {unit} ({'UTC, from Monday' if unit == 'week' else 'UTC'})"
        case _:
            assert_never(window.kind)


def _within(clause: Clause) -> str:
    return "" if clause.within_us is None else f" within {duration_text(clause.within_us)}"


def _when(notation: Notation, clause: Clause) -> str:
    return "" if clause.condition == _ALWAYS else f" when {notation.write(clause.condition, BoolType())}"
