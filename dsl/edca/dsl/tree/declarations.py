"""Declarations of what there is: roles, types, entities, states, rules; transitions stand in `clauses`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from edca.diagnostics.source import Span
from edca.dsl.tree.expressions import DurationLiteral, Expression
from edca.dsl.tree.terms import Name, Text
from edca.dsl.tree.types import EnumValue, Type


@dataclass(frozen=True, slots=True)
class Parameter:
    """`amount: money`, in a transition, effect, define, table or key, with its modifiers (`personal`, `secret`)."""

    name: Name
    type: Type
    modifiers: tuple[Name, ...]
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
    """`claim reason : text(400) personal by customer "Why the customer wants money back."`."""

    name: Name
    type: Type
    modifiers: tuple[Name, ...]
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
    """`promised: money = 0.00`, with modifiers (`personal`, `secret`) behind the type."""

    name: Name
    type: Type
    modifiers: tuple[Name, ...]
    initial: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class MemoryDeclaration:
    """`memory { promised: money = 0.00 }`."""

    members: tuple[MemoryMember, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class StateDeclaration:
    """`state paid final "The money has left." success`; `initial_about` is set by `initial about user`.

    `outcome` is `success` or `failure`, which every final state says; null when left out.
    """

    name: Name
    initial: bool
    initial_about: Name | None
    final: bool
    outcome: Name | None
    text: Text
    span: Span


@dataclass(frozen=True, slots=True)
class CompositeState:
    """`state open "Not settled yet." { state requested … state approved … }`: what holds for it holds for all in it."""

    name: Name
    text: Text
    members: tuple[StateDeclaration | CompositeState, ...]
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
