"""The types of values: closed, bounded, and written into the machine's artefact.

Every type is a small frozen value. Types nest structurally (a record type holds its fields), except that an entity is
only named (`ReferenceType`), since entities may refer to each other. `kernel.values` gives each type its values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class BoolType:
    """`true` or `false`."""


@dataclass(frozen=True, slots=True)
class IntType:
    """A whole number from `low` to `high`, both included; `unit` is what it counts (`eur`), empty for a bare number."""

    low: int
    high: int
    unit: str = ""


@dataclass(frozen=True, slots=True)
class DecimalType:
    """A decimal fraction held as a whole number of 10^-scale units, from `low` to `high` of those units."""

    scale: int
    low: int
    high: int
    unit: str = ""


@dataclass(frozen=True, slots=True)
class TextType:
    """Unicode text of at most `length_max` characters (code points)."""

    length_max: int


@dataclass(frozen=True, slots=True)
class IdType:
    """An opaque identifier of 1 to 128 printable characters; only equality is defined."""


@dataclass(frozen=True, slots=True)
class HandleType(IdType):
    """An id that isn't published: whoever proposes in a session is shown a handle of it, and can name it by no other.

    To everything else, and in records, it is the id itself.
    """


@dataclass(frozen=True, slots=True)
class DateType:
    """A calendar day (proleptic Gregorian), held as days since 1970-01-01."""


@dataclass(frozen=True, slots=True)
class TimeType:
    """An instant, held as microseconds since 1970-01-01T00:00:00Z."""


@dataclass(frozen=True, slots=True)
class DurationType:
    """A length of time in microseconds."""


@dataclass(frozen=True, slots=True)
class EnumType:
    """One of a closed set; `values` are (name, wire value) pairs in declared order."""

    name: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PrincipalType:
    """The identity of somebody who holds `role`, as the host authenticated it."""

    role: str


@dataclass(frozen=True, slots=True)
class ReferenceType:
    """An instance of an entity, held as the tuple of its key values."""

    entity: str


@dataclass(frozen=True, slots=True)
class RecordType:
    """A fixed set of named parts, held as a tuple in declared order."""

    name: str
    parts: tuple[tuple[str, Type], ...]


@dataclass(frozen=True, slots=True)
class ListType:
    """From `low` to `high` values of one type, in order, held as a tuple."""

    low: int
    high: int
    of: Type


@dataclass(frozen=True, slots=True)
class OptionalType:
    """A value that may be absent; absence is `None`."""

    of: Type


Type: TypeAlias = (
    BoolType
    | IntType
    | DecimalType
    | TextType
    | IdType
    | HandleType
    | DateType
    | TimeType
    | DurationType
    | EnumType
    | PrincipalType
    | ReferenceType
    | RecordType
    | ListType
    | OptionalType
)


def describe(type_: Type) -> str:
    """Return the type in the words of the language, for messages (`decimal(2, 0.00 to 5.00)`)."""
    match type_:
        case BoolType():
            return "bool"
        case IntType(low, high, unit):
            return f"int({low} to {high})" + (f" in {unit}" if unit else "")
        case DecimalType(scale, low, high, unit):
            bounds = f"{decimal_text(low, scale)} to {decimal_text(high, scale)}"
            return f"decimal({scale}, {bounds})" + (f" in {unit}" if unit else "")
        case TextType(length_max):
            return f"text({length_max})"
        case HandleType():
            return "handle"
        case IdType():
            return "id"
        case DateType():
            return "date"
        case TimeType():
            return "time"
        case DurationType():
            return "duration"
        case EnumType(name, values):
            return name or "one of " + " | ".join(value for value, _ in values)
        case PrincipalType(role):
            return f"principal {role}" if role else "principal"
        case ReferenceType(entity):
            return entity
        case RecordType(name, _):
            return name
        case ListType(low, high, of):
            return f"list({low} to {high}) of {describe(of)}"
        case OptionalType(of):
            return f"{describe(of)} optional"


def decimal_text(units: int, scale: int) -> str:
    """Return `units` of 10^-scale as canonical digits: exactly `scale` digits behind the point, none without it."""
    if scale == 0:
        return str(units)
    sign, digits = ("-", str(-units)) if units < 0 else ("", str(units))
    if len(digits) <= scale:
        digits = digits.zfill(scale + 1)
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}"
