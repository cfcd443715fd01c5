"""The syntax tree of a spec: what was written, where, and nothing about what it means.

Every node carries the `Span` it was read from, so that any later finding can point at the text that earned it.
Names are kept as written; resolving them is the work of `edca.semantic`. All nodes are frozen: a tree is a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from edca.diagnostics.source import Span


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier as written."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal, escapes resolved."""

    value: str
    span: Span


# --- types ---


@dataclass(frozen=True, slots=True)
class SimpleType:
    """`bool`, `id`, `date`, `time` or `duration`."""

    word: str
    span: Span


@dataclass(frozen=True, slots=True)
class IntegerType:
    """`int(1 to 20)`; both bounds as written, null when left out (which is an error a later pass reports)."""

    low: int | None
    high: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class DecimalType:
    """`decimal(2, 0.00 to 100000.00)`: the scale, and both bounds as written digits."""

    scale: int | None
    low: str | None
    high: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class TextType:
    """`text(400)`: the greatest length in characters; null when left out."""

    length_max: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class OneOfType:
    """`one of regular | gold`: an enum without a name."""

    values: tuple[EnumValue, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class PrincipalType:
    """`principal customer`: the identity of somebody who holds the role."""

    role: Name
    span: Span


@dataclass(frozen=True, slots=True)
class ListType:
    """`list(1 to 50) of pick`; `list(50) of line` has the low bound zero; bounds are null when left out."""

    low: int | None
    high: int | None
    of: Type
    span: Span


@dataclass(frozen=True, slots=True)
class OptionalType:
    """`time optional`: the value may be absent."""

    of: Type
    span: Span


@dataclass(frozen=True, slots=True)
class NamedType:
    """A declared type, enum, record or entity."""

    name: Name
    span: Span


Type: TypeAlias = (
    SimpleType | IntegerType | DecimalType | TextType | OneOfType | PrincipalType | ListType | OptionalType | NamedType
)


# --- expressions ---


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
    | ListLiteral
)


# --- declarations ---


@dataclass(frozen=True, slots=True)
class EnumValue:
    """`no_longer_needed "no longer needed"`: the name, and its wire value where it differs."""

    name: Name
    wire: Text | None
    span: Span


@dataclass(frozen=True, slots=True)
class Parameter:
    """`amount: money`, in a transition, effect, define, table or key."""

    name: Name
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class Member:
    """A field of an entity or record with its modifiers (`fixed`, `personal`, `secret`) in written order."""

    name: Name
    type: Type
    modifiers: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class RoleDeclaration:
    """`role assistant model`; the kind is `model`, `human` or `clock`."""

    name: Name
    kind: Name
    span: Span


@dataclass(frozen=True, slots=True)
class EnumDeclaration:
    """`enum status { placed | shipped }`."""

    name: Name
    values: tuple[EnumValue, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class TypeDeclaration:
    """`type money = decimal(2, 0.00 to 100000.00)`."""

    name: Name
    type: Type
    span: Span


@dataclass(frozen=True, slots=True)
class RecordDeclaration:
    """`record pick { sku: id, count: int(1 to 20) }`."""

    name: Name
    members: tuple[Member, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class EntityDeclaration:
    """`entity order key (order_id: id) { … }`."""

    name: Name
    key: tuple[Parameter, ...]
    members: tuple[Member, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ClaimDeclaration:
    """`claim reason : text(400) by customer "Why the customer wants money back."`."""

    name: Name
    type: Type
    by: Name
    text: Text
    span: Span


@dataclass(frozen=True, slots=True)
class EffectDeclaration:
    """`effect send_money(order: order, amount: money)`."""

    name: Name
    parameters: tuple[Parameter, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class CaseDeclaration:
    """`case about order by order_id fresh 5 minutes`."""

    entity: Name
    keys: tuple[Name, ...]
    fresh: DurationLiteral | None
    span: Span


@dataclass(frozen=True, slots=True)
class MemoryMember:
    """`promised: money = 0.00`."""

    name: Name
    type: Type
    initial: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class MemoryDeclaration:
    """`memory { promised: money = 0.00 }`."""

    members: tuple[MemoryMember, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class StateDeclaration:
    """`state paid final "The money has left." success`; `initial_about` is set by `initial about user`."""

    name: Name
    initial: bool
    initial_about: Name | None
    final: bool
    success: bool
    text: Text
    span: Span


@dataclass(frozen=True, slots=True)
class DefineDeclaration:
    """`define returnable(p: pick) = …`."""

    name: Name
    parameters: tuple[Parameter, ...]
    body: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class TableRow:
    """`| regular, true => 100.00`; a null cell is `any`; a cell with a bound is a `RangeCell`."""

    cells: tuple[TableCell | None, ...]
    result: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class RangeCell:
    """`1 to 5`, both ends included."""

    low: Expression
    high: Expression
    span: Span


TableCell: TypeAlias = RangeCell | Expression


@dataclass(frozen=True, slots=True)
class TableDeclaration:
    """`table limit_for(tier: one of regular | gold, risky: bool) gives money { … }`."""

    name: Name
    parameters: tuple[Parameter, ...]
    gives: Type
    rows: tuple[TableRow, ...]
    span: Span


# --- clauses of a transition ---


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
    """`confirm agreed by customer within 30 minutes when e "…"`; the text is optional."""

    code: Name
    by: Name
    within: DurationLiteral | None
    when: Expression | None
    text: Text | None
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
    """`on failed go stuck`; the event is `failed` or `timeout` (then `after` is set)."""

    event: Name
    after: DurationLiteral | None
    target: Name
    span: Span


Clause: TypeAlias = Means | By | Answers | Let | Require | Forbid | Confirm | Assign | Perform | OnFailure


@dataclass(frozen=True, slots=True)
class TransitionDeclaration:
    """`transition NAME(…) [about ENTITY by KEY, … | creates ENTITY] from A, B to C { clauses }`."""

    name: Name
    parameters: tuple[Parameter, ...]
    about: Name | None
    keys: tuple[Name, ...]
    creates: Name | None
    sources: tuple[Name, ...]
    target: Name
    clauses: tuple[Clause, ...]
    span: Span


# --- scenarios ---


@dataclass(frozen=True, slots=True)
class GivenState:
    """`given requested`: the case's state before."""

    state: Name
    span: Span


@dataclass(frozen=True, slots=True)
class GivenValue:
    """`given now = …`, `given subject = "c1"`, a memory field, a claim, or a confirmation (`given agreed = true`)."""

    name: Name
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class GivenEntity:
    """`given order("o1") { status = delivered, lines = [line("o1", "a1")] }`: one instance and fields known of it."""

    entity: Name
    keys: tuple[Expression, ...]
    fields: tuple[tuple[Name, Expression], ...]
    span: Span


Given: TypeAlias = GivenState | GivenValue | GivenEntity


@dataclass(frozen=True, slots=True)
class When:
    """`when assistant proposes approve_refund(order_id: "o1") confidence 0.91`."""

    role: Name
    transition: Name
    arguments: tuple[tuple[Name, Expression], ...]
    confidence: Number | None
    span: Span


@dataclass(frozen=True, slots=True)
class Then:
    """`then refused CODE, …`, `then escalated CODE, …`, or `then accepted [to STATE] [with NAME = e, …]`.

    `outcome` is `accepted`, `refused` or `escalated`; `codes` are the clause or stage codes expected among the failed.
    """

    outcome: str
    codes: tuple[Name, ...]
    target: Name | None
    memory: tuple[tuple[Name, Expression], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ScenarioDeclaration:
    """`scenario "…" { given … when … then … }`."""

    title: Text
    givens: tuple[Given, ...]
    when: When
    then: Then
    span: Span


Declaration: TypeAlias = (
    RoleDeclaration
    | EnumDeclaration
    | TypeDeclaration
    | RecordDeclaration
    | EntityDeclaration
    | ClaimDeclaration
    | EffectDeclaration
    | CaseDeclaration
    | MemoryDeclaration
    | StateDeclaration
    | DefineDeclaration
    | TableDeclaration
    | TransitionDeclaration
    | Forbid
    | ScenarioDeclaration
)


@dataclass(frozen=True, slots=True)
class Header:
    """`edca 1` and `machine refund version "3.1.0" "…" tier consequential`."""

    language: int
    name: Name
    version: Text
    text: Text | None
    tier: Name | None
    span: Span


@dataclass(frozen=True, slots=True)
class Spec:
    """One `.edca` source: its header and its declarations in written order."""

    header: Header
    declarations: tuple[Declaration, ...]
    span: Span
