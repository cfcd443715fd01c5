"""The runtime's `Router` over SQL sources: abstract names and values in, abstract names and values out."""

from __future__ import annotations

from contextlib import nullcontext
from threading import RLock
from typing import TYPE_CHECKING, Any

from sqlalchemy.pool import StaticPool

from edca.kernel.facts import Instance
from edca.kernel.values import Unknown
from edca.routing.errors import RouteError
from edca.routing.performing import Performer
from edca.routing.reading import EntityReader, Found
from edca.runtime.ports import Performed, Report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    import sqlalchemy as sa

    from edca.kernel.facts import Handle, Key
    from edca.kernel.machine import Machine
    from edca.routing.model import Routes
    from edca.runtime.ports import Permit, Request


class SQLRouter:
    """Reads facts and performs effects by the routes of one machine.

    `engines` holds one engine for each source, by its name; see `open_engine`. Raises `RouteError` where one is missing
    or the routes are for another machine. Nothing is looked up in the sources until something is asked.
    """

    def __init__(self, routes: Routes, machine: Machine, engines: Mapping[str, sa.Engine]) -> None:
        missing = [source.name for source in routes.sources if source.name not in engines]
        if missing:
            raise RouteError(f"no engine for the source `{missing[0]}`")
        if routes.machine != machine.name:
            raise RouteError(f"the routes are for `{routes.machine}`, and the machine is `{machine.name}`")
        self._engines = dict(engines)
        self._document, self._digest = routes.document, routes.digest
        self._readers = {route.name: EntityReader(route) for route in routes.entities}
        self._performers: dict[str, Performer] = {}
        for effect in routes.effects:
            applied = routes.source(effect.source).applied
            if applied is not None:
                self._performers[effect.name] = Performer(effect, applied, machine.index.entities)
        # One connection that all share can carry one transaction at a time.
        self._locks: dict[str, AbstractContextManager[Any]] = {
            name: RLock() if isinstance(engine.pool, StaticPool) else nullcontext() for name, engine in engines.items()
        }

    @property
    def digest(self) -> bytes:
        """The identity of the routes, 32 bytes."""
        return self._digest

    @property
    def document(self) -> bytes:
        """The routes' canonical bytes, for auditors."""
        return self._document

    def read(self, requests: Sequence[Request], as_of: int) -> tuple[Instance, ...]:
        """Read the requested instances, those of one source at one moment; one answer a request, in order."""
        found: dict[Handle, Found] = {}
        failed: set[str] = set()
        for source, entities in self._by_source(requests).items():
            try:
                found |= self._read_source(source, entities)
            except Exception:  # drivers raise what they like, and the port promises an answer
                failed |= set(entities)
        return tuple(self._instance(request, found, failed, as_of) for request in requests)

    def allot(self, entity: str) -> Key | None:
        """Return the key that the next created instance will have, or null where none can be had."""
        reader = self._readers[entity]
        source = reader.route.source
        try:
            with self._locks[source], self._engines[source].connect() as connection:
                return reader.allot(connection)
        except Exception:  # as above: no key can be had now
            return None

    def perform(self, permit: Permit) -> Report:
        """Perform the effect once; a second permit with the same key changes nothing."""
        performer = self._performers.get(permit.effect)
        if performer is None:
            return Report(Performed.FAILED, f"no route for the effect `{permit.effect}`")
        source = performer.route.source
        with self._locks[source]:
            return performer.perform(self._engines[source], permit)

    def performed(self, permit: Permit) -> Performed:
        """Tell whether the effect of this permit has happened."""
        performer = self._performers.get(permit.effect)
        if performer is None:
            return Performed.FAILED
        source = performer.route.source
        with self._locks[source]:
            return performer.performed(self._engines[source], permit)

    def _by_source(self, requests: Sequence[Request]) -> dict[str, dict[str, list[Request]]]:
        grouped: dict[str, dict[str, list[Request]]] = {}
        for request in requests:
            source = self._readers[request.entity].route.source
            grouped.setdefault(source, {}).setdefault(request.entity, []).append(request)
        return grouped

    def _read_source(self, source: str, entities: Mapping[str, list[Request]]) -> dict[Handle, Found]:
        found: dict[Handle, Found] = {}
        with self._locks[source], self._engines[source].connect() as connection:
            for entity, requests in entities.items():
                keys = [request.key for request in requests]
                fields = list(dict.fromkeys(name for request in requests for name in request.fields))
                read = self._readers[entity].read(connection, keys, fields)
                found |= {(entity, key): instance for key, instance in read.items()}
        return found

    def _instance(self, request: Request, found: Mapping[Handle, Found], failed: set[str], as_of: int) -> Instance:
        instance = found.get((request.entity, request.key))
        route = self._readers[request.entity].route
        mapped = () if route.state is None else tuple(sorted(name for name, _ in route.state.codes))
        if instance is None or request.entity in failed:
            state = Unknown.MISSING if request.entity in failed else None
            return Instance(request.entity, request.key, route.source, as_of, False, state, {}, mapped)
        fields = {name: instance.fields[name] for name in request.fields}
        return Instance(request.entity, request.key, route.source, as_of, True, instance.state, fields, mapped)
