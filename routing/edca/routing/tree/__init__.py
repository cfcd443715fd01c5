"""The syntax tree of a routes file: what was written and where, nothing yet about what it means.

Public and internal names look alike here; `load.py` tells them apart. All nodes are frozen.
"""

from __future__ import annotations

from dataclasses import dataclass

from edca.diagnostics import Span
from edca.dsl.tree import Name, Text
from edca.routing.tree.effects import (
    Asked,
    Assignment,
    Body,
    Change,
    Check,
    Delete,
    Insert,
    Invoke,
    ListBody,
    Loop,
    Numbered,
    ObjectBody,
    Path,
    PathValue,
    Request,
    Sent,
    Statement,
    StateValue,
    Status,
    Test,
    Update,
    Value,
)
from edca.routing.tree.places import (
    AsEncoding,
    Called,
    Cell,
    CodeEntry,
    CodeMap,
    CodesEncoding,
    Column,
    Elements,
    Encoding,
    Fetch,
    Got,
    Item,
    Literal,
    ManyRows,
    Match,
    OneRow,
    Part,
    Place,
    Record,
    Reference,
)

__all__ = [
    "Allot",
    "Applied",
    "AsEncoding",
    "Asked",
    "Assignment",
    "Batch",
    "Body",
    "Called",
    "CaseState",
    "Cell",
    "Change",
    "Check",
    "CodeEntry",
    "CodeMap",
    "Codes",
    "CodesEncoding",
    "Column",
    "Delete",
    "DocumentEntity",
    "Effect",
    "Elements",
    "Encoding",
    "Entity",
    "Fetch",
    "Got",
    "HTTPSource",
    "Header",
    "Insert",
    "Invoke",
    "Item",
    "Join",
    "ListBody",
    "Literal",
    "Loop",
    "ManyRows",
    "Match",
    "Member",
    "Numbered",
    "ObjectBody",
    "OneRow",
    "Option",
    "Part",
    "Path",
    "PathValue",
    "Place",
    "PythonSource",
    "Record",
    "Reference",
    "Request",
    "RoutesFile",
    "Sent",
    "Source",
    "StateValue",
    "Statement",
    "Status",
    "Test",
    "Update",
    "Value",
]


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
class Option:
    """`timeout 5 seconds` and the like: which one (the grammar's name of it), and what is written in it."""

    word: str
    texts: tuple[Text, ...]
    numbers: tuple[int, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class HTTPSource:
    """`source bank http env "BANK_URL" …`."""

    name: Name
    env: Text
    options: tuple[Option, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class PythonSource:
    """`source desk python`."""

    name: Name
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


@dataclass(frozen=True, slots=True)
class Batch:
    """`batch "/orders?id=" each "{order_id}" between "&id=" up to 50 in items`."""

    prefix: Text
    each: Text
    between: Text
    up_to: int
    inside: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class DocumentEntity:
    """One entity's route to documents. `ignoring`: members that mean nothing here; null: all others."""

    name: Name
    source: Name
    fetch: Fetch
    key: tuple[Cell, ...]
    key_span: Span
    batch: Batch | None
    ignoring: tuple[Name, ...] | None
    allot: Fetch | None
    members: tuple[Member, ...]
    states: tuple[CaseState, ...]
    broken: bool
    span: Span


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
    sources: tuple[Source | HTTPSource | PythonSource, ...]
    codes: tuple[Codes, ...]
    entities: tuple[Entity | DocumentEntity, ...]
    effects: tuple[Effect, ...]
    broken: tuple[tuple[str, str], ...]
    span: Span
