"""The tree of what effects do: values, bodies and statements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from edca.diagnostics import Span
from edca.dsl.tree import Name, Text
from edca.routing.tree.places import Encoding, Literal


@dataclass(frozen=True, slots=True)
class Path:
    """`r.amount`: a parameter or loop variable, then parts of it."""

    names: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class PathValue:
    """`r.amount as units`."""

    path: Path
    encoding: Encoding | None
    span: Span


@dataclass(frozen=True, slots=True)
class StateValue:
    """`state paid of order`: the code that the entity's route gives the state."""

    state: Name
    entity: Name
    span: Span


Value: TypeAlias = Literal | PathValue | StateValue


@dataclass(frozen=True, slots=True)
class Change:
    """`bal_c - p.amount as units`: the row's own column, more or less by a value."""

    column: Name
    add: bool
    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Test:
    """`bal_c >= p.amount as units`."""

    column: Name
    comparison: str
    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Numbered:
    """`numbered "certificate_" from 100 where …`: the first such text that no matching row has in this column."""

    prefix: Text
    start: int
    where: tuple[Test, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Assignment:
    """`st = "X"`."""

    column: Name
    value: Value | Change | Numbered


@dataclass(frozen=True, slots=True)
class Insert:
    """`insert t_pay set …`."""

    table: Name
    assignments: tuple[Assignment, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Update:
    """`update t_hdr set … where … expect 1`."""

    table: Name
    assignments: tuple[Assignment, ...]
    where: tuple[Test, ...]
    expect: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class Delete:
    """`delete t_wlt where …`."""

    table: Name
    where: tuple[Test, ...]
    expect: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class Check:
    """`check t_wlt where … expect 0`: changes nothing, counts rows."""

    table: Name
    where: tuple[Test, ...]
    expect: int
    span: Span


@dataclass(frozen=True, slots=True)
class Loop:
    """`for r in refunds { … }`."""

    variable: Name
    over: Path
    statements: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Sent:
    """`amount_c = amount as units`: a member of what is sent."""

    name: Name
    body: Body


@dataclass(frozen=True, slots=True)
class ObjectBody:
    """`{ … }`: a JSON object."""

    parts: tuple[Sent, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ListBody:
    """`each p in picks { … }`: a JSON array, an object for each element."""

    variable: Name
    over: Path
    parts: tuple[Sent, ...]
    span: Span


Body: TypeAlias = Value | ObjectBody | ListBody


@dataclass(frozen=True, slots=True)
class Status:
    """`done 200, 201`: what status codes mean."""

    word: str
    codes: tuple[int, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Asked:
    """`asked get "/refunds/{key}"`: how to find out whether the effect of a key has happened."""

    word: str
    text: Text


@dataclass(frozen=True, slots=True)
class Request:
    """`post "/refunds" send { … } done 201`."""

    method: Name
    template: Text
    send: ObjectBody | None
    statuses: tuple[Status, ...]
    asked: Asked | None
    span: Span


@dataclass(frozen=True, slots=True)
class Invoke:
    """`call "shop.money:send" send { … }`."""

    function: Text
    send: ObjectBody | None
    asked: Asked | None
    span: Span


Statement: TypeAlias = Insert | Update | Delete | Check | Loop | Request | Invoke
