"""How types relate: what fits where, what two types have in common, what arithmetic yields."""

from __future__ import annotations

from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    EnumType,
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
)
from edca.semantic import typed

Numeric = IntType | DecimalType
ORDERED = (IntType, DecimalType, DateType, TimeType, DurationType)


def plain(type_: Type) -> Type:
    """Return the type of the value where there is one: an optional's own."""
    return type_.of if isinstance(type_, OptionalType) else type_


def scale_of(type_: Numeric) -> int:
    """Return the number of decimal places."""
    return type_.scale if isinstance(type_, DecimalType) else 0


def bounds_at(type_: Numeric, scale: int) -> tuple[int, int]:
    """Return the interval in units of 10^-scale; `scale` is at least the type's own."""
    factor = int(10 ** (scale - scale_of(type_)))
    return type_.low * factor, type_.high * factor


def numeric(scale: int, low: int, high: int, unit: str) -> Numeric:
    """Return the numeric type of that scale, interval and unit."""
    return IntType(low, high, unit) if scale == 0 else DecimalType(scale, low, high, unit)


def fits(actual: Type, expected: Type) -> bool:
    """Tell whether a value of `actual` can stand where `expected` is wanted.

    Numeric ranges are checked at run time; the unit of a number itself by `units`, since a written one fits any.
    """
    match expected, actual:
        case OptionalType(of), OptionalType(inner):
            return fits(inner, of)
        case OptionalType(of), _:
            return fits(actual, of)
        case ((IntType() | DecimalType()), (IntType() | DecimalType())):
            return scale_of(actual) <= scale_of(expected)
        case TextType(), TextType():
            return True
        case PrincipalType(wanted), PrincipalType(given):
            return wanted == given or not wanted or not given
        case EnumType(), EnumType():
            return actual.values == expected.values
        case ReferenceType(wanted), ReferenceType(given):
            return wanted == given
        case RecordType(), RecordType():
            pairs = zip(actual.parts, expected.parts, strict=False)
            return len(actual.parts) == len(expected.parts) and all(a[0] == e[0] and same(a[1], e[1]) for a, e in pairs)
        case ListType(_, _, wanted_item), ListType(_, _, item):
            return same(item, wanted_item)
        case _:
            return type(actual) is type(expected) and isinstance(
                expected, (BoolType, IdType, DateType, TimeType, DurationType)
            )


def same(a: Type, b: Type) -> bool:
    """Tell whether values of the two types have one form in memory: what elements of lists need."""
    if isinstance(a, (IntType, DecimalType)) and isinstance(b, (IntType, DecimalType)):
        return scale_of(a) == scale_of(b) and a.unit == b.unit
    return fits(a, b) and fits(b, a)


def join(a: Type, b: Type) -> Type | None:
    """Return the type that values of both have, or null where there is none."""
    if isinstance(a, OptionalType) or isinstance(b, OptionalType):
        inner = join(plain(a), plain(b))
        return None if inner is None else OptionalType(inner)
    if isinstance(a, (IntType, DecimalType)) and isinstance(b, (IntType, DecimalType)):
        scale = max(scale_of(a), scale_of(b))
        (a_low, a_high), (b_low, b_high) = bounds_at(a, scale), bounds_at(b, scale)
        return numeric(scale, min(a_low, b_low), max(a_high, b_high), a.unit or b.unit)
    if isinstance(a, TextType) and isinstance(b, TextType):
        return TextType(max(a.length_max, b.length_max))
    if isinstance(a, ListType) and isinstance(b, ListType) and same(a.of, b.of):
        return ListType(min(a.low, b.low), max(a.high, b.high), a.of)
    return a if fits(b, a) else b if fits(a, b) else None


def convert(expression: typed.Expression, type_: Type) -> typed.Expression:
    """Return the expression in the units of `type_`, which it fits."""
    have, want = plain(expression.type), plain(type_)
    if not (isinstance(have, (IntType, DecimalType)) and isinstance(want, (IntType, DecimalType))):
        return expression
    scale = scale_of(want)
    if scale == scale_of(have):
        return expression
    low, high = bounds_at(have, scale)
    return typed.Converted(expression, numeric(scale, low, high, have.unit or want.unit))


def added(a: Numeric, b: Numeric, *, negate: bool) -> Numeric:
    """Return the type of `a + b`, or of `a - b`."""
    scale = max(scale_of(a), scale_of(b))
    (a_low, a_high), (b_low, b_high) = bounds_at(a, scale), bounds_at(b, scale)
    if negate:
        b_low, b_high = -b_high, -b_low
    return numeric(scale, a_low + b_low, a_high + b_high, a.unit or b.unit)


def multiplied(a: Numeric, b: Numeric) -> Numeric:
    """Return the type of `a * b`: the scales add up."""
    corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    return numeric(scale_of(a) + scale_of(b), min(corners), max(corners), a.unit or b.unit)
