"""The runtime's `Router` over all kinds of sources: abstract names and values in, abstract names and values out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import sqlalchemy as sa

from edca.kernel.facts import Instance
from edca.kernel.values import Unknown
from edca.routing.document_models import DocumentError
from edca.routing.document_reading import Documents
from edca.routing.drift import Drift, Notice, careful, unnoticed
from edca.routing.errors import RouteError
from edca.routing.model import EntityRoute, SourceRoute
from edca.routing.model_documents import DocumentRoute, HTTPSource, InvokeRoute, PythonSource, RequestRoute
from edca.routing.python_calls import FunctionReader, Functions, Invoker
from edca.routing.tables import TablePerformer, Tables
from edca.runtime.ports import Performed, Report
from edca.runtime.reentry import ReentrantCallError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edca.kernel.facts import Handle, Key
    from edca.kernel.machine import Entity, Machine
    from edca.routing.connections import Connection
    from edca.routing.http import Service
    from edca.routing.model import EffectRoute, Routes
    from edca.routing.reading import Found
    from edca.runtime.ports import Permit, Request


class _Source(Protocol):
    """Reads the entities of one source. Both methods may raise whatever a driver or a function raises."""

    def read(self, requests: Mapping[str, Sequence[Request]]) -> dict[Handle, Found | None]:
        """Return what is found of the requests, by entity; null for an instance that nobody can tell about."""
        ...

    def allot(self, entity: str) -> Key | None:
        """Return the key on offer for the next created instance, or null."""
        ...


class _Performer(Protocol):
    """Performs one effect. Neither method raises."""

    def perform(self, permit: Permit) -> Report:
        """Perform it once for the permit's key."""
        ...

    def performed(self, permit: Permit) -> Performed:
        """Tell whether it has happened."""
        ...


class SourceRouter:
    """Reads facts and performs effects by the routes of one machine.

    `engines` holds what reaches each source, by its name (`edca.routing.connections`): an engine, a service, or
    functions; a source of Python functions that are all imported needs none. `notice` is told of every drift. Raises
    `RouteError` where one is missing or of another kind, and where the routes are for another machine. Nothing is
    looked up in the sources until something is asked.
    """

    def __init__(
        self, routes: Routes, machine: Machine, engines: Mapping[str, Connection], notice: Notice = unnoticed
    ) -> None:
        if routes.machine != machine.name:
            raise RouteError(f"the routes are for `{routes.machine}`, and the machine is `{machine.name}`")
        self._document, self._digest = routes.document, routes.digest
        self._routes = {route.name: route for route in routes.entities}
        self._notice = careful(notice)
        self._sources: dict[str, _Source] = {}
        self._performers: dict[str, _Performer] = {}
        entities = machine.index.entities
        for source in routes.sources:
            of_source = [route for route in routes.entities if route.source == source.name]
            effects = [route for route in routes.effects if route.source == source.name]
            connection = engines.get(source.name)
            if connection is None and not isinstance(source, PythonSource):
                kind = "engine" if isinstance(source, SourceRoute) else "service"
                raise RouteError(f"no {kind} for the source `{source.name}`")
            match source, connection:
                case SourceRoute(), sa.Engine():
                    self._add_tables(source, of_source, effects, connection, entities)
                case PythonSource(), Functions() | None:
                    self._add_functions(source, of_source, effects, connection or Functions({}), entities)
                case HTTPSource(), _ if connection is not None and not isinstance(connection, sa.Engine | Functions):
                    self._add_service(source, of_source, effects, connection, entities)
                case _:
                    raise RouteError(f"what is given for the source `{source.name}` is of another kind than it")

    @property
    def digest(self) -> bytes:
        """The identity of the routes, 32 bytes."""
        return self._digest

    @property
    def document(self) -> bytes:
        """The routes' canonical bytes, for auditors."""
        return self._document

    def read(self, requests: Sequence[Request], as_of: int) -> tuple[Instance, ...]:
        """Read the requested instances, each source as seldom as it allows; one answer a request, in order."""
        found: dict[Handle, Found | None] = {}
        for source, entities in self._by_source(requests).items():
            try:
                found |= self._sources[source].read(entities)
            except Exception as error:  # drivers and functions raise what they like, and the port promises an answer
                self._failed(source, entities, error)
                found |= {(one.entity, one.key): None for asked in entities.values() for one in asked}
        return tuple(self._instance(request, found, as_of) for request in requests)

    def allot(self, entity: str) -> Key | None:
        """Return the key that the next created instance will have, or null where none can be had."""
        source = self._routes[entity].source
        try:
            return self._sources[source].allot(entity)
        except Exception as error:  # as above: no key can be had now
            self._failed(source, [entity], error)
            return None

    def perform(self, permit: Permit) -> Report:
        """Perform the effect once; a second permit with the same key changes nothing."""
        performer = self._performers.get(permit.effect)
        if performer is None:
            return Report(Performed.FAILED, f"no route for the effect `{permit.effect}`")
        return performer.perform(permit)

    def performed(self, permit: Permit) -> Performed:
        """Tell whether the effect of this permit has happened."""
        performer = self._performers.get(permit.effect)
        return Performed.FAILED if performer is None else performer.performed(permit)

    # --- the kinds of sources ---

    def _add_tables(
        self,
        source: SourceRoute,
        routes: Sequence[EntityRoute | DocumentRoute],
        effects: Sequence[EffectRoute | RequestRoute | InvokeRoute],
        engine: sa.Engine,
        entities: Mapping[str, Entity],
    ) -> None:
        tables = Tables.of(engine, [route for route in routes if isinstance(route, EntityRoute)], self._notice)
        self._sources[source.name] = tables
        for effect in effects:
            if source.applied is not None and not isinstance(effect, RequestRoute | InvokeRoute):
                self._performers[effect.name] = TablePerformer.of(tables, effect, source.applied, entities)

    def _add_service(
        self,
        source: HTTPSource,
        routes: Sequence[EntityRoute | DocumentRoute],
        effects: Sequence[EffectRoute | RequestRoute | InvokeRoute],
        service: Service,
        entities: Mapping[str, Entity],
    ) -> None:
        from edca.routing.http_performing import Requester  # noqa: PLC0415  # an extra, which whoever has a service has
        from edca.routing.http_reading import ServiceReader  # noqa: PLC0415

        documents = self._documents(routes)
        readers = {name: ServiceReader(each, service) for name, each in documents.items()}
        self._sources[source.name] = _Documented(readers)
        for effect in effects:
            if isinstance(effect, RequestRoute):
                self._performers[effect.name] = Requester(effect, service, entities)

    def _add_functions(
        self,
        source: PythonSource,
        routes: Sequence[EntityRoute | DocumentRoute],
        effects: Sequence[EffectRoute | RequestRoute | InvokeRoute],
        functions: Functions,
        entities: Mapping[str, Entity],
    ) -> None:
        documents = self._documents(routes)
        readers = {name: FunctionReader.of(each, functions) for name, each in documents.items()}
        self._sources[source.name] = _Documented(readers)
        for effect in effects:
            if isinstance(effect, InvokeRoute):
                self._performers[effect.name] = Invoker.of(effect, functions, entities)

    def _documents(self, routes: Sequence[EntityRoute | DocumentRoute]) -> dict[str, Documents]:
        found: dict[str, Documents] = {}
        for route in routes:
            if isinstance(route, DocumentRoute):
                try:
                    found[route.name] = Documents.of(route, self._notice)
                except DocumentError as error:
                    message = f"the member `{error}` of `{route.name}` is both a value and what holds others"
                    raise RouteError(message) from None
        return found

    # --- answers ---

    def _by_source(self, requests: Sequence[Request]) -> dict[str, dict[str, list[Request]]]:
        grouped: dict[str, dict[str, list[Request]]] = {}
        for request in requests:
            source = self._routes[request.entity].source
            grouped.setdefault(source, {}).setdefault(request.entity, []).append(request)
        return grouped

    def _instance(self, request: Request, found: Mapping[Handle, Found | None], as_of: int) -> Instance:
        handle = (request.entity, request.key)
        instance = found.get(handle)
        route = self._routes[request.entity]
        mapped = () if route.state is None else tuple(sorted(name for name, _ in route.state.codes))
        if instance is None:
            state = Unknown.MISSING if handle in found else None
            return Instance(request.entity, request.key, route.source, as_of, False, state, {}, mapped)
        fields = {name: instance.fields[name] for name in request.fields}
        at = as_of - instance.age_us
        return Instance(request.entity, request.key, route.source, at, True, instance.state, fields, mapped)

    def _failed(self, source: str, entities: Sequence[str] | Mapping[str, object], error: Exception) -> None:
        # What an error says may hold a source's values; that a route calls its kernel back is ours to say.
        told = str(error) if isinstance(error, ReentrantCallError) else type(error).__name__
        for entity in entities:
            self._notice(Drift(entity, None, source, "", "an answer", told))


class _DocumentReader(Protocol):
    def read(self, keys: Sequence[Key], fields: Sequence[str]) -> dict[Key, Found | None]: ...

    def allot(self) -> Key | None: ...


class _Documented:
    """A source whose entities are read one by one: an HTTP service, or Python functions."""

    def __init__(self, readers: Mapping[str, _DocumentReader]) -> None:
        self._readers = readers

    def read(self, requests: Mapping[str, Sequence[Request]]) -> dict[Handle, Found | None]:
        found: dict[Handle, Found | None] = {}
        for entity, asked in requests.items():
            fields = list(dict.fromkeys(name for request in asked for name in request.fields))
            read = self._readers[entity].read([request.key for request in asked], fields)
            found |= {(entity, key): instance for key, instance in read.items()}
        return found

    def allot(self, entity: str) -> Key | None:
        return self._readers[entity].allot()
