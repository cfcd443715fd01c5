"""Writing a scenario: a world and what comes of it, as the text that `scenario_read` reads back."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from edca.kernel.calendar import date_text, duration_text, time_text
from edca.kernel.candidate import CONFIDENCE_SCALE
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
from edca.kernel.verdict import Accepted, Verdict, failed
from edca.semantic.scenario import OUTCOMES
from edca.semantic.scenario_world import DEFAULT_NOW, World

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from edca.kernel.facts import Handle
    from edca.kernel.machine import Entity, Machine

WIDTH = 120
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


def scenario_text(machine: Machine, title: str, comment: str, world: World, verdict: Verdict) -> str:
    """Return a scenario that says what comes of the world: all failed clauses, or the state and memory reached.

    Raises `UnwritableError` where something in it can't be written.
    """
    lines = [f"scenario {quoted(title)} {{"]
    if comment:
        lines.append(f"  # {comment}")
    lines += givens(machine, world)
    transition, entities = machine.index.transitions[world.transition], machine.index.entities
    arguments = [
        f"{parameter.name}: {value_text(parameter.type, world.arguments[parameter.name], entities)}"
        for parameter in transition.parameters
        if parameter.name in world.arguments
    ]
    confidence = "" if world.confidence is None else f" confidence {_confidence(world.confidence)}"
    lines += _wrapped(f"  when {world.role} proposes {world.transition}(", arguments, f"){confidence}")
    lines += _then(machine, world, verdict)
    return "\n".join([*lines, "}"]) + "\n"


def _confidence(units: int) -> str:
    digits = decimal_text(units, CONFIDENCE_SCALE).rstrip("0")
    return digits + "0" if digits.endswith(".") else digits


def givens(machine: Machine, world: World) -> Iterator[str]:
    """Yield the lines of the givens. Raises `UnwritableError`."""
    index = machine.index
    entities = index.entities
    if world.state is not None:
        yield f"  given {world.state}"
    if world.now != DEFAULT_NOW:
        yield f"  given now = {time_text(world.now)}"
    if world.subject is not None:
        yield f"  given subject = {quoted(world.subject)}"
    for name in sorted(world.memory):
        yield f"  given {name} = {value_text(index.memory[name].type, world.memory[name], entities)}"
    for name in sorted(world.claims):
        yield f"  given {name} = {value_text(index.claims[name].type, world.claims[name], entities)}"
    for code in sorted(world.answers):
        yield f"  given {code} = {'true' if world.answers[code] else 'false'}"
    for handle, fields in world.facts.items():
        yield from _entity(entities, handle, fields)


def _entity(entities: Mapping[str, Entity], handle: Handle, fields: Mapping[str, Value | Unknown]) -> Iterable[str]:
    entity = entities[handle[0]]
    key = _applied(entity.name, [part.type for part in entity.key], handle[1], entities)
    written = [f"{name} = {value_text(entity.field(name).type, value, entities)}" for name, value in fields.items()]
    whole = f"  given {key} {{ {', '.join(written)} }}"
    return [whole] if len(whole) <= WIDTH else [f"  given {key} {{", *_filled("    ", written), "  }"]


def flat(machine: Machine, world: World) -> dict[str, str]:
    """Return every value of the world as text, by a short name: `order.total`, `amount`. Raises `UnwritableError`."""
    index, entities = machine.index, machine.index.entities
    transition = index.transitions[world.transition]
    found = {"now": time_text(world.now), "role": world.role}
    found |= {} if world.subject is None else {"subject": quoted(world.subject)}
    found |= {} if world.confidence is None else {"confidence": _confidence(world.confidence)}
    for parameter in transition.parameters:
        if parameter.name in world.arguments:
            found[parameter.name] = value_text(parameter.type, world.arguments[parameter.name], entities)
    found |= {name: value_text(index.memory[name].type, value, entities) for name, value in world.memory.items()}
    found |= {name: value_text(index.claims[name].type, value, entities) for name, value in world.claims.items()}
    found |= {code: "true" if answer else "false" for code, answer in world.answers.items()}
    counts = Counter(entity for entity, _ in world.facts)
    for (name, key), fields in world.facts.items():
        entity = entities[name]
        types = [part.type for part in entity.key]
        one = name if counts[name] == 1 else _applied(name, types, key, entities)
        for field in fields:
            found[f"{one}.{field}"] = value_text(entity.field(field).type, fields[field], entities)
    return found


def _then(machine: Machine, world: World, verdict: Verdict) -> list[str]:
    outcome = OUTCOMES[type(verdict)]
    if isinstance(verdict, Accepted):
        assigned = [item.name for item in machine.index.transitions[world.transition].assignments]
        memory = [f"{name} = {_raw_text(machine, name, verdict)}" for name in assigned]
        return [f"  then accepted to {verdict.target}{' with ' if memory else ''}{', '.join(memory)}"]
    codes = [clause.code for clause in failed(verdict)] or [verdict.code]
    word = f"{outcome} needs" if outcome == "escalated" else outcome
    whole = f"  then {word} {', '.join(codes)}"
    return [whole] if len(whole) <= WIDTH else [f"  then {word}", *_filled("    ", codes)]


def _raw_text(machine: Machine, name: str, verdict: Accepted) -> str:
    from_raw_value = from_raw(machine.index.memory[name].type, verdict.memory[name], machine.index.entities)
    return value_text(machine.index.memory[name].type, from_raw_value, machine.index.entities)


def _wrapped(head: str, items: Sequence[str], tail: str) -> list[str]:
    whole = f"{head}{', '.join(items)}{tail}"
    return [whole] if len(whole) <= WIDTH else [head, *_filled("    ", items), f"  {tail}"]


def _filled(indent: str, items: Sequence[str]) -> list[str]:
    """Return the items with commas between them, as many on a line as fit; a longer one is broken where its parts end.

    A part that is longer still stays whole.
    """
    lines: list[str] = []
    pieces = [piece for item in items for piece in ([item] if len(indent) + len(item) < WIDTH else _parts_of(item))]
    for place, piece in enumerate(pieces):
        text = piece if place == len(pieces) - 1 else f"{piece},"
        if lines and len(lines[-1]) + 1 + len(text) <= WIDTH:
            lines[-1] += f" {text}"
        else:
            lines.append(indent + text)
    return lines


def _parts_of(item: str) -> list[str]:
    """Split what stands in the outermost brackets at its commas."""
    parts, depth, start, quoted_ = [], 0, 0, False
    for place, character in enumerate(item):
        if character == '"' and item[place - 1] != "\\":
            quoted_ = not quoted_
        elif not quoted_:
            depth += (character in "[(") - (character in "])")
            if depth == 1 and character == ",":
                parts.append(item[start:place])
                start = place + 2
    return [*parts, item[start:]]
