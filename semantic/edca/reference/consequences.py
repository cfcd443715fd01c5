"""What an acceptance would bring about: memory, effects, and both as people are shown them before they answer."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from edca.kernel.expression import Input
from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.types import OptionalType, TimeType
from edca.kernel.values import Unknown, in_bounds, to_raw
from edca.kernel.verdict import Intent, Preview
from edca.reference.evaluate import Surroundings, needed, value_of
from edca.semantic import typed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edca.kernel.candidate import Candidate
    from edca.kernel.canonical import Data
    from edca.kernel.inputs import Case, Inputs
    from edca.kernel.types import Type
    from edca.semantic.checked import CheckedClause, CheckedSpec, CheckedTransition


def memory_after(
    spec: CheckedSpec, item: CheckedTransition, around: Surroundings, case: Case
) -> tuple[dict[str, Any], str | None]:
    """Return memory as `set` leaves it, and the first value that it can't keep, if any."""
    memory, problem = dict(case.memory), None
    for name, node in sorted(item.assignments):
        value = value_of(node, around)
        problem = problem or _problem(spec.words.memory[name], value)
        memory[name] = value
    return memory, problem


def intents_of(
    spec: CheckedSpec, item: CheckedTransition, around: Surroundings, problem: str | None
) -> tuple[tuple[Intent, ...], str | None]:
    """Return the effects with their arguments, and the first problem, of memory or of an argument."""
    entities, found = spec.words.entities, []
    for act in item.acts:
        arguments = {}
        parameters = spec.words.effects[act.call.effect].parameters
        for parameter, node in zip(parameters, act.call.arguments, strict=True):
            value = value_of(node, around)
            problem = problem or _problem(parameter.type, value)
            if problem is None:
                arguments[parameter.name] = to_raw(parameter.type, value, entities)
        found.append(Intent(act.call.effect, arguments))
    return tuple(found), problem


def preview(
    spec: CheckedSpec,
    digest: bytes,
    item: CheckedTransition,
    clauses: Sequence[CheckedClause],
    around: Surroundings,
    case: Case,
    candidate: Candidate,
    inputs: Inputs,
) -> Preview:
    """Return what people are asked about: the end, whoever says what, and what of it nobody can tell yet."""
    words, lets = spec.words, dict(item.lets)
    memory, _ = memory_after(spec, item, around, case)
    assigned = dict(item.assignments)

    def told(type_: Type, node: typed.Expression | None, value: Any) -> Data:
        problem = _problem(type_, value)
        if problem is not None:
            return {"unknown": problem}
        plain = type_.of if isinstance(type_, OptionalType) else type_
        if isinstance(plain, TimeType) and value is not None and _mentions_now(node, lets, spec):
            return {"from_decision_us": value - inputs.now}
        return to_raw(type_, value, words.entities)

    intents = []
    for act in item.acts:
        parameters = words.effects[act.call.effect].parameters
        pairs = zip(parameters, act.call.arguments, strict=True)
        arguments = {parameter.name: told(parameter.type, node, value_of(node, around)) for parameter, node in pairs}
        intents.append(Intent(act.call.effect, arguments))
    return Preview(
        machine=digest,
        candidate=candidate.digest,
        case=None if item.creates else case.id,
        transition=item.name,
        source=case.state,
        target=item.target,
        memory={name: told(type_, assigned.get(name), memory[name]) for name, type_ in words.memory.items()},
        intents=tuple(intents),
        waived=tuple(
            clause.code
            for clause in clauses
            if clause.kind is ClauseKind.REQUIRE
            and clause.on_fail is OnFail.ESCALATE
            and needed(clause.condition, around) is not True
        ),
        blinding=candidate.blinding,
    )


def _mentions_now(node: object, lets: Mapping[str, typed.Expression], spec: CheckedSpec) -> bool:
    """Tell whether the expression, or a `let` or `define` that it names, reads the time."""
    match node:
        case typed.InputRead(input_):
            return input_ is Input.NOW
        case typed.LetRead(name):
            return _mentions_now(lets[name], lets, spec)
        case typed.Applied(name, arguments):
            return _mentions_now((spec.definitions[name].body, *arguments), lets, spec)
        case tuple():
            return any(_mentions_now(part, lets, spec) for part in node)
        case _ if dataclasses.is_dataclass(node):
            parts = (getattr(node, part.name) for part in dataclasses.fields(node))
            return any(_mentions_now(part, lets, spec) for part in parts)
        case _:
            return False


def _problem(type_: Type, value: Any) -> str | None:
    if isinstance(value, Unknown):
        return value.value
    return None if in_bounds(type_, value) else "out_of_range"
