"""The tree's smallest parts: literals, encodings, and the places where values are read from."""

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
    """`dep_ap` or `t_flt.dep_ap`; in a document, a member of the members that `leading` lead to."""

    leading: tuple[Name, ...]
    name: Name
    span: Span

    @property
    def table(self) -> Name | None:
        """The table, null where none is named."""
        return self.leading[0] if self.leading else None


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


@dataclass(frozen=True, slots=True)
class Got:
    """`get "/orders/{order_id}" in data`: what an HTTP service answers, and the members that lead to it."""

    template: Text
    inside: tuple[Name, ...]


@dataclass(frozen=True, slots=True)
class Called:
    """`call "shop.facts:orders"`: what a Python function returns."""

    function: Text


Fetch: TypeAlias = Got | Called


@dataclass(frozen=True, slots=True)
class Elements:
    """`rows at lines { … }`: a list from an array of the document, or of another answer (`get`)."""

    among: tuple[Name, ...] | Got
    item: Item
    span: Span


Place: TypeAlias = Item | OneRow | ManyRows | Elements
