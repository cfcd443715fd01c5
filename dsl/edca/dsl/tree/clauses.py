"""Transitions, queries and their clauses, and the `forbid` that stands for all transitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from edca.diagnostics.source import Span
from edca.dsl.tree.declarations import Parameter
from edca.dsl.tree.expressions import DurationLiteral, Expression
from edca.dsl.tree.terms import Name, Text


@dataclass(frozen=True, slots=True)
class Means:
    """`means "Promise the customer an amount."`."""

    text: Text
    span: Span


@dataclass(frozen=True, slots=True)
class By:
    """`by assistant, supervisor`."""

    roles: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Answers:
    """`answers supervisor`."""

    role: Name
    span: Span


@dataclass(frozen=True, slots=True)
class Let:
    """`let total = …`."""

    name: Name
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Require:
    """`require e else refuse CODE "…"`, or `else escalate ROLE CODE "…"` (then `escalate` is set)."""

    condition: Expression
    escalate: Name | None
    code: Name
    text: Text
    span: Span


@dataclass(frozen=True, slots=True)
class Forbid:
    """`forbid CODE [about ENTITY] "…" when e`, for one transition or (at the top level) for all that fit."""

    code: Name
    about: Name | None
    text: Text
    condition: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Confirm:
    """`confirm agreed by customer within 30 minutes when e "…"`; null text: left out, which a later pass reports."""

    code: Name
    by: Name
    within: DurationLiteral | None
    when: Expression | None
    text: Text | None
    span: Span


@dataclass(frozen=True, slots=True)
class Sign:
    """`sign twice by 2 of supervisor distinct from proposer, subject within 2 days when e "…"`."""

    code: Name
    count: int
    by: Name
    distinct_from: tuple[Expression, ...]
    within: DurationLiteral | None
    when: Expression | None
    text: Text | None
    span: Span


@dataclass(frozen=True, slots=True)
class Window:
    """`rolling 1 hour` (any length), or `utc day` (a whole `hour`, `day` or `week`; `kind` is `rolling` or `utc`)."""

    kind: str
    length: DurationLiteral
    span: Span


@dataclass(frozen=True, slots=True)
class Limit:
    """`limit daily sum(amount) to 5000.00 per utc day per order.owner when e "…"`; a null `measure` is `count`."""

    code: Name
    measure: Expression | None
    bound: Expression
    window: Window
    keys: tuple[Expression, ...]
    when: Expression | None
    text: Text
    span: Span


@dataclass(frozen=True, slots=True)
class After:
    """`after 14 days`: only that long after the case came into its state."""

    duration: DurationLiteral
    span: Span


@dataclass(frozen=True, slots=True)
class Unblockable:
    """`unblockable`: no machine-wide `forbid` holds it up."""

    span: Span


@dataclass(frozen=True, slots=True)
class Priority:
    """`priority 2`: among branches of one transition the higher is tried first."""

    level: int
    span: Span


@dataclass(frozen=True, slots=True)
class Assign:
    """`set promised = amount`."""

    name: Name
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Invocation:
    """`send_money(order, promised)` behind `do` or `undo`."""

    effect: Name
    arguments: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Perform:
    """`do EFFECT(…) ensure e undo EFFECT(…)`, or `irreversible` instead of `undo`."""

    invocation: Invocation
    ensure: Expression | None
    undo: Invocation | None
    irreversible: bool
    span: Span


@dataclass(frozen=True, slots=True)
class OnFailure:
    """`on failed go stuck "…"`; the event is `failed` or `timeout` (then `after` is set)."""

    event: Name
    after: DurationLiteral | None
    target: Name
    text: Text | None
    span: Span


@dataclass(frozen=True, slots=True)
class Rows:
    """`each l in DOMAIN where e { sku = l.sku, … }`: one row for each element of the domain that `where` lets in."""

    variable: Name
    where: Expression | None
    fields: tuple[tuple[Name, Expression], ...]


@dataclass(frozen=True, slots=True)
class Returns:
    """`returns NAME = e`, or `returns NAME = each …`: then `value` is the list that the rows come from."""

    name: Name
    value: Expression
    rows: Rows | None
    span: Span


Clause: TypeAlias = (
    Means
    | By
    | Answers
    | Let
    | Require
    | Forbid
    | Confirm
    | Sign
    | Limit
    | After
    | Unblockable
    | Priority
    | Assign
    | Perform
    | OnFailure
    | Returns
)


@dataclass(frozen=True, slots=True)
class TransitionDeclaration:
    """`transition NAME[.BRANCH](…) [about ENTITY by KEY, … | creates ENTITY] from A, B to C [when e] { clauses }`."""

    name: Name
    branch: Name | None
    parameters: tuple[Parameter, ...]
    about: Name | None
    keys: tuple[Name, ...]
    creates: Name | None
    sources: tuple[Name, ...]
    target: Name
    guard: Expression | None
    clauses: tuple[Clause, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class QueryDeclaration:
    """`query NAME(…) [about ENTITY by KEY, …] { clauses }`."""

    name: Name
    parameters: tuple[Parameter, ...]
    about: Name | None
    keys: tuple[Name, ...]
    clauses: tuple[Clause, ...]
    span: Span
