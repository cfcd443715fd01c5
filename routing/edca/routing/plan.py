"""The evidence plan: what each transition and each query reads, from where, and in how many round trips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.routing.codec import columns
from edca.routing.model import EntityRoute, OwnField
from edca.routing.model_documents import CallRoute, ElementsField, shown
from edca.routing.reading import KEY_COUNT_MAX

if TYPE_CHECKING:
    from edca.kernel.machine import Evidence, Machine
    from edca.routing.model import Routes
    from edca.routing.model_documents import DocumentRoute


@dataclass(frozen=True, slots=True)
class PlanLine:
    """What one transition or query reads of one entity: its fields, the source, and the tables or addresses, each once.

    Up to `together` instances are read in `round_trips` statements, requests or calls; null: however many there are.
    `tables` are internal names: for operators only. Of `transition` and `query` one is empty.
    """

    transition: str
    query: str
    entity: str
    fields: tuple[str, ...]
    source: str
    tables: tuple[str, ...]
    round_trips: int
    together: int | None


def evidence_plan(machine: Machine, routes: Routes) -> tuple[PlanLine, ...]:
    """Return the plan, in order of transitions, of queries, and of their evidence."""
    lines = [_line(routes, each.name, "", read) for each in machine.transitions for read in each.evidence]
    lines += [_line(routes, "", each.name, read) for each in machine.queries for read in each.evidence]
    return tuple(lines)


def _line(routes: Routes, transition: str, query: str, read: Evidence) -> PlanLine:
    route = routes.entity(read.entity)
    if isinstance(route, EntityRoute):
        tables, trips, together = _of_table(route, read.fields)
    else:
        tables, trips, together = _of_documents(route, read.fields)
    return PlanLine(transition, query, route.name, read.fields, route.source, tables, trips, together)


def _of_table(route: EntityRoute, fields: tuple[str, ...]) -> tuple[tuple[str, ...], int, int | None]:
    """One statement for the own row and its joins, one for each other table and order of its rows."""
    tables = [route.table]
    if route.state is not None:
        tables.append(route.state.at.table)
    others = set()
    for name in fields:
        field = route.field(name)
        if isinstance(field, OwnField):
            tables += [at.table for at in columns(field.shape)]
        else:
            tables += [at.table for _, at in field.rows.same]
            tables.append(field.rows.table)
            others.add(field.rows)
    return tuple(dict.fromkeys(tables)), 1 + len(others), KEY_COUNT_MAX


def _of_documents(route: DocumentRoute, fields: tuple[str, ...]) -> tuple[tuple[str, ...], int, int | None]:
    """One request for each instance, or for a batch; and one for each instance and list that has its own answer."""
    if isinstance(route.fetch, CallRoute):
        return (route.fetch.function,), 1, None
    fetched = [one.fetch for name in fields if isinstance(one := route.field(name), ElementsField) and one.fetch]
    places = tuple(shown(each.path) for each in (route.fetch, *fetched))
    if route.batch is not None and not fetched:
        return (*places, route.batch.prefix), 1, route.batch.up_to
    return places, 1 + len(fetched), 1
