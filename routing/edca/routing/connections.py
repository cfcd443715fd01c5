"""What routes reach their sources through: an engine, an HTTP service, or Python functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import sqlalchemy as sa

from edca.routing.engine import open_engine
from edca.routing.errors import RouteError
from edca.routing.model import SourceRoute
from edca.routing.model_documents import HTTPSource, PythonSource
from edca.routing.python_calls import Functions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.routing.http import Service
    from edca.routing.model import Routes

Connection: TypeAlias = "sa.Engine | Service | Functions"
"""A source as routes reach it. Credentials come from the environment or the host, and stay in it."""


def open_service(source: HTTPSource, url: str, environment: Mapping[str, str]) -> Service:
    """Return an HTTP service; connects to nothing.

    Raises `RouteError` for a URL or a credential that can't be used, and where the library for HTTP isn't installed.
    """
    try:
        from edca.routing.http import Service  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        message = f"routes to HTTP services need the library `{error.name}`; run `pip install 'edca[http]'`"
        raise RouteError(message) from None
    return Service(source, url, None if source.auth is None else environment.get(source.auth.env))


def open_source(
    source: SourceRoute | HTTPSource | PythonSource, environment: Mapping[str, str], url: str | None = None
) -> Connection:
    """Return what reaches a source: at `url`, or where its variable of the environment says.

    Raises `RouteError` for a variable that is missing or wrong.
    """
    if isinstance(source, PythonSource):
        return Functions({})
    url = url or environment.get(source.env)
    if not url:
        raise RouteError(f"the source `{source.name}` needs its URL in the environment variable {source.env}")
    try:
        return open_engine(url) if isinstance(source, SourceRoute) else open_service(source, url, environment)
    except RouteError as error:
        raise RouteError(f"{error} (source `{source.name}`)") from None


def open_sources(routes: Routes, environment: Mapping[str, str]) -> dict[str, Connection]:
    """Return what reaches each source of the routes. Raises as `open_source`."""
    return {source.name: open_source(source, environment) for source in routes.sources}


def close(connection: Connection) -> None:
    """Close what holds connections open."""
    match connection:
        case sa.Engine():
            connection.dispose()
        case Functions():
            pass
        case service:
            service.close()
