"""What of a machine's version stands in the next one just as it was: that, and only that, a map need not name."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from edca.kernel.expression import History, ReadHistory, ReadLet
from edca.kernel.migration import LimitName
from edca.kernel.movement import ASKING
from edca.kernel.types import DecimalType, EnumType, IntType, ListType, OptionalType, RecordType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.machine import Limit, Machine
    from edca.kernel.types import Type


def timers(machine: Machine, state: str) -> tuple[tuple[str, int], ...]:
    """Return what becomes possible in a state with time alone: offered names and microseconds, sorted."""
    found = {(t.offered, t.after_us) for t in machine.transitions if state in t.sources and t.after_us is not None}
    return tuple(sorted(found))


def is_state_kept(old: Machine, new: Machine, name: str) -> bool:
    """Tell whether a state means the same in both versions, and time in it brings about the same."""
    return old.index.states[name] == new.index.states.get(name) and timers(old, name) == timers(new, name)


def is_field_kept(old: Machine, new: Machine, name: str) -> bool:
    """Tell whether a field of memory holds the same in both versions; what a new case begins with is of no matter."""
    before, after = old.index.memory.get(name), new.index.memory.get(name)
    return before is not None and after is not None and (before.type, before.labels) == (after.type, after.labels)


def limits(machine: Machine) -> dict[LimitName, Limit]:
    """Return the limits of a machine by name; branches of one name count together, and measure each for itself."""
    found: dict[LimitName, Limit] = {}
    for transition in machine.transitions:
        for clause in transition.clauses:
            if clause.limit is not None:
                found.setdefault(LimitName(transition.offered, clause.code), clause.limit)
    return found


def is_limit_kept(old: Machine, new: Machine, name: LimitName) -> bool:
    """Tell whether a limit counts the same in both versions, for the same; its bound and its window may differ."""
    return _counted(old, name) == _counted(new, name)


def can_count_for(source: Limit, limit: Limit) -> bool:
    """Tell whether what `source` has counted can count for `limit`: it counts in the same unit, for the same keys."""
    return _unit(source) == _unit(limit) and source.key_types == limit.key_types


def _unit(limit: Limit) -> str:
    """Return what a limit's numbers are in; their range follows from its bound, and doesn't matter here."""
    return limit.type.unit if isinstance(limit.type, IntType | DecimalType) else ""


def _counted(machine: Machine, name: LimitName) -> list[object]:
    found: list[object] = []
    for branch in machine.index.offered.get(name.transition, ()):
        for clause in branch.clauses:
            if clause.code == name.code and clause.limit is not None:
                limit = clause.limit
                counted = (clause.condition, limit.measure, limit.keys)
                reads_let = any(isinstance(node, ReadLet) for node in _parts(counted))
                found.append((counted, limit.key_types, _unit(limit), branch.lets if reads_let else ()))
    return found


def known_history(machine: Machine, history: History) -> frozenset[str]:
    """Return the names by which a machine's cases remember who acted."""
    if history is History.PROPOSER:
        return frozenset(machine.index.offered)
    clauses = (clause for transition in machine.transitions for clause in transition.clauses)
    return frozenset(clause.code for clause in clauses if clause.kind in ASKING)


def read_history(machine: Machine) -> frozenset[tuple[History, str]]:
    """Return whose acts any expression of a machine reads."""
    return frozenset((node.history, node.name) for node in _parts(machine) if isinstance(node, ReadHistory))


def changed_keys(old: Machine, new: Machine) -> tuple[str, ...]:
    """Return the entities of the old version that are found otherwise in the new one, or not at all, by name.

    Cases about them, and what memory says of them, would not be found again.
    """
    after = {entity.name: entity.key for entity in new.entities}
    return tuple(entity.name for entity in old.entities if after.get(entity.name) != entity.key)


def entities_used(machine: Machine) -> frozenset[str]:
    """Return the entities that cases are about, or that memory refers to."""
    about = {transition.about for transition in machine.transitions} | set(machine.index.initial)
    held = {getattr(part, "entity", None) for slot in machine.memory for part in _parts(slot.type)}
    return frozenset(about | {name for name in held if isinstance(name, str)})


def enums(machine: Machine) -> dict[str, EnumType]:
    """Return the named enums that a machine uses."""
    return {part.name: part for part in _parts(machine) if isinstance(part, EnumType) and part.name}


def seen_as(type_: Type, grown: dict[str, EnumType]) -> Type:
    """Return an old type with each enum that the new version has only added values to as that version has it."""
    match type_:
        case EnumType(name, values):
            other = grown.get(name)
            return other if other is not None and set(values) <= set(other.values) else type_
        case OptionalType(of):
            return OptionalType(seen_as(of, grown))
        case ListType(low, high, of):
            return ListType(low, high, seen_as(of, grown))
        case RecordType(name, parts):
            return RecordType(name, tuple((part, seen_as(of, grown)) for part, of in parts))
        case _:
            return type_


def _parts(value: Any) -> Iterator[Any]:
    """Yield every dataclass in a machine's declarations, in one order."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, tuple):
            pending += reversed(one)
        elif dataclasses.is_dataclass(one) and not isinstance(one, type):
            yield one
            pending += reversed([getattr(one, item.name) for item in dataclasses.fields(one) if item.init])
