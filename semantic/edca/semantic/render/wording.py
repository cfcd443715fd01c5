"""Types, written values and what stands with every decision, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from edca.dsl import tree
from edca.kernel.calendar import date_text, duration_text, time_text
from edca.kernel.expression import Input
from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    EnumType,
    HandleType,
    IdType,
    IntType,
    ListType,
    OptionalType,
    PrincipalType,
    RecordType,
    ReferenceType,
    TextType,
    TimeType,
    Type,
    decimal_text,
)
from edca.semantic.commit import cell_text
from edca.semantic.render.phrase import Phrase, articled, listed, name, plain, quote, say

if TYPE_CHECKING:
    from edca.kernel.values import Value


_PROPOSED = {
    Input.NOW: "the time of the decision",
    Input.PROPOSER: "the proposer",
    Input.SUBJECT: "the person on whose behalf it is proposed",
    Input.CONFIDENCE: "the confidence that the proposer states",
}
_ASKED = {
    Input.PROPOSER: "whoever asks",
    Input.SUBJECT: "the person on whose behalf it is asked",
}


def input_text(input_: Input, *, in_query: bool) -> str:
    """Return what stands with every decision, in words; of a query, which nobody proposes, in words of its own."""
    return _ASKED.get(input_, _PROPOSED[input_]) if in_query else _PROPOSED[input_]


def kind(type_: Type) -> Phrase:
    """Return what values of a type are, as a noun phrase."""
    match type_:
        case BoolType():
            return plain("true or false")
        case IntType(low, high, unit):
            return _counted(plain(f"a whole number from {low} to {high}"), unit)
        case DecimalType(scale, low, high, unit):
            places = "one decimal place" if scale == 1 else f"{scale} decimal places"
            bounds = f"from {decimal_text(low, scale)} to {decimal_text(high, scale)}"
            return _counted(plain(f"a number with {places} {bounds}"), unit)
        case TextType(length_max):
            return plain(f"text of at most {length_max} characters")
        case HandleType():
            return plain("an id that isn't published")
        case IdType():
            return plain("an id")
        case DateType():
            return plain("a date")
        case TimeType():
            return plain("a time")
        case DurationType():
            return plain("a length of time")
        case EnumType("", values):
            return say("either {}", listed([name(value) for value, _ in values], "or"))
        case EnumType(called, _) | RecordType(called, _) | ReferenceType(called):
            return articled(called)
        case PrincipalType(role):
            return say("the identity of {}", articled(role)) if role else plain("an identity")
        case ListType(low, high, of):
            return say(f"a list of {_length(low, high)}, each {{}}", kind(of))
        case OptionalType(of):
            return say("{}, or absent", kind(of))
        case _:
            assert_never(type_)


def _counted(phrase: Phrase, unit: str) -> Phrase:
    return say("{}, in {}", phrase, name(unit)) if unit else phrase


def _length(low: int, high: int) -> str:
    if low == high:
        return f"exactly {high}"
    return f"{low} to {high}" if low else f"at most {high}"


def value(type_: Type, content: Value) -> Phrase:
    """Return a written value in the words of its type. Raises `TypeError` for a value that is not of its type."""
    match type_, content:
        case (_, None):
            return plain("nothing")
        case (BoolType(), bool()):
            return plain("true" if content else "false")
        case (IntType(), int()):
            return plain(str(content))
        case (DecimalType(scale), int()):
            return plain(decimal_text(content, scale))
        case (DateType(), int()):
            return plain(date_text(content))
        case (TimeType(), int()):
            return plain(time_text(content))
        case (DurationType(), int()):
            return plain(duration_text(content))
        case ((TextType() | IdType() | PrincipalType()), str()):
            return quote(content)
        case (EnumType(), str()):
            return name(content)
        case (OptionalType(of), _):
            return value(of, content)
        case _:
            raise TypeError(f"a {type(type_).__name__} can't be written as a {type(content).__name__}")


def cell(node: tree.TableCell | None) -> Phrase:
    """Return a cell of a table: one value, a range with both ends, or anything."""
    match node:
        case None:
            return plain("any")
        case tree.RangeCell(low, high):
            return say("{} to {}", cell(low), cell(high))
        case tree.Variable(called):
            return name(called.text)
        case tree.String(text):
            return quote(text)
        case _:
            return plain(cell_text(node))  # numbers, dates, times and durations read as they are written
