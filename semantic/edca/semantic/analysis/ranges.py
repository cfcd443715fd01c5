"""What is known of a value before it is there: the set it lies in, and why it might be unknown.

Sets are too large rather than too small: whatever really occurs lies in them. Numbers, days, instants and durations lie
between bounds, in units of their type; truth values and enum values are listed; lists and records are looked into only
when something is read from them, since a type may be much larger written out than it is written.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    EnumType,
    IntType,
    ListType,
    OptionalType,
    RecordType,
    TimeType,
    Type,
)
from edca.kernel.values import DATE_MAX, DATE_MIN, TIME_MAX, TIME_MIN

if TYPE_CHECKING:
    from collections.abc import Iterable


class Doubt(enum.Enum):
    """Why a value may be unknown."""

    FACT = "fact"  # the source may not give it
    CLAIM = "claim"  # nobody may have attested it
    INPUT = "input"  # the subject or the confidence may not be stated
    HISTORY = "history"  # what it asks about may not have happened yet
    GAP = "gap"  # it may be absent, or an element of an empty list


@dataclass(frozen=True, slots=True)
class Among:
    """One of these: truth values, enum values, texts or ids. None at all: no value is possible."""

    values: frozenset[bool | str]


@dataclass(frozen=True, slots=True)
class Between:
    """A whole number of units from `low` to `high`, both included; null: without that bound."""

    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """Any value of a type, held to that type by whoever gives it."""

    type: Type


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """A list of `low` to `high` elements (null: without that bound); `parts` where each of them is known."""

    low: int
    high: int | None
    of: Possible
    parts: tuple[Possible, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """A record, or the key of an instance, from its parts."""

    parts: tuple[Possible, ...]


@dataclass(frozen=True, slots=True)
class Anything:
    """Nothing is known of it."""


Values: TypeAlias = Among | Between | Given | Items | Parts | Anything


@dataclass(frozen=True, slots=True)
class Possible:
    """What an expression can yield: these values, absence, or an unknown for one of these reasons."""

    values: Values
    doubts: frozenset[Doubt] = frozenset()
    absent: bool = False

    def known(self) -> Possible:
        """Return the same where a value is needed: absence is an unknown there."""
        return Possible(self.values, self.doubts | {Doubt.GAP}) if self.absent else self

    def doubted(self, *doubts: frozenset[Doubt]) -> Possible:
        """Return the same with more reasons to be unknown."""
        return Possible(self.values, self.doubts.union(*doubts), self.absent)


SURE: frozenset[Doubt] = frozenset()
# A condition that fails only where these are missing asks for them, which is a use of its own.
ASKED_FOR = frozenset((Doubt.CLAIM, Doubt.INPUT, Doubt.HISTORY))
NOTHING = Among(frozenset())
BOTH = Among(frozenset((True, False)))
ANY_NUMBER = Between(None, None)
ANYTHING = Anything()
NUMBERS = (IntType, DecimalType, DateType, TimeType, DurationType)


def given(type_: Type) -> Possible:
    """Return what a value can be that is held to its type: an argument, a fact, a claim."""
    match type_:
        case OptionalType(of):
            return Possible(given(of).values, SURE, True)
        case BoolType():
            return Possible(BOTH)
        case EnumType(_, values):
            return Possible(Among(frozenset(name for name, _ in values)))
        case IntType(low, high) | DecimalType(_, low, high):
            return Possible(Between(low, high))
        case DateType():
            return Possible(Between(DATE_MIN, DATE_MAX))
        case TimeType():
            return Possible(Between(TIME_MIN, TIME_MAX))
        case DurationType():
            return Possible(ANY_NUMBER)
        case ListType() | RecordType():
            return Possible(Given(type_))
        case _:
            return Possible(ANYTHING)


def loose(type_: Type) -> Possible:
    """Return what a value of the type can be where nothing holds it to the type's bounds."""
    match type_:
        case OptionalType(of):
            return Possible(loose(of).values, SURE, True)
        case BoolType() | EnumType():
            return given(type_)
        case _:
            return Possible(ANY_NUMBER if isinstance(type_, NUMBERS) else ANYTHING)


def items(values: Values, type_: Type) -> Items:
    """Return a list as its length and elements."""
    if isinstance(values, Items):
        return values
    if isinstance(values, Given) and isinstance(values.type, ListType):
        return Items(values.type.low, values.type.high, given(values.type.of))
    if values == NOTHING:
        return Items(0, 0, Possible(NOTHING))
    return Items(0, None, loose(type_.of) if isinstance(type_, ListType) else Possible(ANYTHING))


def part(values: Values, index: int, type_: Type) -> Possible:
    """Return one part of a record, which is of `type_`."""
    if isinstance(values, Parts):
        return values.parts[index]
    if isinstance(values, Given) and isinstance(values.type, RecordType):
        return given(values.type.parts[index][1])
    return Possible(NOTHING) if values == NOTHING else loose(type_)


def truths(values: Values) -> frozenset[bool | str]:
    """Return the truth values among the values of a condition."""
    return values.values if isinstance(values, Among) else BOTH.values


def join(possibles: Iterable[Possible]) -> Possible:
    """Return what one of them, whichever it is, can yield."""
    values: Values = NOTHING
    doubts, absent = SURE, False
    for one in possibles:
        values, doubts, absent = union(values, one.values), doubts | one.doubts, absent or one.absent
    return Possible(values, doubts, absent)


def union(a: Values, b: Values) -> Values:
    """Return a set that holds both."""
    if a is b or b == NOTHING:
        return a
    match a, b:
        case Among(), Among():
            return Among(a.values | b.values)
        case Between(), Between():
            low = None if a.low is None or b.low is None else min(a.low, b.low)
            high = None if a.high is None or b.high is None else max(a.high, b.high)
            return Between(low, high)
        case _:
            return b if a == NOTHING else ANYTHING


def meet(a: Values, b: Values) -> Values:
    """Return a set that holds what is in both."""
    match a, b:
        case Among(), Among():
            return Among(a.values & b.values)
        case Between(), Between():
            low = a.low if b.low is None else b.low if a.low is None else max(a.low, b.low)
            high = a.high if b.high is None else b.high if a.high is None else min(a.high, b.high)
            return NOTHING if low is not None and high is not None and low > high else Between(low, high)
        case Anything(), _:
            return b
        case _:
            return NOTHING if NOTHING in (a, b) else a


def without(a: Values, b: Values) -> Values:
    """Return a set that holds what is in `a` and isn't the one value in `b`, if `b` is one value."""
    match a, b:
        case Among(), Among() if len(b.values) == 1:
            return Among(a.values - b.values)
        case Between(low, high), Between(only, same) if only is not None and only == same:
            low = only + 1 if low == only else low
            high = only - 1 if high == only else high
            return NOTHING if low is not None and high is not None and low > high else Between(low, high)
        case _:
            return a


def scaled(values: Values, factor: int) -> Values:
    """Return the same numbers in units `factor` times smaller."""
    match values:
        case Between(low, high):
            return Between(None if low is None else low * factor, None if high is None else high * factor)
        case _:
            return values


def unscaled(values: Values, factor: int) -> Values:
    """Return the whole numbers of units `factor` times larger that lie in the set."""
    match values:
        case Between(low, high):
            least = None if low is None else -(-low // factor)
            most = None if high is None else high // factor
            return NOTHING if least is not None and most is not None and least > most else Between(least, most)
        case _:
            return values
