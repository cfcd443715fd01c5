"""What a clause read: the abstract names and values behind a clause that did not pass, for operators and records."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, TypeAlias

from edca.kernel.calendar import time_text
from edca.kernel.evaluate import Closure, Frame, closure_of
from edca.kernel.expression import (
    History,
    Input,
    ReadArgument,
    ReadClaim,
    ReadFact,
    ReadHistory,
    ReadInput,
    ReadLet,
    ReadLocal,
    ReadMemory,
)
from edca.kernel.types import DateType, DecimalType, ListType, OptionalType, PrincipalType, TimeType, Type
from edca.kernel.values import Unknown, to_raw
from edca.kernel.verdict import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.expression import Expression
    from edca.kernel.machine import Machine, Query, Transition

READINGS_MAX = 16
TEXT_MAX = 160
LIST_MAX = 1 << 16  # of people; only the shape of the list counts here


Plan: TypeAlias = "tuple[tuple[str, Type, Closure], ...]"
"""What to read for one condition: names, types, and closures that read the values."""


def readings(
    machine: Machine, transition: Transition | Query, condition: Expression, frame: Frame
) -> tuple[Reading, ...]:
    """Return what the condition read, in written order and without repeats.

    What a quantifier's variable stands for is left out: its list is named instead.
    """
    return read(machine, plan_of(machine, transition, condition), frame)


def plan_of(machine: Machine, transition: Transition | Query, condition: Expression) -> Plan:
    """Return what `readings` reads for that condition."""
    lets = {let.name: let.value for let in transition.lets}
    found: dict[str, tuple[str, Type, Closure]] = {}
    for leaf in _leaves(condition, lets, set()):
        name, type_ = _name_and_type(machine, transition, leaf)
        if name not in found and len(found) < READINGS_MAX:
            found[name] = (name, type_, closure_of(leaf))
    return tuple(found.values())


def read(machine: Machine, plan: Plan, frame: Frame) -> tuple[Reading, ...]:
    """Return the readings of a plan."""
    return tuple(Reading(name, value_text(machine, type_, closure(frame))) for name, type_, closure in plan)


def _leaves(expression: Expression, lets: dict[str, Expression], entered: set[str]) -> Iterator[Expression]:
    """Yield every read; each let is entered once, since lets that use lets would else be walked over and over."""
    match expression:
        case ReadLet(name):
            if name not in entered:
                entered.add(name)
                yield from _leaves(lets[name], lets, entered)
        case ReadArgument() | ReadMemory() | ReadClaim() | ReadHistory():
            yield expression
        case ReadInput(input_):
            if input_ is not Input.CASE:
                yield expression
        case ReadFact(base):
            if _is_closed(base):
                yield expression
            else:
                yield from _leaves(base, lets, entered)
        case _:
            for part in _parts(expression):
                yield from _leaves(part, lets, entered)


def nodes(expression: Expression) -> Iterator[Expression]:
    """Yield the expression and every part of it."""
    yield expression
    for part in _parts(expression):
        yield from nodes(part)


def _parts(expression: Expression) -> Iterator[Expression]:
    for field in dataclasses.fields(expression):
        value = getattr(expression, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            if dataclasses.is_dataclass(item):
                yield item  # type: ignore[misc]  # every dataclass inside an expression is one


def _is_closed(expression: Expression) -> bool:
    """Tell whether the expression is a plain path: no variable of a fold and no computed key inside."""
    match expression:
        case ReadLocal():
            return False
        case ReadInput() | ReadArgument():
            return True
        case ReadFact(base):
            return _is_closed(base)
        case _:
            return False


def _name_and_type(machine: Machine, transition: Transition | Query, leaf: Expression) -> tuple[str, Type]:
    match leaf:
        case ReadArgument(name):
            return name, next(p.type for p in transition.parameters if p.name == name)
        case ReadMemory(name):
            return name, machine.index.memory[name].type
        case ReadClaim(name):
            return name, machine.index.claims[name].type
        case ReadHistory(History.PROPOSER, name):
            return f"proposer of {name}", PrincipalType("")
        case ReadHistory(History.SIGNERS, name):
            return f"signers of {name}", ListType(0, LIST_MAX, PrincipalType(""))
        case ReadInput(Input.NOW):
            return "now", TimeType()
        case ReadInput(Input.CONFIDENCE):
            return "confidence", DecimalType(4, 0, 10_000)
        case ReadInput(input_):
            return input_.value, PrincipalType("")
        case ReadFact(base, entity, field):
            type_ = machine.index.entities[entity].field(field).type
            prefix = _name_and_type(machine, transition, base)[0] if isinstance(base, ReadFact) else entity
            return f"{prefix}.{field}", type_
        case _:
            return "value", DateType()


def value_text(machine: Machine, type_: Type, value: object) -> str:
    """Return a value, or why it is unknown, as people read it; long ones are cut."""
    if isinstance(value, Unknown):
        return f"unknown ({value.value})"
    if value is None:
        return "absent"
    if isinstance(type_.of if isinstance(type_, OptionalType) else type_, TimeType) and isinstance(value, int):
        return time_text(value)
    raw = to_raw(type_, value, machine.index.entities)  # type: ignore[arg-type]  # a value of that type
    text = raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…"
