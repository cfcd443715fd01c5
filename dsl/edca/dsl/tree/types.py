"""Types as written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from edca.diagnostics.source import Span
from edca.dsl.tree.terms import Name, Text


@dataclass(frozen=True, slots=True)
class EnumValue:
    """`no_longer_needed "no longer needed"`: the name, and its wire value where it differs."""

    name: Name
    wire: Text | None
    span: Span


@dataclass(frozen=True, slots=True)
class SimpleType:
    """`bool`, `id`, `handle`, `date`, `time` or `duration`."""

    word: str
    span: Span


@dataclass(frozen=True, slots=True)
class IntegerType:
    """`int(1 to 20) in percent`: both bounds as written, and what is counted.

    A null bound was left out, which is an error that a later pass reports.
    """

    low: int | None
    high: int | None
    unit: Name | None
    span: Span


@dataclass(frozen=True, slots=True)
class DecimalType:
    """`decimal(2, 0.00 to 100000.00) in eur`: the scale, both bounds as written digits, and what it is counted in."""

    scale: int | None
    low: str | None
    high: str | None
    unit: Name | None
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
