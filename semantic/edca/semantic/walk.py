"""Walking typed trees: what an expression reads, through every define it uses."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, get_args

from edca.kernel.expression import Input
from edca.kernel.types import ReferenceType
from edca.semantic import typed

if TYPE_CHECKING:
    from collections.abc import Iterator


NO_LETS: Mapping[str, typed.Expression] = {}

# Of each kind of node, the fields that hold expressions, and whether they hold several: asking each node is slow.
_HOLDING: Mapping[type, tuple[tuple[str, bool], ...]] = {
    kind: tuple(
        (field.name, str(field.type).startswith("tuple"))
        for field in dataclasses.fields(kind)
        if "Expression" in str(field.type)
    )
    for kind in get_args(typed.Expression)
}


def parts(node: typed.Expression) -> list[typed.Expression]:
    """Return the expressions that a node is made of, in the order of its fields."""
    found: list[typed.Expression] = []
    for name, several in _HOLDING[type(node)]:
        value = getattr(node, name)
        if several:
            found += value
        elif value is not None:
            found.append(value)
    return found


def nodes(
    expression: typed.Expression,
    definitions: Mapping[str, typed.Definition],
    lets: Mapping[str, typed.Expression] = NO_LETS,
) -> Iterator[typed.Expression]:
    """Yield the expression and every part of it; a define that it applies and a let that it reads count as parts."""
    pending = [expression]
    entered: set[str] = set()
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, typed.Applied) and node.name in definitions and node.name not in entered:
            entered.add(node.name)
            pending.append(definitions[node.name].body)
        elif isinstance(node, typed.LetRead) and node.name in lets and node.name not in entered:
            entered.add(node.name)  # no let has the name of a define
            pending.append(lets[node.name])
        pending += parts(node)


def case_entities(expression: typed.Expression, definitions: Mapping[str, typed.Definition]) -> set[str]:
    """Return the entities that the expression takes the case to be about."""
    return {
        node.type.entity
        for node in nodes(expression, definitions)
        if isinstance(node, typed.InputRead) and node.input is Input.CASE and isinstance(node.type, ReferenceType)
    }


def facts(
    expression: typed.Expression,
    definitions: Mapping[str, typed.Definition],
    lets: Mapping[str, typed.Expression] = NO_LETS,
) -> set[tuple[str, str]]:
    """Return the (entity, field) pairs that the expression reads; parts of a key aren't read, they are known."""
    return {
        (node.entity, node.field)
        for node in nodes(expression, definitions, lets)
        if isinstance(node, typed.FactRead) and node.key_part is None
    }


def reads_case(expression: typed.Expression, definitions: Mapping[str, typed.Definition]) -> bool:
    """Tell whether the expression reads a field of the very instance that the case is about."""
    return any(
        isinstance(node, typed.FactRead) and node.key_part is None and isinstance(node.base, typed.InputRead)
        for node in nodes(expression, definitions)
    )


def reads_history(expression: typed.Expression, definitions: Mapping[str, typed.Definition]) -> bool:
    """Tell whether the expression reads who acted in the case before."""
    return any(isinstance(node, typed.HistoryRead) for node in nodes(expression, definitions))


def needs_candidate(expression: typed.Expression, definitions: Mapping[str, typed.Definition]) -> bool:
    """Tell whether the expression reads anything but facts: what only a candidate or the case's own past brings."""
    return any(
        isinstance(node, (typed.ArgumentRead, typed.LetRead, typed.ClaimRead, typed.MemoryRead, typed.HistoryRead))
        or (isinstance(node, typed.InputRead) and node.input in (Input.CONFIDENCE, Input.PROPOSER))
        for node in nodes(expression, definitions)
    )
