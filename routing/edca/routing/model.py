"""Routes as they run: checked against one machine, typed, frozen, with one canonical form.

Public names and types stand beside the internal names they lead to. Only this layer and auditors ever see both.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from edca.kernel import canonical, structure
from edca.kernel.expression import Comparison

if TYPE_CHECKING:
    from edca.diagnostics import Span
    from edca.kernel.machine import Parameter
    from edca.kernel.types import Type
    from edca.routing.model_documents import DocumentRoute, HTTPSource, InvokeRoute, PythonSource, RequestRoute

FORMAT_VERSION = 1

Stored: TypeAlias = "bool | int | str | None"
"""What a route writes to a source; what it reads back may be anything."""


class Encoding(enum.Enum):
    """How a column holds a value."""

    PLAIN = "plain"
    UNITS = "units"  # a decimal as a whole number of 10^-scale
    MICROS = "micros"  # a time or duration as a whole number of microseconds
    SECONDS = "seconds"  # likewise of seconds
    DAYS = "days"  # a date as days since 1970-01-01
    CODES = "codes"  # an enum value or truth value as an internal code


@dataclass(frozen=True, slots=True)
class Codec:
    """The two ways between one public scalar type and one column. `codes` are (value, code), for CODES only.

    The value is an enum value's name, or the text `true` or `false`.
    """

    type: Type
    optional: bool
    encoding: Encoding
    codes: tuple[tuple[str, Stored], ...] = ()


@dataclass(frozen=True, slots=True)
class ColumnRoute:
    """One column of one table; or one member of an object in a document.

    Then `table` is the JSON Pointer (RFC 6901) of the object, `` for the document itself, and `column` the member's
    name. An element of an array that is a scalar is the member `` of nothing.
    """

    table: str
    column: str


# --- shapes: how columns of one row make one value -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scalar:
    """One column is the value."""

    at: ColumnRoute
    codec: Codec


@dataclass(frozen=True, slots=True)
class Reference:
    """Columns are the key of another entity; absent, where it may be, when all are NULL."""

    entity: str
    optional: bool
    cells: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """The parts of a record in declared order; absent, where it may be, when all its columns are NULL."""

    optional: bool
    parts: tuple[Shape, ...]


Shape: TypeAlias = Scalar | Reference | Record


@dataclass(frozen=True, slots=True)
class Matching:
    """Rows of `table` whose columns equal columns of ours (`same`) and literals (`fixed`), ordered by `by`."""

    table: str
    same: tuple[tuple[str, ColumnRoute], ...]
    fixed: tuple[tuple[str, Stored], ...]
    by: tuple[str, ...]
    descending: bool


# --- where a field comes from --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OwnField:
    """From the entity's own row, or one joined to it."""

    name: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class RowField:
    """From one row of another table; `only` means that a second row is drift."""

    name: str
    rows: Matching
    only: bool
    optional: bool
    shape: Shape


@dataclass(frozen=True, slots=True)
class ListField:
    """A list with one element a row of another table."""

    name: str
    rows: Matching
    low: int
    high: int
    shape: Shape


FieldRoute: TypeAlias = OwnField | RowField | ListField


@dataclass(frozen=True, slots=True)
class JoinRoute:
    """A table joined to the entity's own: its columns equal ours. A missing row leaves its columns NULL."""

    table: str
    on: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class StateRoute:
    """The column that holds the case's state; `codes` are (state, code)."""

    at: ColumnRoute
    codes: tuple[tuple[str, Stored], ...]


@dataclass(frozen=True, slots=True)
class AllotRoute:
    """Where the key of the next created instance comes from."""

    table: str
    column: str
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntityRoute:
    """Where the instances of one entity are read."""

    name: str
    source: str
    table: str
    key: tuple[Scalar, ...]
    joins: tuple[JoinRoute, ...]
    allot: AllotRoute | None
    state: StateRoute | None
    fields: tuple[FieldRoute, ...]

    def field(self, name: str) -> FieldRoute:
        """Return the field's route. Raises `KeyError` for a name the entity doesn't have."""
        for route in self.fields:
            if route.name == name:
                return route
        raise KeyError(name)


# --- effects -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fixed:
    """A literal in the source's own terms."""

    value: Stored


@dataclass(frozen=True, slots=True)
class Given:
    """A scalar inside a parameter or loop variable: `steps` are positions in tuples, from the outside in."""

    name: str
    steps: tuple[int, ...]
    codec: Codec


Operand: TypeAlias = Fixed | Given


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of one column."""

    column: str
    comparison: Comparison
    operand: Operand


@dataclass(frozen=True, slots=True)
class Changed:
    """The row's own `column` plus (`add`) or minus the operand."""

    column: str
    add: bool
    operand: Operand


@dataclass(frozen=True, slots=True)
class Numbered:
    """`prefix` with the first whole number from `start` that makes a text no matching row has in this column."""

    prefix: str
    start: int
    where: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """A column and what it is set to."""

    column: str
    value: Operand | Changed | Numbered


@dataclass(frozen=True, slots=True)
class InsertRow:
    """One new row."""

    table: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class UpdateRows:
    """Change matching rows; a count other than `expect`, where given, loses the effect's precondition."""

    table: str
    settings: tuple[Setting, ...]
    where: tuple[Condition, ...]
    expect: int | None


@dataclass(frozen=True, slots=True)
class DeleteRows:
    """Remove matching rows; `expect` as for updates."""

    table: str
    where: tuple[Condition, ...]
    expect: int | None


@dataclass(frozen=True, slots=True)
class CheckRows:
    """Change nothing; demand that exactly `expect` rows match."""

    table: str
    where: tuple[Condition, ...]
    expect: int


@dataclass(frozen=True, slots=True)
class ForEach:
    """The statements once for each element of a list, in order."""

    variable: str
    name: str
    steps: tuple[int, ...]
    statements: tuple[StatementRoute, ...]


StatementRoute: TypeAlias = InsertRow | UpdateRows | DeleteRows | CheckRows | ForEach


@dataclass(frozen=True, slots=True)
class EffectRoute:
    """What one effect does to one source. `parameters` are the machine's, by the names used here."""

    name: str
    source: str
    parameters: tuple[Parameter, ...]
    statements: tuple[StatementRoute, ...]


# --- all of it -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AppliedRoute:
    """The table that remembers performed effects: a unique key column, and one for the digest of what was done."""

    table: str
    key: str
    body: str


@dataclass(frozen=True, slots=True)
class SourceRoute:
    """A database; its URL stands in the environment variable `env`."""

    name: str
    env: str
    applied: AppliedRoute | None


@dataclass(frozen=True, slots=True)
class Identifier:
    """An internal name where the routes file writes it: a column of a table, or (null) the table itself.

    The members of documents are columns of no table (``). `is_call`: the operation of a service (`GET /orders/{}`) or
    a function, in the place of a table; a spec can't clash with it.
    """

    source: str
    table: str
    column: str | None
    span: Span
    is_call: bool = False


@dataclass(frozen=True, slots=True)
class Routes:
    """All routes of one machine, declarations sorted by name. `identifiers` are for messages, not part of the value."""

    name: str
    version: str
    machine: str
    sources: tuple[SourceRoute | HTTPSource | PythonSource, ...]
    entities: tuple[EntityRoute | DocumentRoute, ...]
    effects: tuple[EffectRoute | RequestRoute | InvokeRoute, ...]
    identifiers: tuple[Identifier, ...] = field(compare=False, repr=False)

    @property
    def document(self) -> bytes:
        """The routes' canonical bytes, for auditors; never shown to a model."""
        return canonical.encode(
            {
                "arp": FORMAT_VERSION,
                "name": self.name,
                "version": self.version,
                "machine": self.machine,
                "sources": structure.to_data(self.sources),
                "entities": structure.to_data(self.entities),
                "effects": structure.to_data(self.effects),
            }
        )

    @property
    def digest(self) -> bytes:
        """The routes' identity: 32 bytes."""
        return canonical.digest("routes", self.document)

    def source(self, name: str) -> SourceRoute | HTTPSource | PythonSource:
        """Return the source. Raises `KeyError` for a name that isn't declared."""
        for route in self.sources:
            if route.name == name:
                return route
        raise KeyError(name)

    def entity(self, name: str) -> EntityRoute | DocumentRoute:
        """Return the entity's route. Raises `KeyError` for a name that has none."""
        for route in self.entities:
            if route.name == name:
                return route
        raise KeyError(name)

    def effect(self, name: str) -> EffectRoute | RequestRoute | InvokeRoute:
        """Return the effect's route. Raises `KeyError` for a name that has none."""
        for route in self.effects:
            if route.name == name:
                return route
        raise KeyError(name)
