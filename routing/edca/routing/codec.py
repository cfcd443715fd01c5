"""Values to columns and back: strict both ways, exact, without floats.

Reading never raises: whatever a source holds becomes a value of the declared type, or a reason why it is not known.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from edca.kernel.calendar import SECOND, date_text, time_text
from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    EnumType,
    OptionalType,
    TimeType,
    Type,
    decimal_text,
    describe,
)
from edca.kernel.values import Unknown, Value, ValueProblem, from_raw
from edca.routing.model import Codec, Encoding, Record, Reference, Scalar, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from edca.routing.model import ColumnRoute, Stored

ENCODINGS: dict[type, tuple[Encoding, ...]] = {
    BoolType: (Encoding.PLAIN, Encoding.CODES),
    EnumType: (Encoding.PLAIN, Encoding.CODES),
    DecimalType: (Encoding.PLAIN, Encoding.UNITS),
    TimeType: (Encoding.PLAIN, Encoding.MICROS, Encoding.SECONDS),
    DurationType: (Encoding.PLAIN, Encoding.MICROS, Encoding.SECONDS),
    DateType: (Encoding.PLAIN, Encoding.DAYS),
}
"""The encodings a type has; a type that isn't listed has PLAIN only."""

_DIGITS_MAX = 64  # on either side of the point; no decimal type allows so many
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRUTH = {"true": True, "false": False}


class UnwritableError(ValueError):
    """The column's encoding can't hold the value exactly (half a second in whole seconds)."""


def bare(type_: Type) -> tuple[Type, bool]:
    """Return the type without `optional`, and whether it was."""
    optional = False
    while isinstance(type_, OptionalType):
        type_, optional = type_.of, True
    return type_, optional


def same_code(left: object, right: object) -> bool:
    """Tell whether a source's value is this code: `1`, `true` and `"1"` are three."""
    return type(left) is type(right) and left == right


# --- reading -------------------------------------------------------------------------------------------------------


def read(codec: Codec, stored: object) -> Value | Unknown:
    """Return the value that a column's content stands for."""
    if stored is None:
        return None if codec.optional else Unknown.MISSING
    if codec.encoding is Encoding.CODES:
        for name, code in codec.codes:
            if same_code(stored, code):
                return _TRUTH[name] if isinstance(codec.type, BoolType) else name
        return Unknown.DRIFT
    try:
        return from_raw(codec.type, _raw(codec, stored), {})
    except ValueProblem:
        return Unknown.DRIFT


def _raw(codec: Codec, stored: object) -> object:
    """Return the raw form of a column's content, or an object that no type accepts."""
    whole = isinstance(stored, int) and not isinstance(stored, bool)
    match codec.encoding:
        case Encoding.UNITS if isinstance(codec.type, DecimalType) and isinstance(stored, int) and whole:
            return decimal_text(stored, codec.type.scale)
        case Encoding.MICROS if whole:
            return stored
        case Encoding.SECONDS if isinstance(stored, int) and whole:
            return stored * SECOND
        case Encoding.DAYS if isinstance(stored, int) and whole:
            # Days outside the four-digit years have no text, and so no value.
            return date_text(stored) if -719_162 <= stored <= 2_932_896 else _NOTHING
        case Encoding.PLAIN:
            return _plain(codec.type, stored)
        case _:
            return _NOTHING


_NOTHING = object()


def _plain(type_: Type, stored: object) -> object:
    """Return the raw form of what a driver gives for a column of the type's own kind."""
    match type_:
        case BoolType() if isinstance(stored, int) and stored in (0, 1):
            return bool(stored)
        case DecimalType() if isinstance(stored, Decimal):
            # `1E+999999999` is a short number, and a text of a gigabyte.
            return format(stored, "f") if stored.is_finite() and _is_short(stored) else _NOTHING
        case DateType() if isinstance(stored, date) and not isinstance(stored, datetime):
            return stored.isoformat()
        case TimeType() if isinstance(stored, datetime):
            return (stored - _EPOCH) // timedelta(microseconds=1) if stored.tzinfo is not None else _NOTHING
        case TimeType() if not isinstance(stored, str):
            # A bare number could be seconds, milliseconds or microseconds: the route has to say which.
            return _NOTHING
        case _:
            return stored


def _is_short(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -_DIGITS_MAX and number.adjusted() <= _DIGITS_MAX


def read_shape(shape: Shape, content: Callable[[ColumnRoute], object]) -> Value | Unknown:
    """Return the value that one row's columns make; one unknown part makes the whole unknown, drift before missing."""
    match shape:
        case Scalar(at, codec):
            return read(codec, content(at))
        case Reference(_, optional, cells):
            return _assemble(shape, optional, cells, content)
        case Record(optional, parts):
            return _assemble(shape, optional, parts, content)


def _assemble(
    shape: Shape, optional: bool, parts: Sequence[Shape], content: Callable[[ColumnRoute], object]
) -> Value | Unknown:
    if optional and all(content(at) is None for at in columns(shape)):
        return None
    values: list[Value] = []
    unknown: list[Unknown] = []
    for part in parts:
        value = read_shape(part, content)
        if isinstance(value, Unknown):
            unknown.append(value)
        else:
            values.append(value)
    return worst(unknown) if unknown else tuple(values)


def worst(reasons: list[Unknown]) -> Unknown:
    """Return drift where any part drifted, else missing."""
    return Unknown.DRIFT if Unknown.DRIFT in reasons else Unknown.MISSING


def columns(shape: Shape) -> Iterator[ColumnRoute]:
    """Yield the columns a shape reads, in order."""
    return (at for at, _ in scalars(shape))


def scalars(shape: Shape) -> Iterator[tuple[ColumnRoute, Codec]]:
    """Yield the columns a shape reads, each with how it holds its value, in order."""
    match shape:
        case Scalar(at, codec):
            yield at, codec
        case Reference(_, _, cells):
            yield from ((cell.at, cell.codec) for cell in cells)
        case Record(_, parts):
            for part in parts:
                yield from scalars(part)


# --- writing -------------------------------------------------------------------------------------------------------


def write(codec: Codec, value: Value) -> Stored:
    """Return what the column holds for a value of the codec's type. Raises `UnwritableError` where it can't."""
    if value is None:
        if not codec.optional:
            raise UnwritableError("nothing is no value of this type")
        return None
    type_ = codec.type
    match codec.encoding:
        case Encoding.CODES:
            name = ("true" if value else "false") if isinstance(type_, BoolType) else value
            return dict(codec.codes)[str(name)]
        case Encoding.SECONDS:
            seconds, rest = divmod(_whole(value), SECOND)
            if rest:
                raise UnwritableError("the column holds whole seconds, and the value has a fraction")
            return seconds
        case Encoding.UNITS | Encoding.MICROS | Encoding.DAYS:
            return _whole(value)
        case Encoding.PLAIN:
            return _written(type_, value)


def _written(type_: Type, value: Value) -> Stored:
    match type_:
        case DecimalType(scale, _, _):
            return decimal_text(_whole(value), scale)
        case DateType():
            return date_text(_whole(value))
        case TimeType():
            return time_text(_whole(value))
        case EnumType(_, values):
            return dict(values)[str(value)]
        case _ if isinstance(value, (bool, int, str)):
            return value
        case _:
            raise UnwritableError(f"a {describe(type_)} doesn't fit one column")


def _whole(value: Value) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a number was promised, found {type(value).__name__}")
    return value
