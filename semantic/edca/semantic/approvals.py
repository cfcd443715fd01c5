"""`confirm` and `sign`: clauses that people answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.machine import ClauseKind, OnFail, RoleKind
from edca.kernel.types import ListType, PrincipalType, describe
from edca.semantic.check import condition, infer
from edca.semantic.checked import CheckedClause
from edca.semantic.draft import TRUE, Draft, keep, no_confidence, usable
from edca.semantic.durations import lasting

if TYPE_CHECKING:
    from edca.dsl import tree
    from edca.semantic import typed

SIGNERS_MAX = 100


def confirm(draft: Draft, clause: tree.Confirm) -> None:
    """Read a `confirm`: one person's yes."""
    _read(draft, clause, ClauseKind.CONFIRM, 1, ())


def sign(draft: Draft, clause: tree.Sign) -> None:
    """Read a `sign`: the yes of several people, who may have to be other people than those named."""
    if not 1 <= clause.count <= SIGNERS_MAX:
        help_ = "write how many people must say yes: `by 2 of …`"
        draft.scope.words.problems.add("T008", clause.span, f"1 to {SIGNERS_MAX} people can sign", help=help_)
    found = [_principals(draft, node) for node in clause.distinct_from]
    distinct = tuple(each for each in found if each is not None)
    _read(draft, clause, ClauseKind.SIGN, clause.count, distinct)


def _principals(draft: Draft, node: tree.Expression) -> typed.Expression | None:
    """Return an expression that yields a principal or a list of them."""
    found = usable(draft.scope, infer(draft.scope, node, PrincipalType("")), node.span)
    if found is None:
        return None
    match found.type:
        case PrincipalType() | ListType(of=PrincipalType()):
            no_confidence(draft.scope, found, node.span)
            return found
        case _:
            message = f"expected people, found {describe(found.type)}"
            help_ = "name a principal or a list of them: `distinct from proposer, signers of CODE`"
            draft.scope.words.problems.add("T001", node.span, message, help=help_)
            return None


def _read(
    draft: Draft,
    clause: tree.Confirm | tree.Sign,
    kind: ClauseKind,
    count: int,
    distinct_from: tuple[typed.Expression, ...],
) -> None:
    words = draft.scope.words
    role = words.role(clause.by)
    if role is not None and role.kind is not RoleKind.HUMAN:
        words.problems.add("C010", clause.by.span, f"`{role.name}` can't {kind.value}", help="name a `human` role")
    within_us = None if clause.within is None else lasting(clause.within, words.problems)
    test = TRUE if clause.when is None else condition(draft.scope, clause.when)
    checked = None
    if test is not None:
        checked = CheckedClause(
            code=clause.code.text,
            kind=kind,
            text="" if clause.text is None else clause.text.value,
            condition=test,
            on_fail=OnFail.ESCALATE,
            role=clause.by.text,
            within_us=within_us,
            count=count,
            distinct_from=distinct_from,
            limit=None,
            span=clause.code.span,
        )
    keep(draft, checked, clause.code)
