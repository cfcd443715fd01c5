"""What expressions can read at one place of a written spec, sorted by what it can be used as."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from edca.kernel.types import (
    DecimalType,
    EnumType,
    IntType,
    ListType,
    OptionalType,
    PrincipalType,
    RecordType,
    ReferenceType,
    Type,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NUMBERS = (IntType, DecimalType)
Sort: TypeAlias = "tuple[str, ...]"


@dataclass(frozen=True)
class Name:
    """Something that can be read: how it is written, its type, where it comes from, and whether it has no label."""

    text: str
    type: Type
    origin: str
    clean: bool = True


@dataclass(frozen=True)
class Rule:
    """A define or table without labels in it; `origins` are where what it reads may come from."""

    name: str
    parameters: tuple[Type, ...]
    result: Type
    origins: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Thing:
    """An entity: its key and its fields, each with whether it has a label."""

    name: str
    key: tuple[tuple[str, Type], ...]
    fields: tuple[tuple[str, Type, bool], ...]


def scale_of(type_: Type) -> int:
    """Decimal places of a number, also of one that may be absent."""
    plain = type_.of if isinstance(type_, OptionalType) else type_
    return plain.scale if isinstance(plain, DecimalType) else 0


def sort_of(type_: Type) -> Sort:
    """What a value can be used as; ranges and places don't count, units do."""
    match type_:
        case IntType() | DecimalType():
            return ("number", type_.unit)
        case EnumType(name):
            return ("enum", name)
        case PrincipalType(role):
            return ("who", role)
        case ReferenceType(entity):
            return ("thing", entity)
        case RecordType(name):
            return ("record", name)
        case ListType(_, _, of):
            return ("list", str(scale_of(of)), *sort_of(of))
        case OptionalType(of):
            return ("optional", *sort_of(of))
        case _:
            return (type(type_).__name__,)


@dataclass(frozen=True)
class Scope:
    """What expressions can read at one place."""

    names: tuple[Name, ...] = ()
    rules: tuple[Rule, ...] = ()
    things: Mapping[str, Thing] = field(default_factory=dict)
    history: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())  # offered names, and codes that somebody signs
    depth: int = 0  # quantifiers around this place
    by_sort: dict[Sort, list[Name]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Sort the names."""
        for name in self.names:
            self.by_sort.setdefault(sort_of(name.type), []).append(name)

    def of(self, sort: Sort) -> list[Name]:
        """All names of a sort."""
        return self.by_sort.get(sort, [])

    def sorts(self, *first: str) -> list[Sort]:
        """All sorts that begin so, in the order in which they were declared."""
        return [sort for sort in self.by_sort if sort[: len(first)] == first]

    def only(self, *origins: str, clean: bool = False) -> Scope:
        """The scope with names from there only (all, if none is given), without labelled ones if `clean`."""
        names = (n for n in self.names if (not origins or n.origin in origins) and (n.clean or not clean))
        rules = (r for r in self.rules if not origins or r.origins <= set(origins))
        return dataclasses.replace(self, names=tuple(names), rules=tuple(rules))

    def adding(self, names: Iterable[Name]) -> Scope:
        """The scope with more names."""
        return dataclasses.replace(self, names=(*self.names, *names))


def readable(things: Mapping[str, Thing], name: Name, hops: int = 2) -> list[Name]:
    """The name itself and all that it leads to: parts of records, fields of entities."""
    found = [name]
    match name.type:
        case RecordType(_, parts):
            for part, type_ in parts:
                found += readable(things, Name(f"{name.text}.{part}", type_, name.origin, name.clean), hops)
        case ReferenceType(entity) if hops:
            thing = things[entity]
            origin = "fact"
            for part, type_ in thing.key:
                found.append(Name(f"{name.text}.{part}", type_, origin, name.clean))
            for part, type_, labelled in thing.fields:
                found += readable(
                    things, Name(f"{name.text}.{part}", type_, origin, name.clean and not labelled), hops - 1
                )
        case _:
            pass
    return found
