"""The syntax tree of a routes file: what was written and where, nothing yet about what it means.

Public and internal names look alike here; `load.py` tells them apart. All nodes are frozen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from edca.diagnostics import Span
from edca.dsl.tree import Name, Text


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, whole number, truth value or null that stands in the source's own terms."""

    value: bool | int | str | None
    span: Span


# --- encodings ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """`economy = "M"`: a public name and the internal code for it."""

    name: Name
    code: Literal


@dataclass(frozen=True, slots=True)
class CodeMap:
    """`{ one_way = "O", round_trip = "R" }`."""

    entries: tuple[CodeEntry, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class AsEncoding:
    """`as units`."""

    word: Name
    span: Span


@dataclass(frozen=True, slots=True)
class CodesEncoding:
    """`codes cabin_code`, or `codes { … }` written out."""

    codes: Name | CodeMap
    span: Span


Encoding: TypeAlias = AsEncoding | CodesEncoding


# --- where values are read from -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """`dep_ap` or `t_flt.dep_ap`."""

    table: Name | None
    name: Name
    span: Span


@dataclass(frozen=True, slots=True)
class Cell:
    """One column and how it encodes its value."""

    column: Column
    encoding: Encoding | None
    span: Span


@dataclass(frozen=True, slots=True)
class Reference:
    """`ref (cno)`: the key of another entity, column by column."""

    cells: tuple[Cell, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Part:
    """`price = fare_c as units`, a part of a record."""

    name: Name
    item: Item


@dataclass(frozen=True, slots=True)
class Record:
    """`record { … }`, or the braces of `rows`."""

    parts: tuple[Part, ...]
    span: Span


Item: TypeAlias = Cell | Reference | Record


@dataclass(frozen=True, slots=True)
class Match:
    """`pnr = pnr` in a read's `where`: the other table's column, and ours or a literal."""

    column: Name
    equals: Column | Literal


@dataclass(frozen=True, slots=True)
class OneRow:
    """A value from one row of another table; `last` is null where no order is given (there may be only one row)."""

    table: Name
    where: tuple[Match, ...]
    by: tuple[Name, ...]
    last: bool | None
    item: Item
    span: Span


@dataclass(frozen=True, slots=True)
class ManyRows:
    """A list from rows of another table, in the order of `by`."""

    table: Name
    where: tuple[Match, ...]
    by: tuple[Name, ...]
    item: Item
    span: Span


Place: TypeAlias = Item | OneRow | ManyRows


# --- declarations ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Header:
    """`routes airline version "1.0.0" for airline`."""

    name: Name
    version: Text
    machine: Name
    span: Span


@dataclass(frozen=True, slots=True)
class Applied:
    """`applied t_done (op_key, body)`: where performed effects are remembered."""

    table: Name
    key: Name
    body: Name


@dataclass(frozen=True, slots=True)
class Source:
    """`source desk sql env "AIRLINE_DESK_URL" …`."""

    name: Name
    env: Text
    applied: Applied | None
    span: Span


@dataclass(frozen=True, slots=True)
class Codes:
    """`codes cabin_code for cabin { … }`."""

    name: Name
    enum: Name
    map: CodeMap
    span: Span


@dataclass(frozen=True, slots=True)
class Join:
    """`join t_flt on fno = fno`: the joined table's column, ours."""

    table: Name
    on: tuple[tuple[Name, Name], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Allot:
    """`allot t_key.pnr by pos`."""

    table: Name
    column: Name
    by: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Member:
    """`origin = dep_ap`."""

    name: Name
    place: Place
    span: Span


@dataclass(frozen=True, slots=True)
class CaseState:
    """`case state = st codes { … }`."""

    word: Name
    cell: Cell
    span: Span


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity's route. `broken`: a member could not be read, so missing ones mean nothing."""

    name: Name
    source: Name
    table: Name
    key: tuple[Cell, ...]
    key_span: Span
    joins: tuple[Join, ...]
    allot: Allot | None
    members: tuple[Member, ...]
    states: tuple[CaseState, ...]
    broken: bool
    span: Span


# --- effects -----------------------------------------------------------------------------------------------------


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


Value: TypeAlias = Literal | PathValue


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


Statement: TypeAlias = Insert | Update | Delete | Check | Loop


@dataclass(frozen=True, slots=True)
class Effect:
    """`effect cancel(reservation, refunds) on desk { … }`."""

    name: Name
    parameters: tuple[Name, ...]
    source: Name
    statements: tuple[Statement, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class RoutesFile:
    """One routes file. `broken` are the words (`entity flight`) of declarations that could not be read."""

    header: Header
    sources: tuple[Source, ...]
    codes: tuple[Codes, ...]
    entities: tuple[Entity, ...]
    effects: tuple[Effect, ...]
    broken: tuple[tuple[str, str], ...]
    span: Span
