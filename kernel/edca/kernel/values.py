"""Values: what they are in memory, and their raw form in candidates, facts and records.

In memory a value is a `bool`, `int`, `str`, tuple or `None` (absent); its meaning comes from its type. The *raw* form
is what stands in JSON and in canonical bytes: decimals as digits (`"20.00"`), dates as `"2024-05-20"`, times as RFC
3339 text or integer microseconds, enum values by their wire value, records as maps, lists as lists, references as the
list of key values. `from_raw` accepts nothing loosely; `to_raw` gives one form only, so that `to_raw(from_raw(x))` is
canonical.

An *unknown* value is not a value: it is one of the reasons in `Unknown`, and every operation on it is unknown.
"""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING, TypeAlias, assert_never

from edca.kernel.calendar import DAY, date_text, parse_date, parse_time
from edca.kernel.canonical import Data
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
    decimal_text,
    describe,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.machine import Entity

Value: TypeAlias = "bool | int | str | tuple[Value, ...] | None"
Raw: TypeAlias = Data  # what canonical bytes can hold; the raw form uses no bytes

ID_LENGTH_MAX = 128
DIGITS_MAX = 40
TIME_MIN = -62_167_219_200_000_000  # 0000-01-01T00:00:00Z, the first instant RFC 3339 can write
TIME_MAX = 253_402_300_799_999_999  # 9999-12-31T23:59:59.999999Z, the last
DATE_MIN, DATE_MAX = TIME_MIN // DAY, TIME_MAX // DAY
_SURROGATE = re.compile("[\ud800-\udfff]")  # has no UTF-8, so no canonical bytes
DECIMAL_TAG = "#"  # {"#": "5.5"} is a JSON number that is not whole; see `semantic.candidate`


class Unknown(enum.Enum):
    """Why a value is not known. It can't be compared or tested; guards fail on it."""

    MISSING = "fact_missing"  # no such instance, nothing for a field that can't be absent, or it hasn't happened yet
    STALE = "fact_stale"  # older than the case allows, or from the future
    DRIFT = "schema_drift"  # the source answered something its declared type does not allow
    UNATTESTED = "claim_unattested"  # a claim nobody has attested
    ABSENT = "value_absent"  # an optional's absence was used where a value is needed
    UNSTATED = "input_unstated"  # no confidence was given, or no subject
    EMPTY = "list_empty"  # first, last, min or max of nothing
    UNCOUNTED = "counter_missing"  # nobody has said how much a limit has counted so far
    ERASED = "input_erased"  # what is personal of its case was erased: it isn't taken from a source again


class ValueProblem(Exception):
    """A raw form that is not of its type; `path` leads to the part, `problem` says what was found and expected."""

    def __init__(self, problem: str, path: str = "") -> None:
        """Keep what is wrong and where."""
        super().__init__(problem)
        self.problem = problem
        self.path = path

    def under(self, step: str) -> ValueProblem:
        """Return the same problem one level further out."""
        return ValueProblem(self.problem, f"{step}{self.path}")


def _wrong(type_: Type, raw: object) -> ValueProblem:
    kind = {
        bool: "a truth value",
        int: "a whole number",
        str: "text",
        list: "a list",
        tuple: "a list",
        dict: "an object",
        type(None): "nothing",
    }.get(type(raw), "something else")
    if isinstance(raw, dict) and set(raw) == {DECIMAL_TAG}:
        kind = "a fraction"
    return ValueProblem(f"expected {describe(type_)}, found {kind}")


def parse_decimal(digits: str, scale: int) -> int | None:
    """Return `digits` in units of 10^-scale; null where they aren't a plain decimal or `scale` places can't hold it."""
    sign = -1 if digits.startswith("-") else 1
    whole, point, fraction = digits.removeprefix("-").partition(".")
    if len(digits) > DIGITS_MAX or not (whole.isascii() and whole.isdigit()):
        return None
    if point and not (fraction.isascii() and fraction.isdigit()):
        return None
    if fraction[scale:].strip("0"):
        return None
    return sign * int(whole + fraction[:scale].ljust(scale, "0"))


def from_raw(type_: Type, raw: object, entities: Mapping[str, Entity]) -> Value:
    """Return the value that `raw` stands for. Raises `ValueProblem` for anything that is not exactly of the type."""
    match type_:
        case BoolType():
            if isinstance(raw, bool):
                return raw
        case IntType(low, high):
            number = _decimal_units(raw, 0) if isinstance(raw, (int, dict)) else None
            if number is not None:  # as in JSON Schema, 1.0 is a whole number
                return _bounded(type_, number, low, high)
        case DecimalType(scale, low, high):
            units = _decimal_units(raw, scale)
            if units is not None:
                return _bounded(type_, units, low, high)
        case TextType(length_max):
            if isinstance(raw, str):
                if len(raw) > length_max:
                    raise ValueProblem(f"expected at most {length_max} characters, found {len(raw)}")
                if _SURROGATE.search(raw) is not None:
                    raise ValueProblem("expected Unicode text, found a lone surrogate")
                return raw
        case IdType() | PrincipalType():
            if isinstance(raw, str):
                return _identifier(raw)
        case DateType():
            days = parse_date(raw) if isinstance(raw, str) else None
            if days is not None:
                return days
        case TimeType():
            instant = parse_time(raw) if isinstance(raw, str) else raw
            if isinstance(instant, int) and not isinstance(instant, bool):
                return _bounded(type_, instant, TIME_MIN, TIME_MAX)
        case DurationType():
            if isinstance(raw, int) and not isinstance(raw, bool):
                return _bounded(type_, raw, -TIME_MAX, TIME_MAX)
        case EnumType(_, values):
            for name, wire in values:
                if raw == wire and isinstance(raw, str):
                    return name
            if isinstance(raw, str):
                raise ValueProblem(f"expected one of {', '.join(wire for _, wire in values)}")
        case ReferenceType(entity):
            return _reference(entities[entity], raw, entities)
        case RecordType(_, parts):
            if isinstance(raw, dict) and set(raw) != {DECIMAL_TAG}:
                return _record(parts, raw, entities)
        case ListType(low, high, of):
            if isinstance(raw, (list, tuple)):
                return _list(low, high, of, raw, entities)
        case OptionalType(of):
            return None if raw is None else from_raw(of, raw, entities)
        case _:
            assert_never(type_)
    raise _wrong(type_, raw)


def _bounded(type_: Type, number: int, low: int, high: int) -> int:
    if not low <= number <= high:
        raise ValueProblem(f"expected {describe(type_)}, found a number outside that range")
    return number


def _decimal_units(raw: object, scale: int) -> int | None:
    match raw:
        case bool():
            return None
        case int():
            return raw * int(10**scale)
        case str():
            return parse_decimal(raw, scale)
        case {"#": str() as digits} if raw == {DECIMAL_TAG: digits}:
            return parse_decimal(str(digits), scale)
        case _:
            return None


def _identifier(raw: str) -> str:
    if not 1 <= len(raw) <= ID_LENGTH_MAX or not raw.isprintable():
        raise ValueProblem(f"expected an id of 1 to {ID_LENGTH_MAX} printable characters")
    return raw


def _reference(entity: Entity, raw: object, entities: Mapping[str, Entity]) -> Value:
    if not isinstance(raw, (list, tuple)) or len(raw) != len(entity.key):
        raise ValueProblem(f"expected the key of {entity.name} as a list of {len(entity.key)}")
    return tuple(from_raw(part.type, item, entities) for part, item in zip(entity.key, raw, strict=True))


def _record(parts: tuple[tuple[str, Type], ...], raw: dict[str, object], entities: Mapping[str, Entity]) -> Value:
    surplus = sorted(set(raw) - {name for name, _ in parts})
    if surplus:
        raise ValueProblem("unexpected part", f".{surplus[0]}")
    values: list[Value] = []
    for name, type_ in parts:
        if name not in raw and not isinstance(type_, OptionalType):
            raise ValueProblem("missing", f".{name}")
        try:
            values.append(from_raw(type_, raw.get(name), entities))
        except ValueProblem as problem:
            raise problem.under(f".{name}") from None
    return tuple(values)


def _list(
    low: int, high: int, of: Type, raw: list[object] | tuple[object, ...], entities: Mapping[str, Entity]
) -> Value:
    if not low <= len(raw) <= high:
        raise ValueProblem(f"expected a list of {low} to {high} items, found {len(raw)}")
    values: list[Value] = []
    for index, item in enumerate(raw):
        try:
            values.append(from_raw(of, item, entities))
        except ValueProblem as problem:
            raise problem.under(f"[{index}]") from None
    return tuple(values)


def to_raw(type_: Type, value: Value, entities: Mapping[str, Entity]) -> Raw:
    """Return the one canonical raw form of a value of `type_`."""
    match type_:
        case BoolType() | IntType() | TextType() | IdType() | PrincipalType() | TimeType() | DurationType():
            return value  # the in-memory and the raw form are the same scalar
        case DecimalType(scale, _, _):
            return decimal_text(_int(value), scale)
        case DateType():
            return date_text(_int(value))
        case EnumType(_, values):
            return dict(values)[str(value)]
        case ReferenceType(entity):
            key = entities[entity].key
            return [to_raw(part.type, item, entities) for part, item in zip(key, _tuple(value), strict=True)]
        case RecordType(_, parts):
            pairs = zip(parts, _tuple(value), strict=True)
            return {name: to_raw(part, item, entities) for (name, part), item in pairs}
        case ListType(_, _, of):
            return [to_raw(of, item, entities) for item in _tuple(value)]
        case OptionalType(of):
            return None if value is None else to_raw(of, value, entities)
        case _:
            assert_never(type_)


def _int(value: Value) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a number was promised, found {type(value).__name__}")
    return value


def _tuple(value: Value) -> tuple[Value, ...]:
    if not isinstance(value, tuple):
        raise TypeError(f"a tuple was promised, found {type(value).__name__}")
    return value


def in_bounds(type_: Type, value: Value) -> bool:
    """Tell whether a computed value lies within the bounds of the type it is to be kept as."""
    match type_:
        case IntType(low, high) | DecimalType(_, low, high):
            return isinstance(value, int) and low <= value <= high
        case TextType(length_max):
            return isinstance(value, str) and len(value) <= length_max
        case DateType():
            return isinstance(value, int) and DATE_MIN <= value <= DATE_MAX
        case TimeType():
            return isinstance(value, int) and TIME_MIN <= value <= TIME_MAX
        case DurationType():
            return isinstance(value, int) and -TIME_MAX <= value <= TIME_MAX
        case ListType(low, high, of):
            return isinstance(value, tuple) and low <= len(value) <= high and all(in_bounds(of, v) for v in value)
        case RecordType(_, parts):
            return isinstance(value, tuple) and all(in_bounds(t, v) for (_, t), v in zip(parts, value, strict=True))
        case OptionalType(of):
            return value is None or in_bounds(of, value)
        case _:
            return value is not None
