"""Values to try: a first one of every type, and what a value could be changed to.

Everything comes in one fixed order, from the types and from what the clause itself computes, so that two runs try the
same things.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, assert_never

from edca.kernel.calendar import DAY, SECOND
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
from edca.kernel.values import Value, in_bounds
from edca.semantic.scenario_world import DEFAULT_NOW

if TYPE_CHECKING:
    from edca.kernel.machine import Entity

_INSTANT_MIN = 10**14  # above, a number of microseconds is an instant of our days; below, it is a duration
_LENGTH_MAX = 30  # longer lists would show nothing that these don't
_ELEMENTS_MAX = 3  # of a list, how many elements are changed in turn
_NUMBERS_MAX = 60


@dataclass(frozen=True, slots=True)
class Pool:
    """What a clause computes with: its numbers, by how much the sides of its comparisons differ, and its texts."""

    numbers: tuple[int, ...]
    gaps: tuple[int, ...]
    texts: tuple[str, ...]


def first_of(type_: Type, name: str, entities: Mapping[str, Entity]) -> Value:
    """Return an ordinary value. Equal names give equal ids, so that what should refer to each other does."""
    match type_:
        case BoolType():
            return False
        case IntType(low, high):
            return min(max(1, low), high)
        case DecimalType(scale, low, high):
            return min(max(100 * int(10**scale), low), high)
        case TextType(length_max):
            return "some text"[:length_max]
        case IdType():
            return f"{name.removesuffix('_id')}-1"
        case DateType():
            return DEFAULT_NOW // DAY
        case TimeType():
            return DEFAULT_NOW
        case DurationType():
            return DAY
        case EnumType(_, values):
            return values[0][0]
        case PrincipalType(role):
            return f"{role or 'somebody'}-1"
        case ReferenceType(entity):
            return tuple(first_of(part.type, part.name, entities) for part in entities[entity].key)
        case RecordType(_, parts):
            return tuple(first_of(part, part_name, entities) for part_name, part in parts)
        case ListType(low, high, of):
            return (first_of(of, name, entities),) * min(max(1, low), high)
        case OptionalType(of):
            return first_of(of, name, entities)
        case _:
            assert_never(type_)


def changes(type_: Type, value: Value, pool: Pool, entities: Mapping[str, Entity]) -> Iterator[Value]:
    """Yield other values of the type, the likeliest to matter first."""
    tried = {value}
    for other in _changes(type_, value, pool, entities):
        if other not in tried and in_bounds(type_, other):
            tried.add(other)
            yield other


def _changes(type_: Type, value: Value, pool: Pool, entities: Mapping[str, Entity]) -> Iterator[Value]:
    match type_, value:
        case BoolType(), _:
            yield not value
        case EnumType(_, values), _:
            yield from (name for name, _ in values)
        case ((IntType(low, high) | DecimalType(_, low, high)), int()):
            yield from _numbers(value, pool)
            yield from (low, high)
        case DateType(), int():
            yield from _numbers(value, pool)
        case ((TimeType() | DurationType()), int()):
            yield from _instants(value, pool)
        case TextType(), _:
            yield ""
            yield from pool.texts
            yield "another text"
        case ((IdType() | PrincipalType()), _):
            yield "another" if isinstance(type_, IdType) else "somebody else"
            yield from (text for text in pool.texts if text)
        case OptionalType(of), _ if value is not None:
            yield from _changes(of, value, pool, entities)
        case ReferenceType(entity), tuple():
            types = [part.type for part in entities[entity].key]
            yield from _parts(types, value, pool, entities)
        case RecordType(_, parts), tuple():
            yield from _parts([part for _, part in parts], value, pool, entities)
        case ListType(low, high, of), tuple():
            yield from _lists(low, high, of, value, pool, entities)
        case _:
            return


def _numbers(value: int, pool: Pool) -> Iterator[int]:
    near = [value + sign * gap + step for gap in pool.gaps for sign in (1, -1) for step in (0, 1, -1)]
    far = [number + step for number in pool.numbers for step in (1, -1, 0)]
    yield from islice((*near, *far), _NUMBERS_MAX)


def _instants(value: int, pool: Pool) -> Iterator[int]:
    """Yield instants a duration apart from those around, and just beyond."""
    durations = [abs(number) for number in (*pool.numbers, *pool.gaps) if SECOND <= abs(number) < _INSTANT_MIN]
    # Around another instant first: that is where the rule turns.
    instants = [*(number for number in pool.numbers if number >= _INSTANT_MIN and number != value), value]
    for duration in durations:
        for instant in instants:
            for step in (SECOND, 0):
                yield instant - duration - step
                yield instant + duration + step
    yield from instants
    yield from (instant + step for instant in instants for step in (-SECOND, SECOND))
    yield from (duration + step for duration in durations for step in (SECOND, 0, -SECOND))


def _parts(
    types: Iterable[Type], values: tuple[Value, ...], pool: Pool, entities: Mapping[str, Entity]
) -> Iterator[Value]:
    for place, type_ in enumerate(types):
        for other in changes(type_, values[place], pool, entities):
            yield (*values[:place], other, *values[place + 1 :])


def _lists(
    low: int, high: int, of: Type, values: tuple[Value, ...], pool: Pool, entities: Mapping[str, Entity]
) -> Iterator[Value]:
    for place in range(min(len(values), _ELEMENTS_MAX)):
        for other in changes(of, values[place], pool, entities):
            yield (*values[:place], other, *values[place + 1 :])
    lengths = [len(values) - 1, len(values) + 1, *(number + step for number in pool.numbers for step in (0, 1)), 0]
    for length in dict.fromkeys(lengths):
        if max(low, 0) <= length <= min(high, _LENGTH_MAX):
            sample = values[-1] if values else first_of(of, "item", entities)
            more = range(len(values) + 1, length + 1)
            if not isinstance(of, ReferenceType):
                yield (*values[:length], *(sample for _ in more))
            yield (*values[:length], *(_varied(of, sample, number, entities) for number in more))


def _varied(type_: Type, value: Value, number: int, entities: Mapping[str, Entity]) -> Value:
    """Return a value like this one for the `number`th place of a list: its ids differ from those before."""
    match type_, value:
        case IdType(), str():
            return f"{value.rpartition('-')[0] or value}-{number}"
        case ReferenceType(entity), tuple():
            # The last part tells the instances of one owner apart.
            *owner, last = value
            return (*owner, _varied(entities[entity].key[-1].type, last, number, entities))
        case RecordType(_, parts), tuple():
            pairs = zip(parts, value, strict=True)
            return tuple(_varied(part, item, number, entities) for (_, part), item in pairs)
        case _:
            return value
