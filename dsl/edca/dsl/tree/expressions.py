"""Expressions as written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from edca.diagnostics.source import Span
from edca.dsl.tree.terms import Name


@dataclass(frozen=True, slots=True)
class Number:
    """`12` or `12.50`, digits as written and without a sign."""

    digits: str
    span: Span


@dataclass(frozen=True, slots=True)
class String:
    """A text literal in an expression."""

    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Truth:
    """`true` or `false`."""

    value: bool
    span: Span


@dataclass(frozen=True, slots=True)
class DateLiteral:
    """`2024-05-20`, as written."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class TimeLiteral:
    """`2024-05-15T15:00:00-05:00` or `…Z`, as written; an offset is required."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class DurationLiteral:
    """`30 days`: a whole number and one of second(s), minute(s), hour(s), day(s), week(s); the unit in singular."""

    count: int
    unit: str
    span: Span


@dataclass(frozen=True, slots=True)
class Variable:
    """A bare name: what it means is decided by the resolver."""

    name: Name
    span: Span


@dataclass(frozen=True, slots=True)
class Field:
    """`base.name`."""

    base: Expression
    name: Name
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`name(a, b)`: a `define` with parameters, a `table`, or the constructor of a record."""

    name: Name
    arguments: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """`not e` or `- e`; `operator` is `not` or `-`."""

    operator: str
    operand: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """`and or == != < <= > >= in "not in" + - *`, left to right as written."""

    operator: str
    left: Expression
    right: Expression
    operator_span: Span
    span: Span


@dataclass(frozen=True, slots=True)
class Presence:
    """`e is present` (`present` true) or `e is absent` (`present` false)."""

    operand: Expression
    present: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Conditional:
    """`if c then a else b`."""

    condition: Expression
    then: Expression
    otherwise: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Quantified:
    """`every x in xs satisfies e` (`every` true) or `some x in xs satisfies e`."""

    every: bool
    variable: Name
    domain: Expression
    body: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`count(x in xs where c)`, `sum(e for x in xs where c)`, likewise `min`, `max`, `collect`.

    `body` is null for `count`; `condition` is null without `where`.
    """

    function: str
    variable: Name
    domain: Expression
    body: Expression | None
    condition: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Builtin:
    """`count(xs) first(xs) last(xs) distinct(xs) pairs(xs) zip(xs, ys) min(a, b) max(a, b) sum(xs) before(e)`."""

    function: str
    arguments: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Lookup:
    """`lookup flight(number, date)`: the entity with that key, unknown where there is none."""

    entity: Name
    keys: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class History:
    """`proposer of TRANSITION` or `signers of CODE`: who acted in this case before.

    `word` is `proposer` or `signers`.
    """

    word: str
    name: Name
    span: Span


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[a, b]`."""

    items: tuple[Expression, ...]
    span: Span


Expression: TypeAlias = (
    Number
    | String
    | Truth
    | DateLiteral
    | TimeLiteral
    | DurationLiteral
    | Variable
    | Field
    | Call
    | Unary
    | Binary
    | Presence
    | Conditional
    | Quantified
    | Aggregate
    | Builtin
    | Lookup
    | History
    | ListLiteral
)
