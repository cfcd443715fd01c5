"""The comparison of routes with what they lead to: live schemas, descriptions of services, functions to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.diagnostics import CODES, Diagnostic, Label, ordered
from edca.routing.document_reading import MalformedError, parse_json
from edca.routing.errors import RouteError
from edca.routing.model import SourceRoute
from edca.routing.model_documents import HTTPSource, PythonSource
from edca.routing.openapi import check_openapi
from edca.routing.python_calls import Functions
from edca.routing.reflect import check_against

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edca.routing.connections import Connection
    from edca.routing.model import Routes

DESCRIPTION_BYTES_MAX = 20_000_000


def check_descriptions(routes: Routes, read: Callable[[str], bytes]) -> tuple[Diagnostic, ...]:
    """Return what routes want of services whose descriptions are files (R016, R017).

    `read` gets a file's name as the routes have it. Raises what it raises, and `RouteError` for what is no description.
    """
    found: list[Diagnostic] = []
    for source in routes.sources:
        if isinstance(source, HTTPSource) and source.openapi is not None and not source.openapi.startswith("/"):
            found += _described(routes, source, read(source.openapi))
    return ordered(found, cap=None).diagnostics


def check_live(routes: Routes, connections: Mapping[str, Connection]) -> tuple[Diagnostic, ...]:
    """Return what the routes name and their sources don't have (R005, R006, R011, R016, R017, R018).

    A description is asked of the service where the routes give its path there. Raises `RouteError` where a source can't
    be looked at.
    """
    found: list[Diagnostic] = [*check_against(routes, connections)]
    for source in routes.sources:
        connection = connections.get(source.name)
        match source:
            case PythonSource():
                found += _functions(routes, source, connection if isinstance(connection, Functions) else Functions({}))
            case HTTPSource(openapi=str(path)) if path.startswith("/"):
                found += _described(routes, source, _asked(source, connection, path))
            case HTTPSource() | SourceRoute():
                pass
    return ordered(found, cap=None).diagnostics


def _asked(source: HTTPSource, connection: object, path: str) -> bytes:
    from edca.routing.http import BadAnswerError, NoAnswerError, NotSentError, Service  # noqa: PLC0415  # an extra

    if not isinstance(connection, Service):
        raise RouteError(f"no service for the source `{source.name}`")
    try:
        answer = connection.get(path, DESCRIPTION_BYTES_MAX)
    except (NotSentError, NoAnswerError, BadAnswerError) as error:
        raise RouteError(f"the description of `{source.name}` can't be had: {error}") from None
    if answer.status != 200:
        raise RouteError(f"the description of `{source.name}` can't be had: status {answer.status}")
    return answer.body


def _described(routes: Routes, source: HTTPSource, content: bytes) -> tuple[Diagnostic, ...]:
    try:
        description = parse_json(content)
    except MalformedError as error:
        raise RouteError(f"the description of `{source.name}` can't be read: {error}") from None
    version = description.get("openapi") if isinstance(description, dict) else None
    if not isinstance(version, str) or not version.startswith("3."):
        raise RouteError(f"the description of `{source.name}` is no OpenAPI 3 document")
    return check_openapi(routes, source, description)


def _functions(routes: Routes, source: PythonSource, functions: Functions) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    for identifier in routes.identifiers:
        if identifier.source != source.name or not identifier.is_call:
            continue
        if ":" not in identifier.table and identifier.table not in functions.given:
            continue  # the host gives it, which nobody knows here
        try:
            functions.named(identifier.table)
        except RouteError as error:
            found.append(Diagnostic(CODES["R018"], str(error), Label(identifier.span)))
    return found
