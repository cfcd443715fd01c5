"""The clauses of a transition, each read into the draft of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, assert_never

from edca.dsl import tree
from edca.kernel.machine import ClauseKind, OnFail, RoleKind
from edca.semantic import approvals, effects, limits, units
from edca.semantic.check import condition, infer
from edca.semantic.checked import CheckedClause
from edca.semantic.draft import TRUE, Draft, keep, no_confidence, usable
from edca.semantic.durations import lasting

if TYPE_CHECKING:
    from edca.kernel.types import Type
    from edca.semantic.scope import Scope
    from edca.semantic.vocabulary import Vocabulary

__all__ = ["TRUE", "check_forbid", "read_clause"]

PRIORITY_MAX = 100


def read_clause(draft: Draft, clause: tree.Clause, words: Vocabulary) -> None:
    """Read one clause into the draft, reporting what is wrong with it."""
    match clause:
        case tree.Means():
            if draft.first("means", clause):
                draft.means = clause
        case tree.By(roles, _):
            for role in roles:
                words.role(role)
            if draft.first("by", clause):
                draft.by = clause
        case tree.Answers(role, _):
            found = words.role(role)
            if found is not None and found.kind is not RoleKind.HUMAN:
                help_ = "name a `human` role: it is people who answer"
                words.problems.add("C015", role.span, f"`{role.text}` can't answer for anything", help=help_)
            if draft.first("answers", clause):
                draft.answers = clause
        case tree.After() | tree.Unblockable() | tree.Priority():
            _read_mark(draft, clause, words)
        case tree.Let():
            _let(draft, clause, words)
        case tree.Require():
            _require(draft, clause, words)
        case tree.Forbid():
            keep(draft, check_forbid(draft.scope, clause), clause.code)
        case tree.Confirm():
            approvals.confirm(draft, clause)
        case tree.Sign():
            approvals.sign(draft, clause)
        case tree.Limit():
            limits.limit(draft, clause)
        case tree.Assign():
            effects.assign(draft, clause)
        case tree.Perform():
            effects.perform(draft, clause)
        case tree.OnFailure():
            effects.on_failure(draft, clause)
        case tree.Returns(name):
            help_ = "what a role may look up is written in a `query`"
            words.problems.add("C054", name.span, "a transition returns nothing", help=help_)
        case _:
            assert_never(clause)


def _read_mark(draft: Draft, clause: tree.After | tree.Unblockable | tree.Priority, words: Vocabulary) -> None:
    match clause:
        case tree.After(duration, span):
            after_us = lasting(duration, words.problems)
            if draft.first("after", clause):
                draft.after_us = after_us
            if draft.creates:
                message = "what is created has been nowhere before: no candidate can wait that long"
                words.problems.add("C019", span, message, help="drop `after`")
        case tree.Unblockable():
            if draft.first("unblockable", clause):
                draft.unblockable = clause
        case tree.Priority(level, span):
            if not 1 <= level <= PRIORITY_MAX:
                help_ = "branches without one come last"
                words.problems.add("T008", span, f"a priority is 1 to {PRIORITY_MAX}", help=help_)
            if draft.first("priority", clause):
                draft.priority = clause


def _let(draft: Draft, clause: tree.Let, words: Vocabulary) -> None:
    if draft.scope.taken(clause.name.text):
        declared = words.spans.get(clause.name.text)
        message = f"`{clause.name.text}` has a meaning already"
        words.problems.add("N003", clause.name.span, message, help="rename it", declared=declared)
        return
    value = usable(draft.scope, infer(draft.scope, clause.value), clause.value.span)
    if value is None:
        words.problems.lost |= {clause.name.text}  # its uses say nothing new
    else:
        no_confidence(draft.scope, value, clause.value.span)
        draft.lets[clause.name.text] = value
        types: dict[str, Type] = {name: expression.type for name, expression in draft.lets.items()}
        written = draft.scope.written | ({clause.name.text} if units.is_written(value, draft.scope) else set())
        draft.scope = dataclasses.replace(draft.scope, lets=types, written=written)


def _require(draft: Draft, clause: tree.Require, words: Vocabulary) -> None:
    role = None
    if clause.escalate is not None:
        role = words.role(clause.escalate)
        if role is not None and role.kind is not RoleKind.HUMAN:
            help_ = "only people can waive a clause"
            words.problems.add("C010", clause.escalate.span, f"`{role.name}` is no human role", help=help_)
    test = condition(draft.scope, clause.condition)
    checked = None
    if test is not None:
        checked = CheckedClause(
            code=clause.code.text,
            kind=ClauseKind.REQUIRE,
            text=clause.text.value,
            condition=test,
            on_fail=OnFail.REFUSE if clause.escalate is None else OnFail.ESCALATE,
            role=None if role is None else role.name,
            within_us=None,
            count=0,
            distinct_from=(),
            limit=None,
            span=clause.code.span,
        )
    keep(draft, checked, clause.code)


def check_forbid(scope: Scope, clause: tree.Forbid) -> CheckedClause | None:
    """Return a `forbid` with its condition typed, or null with a finding."""
    test = condition(scope, clause.condition)
    if test is None:
        return None
    return CheckedClause(
        code=clause.code.text,
        kind=ClauseKind.FORBID,
        text=clause.text.value,
        condition=test,
        on_fail=OnFail.REFUSE,
        role=None,
        within_us=None,
        count=0,
        distinct_from=(),
        limit=None,
        span=clause.code.span,
    )
