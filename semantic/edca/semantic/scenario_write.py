"""Writing a scenario: a world and what comes of it, as the text that `scenario_read` reads back."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING

from edca.kernel.calendar import date_text, duration_text, time_text
from edca.kernel.candidate import CONFIDENCE_SCALE
from edca.kernel.inputs import NORMAL
from edca.kernel.inquiry import Returned
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
)
from edca.kernel.values import Unknown, Value, from_raw
from edca.kernel.verdict import PROPERTY_VIOLATED, Accepted, Escalated, Refused, Result, Stage
from edca.semantic.scenario_givens import counter_type
from edca.semantic.scenario_play import Looked
from edca.semantic.scenario_world import DEFAULT_NOW, World, clauses_by_code, holder, parameters_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edca.kernel.machine import Entity, Machine
    from edca.semantic.scenario_play import Decision

WIDTH = 120
OUTCOMES = {Accepted: "accepted", Refused: "refused", Escalated: "escalated", Returned: "returned"}
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"})
_SECOND = 1_000_000


class UnwritableError(Exception):
    """A value that the language has no words for: an absent one, a fraction of a second, an unprintable character."""


def value_text(type_: Type, value: Value | Unknown, entities: Mapping[str, Entity]) -> str:
    """Return a value as a scenario writes it. Raises `UnwritableError`."""
    match type_, value:
        case BoolType(), bool():
            return "true" if value else "false"
        case IntType(), int():
            return str(value)
        case DecimalType(scale, _, _), int():
            return decimal_text(value, scale)
        case ((TextType() | IdType() | PrincipalType()), str()):
            return quoted(value)
        case DateType(), int():
            return date_text(value)
        case TimeType(), int():
            return time_text(value)
        case DurationType(), int() if value >= 0 and value % _SECOND == 0:
            return duration_text(value)
        case EnumType(), str():
            return value
        case OptionalType(of), _ if value is not None:
            return value_text(of, value, entities)
        case ReferenceType(entity), tuple():
            return _applied(entity, [part.type for part in entities[entity].key], value, entities)
        case RecordType(name, parts), tuple():
            return _applied(name, [part for _, part in parts], value, entities)
        case ListType(_, _, of), tuple():
            return f"[{', '.join(value_text(of, item, entities) for item in value)}]"
        case _:
            raise UnwritableError


def quoted(text: str) -> str:
    """Return a text literal. Raises `UnwritableError` for what no escape can write."""
    written = text.translate(_ESCAPES)
    if not written.isprintable():
        raise UnwritableError
    return f'"{written}"'


def _applied(name: str, types: Sequence[Type], values: Sequence[Value], entities: Mapping[str, Entity]) -> str:
    written = ", ".join(value_text(type_, value, entities) for type_, value in zip(types, values, strict=True))
    return f"{name}({written})"


def scenario_text(machine: Machine, title: str, comment: str, made: Decision | Looked, more: Sequence[str] = ()) -> str:
    """Return a scenario that says what comes of a world: all failed clauses, or what was reached or returned.

    `more` are the lines of further steps. Raises `UnwritableError` where something in it can't be written.
    """
    world = made.world
    lines = [f"scenario {quoted(title)} {{"]
    if comment:
        lines.append(f"  # {comment}")
    lines += givens(machine, world)
    entities = machine.index.entities
    arguments = [
        f"{parameter.name}: {value_text(parameter.type, world.arguments[parameter.name], entities)}"
        for parameter in parameters_of(machine, world.transition)
        if parameter.name in world.arguments
    ]
    confidence = "" if world.confidence is None else f" confidence {_confidence(world.confidence)}"
    who = world.role if world.principal == holder(world.role) else f"{world.role} {quoted(world.principal)}"
    verb = "asks" if isinstance(made, Looked) else "proposes"
    lines.append(f"  when {who} {verb} {world.transition}({', '.join(arguments)}){confidence}")
    lines.append(_then(machine, made))
    return "\n".join([*lines, *more, "}"]) + "\n"


def _confidence(units: int) -> str:
    digits = decimal_text(units, CONFIDENCE_SCALE).rstrip("0")
    return digits + "0" if digits.endswith(".") else digits


def givens(machine: Machine, world: World) -> Iterator[str]:
    """Yield the lines of the givens. Raises `UnwritableError`."""
    index = machine.index
    entities = index.entities
    if world.mode != NORMAL:
        yield f"  given mode = {world.mode}"
    if world.state is not None:
        yield f"  given {world.state}"
    if world.now != DEFAULT_NOW:
        yield f"  given now = {time_text(world.now)}"
    if world.entered is not None:
        yield f"  given entered = {time_text(world.entered)}"
    if world.subject is not None:
        yield f"  given subject = {quoted(world.subject)}"
    for name in sorted(world.memory):
        yield f"  given {name} = {value_text(index.memory[name].type, world.memory[name], entities)}"
    for name in sorted(world.claims):
        yield f"  given {name} = {value_text(index.claims[name].type, world.claims[name], entities)}"
    for name in sorted(world.proposers):
        yield f"  given proposer of {name} = {quoted(world.proposers[name])}"
    for code in sorted(world.signers):
        yield f"  given signers of {code} = [{', '.join(map(quoted, world.signers[code]))}]"
    for code in sorted(world.answers):
        yield f"  given {code} = {'true' if world.answers[code] else 'false'}"
    for code in sorted(world.counts):
        yield f"  given {code} = {_count(machine, world, code)}"
    for handle, fields in world.facts.items():
        entity = entities[handle[0]]
        key = _applied(entity.name, [part.type for part in entity.key], handle[1], entities)
        written = [f"{name} = {value_text(entity.field(name).type, value, entities)}" for name, value in fields.items()]
        yield f"  given {key} {{ {', '.join(written)} }}"


def _count(machine: Machine, world: World, code: str) -> str:
    clauses = clauses_by_code(machine, world.transition, code)
    return value_text(counter_type(clauses[0]), world.counts[code], machine.index.entities)


def flat(machine: Machine, world: World) -> dict[str, str]:
    """Return every value of the world as text, by a short name: `order.total`, `amount`. Raises `UnwritableError`."""
    index, entities = machine.index, machine.index.entities
    found = {"now": time_text(world.now), "role": world.role, "mode": world.mode}
    found |= {} if world.entered is None else {"entered": time_text(world.entered)}
    found |= {} if world.subject is None else {"subject": quoted(world.subject)}
    found |= {} if world.confidence is None else {"confidence": _confidence(world.confidence)}
    for parameter in parameters_of(machine, world.transition):
        if parameter.name in world.arguments:
            found[parameter.name] = value_text(parameter.type, world.arguments[parameter.name], entities)
    found |= {name: value_text(index.memory[name].type, value, entities) for name, value in world.memory.items()}
    found |= {name: value_text(index.claims[name].type, value, entities) for name, value in world.claims.items()}
    found |= {code: "true" if answer else "false" for code, answer in world.answers.items()}
    found |= {code: _count(machine, world, code) for code in world.counts}
    found |= {f"proposer of {name}": quoted(one) for name, one in world.proposers.items()}
    found |= {f"signers of {code}": ", ".join(map(quoted, people)) for code, people in world.signers.items()}
    counts = Counter(entity for entity, _ in world.facts)
    for (name, key), fields in world.facts.items():
        entity = entities[name]
        types = [part.type for part in entity.key]
        one = name if counts[name] == 1 else _applied(name, types, key, entities)
        for field in fields:
            found[f"{one}.{field}"] = value_text(entity.field(field).type, fields[field], entities)
    return found


def _then(machine: Machine, made: Decision | Looked) -> str:
    verdict = made.verdict
    outcome = OUTCOMES[type(verdict)]
    if isinstance(verdict, Returned):
        values = list(_values(machine, verdict))
        return f"  then returned{' with ' if values else ''}{', '.join(values)}"
    if isinstance(verdict, Accepted):
        assigned = [item.name for item in machine.index.transitions[verdict.transition].assignments]
        memory = [f"{name} = {_raw_text(machine, name, verdict)}" for name in assigned]
        return f"  then accepted to {verdict.target}{' with ' if memory else ''}{', '.join(memory)}"
    word = f"{outcome} needs" if outcome == "escalated" else outcome
    return f"  then {word} {', '.join(codes_of(made))}"


def _values(machine: Machine, verdict: Returned) -> Iterator[str]:
    """Yield the values that a query returned, but for those that the language has no words for."""
    for one in machine.index.queries[verdict.query].returns:
        value = from_raw(one.type, verdict.values[one.name], machine.index.entities)
        with contextlib.suppress(UnwritableError):
            yield f"{one.name} = {value_text(one.type, value, machine.index.entities)}"


def codes_of(made: Decision | Looked) -> list[str]:
    """Return the codes that a scenario names of a verdict: of the failed clauses, or else of what stopped it.

    A property and a mode are named by themselves.
    """
    verdict = made.verdict
    codes = [clause.code for clause in verdict.clauses if clause.result in (Result.FAILED, Result.UNKNOWN)]
    if isinstance(verdict, Refused) and verdict.code == PROPERTY_VIOLATED:
        codes.append(verdict.detail)
    if isinstance(verdict, Refused) and verdict.stage is Stage.MODE:
        codes.append(made.world.mode)
    return codes or [verdict.code]


def _raw_text(machine: Machine, name: str, verdict: Accepted) -> str:
    from_raw_value = from_raw(machine.index.memory[name].type, verdict.memory[name], machine.index.entities)
    return value_text(machine.index.memory[name].type, from_raw_value, machine.index.entities)
