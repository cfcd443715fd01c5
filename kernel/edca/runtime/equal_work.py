"""Asking the sources as much about what isn't there as about what is.

Whoever proposes something about a case that doesn't exist, or isn't theirs, is told the same. How long that takes must
not tell the two apart either. What takes time is asking the sources: a case that isn't there leads to nothing else to
ask for, so it would be answered sooner. So each entity that a decision might have to ask for is asked for once at
least: where nothing led to it, by a key of no instance, and after as many others as usually lead to it.

Queries likewise, as far as their clauses go: what only the values need is read for nobody whom a clause refuses.

What remains is the time of the clauses themselves: where nothing is there, none is evaluated. That is not evened out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from edca.runtime.ports import Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from edca.kernel.facts import Facts, Key
    from edca.kernel.machine import Evidence, Machine
    from edca.kernel.values import Value
    from edca.runtime.ports import Router


def even_out(
    machine: Machine, router: Router, about: str | None, evidence: Iterable[Evidence], facts: Facts, as_of: int
) -> None:
    """Ask for an instance of each entity of `evidence` that `facts` has none of, and forget what is answered.

    `about` is the case's entity, or the one that a query is about, from which references lead to the others.
    """
    fields: dict[str, set[str]] = {}
    for part in evidence:
        fields.setdefault(part.entity, set()).update(part.fields)
    unasked = sorted(fields.keys() - {entity for entity, _ in facts})
    if not unasked:
        return
    steps = _steps(machine, about, fields)
    for step in sorted({steps.get(entity, 1) for entity in unasked}):
        batch = [entity for entity in unasked if steps.get(entity, 1) == step]
        router.read([Request(one, _no_key(machine, one), tuple(sorted(fields[one]))) for one in batch], as_of)


def _steps(machine: Machine, about: str | None, fields: Mapping[str, set[str]]) -> dict[str, int]:
    """Return after how many references each entity is come to; those that are looked up by a key are left out."""
    new = [] if about is None else [about]
    steps = dict.fromkeys(new, 0)
    while new:
        entity = new.pop(0)
        for field in machine.index.entities[entity].fields:
            if field.name in fields.get(entity, ()):
                found = [one for one in _references(field.type) if one not in steps]
                steps |= dict.fromkeys(found, steps[entity] + 1)
                new += found
    return steps


def _references(type_: Type) -> Iterator[str]:
    match type_:
        case ReferenceType(entity):
            yield entity
        case ListType(_, _, of) | OptionalType(of):
            yield from _references(of)
        case RecordType(_, parts):
            for _, part in parts:
                yield from _references(part)
        case _:
            return


def _no_key(machine: Machine, entity: str) -> Key:
    """Return a key that fits the entity's; if an instance has it, nothing comes of that."""
    return tuple(_some(machine, part.type) for part in machine.index.entities[entity].key)


def _some(machine: Machine, type_: Type) -> Value:
    match type_:
        case IdType() | TextType() | PrincipalType():
            return "-"
        case BoolType():
            return False
        case IntType(low, _, _) | DecimalType(_, low, _, _):
            return low
        case DateType() | TimeType() | DurationType():
            return 0
        case EnumType(_, values):
            return values[0][0]
        case ReferenceType(entity):
            return _no_key(machine, entity)
        case RecordType(_, parts):
            return tuple(_some(machine, part) for _, part in parts)
        case ListType():
            return ()
        case OptionalType():
            return None
