"""A database as one source: its entities read over one connection, at one moment, and its effects."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING, Any

from sqlalchemy.pool import StaticPool

from edca.routing.performing import Performer
from edca.routing.reading import EntityReader, Found

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    import sqlalchemy as sa

    from edca.kernel.facts import Handle, Key
    from edca.kernel.machine import Entity
    from edca.routing.drift import Notice
    from edca.routing.model import AppliedRoute, EffectRoute, EntityRoute
    from edca.runtime.ports import Performed, Permit, Report, Request


# Where each statement of a transaction sees a moment of its own, unless told otherwise.
_PER_STATEMENT = ("postgresql", "mysql", "mariadb")


@dataclass(frozen=True, slots=True)
class Tables:
    """The entities of one database."""

    engine: sa.Engine
    readers: Mapping[str, EntityReader]
    lock: AbstractContextManager[Any]

    @staticmethod
    def of(engine: sa.Engine, routes: Sequence[EntityRoute], notice: Notice) -> Tables:
        """Return them by their routes."""
        # One connection that all share can carry one transaction at a time.
        lock: AbstractContextManager[Any] = RLock() if isinstance(engine.pool, StaticPool) else nullcontext()
        return Tables(engine, {route.name: EntityReader(route, notice) for route in routes}, lock)

    def read(self, requests: Mapping[str, Sequence[Request]]) -> dict[Handle, Found | None]:
        """Return what is found, all of it at one moment. Raises whatever the driver raises."""
        found: dict[Handle, Found | None] = {}
        with self.lock, self.engine.connect() as connection:
            if self.engine.dialect.name in _PER_STATEMENT:
                connection.execution_options(isolation_level="REPEATABLE READ")
            for entity, asked in requests.items():
                fields = list(dict.fromkeys(name for request in asked for name in request.fields))
                read = self.readers[entity].read(connection, [request.key for request in asked], fields)
                found |= {(entity, key): instance for key, instance in read.items()}
        return found

    def allot(self, entity: str) -> Key | None:
        """Return the first key on offer that no instance has, or null. Raises whatever the driver raises."""
        with self.lock, self.engine.connect() as connection:
            return self.readers[entity].allot(connection)


@dataclass(frozen=True, slots=True)
class TablePerformer:
    """Performs one effect on a database."""

    tables: Tables
    performer: Performer

    @staticmethod
    def of(tables: Tables, route: EffectRoute, applied: AppliedRoute, entities: Mapping[str, Entity]) -> TablePerformer:
        """Return what performs an effect by its route."""
        return TablePerformer(tables, Performer(route, applied, entities))

    def perform(self, permit: Permit) -> Report:
        """Perform the effect once for the permit's key; never raises for what a database does."""
        with self.tables.lock:
            return self.performer.perform(self.tables.engine, permit)

    def performed(self, permit: Permit) -> Performed:
        """Tell whether the effect of the permit has happened."""
        with self.tables.lock:
            return self.performer.performed(self.tables.engine, permit)
