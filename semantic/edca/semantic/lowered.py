"""Walking lowered expressions: what a machine's conditions read, labels included."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from edca.kernel import expression as ir
from edca.kernel.machine import RoleKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.machine import Machine, Transition


def nodes(expression: ir.Expression) -> Iterator[ir.Expression]:
    """Yield the expression and every part of it, in written order."""
    pending = [expression]
    while pending:
        node = pending.pop()
        yield node
        parts: list[ir.Expression] = []
        for field in dataclasses.fields(node):
            value = getattr(node, field.name)
            items = value if isinstance(value, tuple) else (value,)
            parts += [item for item in items if dataclasses.is_dataclass(item)]  # type: ignore[misc]  # only expressions
        pending += reversed(parts)


def is_released(machine: Machine, entity: str | None, name: str, role: str) -> bool:
    """Tell whether a labelled fact, memory field or claim may be shown to a role; `entity` is null for the latter."""
    return any(release.owner == entity and release.name == name and role in release.to for release in machine.releases)


def tells_labelled(machine: Machine, transition: Transition, condition: ir.Expression) -> bool:
    """Tell whether the condition reads a labelled value that isn't released to every model that may propose this."""
    models = [role for role in transition.by if machine.index.roles[role].kind is RoleKind.MODEL]
    return any(
        not is_released(machine, entity, name, role)
        for node in nodes(condition)
        for entity, name in _labelled(machine, node)
        for role in models
    )


def _labelled(machine: Machine, node: ir.Expression) -> Iterator[tuple[str | None, str]]:
    index = machine.index
    match node:
        case ir.ReadFact(_, entity, name) if index.entities[entity].field(name).labels:
            yield entity, name
        case ir.ReadMemory(name) if index.memory[name].labels:
            yield None, name
        case ir.ReadClaim(name) if index.claims[name].labels:
            yield None, name
        case _:
            return
