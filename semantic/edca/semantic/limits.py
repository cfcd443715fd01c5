"""`limit`: how much, or how often, within a window of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.calendar import DAY
from edca.kernel.machine import ClauseKind, OnFail, Window, WindowKind
from edca.kernel.types import (
    BoolType,
    EnumType,
    IdType,
    IntType,
    OptionalType,
    PrincipalType,
    ReferenceType,
    describe,
)
from edca.semantic import typed, units, walk
from edca.semantic.check import condition, infer
from edca.semantic.checked import CheckedClause, CheckedLimit
from edca.semantic.draft import TRUE, Draft, keep, no_confidence, usable
from edca.semantic.durations import UNITS, lasting, micros
from edca.semantic.numbers import NUMERIC
from edca.semantic.relations import bounds_at, convert, numeric, scale_of
from edca.semantic.vocabulary import INT_MAX

if TYPE_CHECKING:
    from edca.dsl import tree
    from edca.semantic.relations import Numeric
    from edca.semantic.vocabulary import Vocabulary

UTC_LENGTHS = (UNITS["hour"], DAY, 7 * DAY)
KEY_TYPES = (IdType, PrincipalType, EnumType, BoolType, IntType, ReferenceType)


def window_of(node: tree.Window, words: Vocabulary) -> Window:
    """Return a written window of time, reporting one that is none."""
    if node.kind == "rolling":
        return Window(WindowKind.ROLLING, lasting(node.length, words.problems))
    length_us = micros(node.length, words.problems)
    if length_us not in UTC_LENGTHS:
        help_ = "write `per utc day`, or `per rolling …` for any other length"
        words.problems.add("C030", node.span, "only the hour, the day and the week begin anew in UTC", help=help_)
    return Window(WindowKind.UTC, length_us)


def limit(draft: Draft, clause: tree.Limit) -> None:
    """Read a `limit`."""
    scope, words = draft.scope, draft.scope.words
    test = TRUE if clause.when is None else condition(scope, clause.when)
    window = window_of(clause.window, words)
    measure = None if clause.measure is None else _amount(draft, clause.measure, "what is summed")
    bound = _amount(draft, clause.bound, "the bound")
    if bound is not None:
        _keep_independent(draft, bound, clause.bound)
    keys = [_key(draft, node) for node in clause.keys]
    counted = None
    if bound is not None and (clause.measure is None or measure is not None):
        counted = _counted(draft, clause, measure, bound)
    checked = None
    if test is not None and counted is not None and all(key is not None for key in keys):
        type_, measure, bound = counted
        checked = CheckedClause(
            code=clause.code.text,
            kind=ClauseKind.LIMIT,
            text=clause.text.value,
            condition=test,
            on_fail=OnFail.REFUSE,
            role=None,
            within_us=None,
            count=0,
            distinct_from=(),
            limit=CheckedLimit(measure, bound, type_, window, tuple(key for key in keys if key is not None)),
            span=clause.code.span,
        )
    keep(draft, checked, clause.code)


def _amount(draft: Draft, node: tree.Expression, what: str) -> typed.Expression | None:
    """Return a number, or null with a finding."""
    add = draft.scope.words.problems.add
    found = usable(draft.scope, infer(draft.scope, node), node.span)
    if found is None:
        return None
    if isinstance(found.type, OptionalType):
        help_ = "give the other case: `if x is present then x else 0`"
        add("T001", node.span, f"{what} may be absent", label=describe(found.type), help=help_)
        return None
    if not isinstance(found.type, NUMERIC):
        help_ = "count candidates with `count to 20`, add amounts up with `sum(amount) to 5000.00`"
        add("T007", node.span, f"{what} must be a number, found {describe(found.type)}", help=help_)
        return None
    no_confidence(draft.scope, found, node.span)
    return found


def _keep_independent(draft: Draft, bound: typed.Expression, node: tree.Expression) -> None:
    """Report a bound that depends on what somebody says: they would set their own limit."""
    for part in walk.nodes(bound, draft.scope.definitions, draft.lets):
        if isinstance(part, (typed.ArgumentRead, typed.ClaimRead)):
            message = f"the bound depends on `{part.name}`, which is only what somebody says"
            help_ = "let facts, memory or a table decide how much is allowed"
            draft.scope.words.problems.add("C030", node.span, message, help=help_)
            return


def _key(draft: Draft, node: tree.Expression) -> typed.Expression | None:
    found = usable(draft.scope, infer(draft.scope, node), node.span)
    if found is None:
        return None
    if not isinstance(found.type, KEY_TYPES):
        help_ = "count per id, principal, enum, bool, int or entity"
        message = f"nothing can be counted per {describe(found.type)}"
        draft.scope.words.problems.add("C030", node.span, message, help=help_)
        return None
    no_confidence(draft.scope, found, node.span)
    return found


def _counted(
    draft: Draft, clause: tree.Limit, measure: typed.Expression | None, bound: typed.Expression
) -> tuple[Numeric, typed.Expression | None, typed.Expression] | None:
    """Return the type that is counted in, and measure and bound in its units."""
    high, add = bound.type, draft.scope.words.problems.add
    if not isinstance(high, NUMERIC):
        return None
    if measure is None:
        if scale_of(high) > 0 or high.unit:
            help_ = "candidates are counted in whole numbers: `count to 20`"
            add("C030", clause.bound.span, f"expected a whole number, found {describe(high)}", help=help_)
            return None
        return IntType(0, min(high.high, INT_MAX)), None, bound
    each = measure.type
    if not isinstance(each, NUMERIC):
        return None
    if each.low < 0 and clause.measure is not None:
        help_ = "an amount below zero would make room for more: give it a range from 0, or use `max(0, …)`"
        add("C030", clause.measure.span, "what is summed could be negative", label=describe(each), help=help_)
        return None
    if not units.agree(draft.scope, clause.bound.span, measure, bound):
        return None
    scale = max(scale_of(each), scale_of(high))
    most = max(bounds_at(each, scale)[1], bounds_at(high, scale)[1])
    type_ = numeric(scale, 0, min(most, INT_MAX), each.unit or high.unit)
    return type_, convert(measure, type_), convert(bound, type_)
