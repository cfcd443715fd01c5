"""The evidence plan: what each transition reads, and from where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.routing.codec import columns
from edca.routing.model import OwnField

if TYPE_CHECKING:
    from edca.kernel.machine import Machine
    from edca.routing.model import EntityRoute, Routes


@dataclass(frozen=True, slots=True)
class PlanLine:
    """What one transition reads of one entity: its fields, the source, and the tables, each once.

    `tables` are internal names: for operators only.
    """

    transition: str
    entity: str
    fields: tuple[str, ...]
    source: str
    tables: tuple[str, ...]


def evidence_plan(machine: Machine, routes: Routes) -> tuple[PlanLine, ...]:
    """Return the plan, in order of transitions and of their evidence."""
    lines: list[PlanLine] = []
    for transition in machine.transitions:
        for evidence in transition.evidence:
            route = routes.entity(evidence.entity)
            tables = _tables(route, evidence.fields)
            lines.append(PlanLine(transition.name, route.name, evidence.fields, route.source, tables))
    return tuple(lines)


def _tables(route: EntityRoute, fields: tuple[str, ...]) -> tuple[str, ...]:
    tables = [route.table]
    if route.state is not None:
        tables.append(route.state.at.table)
    for name in fields:
        field = route.field(name)
        if isinstance(field, OwnField):
            tables += [at.table for at in columns(field.shape)]
        else:
            tables += [at.table for _, at in field.rows.same]
            tables.append(field.rows.table)
    return tuple(dict.fromkeys(tables))
